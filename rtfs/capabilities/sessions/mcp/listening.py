"""The stream on which a server of the handshake era speaks unasked: a GET that stays open as long as the session.

Must not know what is said. Invariants: it is opened only where somebody can be asked, for a question may come on it; it
never delays a session by more than a moment, never fails one, and ends with it.

Source: MCP specification, basic/transports, "Listening for Messages from the Server" (2025-03-26 to 2025-11-25).
"""

from __future__ import annotations

import asyncio
import logging

from rtfs.capabilities.sessions.handler import SessionError
from rtfs.capabilities.sessions.mcp.transport.sse import SseReader
from rtfs.capabilities.sessions.wire.http import Body, close, fields_of
from rtfs.capabilities.sessions.wire.json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.sessions.mcp.transport.http import HttpChannel

logger = logging.getLogger("rtfs.mcp")

_PAUSE = 0.5
_WAIT = 1.0
"""Seconds that the opening of a session waits for the server to take the stream."""


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
            async with asyncio.timeout(_WAIT):
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
                if not await self._stream(reader):
                    return
                failures = 0 if reader.last_id != last_id else failures + 1
                last_id = reader.last_id
                pause = _PAUSE * 2**failures if reader.retry is None else reader.retry / 1000
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
            fields = fields_of(response)
            if response.status_code != 200 or not fields.get("content-type", "").startswith("text/event-stream"):
                return response.status_code >= 500
            self._answered.set()
            body = Body(response, fields, channel.limits.body)
            try:
                while piece := await self._piece(body):
                    for data in reader.feed(piece):
                        message = parse(data)
                        for part in message if isinstance(message, list) else (message,):
                            if isinstance(part, dict) and isinstance(part.get("method"), str):
                                self._inbox(part)
            finally:
                await body.aclose()
            return True
        finally:
            await close(response)

    async def _piece(self, body: Body) -> bytes:
        """The next piece of the stream; b"" also where it breaks, for it can be taken up again."""
        try:
            return await body.next()
        except SessionError:
            raise
        except Exception as error:
            logger.debug("%s: the stream for what it says unasked broke: %s", self._channel.server, error)
            return b""
