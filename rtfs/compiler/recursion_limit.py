"""The interpreter's recursion limit: raised while guest code runs or is compiled, lowered for CPython's own compiler.

Must not know what needs it. Invariant: the limit belongs to the process, and threads come and go in any order: the
first thread that needs it raises it, and the previous limit is restored when the last is done.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock, get_ident
from sys import getrecursionlimit, setrecursionlimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

_lock = allocate_lock()
_users: list[int] = []  # a thread's id for each time it has raised the limit
_usual = 0


def raise_limit(limit: int) -> None:
    """Allow at least `limit` nested Python calls, until `restore_limit`."""
    global _usual
    with _lock:
        now = getrecursionlimit()
        if not _users:
            _usual = now
        _users.append(get_ident())
        if now < limit:
            setrecursionlimit(limit)


def restore_limit() -> None:
    with _lock:
        if len(_users) == 1:  # no other thread, and not within another machine
            _users.clear()
            setrecursionlimit(_usual)
        else:
            _users.remove(get_ident())


def with_limit(limit: int, function: Callable[[], Any]) -> Any:
    """Call a function that may nest at most `limit` Python calls. The limit is not lowered while another thread has
    raised it: that thread may already be deeper."""
    mine = get_ident()
    with _lock:
        now = getrecursionlimit()
        if any(user != mine for user in _users):
            now = 0
        else:
            setrecursionlimit(_depth() + limit)
    try:
        return function()
    finally:
        if now:
            setrecursionlimit(now)


def _depth() -> int:
    """How deep calls are nested now, or up to 32 more. Frames do not tell: a greenlet counts from where it was started,
    whose frames it does not show. Python refuses a limit that is not above the depth."""
    low = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        low += 1
        frame = frame.f_back
    high = low + 64
    while not _is_above(high):
        low, high = high, 2 * high
    while high - low > 32:
        middle = (low + high) // 2
        if _is_above(middle):
            high = middle
        else:
            low = middle
    return high


def _is_above(limit: int) -> bool:
    try:
        setrecursionlimit(limit)
    except RecursionError:
        return False
    return True
