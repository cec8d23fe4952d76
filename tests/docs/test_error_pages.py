"""Every error code has a page, and the example of every page gives that code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.testing.reference import INDEX, render_index

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "errors"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
CODE = re.compile(r"[a-z]+(?:-[a-z]+)*(?:/[a-z]+(?:-[a-z]+)*)?")
ERRORS = {"UserError", "EvalError", "CompileError", "ReaderError", "LimitError", "TypeMismatch"}
NAMES = {"plan/params"}
"""Strings that look like codes and are names of context values."""
BARE = {"arity", "undefined", "cancelled", "recur", "argument"}
BLOCK = re.compile(r"^```(rtfs|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_of(page: Path) -> str:
    """The code that a page is about: its heading."""
    return page.read_text(encoding="utf-8").split("\n")[0].removeprefix("# ").strip("` ")


def areas() -> set[str]:
    return {code_of(page).split("/")[0] for page in PAGES}


def codes_in(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Codes that a module uses: strings that look like one of a known area, and what errors are made with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            area, slash, _ = node.value.partition("/")
            if slash and area in known and CODE.fullmatch(node.value) and node.value not in NAMES:
                yield node.value
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            candidates = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            candidates += node.args[:1] if name in ERRORS else []
            for value in candidates:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                    yield value.value


def codes_used() -> dict[str, str]:
    """Code to a module that uses it."""
    found: dict[str, str] = {}
    known = areas()
    for path in sorted((ROOT / "rtfs").rglob("*.py")):
        for code in codes_in(ast.parse(path.read_text(encoding="utf-8")), known):
            found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def run_block(language: str, source: str) -> None:
    if language == "python":
        space: dict[str, Any] = {"__name__": "example"}
        exec(compile(source, "<example>", "exec"), space)
    else:
        with rtfs.Runtime() as runtime:
            runtime.run(source)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_example_of_the_page_gives_its_code(page: Path):
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert blocks, "a page needs a ```rtfs or ```python block"
    language, source = blocks[0]
    with pytest.raises(rtfs.UserError) as caught:
        run_block(language, source)
    assert caught.value.code == code_of(page)
    assert page.stem == code_of(page).replace("/", "-")


@pytest.mark.parametrize(("code", "module"), sorted(codes_used().items()), ids=lambda x: x)
def test_the_code_has_a_page(code: str, module: str):
    assert (FOLDER / f"{code.replace('/', '-')}.md").is_file(), f"{module} uses {code}, docs/errors has no page for it"


def test_every_page_is_about_a_code_that_is_used():
    unused = {code_of(page) for page in PAGES} - set(codes_used()) - BARE
    assert unused == set()


def test_the_index_lists_the_pages():
    assert INDEX.read_text(encoding="utf-8") == render_index(), "run python -m rtfs.testing.reference --write"
