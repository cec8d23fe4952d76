"""The programs of the benchmarks give what their twins in Python give, as a file and as a text that is run once."""

from __future__ import annotations

import pytest

import rtfs
from benchmarks.programs import FOLDER, SPELLINGS, comparable, execute, value_of


@pytest.mark.parametrize("where", ["file.rtfs", "<text>"])
@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_program_gives_what_its_twin_gives(name: str, where: str) -> None:
    twin = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    expected = comparable(execute(compile(twin, "<twin>", "exec")))
    for spelling in SPELLINGS:
        text = (FOLDER / f"{name}.{spelling}.rtfs").read_text(encoding="utf-8")
        assert rtfs.to_python(value_of(rtfs.compile(text, name=where))) == expected
