"""What an HTTP status means: refused, told to wait, failed, sent elsewhere; each with its outcome."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, error, result
from tests.sessions.mcp_support import OK, Mcp, failing, status, with_server


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
