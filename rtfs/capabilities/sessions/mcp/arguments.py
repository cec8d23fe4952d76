"""RTFS values on their way to a server: as JSON, or a clear error.

Must not know sessions or transports. Invariant: what is sent reads back as the same data, or nothing is sent: no NaN,
no function, no key that is no text, no two keys of one name.
"""

from __future__ import annotations

from math import isfinite

from rtfs.capabilities.sessions.mcp.protocol import MAX_DEPTH, encode
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def arguments_json(arguments: Any, optional_keys: frozenset[str] = frozenset()) -> bytes:
    """A call's arguments as the JSON object that a tool takes.

    arguments: a map, or nil or an empty vector for none, or a vector that holds one map. optional_keys: names whose
    nil is left out. Raises HostError (`argument/json`).
    """
    return encode_checked(plain_arguments(arguments, optional_keys))


def plain_arguments(arguments: Any, optional_keys: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same as Python data."""
    if arguments.__class__ is Vector or arguments.__class__ is List:
        if len(arguments) == 1 and arguments[0].__class__ is Map:
            arguments = arguments[0]
        elif len(arguments) == 0:
            arguments = None
        else:
            raise refuse("a tool takes one map of named arguments, not positional ones")
    if arguments is None:
        return {}
    if arguments.__class__ is not Map:
        raise refuse("a tool takes one map of named arguments")
    plain: dict[str, Any] = _plain(arguments, "", 0)
    for key in optional_keys:
        if key in plain and plain[key] is None:
            del plain[key]
    return plain


def encode_checked(plain: Any) -> bytes:
    """JSON bytes of plain data; raises HostError (`argument/json`) for what has no JSON."""
    try:
        return encode(plain)
    except UnicodeEncodeError:
        raise refuse("a string holds half of a surrogate pair, which UTF-8 has no bytes for") from None
    except ValueError:
        raise refuse("a number has too many digits to be sent") from None


def refuse(message: str) -> HostError:
    """The error for arguments that cannot be sent."""
    return HostError(message, code="argument/json")


def _plain(value: Any, path: str, depth: int) -> Any:
    kind = value.__class__
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        if not isfinite(value):
            raise refuse(f"{value} at {path or 'the top'} has no JSON")
        return value
    if kind is Keyword:
        return value.name
    if depth > MAX_DEPTH:
        raise refuse(f"the arguments are nested deeper than {MAX_DEPTH} levels")
    if kind is Vector or kind is List:
        return [_plain(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    if kind is Map:
        plain: dict[str, Any] = {}
        for key, item in value.items():
            if key.__class__ is Keyword:
                name = key.name
            elif key.__class__ is str:
                name = key
            else:
                raise refuse(f"a key at {path or 'the top'} is neither a keyword nor a string")
            if name in plain:
                raise refuse(f"two keys at {path or 'the top'} have the name {name!r}")
            plain[name] = _plain(item, f"{path}.{name}" if path else name, depth + 1)
        return plain
    what = "a symbol" if kind is Symbol else "a function" if callable(value) else f"a value of type {kind.__name__}"
    raise refuse(f"{what} at {path or 'the top'} has no JSON")
