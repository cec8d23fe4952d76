"""An MCP session of either era over either transport: numbered requests, their replies, and what comes between.

Must not know how sessions are opened or pooled, nor RTFS values. Invariants: request ids are never used twice in a
session; a request given up is cancelled on the server in the way of its era; every request of the server is answered.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from rtfs.capabilities.sessions.handler import Session, one_line
from rtfs.capabilities.sessions.mcp.elicitation import METHOD, declined
from rtfs.capabilities.sessions.mcp.inbox import Inbox
from rtfs.capabilities.sessions.mcp.protocol import METHOD_NOT_FOUND
from rtfs.capabilities.sessions.mcp.toolbox import Toolbox
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.handler import Progress
    from rtfs.capabilities.sessions.questions import Ask

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

    meta: JSON members that every request's `_meta` carries. server: what the server says of itself. asker: its name for
    a person whom it asks. toolbox: what `tools/list` said. over_http: a request is cancelled by closing its stream in
    the sessionless era.
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
        self.asker = label
        self.toolbox = Toolbox()
        self.prefixes: dict[str, tuple[bytes, Headers]] = {}
        self._meta = meta
        self._ids = count(1)
        self._asking: list[Inbox] = []

    @property
    def usable(self) -> bool:  # type: ignore[override]
        """False once the channel is known to be dead."""
        return not getattr(self.channel, "dead", False)

    async def request(
        self,
        method: str,
        members: bytes,
        *,
        progress: Progress | None = None,
        extra: Headers | None = None,
        ask: Ask | None = None,
    ) -> dict[str, Any]:
        """Send a request, answer its JSON-RPC reply. members: the JSON members of `params`, without braces. ask: how to
        ask the person behind it, if the server wants to.

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
        inbox = Inbox(self, number, progress, ask)
        if ask is not None:
            self._asking.append(inbox)
        try:
            return await self.channel.request(body, number, inbox, extra)
        except asyncio.CancelledError:
            if not (self.sessionless and self.over_http) and method != "initialize":
                params = {"requestId": number, "reason": "the call was given up"}
                self.channel.spawn(self.notify("notifications/cancelled", encode(params)[1:-1]))
            raise
        finally:
            if ask is not None:
                self._asking.remove(inbox)
                inbox.close()

    async def notify(self, method: str, members: bytes = b"") -> None:
        """Send a notification."""
        await self.channel.notify(b'{"jsonrpc":"2.0","method":"%s"%s}' % (method.encode(), _params(members)))

    def asked(self, message: dict[str, Any], inbox: Inbox | None = None) -> None:
        """A request of the server: a ping is answered, a question goes to the person behind the request it came with
        (else the latest that somebody stands behind), nothing else is offered."""
        method = message["method"]
        if method == METHOD:
            if inbox is None or inbox.ask is None:
                inbox = self._asking[-1] if self._asking else None
            if inbox is None:
                self.reply(message["id"], result=declined())
            else:
                inbox.question(message)
        elif method == "ping":
            self.reply(message["id"], result={})
        else:
            unknown = {"code": METHOD_NOT_FOUND, "message": "this client offers no such method"}
            self.reply(message["id"], error=unknown)

    def reply(self, number: Any, **outcome: Any) -> None:
        """Reply to a request of the server, on the side. outcome: `result` or `error`."""
        self.channel.spawn(self.channel.notify(encode({"jsonrpc": "2.0", "id": number, **outcome})))

    def unasked(self, message: dict[str, Any]) -> None:
        """What the server says on a stream of its own."""
        if message.get("id") is not None:
            self.asked(message)
        else:
            self.heard(message)

    def heard(self, message: dict[str, Any]) -> None:
        """A notification that belongs to no request of ours."""
        method = message.get("method")
        if method == "notifications/tools/list_changed":
            self.toolbox.forget()
        elif method == "notifications/cancelled":
            params = message.get("params")
            for inbox in self._asking:
                inbox.withdraw(params.get("requestId") if isinstance(params, dict) else None)
        elif method == "notifications/message":
            params = message.get("params")
            if isinstance(params, dict):
                level, data = one_line(str(params.get("level"))), one_line(str(params.get("data")))
                logger.info("%s: %s: %s", self.label, level, data)


def _params(members: bytes) -> bytes:
    return b',"params":{' + members + b"}" if members else b""
