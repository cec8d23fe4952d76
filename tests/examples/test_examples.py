"""Every example does what its README shows. Those that fetch npm packages: `python -m tests.examples.run notes`."""

from __future__ import annotations

import pytest

from tests.examples.readme import CODES, FETCHING, FOLDERS, problem, shown

SHOWN = [(example, *pair) for example in FOLDERS if example not in FETCHING for pair in shown(example)]


@pytest.mark.parametrize(("example", "command", "lines"), SHOWN, ids=[f"{name}-{line}" for name, line, _ in SHOWN])
def test_a_command_of_the_readme_gives_what_it_shows(example: str, command: str, lines: list[str]):
    assert problem(command, lines) == ""


def test_the_examples_are_these():
    known = "assistant embedding fanout governed notes quickstart served-plan transform triage"
    assert known.split() == FOLDERS
    assert all(command in {command for _, command, _ in SHOWN} for command in CODES)
