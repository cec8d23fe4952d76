"""The HTTP+SSE transport of 2024-11-05: a server of the official SDK, and one that breaks its rules."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request
from tests.servers.running import ROOT, serve
from tests.sessions.mcp_support import Mcp, failing, run, with_server

SERVER = ROOT / "tests" / "servers" / "sse_server.py"


@pytest.mark.parametrize("more", [{}, {"mcp_transport": "sse"}], ids=["found out", "configured"])
def test_a_server_of_the_official_sdk_is_served(more: dict[str, Any]) -> None:
    async def body(url: str) -> None:
        async with Mcp(url) as mcp:
            found = await asyncio.gather(*(mcp.call("add", {"a": n, "b": n}, **more) for n in range(10)))
            assert found == [{"sum": 2 * n} for n in range(10)]
            heard: list[Any] = []
            await mcp.call("steps", {"count": 3}, progress=lambda *seen: heard.append(seen[:2]), **more)
            assert heard == [(1, 3), (2, 3), (3, 3)]
            assert mcp.names().count("initialized") == 1
            await mcp.pool.terminate_all()
            assert await mcp.call("add", {"a": 1, "b": 1}, **more) == {"sum": 2}

    with serve(SERVER) as running:
        run(body(running.url))


def test_a_server_that_is_gone_leaves_the_outcome_unknown_and_then_says_so() -> None:
    async def body() -> None:
        with serve(SERVER) as running:
            async with Mcp(running.url) as mcp:
                await mcp.call("add", {"a": 1, "b": 1})
                waiting = asyncio.create_task(mcp.call("wait", {"seconds": 20}))
                await asyncio.sleep(0.2)
                running.process.kill()
                with pytest.raises(HostError) as caught:
                    await waiting
                assert caught.value.code == "session/outcome-unknown"
                with pytest.raises(HostError) as caught:
                    await mcp.call("add", {"a": 1, "b": 1})
                assert caught.value.code == "session/unavailable"

    run(body())


async def no(server: Faulty, request: Request, out: Out) -> None:
    await out.reply(405)


def saying(event: bytes) -> Any:
    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        await out.chunk(event)
        await asyncio.sleep(0.5)
        out.drop()

    return fault


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (b"event: endpoint\ndata: https://elsewhere.example/messages\n\n", "another origin"),
        (b"data: hello\n\n", "does not speak"),
        (b"event: endpoint\ndata: /\xff\n\n", "cannot be read"),
    ],
)
def test_a_stream_that_names_no_usable_address_is_an_error(event: bytes, words: str) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("LISTEN", saying(event))
        failure = await failing(mcp, mcp_transport="sse")
        assert words in failure.message
        assert server.executed == []

    with_server(test)


def test_a_server_that_knows_neither_is_told_as_it_is() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("server/discover", no)
        server.next("initialize", no)
        failure = await failing(mcp)
        assert "405" in failure.message

    with_server(test)
