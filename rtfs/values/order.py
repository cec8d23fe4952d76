"""The total order of `sort`: nil < booleans < numbers < strings < keywords < symbols < vectors and lists < maps < sets
< regular expressions.

Names without a namespace come before others. Sequences compare lexicographically, maps by size and then as the sequence
of their entries in the order of their keys, sets by size and then as the sequence of their elements in order, regular
expressions by their text. Numbers compare by value whatever their kind (1 and 1.0 are a tie, which a stable sort leaves
alone), NaN comes behind all others. Functions and errors have no order.
Invariant: a key is a flat tuple of numbers and strings, never nested: C's comparison of two keys never recurses.
"""

from __future__ import annotations

from rtfs.values.error import LimitError, TypeMismatch
from rtfs.values.keyword import Keyword
from rtfs.values.kinds import type_name
from rtfs.values.lazy import LazySeq, realised
from rtfs.values.long_sort import PART, kinds_of, sorted_list
from rtfs.values.map import Map
from rtfs.values.regex import Regex
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.short_vector import ShortVector
from rtfs.values.step_account import PORTION, paced, portions, spend
from rtfs.values.symbol import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# First token of each kind; _END, less than all, closes a collection: what ends first is less.
_END, _NIL, _BOOLEAN, _NUMBER, _NAN, _STRING, _KEYWORD, _SYMBOL, _SEQUENCE, _MAP, _SET, _REGEX = range(12)
_UNORDERED: frozenset[Any] = frozenset((Map, Set))
_ORDERED: frozenset[Any] = frozenset((int, str))
_KEYWORDS_ONLY: frozenset[Any] = frozenset((Keyword,))
_SHORT_ONLY: frozenset[Any] = frozenset((ShortVector,))
_MOST = 20_000_000  # tokens of one key: a vector that holds one vector twice, and so on, would need more than there are

TOKEN = 16
"""Weight of comparing a token (see `sorted_list`)."""


def sort_key(value: Any) -> tuple[Any, ...]:
    """A Python object that orders as `value` does. Raises TypeMismatch for what has no order, LimitError for what is
    too large."""
    leaf = _leaf(value)
    if leaf is not None:
        return leaf
    value = realised(value)
    tokens: list[Any] = []
    if value.__class__ not in _UNORDERED:  # most often what is sorted are pairs and the like
        tokens.append(_SEQUENCE)
        for part in value:
            leaf = _leaf(part)
            if leaf is None:
                break
            tokens += leaf
        else:
            tokens.append(_END)
            return tuple(tokens)
        tokens.clear()
    waiting = [_emit(value, tokens)]
    steps = 0
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
        elif len(tokens) > _MOST:
            raise LimitError("limit/size", f"a value of more than {_MOST:,} parts cannot be sorted")
        else:
            waiting.append(step)
            steps += 1
            if not steps & 0xFFF:
                spend(0x8000)
    return tuple(tokens)


def compare(a: Any, b: Any) -> int:
    """-1, 0 or 1 as `a` comes before, beside or behind `b`."""
    left, right = sort_key(a), sort_key(b)
    return (left > right) - (left < right)


def sorted_values(values: list[Any]) -> list[Any]:
    """A fresh sorted list; ties keep their order."""
    return sorted_by(values, values)


def sorted_by(values: list[Any], keys: list[Any]) -> list[Any]:
    """A fresh list of `values` in the order of the `keys` beside them (one each); ties keep their order."""
    kinds = kinds_of(keys)
    order: list[Any]
    weight = 0
    if kinds == {str}:
        order = keys
        weight = _length(keys)
    elif kinds <= {int, float} and (float not in kinds or all(key == key for key in paced(keys))):
        order = keys
    elif kinds == {Keyword}:
        order = [key.name for key in paced(keys)]
        if any("/" in name for name in paced(order)):
            order = [_name(name) for name in paced(order)]
    elif rows := _rows(keys):
        order, tokens = rows
        spend(len(order) * (tokens + 4))
        weight = TOKEN * tokens * len(order)
    else:
        order = []
        for key in keys:
            order.append(one := sort_key(key))
            spend(len(one) + 4)
            weight += TOKEN * len(one)
    if order is values:
        return sorted_list(values, weight=weight)
    return [values[i] for i in paced(sorted_list(range(len(order)), order.__getitem__, weight))]


def _rows(keys: list[Any]) -> tuple[list[Any], int] | None:
    """(tuples that Python orders as the language does the keys, tokens that a sort key of each would have), if the keys
    are vectors of one length with elements that are, place by place, only integers, only strings or only keywords."""
    if not 0 < len(keys) <= PORTION or set(map(type, keys)) != _SHORT_ONLY or len(set(map(len, keys))) > 1:
        return None
    columns: list[Any] = []
    tokens = 2
    for column in zip(*keys, strict=True):
        kinds = set(map(type, column))
        tokens += 2
        if kinds == _KEYWORDS_ONLY:
            column = tuple([key.name for key in column])
            if "/" in "".join(column):
                return None
            tokens += 1
        elif len(kinds) > 1 or not kinds <= _ORDERED:
            return None
        columns.append(column)
    return (list(zip(*columns, strict=True)), tokens) if columns else None


def _length(texts: list[str]) -> int:
    """The characters of some texts."""
    return sum(map(len, texts)) if len(texts) <= PART else sum([sum(map(len, part)) for part in portions(texts)])


def _leaf(value: Any) -> tuple[Any, ...] | None:
    """The key of what holds nothing; None for collections."""
    kind = value.__class__
    if kind is int:
        return _NUMBER, value
    if kind is float:
        return (_NUMBER, value) if value == value else (_NAN,)
    if kind is str:
        return _STRING, value
    if kind is Keyword:
        return _KEYWORD, *_name(value.name)
    if kind is Vector or kind is List or kind is Map or kind is Set or kind is LazySeq:
        return None
    if value is None:
        return (_NIL,)
    if kind is bool:
        return _BOOLEAN, value
    if kind is Symbol:
        return _SYMBOL, *_name(value.name)
    if kind is Regex:
        return _REGEX, value.pattern
    raise TypeMismatch("type/mismatch", f"values of type {type_name(value)} have no order")


def _name(name: str) -> tuple[str, str]:
    """(namespace, or "" for none, name)."""
    if "/" in name:
        namespace, _, rest = name.partition("/")
        if namespace and rest:
            return namespace, rest
    return "", name


def _emit(value: Any, tokens: list[Any]) -> Iterator[Iterator[Any]]:
    """Appends the key of a collection to `tokens`; yields what has to be run to its end before going on."""
    if value.__class__ not in _UNORDERED:
        tokens.append(_SEQUENCE)
        for part in value:
            leaf = _leaf(part)
            if leaf is None:
                yield _emit(part, tokens)
            else:
                tokens += leaf
    else:
        is_map = value.__class__ is Map
        tokens += (_MAP if is_map else _SET, len(value))
        entries: list[tuple[Any, Any]] = []
        for key, item in (value if is_map else value.as_map()).items():
            leaf = _leaf(key)
            if leaf is None:
                inner = tokens if len(value) == 1 else []
                yield _emit(key, inner)
                leaf = () if inner is tokens else tuple(inner)
            entries.append((leaf, item))
        entries.sort(key=_first)
        for leaf, item in entries:
            tokens += leaf
            if not is_map:
                continue
            leaf = _leaf(item)
            if leaf is None:
                yield _emit(item, tokens)
            else:
                tokens += leaf
    tokens.append(_END)


def _first(entry: tuple[Any, ...]) -> Any:
    return entry[0]
