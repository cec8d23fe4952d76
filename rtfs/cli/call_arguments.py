"""The arguments of a capability as words of a command line: one JSON text, or `key=value` read as the schema says.

Must not know how calls are made. Invariants: a value is a text where the schema takes one, so that `zip=00123` stays
what was typed; what the schema says nothing of is JSON if it reads as such, else a text; no value is dropped: a name
that is repeated makes a list where the schema takes one, and is an error elsewhere.
"""

from __future__ import annotations

import re

from rtfs.values import HostError, Keyword, Map, Vector, from_python
from rtfs.values.keyword import is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.types import Type

_WORD = re.compile(r"([A-Za-z_$][^\s=:]*)(:=|=)(.*)", re.DOTALL)
_HINT = """write name=value for each argument, or one JSON object: '{"name": "value"}'"""


def argument_of(words: list[str], schema: Type | None) -> list[Any]:
    """The arguments that words mean: none, or one value. schema: of the input, or None. Raises HostError `usage`,
    `file/…`."""
    if not words:
        return []
    if is_one_text(words):
        return [from_python(_json(words[0], "the argument"), keywords=True)]
    found: dict[Any, Any] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            raise HostError(f"{word!r} is not an argument", code="usage", hint=_HINT)
        path, sign, text = match[1], match[2], match[3]
        keys, type = _path(path, schema)
        into = found
        for key in keys[:-1]:
            into = into.setdefault(key, {})
            if not isinstance(into, dict):
                raise _in_two_ways(path)
        if sign == ":=":
            value = from_python(_json(text, path), keywords=True)
        else:
            value = _value(_file(text[1:]) if text.startswith("@") else text, type, repeated=keys[-1] in into)
        if keys[-1] in into:
            if isinstance(into[keys[-1]], dict):
                raise _in_two_ways(path)
            if not _takes_lists(type):
                raise _repeated(path, type)
            value = _more(into[keys[-1]], value)
        into[keys[-1]] = value
    return [_map(found)]


def is_one_text(words: list[str]) -> bool:
    """Whether the words are one JSON text."""
    return len(words) == 1 and _WORD.fullmatch(words[0]) is None


def _path(path: str, schema: Type | None) -> tuple[list[Any], Type | None]:
    """The keys that lead to a value, and its type if the schema says one: `a.b` is the field `b` of the map `a`, unless
    a field is called so."""
    field = _field(schema, path)
    if field is not None or "." not in path:
        return [_key(path) if field is None else field.key], None if field is None else field.type
    first, _, rest = path.partition(".")
    keys, type = _path(rest, getattr(_field(schema, first), "type", None))
    return [*_path(first, schema)[0], *keys], type


def _field(type: Type | None, name: str) -> Any:
    """The field of a name in a type that takes maps."""
    from rtfs.types.record import Record

    for part in _parts(type):
        if isinstance(part, Record):
            field = part.field(name)
            if field is not None:
                return field
    return None


def _parts(type: Type | None) -> Iterator[Type | None]:
    """What a type is made of behind its names, as alternatives or together; a hundred parts at most."""
    from rtfs.types.alias import Alias
    from rtfs.types.unions import And, Union

    pending = [type]
    for _ in range(100):
        if not pending:
            return
        part = pending.pop()
        yield part
        if isinstance(part, Alias):
            pending.append(part.target)
        elif isinstance(part, (And, Union)):
            pending += part.children()


def _value(text: str, type: Type | None, *, repeated: bool) -> Any:
    """The value that a text means for a type."""
    from rtfs.types.basic import ANY

    wanted = type if type is not None and type is not ANY else None
    if wanted is not None and wanted.accepts(text):
        return text
    if wanted is not None and is_keyword_name(text) and wanted.accepts(Keyword(text)):
        return Keyword(text)
    try:
        value = from_python(_json(text, "it"), keywords=True)
    except HostError:
        value = text
    if wanted is None:
        return value if value.__class__ is not str else text
    if not wanted.accepts(value) and not repeated:
        for one in (text, value):
            if wanted.accepts(Vector([one])):
                return Vector([one])
    if repeated and wanted.accepts(Vector([text])):
        return text
    return value


def _takes_lists(type: Type | None) -> bool:
    """Whether the schema says that a value may be a vector. One that says nothing, or takes anything, does not."""
    from rtfs.types.basic import Base
    from rtfs.types.shapes import Array, Tuple, VectorOf

    return any(
        isinstance(part, (VectorOf, Tuple, Array))
        or (isinstance(part, Base) and part.classes is not None and Vector in part.classes)
        for part in _parts(type)
    )


def _repeated(path: str, type: Type | None) -> HostError:
    from rtfs.types.basic import ANY

    if type is None or type is ANY:
        hint = f"a list is written {path}:='[1, 2]'"
    else:
        hint = f"give it once: it is {type.describe()}"
    return HostError(f"{path} is given more than once", code="usage", hint=hint)


def _in_two_ways(path: str) -> HostError:
    return HostError(
        f"{path} is given in two ways", code="usage", hint="a value is either given whole, or by its fields"
    )


def _more(before: Any, value: Any) -> Any:
    """Collect the values of a repeated key in a vector."""
    one = before if before.__class__ is Vector else Vector([before])
    return Vector([*one, *(value if value.__class__ is Vector else (value,))])


def _key(name: str) -> Any:
    return Keyword(name) if is_keyword_name(name) else name


def _map(found: dict[Any, Any]) -> Map:
    return Map([(key, _map(value) if isinstance(value, dict) else value) for key, value in found.items()])


def _json(text: str, what: str) -> Any:
    from rtfs.cli.wiring import parse_json

    return parse_json(text, what)


def _file(path: str) -> str:
    from rtfs.host.files import read_source

    return read_source(path).text
