"""An MCP session of either era over either transport: numbered requests, their replies, and what comes between.

Must not know how sessions are opened or pooled, nor RTFS values. Invariants: request ids are never used twice in a
session; a request given up is cancelled on the server in the way of its era; every request of the server is answered.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from rtfs.capabilities.sessions.handler import Session, one_line
from rtfs.capabilities.sessions.mcp.elicitation import METHOD, MOST, declined, elicited
from rtfs.capabilities.sessions.mcp.protocol import INVALID_PARAMS, METHOD_NOT_FOUND
from rtfs.capabilities.sessions.questions import CANCEL
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.handler import Progress
    from rtfs.capabilities.sessions.mcp.tools import Toolbox
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
    a person whom it asks. toolbox: what `tools/list` said, set by the
    handler. over_http: in the sessionless era a request is cancelled by closing its stream.
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
        self.toolbox: Toolbox
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


class Inbox:
    """number: of the request. ask: how to ask the person behind it, or None."""

    __slots__ = ("_progress", "_questions", "_session", "ask", "number")

    def __init__(self, session: McpSession, number: int, progress: Progress | None, ask: Ask | None) -> None:
        self._session = session
        self._progress = progress
        self._questions: dict[Any, asyncio.Task[None]] = {}
        self.number = number
        self.ask = ask

    def __call__(self, message: dict[str, Any]) -> None:
        if message.get("id") is not None:
            self._session.asked(message, self)
        elif message.get("method") == "notifications/progress":
            self._report(message.get("params"))
        else:
            self._session.heard(message)

    def question(self, message: dict[str, Any]) -> None:
        """Put a question to the person; the answer goes to the server on the side."""
        number = message["id"]
        if number.__class__ not in (int, str) or number in self._questions:
            return
        if len(self._questions) >= MOST:
            self._session.reply(number, result=declined())
            return
        task = asyncio.get_running_loop().create_task(self._put(number, message.get("params")))
        self._questions[number] = task

    def withdraw(self, number: Any) -> None:
        """The server does not want to know any more."""
        task = self._questions.get(number) if number.__class__ in (int, str) else None
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """The request is over."""
        self.ask = None
        for task in self._questions.values():
            task.cancel()

    async def _put(self, number: Any, params: Any) -> None:
        session = self._session
        try:
            result = await elicited(params, self.ask, session.asker)
        except ValueError as error:
            session.reply(number, error={"code": INVALID_PARAMS, "message": str(error)})
        except Exception:
            logger.exception("%s: a question could not be put", session.label)
            session.reply(number, result={"action": CANCEL})
        else:
            session.reply(number, result=result)

    def _report(self, params: Any) -> None:
        if self._progress is None or not isinstance(params, dict) or params.get("progressToken") != self.number:
            return
        done, total, said = params.get("progress"), params.get("total"), params.get("message")
        if isinstance(done, bool) or not isinstance(done, (int, float)):
            return
        known = isinstance(total, (int, float)) and not isinstance(total, bool)
        try:
            self._progress(done, total if known else None, one_line(said) if isinstance(said, str) else None)
        except Exception:
            logger.exception("a listener of progress failed")


def _params(members: bytes) -> bytes:
    return b',"params":{' + members + b"}" if members else b""
