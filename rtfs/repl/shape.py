"""The type of a value, as a type expression: what `:type` answers.

Knows values and the spelling of types. Invariant: the value fits the type that is answered (a test checks it against
`rtfs.types`); where parts differ the answer grows wider, never long.
"""

from __future__ import annotations

from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOKED_AT = 200
"""Elements of a collection that are looked into; a longer one is of one kind of atom, or of `:any`."""
MOST_PARTS = 5_000
"""Collections that are looked into in all; data that shares its parts can be far larger than it is in memory."""
DEEPEST = 8
MOST_KEYS = 40

_ATOMS: dict[type, str] = {
    int: "int", float: "float", str: "string", bool: "bool", type(None): "nil", Keyword: "keyword", Symbol: "symbol",
    Regex: "regex",
}  # fmt: skip
_HEADS: dict[type, str] = {Vector: "vector", List: "list", Set: "set"}
_ANY = Keyword("any")


def type_of(value: Any) -> Any:
    """The type expression of a value."""
    return _Look().type_of(value, 0)


class _Look:
    """left: parts of a value that are still looked at; the rest is `:any`."""

    def __init__(self) -> None:
        self.left = MOST_PARTS

    def type_of(self, value: Any, depth: int) -> Any:
        """The type of a part that lies `depth` levels deep."""
        name = _ATOMS.get(value.__class__)
        if name is not None:
            return Keyword(name)
        self.left -= 1
        if depth >= DEEPEST or self.left < 0 or isinstance(value, UserError):
            return _ANY
        kind = value.__class__
        if kind in _HEADS:
            head = Keyword(_HEADS[kind])
            return Vector([head, self._common(list(value), depth)])
        if kind is Map:
            return self._map(value, depth)
        return Keyword("fn") if callable(value) else _ANY

    def _map(self, value: Any, depth: int) -> Any:
        keys = list(value.keys())
        if keys and len(keys) <= MOST_KEYS and all(key.__class__ is Keyword for key in keys):
            fields = (Vector([key, self.type_of(item, depth + 1)]) for key, item in value.items())
            return Vector([Keyword("map"), *fields])
        return Vector([Keyword("map-of"), self._common(keys, depth), self._common(list(value.values()), depth)])

    def _common(self, items: list[Any], depth: int) -> Any:
        """One type for several values; `:any` for no values, for too many kinds and for too many values to look at."""
        if not items or len(items) > LOOKED_AT:
            return _all_atoms(items)
        found: list[Any] = []
        for item in items:
            one = self.type_of(item, depth + 1)
            if one not in found:
                found.append(one)
        if len(found) == 1:
            return found[0]
        return Vector([Keyword("union"), *found]) if len(found) <= 4 else _ANY


def _all_atoms(items: list[Any]) -> Any:
    """The one kind of atom that many values are, or `:any`."""
    kinds = {item.__class__ for item in items}
    name = _ATOMS.get(kinds.pop()) if len(kinds) == 1 else None
    return _ANY if name is None else Keyword(name)
