"""Threads for functions that block: each work has a thread for itself, and the next work has it again.

Must not know schedulers or calls. Invariants: work never waits for other work, however much there is; a thread that
has had nothing to do for `LINGER` seconds ends; none of them keeps the process alive.

Starting a thread costs more than everything else about a short call, and a worker makes thousands of them a second.
"""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINGER = 5.0
"""Seconds that a thread waits for more work."""
_idle: list[_Thread] = []
_guard = allocate_lock()


class _Thread:
    """A thread that waits for work. bell: released when there is some."""

    __slots__ = ("bell", "work")

    def __init__(self, work: Callable[[], None]) -> None:
        from threading import Thread

        self.work: Callable[[], None] | None = work
        self.bell = allocate_lock()
        self.bell.acquire()
        Thread(target=self._run, name="rtfs-capability", daemon=True).start()

    def _run(self) -> None:
        while self.work is not None:
            work, self.work = self.work, None
            work()
            del work  # a result, and what the work knew, does not live as long as the thread
            with _guard:
                _idle.append(self)
            if not self.bell.acquire(timeout=LINGER):
                with _guard:
                    if self in _idle:
                        _idle.remove(self)
                        return
                self.bell.acquire()  # it was given work at the last moment


def in_thread(work: Callable[[], None]) -> None:
    """Have `work()` done in a thread; it must not raise. The thread that was free last has it: its stack is still
    in the processor's cache, and those that are not needed end."""
    with _guard:
        found = _idle.pop() if _idle else None
    if found is None:
        _Thread(work)
        return
    found.work = work
    found.bell.release()


def _forget() -> None:
    """In a forked process: its parent's threads are not there."""
    global _guard
    _guard = allocate_lock()
    _idle.clear()


def _watch_forks() -> None:
    import os

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)


_watch_forks()
