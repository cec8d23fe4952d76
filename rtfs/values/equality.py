"""The language's `=` and the hash that goes with it.

Strict on kind (1, 1.0 and true are three values), sequences by elements whatever their kind, maps and sets whatever
their order, functions and errors by identity, NaN equal to nothing. Knows nothing of how collections keep their
elements. Invariants: neither function recurses; equal values have equal hashes; data that shares parts (a vector
holding one vector twice, sixty levels deep) costs what it occupies, not what it would print as.
"""

from __future__ import annotations

from itertools import chain

from rtfs.values.keyword import Keyword
from rtfs.values.map import Map
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.step_account import LARGE, PORTION, look, paced, spend, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_ABSENT = object()
_MANY = 4096  # containers visited before it pays to remember which; smaller data repeats little


def equal(a: Any, b: Any) -> bool:
    """`(= a b)`."""
    kind = a.__class__
    if kind is b.__class__:
        if kind in SIMPLE:
            if kind is str and len(a) > LARGE:
                look()
            return a == b  # type: ignore[no-any-return]
        if kind is Vector:
            return a == b if type(a) is type(b) is ShortVector else equal_collections(a, b)
        return equal_collections(a, b) if kind in _COLLECTIONS else bool(a == b)
    return kind in _SEQUENCES and b.__class__ in _SEQUENCES and equal_collections(a, b)


def equal_collections(a: Any, b: Any) -> bool:
    """True if two maps, two sets, or two sequences, are equal."""
    if a.__class__ is Map and a._d is not None and b._d is not None:
        simple = _equal_simple_maps(a._d, b._d)
        if simple is not None:
            return simple
    pairs = _pairs(a, b)
    if pairs is None:
        return False
    waiting: list[Iterator[tuple[Any, Any]]] = []
    visited = 0
    seen: set[tuple[int, int]] | None = None
    while True:
        for a, b in pairs:
            kind = a.__class__
            if kind in _SEQUENCES:
                if b.__class__ not in _SEQUENCES:
                    return False
            elif kind is not b.__class__:
                return False
            elif kind not in _UNORDERED:
                if a is b if kind is Keyword else a == b:
                    continue
                return False
            visited += 1
            if visited > _MANY:
                if not visited & 0x7FF:
                    spend(0x4000)
                both = (id(a), id(b))
                if seen is None:
                    seen = set()
                if both in seen:
                    continue
                seen.add(both)
            inner = _pairs(a, b)
            if inner is None:
                return False
            waiting.append(pairs)
            pairs = inner
            break
        else:
            if not waiting:
                return True
            pairs = waiting.pop()


def _equal_simple_maps(left: dict[Any, Any], right: dict[Any, Any]) -> bool | None:
    """Whether the dicts of two maps are equal; None for keys or values with parts or that have to be encoded."""
    if len(left) != len(right):
        return False
    for part in (left.items(),) if len(left) <= PORTION else stretches(left.items(), PORTION):
        for key, value in part:
            kind = value.__class__
            if key.__class__ not in SIMPLE or kind not in SIMPLE:
                return None
            other = right.get(key, _ABSENT)
            if other.__class__ is not kind or other != value:
                return False
    return True


def _pairs(a: Any, b: Any) -> Iterator[tuple[Any, Any]] | None:
    """The pairs that must be equal for two collections of one kind to be equal; None if they differ in size or keys."""
    if a.__class__ in _UNORDERED:
        if len(a) != len(b):
            return None
        return _map_pairs(a, b) if a.__class__ is Map else _set_pairs(a, b)
    if a.__class__ is LazySeq or b.__class__ is LazySeq:
        return _lazy_pairs(a, b)
    left, right = a.to_list(), b.to_list()
    if len(left) != len(right):
        return None
    if len(left) > PORTION:
        return _paced_pairs(left, right)
    return zip(left, right)  # noqa: B905


def _paced_pairs(left: list[Any], right: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The pairs of two long lists; the machine looks at the clock in between."""
    for start in range(0, len(left), PORTION):
        spend(PORTION)
        yield from zip(left[start : start + PORTION], right[start : start + PORTION], strict=True)


def _lazy_pairs(a: Any, b: Any) -> Iterator[tuple[Any, Any]] | None:
    """`_pairs` of two sequences of which at least one is lazy: no more is computed than it takes to see a difference in
    length, or (of two lazy ones) in elements without parts."""
    if b.__class__ is not LazySeq:
        a, b = b, a
    if a.__class__ is not LazySeq:
        left = a.to_list()
        right = first_elements(b, len(left) + 1)
        return zip(left, right) if len(left) == len(right) else None  # noqa: B905
    if a._segment is b._segment and a._index == b._index:
        return iter(())
    first, second = Cursor(a), Cursor(b)
    pairs: list[tuple[Any, Any]] = []
    while first.ready():
        if not second.ready() or len(pairs) > MOST:
            break
        one, other = first.segment.items[first.index], second.segment.items[second.index]
        first.index += 1
        second.index += 1
        pairs.append((one, other))
        if one.__class__ not in _COLLECTIONS and not equal(one, other):
            return None
    if len(pairs) > MOST:
        raise endless()
    return None if first.ready() or second.ready() else iter(pairs)


def _map_pairs(a: Map, b: Map) -> Iterator[tuple[Any, Any]] | None:
    """The pairs that must be equal for two maps of one length to be equal; None if no pairing of their keys is
    possible."""
    left, right = a.raw(), b.raw()
    pairs: list[tuple[Any, Any]] = []
    deep: list[tuple[Any, Any]] = []
    for key, value in left.items():
        kind = key.__class__
        if kind in _COLLECTIONS:
            deep.append((key, value))
            continue
        if kind is tuple and key[0] != key[0]:
            return None
        other = right.get(key, _ABSENT)
        if other is _ABSENT:
            return None
        pairs.append((value, other))
    if deep:
        partners = _partners(deep, right)
        if partners is None:
            return None
        for entry, partner in zip(deep, partners, strict=True):
            pairs += zip(entry, partner, strict=True)
    return iter(pairs)


def _set_pairs(a: Set, b: Set) -> Iterator[tuple[Any, Any]] | None:
    """The pairs that must be equal for two sets of one length to be equal; None if no pairing of their elements is
    possible."""
    left, right = a.as_map().raw(), b.as_map().raw()
    deep: list[tuple[Any, Any]] = []
    for key, element in left.items():
        if key.__class__ in _COLLECTIONS:
            deep.append((key, element))
        elif key not in right or (key.__class__ is tuple and key[0] != key[0]):
            return None
    partners = _partners(deep, right)
    if partners is None:
        return None
    return iter([(entry[0], partner[0]) for entry, partner in zip(deep, partners, strict=True)])


def _partners(deep: list[tuple[Any, Any]], right: dict[Any, Any]) -> list[tuple[Any, Any]] | None:
    """For each entry whose key is a collection the one entry of `right` whose key can equal it; None if one has none.

    A lookup would compare keys, whose keys would be compared by a lookup, and so on down the C stack.
    """
    by_hash: dict[int, list[tuple[Any, Any]]] = {}
    for entry in right.items():
        if entry[0].__class__ in _COLLECTIONS:
            by_hash.setdefault(hash_of(entry[0]), []).append(entry)
    partners: list[tuple[Any, Any]] = []
    for key, _ in deep:
        candidates = by_hash.get(hash_of(key), [])
        if len(candidates) != 1:
            candidates = [entry for entry in candidates if equal(key, entry[0])]
            if not candidates:
                return None
        partners.append(candidates[0])
    return partners


def hash_of(value: Any) -> int:
    """A hash that goes with `equal`."""
    if value.__class__ not in _COLLECTIONS:
        return _hash_leaf(value)
    if value.__class__ is Set and value._hash is not None:
        return value._hash
    # what is simple is there itself: a tuple hashes it as fast, and a short vector of such is hashed as a tuple
    waiting: list[tuple[Any, Iterator[Any], list[Any]]] = []
    hashes: list[Any] = []
    memo: dict[int, int] = {}
    visited = 0
    parts = _parts(value)
    while True:
        for part in parts:
            kind = part.__class__
            if kind is str or kind is int or kind is Keyword:
                hashes.append(part)
            elif kind not in _COLLECTIONS:
                hashes.append(_hash_leaf(part))
            elif kind is Set and part._hash is not None:
                hashes.append(part._hash)
            elif id(part) in memo:
                hashes.append(memo[id(part)])
            else:
                visited += 1
                if not visited & 0x7FF:
                    spend(0x4000)
                waiting.append((value, parts, hashes))
                value, parts, hashes = part, _parts(part), []
                break
        else:
            if value.__class__ is Map:
                result = hash(frozenset(zip(hashes[::2], hashes[1::2], strict=True)))
            elif value.__class__ is Set:
                value._hash = result = hash(frozenset(hashes))
            else:
                result = hash(tuple(hashes))
            if not waiting:
                return result
            if visited > _MANY:
                memo[id(value)] = result
            value, parts, hashes = waiting.pop()
            hashes.append(result)


def _parts(value: Any) -> Iterator[Any]:
    if value.__class__ is Map:
        return chain.from_iterable(paced(value.items()))
    return iter(paced(elements(value) if value.__class__ is LazySeq else value))


def _hash_leaf(value: Any) -> int:
    kind = value.__class__
    if kind is float:
        return hash(value) ^ 0x0F10A7
    if kind is bool:
        return 0xB001 if value else 0xB000
    return hash(value)


# Last, because lazy sequences are compared by the functions above.
from rtfs.values.lazy import MOST, Cursor, LazySeq, elements, endless, first_elements  # noqa: E402
from rtfs.values.short_vector import SIMPLE, ShortVector  # noqa: E402

_SEQUENCES = frozenset((Vector, List, LazySeq))
_UNORDERED: frozenset[Any] = frozenset((Map, Set))
_COLLECTIONS = frozenset((Vector, List, Map, Set, LazySeq))
