"""What is known of a server's tools, and for how long.

Must not know what is done with it. Invariants: however many calls want to know at once, the server is asked once; a
session with a handshake hears of changes, so its list holds until then; without one the server's `ttlMs` counts, from
`LEAST_SECONDS` on, so that a list that is stale at once does not double every call.

Source: MCP specification, server/tools (`list_changed`), features/caching (2026-07-28).
"""

from __future__ import annotations

import asyncio
from time import monotonic

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent
from rtfs.capabilities.sessions.mcp.tools import list_tools
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.session import McpSession

LEAST_SECONDS = 5.0


class Toolbox:
    """The tools of one server for one principal; sessions may share it. `tools`: by name, or None."""

    __slots__ = ("__weakref__", "_lock", "_until", "tools")

    def __init__(self) -> None:
        self.tools: dict[str, dict[str, Any]] | None = None
        self._until: float | None = None
        self._lock = asyncio.Lock()

    def fresh(self) -> dict[str, dict[str, Any]] | None:
        """The tools, if they are known and it is not yet time to ask again."""
        return self.tools if self._until is None or monotonic() < self._until else None

    def forget(self) -> None:
        """They may have changed."""
        self.tools = None

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
            try:
                listed, seconds = await list_tools(session, pages)
            except MaybeSent as signal:
                raise NotSent(signal.error, retry_after=signal.retry_after) from signal
            return self._keep({tool["name"]: tool for tool in listed}, seconds, session.sessionless)

    async def glanced(self, session: McpSession, pages: int) -> dict[str, dict[str, Any]]:
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
