"""`Mcp-Param-…` headers: known before the first call, from one listing, for as long as the server says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtfs.capabilities.sessions.mcp import tools
from tests.servers.faulty import Faulty, Out, Request, error, result
from tests.sessions.mcp_support import Mcp, with_server

MARKED = [{"name": "echo", "inputSchema": {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}}]


def regions(server: Faulty) -> list[str | None]:
    return [request.headers.get("mcp-param-region") for request in server.requests if request.method == "tools/call"]


def listing(ttl: Any) -> Any:
    """A fault: the marked tool, with this `ttlMs`."""

    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.json(result(request, {"resultType": "complete", "tools": MARKED, "ttlMs": ttl}))

    return fault


def test_the_first_call_has_them_and_many_at_once_list_once() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.tools = MARKED
        await asyncio.gather(*(mcp.call("echo", {"region": "eu", "n": n}) for n in range(16)))
        assert regions(server) == ["eu"] * 16
        assert server.count("tools/list") == 1
        methods = [request.method for request in server.requests]
        assert methods.index("tools/list") < methods.index("tools/call")

    with_server(test, era="sessionless")


def test_connections_of_one_principal_share_the_list_and_other_principals_have_their_own() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.tools = MARKED
        await asyncio.gather(*(mcp.call("echo", {"region": "eu", "n": n}) for n in range(8)))
        assert server.count("server/discover") > 1
        assert server.count("tools/list") == 1
        await mcp.call("echo", {"region": "eu"}, principal="another")
        assert server.count("tools/list") == 2

    with_server(test, era="sessionless", limits={"sessions_per_key": 4, "calls_in_flight": 1})


@pytest.mark.parametrize(("ttl", "listed"), [(60_000, 1), (1, 3), (0, 3), (None, 3), (-5, 3), ("soon", 3)])
def test_the_list_holds_as_long_as_the_server_says(monkeypatch: pytest.MonkeyPatch, ttl: Any, listed: int) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        monkeypatch.setattr(tools, "LEAST_SECONDS", 0.01)
        server.tools = MARKED
        server.next("tools/list", listing(ttl), listing(ttl), listing(ttl))
        for n in range(3):
            await mcp.call("echo", {"region": "eu", "n": n})
            await asyncio.sleep(0.02)
        assert server.count("tools/list") == listed
        assert regions(server) == ["eu"] * 3

    with_server(test, era="sessionless")


def test_a_server_that_lists_nothing_is_called_all_the_same_and_not_asked_each_time() -> None:
    async def refuses(server: Faulty, request: Request, out: Out) -> None:
        await out.json(error(request, -32601, "Method not found"), 404)

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/list", refuses)
        for n in range(3):
            assert await mcp.call("echo", {"n": n}) == {"n": n}
        assert server.count("tools/list") == 1

    with_server(test, era="sessionless")


def test_a_listing_that_breaks_is_done_again_and_the_call_made_once() -> None:
    async def breaks(server: Faulty, request: Request, out: Out) -> None:
        out.reset()

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.tools = MARKED
        server.next("tools/list", breaks)
        await mcp.call("echo", {"region": "eu", "n": 1})
        assert server.executed == [1]
        assert regions(server) == ["eu"]
        assert "retried" in mcp.names()

    with_server(test, era="sessionless")


def test_a_session_with_a_handshake_lists_nothing_for_them() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.tools = MARKED
        await mcp.call("echo", {"region": "eu", "n": 1})
        assert server.count("tools/list") == 0
        assert regions(server) == [None]

    with_server(test)
