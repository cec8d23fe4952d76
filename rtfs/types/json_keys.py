"""Keys of JSON objects as a type names them: fields as it writes them, keywords mostly; keys that are data are texts.

Knows types, nothing of calls. Invariant: only keys change, each into the other spelling of its name, and only where a
type speaks of them; a map without a type stays as it was converted. Keys beyond the fields of a record are keywords if
all of them read as such, as without a type, unless it says what further keys hold (`[:* T]`).

Source: design, "Values": what a server or a Python function answers is converted alike.
"""

from __future__ import annotations

from rtfs.types.basic import KEYWORD, STRING
from rtfs.types.record import Record
from rtfs.types.shapes import MapOf
from rtfs.types.walk import Walk, noted, occurs
from rtfs.values import Map
from rtfs.values.keyword import Keyword, is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.record import Field
    from rtfs.types.type import Type


def names_keys(type: Type) -> bool:
    """Whether a type says anywhere which keys a map has."""
    return occurs(type, _names)


def with_named_keys(type: Type, value: Any) -> Any:
    """`value` with the keys of its maps as the type spells them."""
    return _KEYS.read(type, value)


def _names(type: Type) -> bool:
    return isinstance(type, MapOf) or (isinstance(type, Record) and (bool(type.fields) or type.rest is not None))


class _Keys(Walk):
    __slots__ = ()

    def record(self, type: Record, value: Map) -> Any:
        if not _names(type):
            return value
        further = [_text(key) for key in value if _field(type, key) is None]
        words = type.rest is None and all(key.__class__ is str and is_keyword_name(key) for key in further)
        spell = _keyword if words else _text
        pairs = []
        for key, item in value.items():
            field = _field(type, key)
            if field is not None:
                pairs.append((field.key, self.part(field.type, item)))
            else:
                pairs.append((spell(key), item if type.rest is None else self.part(type.rest, item)))
        return _made(value, pairs)

    def map(self, type: MapOf, value: Map) -> Any:
        spell = _text if type.key is STRING else _keyword if type.key is KEYWORD else _same
        return _made(value, [(spell(key), self.part(type.value, item)) for key, item in value.items()])


def _field(type: Record, key: Any) -> Field | None:
    """The field that a key of JSON means, also a field that is named by a text."""
    found = type.field(key)
    return type.field(key.name) if found is None and key.__class__ is Keyword else found


def _made(value: Map, pairs: list[tuple[Any, Any]]) -> Map:
    """The map of the pairs, unless it is the same, or two keys would become one."""
    if all(key is old and item is was for (key, item), (old, was) in zip(pairs, value.items(), strict=True)):
        return value
    made = Map(pairs)
    return noted(value, made) if len(made) == len(value) else value


def _text(key: Any) -> Any:
    return key.name if key.__class__ is Keyword else key


def _keyword(key: Any) -> Any:
    return Keyword(key) if key.__class__ is str and is_keyword_name(key) else key


def _same(key: Any) -> Any:
    return key


_KEYS = _Keys()
