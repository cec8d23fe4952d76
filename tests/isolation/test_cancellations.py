"""Runs that are cancelled at random moments end, and nothing else does: `.ci/full isolation` does it 500 times."""

from __future__ import annotations

import pytest

from tests.isolation.cancellations import run


@pytest.mark.parametrize("isolation", [None, "process"])
def test_runs_are_cancelled_at_any_moment(isolation: str | None) -> None:
    assert run(25, 7, isolation).total() == 25
