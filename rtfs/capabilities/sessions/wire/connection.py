"""HTTP/1.1 over one connection: a request, its response as it comes, then perhaps the next.

Must not know pools, retries, or how long a body may be. Invariants: what a response holds unread, and how long a head
or a trailer may be, is bounded; a connection is offered for another request only if request and response were whole and
nothing else came along; a caller that waits for a response, or a part of it, is told when there will be none.

Parsing is left to llhttp (httptools). Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_HEAD = 256 * 1024
"""Bytes of a head, a trailer or the frame of a chunk, at most."""
_UNREAD = 256 * 1024
"""Bytes of a body from which on no more is read until they are taken; one reading brings as much at most."""


class Broken(Exception):
    """The connection has ended, or what comes is not HTTP, before the response was complete."""


class Response:
    """A response, whose body is unread at first. fields: the header fields, names in lower case; the values of a name
    that came more than once are joined by commas."""

    __slots__ = ("_connection", "_done", "_error", "_pieces", "_size", "_waiter", "fields", "status_code")

    def __init__(self, connection: Connection, status_code: int, fields: dict[str, str]) -> None:
        self.status_code = status_code
        self.fields = fields
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._done = False
        self._error: Broken | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def next(self) -> bytes:
        """The next piece of the body, as it was sent; b"" at its end. Raises Broken."""
        while not self._pieces:
            if self._error is not None:
                raise Broken(str(self._error))
            if self._done:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        pieces, self._pieces, self._size = self._pieces, [], 0
        if not self._done:
            self._connection.flow(True)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Let go of it: its connection is used again if the body came to its end, else dropped."""
        self._pieces = []
        if not self._done:
            self._connection.abort()

    # ------------------------------------------------------------------ for the connection
    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _UNREAD:
            self._connection.flow(False)
        self._wake()

    def end(self, error: Broken | None) -> None:
        """The body has come to its end, or will not."""
        if not self._done:
            self._done, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class Connection(asyncio.Protocol):
    """release: called with a connection that can take another request; lost: with one that has ended. idle_since: when
    it was last released."""

    def __init__(self, release: Callable[[Connection], object], lost: Callable[[Connection], object]) -> None:
        self._release = release
        self._lost = lost
        self._transport: Any = None
        self._parser: Any = HttpResponseParser(self)
        self._fields: dict[str, str] = {}
        self._head: asyncio.Future[Response] | None = None
        self._response: Response | None = None
        self._frame = 0
        self._interim = False
        self._until_closed = False
        self._keeps = True
        self._flows = True
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether it is open on this side; the other may have closed it unnoticed."""
        return self._transport is not None and not self._transport.is_closing()

    async def request(self, data: bytes) -> Response:
        """Send a request; the response, once its head is there. Raises Broken."""
        if not self.usable:
            raise Broken("it has ended")
        head: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._head = head
        self._transport.write(data)
        try:
            return await head
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """End it, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def flow(self, on: bool) -> None:
        """Whether to read what comes, or leave it to the other side for a while."""
        if on is not self._flows and self.usable:
            self._flows = on
            if on:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # ------------------------------------------------------------------ what asyncio calls
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._head is None:  # nothing was asked
            self.abort()
            return
        self._frame += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(Broken(f"it does not speak HTTP: {error}"))
        else:
            self._after()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._response is not None and self._until_closed and exc is None:
            self._response.end(None)
        else:
            self._tell(Broken(str(exc) if exc is not None else "it has ended"))
        self._head = self._response = None
        self._lost(self)

    # ------------------------------------------------------------------ what the parser calls
    def on_message_begin(self) -> None:
        if self._head is None:  # more than was asked for
            self._keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        field, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._fields.get(field)
        self._fields[field] = text if known is None else f"{known}, {text}"  # RFC 9110, 5.3

    def on_headers_complete(self) -> None:
        fields, self._fields, self._frame = self._fields, {}, 0
        status = self._parser.get_status_code()
        self._interim = status < 200
        if self._head is None or self._interim:
            return
        chunked = "chunked" in fields.get("transfer-encoding", "").lower()
        self._until_closed = not chunked and "content-length" not in fields
        self._response = Response(self, status, fields)
        if not self._head.done():
            self._head.set_result(self._response)

    def on_body(self, body: bytes) -> None:
        self._frame = 0
        if self._response is not None:
            self._response.feed(body)

    def on_message_complete(self) -> None:
        self._fields, self._frame = {}, 0
        if self._interim or self._response is None:
            return
        self._keeps = self._keeps and self._parser.should_keep_alive()
        response, self._head, self._response = self._response, None, None
        response.end(None)

    # ------------------------------------------------------------------ the end of a response
    def _after(self) -> None:
        """Something was parsed."""
        if self._head is None:
            self._offer()
        elif self._frame > _HEAD:
            self._fail(Broken("its head is too long"))

    def _offer(self) -> None:
        """A response is complete: the connection can be used again, unless one side is not done with it."""
        if self._keeps and self.usable and not self._transport.get_write_buffer_size():
            self.flow(True)
            self.idle_since = monotonic()
            self._release(self)
        elif self._transport is not None:
            self._transport.close()

    def _fail(self, error: Broken) -> None:
        self._tell(error)
        self._head = self._response = None
        self.abort()

    def _tell(self, error: Broken) -> None:
        """There will be no response, or no more of it."""
        if self._response is not None:
            self._response.end(error)
        elif self._head is not None and not self._head.done():
            self._head.set_exception(error)
