"""The walk along a type: whether something occurs in it, and a value that is read as it says.

Knows types, nothing of calls. Invariant: a value in which nothing is to be changed comes back as the same object; of
one that is too deep to be walked through nothing is changed, and the check that follows says what is wrong with it.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.record import Record
from rtfs.types.shapes import Array, ListOf, MapOf, Tuple, VectorOf
from rtfs.types.unions import And, Union
from rtfs.values import List, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types.type import Type


def occurs(type: Type, wanted: Callable[[Type], bool]) -> bool:
    """Whether a type has a part, itself included, that is wanted."""
    pending = [type]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if wanted(one):
            return True
        if id(one) not in seen:
            seen.add(id(one))
            pending.extend((one.target,) if isinstance(one, Alias) else one.children())
    return False


class Walk:
    """Reads a value along a type. What becomes of maps and arrays at their places is for subclasses to say; by itself
    it changes nothing."""

    __slots__ = ()

    def read(self, type: Type, value: Any) -> Any:
        """The value as the type says."""
        try:
            return self.part(type, value)
        except RecursionError:
            return value

    def part(self, type: Type, value: Any) -> Any:
        """The value at a place of that type."""
        if isinstance(type, Alias):
            return self.part(type.target, value)
        if isinstance(type, Union):
            return self.choice(type, value)
        if isinstance(type, And):
            for one in type.types:
                value = self.part(one, value)
            return value
        kind = value.__class__
        if kind is Map:
            if isinstance(type, Record):
                return self.record(type, value)
            return self.map(type, value) if isinstance(type, MapOf) else value
        return self.array(type, value) if kind is Vector or kind is List else value

    def choice(self, type: Union, value: Any) -> Any:
        """The value as the first member says that changes it and then accepts it."""
        for member in type.members:
            made = self.part(member, value)
            if made is not value and member.accepts(made):
                return made
        return value

    def record(self, type: Record, value: Map) -> Any:
        """A map at the place of a record."""
        return value

    def map(self, type: MapOf, value: Map) -> Any:
        """A map at the place of a map of any keys."""
        return value

    def array(self, type: Type, value: Any) -> Any:
        """A vector or list: its parts at the places of theirs."""
        items: list[Type | None]
        if isinstance(type, Tuple):
            items = [*type.items, *[None] * (len(value) - len(type.items))]
        elif isinstance(type, (VectorOf, ListOf)):
            items = [type.item] * len(value)
        elif isinstance(type, Array):
            items = [type.inner] * len(value)
        else:
            return value
        parts = [part if item is None else self.part(item, part) for item, part in zip(items, value, strict=False)]
        if all(new is old for new, old in zip(parts, value, strict=True)):
            return value
        return noted(value, value.__class__(parts))


def noted(value: Any, made: Any) -> Any:
    """`made`, with the note that is attached to the original value."""
    return made if value.info is None else made.with_info(value.info)
