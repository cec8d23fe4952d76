"""Block comments, `#| … |#`, which nest.

Knows nothing of tokens. Invariant: a comment ends for the reader, the formatter and the editor at the same place.
"""

from __future__ import annotations

import re

_EDGE = re.compile(r"#\||\|#")


def block_end(text: str, start: int, stop: int) -> tuple[int, int]:
    """Offset behind the block comment that begins at `start`, and how many comments are still open there: none, or
    those that `text` breaks off at `stop`."""
    depth = 0
    for edge in _EDGE.finditer(text, start, stop):
        depth += 1 if edge[0] == "#|" else -1
        if depth == 0:
            return edge.end(), 0
    return stop, depth
