"""The memory of runs: how large the process is, which run made it grow, and when cycles are looked for.

Knows nothing of machines. What the process has grown by between two looks is charged to the run that looks, since it
has computed meanwhile; an embedder that grows at the same time is charged to it too, so only a run in a separate
process (`isolation="process"`) has an exact account. Invariants: a program that does not make the process grow pays for
reading its size, once in some milliseconds; cycles that a program leaves behind are looked for when memory grows, not
only when objects do: two local functions that call each other and hold a million elements are four objects to Python's
collector, and forty megabytes. A run that holds much has what it holds set aside (`gc.freeze`) while it computes: the
collector, which nothing can interrupt, then looks at what is new, not at millions of objects again and again;
everything that was set aside is looked at before the run meets its limit, and after the run. So is what many runs hold
that wait at the same time, until most of them are over. Where the system does not
say how large the process is (it does on Linux), Python's collector is left to itself and no run is charged.
"""

from __future__ import annotations

import gc
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GROWTH = 256 << 20
"""Bytes by which the process grows, at least, before what is not set aside is looked through; half of its size if that
is more."""
EVERYTHING = 1 << 30
"""Bytes by which the process grows, at least, before what was set aside is looked through as well. A run with the usual
limit of memory meets that first, and then everything is looked through."""
BETWEEN = 0.005
"""Seconds between two looks, whichever run looks."""
SETTLES = 6 << 20
"""Bytes that a run holds, at least, when things are set aside."""
SETTLED = 8 << 20
"""Bytes by which the process grows before that is done again."""
RESERVE = 96 << 20
"""Bytes of address space that are left for what a limited process (`ulimit -v`) does besides running programs."""

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_last = 0
_looked = 0.0
_allowed = 0
_ceiling: int | None = None
_owner = 0
_settled = 0
"""How large the process was when things were last set aside; 0 if nothing is."""
_settled_from = 0
"""How large it was when the first of them were."""
_many = 0
"""Event loops on which so many runs wait that what they hold is set aside."""
_theirs = False
"""Whether the embedder has set things aside itself, as servers do before they fork: they are left alone."""
_spare = _spare_from = 0
"""Bytes of address space that were given back, and how large the process was then."""
_statm: int | None = None
"""The open `/proc/self/statm` of a process that may not open files any more, or None."""


def due(now: float) -> bool:
    """Whether a look at the memory is due, at `now` of time.monotonic(): of many runs at once not all look. The process
    grows by a few megabytes in between at most."""
    global _looked
    if 0 <= now - _looked < BETWEEN:
        return False
    _looked = now
    return True


def grown() -> int:
    """Bytes by which the process has grown since the last look, negative if it shrank. Collects cycles when it has
    grown much: among what is new, and when it has grown very much, among everything."""
    global _allowed, _last
    size = resident()
    if size > _allowed:
        if _allowed:
            if size > _settled_from + EVERYTHING:
                take_back()
            gc.collect()
            size = resident()
        _allowed = size + max(GROWTH, size // 2)
    growth, _last = size - (_last or size), size
    return growth


def collected() -> int:
    """Look through everything; the bytes by which the process has changed by that."""
    global _last
    take_back()
    gc.collect()
    size = resident()
    growth, _last = size - (_last or size), size
    return growth


def set_aside(held: int) -> None:
    """Called after `grown` for a run that holds so many bytes: what there is now is not looked at again for a while."""
    global _settled
    if _last < _settled:
        _settled = max(_last, 1)  # what was freed makes room for what is new
    if held >= SETTLES and _last >= _settled + SETTLED:
        freeze()


def freeze() -> None:
    """Keep the collector from looking at the present objects for a while."""
    global _settled, _settled_from
    if _frozen_by_others():
        return
    gc.freeze()
    if not _settled:
        _settled_from = _last
    _settled = max(_last, 1)


def promote() -> None:
    """Have the collector take the present objects for old ones: it does not go through them as new ones first."""
    if not _frozen_by_others():
        gc.freeze()
        if not _settled:
            gc.unfreeze()


def _frozen_by_others() -> bool:
    global _theirs
    if not _theirs and not _settled and gc.get_freeze_count():
        _theirs = True
    return _theirs


def wait_aside(first: bool) -> None:
    """Set aside what there is, for many runs wait on an event loop: the collector would go through what they hold
    again and again. first: of several times, until `waited`."""
    global _many
    _many += first
    freeze()


def waited() -> None:
    """On an event loop with many runs, few are left."""
    global _many
    _many -= 1
    computed()


def computed() -> None:
    """A run computes no more."""
    if not _many:
        take_back()


def take_back() -> None:
    """The collector looks at everything again."""
    global _settled
    if _settled:
        _settled = 0
        gc.unfreeze()


def give_back(rest: Callable[[], None]) -> None:
    """Return the memory of a finished run to the system, so that the next run has enough (glibc keeps freed memory that
    is below a live block). rest: called in between."""
    global _last, _spare, _spare_from
    take_back()
    gc.collect()
    rest()
    spare, unheld = _left_spare(), address_space() - resident()
    try:
        from ctypes import CDLL

        CDLL(None).malloc_trim(0)
    except (ImportError, OSError, AttributeError, TypeError):  # another C library
        pass
    _last = _spare_from = resident()
    _spare = spare + max(address_space() - _last - unheld, 0)
    rest()


def _left_spare() -> int:
    """Bytes of address space that were given back and not used since: the C library keeps the addresses."""
    return max(_spare - max(resident() - _spare_from, 0), 0) if _spare else 0


def resident() -> int:
    """Bytes of this process in memory; 0 if unknown."""
    return _pages(1) * _PAGE


def address_space() -> int:
    """Bytes of address space that this process has; 0 if unknown."""
    return _pages(0) * _PAGE


def exhausted() -> bool:
    """Whether the process has nearly used up the address space that it may have."""
    global _ceiling, _owner
    if _owner != os.getpid():
        _owner, _ceiling = os.getpid(), _address_space()
    return _ceiling is not None and address_space() > _ceiling + _left_spare()


def keep_open(descriptor: int) -> None:
    """Read the size of this process from its `/proc/self/statm`, which is open as `descriptor`."""
    global _statm
    _statm = descriptor


def begin() -> None:
    """Forget what an earlier program, or the process that this one was forked from, has made of the memory; look again
    at how much address space there may be."""
    global _allowed, _last, _owner, _spare
    _owner, _last, _allowed, _spare = 0, resident(), 0, 0


def _pages(field: int) -> int:
    if _statm is not None:
        return int(os.pread(_statm, 200, 0).split()[field])
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)  # a file object takes half as long again
        try:
            return int(os.read(file, 200).split()[field])
        finally:
            os.close(file)
    except (OSError, ValueError, IndexError):
        return 0


def _address_space() -> int | None:
    """Bytes of address space up to which programs may run, None without a limit."""
    try:
        with open("/proc/self/limits", "rb", buffering=0) as file:  # loading `resource` takes twenty times as long
            limit = file.read(4096).split(b"Max address space")[1].split()[0]
        if limit == b"unlimited":
            return None
        most = int(limit)
    except (OSError, ValueError, IndexError):
        try:
            import resource
        except ImportError:  # Windows
            return None
        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most == resource.RLIM_INFINITY:
            return None
    return max(most - RESERVE, most // 2)
