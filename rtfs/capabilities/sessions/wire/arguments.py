"""RTFS values on their way to a server: as JSON, or a clear error.

Must not know sessions or transports. Invariant: what is sent reads back as the same data, or nothing is sent: no NaN,
no function, only texts as keys, no two keys of one name.
"""

from __future__ import annotations

from math import isfinite

from rtfs.capabilities.sessions.wire.json import MAX_DEPTH, encode
from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.error import EvalError, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def arguments_json(arguments: Any, optional_keys: frozenset[str] = frozenset()) -> bytes:
    """A call's arguments as the JSON object that a server takes.

    arguments: a map, or nil for none. optional_keys: names whose nil is left out. Raises HostError (`argument/json`),
    EvalError (`arity`) for arguments by position.
    """
    return encode_checked(plain_arguments(arguments, optional_keys))


def plain_arguments(arguments: Any, optional_keys: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same as Python data."""
    if arguments is None:
        return {}
    if arguments.__class__ is not Map:
        raise by_position("id")
    try:
        plain: dict[str, Any] = _plain(arguments, 0)
    except _NoJson as problem:
        where = "".join(reversed(problem.path)).removeprefix(".")
        if len(where) > 60:
            where = where[:60] + "…"
        raise refuse(f"{problem.what} at {where} has no JSON" if where else f"{problem.what} has no JSON") from None
    for key in optional_keys:
        if key in plain and plain[key] is None:
            del plain[key]
    return plain


def by_position(id: str) -> EvalError:
    """The error for arguments that have no names, of a call that takes one map of named ones."""
    return EvalError(
        "arity",
        "the call takes one map of named arguments, not positional ones",
        hint=f'(call "{id}" :name value …) or (call "{id}" {{:name value …}})',
    )


def encode_checked(plain: Any) -> bytes:
    """JSON bytes of plain data; raises HostError (`argument/json`) for what has no JSON."""
    try:
        return encode(plain)
    except UnicodeEncodeError:
        raise refuse("a string holds half of a surrogate pair, which UTF-8 has no bytes for") from None
    except ValueError:
        raise refuse("a number has more digits than can be sent") from None


def refuse(message: str) -> HostError:
    """The error for arguments that cannot be sent."""
    return HostError(message, code="argument/json")


class _NoJson(Exception):
    """A value that cannot be sent as JSON, and (filled in while unwinding) its place."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path: list[str] = []


def _plain(value: Any, depth: int) -> Any:
    kind = value.__class__
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        if not isfinite(value):
            raise _NoJson(f"the number {value}")
        return value
    if kind is Keyword:
        return value.name
    if depth >= MAX_DEPTH:
        raise _NoJson(f"nesting deeper than {MAX_DEPTH} levels")
    if kind is Vector or kind is List or kind is Set:
        return _plain_list(value, depth + 1)
    if kind is Map:
        return _plain_map(value, depth + 1)
    if kind is Symbol:
        raise _NoJson("a symbol")
    if kind is Regex:
        raise _NoJson("a regular expression")
    raise _NoJson("a function" if callable(value) else f"a value of type {kind.__name__}")


def _plain_list(items: Any, depth: int) -> list[Any]:
    plain: list[Any] = []
    try:
        # No comprehension: it is a frame more for each level.
        for item in items:
            plain.append(_plain(item, depth))
    except _NoJson as problem:
        problem.path.append(f"[{len(plain)}]")
        raise
    return plain


def _plain_map(entries: Any, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    name = ""
    try:
        for key, item in entries.items():
            if key.__class__ is Keyword:
                name = key.name
            elif key.__class__ is str:
                name = key
            else:
                name = ""
                raise _NoJson("a map with a key that is neither a keyword nor a string")
            if name in plain:
                raise _NoJson("one of two keys of this name")
            plain[name] = _plain(item, depth)
    except _NoJson as problem:
        if name:
            problem.path.append("." + name)
        raise
    return plain
