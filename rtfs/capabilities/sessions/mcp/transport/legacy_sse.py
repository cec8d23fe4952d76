"""The HTTP+SSE transport of 2024-11-05: one stream of everything the server says, and an address to POST messages to.

Must not know tools or eras. Invariants: messages go to the origin of the stream only; a stream that ends fails what
waits for it, as "may have happened"; a request is answered once, by the reply with its id.

Source: MCP specification 2024-11-05, basic/transports, "HTTP with SSE".
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from rtfs.capabilities.sessions.handler import MaybeSent, SessionError, SessionExpired
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.transport.channel import Background
from rtfs.capabilities.sessions.mcp.transport.http_status import refusal
from rtfs.capabilities.sessions.mcp.transport.sse import SseReader
from rtfs.capabilities.sessions.wire.http import Body, body_of, origin
from rtfs.capabilities.sessions.wire.json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.mcp.transport.streamable_http import HttpChannel
    from rtfs.capabilities.sessions.wire.connection import Response
    from rtfs.capabilities.sessions.wire.http import Headers

logger = logging.getLogger("rtfs.mcp")

_ENDLESS = 1 << 62


class TwoEndpointChannel:
    """plain: the channel with the stream's address, its headers, credential, limits and client. dead: the stream has
    ended, nothing can be asked any more. session_id: for those who require a session; the stream is one."""

    def __init__(self, plain: HttpChannel, response: Response) -> None:
        self.client = plain.client
        self.server = plain.server
        self.limits = plain.limits
        self.credential = plain.credential
        self.dead = False
        self.ids = count(1)
        self.session_id = "stream"
        self._plain = plain
        self._response = response
        self._endpoint: asyncio.Future[httpx.URL] = asyncio.get_running_loop().create_future()
        self._side = Background(self.server)
        self._pending: dict[int, tuple[asyncio.Future[dict[str, Any]], Callable[[Any], None]]] = {}
        self._inbox: Callable[[Any], None] | None = None
        self._reader = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def connect(cls, plain: HttpChannel, seconds: float | None) -> TwoEndpointChannel | None:
        """Open the stream; None for a server that does not answer a GET with the address for messages. seconds: to
        wait for it, None for as long as the caller does. Raises SessionError, NotSent, MaybeSent."""
        plain.learn([])
        try:
            async with asyncio.timeout(seconds):
                response = await plain.listen_from("")
                kind = response.fields.get("content-type", "").lower()
                if response.status_code != 200 or not kind.startswith("text/event-stream"):
                    response.close()
                    return None
                channel = cls(plain, response)
                try:
                    await channel._endpoint
                except BaseException:
                    await channel.stop()
                    raise
                return channel
        except (TimeoutError, _NoEndpoint):
            return None

    async def request(
        self, body: bytes, request_id: int, inbox: Callable[[Any], None], extra: Headers | None = None
    ) -> dict[str, Any]:
        """POST a request, answer the reply that comes on the stream. Raises SessionExpired if the stream is gone,
        MaybeSent if it goes now, and what a refusal means."""
        if self.dead:
            raise SessionExpired(SessionError(f"{self.server} has ended its stream", code="session/expired"))
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = (future, inbox)
        self._inbox = inbox
        try:
            refused = await self._post(body, request_id)
            return refused or await future
        finally:
            self._pending.pop(request_id, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, also where sending failed first

    async def notify(self, body: bytes, extra: Headers | None = None) -> None:
        """POST a notification or a reply. Raises as `request`."""
        if not self.dead:
            await self._post(body, None)

    def spawn(self, work: Any) -> None:
        """Do something on the side."""
        self._side.spawn(work)

    async def settle(self, seconds: float) -> None:
        """Wait a little for what is done on the side."""
        await self._side.settle(seconds)

    async def stop(self) -> None:
        """Close the stream, which ends the session."""
        self._reader.cancel()
        await asyncio.wait((self._reader,))
        await self._plain.settle(0.1)

    async def _post(self, body: bytes, request_id: int | None) -> dict[str, Any] | None:
        """Send a message; the error reply that the refusal of it is, or None where it was taken."""
        response = await self.client.send("POST", await self._endpoint, self._plain.headers, body)
        try:
            try:
                async with asyncio.timeout(self.limits.refusal_seconds):
                    said = await body_of(response, self.limits.refusal)
            except Exception:
                said = b""
            if 200 <= response.status_code < 300:
                return None
            meant = refusal(
                response.status_code,
                response.fields,
                said,
                request_id=request_id,
                in_session=True,
                server=self.server,
                credential=self.credential,
            )
            if isinstance(meant, dict):
                return meant
            raise meant
        finally:
            response.close()

    async def _read(self) -> None:
        reader = SseReader(self.limits.line, self.limits.event, self._named)
        body = Body(self._response, _ENDLESS)
        try:
            while piece := await body.next():
                for data in reader.feed(piece):
                    self._heard(data)
        except Exception as error:
            logger.debug("%s: the stream ended: %s", self.server, error)
        finally:
            self.dead = True
            if not self._endpoint.done():
                self._endpoint.set_exception(_NoEndpoint())
                self._endpoint.exception()  # retrieved, in case no request waits any more
            gone = f"{self.server} ended its stream before the answer"
            for future, _ in list(self._pending.values()):
                if not future.done():
                    future.set_exception(MaybeSent(SessionError(gone, code="session/unavailable")))
            self._response.close()

    def _named(self, event: bytes, data: bytes) -> None:
        """An event of another type than a message: the address for messages comes as one."""
        if event != b"endpoint" or self._endpoint.done():
            return
        home = self._plain.url
        try:
            url = home.join(data.decode("utf-8").strip())
        except Exception:
            self._endpoint.set_exception(SessionError(f"{self.server} names an address that cannot be read"))
            return
        if origin(url) != origin(home):
            error = SessionError(f"{self.server} wants messages at another origin, {origin(url)}")
            self._endpoint.set_exception(error)
        else:
            self._endpoint.set_result(url)

    def _heard(self, data: bytes) -> None:
        try:
            message = parse(data)
        except ValueError as error:
            logger.debug("%s: no message: %s", self.server, error)
            return
        for part in message if isinstance(message, list) else (message,):
            if not isinstance(part, dict):
                continue
            if "method" in part:
                self._spoken(part)
                continue
            number = part.get("id")
            waiting = self._pending.get(number) if type(number) is int else None
            if waiting is not None and not waiting[0].done() and ("result" in part or error_of(part) is not None):
                waiting[0].set_result(part)

    def _spoken(self, message: dict[str, Any]) -> None:
        """A request or notification of the server: for the request whose progress it is, else for the latest."""
        params = message.get("params")
        token = params.get("progressToken") if isinstance(params, dict) else None
        inbox = self._pending[token][1] if type(token) is int and token in self._pending else self._inbox
        if inbox is not None:
            inbox(message)


class _NoEndpoint(Exception):
    """The stream ended before it named the address for messages."""
