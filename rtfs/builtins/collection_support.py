"""Code shared by the collection functions: the elements of a collection, and building a result of the same kind.

Vectors, lists, lazy sequences, sets, strings (their characters), maps (their entries as `[k v]`) and nil (empty) are
sequences. Must not know any particular function; declares none. Invariants: a list, and a lazy sequence whose end
was needed, become a list, everything else a vector; reading all elements of a lazy sequence returns them or is a limit.
"""

from __future__ import annotations

from itertools import islice

from rtfs.builtins.argument_errors import MAX_ITEMS, size_error, type_error
from rtfs.values import Keyword, LazySeq, List, Map, Reduced, Set, TypeMismatch, Vector
from rtfs.values.equality import equal
from rtfs.values.lazy import MOST, Cursor, elements, endless, first_elements
from rtfs.values.lookup import keyword_get
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import LARGE, PART, PORTION, account, look, paced, portions, spend

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
    pairs = coll.items()
    if len(pairs) <= PART:
        return list(map(ShortVector, pairs))
    return [ShortVector(pair) for pair in paced(pairs)]


def items(function: str, coll: Any) -> Any:
    """The elements of `coll`, as something sized that is iterated once or more and never changed, accounted for.

    Raises TypeMismatch if `coll` is not a sequence.
    """
    found = coll if coll.__class__ is Vector else elements_of(function, coll)
    spend(len(found))
    return found


def parts(function: str, coll: Any) -> Any:
    """The elements of `coll` in parts between which the machine looks at the clock, accounted for.

    Raises TypeMismatch if `coll` is not a sequence.
    """
    kind = type(coll)
    if account.spent < PORTION:
        if kind is ShortVector:
            account.spent += len(coll)
            return (coll,)
        if (kind is Vector or kind is List) and coll._more is None:
            size = coll._stop - coll._start
            if size <= PART:
                account.spent += size
                return (coll._items[coll._start : coll._stop],)
    return portions(items(function, coll))


FEW = 16


def asked(function: str, coll: Any) -> Any:
    """The elements of `coll` in parts, each accounted for when it is its turn, for a function that may end with the
    first element. Raises TypeMismatch if `coll` is not a sequence."""
    if type(coll) is ShortVector and account.spent < PORTION:
        account.spent += len(coll)
        return (coll,)
    found = coll if coll.__class__ is Vector else elements_of(function, coll)
    size = len(found)
    if size > FEW:
        return _asked_parts(found)
    spend(size)
    return (found,)


def _asked_parts(found: Any) -> Iterator[Any]:
    """Parts that grow with what was asked for already."""
    whole = found.to_list() if hasattr(found, "to_list") else found
    start, size = 0, FEW
    while start < len(whole):
        part = whole[start : start + size]
        start += size
        size = min(start, PART)
        spend(len(part))
        yield part
        if start > PART:
            look()


def batches(function: str, coll: Any) -> tuple[Any, Any]:
    """(elements, cursor): all elements of a collection and None, or the first ones of a lazy sequence and where to get
    the next ones by `next_batch`. Raises TypeMismatch if `coll` is not a sequence."""
    if coll.__class__ is LazySeq:
        return next_batch(Cursor(coll))
    found = elements_of(function, coll)
    spend(len(found))
    return found, None


def next_batch(cursor: Cursor) -> tuple[Any, Any]:
    """The next elements of a lazy sequence, and the cursor for further ones; at its end none and None."""
    found = cursor.batch()
    return ((), None) if found is None else (found, cursor)


def fold(function: str, f: Any, result: Any, coll: Any) -> Any:
    """`f` of the result so far and each element, until it returns a `Reduced`, which is unwrapped."""
    found, cursor = batches(function, coll)
    while True:
        for x in paced(found):
            result = f(result, x)
            if result.__class__ is Reduced:
                return result.value
        if cursor is None:
            return result
        found, cursor = next_batch(cursor)


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
    if kind is LazySeq:
        return elements(coll)
    raise not_a_sequence(function, coll)


def characters(text: str) -> list[str]:
    """The characters of a text, with looks at the clock in between."""
    if len(text) <= LARGE:
        return list(text)
    found: list[str] = []
    for start in range(0, len(text), LARGE):
        found += text[start : start + LARGE]
        look()
    return found


def fresh_list(function: str, coll: Any) -> list[Any]:
    """The elements of `coll` as a Python list that the caller owns. Raises TypeMismatch if `coll` is not a sequence."""
    kind = coll.__class__
    if kind is Vector or kind is List:
        spend(len(coll) >> 3)  # copying is cheap
        return coll.to_list()  # type: ignore[no-any-return]
    if kind is Map:
        return entries(coll)
    if kind is Set:
        return coll.to_list()  # type: ignore[no-any-return]
    if kind is str:
        return characters(coll)
    if coll is None:
        return []
    if kind is LazySeq:
        return elements(coll)
    raise not_a_sequence(function, coll)


def as_vector(function: str, coll: Any) -> Any:
    """`coll` itself if it is a vector or a list, a list of a lazy sequence, else a vector. Raises TypeMismatch."""
    kind = coll.__class__
    if kind is Vector or kind is List:
        return coll
    return like(coll, fresh_list(function, coll))


def like(coll: Any, found: list[Any]) -> Any:
    """The fresh Python list `found`, given away, as a list if `coll` is one (a lazy one too), else as a vector."""
    kind = coll.__class__
    if kind is List or kind is LazySeq:
        return List.of(found)
    return ShortVector(found) if len(found) <= SHORT else Vector.adopt(found)


def row(elements: tuple[Any, ...]) -> Any:
    """The vector of a tuple's elements."""
    return ShortVector(elements) if len(elements) <= SHORT else Vector.adopt([*elements])


def leading(function: str, coll: Any, n: int) -> Any:
    """The first `n` elements (or as many as there are; none if `n` < 1), as the kind of `coll`."""
    kind = coll.__class__
    if n < 0:
        n = 0
    if kind is LazySeq:
        return List.of(first_elements(coll, n))
    if kind is Vector or kind is List:
        return coll if n >= len(coll) else coll.slice(0, n)
    if kind is Map:
        return Vector.of([ShortVector(entry) for entry in islice(coll.items(), min(n, len(coll)))])
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
        for element in paced(more):
            target = target.conj(element)
        return target
    joined = target.to_list()
    joined.extend(more)
    return like(target, joined)


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


def looked_up(keyword: Keyword, values: Any) -> list[Any]:
    """The keyword applied to each element, which is what `map :name people` spends its time on."""
    return [
        d.get(keyword) if x.__class__ is Map and (d := x._d) is not None else keyword_get(keyword, x)
        for x in paced(values)
    ]


def tuples(function: str, colls: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The elements of several sequences side by side, as long as the shortest. Raises TypeMismatch. Lazy ones are asked
    for no more than the shortest other one has."""
    if LazySeq not in map(type, colls):
        return zip(*[items(function, coll) for coll in colls], strict=False)
    whole = {i: items(function, coll) for i, coll in enumerate(colls) if coll.__class__ is not LazySeq}
    if not whole:
        return iter(_lazy_rows(colls))
    least = min([len(found) for found in whole.values()])
    for i, coll in enumerate(colls):
        if coll.__class__ is LazySeq:
            whole[i] = first_elements(coll, least)
            least = len(whole[i])
    return zip(*[whole[i] for i in range(len(colls))], strict=False)


def _lazy_rows(colls: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The elements of lazy sequences side by side. Raises LimitError if none of them ends."""
    cursors = [Cursor(coll) for coll in colls]
    rows: list[tuple[Any, ...]] = []
    while True:
        row = []
        for cursor in cursors:
            if not cursor.ready():
                return rows
            row.append(cursor.segment.items[cursor.index])
            cursor.index += 1
        rows.append(tuple(row))
        if len(rows) > MOST:
            raise endless()
