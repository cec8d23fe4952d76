"""The pool's rules, with a made-up provider: sharing, healing, retrying, ending. No network."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, SessionExpired
from rtfs.values.error import HostError, InternalError
from tests.sessions.support import Bench


def run(body: Any) -> Any:
    return asyncio.run(asyncio.wait_for(body, 20))


def code_of(caught: pytest.ExceptionInfo[HostError]) -> str:
    return caught.value.code


def test_one_session_serves_every_capability_of_a_server() -> None:
    async def body() -> None:
        bench = Bench()
        assert [await bench.do(f"zz.{name}") for name in "abcab"] == [1, 1, 1, 1, 1]
        assert bench.names() == ["initialized", "reused", "reused", "reused", "reused"]
        assert bench.pool.stats()["initialized"] == 1
        await bench.pool.aclose()
        assert len(bench.zz.terminated) == 1
        assert bench.zz.closed == 1

    run(body())


def test_fifty_concurrent_first_calls_share_one_initialisation() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.02
        assert set(await asyncio.gather(*(bench.do(f"zz.{n % 3}") for n in range(50)))) == {1}
        assert bench.zz.begun == 1
        await bench.pool.aclose()

    run(body())


def test_cancelling_the_first_waiter_does_not_disturb_the_others() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.05
        tasks = [asyncio.create_task(bench.do()) for _ in range(5)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[3].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(d).__name__ for d in done] == ["CancelledError", "int", "int", "CancelledError", "int"]
        assert bench.zz.begun == 1
        assert bench.pool.stats()["in_flight"] == 0
        await bench.pool.aclose()

    run(body())


def test_cancelling_every_waiter_leaves_a_session_that_the_next_call_uses() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.03
        task = asyncio.create_task(bench.do())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await bench.do() == 1
        assert bench.zz.begun == 1
        await bench.pool.aclose()
        assert len(bench.zz.terminated) == 1

    run(body())


def test_a_failed_initialisation_is_told_to_all_waiters_and_the_next_call_tries_anew() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.01
        bench.zz.opening_script = [SessionError("no", code="session/unauthorized")]
        done = await asyncio.gather(*(bench.do() for _ in range(5)), return_exceptions=True)
        assert {getattr(d, "code", d) for d in done} == {"session/unauthorized"}
        assert len({id(d) for d in done}) == 5, "each caller has an error of its own"
        assert bench.zz.begun == 1
        assert await bench.do() == 1
        assert bench.names()[0] == "failed"
        await bench.pool.aclose()

    run(body())


def test_a_refused_connection_heals_within_the_call_when_the_server_comes_back() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_script = [NotSent("refused"), NotSent("refused")]
        assert await bench.do() == 1
        assert bench.zz.begun == 3
        await bench.pool.aclose()

    run(body())


def test_a_server_that_stays_down_is_unavailable_and_heals_later() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_script = [NotSent("refused")] * 3
        with pytest.raises(HostError) as caught:
            await bench.do("zz.get")
        assert code_of(caught) == "session/unavailable"
        assert caught.value.capability == "zz.get"
        assert await bench.do() == 1
        await bench.pool.aclose()

    run(body())


def test_an_unexpected_failure_of_a_handler_is_translated() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_script = [ZeroDivisionError("x")]
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert code_of(caught) == "session/handler"
        bench.zz.script = [KeyError("x")]
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert code_of(caught) == "session/handler"
        assert await bench.do() == 1
        await bench.pool.aclose()

    run(body())


def test_two_principals_never_share_a_session_even_with_equal_credentials() -> None:
    async def body() -> None:
        bench = Bench()
        numbers = await asyncio.gather(*(bench.do(principal=p, credential="same") for p in ["ann", "bob"] * 10))
        assert sorted(set(numbers)) == [1, 2]
        assert set(numbers[::2]).isdisjoint(numbers[1::2])
        await bench.pool.aclose()

    run(body())


def test_two_credentials_of_one_principal_have_a_session_each() -> None:
    async def body() -> None:
        bench = Bench()
        assert await bench.do(credential="one") == 1
        assert await bench.do(credential="two") == 2
        assert await bench.do(credential="one") == 1
        assert "one" not in repr([str(event) for event in bench.events]).replace("zz://one", "")
        await bench.pool.aclose()

    run(body())


def test_an_expired_session_is_healed_once_for_all_its_callers() -> None:
    async def body() -> None:
        bench = Bench()
        assert await bench.do() == 1

        async def gone(session: Any, call: Any) -> Any:
            await asyncio.sleep(0.01)
            raise SessionExpired("gone")

        bench.zz.script = [gone] * 10
        assert await asyncio.gather(*(bench.do() for _ in range(10))) == [2] * 10
        assert bench.zz.begun == 2
        assert bench.names().count("expired") == 1
        await bench.pool.aclose()
        assert {session.number for session in bench.zz.terminated} == {1, 2}
        assert bench.zz.terminated[0].expired

    run(body())


def test_two_expiries_are_healed_and_a_third_fails() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [SessionExpired("gone"), SessionExpired("gone again")]
        assert await bench.do() == 3
        bench.zz.script = [SessionExpired("gone"), SessionExpired("gone again"), SessionExpired("gone for good")]
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert code_of(caught) == "session/expired"
        assert "gone for good" in caught.value.message
        assert await bench.do() == 6
        await bench.pool.aclose()

    run(body())


@pytest.mark.parametrize(
    "later",
    [
        [SessionExpired("gone"), SessionExpired("gone"), SessionExpired("gone")],
        [NotSent("nobody"), NotSent("nobody")],
        [SessionError("not accepted", code="session/unauthorized")],
        [MaybeSent("broke"), MaybeSent("broke")],
    ],
    ids=["expired", "unavailable", "unauthorized", "broken"],
)
def test_no_error_says_that_nothing_was_done_once_an_attempt_may_have_been_executed(later: list[Any]) -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [MaybeSent("the connection broke"), *later]
        with pytest.raises(HostError) as caught:
            await bench.do(idempotent=True)
        assert code_of(caught) == "session/outcome-unknown"
        await bench.pool.aclose()

    run(body())


def test_a_session_that_cannot_be_opened_again_leaves_the_outcome_of_the_first_attempt_unknown() -> None:
    async def body() -> None:
        bench = Bench()

        async def broke(session: Any, call: Any) -> Any:
            session.usable = False
            bench.zz.opening_script = [SessionError("no", code="session/unavailable")]
            raise MaybeSent("the connection broke")

        bench.zz.script = [broke]
        with pytest.raises(HostError) as caught:
            await bench.do(idempotent=True)
        assert code_of(caught) == "session/outcome-unknown"
        await bench.pool.aclose()

    run(body())


def test_the_servers_own_answer_to_a_later_attempt_counts() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [MaybeSent("the connection broke"), HostError("no such city")]
        with pytest.raises(HostError) as caught:
            await bench.do(idempotent=True)
        assert code_of(caught) == "capability/failed"
        await bench.pool.aclose()

    run(body())


def test_a_call_that_may_have_been_performed_is_not_repeated() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [MaybeSent("the connection broke")]
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert code_of(caught) == "session/outcome-unknown"
        assert len(bench.zz.executed) == 1
        await bench.pool.aclose()

    run(body())


def test_an_idempotent_call_that_may_have_been_performed_is_repeated() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [MaybeSent("the connection broke"), "done"]
        assert await bench.do(idempotent=True) == "done"
        assert bench.names() == ["initialized", "retried", "reused"]
        await bench.pool.aclose()

    run(body())


def test_a_handler_may_know_that_a_call_can_be_repeated() -> None:
    async def body() -> None:
        bench = Bench()

        async def idempotent(session: Any, call: Any) -> bool:
            return bool(call.capability_id == "zz.read")

        bench.zz.idempotent = idempotent  # type: ignore[attr-defined]
        bench.zz.script = [MaybeSent("broke"), "read", MaybeSent("broke")]
        assert await bench.do("zz.read") == "read"
        with pytest.raises(HostError) as caught:
            await bench.do("zz.write")
        assert code_of(caught) == "session/outcome-unknown"
        await bench.pool.aclose()

    run(body())


def test_attempts_are_limited_and_the_last_error_is_the_one_told() -> None:
    async def body() -> None:
        bench = Bench(attempts=2)
        bench.zz.script = [NotSent("busy"), NotSent("still busy"), "never"]
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert "still busy" in caught.value.message
        assert bench.zz.script == ["never"]
        await bench.pool.aclose()

    run(body())


def test_a_wait_the_server_asks_for_is_kept_if_the_deadline_allows_it() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.script = [NotSent("busy", retry_after=0.1), "done"]
        begun = time.monotonic()
        assert await bench.do() == "done"
        assert time.monotonic() - begun >= 0.1
        bench.zz.script = [NotSent("busy", retry_after=30)]
        begun = time.monotonic()
        with pytest.raises(HostError):
            await bench.do(deadline=time.monotonic() + 1)
        assert time.monotonic() - begun < 0.5, "no waiting for what cannot come in time"
        await bench.pool.aclose()

    run(body())


def test_a_slow_call_ends_at_its_deadline_and_the_session_lives_on() -> None:
    async def body() -> None:
        bench = Bench()
        with pytest.raises(HostError) as caught:
            await bench.do(zz_seconds=5, deadline=time.monotonic() + 0.05)
        assert code_of(caught) == "session/timeout"
        assert await bench.do() == 1
        await bench.pool.aclose()

    run(body())


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async def body() -> None:
        bench = Bench()
        await bench.do()
        with pytest.raises(HostError) as caught:
            await bench.do("zz.late", deadline=time.monotonic() - 1)
        assert code_of(caught) == "session/timeout"
        assert bench.zz.executed == [(1, "zz.a")]
        await bench.pool.aclose()

    run(body())


def test_a_slow_initialisation_is_bounded_by_each_callers_deadline_and_goes_on_for_the_others() -> None:
    async def body() -> None:
        bench = Bench()
        bench.zz.opening_seconds = 0.15
        hasty = asyncio.create_task(bench.do(deadline=time.monotonic() + 0.03))
        patient = asyncio.create_task(bench.do())
        with pytest.raises(HostError) as caught:
            await hasty
        assert code_of(caught) == "session/timeout"
        assert await patient == 1
        assert bench.zz.begun == 1
        await bench.pool.aclose()

    run(body())


def test_an_initialisation_that_hangs_is_given_up() -> None:
    async def body() -> None:
        bench = Bench(initialize_seconds=0.05)
        bench.zz.opening_seconds = 10
        with pytest.raises(HostError) as caught:
            await bench.do()
        assert code_of(caught) == "session/timeout"
        assert bench.pool.stats()["opening"] == 0
        await bench.pool.aclose()

    run(body())


def test_a_pool_belongs_to_one_loop() -> None:
    bench = Bench()
    assert asyncio.run(bench.do()) == 1
    with pytest.raises(InternalError):
        asyncio.run(bench.do())


def test_an_unknown_provider_is_a_clear_error() -> None:
    async def body() -> None:
        bench = Bench()
        with pytest.raises(HostError) as caught:
            await bench.pool.execute_with_session("yy", bench.call())
        assert code_of(caught) == "session/handler"
        assert "yy" in caught.value.message

    run(body())


def test_events_are_one_line_and_a_broken_listener_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        bench = Bench()
        await bench.do("zz.list", zz_server="zz://evil\x1b[31m\nhost")
        for event in bench.events:
            assert "\n" not in str(event)
            assert "\x1b" not in str(event)
        assert "zz.list" in str(bench.events[0])

        def broken(event: object) -> None:
            raise RuntimeError("listener")

        bench.pool._on_event = broken
        assert await bench.do() == 2
        await bench.pool.aclose()

    run(body())


def test_get_or_create_session_opens_one_that_calls_then_use() -> None:
    async def body() -> None:
        bench = Bench()
        session = await bench.pool.get_or_create_session("zz", bench.call())
        assert session.label == "zz-1"
        assert await bench.pool.get_or_create_session("zz", bench.call()) is session
        assert await bench.do() == 1
        await bench.pool.aclose()

    run(body())


def test_the_generic_parts_name_no_provider(project: Any) -> None:
    folder = project / "rtfs" / "capabilities" / "sessions"
    for name in ("pool.py", "lanes.py", "limits.py", "session_events.py", "handler.py"):
        text = (folder / name).read_text("utf-8").lower()
        for provider in ("mcp", "graphql", "http", "json", "stdio"):
            assert provider not in text.replace('"mcp_server_url"', ""), f"{name} names {provider}"
