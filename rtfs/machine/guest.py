"""Guests: the greenlets that machines run in.

Must not know how a machine runs. Invariants: a guest has one machine at a time, and none while it is idle; an idle
guest belongs to the thread that made it and holds nothing of the machine that it had; a guest whose machine failed or
was given up is never used again, nor one that was started deep: Python counts its calls from there.

A new greenlet maps memory for its stack, which costs more than a short plan does: one that has ended waits for the
next.
"""

from __future__ import annotations

from _thread import _local
from sys import _getframe, getprofile, gettrace

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped,unused-ignore]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import copy_context
    from typing import Any

    from rtfs.machine.machine import Machine
else:
    from _contextvars import copy_context  # `contextvars` is one more file to find

KEPT = 32
"""Idle guests that a thread keeps in any case."""
DEEP = 200
"""Frames of the caller from which on a guest is not kept."""
DEEPEST = 5 * DEEP
"""Frames below a kept guest, at most: machines run within machines."""
WINDOW = 1_000
"""Of more than that it keeps as many as were in use at a time among so many machines."""


class Guest(greenlet):  # type: ignore[misc,unused-ignore]
    """Runs one machine after the other. Its parent is the greenlet that resumes it.

    machine: the one that it runs, or None. value: what that gave, once it has switched with `ENDED`. below: frames that
    it was started on, at most.
    """

    __slots__ = ("below", "machine", "value")

    machine: Any
    value: Any
    below: int


def _live(_: None) -> None:
    """The whole life of a guest. Raises what its machine raises, which is its end."""
    guest = getcurrent()
    try:
        while True:
            guest.value = guest.machine.run_main()
            guest.parent.switch(ENDED)
    except GreenletExit:
        return


class _Ended:
    """The value that a guest passes when it switches after its machine has returned."""


ENDED = _Ended()


class _Idle(_local):
    """The idle guests of a thread. fewest: how many there were at least since `ended` began to count."""

    def __init__(self) -> None:
        self.guests: list[Guest] = []
        self.ended = 0
        self.fewest = 0


_idle = _Idle()


def guest_for(machine: Machine) -> Guest:
    """A guest for a machine, in a copy of the context of the caller. Where a profiler or debugger traces this thread it
    is a new one: an older one would run unseen."""
    idle = _idle
    guests = idle.guests
    if guests and gettrace() is None and getprofile() is None:
        guest = guests.pop()
        if len(guests) < idle.fewest:
            idle.fewest = len(guests)
        guest.parent = getcurrent()
    else:
        guest = Guest(_live)
        guest.below = _frames()
        idle.fewest = 0
    guest.machine = machine
    guest.gr_context = copy_context()
    return guest


def _frames() -> int:
    """The number of frames in use, at most; more than DEEPEST for many."""
    try:
        _getframe(DEEP)
    except ValueError:
        outer = getcurrent()
        return DEEP + (outer.below if outer.__class__ is Guest else 0)
    return DEEPEST + 1


def leave(guest: Guest) -> Any:
    """The value of a machine that has ended; its guest is idle from now on."""
    value = guest.value
    guest.value = guest.machine = guest.gr_context = None
    if guest.below > DEEPEST:
        return value
    idle = _idle
    guests = idle.guests
    guests.append(guest)
    idle.ended += 1
    if idle.ended >= WINDOW:
        unused = min(idle.fewest, len(guests) - KEPT)
        if unused > 0:
            del guests[:unused]
        idle.ended, idle.fewest = 0, len(guests)
    return value
