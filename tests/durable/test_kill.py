"""kill -9 at the boundaries of a plan of twenty calls: what was done is never done again, and the value is the same.

`python tests/durable/killing.py` does two hundred; here are some of each kind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durable.killing import points, survive

POINTS = [
    *points(0, 0),
    *([f"call:{number}:{where}"] for number in (1, 4, 8, 15, 17, 19) for where in ("before", "after")),
    *([f"commit:{number}:{where}"] for number in (1, 2, 6, 12, 18) for where in ("before", "after")),
    ["call:3:after", "call:2:before", "commit:3:after"],
    ["commit:5:before", "commit:4:after", "call:1:after", "call:1:before"],
    ["call:14:after", "call:1:after", "call:1:after"],
]


@pytest.mark.parametrize("kills", POINTS, ids=lambda kills: ",".join(kills))
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, kills: list[str]) -> None:
    assert survive(tmp_path, kills) == ""
