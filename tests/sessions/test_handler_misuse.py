"""Handlers that break their contract: whatever they return or raise, the caller gets an error and the pool keeps
working."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.handler import Session, SessionCall, SessionKey
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.values.error import HostError


class Good:
    """A correct handler; the misused ones replace one method."""

    def session_key(self, call: SessionCall) -> Any:
        return SessionKey("misused.example", principal=call.principal)

    async def initialize_session(self, call: SessionCall) -> Any:
        return Session()

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        return 7

    async def terminate_session(self, session: Session) -> Any:
        return None


class Bare:
    """No Session: it has no label."""


class Unnamed(Session):
    label = None  # type: ignore[assignment]


class Ending(BaseException):
    """An unexpected error."""


async def answers(value: Any) -> Any:
    return value


async def raises(error: BaseException) -> Any:
    raise error


def leaves() -> None:
    raise SystemExit(3)


def misused(method: str, does: Any) -> Good:
    handler = Good()
    setattr(handler, method, lambda *_: does())
    return handler


def using(handler: Any, limits: PoolLimits | None = None) -> str:
    """The code of the error that a call gives, then a good handler's call gives its value in the same pool."""

    async def go() -> str:
        handlers = {"odd": handler, "good": Good()}
        events: list[Any] = []
        pool = SessionPool(handlers, limits=limits, on_event=events.append)
        call = SessionCall("odd.call", {}, {})
        with pytest.raises(HostError) as caught:
            await pool.execute_with_session("odd", call)
        assert await pool.execute_with_session("good", call) == 7
        await pool.aclose()
        stats = pool.stats()
        assert (stats["open"], stats["opening"], stats["in_flight"], stats["waiting"]) == (0, 0, 0, 0)
        assert caught.value.capability == "odd.call"
        return f"{caught.value.code}: {caught.value.message}"

    return asyncio.run(asyncio.wait_for(go(), 10))


@pytest.mark.parametrize(
    ("method", "does", "words"),
    [
        ("session_key", lambda: None, "session_key answered nothing instead of a SessionKey"),
        ("session_key", lambda: "a", "session_key answered a str instead of a SessionKey"),
        ("initialize_session", lambda: answers(None), "initialize_session answered nothing instead of a Session"),
        ("initialize_session", lambda: answers(Bare()), "initialize_session answered a Bare instead of a Session"),
        ("initialize_session", lambda: answers(Unnamed()), "answered a Unnamed instead of a Session with a label"),
        ("initialize_session", Session, "initialize_session answered a Session instead of something to await"),
        ("execute_with_session", lambda: 7, "execute_with_session answered a int instead of something to await"),
        ("session_key", lambda: 1 / 0, "failed to name the session of a call: ZeroDivisionError"),
        ("initialize_session", lambda: 1 / 0, "failed to open a session: ZeroDivisionError"),
        ("initialize_session", lambda: raises(ValueError()), "failed to open a session: ValueError"),
        ("initialize_session", lambda: raises(SystemExit(3)), "failed to open a session: SystemExit"),
        ("initialize_session", lambda: raises(Ending()), "failed to open a session: Ending"),
        ("execute_with_session", lambda: 1 / 0, "failed in a call: ZeroDivisionError"),
        ("execute_with_session", lambda: raises(SystemExit(3)), "failed in a call: SystemExit"),
        ("execute_with_session", lambda: raises(Ending()), "failed in a call: Ending"),
        (
            "session_key",
            lambda: (_ for _ in ()).throw(SystemExit(3)),
            "failed to name the session of a call: SystemExit",
        ),
    ],
)
def test_what_a_handler_must_not_do_is_a_clear_error(method: str, does: Any, words: str) -> None:
    found = using(misused(method, does))
    assert found.startswith("session/handler: the session handler")
    assert words in found


@pytest.mark.parametrize("does", [lambda: None, lambda: 1 / 0, lambda: raises(SystemExit(3)), lambda: raises(Ending())])
def test_a_session_that_cannot_be_ended_is_given_up(does: Any) -> None:
    async def go() -> None:
        events: list[Any] = []
        pool = SessionPool({"odd": misused("terminate_session", does)}, on_event=events.append)
        assert await pool.execute_with_session("odd", SessionCall("odd.call", {}, {})) == 7
        await pool.aclose()
        assert [event.name for event in events] == ["session.initialized", "session.terminated"]
        assert events[1].detail != ""
        assert pool.stats()["open"] == 0

    asyncio.run(asyncio.wait_for(go(), 10))


def test_a_handler_whose_own_end_fails_does_not_keep_the_pool_open() -> None:
    class Closing(Good):
        def close(self) -> None:
            return

    async def go() -> None:
        pool = SessionPool({"odd": Closing()})
        assert await pool.execute_with_session("odd", SessionCall("odd.call", {}, {})) == 7
        with pytest.raises(HostError) as caught:
            await pool.aclose()
        assert caught.value.code == "session/handler"
        assert pool.stats()["open"] == 0

    asyncio.run(asyncio.wait_for(go(), 10))


def test_all_who_wait_for_a_session_that_is_none_get_the_error() -> None:
    async def go() -> None:
        pool = SessionPool({"odd": misused("initialize_session", lambda: answers(None))})
        calls = (pool.execute_with_session("odd", SessionCall("odd.call", {}, {})) for _ in range(20))
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert {getattr(one, "code", None) for one in found} == {"session/handler"}
        await pool.aclose()

    asyncio.run(asyncio.wait_for(go(), 10))


@pytest.mark.parametrize("method", ["session_key", "initialize_session", "execute_with_session"])
def test_a_runtime_survives_a_handler_that_tries_to_end_the_process(method: str) -> None:
    with rtfs.Runtime(["odd.*", "good.*"]) as runtime:
        does = leaves if method == "session_key" else lambda: raises(SystemExit(3))
        runtime.register_session_handler("odd", misused(method, does))
        runtime.register_session_handler("good", Good())
        runtime.load('(capability "odd.call" :metadata {:odd {:requires_session "auto"}})')
        runtime.load('(capability "good.call" :metadata {:good {:requires_session "auto"}})')
        assert runtime.run('(try (call "odd.call") (catch e (:code e)))').name == "session/handler"
        assert runtime.run('(call "good.call")') == 7


def test_python_data_that_a_handler_answers_is_converted() -> None:
    with rtfs.Runtime(["odd.*"]) as runtime:
        runtime.register_session_handler("odd", misused("execute_with_session", lambda: answers({"a": [1, {}]})))
        runtime.load('(capability "odd.call" :metadata {:odd {:requires_session "auto"}})')
        assert rtfs.to_text(runtime.run('(get-in (call "odd.call") [:a 0])')) == "1"
    with rtfs.Runtime(["odd.*"]) as runtime:
        runtime.register_session_handler("odd", misused("execute_with_session", lambda: answers(object())))
        runtime.load('(capability "odd.call" :metadata {:odd {:requires_session "auto"}})')
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run('(call "odd.call")')
        assert caught.value.code == "capability/result"
