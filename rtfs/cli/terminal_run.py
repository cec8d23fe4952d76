"""Terminal output of a run: shows long calls, and removes control characters from printed text.

Must not know what runs. Invariant: without a terminal nothing happens and nothing is imported.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any


class live:
    """Use around a run of `runtime`."""

    __slots__ = ("_guard", "_watch", "runtime")

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        self._watch: Any = None
        self._guard: Any = None

    def __enter__(self) -> None:
        if not (_terminal(sys.stdout) or _terminal(sys.stderr)):
            return
        from rtfs.cli.progress import watching
        from rtfs.cli.terminal_output import guarded

        self._watch = watching(self.runtime)
        self._guard = guarded(self._watch.clear)
        self._watch.__enter__()
        self._guard.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._guard.__exit__(kind, error, trace)
            self._watch.__exit__(kind, error, trace)


def _terminal(stream: Any) -> bool:
    try:
        return stream is not None and bool(stream.isatty())
    except ValueError:  # closed
        return False
