"""The background work of a channel: cancellations, replies to a server's requests.

Must not know what the work is. Invariant: nothing done on the side outlives its channel, and nothing it raises is lost
silently (it is logged) or harms a call.
"""

from __future__ import annotations

import asyncio
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

logger = logging.getLogger("rtfs.mcp")

_MOST = 256


class Background:
    """Tasks of one channel. name: for the log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin some work, unless a server has made us do far too much of it already."""
        if len(self._tasks) >= _MOST:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, seconds: float) -> None:
        """Wait a little for what was begun, then drop it."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _quietly(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:
            logger.debug("%s: %s", self.name, error)
