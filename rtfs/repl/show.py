"""Values as the prompt shows them: over several lines, and of large ones the beginning.

Knows nothing of terminals but their width. Invariants: the work is bounded by what is shown, not by the size of the
value; no control character of the data reaches the text raw.
"""

from __future__ import annotations

from itertools import islice

from rtfs.values import List, Map, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ELIDED: dict[type, str] = {List: "(…)", Vector: "[…]", Map: "{…}", Set: "#{…}"}

DEEPEST = 16
"""Levels that are shown."""
LONGEST = 20_000
"""Characters that are shown of all strings together, or of a number."""
SHORTEST = 200
"""Characters of a string that are shown in any case."""


def show(value: Any, *, items: int = 100, width: int = 80) -> str:
    """The text of a value.

    items: elements that are shown of a collection, 0 for all of everything; in all at most ten times as many. width:
    columns.
    """
    from rtfs.syntax.diagnostics import clean
    from rtfs.syntax.pretty import pretty

    if items > 0:
        value = _Clip(items).clip(value, 0)
    return clean(pretty(value, max(width, 20)))


class _Clip:
    """Cuts a value down to what is shown. most: elements of one collection. left: elements in all. text: characters of
    strings that are left."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.left = most * 10
        self.text = LONGEST

    def clip(self, value: Any, depth: int) -> Any:
        kind = value.__class__
        if kind is str:
            room = max(self.text, SHORTEST)
            self.text -= min(len(value), room)
            return value if len(value) <= room else Symbol(_cut(value, room))
        if kind is int and value.bit_length() > LONGEST * 3:
            return Symbol(f"… an integer of some {value.bit_length() * 30103 // 100_000 + 1:,} digits")
        if kind not in _ELIDED:
            return value
        if not len(value):
            return value
        if depth >= DEEPEST:
            return Symbol(_ELIDED[kind])
        count = max(0, min(len(value), self.most, self.left))
        self.left -= count
        if kind is Map:
            return self._map(value, count, depth)
        parts = [self.clip(item, depth + 1) for item in islice(value, count)]
        if count < len(value):
            parts.append(_more(len(value) - count))
        return kind(parts)

    def _map(self, value: Any, count: int, depth: int) -> Any:
        pairs: list[tuple[Any, Any]] = []
        for key, item in value.items():
            if len(pairs) == count:
                break
            pairs.append((self.clip(key, depth + 1), self.clip(item, depth + 1)))
        if count < len(value):
            pairs.append((Symbol("…"), Symbol(f"{len(value) - count:,} more")))
        return Map(pairs)


def _more(count: int) -> Symbol:
    return Symbol(f"… {count:,} more")


def _cut(text: str, room: int) -> str:
    from rtfs.syntax.printer import string_text

    return f"{string_text(text[:room])[:-1]}… {len(text) - room:,} more characters"
