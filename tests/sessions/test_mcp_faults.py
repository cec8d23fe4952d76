"""Every fault a server or the network may show, with its outcome: HTTP, handshake era, a faulty server of our own."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, error, result
from tests.sessions.mcp_support import Mcp, run

OK = {"content": [{"type": "text", "text": '{"n": 1}'}]}


def status(code: int, body: bytes = b"", kind: str | None = "application/json", **headers: str) -> Any:
    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.reply(code, body, kind, **headers)

    return fault


def body(data: bytes, kind: str = "application/json", **headers: str) -> Any:
    return status(200, data, kind, **headers)


async def failing(mcp: Mcp, n: int = 1, **fields: Any) -> HostError:
    with pytest.raises(HostError) as caught:
        await mcp.call("echo", {"n": n}, **fields)
    return caught.value


def with_server(test: Any, **options: Any) -> None:
    wire = options.pop("wire", None)
    limits = options.pop("limits", {})

    async def go() -> None:
        async with Faulty(**options) as server:
            async with Mcp(server.url, wire=wire, **limits) as mcp:
                await test(server, mcp)
            assert server.live == set(), "a session was left open on the server"

    run(go())


# expired sessions


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
    ],
    ids=["404", "404-json", "400-json", "400-no-id", "400-text", "410"],
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

    with_server(test)


def test_an_expired_session_is_opened_again_once_for_all_its_callers() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 0})
        server.live.clear()
        found = await asyncio.gather(*(mcp.call("echo", {"n": n}) for n in range(20)))
        assert found == [{"n": n} for n in range(20)]
        assert server.opened == 2
        assert sorted(server.executed) == sorted([0, *range(20)])

    with_server(test)


def test_a_server_that_forgets_every_session_fails_after_the_second() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(404), status(404))
        failure = await failing(mcp)
        assert failure.code == "session/expired"
        assert server.count("tools/call") == 2
        server.live.clear()
        assert await mcp.call("echo", {"n": 3}) == {"n": 3}

    with_server(test)


def test_a_404_that_is_no_sessions_is_told_as_what_it_is() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def unknown(server: Faulty, request: Request, out: Out) -> None:
            await out.json(error(request, -32601, "Method not found"), 404)

        server.next("tools/call", unknown)
        failure = await failing(mcp)
        assert failure.code == "session/protocol"
        assert server.opened == 1
        # A wrong path: the endpoint itself is not there.
        server.next("initialize", status(404, b"<html>nothing</html>", "text/html"))
        server.next("server/discover", status(404, b"<html>nothing</html>", "text/html"))
        failure = await failing(mcp, principal="another")
        assert failure.code == "session/unavailable"
        assert "404" in failure.message
        assert "html" not in failure.message

    with_server(test)


# refusals


def test_401_later_in_a_session_is_named_and_keeps_the_session() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.call("echo", {"n": 1})
        said = b'{"error": "invalid_token", "message": "token secret-token is no good"}'
        server.next("tools/call", status(401, said, WWW_Authenticate='Bearer error="invalid_token"'))
        failure = await failing(mcp)
        assert failure.code == "session/unauthorized"
        assert "401" in failure.message
        assert "secret-token" not in f"{failure} {failure.hint} {failure.data}"
        assert "***" in failure.message
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}
        assert server.opened == 1

    with_server(test)


def test_403_is_forbidden() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(403, b"not for you", "text/plain"))
        failure = await failing(mcp)
        assert failure.code == "session/forbidden"
        assert "not for you" in failure.message

    with_server(test)


@pytest.mark.parametrize("spelling", ["seconds", "date"])
def test_429_waits_as_long_as_the_server_asks_and_then_succeeds(spelling: str) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        now = 1_800_000_000
        headers = (
            {"Retry_After": "1"}
            if spelling == "seconds"
            else {"Retry_After": formatdate(now + 1, usegmt=True), "Date": formatdate(now, usegmt=True)}
        )
        server.next("tools/call", status(429, **headers))
        begun = time.monotonic()
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert 0.9 < time.monotonic() - begun < 3
        assert server.executed == [1]
        assert "retried" in mcp.names()

    with_server(test)


def test_429_beyond_the_deadline_fails_at_once_and_says_how_long() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(429, b'{"message":"slow down"}', Retry_After="30"))
        begun = time.monotonic()
        failure = await failing(mcp, deadline=time.monotonic() + 5)
        assert time.monotonic() - begun < 1
        assert failure.code == "session/rate-limited"
        assert "30 seconds" in failure.message
        assert "slow down" in failure.message

    with_server(test)


def test_503_with_retry_after_is_waited_for_also_when_a_session_is_opened() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("initialize", status(503, Retry_After="0"))
        server.next("tools/call", status(503, Retry_After="0"))
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert server.executed == [1]

    with_server(test)


@pytest.mark.parametrize("idempotent", [False, True])
def test_500_leaves_the_outcome_unknown_unless_the_call_can_be_repeated(idempotent: bool) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(500, b"oops", "text/plain"))
        if idempotent:
            assert await mcp.call("echo", {"n": 1}, idempotent=True) == {"n": 1}
            assert server.count("tools/call") == 2
        else:
            failure = await failing(mcp)
            assert failure.code == "session/outcome-unknown"
            assert "500" in failure.message
            assert server.count("tools/call") == 1

    with_server(test)


def test_500_with_the_requests_own_error_is_an_answer() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def answered(server: Faulty, request: Request, out: Out) -> None:
            await out.json(error(request, -32603, "the database is away"), 500)

        server.next("tools/call", answered)
        failure = await failing(mcp)
        assert failure.code == "capability/failed"
        assert failure.message == "the database is away"

    with_server(test)


def test_the_servers_own_hints_allow_a_repetition() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.tools = [{"name": "echo", "inputSchema": {}, "annotations": {"readOnlyHint": True}}, {"name": "write"}]
        server.next("tools/call", status(500))
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        server.next("tools/call", status(500))
        with pytest.raises(HostError) as caught:
            await mcp.call("write", {"n": 1})
        assert caught.value.code == "session/outcome-unknown"
        assert server.count("tools/list") == 1

    with_server(test)


def test_a_redirect_is_not_followed_and_carries_no_token() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async with Faulty() as thief:
            server.next("tools/call", status(307, Location=f"{thief.url}?token=x"))
            failure = await failing(mcp)
            assert failure.code == "session/protocol"
            assert "redirect (307)" in failure.message
            assert "token=x" not in failure.message
            assert thief.requests == []

    with_server(test)


def test_cookies_are_not_kept() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def with_cookie(server: Faulty, request: Request, out: Out) -> None:
            await out.json(result(request, OK), Set_Cookie="a=b")

        server.next("tools/call", with_cookie)
        await mcp.call("echo", {"n": 1})
        await mcp.call("echo", {"n": 2})
        assert not any("cookie" in request.headers for request in server.requests)

    with_server(test)


def test_202_to_a_call_is_no_answer() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tools/call", status(202, kind=None))
        assert (await failing(mcp)).code == "session/protocol"

    with_server(test)


# broken connections


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


# sizes


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


# malformed answers


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
