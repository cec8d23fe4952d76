"""One MCP endpoint over Streamable HTTP: a request is a POST, its answer JSON or a stream of events.

Must not know tools or RTFS values, nor which era's rules the session follows (`session` does). Invariants: each request
ends in its own reply or in an exception that says whether the server may have acted; replies to others are never taken
for it; what arrives after its reply is dropped.

Source: MCP specification, basic/transports, 2025-03-26 to 2026-07-28.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from time import monotonic

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.transport.channel import Background
from rtfs.capabilities.sessions.mcp.transport.http_status import refusal
from rtfs.capabilities.sessions.mcp.transport.sse import SseReader, TooLarge
from rtfs.capabilities.sessions.wire.http import Body, body_of, origin, replaced
from rtfs.capabilities.sessions.wire.json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import httpx

    from rtfs.capabilities.sessions.handler import Credential
    from rtfs.capabilities.sessions.mcp.limits import WireLimits
    from rtfs.capabilities.sessions.wire.connection import Response
    from rtfs.capabilities.sessions.wire.http import Headers, WebClient

logger = logging.getLogger("rtfs.mcp")

_RECONNECT_PAUSE = 0.2
_LAST_PIECE_SECONDS = 0.02
_LISTEN_PAUSE = 0.5
_LISTEN_WAIT = 1.0
"""Seconds that the opening of a session waits for the server to take the listening stream."""
_ENDLESS = 1 << 62
_LISTEN_LASTED = 3.0
"""A listening stream that was open for so many seconds was no failure, if a server or proxy ends it then."""


class HttpChannel:
    """client: shared. url: the endpoint. credential: for redaction; `headers` already carries it.

    session_id, headers: set by the session as it learns them. resumable: broken streams may be taken up again.
    """

    def __init__(
        self, client: WebClient, url: httpx.URL, headers: Headers, credential: Credential | None, limits: WireLimits
    ) -> None:
        self.client = client
        self.limits = limits
        self.url = url
        self.server = origin(url) + url.path
        self.credential = credential
        self.base = headers
        self.learn([])
        self.session_id: str | None = None
        self.new_session_id: str | None = None
        self.resumable = True
        self.ids = count(1)
        self._side = Background(self.server)
        self._listener: Any = None

    def learn(self, extra: Headers) -> None:
        """Send these headers too from now on."""
        self.headers = self.base + extra

    async def request(
        self, body: bytes, request_id: int, inbox: Callable[[Any], None], extra: Headers | None = None
    ) -> dict[str, Any]:
        """POST a request, answer the JSON-RPC reply to it (a dict with `result` or `error`).

        inbox: gets every other message that comes along. Raises SessionError, NotSent, MaybeSent, SessionExpired.
        """
        response = await self.client.send("POST", self.url, self._with(extra), body)
        try:
            fields = response.fields
            self.new_session_id = fields.get("mcp-session-id")
            if response.status_code != 200:
                return await self._refused(response, request_id)
            kind = fields.get("content-type", "").lower()
            if kind.startswith("application/json"):
                data = await self._read(response, self.limits.body)
                reply = self._reply(self._parsed(data), request_id, inbox)
                if reply is None:
                    raise SessionError(f"{self.server} answered another request than the one sent")
                return reply
            if kind.startswith("text/event-stream"):
                return await self._streamed(response, request_id, inbox)
            shown = kind.partition(";")[0][:60] or "no content type"
            raise SessionError(f"{self.server} answers with {shown}, which is not MCP", hint="is the URL right?")
        finally:
            response.close()

    async def notify(self, body: bytes, extra: Headers | None = None) -> None:
        """POST a notification or a reply. Raises SessionError, NotSent, MaybeSent or SessionExpired if refused."""
        response = await self.client.send("POST", self.url, self._with(extra), body)
        try:
            if 200 <= response.status_code < 300:
                await self._read(response, self.limits.refusal)
            else:
                await self._refused(response, None)
        finally:
            response.close()

    async def delete(self, session_id: str) -> None:
        """End a session on the server; one that allows no DELETE (405) or forgot the session (404) is content."""
        response = await self.client.send("DELETE", self.url, self._only({"mcp-session-id": session_id}))
        try:
            await self._read(response, self.limits.refusal)
            if response.status_code >= 400 and response.status_code not in (404, 405):
                raise SessionError(f"{self.server} answered {response.status_code} to the end of the session")
        finally:
            response.close()

    async def listen(self, inbox: Callable[[Any], None]) -> None:
        """Hear what the server says unasked, until `settle`."""
        self._listener = Listener(self, inbox)
        await self._listener.begun()

    async def listen_from(self, last_id: str) -> Response:
        """Ask for the stream of what the server says unasked, from after an event; the response, whatever it is."""
        fields = {"accept": "text/event-stream"}
        return await self.client.send(
            "GET", self.url, self._only({**fields, "last-event-id": last_id} if last_id else fields)
        )

    def _with(self, extra: Headers | None) -> Headers:
        return self.headers + extra if extra else self.headers

    def _only(self, fields: dict[str, str]) -> Headers:
        """The headers of a request without a body, with these instead of what they were."""
        instead = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
        return replaced(self.headers, instead, b"content-type")

    def spawn(self, work: Any) -> None:
        """Do something on the side (a cancellation, a reply to a ping)."""
        self._side.spawn(work)

    async def settle(self, seconds: float) -> None:
        """Wait a little for what is done on the side, and hear no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.stop()
        await self._side.settle(seconds)

    async def _read(self, response: Response, limit: int) -> bytes:
        try:
            return await body_of(response, limit)
        except SessionError:
            raise
        except Exception as error:
            raise self.client.failure(error, self.url) from error

    def _parsed(self, data: bytes) -> Any:
        try:
            return parse(data)
        except ValueError as error:
            raise SessionError(f"{self.server} answers with malformed JSON: {error}") from error

    def _reply(self, message: Any, request_id: int, inbox: Callable[[Any], None]) -> dict[str, Any] | None:
        """The reply to the request among what came, everything else goes to the inbox."""
        found = None
        for part in message if message.__class__ is list else (message,):
            if part.__class__ is not dict:
                continue
            if "method" in part:
                inbox(part)
            elif found is None:
                error = error_of(part)
                known = part.get("id")
                ours = known.__class__ is int and known == request_id and ("result" in part or error is not None)
                if ours or (known is None and error is not None):
                    found = part
        return found

    async def _refused(self, response: Response, request_id: int | None) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.limits.refusal_seconds):
                body = await body_of(response, self.limits.refusal)
        except Exception:
            body = b""
        meant = refusal(
            response.status_code,
            response.fields,
            body,
            request_id=request_id,
            in_session=self.session_id is not None,
            server=self.server,
            credential=self.credential,
        )
        if isinstance(meant, dict):
            return meant
        raise meant

    async def _streamed(self, response: Response, request_id: int, inbox: Callable[[Any], None]) -> dict[str, Any]:
        """The reply from a stream of events, taken up again where it broke as long as the server keeps it."""
        limits = self.limits
        reader = SseReader(limits.line, limits.event)
        failures = 0
        while True:
            seen = reader.last_id
            try:
                reply, broken = await self._events(response, reader, request_id, inbox)
            finally:
                response.close()
            if reply is not None:
                return reply
            if not reader.last_id or not self.resumable:
                raise MaybeSent(SessionError(f"{self.server} {broken} before the answer", code="session/unavailable"))
            failures = 0 if reader.last_id != seen else failures + 1
            while True:
                if failures >= limits.reconnects:
                    raise MaybeSent(
                        SessionError(f"{self.server} {broken}, and it could not be resumed", code="session/unavailable")
                    )
                asked = None if reader.retry is None else reader.retry / 1000
                pause = _RECONNECT_PAUSE * 2**failures if asked is None else asked
                await asyncio.sleep(min(pause, limits.reconnect_seconds))
                resumed = await self._resume(reader.last_id)
                if resumed is not None:
                    response = resumed
                    reader = self._reader_after(reader)
                    break
                failures += 1

    def _reader_after(self, reader: SseReader) -> SseReader:
        limits = self.limits
        fresh = SseReader(limits.line, limits.event)
        fresh.last_id, fresh.retry = reader.last_id, reader.retry
        return fresh

    async def _resume(self, last_id: str) -> Response | None:
        """The stream again, from after an event; None if it may work later."""
        try:
            response = await self.listen_from(last_id)
        except (NotSent, MaybeSent):
            return None
        if response.status_code == 200 and response.fields.get("content-type", "").startswith("text/event-stream"):
            return response
        response.close()
        if response.status_code >= 500 or response.status_code == 429:
            return None
        raise MaybeSent(
            SessionError(
                f"the stream from {self.server} broke and cannot be resumed ({response.status_code})",
                code="session/unavailable",
            )
        )

    async def _events(
        self, response: Response, reader: SseReader, request_id: int, inbox: Callable[[Any], None]
    ) -> tuple[dict[str, Any] | None, str]:
        """Read one response's events: (the reply, "") or (None, how the stream came to its end)."""
        body = Body(response, self.limits.body)
        try:
            while piece := await body.next():
                for data in reader.feed(piece):
                    reply = self._reply(self._parsed(data), request_id, inbox)
                    if reply is not None:
                        await self._finish(body)
                        return reply, ""
            return None, "ended the stream"
        except (SessionError, asyncio.CancelledError):
            raise
        except TooLarge as error:
            raise SessionError(f"{self.server}: {error}", code="session/too-large") from error
        except Exception as error:
            logger.debug("%s: the stream broke: %s", self.server, error)
            return None, "broke the stream"

    async def _finish(self, body: Body) -> None:
        """Read the end of a stream whose reply has come, so that its connection can serve the next request."""
        try:
            async with asyncio.timeout(_LAST_PIECE_SECONDS):
                await body.next()
        except Exception:
            pass


class Listener:
    """channel: of the session. inbox: gets each message."""

    def __init__(self, channel: HttpChannel, inbox: Callable[[dict[str, Any]], None]) -> None:
        self._channel = channel
        self._inbox = inbox
        self._answered = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def begun(self) -> None:
        """Wait a moment until the server has taken the stream, or refused it."""
        try:
            async with asyncio.timeout(_LISTEN_WAIT):
                await self._answered.wait()
        except TimeoutError:
            pass

    async def stop(self) -> None:
        """Close the stream."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _listen(self) -> None:
        channel, limits = self._channel, self._channel.limits
        last_id, failures = "", 0
        try:
            while failures <= limits.reconnects:
                reader = SseReader(limits.line, limits.event)
                reader.last_id = last_id
                began = monotonic()
                if not await self._stream(reader):
                    return
                lasted = monotonic() - began > _LISTEN_LASTED or reader.last_id != last_id
                failures = 0 if lasted else failures + 1
                last_id = reader.last_id
                pause = _LISTEN_PAUSE * 2**failures if reader.retry is None else reader.retry / 1000
                await asyncio.sleep(min(pause, limits.reconnect_seconds))
        except Exception as error:
            logger.debug("%s: the stream for what it says unasked ended: %s", channel.server, error)
        finally:
            self._answered.set()

    async def _stream(self, reader: SseReader) -> bool:
        """Read one response to its end; False if there is no such stream."""
        channel = self._channel
        response = await channel.listen_from(reader.last_id)
        try:
            if response.status_code != 200 or not response.fields.get("content-type", "").startswith(
                "text/event-stream"
            ):
                return response.status_code >= 500 and response.status_code != 501
            self._answered.set()
            body = Body(response, _ENDLESS)  # one event is bounded, the stream is as long as the session
            while piece := await self._piece(body):
                for data in reader.feed(piece):
                    try:
                        message = parse(data)
                    except ValueError as error:
                        logger.debug("%s: no message: %s", channel.server, error)
                        continue
                    for part in message if isinstance(message, list) else (message,):
                        if isinstance(part, dict) and isinstance(part.get("method"), str):
                            self._inbox(part)
            return True
        finally:
            response.close()

    async def _piece(self, body: Body) -> bytes:
        """The next piece of the stream; b"" also where it breaks, for it can be taken up again."""
        try:
            return await body.next()
        except SessionError:
            raise
        except Exception as error:
            logger.debug("%s: the stream for what it says unasked broke: %s", self._channel.server, error)
            return b""
