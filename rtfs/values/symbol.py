"""Symbols: names in code (`foo`, `ns/name`). Equal by name; a symbol may carry metadata, which equality ignores."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Symbol:
    """`Symbol("foo")` is the symbol `foo`. `info` is the reader's note (metadata and place) or None."""

    __slots__ = ("info", "name")

    def __init__(self, name: str, info: Any = None) -> None:
        self.name = name
        self.info = info

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Symbol and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name) ^ 0x5EED

    def __repr__(self) -> str:
        return f"Symbol({self.name!r})"

    def __str__(self) -> str:
        return self.name
