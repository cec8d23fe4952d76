"""Connections that break, servers that go away, stay silent or drip: what the caller is told, and that it heals."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.servers.faulty import Faulty, Out, Request
from tests.sessions.mcp_support import Mcp, failing, with_server


async def reset(server: Faulty, request: Request, out: Out) -> None:
    server.executed.append(request.params["arguments"].get("n"))
    out.reset()


async def reset_mid_stream(server: Faulty, request: Request, out: Out) -> None:
    server.executed.append(request.params["arguments"].get("n"))
    await out.stream()
    await out.chunk(b": hello\n\n")
    out.reset()


async def reset_mid_json(server: Faulty, request: Request, out: Out) -> None:
    server.executed.append(request.params["arguments"].get("n"))
    await out.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + b'{"jsonrpc"')
    out.reset()


async def end_of_stream(server: Faulty, request: Request, out: Out) -> None:
    server.executed.append(request.params["arguments"].get("n"))
    await out.stream()
    await out.end()


@pytest.mark.parametrize("fault", [reset, reset_mid_stream, reset_mid_json, end_of_stream])
@pytest.mark.parametrize("idempotent", [False, True])
def test_a_broken_connection_leaves_the_outcome_unknown_unless_the_call_can_be_repeated(
    fault: Any, idempotent: bool
) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", fault)
        if idempotent:
            assert await mcp.call("echo", {"n": 1}, idempotent=True) == {"n": 1}
            assert server.executed == [1, 1]
        else:
            failure = await failing(mcp)
            assert failure.code == "session/outcome-unknown"
            assert server.executed == [1], "never twice"
            assert await mcp.call("echo", {"n": 2}) == {"n": 2}

    with_server(test)


def test_a_server_restart_between_two_calls_is_healed() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 1})
        port = server.port
        await server.shut()
        await server.listen(port)
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}
        assert server.executed == [1, 2]
        assert server.opened == 2

    with_server(test)


def test_a_server_that_is_away_is_unavailable_then_healed() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 1})
        port = server.port
        await server.shut()
        failure = await failing(mcp, 2)
        assert failure.code == "session/unavailable"
        assert f"127.0.0.1:{port}" in failure.message
        await server.listen(port)
        assert await mcp.call("echo", {"n": 3}) == {"n": 3}
        assert server.executed == [1, 3]

    with_server(test)


def test_a_silent_server_times_out_is_told_so_and_the_session_lives_on() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def silent(server: Faulty, request: Request, out: Out) -> None:
            await asyncio.sleep(0.5)
            out.drop()

        await mcp.call("echo", {"n": 1})
        server.next("tools/call", silent)
        failure = await failing(mcp, 2, deadline=time.monotonic() + 0.1)
        assert failure.code == "session/timeout"
        assert await mcp.call("echo", {"n": 3}) == {"n": 3}
        asked = [request for request in server.requests if request.method == "tools/call"][1]
        cancelled = [request for request in server.requests if request.method == "notifications/cancelled"]
        assert [request.params["requestId"] for request in cancelled] == [asked.id]
        assert cancelled[0].headers["mcp-session-id"] == "s1"
        assert server.opened == 1

    with_server(test)


def test_a_slow_body_is_bounded_by_the_deadline() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def drip(server: Faulty, request: Request, out: Out) -> None:
            await out.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
            for _ in range(50):
                await asyncio.sleep(0.02)
                await out.raw(b" ")

        server.next("tools/call", drip)
        begun = time.monotonic()
        assert (await failing(mcp, deadline=time.monotonic() + 0.2)).code == "session/timeout"
        assert time.monotonic() - begun < 0.6

    with_server(test)
