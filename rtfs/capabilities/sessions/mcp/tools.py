"""The tools of a server: all pages of `tools/list`, their fingerprints, and the headers that they require.

Must not know how tools are called or pooled. Invariant: the fingerprint of a tool depends on what the server says of it
as data, not on how the server spells that.

Source: MCP specification, server/tools; `x-mcp-header` from basic/transports/streamable-http (2026-07-28).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from time import monotonic

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.wire.json import encode
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.session import McpSession
    from rtfs.capabilities.sessions.wire.http import Headers

LEAST_SECONDS = 5.0
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


async def list_tools(session: McpSession, pages: int) -> tuple[list[dict[str, Any]], float]:
    """Return every tool that the server lists, as JSON objects, in its order, and for how many seconds the list holds
    (0 if the server does not say). pages: the most that are read.

    A tool with wrong `x-mcp-header` marks is left out. Raises what requests raise, and `session/protocol` if the answer
    is not a list, or the list never ends.
    """
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    members = b""
    holds: list[float] = []
    for _ in range(pages):
        reply = await session.request("tools/list", members)
        error = error_of(reply)
        if error is not None:
            raise reply_error(error, "tools/list")
        result = reply.get("result")
        tools = result.get("tools") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(tools, list):
            raise SessionError(f"{session.label} answers tools/list with something else than tools")
        found.extend(tool for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str))
        told = result.get("ttlMs")
        holds.append(told / 1000 if isinstance(told, (int, float)) and told > 0 else 0.0)
        cursor = result.get("nextCursor")
        if not isinstance(cursor, str) or not cursor:  # some servers end with an empty one
            return [tool for tool in found if marked_parameters(tool) is not None], min(holds)
        if cursor in seen:
            raise SessionError(f"{session.label} lists its tools in a circle")
        seen.add(cursor)
        members = b'"cursor":' + encode(cursor)
    raise SessionError(f"{session.label} lists its tools on more than {pages} pages")


_PINNED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
"""The parts of a tool that its hash covers."""
_PINNED_FIRST = ("name", "description", "inputSchema")
"""The same for hashes without a version."""


def tool_hash(tool: dict[str, Any]) -> str:
    """`v2:sha256:…` of what a server says of a tool (name, title, description, schemas, annotations), in canonical
    JSON."""
    return "v2:" + _hash(tool, _PINNED)


def is_unchanged(tool: dict[str, Any], pinned: str) -> bool:
    """Whether a tool is described as when its hash was taken; a hash without a version covers name, description and
    input schema."""
    return pinned == (tool_hash(tool) if pinned.startswith("v2:") else _hash(tool, _PINNED_FIRST))


def _hash(tool: dict[str, Any], keys: tuple[str, ...]) -> str:
    said = {key: tool.get(key) for key in keys}
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def can_be_repeated(tool: dict[str, Any]) -> bool:
    """Whether the server describes the tool as read-only or idempotent."""
    hints = tool.get("annotations")
    return isinstance(hints, dict) and (hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True)


def marked_parameters(tool: dict[str, Any]) -> list[tuple[tuple[str, ...], str]] | None:
    """The parameters that are to be repeated in headers, as (path, header token); None if the marks break the rules."""
    found: list[tuple[tuple[str, ...], str]] = []
    marks = 0
    names: set[str] = set()
    pending: list[tuple[tuple[str, ...] | None, Any]] = [((), tool.get("inputSchema"))]
    while pending:
        path, node = pending.pop()
        if isinstance(node, list):
            pending.extend((None, item) for item in node)
        if not isinstance(node, dict):
            continue
        if "x-mcp-header" in node:
            token = node["x-mcp-header"]
            good = isinstance(token, str) and token and _TOKEN.issuperset(token) and token.lower() not in names
            if not path or not good or node.get("type") not in ("string", "integer", "boolean"):
                return None
            marks += 1
            names.add(token.lower())
            found.append((path, token))
        for key, value in node.items():
            if key == "properties" and isinstance(value, dict):
                pending.extend(((*path, name) if path is not None else None, sub) for name, sub in value.items())
            elif key not in ("default", "examples", "const", "enum", "x-mcp-header"):
                pending.append((None, value))
    return found


def parameter_headers(tool: dict[str, Any], arguments: dict[str, Any]) -> Headers:
    """The `Mcp-Param-…` headers of one call."""
    headers: Headers = []
    for path, token in marked_parameters(tool) or ():
        value: Any = arguments
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and isinstance(value, (str, int, bool)):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            headers.append((b"Mcp-Param-" + token.encode("ascii"), header_value(shown)))
    return headers


def header_value(value: str) -> bytes:
    """A value as a header can carry it: as it is, or as `=?base64?…?=`."""
    plain = all(" " <= c <= "~" for c in value) and value == value.strip()
    if plain and not (value.startswith("=?base64?") and value.endswith("?=")):
        return value.encode("ascii")
    return b"=?base64?" + base64.b64encode(value.encode("utf-8", "surrogatepass")) + b"?="


def describe(name: str) -> str:
    """A tool's name in a message."""
    return f"the tool {one_line(name, 80)!r}"


class Toolbox:
    """The tools of one server for one principal; sessions may share it. `tools`: by name, or None."""

    __slots__ = ("__weakref__", "_forgotten", "_lock", "_until", "tools")

    def __init__(self) -> None:
        self.tools: dict[str, dict[str, Any]] | None = None
        self._until: float | None = None
        self._forgotten = 0
        self._lock = asyncio.Lock()

    def fresh(self) -> dict[str, dict[str, Any]] | None:
        """The tools, if they are known and it is not yet time to ask again."""
        return self.tools if self._until is None or monotonic() < self._until else None

    def forget(self) -> None:
        """They may have changed."""
        self.tools = None
        self._forgotten += 1

    async def known(self, session: McpSession, pages: int) -> dict[str, dict[str, Any]]:
        """The tools by name, asked for if need be. Raises what `list_tools` raises; as nothing but the list was asked
        for, a request that broke counts as not sent."""
        found = self.fresh()
        if found is not None:
            return found
        async with self._lock:
            found = self.fresh()
            if found is not None:
                return found
            await session.watch_tools()
            before = self._forgotten
            try:
                listed, seconds = await list_tools(session, pages)
            except MaybeSent as signal:
                raise NotSent(signal.error, retry_after=signal.retry_after) from signal
            found = self._keep({tool["name"]: tool for tool in listed}, seconds, session.sessionless)
            if self._forgotten != before:  # they changed while they were listed
                self.forget()
            return found

    async def tools_or_cached(self, session: McpSession, pages: int) -> dict[str, dict[str, Any]]:
        """The tools as far as they can be had: what was known before, or none, from a server that refuses to list
        them. Raises NotSent for one that is not there."""
        try:
            return await self.known(session, pages)
        except HostError:
            return self._keep(self.tools or {}, 0.0, True)

    def _keep(self, tools: dict[str, dict[str, Any]], seconds: float, ends: bool) -> dict[str, dict[str, Any]]:
        self.tools = tools
        self._until = monotonic() + max(seconds, LEAST_SECONDS) if ends else None
        return tools
