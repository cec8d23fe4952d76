"""A session that the server no longer knows, in every spelling: opened again once, each call done once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.servers.faulty import Faulty, Out, Request, error
from tests.sessions.mcp_support import Mcp, failing, status, with_server


async def repeating_the_id(server: Faulty, request: Request, out: Out) -> None:
    await out.json(error(request, -32001, "Not found"), 404)


async def without_an_end(server: Faulty, request: Request, out: Out) -> None:
    await out.raw(b"HTTP/1.1 404 X\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nUnknown")


@pytest.mark.parametrize(
    "fault",
    [
        status(404),
        status(404, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}'),
        status(
            400, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID"}}'
        ),
        status(400, b'{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"}}'),
        status(400, b"Invalid session ID\n", "text/plain"),
        status(410),
        repeating_the_id,
        without_an_end,
    ],
    ids=["404", "404-json", "400-json", "400-no-id", "400-text", "410", "404-own-id", "404-endless"],
)
def test_an_expired_session_is_opened_again_and_the_call_done_once(fault: Any) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 1})
        server.live.clear()
        server.next("tools/call", fault)
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}
        assert server.executed == [1, 2]
        assert server.opened == 2
        assert sorted(mcp.names()) == ["expired", "initialized", "initialized", "reused", "terminated"]
        assert server.count("DELETE") == 0, "a session that is gone is not ended again"

    with_server(test, wire={"refusal_seconds": 0.2})


def test_an_expired_session_is_opened_again_once_for_all_its_callers() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 0})
        server.live.clear()
        found = await asyncio.gather(*(mcp.call("echo", {"n": n}) for n in range(20)))
        assert found == [{"n": n} for n in range(20)]
        assert server.opened == 2
        assert sorted(server.executed) == sorted([0, *range(20)])

    with_server(test)


def test_a_server_that_forgets_every_session_fails_after_the_third() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(404), status(404), status(404))
        failure = await failing(mcp)
        assert failure.code == "session/expired"
        assert server.count("tools/call") == 3
        server.live.clear()
        assert await mcp.call("echo", {"n": 3}) == {"n": 3}

    with_server(test)


def test_a_404_that_is_no_sessions_is_told_as_what_it_is() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def unknown(server: Faulty, request: Request, out: Out) -> None:
            await out.json(error(request, -32601, "Method not found"), 404)

        server.next("tools/call", unknown)
        failure = await failing(mcp)
        assert failure.code == "capability/failed", "the server has tools, it says so itself"
        assert server.opened == 1
        # A wrong path: the endpoint itself is not there.
        server.next("initialize", status(404, b"<html>nothing</html>", "text/html"))
        server.next("server/discover", status(404, b"<html>nothing</html>", "text/html"))
        failure = await failing(mcp, principal="another")
        assert failure.code == "session/unavailable"
        assert "404" in failure.message
        assert "html" not in failure.message

    with_server(test)
