"""Which revision is spoken: the handshake's, the sessionless era, and how a server's era is found and remembered."""

from __future__ import annotations

import asyncio

import pytest

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, error, result
from tests.sessions.mcp_support import Mcp, with_server


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("sse", [False, True])
def test_every_revision_with_a_handshake_is_spoken(version: str, sse: bool) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.version = version
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        calls = [request for request in server.requests if request.method == "tools/call"]
        named = calls[0].headers.get("mcp-protocol-version")
        assert named == (version if version >= "2025-06-18" else None)
        order = [request.method for request in server.requests if request.method not in ("server/discover", "LISTEN")]
        assert order == ["initialize", "notifications/initialized", "tools/call"]

    with_server(test, sse=sse)


def test_a_revision_nobody_knows_is_refused_and_the_session_ended() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        server.version = "2031-01-01"
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/version"
        assert "2031-01-01" in caught.value.message

    with_server(test)


def test_a_server_that_names_other_revisions_is_asked_again() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def older(server: Faulty, request: Request, out: Out) -> None:
            await out.json(error(request, -32602, "Unsupported protocol version", {"supported": ["2024-11-05"]}))

        server.next("initialize", older)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        offered = [r.params["protocolVersion"] for r in server.requests if r.method == "initialize"]
        assert offered == ["2025-11-25", "2024-11-05"]

    with_server(test)


def test_a_session_half_opened_is_ended() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def no(server: Faulty, request: Request, out: Out) -> None:
            await out.reply(500)

        server.next("notifications/initialized", no)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/unavailable"
        assert server.opened == 1
        assert server.live == set()

    with_server(test)


def test_closing_while_a_session_is_being_opened_ends_it_on_the_server() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def slow(server: Faulty, request: Request, out: Out) -> None:
            await asyncio.sleep(5)

        server.next("notifications/initialized", slow)
        task = asyncio.create_task(mcp.call("echo"))
        while server.count("notifications/initialized") == 0:
            await asyncio.sleep(0.001)
        assert len(server.live) == 1
        await mcp.pool.aclose()
        with pytest.raises(HostError) as caught:
            await task
        assert caught.value.code == "session/closed"
        assert server.live == set()

    with_server(test)


def test_a_server_without_session_ids_is_served_too_unless_one_is_required() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert all("mcp-session-id" not in request.headers for request in server.requests)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, mcp_requires_session="true")
        assert caught.value.code == "session/none"

    with_server(test, sessions=False)


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_server_that_refuses_the_revision_that_it_names_is_asked_once_more(stubborn: bool) -> None:
    async def refuses(server: Faulty, request: Request, out: Out) -> None:
        await out.json(error(request, -32022, "Unsupported protocol version", {"supported": ["2026-07-28"]}), 400)

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("server/discover", *[refuses] * (9 if stubborn else 1))
        if not stubborn:
            assert await mcp.call("echo", {"n": 1}) == {"n": 1}
            assert server.count("server/discover") == 2
            return
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1})
        assert caught.value.code == "session/version"
        assert server.count("server/discover") <= 4

    with_server(test, era="sessionless")


@pytest.mark.parametrize("sse", [False, True])
def test_the_sessionless_era_needs_no_handshake_and_ends_nothing(sse: bool) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        for n in range(3):
            assert await mcp.call("echo", {"n": n}) == {"n": n}
        assert await mcp.call("naïve tool", {"n": 3}) == {"n": 3}
        await mcp.call("echo", {"n": 4}, principal="another")
        await mcp.pool.terminate_all()
        methods = [request.method for request in server.requests]
        begun = ["server/discover", "tools/list", "tools/call"]
        assert methods == begun + ["tools/call"] * 3 + begun
        assert {request.verb for request in server.requests} == {"POST"}
        assert server.opened == 0
        info = server.requests[0].params["_meta"]["io.modelcontextprotocol/clientInfo"]
        assert info["name"] == "rtfs"

    with_server(test, era="sessionless", sse=sse)


def test_a_server_of_both_eras_is_spoken_to_without_a_session_unless_one_is_required() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert server.opened == 0
        assert await mcp.call("echo", {"n": 2}, mcp_requires_session="true") == {"n": 2}
        assert server.opened == 1
        assert await mcp.call("echo", {"n": 3}, mcp_protocol_version="2025-06-18") == {"n": 3}
        assert server.opened == 2

    with_server(test, era="both")


def test_a_sessionless_server_cannot_give_the_session_that_is_required() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", mcp_requires_session="true")
        assert caught.value.code == "session/none"
        assert "2026-07-28" in caught.value.message

    with_server(test, era="sessionless")


def test_the_era_is_asked_once_and_remembered_for_other_principals_and_later_sessions() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        for principal in ("ann", "bob"):
            await mcp.call("echo", principal=principal)
        await mcp.pool.terminate_all()
        await mcp.call("echo", principal="ann")
        assert server.count("server/discover") == 1
        assert server.opened == 3

    with_server(test)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_asking_an_old_server_leaves_no_session_behind(status: int) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def opens_one(server: Faulty, request: Request, out: Out) -> None:
            server.live.add("stray")
            await out.json(error(request, -32601, "Method not found"), status, Mcp_Session_Id="stray")

        server.next("server/discover", opens_one)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert "stray" not in server.live
        assert server.requests[1].verb == "DELETE"
        assert server.requests[1].headers["mcp-session-id"] == "stray"
        initialize = next(r for r in server.requests if r.method == "initialize")
        assert "mcp-protocol-version" not in initialize.headers
        assert "mcp-session-id" not in initialize.headers

    with_server(test)


def test_an_old_server_that_ignores_the_question_is_given_a_handshake_after_a_while() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def silent(server: Faulty, request: Request, out: Out) -> None:
            await asyncio.sleep(0.3)
            out.drop()

        server.next("server/discover", silent)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}

    with_server(test, wire={"probe_seconds": 0.05})


def test_the_question_is_refused_like_any_request_without_the_right_token() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def no(server: Faulty, request: Request, out: Out) -> None:
            await out.reply(401)

        server.next("server/discover", no)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/unauthorized"
        assert len(server.requests) == 1

    with_server(test)


def test_a_server_of_later_revisions_only_is_told_apart() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def newer(server: Faulty, request: Request, out: Out) -> None:
            await out.json(error(request, -32022, "Unsupported", {"supported": ["2031-01-01"]}), 400)

        server.next("server/discover", newer)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/version"
        assert "2031-01-01" in caught.value.message

    with_server(test, era="sessionless")


def test_a_server_that_goes_back_to_the_handshake_is_followed() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}

        async def older(server: Faulty, request: Request, out: Out) -> None:
            server.era = "handshake"
            await out.json(error(request, -32022, "Unsupported", {"supported": ["2025-11-25"]}), 400)

        server.next("tools/call", older)
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}
        assert server.opened == 1
        assert server.executed == [1, 2]

    with_server(test, era="both")


def test_a_call_without_a_session_is_cancelled_by_closing_its_stream() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        gone = asyncio.Event()

        async def long(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            try:
                while True:
                    await out.chunk(b": still here\n\n")
                    await asyncio.sleep(0.01)
            except ConnectionError:
                gone.set()
                raise

        await mcp.call("echo", {"n": 1})
        server.next("tools/call", long)
        task = asyncio.create_task(mcp.call("echo", {"n": 2}))
        while server.count("tools/call") < 2:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 2)
        assert server.count("notifications/cancelled") == 0

    with_server(test, era="sessionless")


def test_parameters_that_a_server_wants_in_headers_get_there() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        schema = {
            "type": "object",
            "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"},
                "deep": {"type": "object", "properties": {"flag": {"type": "boolean", "x-mcp-header": "Flag"}}},
            },
        }
        server.tools = [{"name": "echo", "inputSchema": schema}]

        async def strict(server: Faulty, request: Request, out: Out) -> None:
            if "mcp-param-region" in request.headers:
                await server.correct(request, out)
            else:
                await out.json(error(request, -32020, "Header mismatch"), 400)

        server.next("tools/call", strict, strict)
        assert await mcp.call("echo", {"region": "Zürich", "deep": {"flag": True}, "n": 1}) is not None
        last = server.requests[-1].headers
        assert last["mcp-param-region"] == "=?base64?WsO8cmljaA==?="
        assert last["mcp-param-flag"] == "true"
        assert server.executed == [1]
        await mcp.call("echo", {"region": "eu", "n": 2})
        assert server.requests[-1].headers["mcp-param-region"] == "eu"
        assert server.count("tools/list") == 1

    with_server(test, era="sessionless")


def test_a_server_that_only_wants_to_be_asked_again_is_and_one_that_wants_input_is_refused() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def later(server: Faulty, request: Request, out: Out) -> None:
            await out.json(result(request, {"resultType": "input_required", "requestState": "opaque=="}))

        async def finished(server: Faulty, request: Request, out: Out) -> None:
            assert request.params["requestState"] == "opaque=="
            await server.correct(request, out)

        server.next("tools/call", later, finished)
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        ids = [request.id for request in server.requests if request.method == "tools/call"]
        assert len(set(ids)) == 2

        async def wants(server: Faulty, request: Request, out: Out) -> None:
            asks = {"who": {"method": "elicitation/create", "params": {}}}
            await out.json(result(request, {"resultType": "input_required", "inputRequests": asks}))

        server.next("tools/call", wants)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/input-required"
        assert "elicitation/create" in caught.value.message

        async def strange(server: Faulty, request: Request, out: Out) -> None:
            await out.json(result(request, {"resultType": "dream"}))

        server.next("tools/call", strange)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/protocol"

    with_server(test, era="sessionless")


def test_a_broken_stream_is_not_resumed_in_the_sessionless_era() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        async def broken(server: Faulty, request: Request, out: Out) -> None:
            await out.stream()
            await out.event(None, id="e1")
            await out.end()

        server.next("tools/call", broken)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo")
        assert caught.value.code == "session/outcome-unknown"
        assert server.count("GET") == 0

    with_server(test, era="sessionless")
