"""Standard output and error while a program runs at a terminal: what it prints is shown, never obeyed.

Must not know what runs. Invariants: an escape sequence in data cannot move the cursor, recolour or rename the window;
without a terminal nothing is changed, every byte goes through as it is.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any


def is_terminal(stream: Any) -> bool:
    """Whether people read this stream."""
    try:
        return stream is not None and bool(stream.isatty())
    except ValueError:  # closed
        return False


class Screen:
    """A stream with the control characters of what is written made visible. at_start: whether the cursor is at the
    beginning of a line, as far as what was written here tells. before: called before anything is written."""

    def __init__(self, stream: Any, before: Callable[[], None] | None = None) -> None:
        self.stream = stream
        self.before = before
        self.at_start = True

    def write(self, text: str) -> int:
        from rtfs.syntax.diagnostics import clean

        if self.before is not None:
            self.before()
        if text:
            self.stream.write("\t".join([clean(part) for part in text.split("\t")]))
            self.at_start = text.endswith("\n")
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class guarded:
    """Within this block standard output and error are `Screen`s, where they are terminals. before: called before
    anything is written to one (to take a progress line away). Leaves the cursor at the beginning of a line."""

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        self.before = before
        self._streams: tuple[Any, Any] = (None, None)
        self._out: Any = None

    def __enter__(self) -> None:
        self._streams = (sys.stdout, sys.stderr)
        if is_terminal(sys.stdout):
            sys.stdout = self._out = Screen(sys.stdout, self.before)
        if is_terminal(sys.stderr):
            sys.stderr = Screen(sys.stderr, self.before)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout, sys.stderr = self._streams
        if self._out is not None and not self._out.at_start:
            sys.stdout.write("\n")
