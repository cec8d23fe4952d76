"""The workers of one runtime: which of them a run gets, and what each has loaded.

Must not know pipelines. Invariants: a worker has one run at a time; runs that keep their definitions share one worker,
the pinned one, in turn; every other run gets a new worker, which is killed after it, unless there are definitions
that it has to see.
"""

from __future__ import annotations

from _thread import allocate_lock

from rtfs.host.isolation.conversation import Conversation
from rtfs.host.isolation.functions import SHARED, Functions
from rtfs.host.isolation.pool import workers
from rtfs.host.isolation.wire import Sources
from rtfs.host.scheduler.scheduler import Suspension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.run.frame import Frame
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
    from rtfs.source import Source


class Seat:
    """A worker of a runtime. loaded: how many of the runtime's texts it has loaded. defined: whether plans have left
    definitions in it. pinned: whether it is kept between runs."""

    __slots__ = ("defined", "functions", "loaded", "pinned", "sources", "worker")

    def __init__(self, shared: dict[str, Any], pinned: bool) -> None:
        self.worker = workers.take()
        self.sources = Sources(0)
        self.functions = Functions(shared)
        self.loaded = 0
        self.defined = False
        self.pinned = pinned


class Guests:
    """The workers of one runtime, or of the runs that bring their own loaded texts. path: folders of modules. strict:
    argument keys that a schema does not name are refused. warn: told of definitions that are lost. texts: with their
    origins, that each worker loads."""

    __slots__ = (
        "_lock", "_path", "_pinned", "_queue", "_runs", "_seats", "_shared", "_strict", "_taken", "_warn", "texts",
    )  # fmt: skip

    def __init__(
        self,
        path: tuple[str, ...],
        strict: bool,
        warn: Callable[[str, Any], None],
        texts: list[tuple[Source, int]],
    ) -> None:
        self.texts = texts
        self._path = path
        self._strict = strict
        self._warn = warn
        self._lock = allocate_lock()
        self._pinned: Seat | None = None
        self._taken = False
        self._queue: list[Turn] = []
        self._shared: dict[str, Any] = {}
        self._runs = 0
        self._seats: set[Seat] = set()

    async def seat(self, keep: bool, fresh: bool) -> Seat:
        """A worker for a run. keep: whether its definitions stay. fresh: whether it sees none of other plans. Raises
        HostError `config/isolation`."""
        if not keep and (fresh or self._pinned is None or not self._pinned.defined):
            return Seat(self._shared, False)
        await Turn(self)
        try:
            if self._pinned is None:
                self._pinned = Seat(self._shared, True)
            return self._pinned
        except BaseException:
            self._next()
            raise

    def leave(self, seat: Seat) -> None:
        """A run has left its worker."""
        self._seats.discard(seat)
        workers.refill()
        if not seat.pinned:
            seat.worker.kill()
            return
        if not seat.worker.alive:
            self._pinned = None
            if seat.defined:
                self._warn("the definitions of earlier runs are lost: their worker process has ended", None)
        self._next()

    def conversation(
        self, seat: Seat, frame: Frame, source: Source, key: str, *, keep: bool, check: bool, journaled: bool
    ) -> Conversation:
        """The talk of a run with its worker. key: what the handles of its declarations begin with."""
        self._runs += 1
        self._seats.add(seat)
        return Conversation(
            seat.worker,
            seat.sources,
            seat.functions,
            frame,
            source,
            key=key or f"r{self._runs}",
            keep=keep,
            pinned=seat.pinned,
            path=list(self._path),
            check=check,
            strict=self._strict,
            journaled=journaled,
            accepts=frame.run.durability.accepts,
            loses="the definitions of this runtime's earlier runs are lost with it" if seat.defined else "",
        )

    def pids(self) -> list[int]:
        """The process ids of the workers that runs are in."""
        return [seat.worker.pid for seat in self._seats if seat.worker.alive and seat.worker.pid]

    def close(self) -> None:
        """End the pinned worker."""
        seat, self._pinned = self._pinned, None
        if seat is not None:
            seat.worker.kill()

    def _next(self) -> None:
        """Give the pinned worker to the run that has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.pop(0).granted()
            else:
                self._taken = False


def key_of_load(index: int) -> str:
    """The prefix, in every worker, of the handles of a loaded text's declarations."""
    return f"{SHARED}{index}"


class Turn(Suspension):
    """Wait for the pinned worker."""

    __slots__ = ("_fiber", "_guests", "_scheduler")

    def __init__(self, guests: Guests) -> None:
        self._guests = guests
        self._scheduler: Scheduler | None = None
        self._fiber: Fiber | None = None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        guests = self._guests
        scheduler.inbox()
        self._scheduler, self._fiber = scheduler, fiber
        with guests._lock:
            if guests._taken:
                guests._queue.append(self)
                return
            guests._taken = True
        scheduler.wake(fiber)

    def granted(self) -> None:
        """It is this run's turn; from any thread."""
        if self._scheduler is not None and self._fiber is not None:
            self._scheduler.post(self._fiber, self, None, None)

    def cancel(self, scheduler: Scheduler) -> None:
        guests = self._guests
        with guests._lock:
            waiting = self in guests._queue
            if waiting:
                guests._queue.remove(self)
        if not waiting:  # it had its turn, and did not hear of it
            guests._next()
