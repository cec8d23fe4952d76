"""Streams of events: what comes before the answer, and taking up a broken stream. Handshake era, our own server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from rtfs.capabilities.sessions.mcp.transport.sse import SseReader, TooLarge
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, result
from tests.sessions.mcp_support import Mcp, failing, with_server

OK = {"content": [{"type": "text", "text": '{"ok": true}'}]}


def note(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def test_an_empty_first_event_comments_and_unknown_events_are_passed_over() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def fault(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event(None, id="e0", retry="10")
            await out.chunk(b": keep-alive\n\n")
            await out.chunk(b"event: other\ndata: {not json}\n\n")
            await out.event(result(request, OK), event="message", id="e1")
            await out.end()

        server.next("tools/call", fault)
        assert await mcp.call("echo") == {"ok": True}

    with_server(test, sse=True)


def test_notifications_before_the_answer_reach_the_listener_of_progress_and_the_log(caplog: Any) -> None:
    caplog.set_level("INFO", logger="rtfs.mcp")
    heard: list[Any] = []

    async def test(server: Faulty, mcp: Mcp) -> None:
        async def fault(server: Faulty, request: Request, out: Out) -> None:
            token = request.params["_meta"]["progressToken"]
            await out.stream()
            await out.event(note("notifications/progress", progressToken=token, progress=1, total=2, message="half"))
            await out.event(note("notifications/progress", progressToken="another", progress=7))
            await out.event(note("notifications/progress", progressToken=token, progress="bad"))
            await out.event(note("notifications/message", level="info", data="working\x1b[31m"))
            await out.event(note("notifications/progress", progressToken=token, progress=2.5))
            await out.event(result(request, OK))
            await out.end()

        server.next("tools/call", fault)
        assert await mcp.call("echo", progress=lambda *seen: heard.append(seen)) == {"ok": True}
        assert heard == [(1, 2, "half"), (2.5, None, None)]
        await mcp.call("echo")
        assert "_meta" not in server.requests[-1].params, "there is no listener, so none is asked for"

    with_server(test, sse=True)
    assert "working" in caplog.text
    assert "\x1b" not in caplog.text


def test_a_ping_of_the_server_is_answered_and_other_requests_refused() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def fault(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event({"jsonrpc": "2.0", "id": "p1", "method": "ping"})
            await out.event({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {}})
            while server.count("reply") < 2:
                await asyncio.sleep(0.001)
            await out.event(result(request, OK))
            await out.end()

        server.next("tools/call", fault)
        assert await mcp.call("echo") == {"ok": True}
        replies = {r.id: r.message for r in server.requests if r.method == "reply"}
        assert replies["p1"]["result"] == {}
        assert replies[7]["error"]["code"] == -32601
        assert all(r.headers["mcp-session-id"] == "s1" for r in server.requests if r.method == "reply")

    with_server(test, sse=True)


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_broken_stream_is_taken_up_after_its_last_event(how: str) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def first(server: Faulty, request: Request, out: Out) -> None:
            server.executed.append("call")
            fault.request = request  # type: ignore[attr-defined]
            await out.stream()
            await out.event(None, id="e1", retry="20")
            await out.event(note("notifications/message", level="info", data="x"), id="e2")
            if how == "reset":
                out.reset()
            else:
                await out.end()

        fault = first

        async def again(server: Faulty, request: Request, out: Out) -> None:
            assert request.headers["last-event-id"] == "e2"
            assert request.headers["mcp-session-id"] == "s1"
            assert request.headers["accept"] == "text/event-stream"
            assert request.headers["authorization"] == "Bearer secret-token"
            await out.stream()
            await out.event(result(fault.request, OK), id="e3")  # type: ignore[attr-defined]
            await out.end()

        server.next("tools/call", first)
        server.next("GET", again)
        begun = time.monotonic()
        assert await mcp.call("echo") == {"ok": True}
        assert 0.02 <= time.monotonic() - begun < 2
        assert server.executed == ["call"]

    with_server(test, sse=True)


def test_resuming_goes_on_as_long_as_there_is_news_and_survives_a_bad_moment() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        asked: list[Request] = []

        async def first(server: Faulty, request: Request, out: Out) -> None:
            asked.append(request)
            await out.stream()
            await out.event(None, id="e0", retry="1")
            await out.end()

        def more(n: int) -> Any:
            async def fault(server: Faulty, request: Request, out: Out) -> None:
                assert request.headers["last-event-id"] == f"e{n - 1}"
                await out.stream()
                await out.event(None if n < 8 else result(asked[0], OK), id=f"e{n}")
                await out.end()

            return fault

        async def unwell(server: Faulty, request: Request, out: Out) -> None:
            await out.reply(502)

        server.next("tools/call", first)
        server.next("GET", *(more(n) for n in range(1, 4)), unwell, *(more(n) for n in range(4, 9)))
        assert await mcp.call("echo") == {"ok": True}
        assert server.count("GET") == 9

    with_server(test, sse=True)


@pytest.mark.parametrize("odd", ["é→x", "a\x01b", "a\x7f"])
def test_an_event_id_that_no_header_can_carry_is_passed_over(odd: str) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def fault(server: Faulty, request: Request, out: Out) -> None:
            server.executed.append("call")
            await out.stream()
            await out.event(None, id=odd)
            await out.end()

        server.next("tools/call", fault)
        assert (await failing(mcp)).code == "session/outcome-unknown"
        assert server.executed == ["call"]

    with_server(test, sse=True)


@pytest.mark.parametrize("status", [405, 404, 400])
def test_a_stream_that_cannot_be_resumed_leaves_the_outcome_unknown(status: int) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def first(server: Faulty, request: Request, out: Out) -> None:
            server.executed.append("call")
            await out.stream()
            await out.event(None, id="e1", retry="1")
            await out.end()

        async def no(server: Faulty, request: Request, out: Out) -> None:
            await out.reply(status)

        server.next("tools/call", first)
        server.next("GET", no)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/outcome-unknown"
        assert server.executed == ["call"]

    with_server(test, sse=True)


def test_resuming_without_news_is_given_up() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def nothing(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event(None, id="e1", retry="1")
            await out.end()

        server.next("tools/call", nothing)
        server.next("GET", *[nothing] * 20)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/outcome-unknown"
        assert server.count("GET") == 4

    with_server(test, sse=True)


def test_a_pause_the_server_asks_for_is_bounded_by_the_deadline() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def first(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event(None, id="e1", retry="3600000")
            await out.end()

        server.next("tools/call", first)
        begun = time.monotonic()
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", deadline=time.monotonic() + 0.1)
        assert caught.value.code == "session/timeout"
        assert time.monotonic() - begun < 1

    with_server(test, sse=True)


def test_the_answer_does_not_wait_for_the_end_of_a_stream_left_open() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def open_ended(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event(result(request, OK))
            await asyncio.sleep(0.5)
            out.drop()

        server.next("tools/call", open_ended)
        begun = time.monotonic()
        assert await mcp.call("echo") == {"ok": True}
        assert time.monotonic() - begun < 0.3

    with_server(test, sse=True)


def test_streams_leave_their_connection_usable() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        for _ in range(10):
            await mcp.call("echo")
        assert server.connections <= 2

    with_server(test, sse=True)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_they_are_cut(newline: bytes, size: int) -> None:
    lines = [
        b"\xef\xbb\xbf: hi",
        b"id: 1",
        b"data: a",
        b"data:b",
        b"",
        b"event: x",
        b"data: no",
        b"",
        b"data: c",
        b"retry: 5",
    ]
    text = newline.join([*lines, b"id: 2", b"", b"data", b"", b"data: cut"]) + newline
    reader = SseReader(1000, 1000)
    found = []
    for start in range(0, len(text), size):
        found += reader.feed(text[start : start + size])
    assert found == [b"a\nb", b"c"]
    assert (reader.last_id, reader.retry) == ("2", 5)


def test_an_event_stream_is_never_held_beyond_its_limits() -> None:
    for piece in (b"x" * 100, b"data: " + b"x" * 10 + b"\n"):
        reader = SseReader(2000, 2000)
        with pytest.raises(TooLarge):
            for _ in range(1000):
                reader.feed(piece)
