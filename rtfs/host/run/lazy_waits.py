"""Waiting for an element of a lazy sequence that another branch or run is computing.

Must not know what computes it. Invariants: a waiting branch continues when the element is there, or when computing it
was given up; branches that would wait for each other for ever get an error instead.
"""

from __future__ import annotations

from rtfs.host.scheduler.scheduler import Fiber, Scheduler, Suspension
from rtfs.values.lazy import hooks, needs_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Frame(Protocol):
        """A machine and the frames that it runs in."""

        machine: Any

        @property
        def outer(self) -> Frame | None:
            """The frame that started it."""

    from rtfs.values.lazy import Segment


async def wait_for_segment(segment: Segment, frame: Frame) -> None:
    """Wait until a segment may be free. Raises LimitError if that would be for ever."""
    if _would_wait_for_ever(segment, frame):
        raise needs_itself()
    await _Wait(segment, frame)


class _Wait(Suspension):
    """One branch, `frame`, that waits for `segment`."""

    __slots__ = ("_fiber", "_scheduler", "frame", "segment")

    def __init__(self, segment: Segment, frame: Frame) -> None:
        self.segment = segment
        self.frame = frame
        self._scheduler: Scheduler | None = None
        self._fiber: Fiber | None = None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        scheduler.inbox()
        self._scheduler, self._fiber = scheduler, fiber
        hooks.waiting.setdefault(id(self.segment), []).append(self)
        if self.segment.busy is None:  # freed meanwhile, by another thread
            _wake(self.segment)

    def cancel(self, scheduler: Scheduler) -> None:
        waiting = hooks.waiting.get(id(self.segment), [])
        if self in waiting:
            waiting.remove(self)
        if not waiting:
            hooks.waiting.pop(id(self.segment), None)

    def wake(self) -> None:
        """Continue; from any thread."""
        if self._scheduler is not None and self._fiber is not None:
            self._scheduler.post(self._fiber, self, None, None)


def _wake(segment: Segment) -> None:
    for wait in hooks.waiting.pop(id(segment), ()):
        wait.wake()


hooks.wake = _wake


def _would_wait_for_ever(segment: Segment, frame: Frame) -> bool:
    """Whether the machine that is busy with the segment needs the machine of `frame` to continue.

    A machine needs the one that is busy with the segment that it waits for, and the machines of its branches.
    """
    own = set(_machines(frame))
    waits: list[_Wait] = [wait for waiting in hooks.waiting.values() for wait in waiting]
    pending: list[Any] = [segment.busy]
    seen: set[int] = set()
    while pending:
        machine = pending.pop()
        if machine is None or id(machine) in seen:
            continue
        seen.add(id(machine))
        if id(machine) in own:
            return True
        for wait in waits:
            if wait.frame.machine is machine:
                pending.append(wait.segment.busy)
            elif id(machine) in _machines(wait.frame):
                pending.append(wait.frame.machine)
    return False


def _machines(frame: Frame | None) -> list[int]:
    """The ids of the machine of a frame and of those that it runs in."""
    found = []
    while frame is not None:
        if frame.machine is not None:
            found.append(id(frame.machine))
        frame = frame.outer
    return found
