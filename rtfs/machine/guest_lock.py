"""The guest lock: one thread of the process runs guest code at a time, so that the counters of generated code need no
locks.

Knows nothing of machines. Invariant: a thread has the turn only while guest code runs in it; a thread that computes for
long passes the turn on at each slice of steps if another waits for it.
"""

from __future__ import annotations

from _thread import RLock, get_ident
from time import sleep

_turn = RLock()
_waiting: list[int] = []


def take_turn() -> None:
    """Wait until no other thread runs guest code."""
    if not _turn.acquire(False):
        _waiting.append(get_ident())
        try:
            _turn.acquire()
        finally:
            _waiting.remove(get_ident())


end_turn = _turn.release


def yield_turn() -> None:
    """Let a waiting thread go first, if there is one."""
    if _waiting:
        state = _turn._release_save()  # type: ignore[attr-defined]
        try:
            sleep(0.000_05)  # a waiting thread wakes up and takes it; an immediate acquire would win against it
        finally:
            _turn._acquire_restore(state)  # type: ignore[attr-defined]
