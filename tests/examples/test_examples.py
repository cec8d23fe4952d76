"""Every example does what its README shows. `notes` fetches npm packages: `python -m tests.examples.notes`."""

from __future__ import annotations

import pytest

from tests.examples.readme import EXAMPLES, missing, run, shown

FETCHING = {"notes"}
FOLDERS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and (path / "README.md").exists())
SHOWN = [(example, *pair) for example in FOLDERS if example not in FETCHING for pair in shown(example)]
CODES = {"rtfs run examples/governed/plan.rtfs": 3}
"""What does not end with 0."""


@pytest.mark.parametrize(("example", "command", "lines"), SHOWN, ids=[f"{name}-{line}" for name, line, _ in SHOWN])
def test_a_command_of_the_readme_gives_what_it_shows(example: str, command: str, lines: list[str]):
    done = run(command)
    assert missing(lines, done.stdout) == [], done.stdout
    assert done.returncode == CODES.get(command, 0)


def test_the_examples_are_these():
    assert {"embedding", "fanout", "governed", "notes", "transform", "triage"} <= set(FOLDERS)
    assert all(command in {c for _, c, _ in SHOWN} for command in CODES)
