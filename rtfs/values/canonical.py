"""Canonical order: values with the elements of sets and the keys of maps sorted, for digests.

Knows nothing of text. Invariants: equal values of one kind become values that print alike; a value that is in order
already is given back as it is; nothing recurses.
"""

from __future__ import annotations

from rtfs.values.error import TypeMismatch
from rtfs.values.keyword import Keyword
from rtfs.values.long_sort import sorted_list
from rtfs.values.map import Map
from rtfs.values.order import sort_key
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.step_account import paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_COLLECTIONS: frozenset[Any] = frozenset((Vector, List, Map, Set))
_MOST = 2_000_000  # collections that are looked into: larger values do not print either


def canonical(value: Any) -> Any:
    """`value` with sets and maps in the total order of their elements and keys, at any depth. Elements that have no
    order (functions) stay as they are."""
    return value if _in_order(value) else _ordered(value)


def _in_order(value: Any) -> bool:
    pending = [value]
    count = 0
    while pending:
        one = pending.pop()
        kind = one.__class__
        if kind not in _COLLECTIONS:
            continue
        count += 1
        if count > _MOST:
            return True
        if kind is Map:
            if len(one) > 1 and not _ascending(list(one.keys())):
                return False
            pending += [part for pair in one.items() for part in pair if part.__class__ in _COLLECTIONS]
        else:
            if kind is Set and len(one) > 1 and not _ascending(one.to_list()):
                return False
            pending += [part for part in one if part.__class__ in _COLLECTIONS]
    return True


def _ascending(keys: list[Any]) -> bool:
    order: list[Any] | None = order_of_names(keys)
    if order is None:
        if not _COLLECTIONS.isdisjoint([key.__class__ for key in keys]):
            return False
        order = _order(keys)
    return order == sorted_list(order)


def order_of_names(keys: list[Any]) -> list[str] | None:
    """A text for each key that orders as it does, where all are strings or all keywords without a namespace; else
    None."""
    kinds = {key.__class__ for key in keys}
    if kinds == {str}:
        return keys
    if kinds == {Keyword} and not any("/" in key.name for key in keys):
        return [key.name for key in keys]
    return None


def _order(keys: list[Any]) -> list[Any]:
    """Something for each key that orders as it does; numbers of one value by their kind, ints first."""
    try:
        order: list[Any] = [sort_key(key) for key in paced(keys)]
    except TypeMismatch:
        return [0] * len(keys)
    return (
        order if len(set(order)) == len(order) else [(one, _floats(key)) for one, key in zip(order, keys, strict=True)]
    )


def _floats(value: Any) -> list[bool]:
    """For each number in a value, whether it is a float."""
    found: list[bool] = []
    pending = [value]
    while pending:
        one = pending.pop()
        if one.__class__ is Map:
            pending += [part for pair in one.items() for part in pair]
        elif one.__class__ in _COLLECTIONS:
            pending.extend(one)
        elif one.__class__ is int or one.__class__ is float:
            found.append(one.__class__ is float)
    return found[::-1]


def _ordered(value: Any) -> Any:
    """The value rebuilt, children first."""
    done: list[Any] = []
    open_: list[tuple[Any, Iterator[Any], list[Any]]] = []
    source: Any = None
    parts: Iterator[Any] = iter((value,))
    while True:
        for part in parts:
            if part.__class__ in _COLLECTIONS:
                open_.append((source, parts, done))
                source, done = part, []
                inside: Any = [one for pair in part.items() for one in pair] if part.__class__ is Map else part
                parts = iter(inside)
                break
            done.append(part)
        else:
            if source is None:
                return done[0]
            made = _collection(source, done)
            source, parts, done = open_.pop()
            done.append(made)


def _collection(source: Any, parts: list[Any]) -> Any:
    if source.__class__ is Map:
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return Map([pairs[place] for place in _places([key for key, _ in pairs])])
    if source.__class__ is Set:
        return Set(parts[place] for place in _places(parts))
    return source.__class__.of(parts)


def _places(keys: list[Any]) -> list[int]:
    return sorted_list(range(len(keys)), key=_order(keys).__getitem__)
