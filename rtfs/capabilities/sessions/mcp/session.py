"""An MCP session of either era over either transport: numbered requests, their replies, and what comes between.

Must not know how sessions are opened or pooled, nor RTFS values. Invariants: request ids are never used twice in a
session; a request given up is cancelled on the server in the way of its era; every request of the server is answered.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from rtfs.capabilities.sessions.handler import Session, one_line
from rtfs.capabilities.sessions.jsontext import encode
from rtfs.capabilities.sessions.mcp.protocol import METHOD_NOT_FOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.handler import Progress

    Headers = list[tuple[bytes, bytes]]

    class Channel(Protocol):
        """A way to a server: one endpoint over HTTP, or one process."""

        server: str

        async def request(
            self, body: bytes, request_id: int, inbox: Callable[[Any], None], extra: Headers | None = None
        ) -> dict[str, Any]: ...

        async def notify(self, body: bytes, extra: Headers | None = None) -> None: ...

        def spawn(self, work: Any) -> None: ...

        async def settle(self, seconds: float) -> None: ...


logger = logging.getLogger("rtfs.mcp")


class McpSession(Session):
    """channel: the way to the server. version: the revision spoken. sessionless: of the era without sessions.

    meta: JSON members that every request's `_meta` carries. server: what the server says of itself. tools: what
    `tools/list` said, by name, or None. over_http: a request is cancelled by closing its stream in the sessionless era.
    """

    def __init__(
        self,
        channel: Channel,
        version: str,
        label: str,
        *,
        sessionless: bool,
        meta: bytes = b"",
        over_http: bool = True,
    ) -> None:
        self.channel = channel
        self.version = version
        self.label = label
        self.sessionless = sessionless
        self.over_http = over_http
        self.server: dict[str, Any] = {}
        self.tools: dict[str, dict[str, Any]] | None = None
        self.prefixes: dict[str, tuple[bytes, Headers]] = {}
        self._meta = meta
        self._ids = count(1)

    @property
    def usable(self) -> bool:  # type: ignore[override]
        """False once the channel is known to be dead."""
        return not getattr(self.channel, "dead", False)

    async def request(
        self, method: str, members: bytes, *, progress: Progress | None = None, extra: Headers | None = None
    ) -> dict[str, Any]:
        """Send a request, answer its JSON-RPC reply. members: the JSON members of `params`, without braces.

        Raises SessionError, NotSent, MaybeSent, SessionExpired. Cancelled, it tells the server.
        """
        number = next(self._ids)
        meta = self._meta
        if progress is not None:
            token = b'"progressToken":%d' % number
            meta = meta + b"," + token if meta else token
        if meta:
            members = members + b',"_meta":{' + meta + b"}" if members else b'"_meta":{' + meta + b"}"
        body = b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":{%s}}' % (number, method.encode(), members)
        if self.sessionless and self.over_http:
            extra = [(b"Mcp-Method", method.encode()), *(extra or [])]
        try:
            return await self.channel.request(body, number, _Inbox(self, number, progress), extra)
        except asyncio.CancelledError:
            if not (self.sessionless and self.over_http) and method != "initialize":
                params = {"requestId": number, "reason": "the call was given up"}
                self.channel.spawn(self.notify("notifications/cancelled", encode(params)[1:-1]))
            raise

    async def notify(self, method: str, members: bytes = b"") -> None:
        """Send a notification."""
        await self.channel.notify(b'{"jsonrpc":"2.0","method":"%s"%s}' % (method.encode(), _params(members)))

    def answer(self, message: dict[str, Any]) -> None:
        """Reply to a request of the server: a ping is answered, nothing else is offered."""
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "ping":
            reply["result"] = {}
        else:
            reply["error"] = {"code": METHOD_NOT_FOUND, "message": "this client offers no such method"}
        self.channel.spawn(self.channel.notify(encode(reply)))

    def heard(self, message: dict[str, Any]) -> None:
        """A notification that belongs to no request of ours."""
        method = message.get("method")
        if method == "notifications/tools/list_changed":
            self.tools = None
        elif method == "notifications/message":
            params = message.get("params")
            if isinstance(params, dict):
                level, data = one_line(str(params.get("level"))), one_line(str(params.get("data")))
                logger.info("%s: %s: %s", self.label, level, data)


def _params(members: bytes) -> bytes:
    return b',"params":{' + members + b"}" if members else b""


class _Inbox:
    """What comes while a request waits for its reply."""

    __slots__ = ("_number", "_progress", "_session")

    def __init__(self, session: McpSession, number: int, progress: Progress | None) -> None:
        self._session = session
        self._number = number
        self._progress = progress

    def __call__(self, message: dict[str, Any]) -> None:
        if message.get("id") is not None:
            self._session.answer(message)
        elif message.get("method") == "notifications/progress":
            self._report(message.get("params"))
        else:
            self._session.heard(message)

    def _report(self, params: Any) -> None:
        if self._progress is None or not isinstance(params, dict) or params.get("progressToken") != self._number:
            return
        done, total, said = params.get("progress"), params.get("total"), params.get("message")
        if isinstance(done, bool) or not isinstance(done, (int, float)):
            return
        known = isinstance(total, (int, float)) and not isinstance(total, bool)
        try:
            self._progress(done, total if known else None, one_line(said) if isinstance(said, str) else None)
        except Exception:
            logger.exception("a listener of progress failed")
