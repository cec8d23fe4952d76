"""The MCP handler against the bundled example server, which is built with the official SDK: the handshake era."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from rtfs.values.error import HostError
from tests.servers.running import QUICKSTART, Running, serve
from tests.sessions.mcp_support import Mcp, run

REPO = {"owner": "o", "repo": "r"}


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    args = [getattr(request, "param", "--calls")]
    with serve(QUICKSTART, "--port", "0", "--calls", *args, env={"MCP_AUTH_TOKEN": "secret-token"}) as running:
        yield running


@pytest.fixture(scope="module")
def tracker() -> Iterator[Running]:
    with serve(QUICKSTART, "--port", "0", env={"MCP_AUTH_TOKEN": "secret-token"}) as running:
        yield running


@pytest.mark.parametrize("server", ["--calls", "--json"], indirect=True)
def test_one_initialize_for_many_calls_and_many_capabilities(server: Running) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            issues = await mcp.call("list_issues", {**REPO, "state": "open"})
            assert [issue["number"] for issue in issues["issues"]] == [1, 2, 4]
            assert (await mcp.call("get_issue", {**REPO, "number": 2}))["title"] == "Say hello in the README"
            assert (await mcp.call("add_comment", {**REPO, "number": 2, "body": "hi"}))["comments"] == 1
            assert (await mcp.call("get_issue", {**REPO, "number": 2}))["comments"] == ["hi"]
            assert mcp.names() == ["initialized", "reused", "reused", "reused"]

    run(body())
    assert server.stop() == {"initialize": 1, "tools/call": 4, "delete": 1, "unauthorized": 0}


def test_fifty_concurrent_first_calls_make_one_session(server: Running) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            calls = (mcp.call("get_issue", {**REPO, "number": n % 4 + 1}) for n in range(50))
            found = await asyncio.gather(*calls)
            assert [issue["number"] for issue in found] == [n % 4 + 1 for n in range(50)]

    run(body())
    assert server.stop() == {"initialize": 1, "tools/call": 50, "delete": 1, "unauthorized": 0}


def test_two_principals_with_one_token_have_a_session_each(server: Running) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            for principal in ("ann", "bob", "ann"):
                await mcp.call("list_issues", REPO, principal=principal)

    run(body())
    assert server.stop()["initialize"] == 2
    assert server.counts["delete"] == 2


@pytest.mark.parametrize("token", ["wrong-token-1234", None])
def test_a_wrong_or_missing_token_is_a_clear_error_that_never_shows_it(server: Running, token: str | None) -> None:
    async def body() -> None:
        async with Mcp(server.url) as mcp:
            with pytest.raises(HostError) as caught:
                await mcp.call("list_issues", REPO, credential=token)
            error = caught.value
            assert error.code == "session/unauthorized"
            assert "401" in error.message
            assert error.capability == "mcp.test.list_issues"
            said = f"{error} {error.hint} {error.data} {[str(event) for event in mcp.events]}"
            assert "wrong-token" not in said
            assert mcp.names() == ["failed"]

    run(body())
    assert server.stop()["initialize"] == 0


def test_a_tool_error_is_capability_failed_with_the_servers_text(tracker: Running) -> None:
    async def body() -> None:
        async with Mcp(tracker.url) as mcp:
            with pytest.raises(HostError) as caught:
                await mcp.call("get_issue", {**REPO, "number": 99})
            assert caught.value.code == "capability/failed"
            assert "there is no issue 99" in caught.value.message
            with pytest.raises(HostError) as caught:
                await mcp.call("no_such_tool", REPO)
            assert caught.value.code == "capability/failed"
            assert "no_such_tool" in caught.value.message
            with pytest.raises(HostError) as caught:
                await mcp.call("get_issue", {**REPO, "number": "many"})
            assert caught.value.code == "capability/failed"
            assert mcp.names() == ["initialized", "reused", "reused"]

    run(body())


def test_all_tools_are_listed(tracker: Running) -> None:
    async def body() -> None:
        async with Mcp(tracker.url) as mcp:
            call = mcp.session_call("")
            tools = await mcp.pool.with_session("mcp", call, mcp.handler.list_tools)
            assert [tool["name"] for tool in tools] == ["list_issues", "get_issue", "add_comment", "set_labels"]

    run(body())


def test_nil_is_left_out_where_the_schema_says_optional(tracker: Running) -> None:
    async def body() -> None:
        async with Mcp(tracker.url) as mcp:
            found = await mcp.call("list_issues", {**REPO, "state": None}, optional_keys=frozenset({"state"}))
            assert len(found["issues"]) == 4

    run(body())


def test_a_server_that_is_down_is_unavailable_and_the_pool_heals_when_it_is_back() -> None:
    async def body() -> None:
        async with Mcp() as mcp:
            with serve(QUICKSTART, "--port", "0", env={"MCP_AUTH_TOKEN": "secret-token"}) as first:
                mcp.url = first.url
                await mcp.call("list_issues", REPO)
            with pytest.raises(HostError) as caught:
                await mcp.call("list_issues", REPO)
            assert caught.value.code == "session/unavailable"
            port = first.url.rpartition(":")[2].partition("/")[0]
            with serve(QUICKSTART, "--port", port, env={"MCP_AUTH_TOKEN": "secret-token"}):
                assert len((await mcp.call("list_issues", REPO))["issues"]) == 4
                assert mcp.names().count("expired") == 1

    run(body())
