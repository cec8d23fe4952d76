"""Programs deep in calls: whether one is, and how what an error has left of its calls is freed.

Must not know how a machine runs. Invariant: of an error that has passed many calls no call is left alive, and they were
freed in parts: a hundred thousand at once take as long as everything else that an event loop may wait for.
"""

from __future__ import annotations

from sys import _getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

DEEP = 10_000
"""Calls of Python functions."""
PART = 1_000
"""Calls that are looked at, or freed, at a time."""
SAMPLE = 100
"""Calls that tell what the many are like."""
FEW = 4
"""If one of so many calls guards against errors, the limit of all calls comes first."""


def is_deep() -> bool:
    """Whether the caller is that deep in calls."""
    try:
        _getframe(DEEP)
    except ValueError:
        return False
    return True


def is_crowded(depth: int) -> bool:
    """Whether more than `depth` calls wait for each other of which the newest mostly guard against errors: an error
    passes such a call in several times the time that it takes to pass another one."""
    frame, guarded = _getframe(1), 0
    for _ in range(SAMPLE):
        if _guards(frame):
            guarded += 1
        if frame.f_back is None:
            return False
        frame = frame.f_back
    if guarded * FEW < SAMPLE:
        return False
    try:
        _getframe(depth * SAMPLE // guarded)
    except ValueError:
        return False
    return True


def _guards(frame: FrameType) -> bool:
    """Whether an error would be handled in a call where that now is: from Python 3.12 on, what a comprehension in a
    function protects is in its table, too. The table is described in CPython's Objects/exception_handling_notes.txt."""
    numbers: list[int] = []  # start, length, and where and how to go on, of each part that is protected
    more = 0
    for byte in frame.f_code.co_exceptiontable:
        if not more:
            numbers.append(0)
        numbers[-1] = numbers[-1] << 6 | byte & 0x3F
        more = byte & 0x40
    now = frame.f_lasti // 2  # instructions take two bytes
    return any(start <= now < start + length for start, length in zip(numbers[::4], numbers[1::4], strict=True))


def let_go_of_calls(error: BaseException, found: BaseException, rest: Callable[[], None]) -> None:
    """Free the calls that an error has passed if they are many. found: what it was translated to. rest: called between
    parts."""
    entries: list[Any] = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    if len(entries) < DEEP:
        return
    error.__traceback__ = found.__traceback__ = None
    while entries:
        for entry in entries[-1 : -PART - 1 : -1]:
            entry.tb_next = None
        del entry
        del entries[-PART:]
        rest()
