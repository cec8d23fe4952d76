"""Answers that are too large, packed or not, and that none of them is held."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.servers.faulty import Faulty, Out, Request, result
from tests.sessions.mcp_support import OK, Mcp, body, failing, with_server


@pytest.mark.parametrize("declared", [True, False])
def test_a_300_mb_body_is_refused_and_not_held(declared: bool) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        sent = 0

        async def huge(server: Faulty, request: Request, out: Out) -> None:
            nonlocal sent
            size = 300 * 2**20
            if declared:
                await out.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size)
            else:
                await out.raw(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
            piece = b" " * 2**20
            for _ in range(300):
                await (out.raw(piece) if declared else out.chunk(piece))
                sent += len(piece)

        server.next("tools/call", huge)
        assert (await failing(mcp)).code == "session/too-large"
        assert sent < 40 * 2**20
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}

    with_server(test, wire={"body": 4 * 2**20})


def test_a_gzip_bomb_is_refused_and_not_unpacked() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        bomb = gzip.compress(b" " * (64 * 2**20))
        server.next("tools/call", body(bomb, Content_Encoding="gzip"))
        assert (await failing(mcp)).code == "session/too-large"
        server.next("tools/call", body(b"not gzip", Content_Encoding="gzip"))
        assert (await failing(mcp)).code == "session/protocol"
        server.next("tools/call", body(b"{}", Content_Encoding="br"))
        assert (await failing(mcp)).code == "session/protocol"

    with_server(test, wire={"body": 2**20})


def test_compressed_answers_are_read() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def packed(server: Faulty, request: Request, out: Out) -> None:
            await out.reply(200, gzip.compress(json.dumps(result(request, OK)).encode()), Content_Encoding="gzip")

        server.next("tools/call", packed)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}

    with_server(test)


@pytest.mark.parametrize("what", ["line", "event"])
def test_an_endless_line_or_event_is_refused(what: str) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def endless(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            piece = b"data: " + b"x" * 65536 + (b"" if what == "line" else b"\n")
            for _ in range(200):
                await out.chunk(piece)

        server.next("tools/call", endless)
        assert (await failing(mcp)).code == "session/too-large"

    with_server(test, wire={"line": 2**18, "event": 2**20})
