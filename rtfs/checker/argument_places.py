"""Completions within the arguments of a `(call …)`: keys of the input schema, and the values that it lists.

Knows places and types; nothing of prompts or editors. Invariant: the text before the place alone decides.
"""

from __future__ import annotations

from rtfs.syntax.lexemes import KEYWORD, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.syntax.cursor import Frame, Place
    from rtfs.types import Type


class ArgumentPlace:
    """A place within the arguments of a call.

    id      of the capability
    path    keys, "" for an element of a vector, from the arguments to the map in which the place is
    used    the keys that this map has already
    key     of the value that is written at the place; None where a key is
    """

    __slots__ = ("id", "key", "path", "used")

    def __init__(self, id: str, path: list[str], used: set[str], key: str | None) -> None:
        self.id = id
        self.path = path
        self.used = used
        self.key = key


def argument_place(place: Place) -> ArgumentPlace | None:
    """The place as one within a call's arguments; None anywhere else."""
    path: list[str] = []
    frames = list(place.frames)
    here: Frame | None = None
    valued: str | None = None
    index = place.index
    while frames:
        frame = frames.pop()
        if frame.head == "call" and frame.opener == "(":
            id = called_id(frame)
            named = here is not None or place.prefix.startswith(":") or bool(path)
            if here is None and valued is None and index > 2 and index % 2:  # (call "id" :key value)
                valued, here = _key_before(frame, index), frame
                named = valued is not None
            if id is None or index < 2 or not named:
                return None
            return ArgumentPlace(id, path[::-1], _used(here or frame, place), valued)
        if frame.opener == "{":
            if here is not None:
                key = _key_before(frame, index)
                if key is None:
                    return None
                path.append(key)
            else:
                here = frame
                if index % 2:
                    valued = _key_before(frame, index)
                    if valued is None:
                        return None
        elif frame.opener == "[":
            if here is None:
                return None
            path.append("")
        else:
            return None
        index = len(frames[-1].items) - 1 if frames else 0
    return None


def called_id(frame: Frame) -> str | None:
    """The literal id of a call whose bracket is open."""
    if len(frame.items) < 2:
        return None
    id = frame.items[1]
    if id.kind == STRING:
        return str(id.value)
    return str(id.value.name) if id.kind == KEYWORD else None


def _key_before(frame: Frame, index: int) -> str | None:
    """The keyword in front of an item of a bracket."""
    key = frame.items[index - 1] if 0 < index <= len(frame.items) else None
    return str(key.value.name) if key is not None and key.kind == KEYWORD else None


def _used(frame: Frame, place: Place) -> set[str]:
    return {item.value.name for item in frame.items if item.kind == KEYWORD and item is not place.word}


def keys(type: Type | None, place: ArgumentPlace) -> list[tuple[str, str]]:
    """The keys that can be written at a place, with their types, without those that are there."""
    from rtfs.syntax.printer import to_text

    record = record_at(type, place.path)
    found = []
    for field in () if record is None else record.fields:
        if field.name in place.used:
            continue
        about = to_text(field.type.form)
        optional = " optional" if field.optional and not about.endswith("?") else ""
        found.append((f":{field.name}", about + optional))
    return found


def listed_values(type: Type | None, place: ArgumentPlace) -> list[str]:
    """The values that a schema lists for what is written at a place, as text."""
    from rtfs.syntax.printer import to_text

    record = record_at(type, place.path)
    field = None if record is None else next((one for one in record.fields if one.name == place.key), None)
    return [] if field is None else list(dict.fromkeys([to_text(value) for value in _constants(field.type)]))


def record_at(type: Any, path: list[str]) -> Any:
    """The record type at a path of keys ("" for an element) within a type, or None."""
    from rtfs.types import Alias, Record
    from rtfs.types.shapes import ListOf, MapOf, Tuple, VectorOf
    from rtfs.types.unions import And, Union

    if isinstance(type, Alias):
        return record_at(type.target, path) if type.bound else None
    if isinstance(type, (Union, And)):
        parts = type.members if isinstance(type, Union) else type.types
        return next((found for part in parts if (found := record_at(part, path)) is not None), None)
    if not path:
        return type if isinstance(type, Record) else None
    if isinstance(type, Record):
        field = next((field for field in type.fields if field.name == path[0]), None)
        return None if field is None else record_at(field.type, path[1:])
    if isinstance(type, (VectorOf, ListOf)):
        return record_at(type.item, path[1:]) if path[0] == "" else None
    if isinstance(type, MapOf):
        return record_at(type.value, path[1:])
    if isinstance(type, Tuple) and path[0] == "" and type.items:
        return record_at(type.items[0], path[1:])
    return None


def _constants(type: Any) -> list[Any]:
    """The values that a type lists, through alternatives."""
    from rtfs.types import Alias
    from rtfs.types.basic import Base
    from rtfs.types.unions import And, Union

    if isinstance(type, Alias):
        return _constants(type.target) if type.bound else []
    if isinstance(type, (Union, And)):
        parts = type.members if isinstance(type, Union) else type.types
        return [value for part in parts for value in _constants(part)]
    if isinstance(type, Base):
        return [True, False] if type.name == "bool" else [None] if type.name == "nil" else []
    return list(getattr(type, "values", None) or ())
