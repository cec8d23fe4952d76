"""Sets: immutable, in insertion order, with the language's equality between their elements.

A set is a header over a `Map` from each element to itself, so that it shares the map's versions: adding and removing
costs what it costs a map. Knows nothing of text. Invariants: what a set answers never changes; of equal elements the
first stays, in its place; a NaN equals nothing, not even itself.
"""

from __future__ import annotations

from _collections_abc import Set as _AbstractSet

from rtfs.values.collection import Collection
from rtfs.values.error import EvalError
from rtfs.values.map import Map, encode_key
from rtfs.values.step_account import in_stretches, listed
from rtfs.values.versions import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from rtfs.values.info import FormInfo

_new = object.__new__


class Set(Collection):
    """`#{1 2}`. `Set([1, 2])`, from any iterable of values."""

    # _hash: once it is computed. Sets within sets would otherwise be hashed again at each level.
    __slots__ = ("_hash", "_map")
    _map: Map
    _hash: int | None

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        self._map = _with_elements({}, False, elements)
        self._hash = None
        self.info = None

    @staticmethod
    def of_map(elements: Map) -> Set:
        """The set of the keys of a map in which each key is its own value."""
        made = _new(Set)
        made._map = elements
        made._hash = None
        made.info = None
        return made

    def as_map(self) -> Map:
        """The map from each element to itself."""
        return self._map

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._map.keys())

    def __contains__(self, element: object) -> bool:
        return self._map.get(element, ABSENT) is not ABSENT

    def to_list(self) -> list[Any]:
        """A fresh Python list of the elements."""
        return list(self._map.keys())

    def get(self, element: Any, default: Any = None) -> Any:
        """The element of the set that equals `element`, or `default`."""
        return self._map.get(element, default)

    def conj(self, element: Any) -> Set:
        """With `element`, behind the others unless it is there."""
        if self._map.get(element, ABSENT) is not ABSENT:
            return self
        return Set.of_map(self._map.assoc(element, element))

    def disj(self, element: Any) -> Set:
        """Without `element`."""
        remaining = self._map.dissoc(element)
        return self if remaining is self._map else Set.of_map(remaining)

    def union(self, elements: Iterable[Any]) -> Set:
        """With all `elements`, one after the other."""
        added = listed(elements)
        if len(added) * 4 < len(self):
            result = self
            for element in added:
                result = result.conj(element)
            return result
        return Set.of_map(_with_elements(self._map.fresh(), self._map._odd, added))

    def with_info(self, info: FormInfo | None) -> Set:
        """The same elements with the reader's note `info`."""
        made = Set.of_map(self._map)
        made.info = info
        return made

    def __call__(self, element: Any = ABSENT, /, *more: Any) -> Any:
        """`(s element)`: the set's element that equals it, or nil, as a program asks for it."""
        if element is ABSENT or more:
            count = 1 + len(more) if more else 0
            raise EvalError("arity", f"a set as a function takes 1 argument, got {count}")
        entries = self._map
        d = entries._d
        kind = element.__class__
        return entries.get(element) if d is None or kind is float or kind is bool else d.get(element)

    def __repr__(self) -> str:
        return "Set([" + ", ".join(map(repr, self)) + "])"


def _with_elements(d: dict[Any, Any], odd: bool, elements: Iterable[Any]) -> Map:
    """The map of a set with the elements of `d`, given away, and others. odd: whether keys of `d` may be encoded."""
    for part in in_stretches(elements):
        odd = _put_elements(d, part) or odd
    return Map.of_encoded(d) if odd else Map.of_plain(d)


def _put_elements(d: dict[Any, Any], elements: Any) -> bool:
    """Puts sized elements into the dict of a set: of equal ones the first stays. True if one had to be encoded."""
    kinds = set(map(type, elements))
    if kinds <= SIMPLE:  # equal ones are as good as each other
        d.update(zip(elements, elements, strict=True))
        return False
    odd = not _ENCODED.isdisjoint(kinds)
    for element in elements:
        d.setdefault(encode_key(element) if odd else element, element)
    return odd


_ENCODED = {float, bool}
"""Kinds of elements that are not in dicts as themselves."""

_AbstractSet.register(Set)

# Last, because short vectors need sets.
from rtfs.values.short_vector import SIMPLE  # noqa: E402
