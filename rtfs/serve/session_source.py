"""The text of a plan within a session, whose places are those of the plan as it was written.

Must not know what is kept. Invariant: every place in the plan has the line and column of the plan alone; lines of what
comes before have negative numbers.
"""

from __future__ import annotations

from rtfs.source import Source


class SessionSource(Source):
    """`before`, the original's text, which is broken at an offset by `between`, and `after`."""

    __slots__ = ("_at", "_first", "_second", "original")

    def __init__(self, original: Source, before: str, at: int, between: str, after: str) -> None:
        start = original.text.rfind("\n", 0, at) + 1
        indent = " " * (at - start) if between else ""
        text = original.text
        super().__init__(f"{before}{text[:at]}{between}{indent}{text[at:]}{after}", original.name)
        self.original = original
        self._at = at
        self._first = len(before)
        self._second = self._first + at + len(between) + len(indent)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset in the original, both from 1; before it: a negative line."""
        if offset < self._first:
            line, column = super().position(offset)
            return line - super().position(self._first)[0], column
        own = offset - self._second + self._at if offset >= self._second else min(offset - self._first, self._at)
        return self.original.position(min(own, len(self.original.text)))

    def line(self, number: int) -> str:
        """Text of a line, as `position` counts them."""
        if number > 0:
            return self.original.line(number)
        return super().line(number + super().position(self._first)[0])

    def start(self, number: int) -> int:
        """Offset of the beginning of line `number` of the original."""
        own = self.original.start(number)
        return own + (self._second - self._at if own >= self._at and self._second else self._first)
