"""Arrays as sets: where a type wants a set, data from outside brings an array, for JSON has no other.

Knows types, nothing of calls. Invariant: what does not become a value of the type is left as it is, so that the check
that follows words the error; an array with an element twice is not a set.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.basic import SET
from rtfs.types.choice import And, Union
from rtfs.types.record import Record
from rtfs.types.shapes import Array, ListOf, MapOf, SetOf, Tuple, VectorOf
from rtfs.values import List, Map, Set, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.type import Type

_ARRAYS = (Vector, List)


def wants_sets(type: Type) -> bool:
    """Whether a set occurs anywhere in a type."""
    pending = [type]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is SET or isinstance(one, SetOf):
            return True
        if id(one) not in seen:
            seen.add(id(one))
            pending.extend((one.target,) if isinstance(one, Alias) else one.children())
    return False


def arrays_as_sets(type: Type, value: Any) -> Any:
    """`value` with the arrays made sets that are at the place of one in the type."""
    try:
        return _read(type, value)
    except RecursionError:  # the check that follows says what is wrong with so deep a value
        return value


def _read(type: Type, value: Any) -> Any:
    if isinstance(type, Alias):
        return _read(type.target, value)
    if type is SET or isinstance(type, SetOf):
        return _set(type, value)
    if isinstance(type, Record):
        return _record(type, value)
    if isinstance(type, (VectorOf, ListOf, Array, Tuple)):
        return _sequence(type, value)
    if isinstance(type, MapOf):
        return _with(value, dict.fromkeys(value, type.value)) if value.__class__ is Map else value
    if isinstance(type, Union):
        return _choice(type, value)
    if isinstance(type, And):
        for one in type.types:
            value = _read(one, value)
    return value


def _set(type: Type, value: Any) -> Any:
    if value.__class__ not in _ARRAYS:
        return value
    elements = [_read(type.item, part) for part in value] if isinstance(type, SetOf) else value
    made = Set(elements)
    return made if len(made) == len(value) else value


def _sequence(type: Any, value: Any) -> Any:
    if value.__class__ not in _ARRAYS:
        return value
    if isinstance(type, Tuple):
        items = [*type.items, *[None] * (len(value) - len(type.items))]
    else:
        items = [type.inner if isinstance(type, Array) else type.item] * len(value)
    parts = [part if item is None else _read(item, part) for item, part in zip(items, value, strict=False)]
    return value if all(new is old for new, old in zip(parts, value, strict=True)) else value.__class__(parts)


def _record(type: Record, value: Any) -> Any:
    if value.__class__ is not Map:
        return value
    fields: dict[Any, Type] = {}
    for field in type.fields:
        for key in (field.key, field.name):
            if key in value:
                fields[key] = field.type
    return _with(value, fields)


def _with(value: Any, fields: dict[Any, Type]) -> Any:
    for key, item in fields.items():
        old = value.get(key)
        new = _read(item, old)
        if new is not old:
            value = value.assoc(key, new)
    return value


def _choice(type: Union, value: Any) -> Any:
    if type.accepts(value):
        return value
    for member in type.members:
        made = _read(member, value)
        if made is not value and member.accepts(made):
            return made
    return value
