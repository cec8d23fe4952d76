"""A second provider through the same pool: GraphQL, against graphql-core on loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtfs.capabilities.sessions.graphql import GraphqlHandler
from rtfs.capabilities.sessions.handler import SessionCall
from rtfs.capabilities.sessions.mcp import McpHandler
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.values import from_python, to_python
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty
from tests.servers.graphql_server import GraphqlServer

ISSUES = "query Issues($first: Int) { issues(first: $first) { number title } }"
ADD = "mutation($title: String!) { addIssue(title: $title) { number } }"


def with_server(test: Any) -> None:
    async def go() -> None:
        async with GraphqlServer() as server:
            handlers = {"graphql": GraphqlHandler(), "mcp": McpHandler(environ={})}
            pool = SessionPool(handlers)

            async def call(query: str, arguments: Any = None, **fields: Any) -> Any:
                metadata = {
                    "graphql_requires_session": "auto",
                    "graphql_server_url": server.url,
                    "graphql_query": query,
                    "graphql_login": "mutation($token: String!) { login(token: $token) { token } }",
                    "graphql_logout": "mutation { logout }",
                }
                fields.setdefault("credential", "gql-secret")
                given = from_python(arguments or {}, keywords=True)
                done = await pool.execute_with_session("graphql", SessionCall("gql.x", metadata, given, **fields))
                return to_python(done)

            await test(server, pool, call)
            await pool.aclose()
            assert server.sessions == set(), "a session was left open"
            assert pool.stats()["initialized"] == pool.stats()["terminated"]

    asyncio.run(asyncio.wait_for(go(), 20))


def test_one_login_for_many_operations() -> None:
    async def test(server: GraphqlServer, pool: SessionPool, call: Any) -> None:
        assert await call(ISSUES, {"first": 1}) == {"issues": [{"number": 1, "title": "one"}]}
        assert await call(ADD, {"title": "three"}) == {"addIssue": {"number": 3}}
        found = await asyncio.gather(*(call(ISSUES) for _ in range(20)))
        assert all(len(issues["issues"]) == 3 for issues in found)
        assert server.opened == 1

    with_server(test)


def test_an_expired_session_is_healed_by_the_pool_and_a_mutation_done_once() -> None:
    async def test(server: GraphqlServer, pool: SessionPool, call: Any) -> None:
        await call(ISSUES)
        server.sessions.clear()
        assert await call(ADD, {"title": "three"}) == {"addIssue": {"number": 3}}
        assert server.titles == ["one", "two", "three"]
        assert server.opened == 2

    with_server(test)


def test_queries_are_repeated_where_mutations_are_not() -> None:
    async def test(server: GraphqlServer, pool: SessionPool, call: Any) -> None:
        await call(ISSUES)
        server.faults = [502]
        assert len((await call(ISSUES))["issues"]) == 2
        server.faults = [502]
        with pytest.raises(HostError) as caught:
            await call(ADD, {"title": "x"})
        assert caught.value.code == "session/outcome-unknown"

    with_server(test)


def test_errors_are_told_and_a_wrong_credential_is_never_shown() -> None:
    async def test(server: GraphqlServer, pool: SessionPool, call: Any) -> None:
        with pytest.raises(HostError) as caught:
            await call("{ broken }")
        assert caught.value.code == "capability/failed"
        assert "out of order" in caught.value.message
        with pytest.raises(HostError) as caught:
            await call(ISSUES, credential="wrong-credential")
        assert "wrong-credential" not in f"{caught.value} {caught.value.data}"
        with pytest.raises(HostError) as caught:
            await call(ISSUES, {"first": float("nan")})
        assert caught.value.code == "argument/json"

    with_server(test)


def test_both_providers_share_one_pool_without_knowing_each_other() -> None:
    async def test(server: GraphqlServer, pool: SessionPool, call: Any) -> None:
        async with Faulty() as other:
            metadata = {"mcp_server_url": other.url, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}
            tool = SessionCall("mcp.echo", metadata, from_python({"n": 1}, keywords=True))
            done = await asyncio.gather(call(ISSUES), pool.execute_with_session("mcp", tool))
            assert to_python(done[1]) == {"n": 1}
            assert {key["provider"] for key in pool.stats()["keys"]} == {"graphql", "mcp"}
            await pool.terminate_all()

    with_server(test)
