"""A pool with the MCP handler, for tests: one call in one line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import SessionCall
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.capabilities.sessions.mcp import McpHandler, WireLimits
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.capabilities.sessions.session_events import PoolEvent
from rtfs.values import from_python, to_python
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request

OK = {"content": [{"type": "text", "text": '{"n": 1}'}]}


def run(body: Any, seconds: float = 30) -> Any:
    return asyncio.run(asyncio.wait_for(body, seconds))


class Mcp:
    """`await mcp.call("tool", {"a": 1})` answers plain Python data. Use as an async context manager: it checks that
    nothing is left open."""

    def __init__(self, url: str = "", *, wire: dict[str, Any] | None = None, **limits: Any) -> None:
        self.url = url
        self.handler = McpHandler(limits=WireLimits(**(wire or {})), environ={})
        self.events: list[PoolEvent] = []
        self.pool = SessionPool({"mcp": self.handler}, limits=PoolLimits(**limits), on_event=self.events.append)
        self.metadata: dict[str, dict[str, Any]] = {}

    def session_call(self, tool: str, arguments: Any = None, **fields: Any) -> SessionCall:
        extra = {key: fields.pop(key) for key in list(fields) if key.startswith("mcp_")}
        metadata = {
            "mcp_server_url": fields.pop("url", self.url),
            "mcp_tool_name": tool,
            "mcp_requires_session": "auto",
            **extra,
        }
        metadata = {key: value for key, value in metadata.items() if value is not None}
        known = self.metadata.setdefault(repr(sorted(metadata.items())), metadata)
        fields.setdefault("credential", "secret-token")
        capability_id = fields.pop("capability_id", f"mcp.test.{tool}")
        return SessionCall(capability_id, known, from_python(arguments or {}, keywords=True), **fields)

    async def call(self, tool: str, arguments: Any = None, **fields: Any) -> Any:
        return to_python(await self.pool.execute_with_session("mcp", self.session_call(tool, arguments, **fields)))

    def names(self) -> list[str]:
        return [event.name.removeprefix("session.") for event in self.events]

    async def __aenter__(self) -> Mcp:
        return self

    async def __aexit__(self, *caught: object) -> None:
        await self.pool.aclose()
        stats = self.pool.stats()
        assert stats["keys"] == []
        assert stats["initialized"] == stats["terminated"]
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if "rtfs" in repr(task) and task is not asyncio.current_task()]
        left = [task for task in left if "HttpChannel" in repr(task) or "Lanes" in repr(task)]
        assert left == []


def with_server(test: Any, **options: Any) -> None:
    """Run `test(server, mcp)` against a faulty server. options: its own, `wire` and `limits`."""
    wire = options.pop("wire", None)
    limits = options.pop("limits", {})

    async def go() -> None:
        async with Faulty(**options) as server:
            async with Mcp(server.url, wire=wire, **limits) as mcp:
                await test(server, mcp)
            assert server.live == set(), "a session was left open on the server"

    run(go())


def status(code: int, body: bytes = b"", kind: str | None = "application/json", **headers: str) -> Any:
    """A fault: this answer and nothing done."""

    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.reply(code, body, kind, **headers)

    return fault


def body(data: bytes, kind: str = "application/json", **headers: str) -> Any:
    """A fault: these bytes as the answer."""
    return status(200, data, kind, **headers)


async def failing(mcp: Mcp, n: int = 1, **fields: Any) -> HostError:
    """The error of a call that fails."""
    with pytest.raises(HostError) as caught:
        await mcp.call("echo", {"n": n}, **fields)
    return caught.value
