"""A scheduler on an asyncio loop: its turns are callbacks of the loop, which all runs there share.

Must not know what runs. Invariants: in one round of the loop, runs take `ROUND` seconds together and then at most the
turn that is under way; they have their turns in the order in which something came for them, so none is kept out by
others; fibers step in the context of the task that waits for the run.

A callback for each turn instead of a task that wakes up: a call costs a third of the loop's time that way, and a
thousand runs cost one round of the loop, not a thousand.
"""

from __future__ import annotations

from collections import deque
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, TimerHandle

    from rtfs.host.scheduler.scheduler import Fiber, Scheduler

ROUND = 0.005
TURN = 0.01
"""Seconds for which the fibers of one scheduler step before others have their turn; a step may take as long again."""


class Share:
    """The time that runs have on one event loop."""

    __slots__ = ("_loop", "_pumping", "_queue")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[LoopDriver] = deque()
        self._pumping = False

    def add(self, driver: LoopDriver) -> None:
        """Give a driver a turn when those before it have had theirs."""
        self._queue.append(driver)
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        queue = self._queue
        now = monotonic()
        until = now + ROUND
        for _ in range(len(queue)):
            queue.popleft().turn(now)
            now = monotonic()
            if now > until:
                break
        if queue:
            self._loop.call_soon(self._pump)
        else:
            self._pumping = False


_shares: WeakKeyDictionary[AbstractEventLoop, Share] = WeakKeyDictionary()


def share_of(loop: AbstractEventLoop) -> Share:
    """The share of the runs on a loop."""
    share = _shares.get(loop)
    if share is None:
        share = _shares[loop] = Share(loop)
    return share


class LoopDriver:
    """Drives a scheduler until a fiber of it is done, by turns of a `Share`. ringing: done when the task that waits has
    to look. error: what ended the scheduler in a turn, or None."""

    __slots__ = ("_alarm", "_context", "_fiber", "_loop", "_queued", "_scheduler", "_share", "error", "ringing")

    def __init__(self, scheduler: Scheduler, fiber: Fiber, loop: AbstractEventLoop) -> None:
        self._scheduler = scheduler
        self._fiber = fiber
        self._loop = loop
        self._share = share_of(loop)
        self._context = copy_context()
        self.ringing: Future[None] = loop.create_future()
        self._alarm: TimerHandle | None = None
        self._queued = False
        self.error: BaseException | None = None

    async def look(self) -> None:
        """In the task that waits: have the scheduler's `idle` find something to do, and turns follow."""
        scheduler = self._scheduler
        idle = scheduler.idle
        while idle is not None and (work := idle()) is not None:
            await self._loop.run_in_executor(None, work)
        self.ringing = self._loop.create_future()
        if scheduler.busy:
            self.queue()
        else:
            self._set_alarm()

    def end(self) -> None:
        """Nothing waits any more."""
        self.ringing.cancel()
        self.error = None
        if self._alarm is not None:
            self._alarm.cancel()

    def queue(self) -> None:
        """Something has come: the scheduler wants a turn."""
        if not self._queued:
            self._queued = True
            self._share.add(self)

    def ring(self) -> None:
        """`queue`, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self.queue)
        except RuntimeError:  # the loop has closed: nothing waits any more
            pass

    def turn(self, now: float) -> None:
        """Let the fibers step, and see to what comes next."""
        self._queued = False
        if self.ringing.done():
            return  # the task has the word, and looks at what has come
        try:
            self._context.run(self._step, now)
        except BaseException as error:
            self.error = error
            self.ringing.set_result(None)

    def _step(self, now: float) -> None:
        scheduler = self._scheduler
        scheduler.turn(now + TURN)
        if self._fiber.done:
            self.ringing.set_result(None)
        elif scheduler.busy:
            self.queue()
        elif scheduler.asks_when_idle:
            self.ringing.set_result(None)
        else:
            self._set_alarm()

    def _set_alarm(self) -> None:
        """Have a turn when the next timer is due."""
        pause = self._scheduler.pause()
        if pause is None:
            return
        when, alarm = self._loop.time() + pause, self._alarm
        if alarm is not None:
            if self._loop.time() < alarm.when() <= when:
                return
            alarm.cancel()
        self._alarm = self._loop.call_at(when, self.queue)
