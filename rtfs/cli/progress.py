"""A line on the terminal while a call takes long: which one, how long already, what its server says of its progress.

Must not know how calls are made: it subscribes to the runtime's events. Invariants: nothing is
drawn in the first half second of a call, nor anywhere but on a terminal; the line is gone before anything else is
written and when the run ends.
"""

from __future__ import annotations

import sys
from time import monotonic

from rtfs.host.audit.events import CallDecided, CallEnded, CallProgressed, QuestionAsked, QuestionSettled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from rtfs.host.audit.events import Event

PATIENCE = 0.5
"""Seconds before a call counts as long."""
TICK = 0.1
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PLAIN_FRAMES = "|/-\\"


class Progress:
    """Use as a context manager around a run, with `event` subscribed to the runtime's events. stream: the terminal;
    standard error by default."""

    def __init__(self, stream: Any = None) -> None:
        from _thread import allocate_lock

        self.stream = sys.stderr if stream is None else stream
        self._lock = allocate_lock()
        self._calls: dict[int, tuple[str, float]] = {}
        self._said: dict[str, str] = {}
        self._drawn = False
        self._quiet_until = 0.0
        self._asking = 0
        self._frame = 0
        self._stop: Any = None
        self._thread: Any = None

    # ------------------------------------------------------------------ what happens
    def event(self, event: Event) -> None:
        """Take in an event of the runtime. From any thread."""
        if isinstance(event, CallDecided):
            self.clear()
            if event.allowed:
                self._calls[event.number] = (event.subject, monotonic())
                if self._thread is None and self._stop is not None:
                    self._start()
        elif isinstance(event, (QuestionAsked, QuestionSettled)):  # while a person is asked, the terminal is theirs
            self._asking += 1 if isinstance(event, QuestionAsked) else -1
            self.clear()
        elif isinstance(event, CallEnded):
            ended = self._calls.pop(event.parent, None)
            if ended is not None:
                self._said.pop(ended[0], None)
            self.clear()
        elif isinstance(event, CallProgressed):
            share = f"{event.done:g}/{event.total:g}" if event.total else f"{event.done:g}"
            self._said[event.subject] = " ".join(part for part in (share, event.message) if part)

    def clear(self) -> None:
        """Take the line away, before something else is written."""
        with self._lock:
            self._quiet_until = monotonic() + 2 * TICK
            self._erase()

    # ------------------------------------------------------------------ the run
    def __enter__(self) -> Progress:
        from threading import Event

        self._calls.clear()
        self._said.clear()
        self._asking = 0
        self._stop = Event()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        thread, self._thread, self._stop = self._thread, None, None
        if thread is not None:
            thread.join(1)
        self.clear()

    def _start(self) -> None:
        from threading import Thread

        self._thread = Thread(target=self._tick, args=(self._stop,), name="rtfs-progress", daemon=True)
        self._thread.start()

    def _tick(self, stop: Any) -> None:
        while not stop.wait(TICK):
            now = monotonic()
            calls = list(self._calls.values())
            if calls and not self._asking and now >= self._quiet_until and now - calls[0][1] >= PATIENCE:
                with self._lock:
                    if not stop.is_set() and not self._asking and monotonic() >= self._quiet_until:
                        self._draw(calls, now)

    # ------------------------------------------------------------------ the line
    def line(self, calls: list[tuple[str, float]], now: float, width: int) -> str:
        """The line to draw: the call that has taken longest, and the number of others."""
        from rtfs.syntax.diagnostics import clean

        id, since = calls[0]
        frames = FRAMES if (getattr(self.stream, "encoding", "") or "").lower().startswith("utf") else PLAIN_FRAMES
        parts = [frames[self._frame % len(frames)], id, f"{now - since:.1f} s", self._said.get(id, "")]
        if len(calls) > 1:
            parts.append(f"(+{len(calls) - 1} more)")
        text = clean(" ".join(part for part in parts if part)).replace("\n", " ")
        return text if len(text) < width else text[: width - 2] + ("…" if frames is FRAMES else "~")

    def _draw(self, calls: list[tuple[str, float]], now: float) -> None:
        self._frame += 1
        try:
            self.stream.write("\r\x1b[K" + self.line(calls, now, _width()))
            self.stream.flush()
        except (OSError, ValueError):
            return
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._drawn = False
            try:
                self.stream.write("\r\x1b[K")
                self.stream.flush()
            except (OSError, ValueError):
                return


def _width() -> int:
    from os import get_terminal_size

    try:
        return max(get_terminal_size(2).columns or 80, 20)
    except OSError:
        return 80


def wanted() -> bool:
    """Whether standard error is a terminal that can take a line back."""
    import os

    from rtfs.cli.terminal_output import is_terminal

    return is_terminal(sys.stderr) and os.environ.get("TERM", "dumb") != "dumb"


class watching:
    """Within this block long calls of a runtime are shown, if anybody watches."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        self.progress = Progress() if wanted() else None
        self._unsubscribe: Callable[[], None] | None = None

    def clear(self) -> None:
        """Take the line away, before something else is written."""
        if self.progress is not None:
            self.progress.clear()

    def __enter__(self) -> watching:
        if self.progress is not None:
            self._unsubscribe = self.runtime.events.subscribe(self.progress.event)
            self.progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None and self._unsubscribe is not None:
            self._unsubscribe()
            self.progress.__exit__(kind, error, trace)
