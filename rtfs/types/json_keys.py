"""Keys of JSON objects as a type names them: fields are keywords; keys that a type says are data are texts.

Knows types, nothing of calls. Invariant: only keys change, each into the other spelling of its name, and only where a
type speaks of them; a map without a type stays as it was converted. Keys beyond the fields of a record are keywords if
all of them read as such, as without a type, unless it says what further keys hold (`[:* T]`).

Source: design, "Values": what a server or a Python function answers is converted alike.
"""

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.basic import KEYWORD, STRING
from rtfs.types.choice import And, Union
from rtfs.types.record import Record
from rtfs.types.shapes import Array, ListOf, MapOf, Tuple, VectorOf
from rtfs.values import List, Map, Vector
from rtfs.values.keyword import Keyword, is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.type import Type


def names_keys(type: Type) -> bool:
    """Whether a type says anywhere which keys a map has."""
    pending = [type]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if isinstance(one, MapOf) or (isinstance(one, Record) and (one.fields or one.rest is not None)):
            return True
        if id(one) not in seen:
            seen.add(id(one))
            pending.extend((one.target,) if isinstance(one, Alias) else one.children())
    return False


def with_named_keys(type: Type, value: Any) -> Any:
    """`value` with the keys of its maps as the type spells them."""
    try:
        return _read(type, value)
    except RecursionError:  # the check that follows says what is wrong with so deep a value
        return value


def _read(type: Type, value: Any) -> Any:
    kind = value.__class__
    if kind is not Map and kind is not Vector and kind is not List:
        return value
    if isinstance(type, Alias):
        return _read(type.target, value)
    if isinstance(type, Union):
        return _choice(type, value)
    if isinstance(type, And):
        for one in type.types:
            value = _read(one, value)
        return value
    if kind is Map:
        if isinstance(type, Record):
            return _record(type, value)
        return _map(type, value) if isinstance(type, MapOf) else value
    if isinstance(type, Tuple):
        items = [*type.items, *[None] * (len(value) - len(type.items))]
    elif isinstance(type, (VectorOf, ListOf)):
        items = [type.item] * len(value)
    elif isinstance(type, Array):
        items = [type.inner] * len(value)
    else:
        return value
    parts = [part if item is None else _read(item, part) for item, part in zip(items, value, strict=False)]
    if all(new is old for new, old in zip(parts, value, strict=True)):
        return value
    return _noted(value, kind(parts))


def _record(type: Record, value: Map) -> Map:
    if not type.fields and type.rest is None:
        return value
    further = [_text(key) for key in value.keys() if type.field(key) is None]  # noqa: SIM118
    words = type.rest is None and all(key.__class__ is str and is_keyword_name(key) for key in further)
    spell = _keyword if words else _text
    pairs = []
    for key, item in value.items():
        field = type.field(key)
        if field is not None:
            pairs.append((field.key, _read(field.type, item)))
        else:
            pairs.append((spell(key), item if type.rest is None else _read(type.rest, item)))
    return _made(value, pairs)


def _map(type: MapOf, value: Map) -> Map:
    spell = _text if type.key is STRING else _keyword if type.key is KEYWORD else _same
    return _made(value, [(spell(key), _read(type.value, item)) for key, item in value.items()])


def _choice(type: Union, value: Any) -> Any:
    for member in type.members:
        made = _read(member, value)
        if made is not value and member.accepts(made):
            return made
    return value


def _made(value: Map, pairs: list[tuple[Any, Any]]) -> Map:
    """The map of the pairs, unless it is the same, or two keys would become one."""
    same = all(key is old and item is was for (key, item), (old, was) in zip(pairs, value.items(), strict=True))
    if same:
        return value
    made = Map(pairs)
    return _noted(value, made) if len(made) == len(value) else value


def _noted(value: Any, made: Any) -> Any:
    return made if value.info is None else made.with_info(value.info)


def _text(key: Any) -> Any:
    return key.name if key.__class__ is Keyword else key


def _keyword(key: Any) -> Any:
    return Keyword(key) if key.__class__ is str and is_keyword_name(key) else key


def _same(key: Any) -> Any:
    return key
