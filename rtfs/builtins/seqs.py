"""What the collection functions share: the elements of a collection, and building a result of the same kind.

Vectors, lists, sets, strings (their characters), maps (their entries as `[k v]`) and nil (empty) are sequences. Must
not know any particular function; declares none. Invariant: a list gives a list, everything else a vector.
"""

from __future__ import annotations

from itertools import islice

from rtfs.builtins.budget import spend
from rtfs.builtins.checks import MAX_ITEMS, size_error, type_error
from rtfs.values import Keyword, List, Map, Set, TypeMismatch, Vector
from rtfs.values.equality import equal
from rtfs.values.lookup import keyword_get

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.values import LimitError

SEQUENCE = "a vector, list, map, set, string or nil"


def not_a_sequence(function: str, value: Any) -> TypeMismatch:
    """The error for a `value` that has no elements."""
    return type_error(function, "the collection", SEQUENCE, value)


def too_many(function: str) -> LimitError:
    """`limit/size`: the result would have more than `MAX_ITEMS` elements."""
    return size_error(function, "a collection", MAX_ITEMS, "elements")


def entries(coll: Map) -> list[Any]:
    """The entries of a map as vectors `[k v]`, in its order."""
    return [Vector.of([key, value]) for key, value in coll.items()]


def items(function: str, coll: Any) -> Any:
    """The elements of `coll`, as something sized that is iterated once or more and never changed, accounted for.

    Raises TypeMismatch if `coll` is no sequence.
    """
    found = elements_of(function, coll)
    spend(len(found))
    return found


def elements_of(function: str, coll: Any) -> Any:
    """Like `items`, for a function that may not go through all of them and accounts for itself."""
    kind = coll.__class__
    if kind is Vector or kind is List or kind is str:
        return coll
    if coll is None:
        return ()
    if kind is Map:
        return entries(coll)
    if kind is Set:
        return coll.to_list()
    raise not_a_sequence(function, coll)


def fresh_list(function: str, coll: Any) -> list[Any]:
    """The elements of `coll` as a Python list that the caller owns. Raises TypeMismatch if `coll` is no sequence."""
    kind = coll.__class__
    if kind is Vector or kind is List:
        spend(len(coll) >> 3)  # copying is cheap
        return coll.to_list()  # type: ignore[no-any-return]
    if kind is Map:
        return entries(coll)
    if kind is Set:
        return coll.to_list()  # type: ignore[no-any-return]
    if kind is str:
        return list(coll)
    if coll is None:
        return []
    raise not_a_sequence(function, coll)


def as_vector(function: str, coll: Any) -> Any:
    """`coll` itself if it is a vector or a list, else a vector of its elements. Raises TypeMismatch."""
    kind = coll.__class__
    if kind is Vector or kind is List:
        return coll
    return Vector.of(fresh_list(function, coll))


def like(coll: Any, elements: list[Any]) -> Any:
    """The fresh Python list `elements`, given away, as a list if `coll` is one, else as a vector."""
    return List.of(elements) if coll.__class__ is List else Vector.of(elements)


def leading(function: str, coll: Any, n: int) -> Any:
    """The first `n` elements (or as many as there are; none if `n` < 1), as the kind of `coll`."""
    kind = coll.__class__
    if n < 0:
        n = 0
    if kind is Vector or kind is List:
        return coll if n >= len(coll) else coll.slice(0, n)
    if kind is Map:
        return Vector.of([Vector.of([key, value]) for key, value in islice(coll.items(), min(n, len(coll)))])
    if kind is str:
        return Vector.of(list(coll[:n]))
    return Vector.of(fresh_list(function, coll))


def from_index(function: str, coll: Any, n: int) -> Any:
    """The elements after the first `n` (all if `n` < 1), as the kind of `coll`. O(1) for vectors and lists."""
    if coll.__class__ is str:
        return Vector.of(list(coll[max(n, 0) :]))
    whole = as_vector(function, coll)
    if n <= 0:
        return whole
    size = len(whole)
    return whole.slice(min(n, size), size)


def extended(target: Any, more: Any) -> Any:
    """The vector or list `target` with the sized iterable `more` appended, at a cost in proportion to `more` if it can.

    Few elements are appended one by one, which shares the memory of `target`: adding to an accumulator in a loop stays
    linear. Many are cheaper to copy together.
    """
    count = len(more)
    if count * 8 < len(target):
        for element in more:
            target = target.conj(element)
        return target
    elements = target.to_list()
    elements.extend(more)
    return like(target, elements)


def position(coll: Any, value: Any) -> int:
    """Index of the first element of a vector or list that equals `value` (RTFS `=`), or -1."""
    kind = value.__class__
    i = 0
    if kind is int or kind is str or kind is Keyword:
        for element in coll:
            if element.__class__ is kind and element == value:
                break
            i += 1
        else:
            spend(i)
            return -1
        spend(i)
        return i
    for element in coll:
        if equal(element, value):
            spend(i)
            return i
        i += 1
    spend(i)
    return -1


def looked_up(keyword: Keyword, elements: Any) -> list[Any]:
    """The keyword applied to each element, which is what `map :name people` spends its time on."""
    return [
        d.get(keyword) if x.__class__ is Map and (d := x._d) is not None else keyword_get(keyword, x) for x in elements
    ]


def tuples(function: str, colls: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The elements of several sequences side by side, as long as the shortest. Raises TypeMismatch."""
    return zip(*[items(function, coll) for coll in colls], strict=False)
