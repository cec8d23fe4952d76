"""What the reader remembers about a form: where it and its children stand, and its metadata.

Values made by programs have none (`info` is None). Equality, order, hashing and printing of values ignore it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Source


class FormInfo:
    """`start`, `end`: offsets of the form in `source`. `kids`: start and end of each child, flat (a map's children are
    key, value, key, value …, as written). `meta`: the `^{…}` map or None."""

    __slots__ = ("end", "kids", "meta", "source", "start")

    def __init__(self, source: Source, start: int, end: int, kids: tuple[int, ...] = (), meta: Any = None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.kids = kids
        self.meta = meta
