"""Every route to an effect, over the pipe: a decision is in the ledger before it; what is denied is not reached."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from tests.trust.test_routes import ROUTES, Effects


@pytest.mark.parametrize("route", ROUTES)
def test_a_decision_stands_before_each_dispatch_from_a_worker(route: str) -> None:
    effects = Effects(isolation="process")
    with effects.runtime as runtime:
        runtime.run(ROUTES[route])
        assert effects.reached
        assert not effects.undecided


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_denied_is_reached_by_no_route_from_a_worker(route: str) -> None:
    effects = Effects(isolation="process", rules=[{"match": "effect", "decide": "deny"}])
    with effects.runtime as runtime:
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run(ROUTES[route])
        assert caught.value.code == "policy/denied"
        assert not effects.reached


@pytest.mark.parametrize("route", ROUTES)
def test_a_durable_run_in_a_worker_is_decided_about_again_when_it_is_resumed(route: str, tmp_path: Path) -> None:
    with rtfs.Runtime(state=tmp_path, isolation="process", rules=[{"match": "pause", "decide": "approve"}]) as runtime:
        for id in ("pause", "effect", "failing"):
            runtime.register(id, lambda *values: None)
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run(f'(call "pause") {ROUTES[route]}', durable=True, run_id="one")
        assert caught.value.code == "policy/approval-required"
    effects = Effects(state=tmp_path, isolation="process", approve=lambda request: True)
    effects.runtime.register("pause", lambda *values: None, replace=True)
    with effects.runtime as runtime:
        runtime.resume("one")
        assert effects.reached
        assert not effects.undecided
