"""`subscriptions/listen`: the stream over which a server of the sessionless era says what has changed.

Must not know pools or RTFS values. Invariants: a list of tools that is kept while the stream is open is dropped when
the server says that it has changed, and also when the stream was away for a while; one that refuses the stream is not
asked again in the same session; nothing is left of it once the session has ended.

Source: MCP specification, basic/patterns/subscriptions (2026-07-28).
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionExpired
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.wire.json import encode
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.session import McpSession

logger = logging.getLogger("rtfs.mcp")

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
TOOLS = "toolsListChanged"
_ACKNOWLEDGED_SECONDS = 1.0
"""For the server to take the subscription before its tools are listed all the same."""
_PAUSE = 0.5
_RECONNECTS = 4
"""Streams that may end early, one after the other, before no further one is asked for."""
_LASTED = 3.0
"""A stream that was open for so many seconds has not failed if a server or proxy ends it then."""


async def listen(session: McpSession, notifications: dict[str, Any]) -> None:
    """Hear of changes until cancelled, or until the server ends the stream. notifications: the filter. Raises what
    requests raise, HostError for a server that refuses."""
    error = error_of(await session.request("subscriptions/listen", b'"notifications":' + encode(notifications)))
    if error is not None:
        raise reply_error(error, "subscriptions/listen", known=True)


class ToolWatch:
    """Hears whether a server's list of tools changes."""

    def __init__(self, session: McpSession) -> None:
        self._session = session
        self._acknowledged = asyncio.Event()
        self._away = False
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def begun(self) -> None:
        """Wait a moment until the server has taken the subscription, or refused it: what is listed then and changes
        later is heard of."""
        try:
            async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
                await self._acknowledged.wait()
        except TimeoutError:
            pass

    def acknowledged(self) -> None:
        """The server has taken it. What was listed before a stream that broke may have changed since."""
        if self._away:
            self._session.toolbox.forget()
        self._acknowledged.set()

    async def stop(self) -> None:
        """End the subscription."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _watch(self) -> None:
        session, failures = self._session, 0
        try:
            while failures <= _RECONNECTS and session.usable:
                began = monotonic()
                try:
                    await listen(session, {TOOLS: True})
                except (NotSent, MaybeSent) as signal:
                    logger.debug("%s: the subscription broke: %s", session.label, signal.error.message)
                failures = 0 if monotonic() - began > _LASTED else failures + 1
                self._away = True
                await asyncio.sleep(_PAUSE * 2**failures)
        except (HostError, SessionExpired) as error:
            logger.debug("%s: no subscription: %s", session.label, error)
        finally:
            session.toolbox.forget()
            self._acknowledged.set()
