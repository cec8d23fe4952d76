"""The MCP handler against a server of the official SDK: both eras, streams, resumption, expiry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtfs.capabilities.sessions.questions import Answer, Question
from rtfs.values.error import HostError
from tests.servers.running import Running, serve
from tests.sessions.mcp_support import Mcp, run

SERVER = Path(__file__).resolve().parent.parent / "servers" / "sdk_server.py"
HANDSHAKE = {"mcp_requires_session": "true"}


@pytest.fixture(scope="module", params=["--events", "--json", "--stateless"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serve(SERVER, request.param) as running:
        running.mode = request.param  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="module")
def events() -> Iterator[Running]:
    with serve(SERVER) as running:
        yield running


@pytest.mark.parametrize("version", [None, "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
def test_every_revision_gives_the_same_values(server: Running, version: str | None) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            era = {} if version is None else {"mcp_protocol_version": version}
            assert await mcp.call("add", {"a": 1, "b": 2}, **era) == {"sum": 3}
            assert await mcp.call("number", **era) == {"result": 7}
            assert await mcp.call("text", **era) == [{"type": "text", "text": "just words"}]
            blocks = await mcp.call("kinds", **era)
            kinds = ["text", "image", "audio", "resource_link", "resource"]
            assert [block["type"] for block in blocks] == kinds
            assert [blocks[1]["mimeType"], blocks[2]["mimeType"]] == ["image/png", "audio/wav"]
            assert [blocks[1]["data"], blocks[3]["uri"], blocks[4]["resource"]["text"]] == ["cG5n", "file:///a", "b"]
            found = await asyncio.gather(*(mcp.call("add", {"a": n, "b": n}, **era) for n in range(20)))
            assert [one["sum"] for one in found] == [2 * n for n in range(20)]
            session: Any = await mcp.pool.get_or_create_session("mcp", mcp.session_call("add", **era))
            assert session.version == (version or "2026-07-28")
            assert mcp.pool.stats()["initialized"] == 1

    run(body())


def test_a_required_session_is_had_or_refused(server: Running) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            if server.mode == "--stateless":  # type: ignore[attr-defined]
                with pytest.raises(HostError) as caught:
                    await mcp.call("add", {"a": 1, "b": 2}, **HANDSHAKE)
                assert caught.value.code == "session/none"
            else:
                assert await mcp.call("add", {"a": 1, "b": 2}, **HANDSHAKE) == {"sum": 3}

    run(body())


@pytest.mark.parametrize("era", [{}, HANDSHAKE], ids=["sessionless", "handshake"])
def test_progress_is_heard(events: Running, era: dict[str, Any]) -> None:
    heard: list[Any] = []

    async def body() -> None:
        async with Mcp(events.url) as mcp:
            done = await mcp.call("steps", {"count": 3}, progress=lambda *seen: heard.append(seen), **era)
            assert done == {"steps": 3}

    run(body())
    assert heard == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


@pytest.mark.parametrize("era", [{}, HANDSHAKE], ids=["sessionless", "handshake"])
def test_the_person_behind_a_call_is_asked(events: Running, era: dict[str, Any]) -> None:
    asked: list[Question] = []

    async def ask(question: Question) -> Answer:
        asked.append(question)
        return Answer("accept", question.content({"name": "Ada", "count": 2}))

    async def body() -> None:
        async with Mcp(events.url) as mcp:
            chosen = {"name": "Ada", "count": 2, "colour": "green", "gift": False}
            assert await mcp.call("order", ask=ask, **era) == chosen
            assert [field.kind for field in asked[0].fields] == ["string", "integer", "choice", "boolean"]
            assert await mcp.call("add", {"a": 1, "b": 2}, ask=ask, **era) == {"sum": 3}
            assert len(asked) == 1

    run(body())


@pytest.mark.parametrize("era", [{}, HANDSHAKE], ids=["sessionless", "handshake"])
def test_a_call_that_would_ask_fails_where_nobody_is_there(events: Running, era: dict[str, Any]) -> None:
    async def body() -> None:
        async with Mcp(events.url) as mcp:
            with pytest.raises(HostError):
                await mcp.call("order", **era)
            assert await mcp.call("number", **era) == {"result": 7}

    run(body())


def test_a_stream_the_server_closes_early_is_resumed(events: Running) -> None:
    async def body() -> None:
        async with Mcp(events.url) as mcp:
            for _ in range(3):
                assert await mcp.call("polled", **HANDSHAKE) == {"resumed": True}

    run(body())


@pytest.mark.parametrize("era", [{}, HANDSHAKE], ids=["sessionless", "handshake"])
def test_a_call_given_up_leaves_the_session_working(events: Running, era: dict[str, Any]) -> None:
    async def body() -> None:
        async with Mcp(events.url) as mcp:
            assert await mcp.call("number", **era) == {"result": 7}
            with pytest.raises(HostError) as caught:
                await mcp.call("wait", {"seconds": 20}, deadline=time.monotonic() + 0.2, **era)
            assert caught.value.code == "session/timeout"
            assert await mcp.call("number", **era) == {"result": 7}
            assert mcp.pool.stats()["initialized"] == 1

    run(body())


def test_a_session_the_server_forgot_is_opened_again() -> None:
    async def body() -> None:
        with serve(SERVER, "--forget") as running:
            async with Mcp(running.url) as mcp:
                assert await mcp.call("number", **HANDSHAKE) == {"result": 7}
                session: Any = await mcp.pool.get_or_create_session("mcp", mcp.session_call("number", **HANDSHAKE))
                await session.channel.settle(0.1)  # a listening stream would keep it
                await asyncio.sleep(0.5)
                found = await asyncio.gather(*(mcp.call("number", **HANDSHAKE) for _ in range(10)))
                assert found == [{"result": 7}] * 10
                assert mcp.names().count("initialized") == 2
                assert mcp.names().count("expired") == 1

    run(body())
