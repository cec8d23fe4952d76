"""Arrays as sets: where a type wants a set, data from outside brings an array, for JSON has no other.

Knows types, nothing of calls. Invariant: what does not become a value of the type is left as it is, so that the check
that follows words the error; an array with an element twice is not a set.
"""

from __future__ import annotations

from rtfs.types.basic import SET
from rtfs.types.shapes import SetOf
from rtfs.types.walk import Walk, occurs
from rtfs.values import Map, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.record import Record
    from rtfs.types.shapes import MapOf
    from rtfs.types.type import Type
    from rtfs.types.unions import Union


def wants_sets(type: Type) -> bool:
    """Whether a set occurs anywhere in a type."""
    return occurs(type, _is_set)


def arrays_as_sets(type: Type, value: Any) -> Any:
    """`value` with the arrays made sets that are at the place of one in the type."""
    return _SETS.read(type, value)


def _is_set(type: Type) -> bool:
    return type is SET or isinstance(type, SetOf)


class _Sets(Walk):
    __slots__ = ()

    def choice(self, type: Union, value: Any) -> Any:
        return value if type.accepts(value) else super().choice(type, value)

    def record(self, type: Record, value: Map) -> Any:
        fields: dict[Any, Type] = {}
        for field in type.fields:
            for key in (field.key, field.name):
                if key in value:
                    fields[key] = field.type
        return self._with(value, fields)

    def map(self, type: MapOf, value: Map) -> Any:
        return self._with(value, dict.fromkeys(value, type.value))

    def array(self, type: Type, value: Any) -> Any:
        if not _is_set(type):
            return super().array(type, value)
        made = Set([self.part(type.item, part) for part in value] if isinstance(type, SetOf) else value)
        return made if len(made) == len(value) else value

    def _with(self, value: Map, fields: dict[Any, Type]) -> Map:
        for key, item in fields.items():
            old = value.get(key)
            new = self.part(item, old)
            if new is not old:
                value = value.assoc(key, new)
        return value


_SETS = _Sets()
