"""Answers that are none: bad JSON, wrong ids, duplicates, other media types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers.faulty import Faulty, Out, Request, result
from tests.sessions.mcp_support import OK, Mcp, body, failing, status, with_server


@pytest.mark.parametrize(
    "data",
    [
        b'{"jsonrpc":',
        b"\xff\xfe{}",
        b'{"jsonrpc":"2.0","id":3,"result":NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[]",
        b"7",
        b'{"jsonrpc":"2.0","id":3}',
        b'{"jsonrpc":"2.0","id":3,"result":' + b"9" * 5000 + b"}",
        b"",
    ],
    ids=["cut", "utf-8", "nan", "deep", "deep-maps", "empty-list", "number", "no-result", "digits", "empty"],
)
def test_malformed_answers_are_protocol_errors(data: bytes) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", body(data))
        assert (await failing(mcp)).code == "session/protocol"
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}

    with_server(test)


def test_html_is_no_answer() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", body(b"<html>", "text/html"))
        failure = await failing(mcp)
        assert failure.code == "session/protocol"
        assert "text/html" in failure.message

    with_server(test)


@pytest.mark.parametrize("wrong", [99, "3", None, True])
def test_an_answer_to_another_request_is_never_taken_for_this_one(wrong: Any) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", body(json.dumps({"jsonrpc": "2.0", "id": wrong, "result": OK}).encode()))
        assert (await failing(mcp)).code == "session/protocol"

    with_server(test)


def test_in_a_stream_answers_to_others_are_skipped_and_only_the_first_counts() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def muddled(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event({"jsonrpc": "2.0", "id": 99, "result": {"content": []}})
            await out.event(result(request, {"content": [], "structuredContent": {"first": True}}))
            await out.event(result(request, {"content": [], "structuredContent": {"first": False}}))
            await out.end()

        server.next("tools/call", muddled)
        assert await mcp.call("echo", {"n": 1}) == {"first": True}
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}

    with_server(test)


def test_a_batch_of_the_2025_03_26_revision_is_read() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def batch(server: Faulty, request: Request, out: Out) -> None:
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
            await out.json([note, result(request, OK)])

        server.next("tools/call", batch)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}

    with_server(test)


def test_control_characters_of_a_server_never_reach_a_message() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(403, b"\x1b]0;owned\x07\x1b[31mred\r\nline", "text/plain"))
        failure = await failing(mcp)
        assert failure.message.isprintable()

    with_server(test)
