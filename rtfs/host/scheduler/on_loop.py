"""A scheduler on an asyncio loop: its turns are callbacks of the loop, which all runs there share.

Must not know what runs. Invariants: in one round of the loop, runs take `ROUND` seconds together and then at most the
turn that is under way; those that found no time left have their turns in the order in which something came for them,
before any other, so none is kept out by others; fibers step in the context of the task that waits for the run.

A run that finds time left has its turn at once, where something came for it. The others wait in one queue with one
callback for all of them, so a thousand runs cost one round of the loop, not a thousand.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from rtfs.machine import memory
from rtfs.values import HostError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, TimerHandle

    from rtfs.host.scheduler.scheduler import Fiber, Scheduler

ROUND = 0.005
TURN = 0.01
"""Seconds for which the fibers of one scheduler step before others have their turn; a step may take as long again."""
MANY = 100
"""Runs at once from which on what they hold is set aside from Python's collector, after each so many turns, and at most
once for each so many runs: what else is there at that moment, garbage included, waits as well."""
UNCOUNTED = 0.001
"""Seconds that runs may take before the share looks where a round of the loop ends, which is a callback."""


class Share:
    """The time that runs have on one event loop."""

    __slots__ = ("_aside", "_loop", "_pumping", "_queue", "_runs", "_spent", "_turning", "_turns")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[LoopDriver] = deque()
        self._pumping = False
        self._turning = False
        self._spent = 0.0
        self._runs = 0
        self._turns = 0
        self._aside = 0

    def enter(self) -> None:
        """A run begins."""
        self._runs += 1

    def leave(self) -> None:
        """A run is over."""
        self._runs -= 1
        if self._aside and self._runs < MANY // 2:
            self._aside = self._turns = 0
            memory.waited()

    def add(self, driver: LoopDriver) -> None:
        """Give a driver a turn: now, if there is time left in this round, else like `wait`."""
        if self._queue or self._turning or self._spent > ROUND:
            self.wait(driver)
            return
        self._turning = True
        now = monotonic()
        driver.turn(now)
        self._spent += monotonic() - now
        self._turning = False
        if self._spent > UNCOUNTED:
            self._watch()

    def wait(self, driver: LoopDriver) -> None:
        """Give a driver a turn in a later round, when those before it have had theirs."""
        self._queue.append(driver)
        self._watch()

    def _watch(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """A new round: those that wait have their turns."""
        queue, self._pumping, self._turning = self._queue, False, True
        began = now = monotonic()
        before = len(queue)
        for _ in range(before):
            queue.popleft().turn(now)
            now = monotonic()
            if now - began > ROUND:
                break
        self._turning = False
        if self._runs >= MANY and self._aside < self._runs // MANY:
            self._turns += before - len(queue)
            if self._turns >= MANY:
                self._turns = 0
                memory.wait_aside(first=not self._aside)
                self._aside += 1
        self._spent = now - began
        if queue or self._spent > UNCOUNTED:
            self._watch()


_shares: WeakKeyDictionary[AbstractEventLoop, Share] = WeakKeyDictionary()


def share_of(loop: AbstractEventLoop) -> Share:
    """The share of the runs on a loop."""
    share = _shares.get(loop)
    if share is None:
        share = _shares[loop] = Share(loop)
    return share


def error_of_await(error: BaseException, cancelled: bool) -> Exception:
    """The error that a program gets for what an awaited coroutine raised. cancelled: whether the task that awaits it
    was cancelled. Raises what ends the run."""
    if isinstance(error, Exception):
        return error
    if isinstance(error, CancelledError) and not cancelled:
        return HostError("the call was cancelled from outside", code="capability/cancelled")
    if isinstance(error, (CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)):
        raise error
    return HostError(f"it ended with {type(error).__name__}")


class LoopDriver:
    """Drives a scheduler until a fiber of it is done, by turns of a `Share`. rung: whether the task that waits has to
    look. error: what ended the scheduler in a turn, or None."""

    __slots__ = (
        "_alarm", "_context", "_fiber", "_loop", "_queued", "_ringing", "_scheduler", "_share", "error", "rung",
    )  # fmt: skip

    def __init__(self, scheduler: Scheduler, fiber: Fiber, loop: AbstractEventLoop) -> None:
        self._scheduler = scheduler
        self._fiber = fiber
        self._loop = loop
        self._share = share_of(loop)
        self._share.enter()
        self._context = copy_context()
        self._ringing: Future[None] | None = None
        self._alarm: TimerHandle | None = None
        self._queued = False
        self.rung = False
        self.error: BaseException | None = None

    def ringing(self) -> Future[None]:
        """Done when the task that waits has to look."""
        self._ringing = self._loop.create_future()
        return self._ringing

    async def look(self) -> None:
        """In the task that waits: have the scheduler's `idle` find something to do, and turns follow."""
        scheduler = self._scheduler
        idle = scheduler.idle
        while idle is not None and (work := idle()) is not None:
            await self._loop.run_in_executor(None, work)
        if scheduler.busy:
            self.go_on()
        else:
            self._ringing, self.rung = None, False
            self._set_alarm()

    def go_on(self) -> None:
        """In the task that waits: have the scheduler take a turn."""
        self._ringing, self.rung = None, False
        self.queue()

    def end(self) -> None:
        """Nothing waits any more."""
        self.rung = True
        self._share.leave()
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
        if self.rung or (self._ringing is not None and self._ringing.done()):
            self._queued = False
            return  # the task has the word, and looks at what has come
        try:
            self._context.run(self._step, now)
        except BaseException as error:
            self.error = error
            self._ring()

    def _step(self, now: float) -> None:
        scheduler = self._scheduler
        scheduler.turn(now + TURN)
        self._queued = False
        if self._fiber.done:
            self._ring()
        elif scheduler.busy:
            self._queued = True
            self._share.wait(self)
        elif scheduler.awaits is not None or scheduler.asks_when_idle:
            self._ring()
        else:
            self._set_alarm()

    def _ring(self) -> None:
        """Have the task look."""
        self.rung = True
        if self._ringing is not None:
            self._ringing.set_result(None)

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
