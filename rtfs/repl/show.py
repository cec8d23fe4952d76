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

_ENDLESS = 1 << 40
DEEPEST = 16
"""Levels that are shown."""
LONGEST = 20_000
"""Characters that are shown of a number."""
TEXT = 2_000
"""Characters that are shown of all strings together."""
SHORTEST = 200
"""Characters of a string that are shown in any case."""


def show(value: Any, *, items: int = 100, width: int = 80, text: int | None = None) -> str:
    """The text of a value.

    items: elements that are shown of a collection, 0 for all; in all at most ten times as many. width: columns. text:
    characters that are shown of all strings together, 0 for all; None: 0 where items is, else `TEXT`.
    """
    from rtfs.syntax.diagnostics import clean
    from rtfs.syntax.pretty_printer import pretty

    if text is None:
        text = TEXT if items > 0 else 0
    if items > 0 or text > 0:
        value = _Clip(items or _ENDLESS, text or _ENDLESS).clip(value, 0)
    return clean(pretty(value, max(width, 20)))


def fits(value: Any, most: int) -> bool:
    """Whether a value has at most so many parts and characters, found out without looking at more of it."""
    pending, left = [value], most
    while pending:
        part = pending.pop()
        left -= len(part) + 1 if part.__class__ in (str, List, Vector, Map, Set) else 1
        if left < 0 or (part.__class__ is int and part.bit_length() > most * 3):
            return False
        if part.__class__ is Map:
            pending += [*part.keys(), *part.values()]
        elif part.__class__ in (List, Vector, Set):
            pending += part
    return True


class _Clip:
    """Cuts a value down to what is shown. most: elements of one collection. left: elements in all. text: characters of
    strings that are left."""

    def __init__(self, most: int, text: int) -> None:
        self.most = most
        self.left = most * 10
        self.text = text

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
