"""The pool's limits and its closing: places, queues, ages, and that nothing leaks. No network."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, SessionExpired
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.values.error import HostError
from tests.sessions.support import Bench


def run(body: Any) -> Any:
    return asyncio.run(asyncio.wait_for(body, 20))


def assert_nothing_left(bench: Bench) -> None:
    stats = bench.pool.stats()
    assert stats["keys"] == []
    assert stats["initialized"] == stats["terminated"]
    assert len(bench.zz.opened) == len(bench.zz.terminated)
    assert bench.pool._lanes.total == 0
    assert bench.pool._lanes._leaving == 0
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "Lanes" in repr(task.get_coro())]


def test_limits_are_checked() -> None:
    for wrong in ({"sessions_per_key": 0}, {"idle_seconds": 0}, {"attempts": 0}, {"initialize_seconds": -1}):
        with pytest.raises(ValueError):
            PoolLimits(**wrong)  # type: ignore[arg-type]


def test_calls_in_flight_are_limited_and_the_rest_wait_in_order() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=2)
        order: list[int] = []

        async def step(n: int) -> None:
            await bench.do(f"zz.{n}", zz_seconds=0.01)
            order.append(n)

        await asyncio.gather(*(step(n) for n in range(8)))
        assert bench.zz.opened[0].most_in_flight == 2
        assert [name for _, name in bench.zz.executed] == [f"zz.{n}" for n in range(8)]
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_several_sessions_a_key_share_the_load() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=1, sessions_per_key=3)
        await asyncio.gather(*(bench.do(zz_seconds=0.02) for _ in range(9)))
        assert len(bench.zz.opened) == 3
        assert {session.most_in_flight for session in bench.zz.opened} == {1}
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_a_call_whose_turn_comes_when_its_time_is_nearly_up_is_not_sent() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=1)
        slow = asyncio.create_task(bench.do("zz.slow", zz_seconds=0.2))
        await asyncio.sleep(0.01)
        with pytest.raises(HostError) as caught:
            await bench.do("zz.late", deadline=time.monotonic() + 0.21, zz_seconds=5)
        assert caught.value.code == "session/limit"
        assert await slow == 1
        assert [name for _, name in bench.zz.executed] == ["zz.slow"]
        assert await bench.do("zz.next") == 1
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_waiting_for_a_busy_session_ends_at_the_deadline_and_keeps_the_place_of_the_others() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=1)
        slow = asyncio.create_task(bench.do("zz.slow", zz_seconds=0.15))
        await asyncio.sleep(0.01)
        hasty = asyncio.create_task(bench.do("zz.hasty", deadline=time.monotonic() + 0.03))
        patient = asyncio.create_task(bench.do("zz.patient"))
        with pytest.raises(HostError) as caught:
            await hasty
        assert caught.value.code == "session/limit"
        assert [await slow, await patient] == [1, 1]
        assert [name for _, name in bench.zz.executed] == ["zz.slow", "zz.patient"]
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_a_full_pool_ends_the_longest_idle_session_of_another_key() -> None:
    async def body() -> None:
        bench = Bench(sessions_total=2)
        await bench.do(principal="ann")
        await bench.do(principal="bob")
        await bench.do(principal="ann")
        await bench.do(principal="cid")
        assert [session.principal for session in bench.zz.terminated] == ["bob"]
        await bench.do(principal="ann")
        assert len(bench.zz.opened) == 3
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_a_full_pool_serves_every_key_in_turn_under_constant_load() -> None:
    async def body() -> None:
        bench = Bench(sessions_total=1, calls_in_flight=2)
        stop = asyncio.Event()

        async def greedy() -> None:
            while not stop.is_set():
                await bench.do(principal="ann", zz_seconds=0.002)

        load = [asyncio.create_task(greedy()) for _ in range(4)]
        await asyncio.sleep(0.02)
        for principal in ("bob", "cid", "bob"):
            await bench.do(principal=principal, deadline=time.monotonic() + 2)
        stop.set()
        await asyncio.gather(*load)
        assert {session.principal for session in bench.zz.opened} == {"ann", "bob", "cid"}
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_without_a_place_a_call_fails_at_its_deadline_with_the_reason() -> None:
    async def body() -> None:
        bench = Bench(sessions_total=1)
        slow = asyncio.create_task(bench.do(principal="ann", zz_seconds=0.2))
        await asyncio.sleep(0.01)
        with pytest.raises(HostError) as caught:
            await bench.do(principal="bob", deadline=time.monotonic() + 0.03)
        assert caught.value.code == "session/limit"
        assert await slow == 1
        assert await bench.do(principal="bob") == 2
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_no_session_is_opened_for_a_lane_and_given_away_before_it_served() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=1, sessions_total=1)
        chance = random.Random(4)
        people = [chance.choice("abcd") for _ in range(60)]
        await asyncio.gather(*(bench.do(principal=person, zz_seconds=0.001) for person in people))
        ended = [event for event in bench.events if event.name == "session.terminated"]
        assert [event for event in ended if event.count == 0] == []
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_places_are_never_exceeded() -> None:
    async def body() -> None:
        bench = Bench(sessions_total=3, sessions_per_key=2, calls_in_flight=2)
        bench.zz.opening_seconds = 0.002
        bench.zz.terminating_seconds = 0.002
        most = 0

        async def step(n: int) -> None:
            nonlocal most
            await bench.do(principal=f"p{n % 7}", zz_seconds=0.001)
            most = max(most, len(bench.zz.opened) - len(bench.zz.terminated))

        await asyncio.gather(*(step(n) for n in range(100)))
        assert most <= 3
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_an_idle_session_is_ended_and_the_next_call_opens_another() -> None:
    async def body() -> None:
        bench = Bench(idle_seconds=0.04)
        await bench.do()
        await asyncio.sleep(0.2)
        assert len(bench.zz.terminated) == 1
        assert await bench.do() == 2
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_an_old_session_gets_no_new_call_but_finishes_those_it_has() -> None:
    async def body() -> None:
        bench = Bench(age_seconds=0.05)
        long = asyncio.create_task(bench.do("zz.long", zz_seconds=0.15))
        await asyncio.sleep(0.08)
        assert await bench.do() == 2
        assert bench.zz.terminated == []
        assert await long == 1
        await asyncio.sleep(0.02)
        assert 1 in [session.number for session in bench.zz.terminated]
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_a_session_found_dead_is_given_to_nobody() -> None:
    async def body() -> None:
        bench = Bench()
        await bench.do()
        bench.zz.opened[0].usable = False
        assert await bench.do() == 2
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_closing_waits_for_every_end_also_from_several_tasks_at_once() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.terminating_seconds = 0.03
        for n in range(5):
            await bench.do(principal=f"p{n}")
        await asyncio.gather(*(bench.pool.aclose() for _ in range(3)))
        assert len(bench.zz.terminated) == 5
        assert_nothing_left(bench)
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert caught.value.code == "session/closed"

    run(body())


def test_closing_while_a_session_is_being_opened_tells_the_waiters_and_leaks_nothing() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 5
        tasks = [asyncio.create_task(bench.do()) for _ in range(3)]
        await asyncio.sleep(0.01)
        await bench.pool.aclose()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert {getattr(d, "code", d) for d in done} == {"session/closed"}
        assert_nothing_left(bench)

    run(body())


def test_closing_ends_sessions_with_calls_in_flight() -> None:
    async def body() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.do(zz_seconds=0.1))
        await asyncio.sleep(0.01)
        await bench.pool.terminate_all()
        assert len(bench.zz.terminated) == 1
        assert await task == 1
        assert_nothing_left(bench)
        assert await bench.do() == 2, "terminate_all is no end for good"
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())


def test_closing_for_good_gives_up_the_calls_under_way_before_their_sessions_end() -> None:
    async def body() -> None:
        bench = Bench(calls_in_flight=1, call_seconds=None)
        told: list[bool] = []

        async def slow(session: Any, call: Any) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                told.append(session not in bench.zz.terminated)

        bench.zz.script = [slow]
        calls = [asyncio.create_task(bench.do()) for _ in range(2)]
        await asyncio.sleep(0.01)
        await bench.pool.aclose()
        for call in calls:
            with pytest.raises(HostError) as caught:
                await call
            assert caught.value.code == "session/closed"
        assert told == [True]
        assert_nothing_left(bench)

    run(body())


def test_one_session_that_will_not_end_does_not_keep_the_others() -> None:
    async def body() -> None:
        bench = Bench(terminate_seconds=0.05)

        async def stubborn(session: Any) -> None:
            bench.zz.terminated.append(session)
            if session.number == 1:
                await asyncio.sleep(30)
            if session.number == 2:
                raise ConnectionError("gone")

        bench.zz.terminate_session = stubborn  # type: ignore[method-assign]
        for n in range(3):
            await bench.do(principal=f"p{n}")
        begun = time.monotonic()
        await bench.pool.aclose()
        assert time.monotonic() - begun < 2
        details = sorted(event.detail for event in bench.events if event.name == "session.terminated")
        assert details == ["ConnectionError: gone", "closed", "no answer within 0.05 seconds"]
        assert_nothing_left(bench)

    run(body())


def test_a_thousand_calls_with_every_kind_of_fault_leave_nothing_behind() -> None:
    async def body() -> None:
        rng = random.Random(7)
        bench = Bench(sessions_total=4, sessions_per_key=2, calls_in_flight=3, idle_seconds=0.02, age_seconds=0.05)

        async def chaos(session: Any, call: Any) -> Any:
            await asyncio.sleep(rng.random() * 0.002)
            dice = rng.random()
            if dice < 0.05:
                raise SessionExpired("gone")
            if dice < 0.1:
                raise NotSent("busy", retry_after=0.001)
            if dice < 0.15:
                raise MaybeSent("broke")
            if dice < 0.2:
                session.usable = False
                raise MaybeSent("died")
            if dice < 0.25:
                raise SessionError("no")
            return session.number

        bench.zz.script = [chaos] * 5000
        tasks = [
            asyncio.create_task(bench.do(principal=f"p{n % 6}", idempotent=bool(n % 2), deadline=time.monotonic() + 15))
            for n in range(1000)
        ]
        for task in rng.sample(tasks, 50):
            asyncio.get_running_loop().call_later(rng.random() * 0.2, task.cancel)
        done = await asyncio.gather(*tasks, return_exceptions=True)
        odd = [d for d in done if not isinstance(d, (int, HostError, asyncio.CancelledError))]
        assert odd == []
        assert sum(isinstance(d, int) for d in done) > 600
        stats = bench.pool.stats()
        assert stats["in_flight"] == stats["waiting"] == 0
        await bench.pool.aclose()
        assert_nothing_left(bench)

    run(body())
