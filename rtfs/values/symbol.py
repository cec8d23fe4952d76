"""Symbols: names in code (`foo`, `ns/name`). Equal by name; a symbol may carry metadata, which equality ignores."""

from __future__ import annotations

from rtfs.values.info import FormInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Source


class Symbol:
    """`Symbol("foo")` is the symbol `foo`. `info` is the reader's note (metadata and place) or None.

    source, start, end: the place of a symbol that was read, of which `info` is made when it is first asked for. There
    are so many symbols, and so few are asked, that a note for each would take a tenth of the time of reading.
    """

    __slots__ = ("_info", "end", "name", "source", "start")
    source: Source | None
    start: int
    end: int

    def __init__(self, name: str, info: Any = None) -> None:
        self.name = name
        self._info = info
        self.source = None

    @property
    def info(self) -> Any:
        found = self._info
        if found is None and self.source is not None:
            found = self._info = FormInfo(self.source, self.start, self.end)
        return found

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Symbol and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name) ^ 0x5EED

    def __repr__(self) -> str:
        return f"Symbol({self.name!r})"

    def __str__(self) -> str:
        return self.name
