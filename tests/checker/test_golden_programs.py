"""No program of the golden files that runs to its end is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.testing.golden import parse
from rtfs.testing.runner import run_chunk

FILES = sorted((Path(__file__).parent.parent / "golden").glob("*.test.rtfs"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_the_gate_refuses_no_golden_program_that_ends(path: Path, monkeypatch: pytest.MonkeyPatch):
    plain = rtfs.Runtime.run

    def run(self: rtfs.Runtime, source: Any, **options: Any) -> Any:
        return plain(self, source, **{**options, "check": True})

    monkeypatch.setattr(rtfs.Runtime, "run", run)
    file = parse(path.read_text("utf-8"), str(path))
    for chunk in file.chunks:
        if any(step.expected("error") for step in chunk.steps):
            continue
        assert [one.text for one in run_chunk(file, chunk).problems] == [], chunk.name
