"""An MCP session of either era over either transport: numbered requests, their replies, and what comes between.

Must not know how sessions are opened or pooled, nor RTFS values. Invariants: request ids are never used twice on a
channel, whichever session sent them; a request given up is cancelled on the server in the way of its era; every request
of the server is answered, and a request that cannot be answered is refused at once; a question is put to the person
behind a call once, and not after that call is over.
"""

from __future__ import annotations

import asyncio
import logging

from rtfs.capabilities.sessions.handler import Session, one_line
from rtfs.capabilities.sessions.mcp.client import Client, Refused
from rtfs.capabilities.sessions.mcp.elicitation import METHOD, MOST, declined
from rtfs.capabilities.sessions.mcp.protocol import INTERNAL_ERROR
from rtfs.capabilities.sessions.mcp.request_tracing import begin_traced, ended
from rtfs.capabilities.sessions.mcp.subscription import ACKNOWLEDGED, TOOLS, ToolWatch
from rtfs.capabilities.sessions.mcp.tools import Toolbox
from rtfs.capabilities.sessions.questions import CANCEL
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.handler import Progress, SessionCall
    from rtfs.capabilities.sessions.wire.http import Headers

    class Channel(Protocol):
        """A way to a server: one endpoint over HTTP, or one process."""

        server: str
        ids: Iterator[int]

        async def request(
            self, body: bytes, request_id: int, inbox: Callable[[Any], None], extra: Headers | None = None
        ) -> dict[str, Any]: ...

        async def notify(self, body: bytes, extra: Headers | None = None) -> None: ...

        def spawn(self, work: Any) -> None: ...

        async def settle(self, seconds: float) -> None: ...


logger = logging.getLogger("rtfs.mcp")
messages = logging.getLogger("rtfs.mcp.messages")

_LEVELS = {
    "debug": logging.DEBUG, "info": logging.INFO, "notice": logging.INFO, "warning": logging.WARNING,
}  # fmt: skip
_UNCANCELLED = frozenset(("initialize", "server/discover"))


class McpSession(Session):
    """channel: the way to the server. version: the revision spoken. sessionless: of the era without sessions.

    meta: JSON members that every request's `_meta` carries. server: what the server says of itself (`serverInfo`,
    `capabilities`, `instructions`). asker: its name for a person whom it asks. toolbox: what `tools/list` said;
    sessions may share one. client: what is offered to the server. over_http: in the sessionless era a request is
    cancelled by closing its stream. updates: set when the server says that the resource of this URI has changed.
    pages: set when the server says that a person is done with the page of this elicitation id.
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
        client: Client | None = None,
    ) -> None:
        self.channel = channel
        self.version = version
        self.label = label
        self.sessionless = sessionless
        self.over_http = over_http
        self.client = client or Client()
        self.server: dict[str, Any] = {}
        self.asker = label
        self.toolbox = Toolbox()
        self.prefixes: dict[str, tuple[bytes, Headers]] = {}
        self.updates: dict[str, set[asyncio.Event]] = {}
        self.pages: dict[str, asyncio.Event] = {}
        self._meta = meta
        self._watch: ToolWatch | None = None
        self._asked = ""
        self._waiting: list[Inbox] = []

    @property
    def usable(self) -> bool:  # type: ignore[override]
        """False once the channel is known to be dead."""
        return not getattr(self.channel, "dead", False)

    @property
    def silence(self) -> str:  # type: ignore[override]
        """Why a call may get no answer: a server of the handshake's revisions without sessions cannot ask its client
        anything, and waits for ever if it does."""
        if self.sessionless or not self.over_http or getattr(self.channel, "session_id", None) is not None:
            return ""
        what = (
            f"it asked for {one_line(self._asked, 60)} and"
            if self._asked
            else "if the tool asks its client something, it"
        )
        return f"the server gives no session, so {what} hears no answer: let it run with sessions"

    def offers(self, feature: str) -> bool:
        """Whether the server declares a capability (`tools`, `resources`, `prompts`, `completions`, `logging`)."""
        declared = self.server.get("capabilities")
        return isinstance(declared, dict) and isinstance(declared.get(feature), dict)

    async def watch_tools(self) -> None:
        """Hear from now on when the list of tools changes, where the server has to be asked for that."""
        if self._watch is not None or not self.sessionless or not self.offers("tools"):
            return
        if self.server["capabilities"]["tools"].get("listChanged") is True:
            self._watch = ToolWatch(self)
            await self._watch.begun()

    async def unwatch(self) -> None:
        """Hear no more of it."""
        if self._watch is not None:
            await self._watch.stop()

    async def request(
        self,
        method: str,
        members: bytes,
        *,
        progress: Progress | None = None,
        extra: Headers | None = None,
        call: SessionCall | None = None,
        traced_call: SessionCall | None = None,
    ) -> dict[str, Any]:
        """Send a request, answer its JSON-RPC reply. members: the JSON members of `params`, without braces. call: on
        whose behalf; what the server asks meanwhile is asked of the person behind it.
        traced_call: likewise, where the server asks nothing in between.

        Raises SessionError, NotSent, MaybeSent, SessionExpired. Cancelled, it tells the server.
        """
        number = next(self.channel.ids)
        meta = self._meta
        if progress is not None:
            token = b'"progressToken":%d' % number
            meta = meta + b"," + token if meta else token
        behind = call or traced_call
        traced = None if behind is None or behind.trace is None else begin_traced(self, method, number, behind)
        if traced is not None and traced.carrier:
            meta = (meta + b"," if meta else b"") + encode(traced.carrier)[1:-1]
            headers = [(name.encode(), value.encode()) for name, value in traced.carrier.items()]
            extra = [*(extra or []), *headers]
        if meta:
            members = members + b',"_meta":{' + meta + b"}" if members else b'"_meta":{' + meta + b"}"
        body = b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":{%s}}' % (number, method.encode(), members)
        if self.sessionless and self.over_http:
            extra = [(b"Mcp-Method", method.encode()), *(extra or [])]
        inbox = Inbox(self, number, progress, call)
        if call is not None:
            self._waiting.append(inbox)
        try:
            if traced is None:
                return await self.channel.request(body, number, inbox, extra)
            return await ended(traced, self.channel.request(body, number, inbox, extra))
        except asyncio.CancelledError:
            if not (self.sessionless and self.over_http) and method not in _UNCANCELLED:
                params = {"requestId": number, "reason": "the call was given up"}
                self.channel.spawn(self.notify("notifications/cancelled", encode(params)[1:-1]))
            raise
        finally:
            if call is not None:
                self._waiting.remove(inbox)
                inbox.close()

    async def notify(self, method: str, members: bytes = b"") -> None:
        """Send a notification."""
        await self.channel.notify(b'{"jsonrpc":"2.0","method":"%s"%s}' % (method.encode(), _params(members)))

    def asked(self, message: dict[str, Any], inbox: Inbox | None = None) -> None:
        """A request of the server: a ping is answered; the rest on behalf of the call it came with, else of the latest
        for which it can be answered. What can be answered for none of them is refused at once."""
        method, number = message["method"], message["id"]
        if method == "ping":
            self.reply(number, result={})
            return
        self._asked = str(method)
        client = self.client
        if inbox is None or not client.answers(method, inbox.call):
            inbox = next((one for one in reversed(self._waiting) if client.answers(method, one.call)), None)
        if inbox is not None:
            inbox.put(method, message)
        elif client.answers(method, None):
            self.channel.spawn(self.answer(method, number, message.get("params"), None))
        else:
            try:
                self.reply(number, result=client.refusal(method))
            except Refused as no:
                self.reply(number, error={"code": no.code, "message": no.message})

    async def answer(self, method: str, number: Any, params: Any, call: SessionCall | None) -> None:
        """Answer a request of the server; the reply goes out on the side."""
        try:
            result = await self.client.answer(method, params, call, self.asker)
        except Refused as no:
            self.reply(number, error={"code": no.code, "message": no.message})
        except Exception:
            logger.exception("%s: a question could not be put", self.label)
            self.reply(number, result={"action": CANCEL})
        else:
            self.reply(number, result=result)

    def reply(self, number: Any, **outcome: Any) -> None:
        """Reply to a request of the server, on the side. outcome: `result` or `error`."""
        self.channel.spawn(self.channel.notify(encode({"jsonrpc": "2.0", "id": number, **outcome})))

    def unasked(self, message: dict[str, Any]) -> None:
        """Handle a message on the server's own stream."""
        if message.get("id") is not None:
            self.asked(message)
        else:
            self.heard(message)

    def heard(self, message: dict[str, Any]) -> None:
        """Handle a notification that belongs to none of our requests."""
        method, params = message.get("method"), message.get("params")
        params = params if isinstance(params, dict) else {}
        if method == "notifications/tools/list_changed":
            self.toolbox.forget()
        elif method == ACKNOWLEDGED:
            taken = params.get("notifications")
            if self._watch is not None and isinstance(taken, dict) and taken.get(TOOLS) is True:
                self._watch.acknowledged()
        elif method == "notifications/cancelled":
            for inbox in self._waiting:
                inbox.withdraw(params.get("requestId"))
        elif method == "notifications/elicitation/complete":
            page = self.pages.get(str(params.get("elicitationId")))
            if page is not None:
                page.set()
        elif method == "notifications/resources/updated":
            for changed in self.updates.get(str(params.get("uri")), ()):
                changed.set()
        elif method == "notifications/message":
            level, data = str(params.get("level")), params.get("data")
            words = data if isinstance(data, str) else encode(data).decode() if data is not None else ""
            source = f" ({one_line(params['logger'], 60)})" if isinstance(params.get("logger"), str) else ""
            number = _LEVELS.get(level, logging.ERROR)
            messages.log(number, "%s%s: %s: %s", self.label, source, one_line(level, 20), one_line(words, 1000))


class Inbox:
    """The messages from a server while one request waits for its reply. number: the id of the request. call: the call
    that it is made for, or None."""

    __slots__ = ("_progress", "_questions", "_session", "call", "number")

    def __init__(self, session: McpSession, number: int, progress: Progress | None, call: SessionCall | None) -> None:
        self._session = session
        self._progress = progress
        self._questions: dict[Any, asyncio.Task[None]] = {}
        self.number = number
        self.call = call

    def __call__(self, message: dict[str, Any]) -> None:
        if message.get("id") is not None:
            self._session.asked(message, self)
        elif message.get("method") == "notifications/progress":
            self._report(message.get("params"))
        else:
            self._session.heard(message)

    def put(self, method: str, message: dict[str, Any]) -> None:
        """Have a request of the server answered on behalf of the call; the answer goes to the server on the side."""
        number = message["id"]
        if number.__class__ not in (int, str) or number in self._questions:
            return
        if len(self._questions) >= MOST:
            refusal = {"result": declined()} if method == METHOD else {"error": _TOO_MANY}
            self._session.reply(number, **refusal)
            return
        work = self._session.answer(method, number, message.get("params"), self.call)
        self._questions[number] = asyncio.get_running_loop().create_task(work)

    def withdraw(self, number: Any) -> None:
        """The server does not want to know any more."""
        task = self._questions.get(number) if number.__class__ in (int, str) else None
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """The request is over."""
        self.call = None
        for task in self._questions.values():
            task.cancel()

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


_TOO_MANY = {"code": INTERNAL_ERROR, "message": f"more than {MOST} questions in one request"}


def _params(members: bytes) -> bytes:
    return b',"params":{' + members + b"}" if members else b""
