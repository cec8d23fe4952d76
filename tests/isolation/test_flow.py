"""Flow rules in worker processes: the tests of rules, and of the ways by which answers reach arguments, once more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtfs.host.isolation.pool import workers
from tests.flow import banking
from tests.flow.test_attacks import *  # noqa: F403
from tests.flow.test_flow_paths import *  # noqa: F403
from tests.flow.test_rules import *  # noqa: F403


@pytest.fixture(autouse=True)
def _in_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(banking, "OPTIONS", {"isolation": "process"})
    yield
    workers.refill()
