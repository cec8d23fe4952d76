"""The interpreter's recursion limit, raised only while guest code runs.

Knows nothing of machines. Invariant: the limit is the process's, and threads come and go in any order: it is raised by
the first that needs it and what it was before comes back when the last is done.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

_lock = allocate_lock()
_users = 0
_usual = 0


def raise_limit(limit: int) -> None:
    """Allow at least `limit` nested Python calls, until `restore_limit`."""
    global _users, _usual
    with _lock:
        now = sys.getrecursionlimit()
        if _users == 0:
            _usual = now
        _users += 1
        if now < limit:
            sys.setrecursionlimit(limit)


def restore_limit() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0 and sys.getrecursionlimit() != _usual:
            sys.setrecursionlimit(_usual)
