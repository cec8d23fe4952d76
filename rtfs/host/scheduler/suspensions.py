"""The suspensions of fibers: time, its turn, other fibers, a coroutine on an event loop, a function in a thread.

Must not know calls or capabilities. Invariant: each wait can be given up at any moment and then leaves nothing behind
that anybody waits for (work in a thread cannot be stopped; its result is dropped).
"""

from __future__ import annotations

from time import monotonic

from rtfs.host.scheduler.scheduler import Fiber, Scheduler, Suspension
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence
    from contextvars import Context, copy_context
    from typing import Any
else:
    from _contextvars import copy_context  # `contextvars` is one more file to find

_NOTHING: dict[str, Any] = {}
HOME: Any = "the loop that drives the run, else the engine's"
"""The loop of what can run on any."""


class Turn(Suspension):
    """Let the others have their turn."""

    __slots__ = ()

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        scheduler.wake(fiber)


class Sleep(Suspension):
    """Wait for a number of seconds."""

    __slots__ = ("_timer", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._timer: Any = None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        def over() -> None:
            if fiber.waiting is self:
                scheduler.wake(fiber)

        self._timer = scheduler.at(monotonic() + self.seconds, over)

    def cancel(self, scheduler: Scheduler) -> None:
        scheduler.forget(self._timer)


class Within(Suspension):
    """Run a coroutine for at most some seconds; `late()` makes the error of one that takes longer. remaining: asked
    then whether there are seconds left after all."""

    __slots__ = ("_child", "_timer", "coroutine", "late", "remaining", "seconds")

    def __init__(
        self,
        seconds: float,
        coroutine: Coroutine[Any, Any, Any],
        late: Callable[[], BaseException],
        remaining: Callable[[], float | None] | None = None,
    ) -> None:
        self.seconds = seconds
        self.coroutine = coroutine
        self.late = late
        self.remaining = remaining
        self._child: Any = None
        self._timer: Any = None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        def finished(child: Fiber) -> None:
            scheduler.forget(self._timer)
            if fiber.waiting is self:
                scheduler.wake(fiber, child.value, child.error)

        def over() -> None:
            if fiber.waiting is not self:
                return
            left = None if self.remaining is None else self.remaining()
            if left is not None and left > 0:
                self._timer = scheduler.at(monotonic() + max(left, 0.01), over)
                return
            scheduler.drop([self._child], lambda: scheduler.wake(fiber, None, self.late()))

        self._timer = scheduler.at(monotonic() + self.seconds, over)
        self._child = scheduler.spawn(self.coroutine, finished)

    @property
    def children(self) -> Sequence[Fiber]:
        return () if self._child is None else (self._child,)

    def cancel(self, scheduler: Scheduler) -> None:
        scheduler.forget(self._timer)
        scheduler.cancel(self._child)


class Gather(Suspension):
    """Run coroutines concurrently, at most `width` at a time; the list of their values, in order.

    makers: functions that make the coroutines, called in order when there is room. The first error in time ends the
    wait and cancels the rest.
    """

    __slots__ = ("_children", "_next", "_open", "_values", "makers", "width")

    def __init__(self, makers: Sequence[Callable[[], Coroutine[Any, Any, Any]]], width: int) -> None:
        self.makers = makers
        self.width = width
        self._children: list[Fiber] = []
        self._values: list[Any] = [None] * len(makers)
        self._next = 0
        self._open = len(makers)

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        if not self.makers:
            scheduler.wake(fiber, [])
            return
        for _ in range(min(self.width, len(self.makers))):
            self._launch(scheduler, fiber)

    def _launch(self, scheduler: Scheduler, fiber: Fiber) -> None:
        index = self._next
        self._next += 1

        def finished(child: Fiber) -> None:
            if fiber.waiting is not self:
                return
            if child.error is not None:
                failed, error = self._children, child.error
                self._children = []
                scheduler.drop(failed, lambda: scheduler.wake(fiber, None, error))
                return
            self._children.remove(child)
            self._values[index] = child.value
            self._open -= 1
            if self._open == 0:
                scheduler.wake(fiber, self._values)
            elif self._next < len(self.makers):
                self._launch(scheduler, fiber)

        self._children.append(scheduler.spawn(self.makers[index](), finished))

    @property
    def children(self) -> Sequence[Fiber]:
        return self._children

    def cancel(self, scheduler: Scheduler) -> None:
        children, self._children = self._children, []
        for child in children:
            scheduler.cancel(child)


class OnLoop(Suspension):
    """Run a coroutine on an asyncio loop: `loop`, or the engine's. `HOME`: that of `arun`, which needs no other thread.

    make: makes the coroutine, on that loop's thread, of `arguments` and `keywords`. Where nothing else happens in its
    run, the task that drives the run awaits the coroutine itself; else it has a task. Raises HostError
    `runtime/deadlock` where this thread is the one that would have to run it.
    """

    __slots__ = ("_fiber", "_given_up", "_loop", "_scheduler", "_task", "arguments", "keywords", "loop", "make")

    def __init__(
        self,
        make: Callable[..., Coroutine[Any, Any, Any]],
        loop: Any = None,
        arguments: tuple[Any, ...] = (),
        keywords: dict[str, Any] = _NOTHING,
    ) -> None:
        self.make = make
        self.loop = loop
        self.arguments = arguments
        self.keywords = keywords
        self._loop: Any = None
        self._task: Any = None
        self._scheduler: Any = None
        self._fiber: Any = None
        self._given_up = False

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        loop = self.loop
        if loop is None or loop is HOME:
            loop = (scheduler.home if loop is HOME else None) or scheduler.engine.loop()
        context = copy_context()
        if scheduler.home is loop and scheduler.is_alone(fiber) and self.__class__ is OnLoop:
            scheduler.awaits = _InContext(context, self.make, self.arguments, self.keywords)
            return
        self._loop, self._scheduler, self._fiber = loop, scheduler, fiber
        if scheduler.home is loop:
            self._start(context)
            return
        scheduler.inbox()
        if scheduler.home is None and _running_here(loop):
            raise HostError(
                "this would wait for the event loop that is running here: use `await rt.arun(…)`",
                code="runtime/deadlock",
            )
        if not loop.is_running():
            raise HostError(
                "the event loop where this capability was registered, or its runtime was entered, is not running",
                code="capability/unreachable",
            )
        loop.call_soon_threadsafe(self._start_there, context)

    def _start(self, context: Context) -> None:
        """Start the task; on the loop's thread."""
        task = self._task = self._loop.create_task(self.make(*self.arguments, **self.keywords), context=context)
        task.add_done_callback(self._finished)

    def _start_there(self, context: Context) -> None:
        """`_start`, where the scheduler is in another thread."""
        if self._given_up:
            return
        try:
            self._start(context)
        except BaseException as error:
            self._scheduler.post(self._fiber, self, None, error)

    def _finished(self, task: Any) -> None:
        value: Any = None
        error: BaseException | None
        if task.cancelled():
            error = HostError("the call was cancelled from outside", code="capability/cancelled")
        else:
            error = task.exception()
            if error is None:
                value = task.result()
            elif not isinstance(error, Exception):
                error = HostError(f"it ended with {type(error).__name__}")
        self._task = None
        scheduler = self._scheduler
        answer = scheduler.arrive if scheduler.home is self._loop else scheduler.post
        answer(self._fiber, self, value, error)

    def cancel(self, scheduler: Scheduler) -> None:
        self._given_up = True
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stop)
        except RuntimeError:  # closed: its tasks are gone
            pass

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _InContext:
    """Awaited, the value of the coroutine that `make` makes, in a context of its own."""

    __slots__ = ("arguments", "context", "keywords", "make")

    def __init__(
        self,
        context: Context,
        make: Callable[..., Coroutine[Any, Any, Any]],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        self.context = context
        self.make = make
        self.arguments = arguments
        self.keywords = keywords

    def __await__(self) -> Generator[Any, Any, Any]:
        context = self.context
        running = context.run(self.make, *self.arguments, **self.keywords)
        error: BaseException | None = None
        while True:
            try:
                found = context.run(running.send, None) if error is None else context.run(running.throw, error)
            except StopIteration as stop:
                return stop.value
            finally:
                error = None  # its traceback knows this frame
            try:
                yield found
            except GeneratorExit:
                context.run(running.close)
                raise
            except BaseException as thrown:
                error = thrown


class InThread(Suspension):
    """Run a function in a new thread."""

    __slots__ = ("arguments", "function", "keywords")

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...] = (), keywords: dict[str, Any] = _NOTHING
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.keywords = keywords

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        from rtfs.host.scheduler.threads import in_thread

        scheduler.inbox()
        context = copy_context()

        def work() -> None:
            try:
                value = context.run(self.function, *self.arguments, **self.keywords)
            except Exception as error:
                scheduler.post(fiber, self, None, error)
            except BaseException as error:
                scheduler.post(fiber, self, None, HostError(f"it ended with {type(error).__name__}"))
            else:
                scheduler.post(fiber, self, value, None)

        in_thread(work)


class OffLoop(Suspension):
    """Run a function that waits for a disk: in a thread where an event loop drives, else here and now."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        if scheduler.home is None:
            scheduler.wake(fiber, self.function())
            return

        def work() -> None:
            try:
                value = self.function()
            except Exception as error:
                scheduler.post(fiber, self, None, error)
            else:
                scheduler.post(fiber, self, value, None)

        scheduler.inbox()
        scheduler.home.run_in_executor(None, work)


def _running_here(loop: Any) -> bool:
    """Whether `loop` is the one running in this thread."""
    from asyncio import _get_running_loop

    return _get_running_loop() is loop
