"""The rules of CONTRIBUTING.md that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "rtfs").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__).resolve())
HEAVY = (
    "asyncio",
    "dataclasses",
    "enum",
    "httpx",
    "inspect",
    "json",
    "lark",
    "logging",
    "pydantic",
    "re",
    "typing",
    "yaml",
)
KERNEL = ("rtfs", "rtfs.source", "rtfs.values", "rtfs.syntax.printer", "rtfs.types", "rtfs.builtins", "rtfs.machine")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_it_is_and_is_no_longer_than_600_lines(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 600
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("folder", ["rtfs/host", "rtfs/compiler"])
def test_at_most_14_files_are_flat_in_a_folder_of_many_rooms(folder: str):
    flat = [path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(flat) <= 14, sorted(flat)


def test_no_loose_ends_are_left_in_the_text():
    loose = re.compile(r"\b(?:TODO|FIXME|XXX)\b|\bfor now\b")
    found = [
        f"{name(path)}:{number}"
        for path in [*MODULES, *TESTS, *(ROOT / "stdlib").rglob("*.rtfs")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if loose.search(line)
    ]
    assert found == []


def test_no_test_is_skipped():
    skips = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b")
    assert [name(path) for path in TESTS if skips.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("module", KERNEL)
def test_a_kernel_module_imports_nothing_heavy(module: str):
    loaded = f"sorted((set(sys.modules) - before) & set({HEAVY!r}))"
    source = f"before = set(sys.modules); import {module}; print(*{loaded})"
    run = subprocess.run([sys.executable, "-S", "-c", _with_paths(source)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def _with_paths(source: str) -> str:
    """`-S` keeps what site-packages' .pth files import out of the picture, so the path is set by hand."""
    return f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}; {source}"
