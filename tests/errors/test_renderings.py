"""What is shown of an error is what was found good to read, and `--json` says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from rtfs import error_data
from rtfs.syntax.diagnostics import render
from tests.errors.renderings import Case, cases, files

CASES = [pytest.param(case, id=f"{path.stem}: {case.title}") for path in files() for case in cases(path)]


@pytest.mark.parametrize("case", CASES)
def test_the_report_is_the_one_beside_the_program(case: Case):
    assert render(case.error()) == case.shows


def texts(data: dict[str, Any]) -> Iterator[str]:
    """Every text that a report made of this data has to show."""
    yield f"error {data['code']}: {data['message']}"
    if "line" in data:
        yield f"--> {data['file']}:{data['line']}:{data['column']}"
    for note in data.get("notes", ()):
        yield f"note: {note['message']}"
        if "line" in note:
            yield f"--> {note['file']}:{note['line']}:{note['column']}"
    if "hint" in data:
        yield f"hint: {data['hint']}"
    if "capability" in data:
        yield f"capability: {data['capability']}"
    for other in data.get("others", ()):
        yield from texts(other)


@pytest.mark.parametrize("case", CASES)
def test_the_data_and_the_report_say_the_same(case: Case):
    error = case.error()
    data, shown = error_data(error), render(error)
    assert set(data) <= {
        "code", "message", "file", "line", "column", "end", "notes", "hint", "capability", "trace", "others",
    }  # fmt: skip
    position = 0
    told = list(texts(data))
    for text in told:
        position = shown.index(text, position)
    assert shown.count("--> ") == sum(text.startswith("--> ") for text in told)
    assert shown.count("note: ") == sum(text.startswith("note: ") for text in told)
    calls = [f"{call['name']} at {call['file']}:{call['line']}:{call['column']}" for call in data.get("trace", ())]
    lines = re.findall(r"^  in (.*)$", shown, re.MULTILINE)
    assert set(lines) <= set(calls)
    if "…" not in shown:
        assert lines == calls


@pytest.mark.parametrize("case", CASES)
def test_carets_stand_under_the_first_line_of_each_place(case: Case):
    error = case.error()
    for span in [error.span, *(span for _, span in error.notes)]:
        if span is not None:
            assert (span.line, span.column) <= span.last
    lines = case.shows.split("\n")
    for number, line in enumerate(lines):
        if re.fullmatch(r" +\| +\^+( … to line \d+)?", line):
            assert re.match(r" +\d+ \|", lines[number - 1])
