"""Cycles that a program leaves behind are looked for by how much it makes, not only by how many objects: two local
functions that call each other and hold a million elements are four objects to Python's collector, and forty megabytes.

Knows nothing of machines. Invariant: an object is looked at once soon after it was made; looking at all of them takes
at most a tenth of the time.
"""

from __future__ import annotations

import gc
from time import monotonic

ELEMENTS = 500_000
"""What is paid, at least, between two looks; functions that only copy pay an eighth (see `rtfs.builtins.budget`)."""
SHARE = 10.0
"""A look at everything that took a second is followed by so many seconds without one."""

_made = 0
_whole_from = 0.0


def made(elements: int) -> None:
    """Note that so many elements were paid; collects when it is time to."""
    global _made, _whole_from
    _made += elements
    if _made < ELEMENTS:
        return
    _made = 0
    began = monotonic()
    if began < _whole_from:
        gc.collect(1)
        return
    gc.collect()
    ended = monotonic()
    _whole_from = ended + (ended - began) * SHARE
