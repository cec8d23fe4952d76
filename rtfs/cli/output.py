"""Writing to standard output, which may be a closed pipe or a full disk.

Must not know what is written. Invariant: trouble with the output ends the command with one line at most, never with a
traceback; a reader that has gone away (`| head`) is not reported.
"""

from __future__ import annotations

import sys

from rtfs.values import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class OutputGone(Exception):
    """Standard output takes nothing more. reason: why, or "" if its reader has just gone away."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class writing:
    """Within this block an OSError of standard output is an `OutputGone`."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            gone = isinstance(error, BrokenPipeError)
            raise OutputGone("" if gone else (error.strerror or str(error)).lower()) from error
        if isinstance(error, Cancelled) and isinstance(error.__cause__, OSError):  # out of a println
            self.__exit__(OSError, error.__cause__, trace)


def write(text: str) -> None:
    """Write a line to standard output."""
    with writing():
        sys.stdout.write(text + "\n")
