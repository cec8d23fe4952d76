"""The record of an interrupted run, delivered again in the order in which its results once came.

Must not know where events are kept, nor how calls are made. Invariants: what a program got from its host it gets
again, in the recorded order over all its branches; whatever is new waits until the record is used up; a program that
asks for something else than it once did is stopped before anything happens.
"""

from __future__ import annotations

from rtfs.host.durable.codec import decode
from rtfs.host.durable.store import (
    AGAIN,
    CALL,
    ENTER,
    ERROR,
    FAIL,
    GRANTED,
    LABELS,
    NOTED,
    OUTCOME,
    RESOLVED,
    SAFE,
    TOLD,
    WHOLE,
)
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.host.stop import Stop, stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.durable.store import Event
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
    from rtfs.source import Span


class Recorded:
    """A recorded call. kind: call, safe, whole or enter. value: its arguments. outcome: its outcome or error event,
    or None. ordered: whether the outcome has its place in the order. dropped: its outcome was never used, since another
    branch failed. remembered: the provider's note about a call in flight, or None: with it the call can be resumed.
    labels: of its result, as text, if they do not follow from its arguments. resolution: the user's decision about it,
    if it was in doubt: (how, value) as in `Resolution`."""

    __slots__ = (
        "dropped",
        "kind",
        "labels",
        "note",
        "ordered",
        "outcome",
        "path",
        "remembered",
        "resolution",
        "subject",
        "value",
    )

    def __init__(self, event: Event) -> None:
        self.kind = event.kind
        self.path = event.path
        self.subject = event.subject
        self.value = event.value
        self.note = event.note
        self.outcome: Event | None = None
        self.ordered = False
        self.dropped = False
        self.labels: str | None = None
        self.remembered: str | None = None
        self.resolution: tuple[str, Any] | None = None


class Replay:
    """events: of the journal, in order; none for a run that begins. Raises ValueError for events that make no
    sense."""

    __slots__ = ("_begin", "_cursor", "_new", "_order", "_waiting", "calls", "failures", "grants", "over")

    def __init__(self, events: list[Event], begin: Callable[[Scheduler], None]) -> None:
        self.calls: dict[str, Recorded] = {}
        self.grants: dict[tuple[str, str], str] = {}
        """(capability, reason) → the person who approved such calls for the rest of the run."""
        self.failures: set[str] = set()
        """Branches whose failure has a place in the order."""
        self._order: list[tuple[str, str]] = []
        self._cursor = 0
        self._waiting: dict[tuple[str, str], tuple[Scheduler, Fiber]] = {}
        self._new: list[tuple[Scheduler, Fiber]] = []
        self._begin = begin
        try:
            self._sort(events)
        except KeyError as error:
            raise ValueError(f"something happened to call {error}, which was not made") from None
        self.over = not self._order

    def _sort(self, events: list[Event]) -> None:
        calls = self.calls
        failed = set()
        for event in events:
            if event.kind in (CALL, SAFE, WHOLE, ENTER):
                calls[event.path] = Recorded(event)
            elif event.kind in (OUTCOME, ERROR):
                calls[event.path].outcome = event
            elif event.kind == RESOLVED:
                calls[event.path].resolution = (event.subject, decode(event.value))
            elif event.kind == AGAIN:
                calls[event.path].resolution = None
            elif event.kind in (NOTED, TOLD):
                calls[event.path].remembered = event.value
            elif event.kind == LABELS:
                calls[event.path].labels = event.value
            elif event.kind == GRANTED:
                self.grants[event.subject, decode(event.value)] = event.note
            elif event.kind == FAIL:
                failed.add(event.path.rpartition(".")[0])
        for event in events:
            if event.kind not in (OUTCOME, ERROR, FAIL):
                continue
            inside = any(above in calls and calls[above].kind != ENTER for above in ancestors(event.path))
            if not inside:  # what happened within a hinted call is told by its outcome, or looked up in a repetition
                self._order.append((FAIL if event.kind == FAIL else OUTCOME, event.path))
                if event.kind == FAIL:
                    self.failures.add(event.path)
                else:
                    calls[event.path].ordered = True
        for path, call in calls.items():
            if call.outcome is None:
                call.dropped = any(above in failed for above in ancestors(path))

    def in_doubt(self) -> list[Recorded]:
        """The calls that were under way when the run was interrupted, and may or may not have been done."""
        return [
            call
            for call in self.calls.values()
            if call.kind == CALL
            and call.outcome is None
            and call.resolution is None
            and call.remembered is None
            and not call.dropped
            and not self._told(call.path)
        ]

    def _told(self, path: str) -> bool:
        return any(above in self.calls and self.calls[above].outcome is not None for above in ancestors(path))

    # ------------------------------------------------------------------ while it runs
    async def turn(self, kind: str, path: str) -> None:
        """Wait until it is the turn of this outcome (or failing branch) of the record."""
        if self._order[self._cursor] == (kind, path):
            self._forward()
            self._pump()
        else:
            await Delivery(self, (kind, path))

    async def used_up(self) -> None:
        """Wait until everything recorded has been delivered."""
        if not self.over:
            await Delivery(self, None)

    def wait(self, scheduler: Scheduler, fiber: Fiber, key: tuple[str, str] | None) -> None:
        """A fiber waits for its turn, or with None for the end of the record."""
        self._begin(scheduler)
        if key is None:
            self._new.append((scheduler, fiber))
        else:
            self._waiting[key] = (scheduler, fiber)
        self._pump()

    def forget(self, key: tuple[str, str] | None) -> None:
        """A fiber does not wait any more."""
        if key is not None:
            self._waiting.pop(key, None)

    def idle(self) -> None:
        """Nothing can continue by itself; before the end of the record nothing from outside is in flight either. Raises
        Stop `run/divergence` if the record is not used up: then its next entry will never be asked for."""
        if not self.over:
            raise self.missing()

    def missing(self) -> Stop:
        """The error of a program that did not ask for the next thing in the record."""
        kind, path = self._order[self._cursor]
        if kind == FAIL:
            return diverged(f"branch {path} failed when this run was recorded, and does not now", None)
        call = self.calls[path]
        return diverged(
            f'call {path} was a call of "{call.subject}"{call.note}; now the program does not make it', None
        )

    def _forward(self) -> None:
        self._cursor += 1
        if self._cursor == len(self._order):
            self.over = True

    def _pump(self) -> None:
        while not self.over:
            found = self._waiting.pop(self._order[self._cursor], None)
            if found is None:
                return
            self._forward()
            found[0].wake(found[1])
        new, self._new = self._new, []
        for scheduler, fiber in new:
            scheduler.wake(fiber)


class Delivery(Suspension):
    """Wait for a place in the record's order, or with None for its end."""

    __slots__ = ("key", "replay")

    def __init__(self, replay: Replay, key: tuple[str, str] | None) -> None:
        self.replay = replay
        self.key = key

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        self.replay.wait(scheduler, fiber, self.key)

    def cancel(self, scheduler: Scheduler) -> None:
        self.replay.forget(self.key)


class Never(Suspension):
    """Wait until cancelled."""

    __slots__ = ()

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        pass


def ancestors(path: str) -> list[str]:
    """`3.1.2` → `3.1`, `3`."""
    found = []
    while path:
        path = path.rpartition(".")[0]
        if path:
            found.append(path)
    return found


def diverged(message: str, span: Span | None) -> Stop:
    """The error of a program that is not the recorded one."""
    return stop("run/divergence", message, span=span, hint="go on with the program as it was, or begin a new run")
