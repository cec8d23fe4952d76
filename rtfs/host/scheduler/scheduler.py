"""Fibers: coroutines that the host drives itself, so that a run needs no event loop until something really awaits.

Must not know programs, calls or capabilities. Invariants: fibers of one scheduler run in one thread, one at a time, so
guest code stays in the thread that started it; a fiber that never suspends costs no more than a function call; what
other threads finish comes in through `post` only; a cancelled fiber has unwound before `cancel` returns, or before
anything else steps after `drop`.
"""

from __future__ import annotations

from time import monotonic

from rtfs.host.stop import Stop
from rtfs.machine import remains
from rtfs.syntax.collector import CollectorPaused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
    from typing import Any, Protocol

    from rtfs.host.scheduler.on_loop import LoopDriver
    from rtfs.values import UserError

    class Link(Protocol):
        """A pipe to another process, whose messages wake fibers."""

        def receive(self) -> None:
            """Take in what has come, without waiting."""

        def wait(self, seconds: float | None) -> None:
            """Send what is to be sent, and wait until something comes, or rings, at most for so many seconds."""

        def ring(self) -> None:
            """End a `wait`. From any thread."""

        @property
        def pending(self) -> bool:
            """Whether `receive` has left something for the next time."""

        @property
        def quiet(self) -> bool:
            """Whether the other process waits too, or has computed for so long that one need not wait for it."""

    Timer = list[Any]  # [moment, number, action or None]
else:
    from _collections import deque  # `collections` costs a millisecond


PART = 0.01
"""Seconds of unwinding between two turns of an event loop."""

_NO_TIMERS: list[Timer] = []
"""The timers of a scheduler that never had one."""
_NO_DROPS: deque[tuple[Iterator[None], Callable[[], None]]] = deque()
"""What a scheduler drops that never dropped anything: a deque of its own takes 600 bytes."""


def _nothing() -> None:
    """What follows where nothing does."""


class Suspension:
    """An awaitable that suspends a fiber. `begin` starts it; the code that finishes it calls `Scheduler.wake` or, from
    another thread, `post`."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self)

    if TYPE_CHECKING:

        def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
            """Start; every kind brings its own. An exception here is raised in the fiber."""

    @property
    def children(self) -> Sequence[Fiber]:
        """The fibers that this one waits for."""
        return ()

    def resolve(self, scheduler: Scheduler, fiber: Fiber, value: Any, error: BaseException | None) -> None:
        """Something was posted for the fiber, which waits for this: go on with it."""
        scheduler.wake(fiber, value, error)

    def cancel(self, scheduler: Scheduler) -> None:
        """The fiber no longer waits: give up what was started."""


class Fiber:
    """A running coroutine. After `done`: `value`, or `error` if not None."""

    __slots__ = ("coroutine", "done", "error", "then", "value", "waiting")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], then: Callable[[Fiber], None] | None = None) -> None:
        self.coroutine = coroutine
        self.then = then
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.waiting: Suspension | None = None


class Scheduler:
    """Runs fibers until the root one is done.

    engine: has `.loop()`, the event loop for awaiting work, started at the first use. home: the asyncio loop that
    drives this scheduler from within (`arun`), or None. idle: called when no fiber can go on by itself; it may wake
    some, or give work that blocks, to be done before it is called again. link: where messages come from that wake
    fibers, or None. awaits: what the task that drives the scheduler awaits for the only fiber there is, or None.
    """

    __slots__ = (
        "_count",
        "_dead",
        "_driver",
        "_drops",
        "_ending",
        "_inbox",
        "_link",
        "_ready",
        "_root",
        "_timers",
        "_unwinding",
        "awaits",
        "engine",
        "home",
        "idle",
    )

    def __init__(self, engine: Any, home: Any = None) -> None:
        self.engine = engine
        self.home = home
        self._ready: deque[tuple[Fiber, Any, BaseException | None]] = deque()
        self._timers: list[Timer] = _NO_TIMERS
        self._count = 0
        self._dead = 0
        self._ending: BaseException | None = None
        self._unwinding = False
        self._drops = _NO_DROPS
        self._inbox: Any = None
        self.idle: Callable[[], Callable[[], None] | None] | None = None
        self._link: Link | None = None
        self._driver: LoopDriver | None = None
        self._root: Fiber | None = None
        self.awaits: Any = None

    def attach(self, link: Link | None) -> Callable[[], None]:
        """Take in the messages of a link from now on, of none with None. What the link calls when something has come
        while an event loop drives."""
        self._link = link
        return self._ring

    def spawn(self, coroutine: Coroutine[Any, Any, Any], then: Callable[[Fiber], None] | None = None) -> Fiber:
        """A fiber that starts when the scheduler gets to it; `then(fiber)` is called when it is done."""
        fiber = Fiber(coroutine, then)
        self._ready.append((fiber, None, None))
        return fiber

    def start(self, coroutine: Coroutine[Any, Any, Any], then: Callable[[Fiber], None] | None = None) -> Fiber:
        """`spawn`, with its first step now: for the link, which takes in a message when no fiber runs."""
        fiber = Fiber(coroutine, then)
        self._step(fiber, None, None)
        return fiber

    def wake(self, fiber: Fiber, value: Any = None, error: BaseException | None = None) -> None:
        """Go on with a waiting fiber, with a value or an error. Only from the scheduler's thread."""
        fiber.waiting = None
        self._ready.append((fiber, value, error))

    def inbox(self) -> Any:
        """The queue behind `post`; made before anything is started that may post."""
        if self._inbox is None:
            from queue import SimpleQueue

            self._inbox = SimpleQueue()
        return self._inbox

    def post(self, fiber: Fiber, waited: Suspension, value: Any, error: BaseException | None) -> None:
        """Go on with a fiber that still waits for `waited`. From any thread."""
        self._inbox.put((fiber, waited, value, error))
        self._ring()

    def _ring(self) -> None:
        """Something has come: whatever drives looks. From any thread."""
        driver, link = self._driver, self._link
        if driver is not None:
            driver.ring()
        elif link is not None and self.home is None:
            link.ring()

    def arrive(self, fiber: Fiber, waited: Suspension, value: Any, error: BaseException | None) -> None:
        """`post`, from the thread of the event loop that drives the scheduler."""
        if fiber.waiting is waited and not fiber.done:
            waited.resolve(self, fiber, value, error)
            if self._driver is not None:
                self._driver.queue()

    def interrupt(self, error: UserError) -> None:
        """End everything with a Stop of this error, wherever it is. From any thread, once there is an inbox."""
        self._inbox.put((None, None, None, Stop(error)))
        self._ring()

    def at(self, moment: float, action: Callable[[], None]) -> Timer:
        """Call `action` at `moment` (of time.monotonic), from the scheduler's loop, unless `forget` is told of it."""
        from heapq import heappush

        self._count += 1
        if not self._timers:
            self._timers = []
        timer: Timer = [moment, self._count, action]
        heappush(self._timers, timer)
        return timer

    def forget(self, timer: Timer) -> None:
        """A timer is no longer wanted."""
        timer[2] = None
        self._dead += 1
        if self._dead > 100 and self._dead * 2 > len(self._timers):
            from heapq import heapify

            self._timers = [kept for kept in self._timers if kept[2] is not None]
            heapify(self._timers)
            self._dead = 0

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, blocking this thread. Whatever ends it ends everything else as well."""
        fiber = self.spawn(coroutine)
        try:
            while True:
                self.turn()
                if fiber.done:
                    break
                if self.asks_when_idle and self.idle is not None:
                    while (work := self.idle()) is not None:
                        work()
                    if self._ready:
                        continue
                self._wait()
        except BaseException as error:
            self._ending = error
            self.cancel(fiber)
            raise
        if fiber.error is not None:
            raise fiber.error
        return fiber.value

    async def drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end from within the running asyncio loop, which gets its turn in between."""
        from asyncio import CancelledError, current_task, get_running_loop

        from rtfs.host.scheduler.on_loop import LoopDriver, error_of_await

        fiber = self.spawn(coroutine)
        driver = self._driver = LoopDriver(self, fiber, get_running_loop())
        task = current_task()
        assert task is not None
        self._root = fiber
        try:
            driver.queue()
            while True:
                if not driver.rung:
                    await driver.ringing()
                if driver.error is not None:
                    raise driver.error
                if fiber.done:
                    break
                if self.awaits is None:
                    await driver.look()
                    continue
                awaited, self.awaits = self.awaits, None
                cancels = task.cancelling()
                try:
                    value, failure = await awaited, None
                except BaseException as error:
                    value, failure = None, error_of_await(error, task.cancelling() > cancels)
                if task.cancelling() > cancels:
                    raise CancelledError
                self.wake(fiber, value, failure)
                driver.go_on()
        except BaseException as error:
            self._ending = error
            if not isinstance(error, GeneratorExit):
                await self._cancel_in_turns(fiber)
            self.cancel(fiber)
            raise
        finally:
            driver.end()
            self._driver = None
        if fiber.error is not None:
            raise fiber.error
        return fiber.value

    def is_alone(self, fiber: Fiber) -> bool:
        """Whether nothing but this fiber can happen here until it is woken, so that the task that drives the scheduler
        can wait for it alone."""
        return (
            fiber is self._root
            and not self._ready
            and not self._timers
            and self._inbox is None
            and self._link is None
            and self.idle is None
        )

    @property
    def busy(self) -> bool:
        """Whether a turn would find something to do now."""
        if self._ready or self._drops or (self._link is not None and self._link.pending):
            return True
        return self._inbox is not None and not self._inbox.empty()

    @property
    def asks_when_idle(self) -> bool:
        """Whether `idle` is to be called when nothing is ready."""
        return self.idle is not None and (self._link is None or self._link.quiet)

    def cancel(self, fiber: Fiber) -> None:
        """Unwind a fiber, whatever it waits for; it is done afterwards and `then` is not called. Where everything ends
        with an exception, every fiber unwinds with it. Python's collector rests meanwhile: it would look through
        thousands of fibers that are gone a moment later."""
        if self._unwinding:
            for _ in self._unwound([fiber]):
                pass
        else:
            self.drop([fiber], _nothing)
            self._advance(None)

    def drop(self, fibers: Sequence[Fiber], then: Callable[[], None]) -> None:
        """`cancel` fibers in the next turns, one after the other, and call `then` when all have unwound: thousands take
        long, and an event loop that drives has its turn meanwhile. No fiber steps before that."""
        if not self._drops:
            self._drops = deque()
        self._drops.append((self._unwound(fibers), then))

    async def _cancel_in_turns(self, fiber: Fiber) -> None:
        """`cancel`, while the event loop has its turn now and then, unless this is cancelled itself."""
        from asyncio import CancelledError, sleep

        self.drop([fiber], _nothing)
        try:
            while not self._advance(monotonic() + PART):
                await sleep(0)
        except CancelledError:
            pass

    def _advance(self, until: float | None) -> bool:
        """Unwind what is dropped, up to a moment; whether that was all."""
        self._unwinding = True
        try:
            with CollectorPaused():
                while self._drops:
                    unwound, then = self._drops[0]
                    for _ in unwound:
                        if until is not None and monotonic() > until:
                            return False
                    self._drops.popleft()
                    then()
        finally:
            self._unwinding = False
        return True

    def _unwound(self, fibers: Sequence[Fiber]) -> Iterator[None]:
        """Unwind fibers, what each waits for first, and free what their programs held."""
        left: list[tuple[Fiber, bool]] = [(fiber, False) for fiber in reversed(fibers)]
        while left:
            fiber, alone = left.pop()
            if alone:
                self._unwind(fiber)
                yield
            elif not fiber.done:
                fiber.done = True
                left.append((fiber, True))
                if fiber.waiting is not None:
                    left += [(child, False) for child in reversed(fiber.waiting.children)]
        yield from remains.pending()

    def _unwind(self, fiber: Fiber) -> None:
        waiting, fiber.waiting, fiber.then = fiber.waiting, None, None
        if waiting is not None:
            waiting.cancel(self)
        coroutine = fiber.coroutine
        if getattr(coroutine, "cr_running", False):
            return
        if self._ending is not None and getattr(coroutine, "cr_frame", None) is not None:
            try:
                coroutine.throw(self._ending)
            except BaseException:  # that is how it unwinds
                return
        coroutine.close()

    def turn(self, until: float | None = None) -> None:
        """Step fibers until none is ready (or for one round, up to a moment), taking in what has come due."""
        ready = self._ready
        while True:
            if self._drops and not self._advance(until):
                return
            if self._inbox is not None:
                self._collect()
            if self._timers:
                self._fire()
            if self._link is not None:
                self._link.receive()
            if self._drops:
                continue
            if not ready:
                return
            for _ in range(len(ready)):
                fiber, value, error = ready.popleft()
                if not fiber.done:
                    self._step(fiber, value, error)
                    if self._drops:
                        break
                if until is not None and monotonic() > until:
                    return
            if until is not None:
                return

    def _step(self, fiber: Fiber, value: Any, error: BaseException | None) -> None:
        try:
            suspension = fiber.coroutine.send(value) if error is None else fiber.coroutine.throw(error)
        except StopIteration as stop:
            fiber.value = stop.value
        except Exception as failure:
            # without this call, which knows the fiber: each would keep the other
            fiber.error = failure.with_traceback(failure.__traceback__ and failure.__traceback__.tb_next)
        else:
            fiber.waiting = suspension
            try:
                suspension.begin(self, fiber)
            except Exception as failure:
                self.wake(fiber, None, failure)
            return
        fiber.done = True
        then, fiber.then = fiber.then, None
        if then is not None:
            then(fiber)

    def _collect(self) -> None:
        inbox = self._inbox
        while not inbox.empty():  # only this thread takes anything out
            self._take(*inbox.get_nowait())

    def _take(self, fiber: Any, waited: Any, value: Any, error: BaseException | None) -> None:
        """Something came into the inbox."""
        if fiber is None and error is not None:
            raise error
        if fiber.waiting is waited and not fiber.done:
            waited.resolve(self, fiber, value, error)

    def _fire(self) -> None:
        from heapq import heappop

        now = monotonic()
        while self._timers and (self._timers[0][0] <= now or self._timers[0][2] is None):
            timer = heappop(self._timers)
            action, timer[2] = timer[2], None
            if action is None:
                self._dead -= 1
            else:
                action()

    def pause(self) -> float | None:
        """Seconds until the next timer is due, or None."""
        return max(0.0, self._timers[0][0] - monotonic()) if self._timers else None

    def _wait(self) -> None:
        """Block until something is posted or due."""
        pause = self.pause()
        if self._link is not None:
            if not self._link.pending:
                self._link.wait(pause)
            return
        from queue import Empty

        try:
            fiber, waited, value, error = self.inbox().get(timeout=pause)
        except Empty:
            return
        self._take(fiber, waited, value, error)
