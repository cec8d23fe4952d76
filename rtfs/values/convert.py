"""Between Python's data and the language's, for hosts.

Knows nothing of JSON or schemas. Invariants: no recursion, so depth is harmless; nothing is lost silently, a value that
has no counterpart is a TypeError or ValueError that names it.
"""

from __future__ import annotations

from itertools import chain

from rtfs.values.error import LimitError, TypeMismatch, UserError
from rtfs.values.keyword import Keyword, is_keyword_name
from rtfs.values.kinds import FunctionType
from rtfs.values.lazy import LazySeq, realised
from rtfs.values.map import Map
from rtfs.values.order import sorted_values
from rtfs.values.regex import Regex
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import spend
from rtfs.values.symbol import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_OWN = frozenset(
    (type(None), bool, int, float, str, Keyword, Symbol, Vector, List, Map, Set, Regex, LazySeq, FunctionType)
)
_MOST = 20_000_000  # collections in one value: what holds one thing twice, that again, and so on, would go on for ever


def from_python(value: Any, keywords: bool = False) -> Any:
    """The RTFS value of Python data.

    dict -> Map, list and tuple -> Vector, set and frozenset -> Set (in the order of `sort`, since Python's own differs
    from process to process); str, int, float, bool, None and RTFS values are themselves (subclasses become the plain
    kind). With `keywords`, the keys of a dict become keywords if all of them are strings that read back as one; else
    none does, since a dict with other keys is keyed by data.
    Raises TypeError for any other object, ValueError for data that contains itself or two keys that become one,
    LimitError for data that is too large.
    """
    if value.__class__ in _OWN:
        return value
    try:
        return _plain_data(value, _PLAIN_DEPTH, [_PLAIN_MOST], _KeywordNames() if keywords else None)
    except _NotPlain:
        pass
    done: list[Any] = []
    open_: list[tuple[Any, Iterator[Any], list[Any]]] = []
    path: set[int] = set()
    count = 0
    source: Any = None
    parts: Iterator[Any] = iter((value,))
    while True:
        for part in parts:
            if part.__class__ in _OWN:
                done.append(part)
            elif isinstance(part, (dict, list, tuple, set, frozenset)):
                if id(part) in path:
                    raise ValueError(f"a {type(part).__name__} that contains itself is not an RTFS value")
                path.add(id(part))
                count += 1
                if not count & 0x3FF:
                    spend(0x8000)
                    if count > _MOST:
                        raise _too_large()
                open_.append((source, parts, done))
                source, done = part, []
                parts = iter(list(part.values()) if isinstance(part, dict) else part)
                break
            else:
                done.append(_plain(part))
        else:
            if source is None:
                return done[0]
            if isinstance(source, dict):
                keys = _keys_of(source, keywords)
                made: Any = Map(zip(keys, done, strict=True))
                if len(made) != len(keys):
                    raise ValueError("two keys of a dict become the same keyword")
            elif isinstance(source, (set, frozenset)):
                made = Set(_in_order(done))
            else:
                made = Vector.of(done)
            path.discard(id(source))
            source, parts, done = open_.pop()
            done.append(made)


class _NotPlain(Exception):
    """Python data that is not what JSON has, or deep, or more than a little."""


_PLAIN_DEPTH = 50
_PLAIN_MOST = 100_000
"""Parts of data that is converted at one go: some ten milliseconds' worth."""


def _plain_data(value: Any, depth: int, left: list[int], names: _KeywordNames | None) -> Any:
    """`from_python` of dicts with strings as keys and of lists. left: how many parts it may have. names: where strings
    become keywords. Raises _NotPlain for what needs more care."""
    kind = value.__class__
    if kind is not dict and kind is not list:
        raise _NotPlain
    left[0] -= len(value)
    if left[0] < 0 or not depth:
        raise _NotPlain
    if kind is list:
        return Vector.of(_plain_parts(value, depth - 1, left, names))
    made: dict[Any, Any] = {}
    if names is None:
        for key, part in value.items():
            if key.__class__ is not str:
                raise _NotPlain
            made[key] = part if part.__class__ in _OWN else _plain_data(part, depth - 1, left, None)
        return Map.of_plain(made)
    mixed = False
    for key, part in value.items():
        if key.__class__ is not str:
            raise _NotPlain
        name = names[key]
        if name is None:
            mixed = True
            name = key
        made[name] = part if part.__class__ in _OWN else _plain_data(part, depth - 1, left, names)
    return Map.of_plain(dict(zip(value, made.values(), strict=True)) if mixed else made)


_FEW, _STRETCH = 8, 512
"""Rows from which on they are made together, and that are at a time."""


def _plain_parts(parts: list[Any], depth: int, left: list[int], names: _KeywordNames | None) -> list[Any]:
    """The values of the elements of a list, by columns where they are rows with the same keys."""
    if len(parts) >= _FEW:
        kinds = {*map(type, parts)}
        if kinds == {dict}:
            made: list[Any] = []
            for start in range(0, len(parts), _STRETCH):
                rows = _plain_rows(parts[start : start + _STRETCH], depth - 1, left, names)
                if rows is None:
                    break
                made += rows
            return made + [_plain_data(part, depth, left, names) for part in parts[len(made) :]]
        if kinds == {list} and depth and max(map(len, parts)) <= SHORT:
            inner = [*chain.from_iterable(parts)]
            if _OWN.issuperset(map(type, inner)):
                left[0] -= len(inner)
                if left[0] < 0:
                    raise _NotPlain
                return [*map(ShortVector, parts)]
    return [part if part.__class__ in _OWN else _plain_data(part, depth, left, names) for part in parts]


def _plain_rows(
    rows: list[dict[Any, Any]], depth: int, left: list[int], names: _KeywordNames | None
) -> list[Any] | None:
    """The maps of rows; None where they have different keys."""
    from rtfs.values.plain_data import columns_of, rows_of

    found = columns_of(rows)
    if found is None:
        return None
    keys, columns = found
    left[0] -= len(keys) * len(rows)
    if left[0] < 0 or depth < 0 or {*map(type, keys)} != {str}:
        raise _NotPlain
    columns = [
        column if _OWN.issuperset(map(type, column)) else _plain_parts(column, depth, left, names) for column in columns
    ]
    if names is not None:
        keywords: list[Any] = [names[key] for key in keys]
        keys = keys if None in keywords else keywords
    return rows_of(len(keys))(keys, columns)


class _KeywordNames(dict):  # type: ignore[type-arg]
    """The keyword of each name that was met, None for a name that does not read back as one."""

    def __missing__(self, name: str) -> Keyword | None:
        key = self[name] = Keyword(name) if is_keyword_name(name) else None
        return key


def _in_order(elements: list[Any]) -> list[Any]:
    try:
        return sorted_values(elements)
    except TypeMismatch:  # functions and errors have no order
        return elements


def _keys_of(source: dict[Any, Any], keywords: bool) -> list[Any]:
    """The keys of a dict; of a large one, the machine looks at the clock in between."""
    keys: list[Any] = []
    for key in source:
        if len(keys) & 0x7FF == 0x7FF:
            spend(0x8000)
        name = from_python(key)
        if keywords:
            if name.__class__ is not str or not is_keyword_name(name):
                return _keys_of(source, False)
            name = Keyword(name)
        keys.append(name)
    return keys


def _plain(value: Any) -> Any:
    if isinstance(value, UserError):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(
        f"a Python {type(value).__name__} has no RTFS value; make it a dict, list, set, str, int, float or bool"
    )


def to_python(value: Any) -> Any:
    """Python data of an RTFS value.

    Map -> dict (keyword keys become their names, sequences as keys tuples), Vector and List -> list, Set ->
    frozenset (a list where an element cannot be hashed, or two of them would become one), Keyword and Symbol -> name;
    functions, regular expressions and errors stay. Raises ValueError where two keys of a map would become one,
    LimitError for a value that is too large.
    """
    value = realised(value)
    done: list[Any] = []
    open_: list[tuple[Any, Iterator[Any], list[Any]]] = []
    count = 0
    source: Any = None
    parts: Iterator[Any] = iter((value,))
    while True:
        for part in parts:
            kind = part.__class__
            if kind is Keyword or kind is Symbol:
                done.append(part.name)
            elif kind is Vector or kind is List or kind is Map or kind is Set:
                count += 1
                if count > _MOST:
                    raise _too_large()
                open_.append((source, parts, done))
                source, done = part, []
                parts = iter(list(part.values()) if kind is Map else part)
                break
            else:
                done.append(part)
        else:
            if source is None:
                return done[0]
            made: Any = done
            if source.__class__ is Map:
                made = {}
                for key, item in zip(source.keys(), done, strict=True):
                    name = _to_key(key)
                    if name in made:
                        raise ValueError(f"two keys of a map become the same Python key {name!r}")
                    made[name] = item
            elif source.__class__ is Set:
                made = _to_set(done)
            source, parts, done = open_.pop()
            done.append(made)


def _to_set(elements: list[Any]) -> frozenset[Any] | list[Any]:
    try:
        made = frozenset(elements)
    except TypeError:
        return elements
    return made if len(made) == len(elements) else elements


def _to_key(key: Any) -> Any:
    if key.__class__ is Keyword or key.__class__ is Symbol:
        return key.name
    if key.__class__ is Vector or key.__class__ is List:
        return tuple(_to_key(part) for part in key)
    if key.__class__ is Set:
        return frozenset(_to_key(part) for part in key)
    return key


def _too_large() -> LimitError:
    return LimitError("limit/size", f"a value of more than {_MOST:,} collections cannot be converted")
