"""The language tests, in worker processes: every golden file gives there what it gives in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs.testing.command import load, show
from rtfs.testing.runner import Options, run_chunk

FILES = sorted((Path(__file__).parent.parent / "golden").glob("*.test.rtfs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".test.rtfs"))
def test_a_golden_file_holds_in_worker_processes(path: Path) -> None:
    file = load(path)
    assert file.chunks
    found = [
        show(file, chunk, problem)
        for chunk in file.chunks
        for problem in run_chunk(file, chunk, Options(isolation="process")).problems
    ]
    assert not found, "\n\n".join(found)
