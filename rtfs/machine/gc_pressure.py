"""Cycles that a program leaves behind are looked for when memory grows, not only when objects do: two local functions
that call each other and hold a million elements are four objects to Python's collector, and forty megabytes.

Knows nothing of machines. Invariant: a program that does not make the process grow pays for reading its size, once in
many elements. Where the system does not say how large the process is (it does on Linux), Python's collector is left to
itself.
"""

from __future__ import annotations

import gc
import os

ELEMENTS = 500_000
"""What is paid, at least, between two looks; functions that only copy pay an eighth (see `rtfs.builtins.budget`)."""
GROWTH = 256 << 20
"""Bytes by which the process grows, at least, before everything is looked through; half of its size if that is more."""

_made = 0
_allowed = 0


def made(elements: int) -> None:
    """Note that so many elements were paid; collects when it is time to."""
    global _made, _allowed
    _made += elements
    if _made < ELEMENTS:
        return
    _made = 0
    size = resident()
    if size <= _allowed:
        return
    if _allowed:
        gc.collect()
        size = resident()
    _allowed = size + max(GROWTH, size // 2)


def resident() -> int:
    """Bytes of this process in memory; 0 if nobody knows."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(200).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0
