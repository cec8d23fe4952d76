"""The origin of program text: `Source` (a named text) and `Span` (a stretch of one).

Knows nothing of forms, values or programs. Invariant: offsets count code points of `Source.text`, half open; lines and
columns are computed only on demand (errors are rare, tokens are many), both counted from 1.
"""

from __future__ import annotations

STANDARD = "stdlib/"
"""How the names of the standard library's files begin."""


class Source:
    """A text with a name for people: a path, `<stdin>`, `<repl 3>`.

    library: whether it was loaded for programs to use, as the standard library is; errors in it are shown where the
    program used it. incremental: whether more text follows, as at a prompt, that may define what this one uses.
    keyed: the last cache key made of it, behind what else that was made of; None before the first.
    """

    __slots__ = ("_starts", "incremental", "keyed", "library", "name", "text")

    def __init__(self, text: str, name: str = "<string>", incremental: bool = False) -> None:
        self.name = name
        self.text = text
        self.incremental = incremental
        self.library = name.startswith(STANDARD)
        self._starts: list[int] | None = None
        self.keyed: tuple[bytes, bytes, str, bytes] | None = None

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset, both from 1."""
        from bisect import bisect_right

        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def start(self, number: int) -> int:
        """Offset of the beginning of line `number` (from 1); that of the text's end beyond the last."""
        starts = self._line_starts()
        return starts[number - 1] if number <= len(starts) else len(self.text)

    def line(self, number: int) -> str:
        """Text of line `number` (from 1) without its line end; empty beyond the last."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        stop = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : stop].rstrip("\r")

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} chars)"


class Span:
    """The half-open stretch [start, end) of a source."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def last(self) -> tuple[int, int]:
        """(line, column) of the end, which is the first position after the stretch."""
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        """The source text that the span covers."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"

    def __repr__(self) -> str:
        return f"Span({self}, {self.end - self.start} chars)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return (self.source.name, self.start, self.end) == (other.source.name, other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.source.name, self.start, self.end))
