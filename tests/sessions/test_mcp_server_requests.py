"""A server's messages outside any request's stream: they are read, and requests that cannot be answered are refused."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from rtfs.capabilities.sessions.mcp import McpHandler, WireLimits
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, result
from tests.servers.running import ROOT, serve
from tests.sessions.mcp_support import Mcp, run, with_server

SDK = ROOT / "tests" / "servers" / "sdk_server.py"
OLD = {"mcp_protocol_version": "2025-11-25"}


@pytest.mark.parametrize("tool", ["ask_for_roots", "ask_for_a_page", "ask_for_a_model"])
def test_a_server_that_asks_on_its_own_stream_gets_its_refusal_at_once(tool: str) -> None:
    async def body(url: str) -> None:
        async with Mcp(url) as mcp:
            begun = time.monotonic()
            found = await mcp.call(tool, **OLD)
            assert time.monotonic() - begun < 8
            assert "refused" in str(found) or "decline" in str(found)

    with serve(SDK) as running:
        run(body(running.url))


def test_folders_and_a_model_are_offered_where_there_are_any() -> None:
    asked: list[Any] = []

    def sample(request: Any) -> str:
        asked.append((request.capability, request.messages[0]["content"]["text"], request.max_tokens))
        return "blue"

    async def body(url: str) -> None:
        async with Mcp(url) as mcp:
            mcp.handler.sample = sample
            where = {**OLD, "mcp_roots": ["/srv/data"]}
            assert await mcp.call("ask_for_roots", **where) == {"roots": ["file:///srv/data"]}
            assert await mcp.call("ask_for_a_model", **where) == {"said": "blue"}
            assert asked == [("mcp.test.ask_for_a_model", "What colour?", 20)]

    with serve(SDK) as running:
        run(body(running.url))


def test_a_model_that_fails_is_an_error_for_the_server_and_not_for_us() -> None:
    def sample(request: Any) -> str:
        raise RuntimeError("no quota: key 12345")

    async def body(url: str) -> None:
        async with Mcp(url) as mcp:
            mcp.handler.sample = sample
            found = await mcp.call("ask_for_a_model", **OLD)
            assert "refused" in str(found)
            assert "12345" not in str(found)

    with serve(SDK) as running:
        run(body(running.url))


def test_the_stream_is_taken_again_whenever_a_proxy_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from rtfs.capabilities.sessions.mcp.transport import streamable_http

    monkeypatch.setattr(streamable_http, "_LISTEN_LASTED", 0.01)

    async def short(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.event(None, retry="1")
        await out.chunk(b"data: {broken\n\n")
        await asyncio.sleep(0.02)
        await out.end()

    async def asks(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        while not server.count("tools/call"):
            await asyncio.sleep(0.002)
        await out.event({"jsonrpc": "2.0", "id": "r1", "method": "roots/list"})
        await asyncio.sleep(30)

    async def answered(server: Faulty, request: Request, out: Out) -> None:
        while not any(one.id == "r1" for one in server.requests):
            await asyncio.sleep(0.002)
        await out.json(result(request, {"content": [], "structuredContent": {"done": True}}))

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("LISTEN", *[short] * 6, asks)
        await mcp.call("echo", {"n": 1})
        while server.count("LISTEN") < 7:
            await asyncio.sleep(0.01)
        server.next("tools/call", answered)
        assert await mcp.call("echo", {"n": 2}) == {"done": True}
        reply = next(one for one in server.requests if one.id == "r1")
        assert reply.message["error"]["code"] == -32601

    with_server(test)


def test_a_server_without_sessions_is_not_listened_to() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 1})
        assert server.count("LISTEN") == 0

    with_server(test, sessions=False)


@pytest.mark.parametrize("how", ["unseen", "seen"])
def test_a_server_without_sessions_that_waits_for_an_answer_is_told_apart(how: str) -> None:
    """Version 1 of the official SDK sends its requests outside the call's stream to no client, and does not receive the
    answers to its requests on the stream."""

    async def asks(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        if how == "seen":
            await out.event({"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {}})
        await asyncio.sleep(30)

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", asks)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1})
        assert caught.value.code == "session/timeout"
        hint = caught.value.hint or ""
        assert "the server gives no session" in hint
        assert ("elicitation/create" in hint) == (how == "seen")
        server.sessions = True
        await mcp.pool.terminate_all()
        server.next("tools/call", asks)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1})
        assert "no session" not in (caught.value.hint or "")

    with_server(test, sessions=False, limits={"call_seconds": 0.5})


def test_what_is_offered_is_what_can_be_answered() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        mcp.handler.sample = lambda request: "x"
        await mcp.call("echo", {"n": 1}, mcp_roots=["file:///a"])
        opening = next(request for request in server.requests if request.method == "initialize")
        assert opening.params["capabilities"] == {"roots": {}, "sampling": {}}

    with_server(test)
    assert McpHandler(limits=WireLimits()).sample is None
