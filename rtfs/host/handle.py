"""`RunHandle`: a run that was started and advances by itself, in a new thread or on the running event loop.

Must not know how programs run. Invariants: whatever ends the run ends its handle, and everything that waits for it; a
handle works from any thread and any event loop; the events of a run are kept, up to a limit, for later listeners.
"""

from __future__ import annotations

from rtfs.host.audit.events import WAITS
from rtfs.values import Cancelled, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from concurrent.futures import Future
    from typing import Any

    from rtfs.host.audit.events import Event
    from rtfs.host.run.frame import Run
    from rtfs.host.scheduler.scheduler import Scheduler

MOST = 10_000
"""Events that a handle keeps; of more, the first are gone for those who come late."""


class RunHandle:
    """A started run. `id`: the run's id.

    `await handle` or `handle.result()` gives its value or raises its error. `async for event in handle`, or `for`,
    gives its events from the first to the last, values as text without known secrets.
    """

    __slots__ = (
        "_events", "_first", "_home", "_lock", "_outcome", "_over", "_rings", "_run", "_scheduler", "_work", "id",
    )  # fmt: skip

    def __init__(self, id: str, run: Run, scheduler: Scheduler) -> None:
        from _thread import allocate_lock
        from concurrent.futures import Future

        self.id = id
        self._run = run
        self._scheduler = scheduler
        self._lock = allocate_lock()
        self._outcome: Future[Any] = Future()
        self._home: Any = None
        self._work: Any = None
        self._events: list[Event] = []
        self._first = 0
        self._over = False
        self._rings: list[Callable[[], None]] = []
        scheduler.inbox()

    def __repr__(self) -> str:
        return f"RunHandle({self.id} {self.status})"

    @property
    def status(self) -> str:
        """running, waiting (a person is asked, or an approval is missing), done, failed or cancelled."""
        if not self._outcome.done():
            return "waiting" if self._run.budget.parked else "running"
        error = self._outcome.exception()
        if error is None:
            return "done"
        if isinstance(error, Cancelled):
            return "cancelled"
        return "waiting" if getattr(error, "code", "") in WAITS else "failed"

    def cancel(self, why: str = "the run was cancelled") -> bool:
        """End the run where it is; its `finally` clauses do not run, a durable one can be resumed. False if it has
        ended already. From any thread."""
        if self._outcome.done():
            return False
        self._scheduler.interrupt(Cancelled(why))
        return True

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the run; its value. Raises what the run raises, TimeoutError after so many seconds (it runs on), and
        HostError `runtime/deadlock` where this thread's event loop is the one that runs it."""
        if self._home is not None and not self._outcome.done():
            from asyncio import _get_running_loop

            if _get_running_loop() is self._home:
                raise HostError(
                    "this would wait for the event loop that is running here: use `await handle`",
                    code="runtime/deadlock",
                )
        return self._outcome.result(timeout)

    def __await__(self) -> Generator[Any, Any, Any]:
        from asyncio import shield, wrap_future

        return shield(wrap_future(self._outcome)).__await__()

    def __iter__(self) -> Iterator[Event]:
        from threading import Event as Bell

        bell = Bell()
        self._rings.append(bell.set)
        try:
            at = 0
            while True:
                bell.clear()
                found, at, over = self._since(at)
                yield from found
                if over:
                    return
                bell.wait()
        finally:
            self._rings.remove(bell.set)

    async def __aiter__(self) -> AsyncIterator[Event]:
        from asyncio import Event as Bell
        from asyncio import get_running_loop

        bell, loop = Bell(), get_running_loop()

        def ring() -> None:
            try:
                loop.call_soon_threadsafe(bell.set)
            except RuntimeError:  # the loop has closed, and its listener with it
                pass

        self._rings.append(ring)
        try:
            at = 0
            while True:
                bell.clear()
                found, at, over = self._since(at)
                for event in found:
                    yield event
                if over:
                    return
                await bell.wait()
        finally:
            self._rings.remove(ring)

    def _since(self, at: int) -> tuple[list[Event], int, bool]:
        """The events from number `at` on, the number of the next one, and whether that never comes."""
        with self._lock:
            found = self._events[max(at - self._first, 0) :]
            return found, self._first + len(self._events), self._over

    # ------------------------------------------------------------------ for the executor
    def hear(self, event: Event) -> None:
        """Take in an event of the runtime, if it is the run's."""
        if event.run != self.id:
            return
        with self._lock:
            self._events.append(event)
            if len(self._events) > MOST:
                del self._events[0]
                self._first += 1
        self._ring()

    def begin(self, drive: Callable[[], Any], adrive: Callable[[], Any]) -> None:
        """Have the run advance: on the running event loop, else in a thread. drive, adrive: run it to its end, there
        and here, and call `end`."""
        import sys

        if "asyncio" in sys.modules:
            from asyncio import _get_running_loop

            self._home = _get_running_loop()
        if self._home is not None:
            self._work = self._home.create_task(adrive())
        else:
            from threading import Thread

            self._work = Thread(target=drive, name=f"rtfs-run-{self.id}", daemon=True)
            self._work.start()

    def end(self, value: Any, error: BaseException | None) -> None:
        """The run has ended."""
        with self._lock:
            self._over = True
        if error is None:
            self._outcome.set_result(value)
        else:
            self._outcome.set_exception(error)
        self._ring()

    def join(self, seconds: float) -> None:
        """Wait for a cancelled run, if it has a thread."""
        from threading import Thread, current_thread

        if isinstance(self._work, Thread) and self._work is not current_thread():
            self._work.join(seconds)

    def _ring(self) -> None:
        for ring in list(self._rings):
            ring()
