"""Waiting until the journal has what it is to have: before a call is made, and whenever a run wants to be sure.

Must not know journals. Invariant: a call is made only after the announcement of it is written, with its key at hand.
"""

from __future__ import annotations

from contextvars import ContextVar

from rtfs.host.scheduler.scheduler import Suspension

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from rtfs.host.durable.execution import Durable
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler

current_key: ContextVar[str | None] = ContextVar("rtfs_idempotency_key", default=None)


def idempotency_key() -> str | None:
    """For a Python capability: the key of the call it performs, the same when the call is made again after a crash;
    None outside of a durable run."""
    return current_key.get()


class Written(Suspension):
    """Wait until everything that was added to the journal is written."""

    __slots__ = ("durable",)
    at_once = False
    """Whether a call is made then that has ended when its fiber suspends."""
    announces = False
    """Whether what is written announces a call that is not begun before."""

    def __init__(self, durable: Durable) -> None:
        self.durable = durable

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        self.durable.write_soon(scheduler, fiber, self)


class Announced(Written):
    """Wait until a call is announced, if it is to be (`waits`); then it is under way, with its key."""

    __slots__ = ("_key", "_waits", "at_once")
    announces = True

    def __init__(self, durable: Durable, key: str, waits: bool, at_once: bool) -> None:
        super().__init__(durable)
        self._key = key
        self._waits = waits
        self.at_once = at_once

    def __await__(self) -> Generator[Any, Any, None]:
        if self._waits:
            yield self
        current_key.set(self._key)
