"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = "; sums\n(+ 1 2) ;=> 3\n---\n; wrong\n(+ 1 2) ;=> 5\n---\n(println 7) ;prints 7\n"


def registered() -> bool:
    """Whether the plugin comes by itself: the package is installed in this environment."""
    return any(
        point.value == "rtfs.testing.pytest_plugin" for point in importlib.metadata.entry_points(group="pytest11")
    )


def pytest_run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    plugin = [] if registered() else ["-p", "rtfs.testing.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, "--rootdir", str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "COLUMNS": "120"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.test.rtfs").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_every_chunk_is_an_item_with_its_name(folder: Path):
    listed = pytest_run(folder, "--collect-only", "-q").stdout
    assert "a.test.rtfs::sums" in listed
    assert "a.test.rtfs::wrong" in listed
    assert "a.test.rtfs::line 7" in listed


def test_a_failure_reads_like_a_report_and_not_like_a_traceback(folder: Path):
    done = pytest_run(folder)
    assert done.returncode == 1
    assert "1 failed, 2 passed" in done.stdout
    assert "a.test.rtfs:5: wrong" in done.stdout
    assert "expected  5" in done.stdout
    assert "Traceback" not in done.stdout
    assert "runner.py" not in done.stdout


def test_one_chunk_can_be_chosen(folder: Path):
    assert "1 passed" in pytest_run(folder, "a.test.rtfs::sums").stdout


def test_update_rewrites_the_file_also_from_parallel_workers(folder: Path):
    done = pytest_run(folder, "--rtfs-update", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "a.test.rtfs").read_text(encoding="utf-8") == FILE.replace(";=> 5", ";=> 3")
    assert "3 passed" in pytest_run(folder, "-n", "2").stdout


def test_an_empty_file_is_a_failure(tmp_path: Path):
    (tmp_path / "empty.test.rtfs").write_text("; nothing\n", encoding="utf-8")
    done = pytest_run(tmp_path)
    assert "1 failed" in done.stdout
    assert "nothing to run" in done.stdout


def test_the_plugin_imports_nothing_of_the_package_until_a_golden_file_is_met(tmp_path: Path):
    test = (
        "import sys\n\ndef test_it():\n    assert not {'rtfs.testing.runner', 'lark', 'greenlet'} & set(sys.modules)\n"
    )
    (tmp_path / "test_plain.py").write_text(test)
    assert "1 passed" in pytest_run(tmp_path).stdout
