"""Traces requests to an MCP server.

Must not know who traces. Invariant: neither arguments nor results are told, nor headers.

Source: OpenTelemetry semantic conventions for MCP, client spans.
"""

from __future__ import annotations

import asyncio

from rtfs.capabilities.sessions.mcp.protocol import error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall, TracedRequest
    from rtfs.capabilities.sessions.mcp.session import McpSession

_PORTS = {"http": 80, "https": 443}


def begin_traced(session: McpSession, method: str, number: int, call: SessionCall) -> TracedRequest:
    """Tell the trace of a call that a request is about to be sent."""
    from urllib.parse import urlsplit

    facts: dict[str, Any] = {"jsonrpc.request.id": str(number), "mcp.protocol.version": session.version}
    channel = session.channel
    url = getattr(channel, "url", None)
    if url is None:
        facts["network.transport"] = "pipe"
    else:
        address = urlsplit(str(url))
        facts |= {"network.transport": "tcp", "network.protocol.name": "http", "server.address": address.hostname}
        facts["server.port"] = address.port or _PORTS.get(address.scheme, 0)
    session_id = getattr(channel, "session_id", None)
    if session_id:
        facts["mcp.session.id"] = session_id
    tool = None
    if method == "tools/call":
        tool = str(call.metadata.get("mcp_tool_name") or call.capability_id.rpartition(".")[2])
    assert call.trace is not None
    return call.trace.begin(method, tool, facts)


async def ended(traced: TracedRequest, reply: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """A reply, of which the trace is told what it is."""
    try:
        found = await reply
    except asyncio.CancelledError:
        traced.end("cancelled")
        raise
    except BaseException as error:
        code = getattr(getattr(error, "error", error), "code", None)
        traced.end(code if isinstance(code, str) else type(error).__name__)
        raise
    problem = error_of(found)
    result = found.get("result")
    if problem is not None:
        traced.end(str(problem["code"]))
    elif isinstance(result, dict) and result.get("isError") is True:
        traced.end("tool_error")
    else:
        traced.end(None)
    return found
