"""Durable runs in workers that are killed at random moments come to their value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.isolation.kills import kill_and_resume


@pytest.mark.parametrize("seed", range(3))
def test_a_durable_run_outlives_its_workers(seed: int, tmp_path: Path) -> None:
    kill_and_resume(seed, str(tmp_path))
