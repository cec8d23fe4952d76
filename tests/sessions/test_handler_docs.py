"""docs/session-handlers.md does what it says: its handler is run, through the pool alone and through a runtime."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.handler import SessionCall
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.values import Keyword, Map
from rtfs.values.error import HostError

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "session-handlers.md"
BLOCKS = re.findall(r"^```(\w+)(?: file=\S+)?\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


class Service:
    """What the page's handler speaks to."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.opened = 0
        self.fail: list[Exception] = []

    async def __call__(self, path: str, ticket: Any = None, arguments: Any = None) -> Any:
        await asyncio.sleep(0)
        if path == "/open":
            self.opened += 1
            self.open[f"t{self.opened}"] = 0
            return f"t{self.opened}"
        if path == "/close":
            del self.open[ticket]
            return None
        if self.fail:
            raise self.fail.pop(0)
        self.open[ticket] += arguments["n"]
        return self.open[ticket]


def made(service: Service) -> Any:
    names: dict[str, Any] = {"service": service}
    code = next(text for language, text in BLOCKS if language == "python" and "class CounterHandler" in text)
    exec(compile(code, str(PAGE), "exec"), names)
    return names["CounterHandler"]


def test_the_pages_handler_gets_all_the_pool_does_for_every_handler() -> None:
    async def body() -> None:
        service = Service()
        pool = SessionPool({"counter": made(service)()})

        async def add(n: int, **fields: Any) -> Any:
            metadata = {"counter_server": "counter://one", "counter_requires_session": "auto"}
            call = SessionCall("counter.add", metadata, Map([(Keyword("n"), n)]), **fields)
            return await pool.execute_with_session("counter", call)

        assert sorted(await asyncio.gather(*(add(1) for _ in range(10)))) == list(range(1, 11))
        assert service.opened == 1
        service.open.clear()
        assert await add(5) == 5
        assert service.opened == 2
        service.fail = [ConnectionError()]
        with pytest.raises(HostError) as caught:
            await add(1)
        assert caught.value.code == "session/outcome-unknown"
        service.fail = [ConnectionError()]
        assert await add(1, idempotent=True) == 6
        await add(1, principal="another")
        assert service.opened == 3
        await pool.aclose()
        assert service.open == {}

    asyncio.run(asyncio.wait_for(body(), 20))


def test_the_pages_registration_and_declaration_work_in_a_runtime() -> None:
    service = Service()
    register = next(text for language, text in BLOCKS if language == "python" and "register_session" in text)
    declaration = next(text for language, text in BLOCKS if language == "clojure")
    names = {"rtfs": rtfs, "CounterHandler": made(service)}
    exec(register, names)
    with names["runtime"] as runtime:
        runtime.load(declaration, name="counter.rtfs")
        assert runtime.run('(+ (call "counter.add" {:n 2}) (call "counter.add" {:n 3}))') == 7
        assert service.opened == 1
    assert service.open == {}, "the session was ended with the runtime"


def test_every_method_and_signal_the_page_names_is_there() -> None:
    from rtfs.capabilities.sessions import handler, session_events

    text = PAGE.read_text("utf-8")
    for name in ("NotSent", "MaybeSent", "SessionExpired", "SessionKey", "fingerprint", "Credential"):
        assert name in text
        assert hasattr(handler, name)
    for name in ("INITIALIZED", "REUSED", "EXPIRED", "RETRIED", "FAILED", "TERMINATED"):
        assert getattr(session_events, name) in text
    for slot in handler.SessionCall.__slots__:
        assert slot in text, slot
