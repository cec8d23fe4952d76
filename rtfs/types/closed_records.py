"""Types of arguments: the same types, whose records refuse keys that they do not name.

Must not know capabilities. Invariants: a record that says what other keys may hold (`[:* T]`) stays as it is, and so
does everything that is not a record; records that are to hold together (`[:and …]`) know each other's keys.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.record import Field, Record
from rtfs.types.shapes import Array, ListOf, MapOf, SetOf, Tuple, VectorOf
from rtfs.types.type import Misfit, Type, _set
from rtfs.types.unions import And, Union, union
from rtfs.values import Map
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types.type import Steps


class ClosedRecord(Record):
    """A record without other keys than its own. also: names that another type names for the same map."""

    __slots__ = ("also",)
    also: frozenset[str]

    def __init__(self, fields: tuple[Field, ...], also: frozenset[str] = frozenset()) -> None:
        super().__init__(fields)
        _set(self, "also", also)

    def refuses(self, key: Any) -> bool:
        name = key.name if isinstance(key, Keyword) else key
        return name.__class__ is not str or (key not in self._named and name not in self.also)

    def _unknown(self, value: Any) -> Any:
        """The first key that is not known, in a 1-tuple, or None."""
        if self._named.keys() >= value.raw().keys():
            return None
        for key in value.keys():  # noqa: SIM118 - a Map iterates over its pairs
            if self.refuses(key):
                return (key,)
        return None

    def _compile(self) -> Callable[[Any], bool]:
        fits, unknown = super()._compile(), self._unknown
        return lambda value: fits(value) and unknown(value) is None

    def _steps(self, value: Any) -> Steps:
        found = self._unknown(value) if value.__class__ is Map else None
        if found is not None:
            return Misfit(self, value, unknown=found)
        return (yield from super()._steps(value))

    def _key(self) -> Any:
        return (self.fields, self.also)


def closed(type: Type) -> Type:
    """The type as arguments are checked against it."""
    return _Closing().close(type, frozenset())


class _Closing:
    def __init__(self) -> None:
        self.aliases: dict[tuple[int, frozenset[str] | None], Alias] = {}

    def close(self, type: Type, also: frozenset[str] | None) -> Type:
        """Close a type. also: names that neighbouring types allow in the same map; None if one of them allows any
        name."""
        nothing: frozenset[str] = frozenset()
        if isinstance(type, Record):
            fields = tuple(Field(f.key, self.close(f.type, nothing), f.optional, f.about) for f in type.fields)
            if type.rest is not None:
                return Record(fields, self.close(type.rest, nothing))
            return Record(fields) if also is None else ClosedRecord(fields, also)
        if isinstance(type, Union):
            return union(self.close(member, also) for member in type.members)
        if isinstance(type, And):
            found = [_names(part, set()) for part in type.types]
            open_ = also is None or any(names is None for names in found)
            names = None if open_ else (also or nothing).union(*(names or nothing for names in found))
            return And(tuple(self.close(part, names) for part in type.types), type.predicates)
        if isinstance(type, VectorOf):
            return VectorOf(self.close(type.item, nothing))
        if isinstance(type, ListOf):
            return ListOf(self.close(type.item, nothing))
        if isinstance(type, SetOf):
            return SetOf(self.close(type.item, nothing))
        if isinstance(type, Tuple):
            return Tuple(tuple(self.close(item, nothing) for item in type.items))
        if isinstance(type, MapOf):
            return MapOf(type.key, self.close(type.value, nothing))
        if isinstance(type, Array):
            return Array(self.close(type.item, nothing), type.dims)
        if isinstance(type, Alias):
            return self.alias(type, also)
        return type

    def alias(self, type: Alias, also: frozenset[str] | None) -> Alias:
        made = self.aliases.get((id(type), also))
        if made is None:
            made = self.aliases[id(type), also] = Alias(type.name)
            made.bind(self.close(type.target, also))
        return made


def _names(type: Type, seen: set[int]) -> frozenset[str] | None:
    """The names of all fields that a type declares for a map; None if it allows others."""
    if id(type) in seen:
        return frozenset()
    seen.add(id(type))
    if isinstance(type, Record):
        return frozenset(field.name for field in type.fields) if type.rest is None else None
    if isinstance(type, Alias):
        return _names(type.target, seen)
    names: set[str] = set()
    for part in type.children() if isinstance(type, (Union, And)) else ():
        found = _names(part, seen)
        if found is None:
            return None
        names |= found
    return frozenset(names)
