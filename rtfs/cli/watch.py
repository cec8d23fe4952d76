"""Waiting for a change of files, for commands with `--watch`. Must not know what the files hold."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POLL = 0.3
"""Seconds between two looks at the files that are watched."""


class Watch:
    """Detects changes of files. files: a function that lists them; called each time, so that new files are seen."""

    def __init__(self, files: Callable[[], Iterable[str]]) -> None:
        self._files = files
        self._before = self._stamps()

    def wait(self) -> None:
        """Return once a file has changed, appeared or gone since this was last asked."""
        while (now := self._stamps()) == self._before:
            time.sleep(POLL)
        self._before = now

    def _stamps(self) -> list[tuple[str, int, int]]:
        found = []
        for file in self._files():
            try:
                status = os.stat(file)
            except OSError:
                continue
            found.append((file, status.st_mtime_ns, status.st_size))
        return found
