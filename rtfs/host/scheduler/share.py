"""How the runs on one event loop share its time with everything else there.

Must not know what runs. Invariants: in one round of the loop, runs take `ROUND` seconds together and then at most the
slice that is under way; a run that had to wait goes before those that come later, so none is kept out by others.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

ROUND = 0.005


class Share:
    """The time that runs have on one event loop. `used`: seconds of this round of the loop."""

    __slots__ = ("_loop", "_pumping", "_waiting", "used")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Future[None]] = deque()
        self._pumping = False
        self.used = 0.0

    async def enter(self) -> float:
        """Wait until there is time for a run; when that is."""
        if self._waiting or self.used > ROUND:
            future = self._loop.create_future()
            self._waiting.append(future)
            self._next_round()
            await future
        return monotonic()

    def leave(self, entered: float) -> None:
        """A run has had its turn."""
        self.used += monotonic() - entered
        self._next_round()

    def _next_round(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self.used = 0.0
        self._pumping = False
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                self._next_round()
                return


_shares: WeakKeyDictionary[AbstractEventLoop, Share] = WeakKeyDictionary()


def share_of(loop: AbstractEventLoop) -> Share:
    """The share of the runs on a loop."""
    share = _shares.get(loop)
    if share is None:
        share = _shares[loop] = Share(loop)
    return share
