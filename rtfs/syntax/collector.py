"""Pauses Python's cycle collector while many objects are made that all stay.

Reading allocates a few objects a token and frees none; collecting meanwhile costs more than the reading itself and
grows faster than the source. Knows nothing of reading. Invariant: the collector is on again once nothing pauses it, if
it was on before, however many threads read at a time.
"""

from __future__ import annotations

import gc
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_lock = allocate_lock()
_pausing = 0
_was_on = False


class CollectorPaused:
    """`with CollectorPaused():` no cycle is collected within; nests, and threads may overlap."""

    __slots__ = ()

    def __enter__(self) -> None:
        global _pausing, _was_on
        with _lock:
            if _pausing == 0:
                _was_on = gc.isenabled()
                gc.disable()
            _pausing += 1

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        global _pausing
        with _lock:
            _pausing -= 1
            if _pausing == 0 and _was_on:
                gc.enable()
