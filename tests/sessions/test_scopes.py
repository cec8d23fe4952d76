"""Whose a session is: shared by a principal's runs, a run's own, or a call's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import SessionExpired
from rtfs.values.error import HostError
from tests.sessions.support import Bench


def run(body: Any) -> None:
    asyncio.run(asyncio.wait_for(body, 30))


def test_each_run_has_its_own_session_for_all_its_calls_and_it_ends_with_the_run() -> None:
    async def body() -> None:
        bench = Bench()
        for _ in range(2):
            assert await bench.do(scope="run", run_id="one") == 1
            assert await bench.do(scope="run", run_id="two") == 2
        assert await bench.do() == 3, "and none of them is the shared one"
        assert bench.pool.stats()["open"] == 3
        await bench.pool.end_run("one")
        assert [session.number for session in bench.zz.terminated] == [1]
        assert await bench.do(scope="run", run_id="two") == 2
        await bench.pool.end_run("nobody's")
        await bench.pool.aclose()
        assert bench.pool.stats()["initialized"] == bench.pool.stats()["terminated"] == 3

    run(body())


def test_a_call_has_its_own_session_that_ends_with_it() -> None:
    async def body() -> None:
        bench = Bench()
        found = await asyncio.gather(*(bench.do(scope="call", run_id="one") for _ in range(3)))
        assert sorted(found) == [1, 2, 3]
        assert bench.pool.stats()["open"] == 0
        assert len(bench.zz.terminated) == 3
        assert await bench.do(scope="run") == 4, "outside of a run, the scope of a run is the call"
        assert bench.pool.stats()["open"] == 0
        await bench.pool.aclose()

    run(body())


def test_the_handler_may_say_the_scope_and_the_call_decides() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.session_scope = lambda call: call.metadata.get("zz_scope")  # type: ignore[attr-defined]
        assert await bench.do(zz_scope="run", run_id="one") == 1
        assert await bench.do(zz_scope="run", run_id="two") == 2
        assert await bench.do(zz_scope="run", scope="principal", run_id="two") == 3
        with pytest.raises(HostError) as caught:
            await bench.do(zz_scope="forever", run_id="two")
        assert "principal, run or call" in caught.value.message
        await bench.pool.aclose()

    run(body())


def test_the_session_of_a_run_is_healed_like_any_other() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [SessionExpired("gone")]
        assert await bench.do(scope="run", run_id="one") == 2
        await bench.pool.aclose()

    run(body())


def test_neither_time_nor_want_of_a_place_takes_a_runs_session_away() -> None:
    async def body() -> None:
        bench = Bench(sessions_total=2, idle_seconds=0.05, age_seconds=0.05)
        assert await bench.do(scope="run", run_id="one") == 1
        assert await bench.do(scope="run", run_id="two") == 2
        await asyncio.sleep(0.15)
        waiting = asyncio.create_task(bench.do(scope="run", run_id="three"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert await bench.do(scope="run", run_id="one") == 1
        await bench.pool.end_run("two")
        assert await waiting == 3
        await bench.pool.aclose()

    run(body())


def test_a_run_that_ends_while_its_session_is_opened_leaves_none() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.2
        waiting = asyncio.create_task(bench.do(scope="run", run_id="one"))
        await asyncio.sleep(0.02)
        await bench.pool.end_run("one")
        with pytest.raises(HostError) as caught:
            await waiting
        assert caught.value.code == "session/closed"
        assert bench.pool.stats()["opening"] == bench.pool.stats()["open"] == 0
        await bench.pool.aclose()

    run(body())
