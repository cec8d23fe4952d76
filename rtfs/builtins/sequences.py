"""Access to sequences by place: single elements, counts, and stretches of a sequence.

Must not know of maps beyond their entries, nor of the functions that search or transform. Invariant: a stretch of a
vector or list shares its memory (O(1)), so `rest` in a loop is linear.
"""

from __future__ import annotations

from itertools import islice

from rtfs.builtins.argument_errors import argument_error, index_error, need_int, type_error
from rtfs.builtins.collection_support import (
    as_vector,
    elements_of,
    fresh_list,
    from_index,
    leading,
    like,
    not_a_sequence,
)
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps, transducers
from rtfs.values import LazySeq, List, Map, Set, Vector
from rtfs.values.lazy import SEGMENT, Cursor
from rtfs.values.step_account import paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _at(function: str, coll: Any, index: int) -> Any:
    """Element `index` >= 0 of any sequence, or nil."""
    kind = coll.__class__
    if kind is Vector or kind is List or kind is str:
        return coll[index] if index < len(coll) else None
    if kind is Map:
        for key, value in islice(coll.items(), index, index + 1):
            return Vector.of([key, value])
        return None
    if kind is Set:
        return next(islice(coll, index, index + 1), None)
    if coll is None:
        return None
    if kind is LazySeq:
        return lazy_nth(coll, index, None)
    raise not_a_sequence(function, coll)


def lazy_nth(coll: LazySeq, index: int, default: Any) -> Any:
    """Element `index` >= 0 of a lazy sequence, or the default."""
    cursor = Cursor(coll)
    left = index
    while cursor.ready():
        there = len(cursor.segment.items) - cursor.index
        if left < there:
            return cursor.segment.items[cursor.index + left]
        left -= there
        cursor.index += there
    return default


def is_empty_lazy(coll: LazySeq) -> bool:
    """Whether a lazy sequence has no element."""
    return not Cursor(coll).ready()


def rest_of_lazy(coll: LazySeq) -> LazySeq:
    """A lazy sequence without its first element, if it has one."""
    cursor = Cursor(coll)
    if cursor.ready():
        cursor.index += 1
    return cursor.rest()


@builtin(
    "first", "(first coll)", "The first element; nil if there is none.", "(first [1 2 3])", "1", "(first nil)", "nil"
)
def first(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector or kind is List:
        return coll[0] if len(coll) else None
    return _at("first", coll, 0)


@builtin("second", "(second coll)", "The second element; nil if there is none.", "(second [1 2 3])", "2")
def second(coll: Any, /) -> Any:
    return _at("second", coll, 1)


@builtin("last", "(last coll)", "The last element; nil if there is none.", "(last [1 2 3])", "3")
def last(coll: Any, /) -> Any:
    if coll is None:
        return None
    if coll.__class__ is Map:
        return _at("last", coll, len(coll) - 1) if len(coll) else None
    if coll.__class__ is LazySeq:
        return _last_of_lazy(coll)
    elements = elements_of("last", coll)
    return elements[-1] if len(elements) else None


def _last_of_lazy(coll: LazySeq) -> Any:
    cursor = Cursor(coll)
    found = None
    while (part := cursor.batch(SEGMENT)) is not None:
        found = part[-1]
    return found


@builtin(
    "butlast",
    "(butlast coll)",
    "All elements but the last; nil if that leaves none.",
    "(butlast [1 2 3])",
    "[1 2]",
    "(butlast [1])",
    "nil",
)
def butlast(coll: Any, /) -> Any:
    elements = fresh_list("butlast", coll)
    del elements[-1:]
    return like(coll, elements) if elements else None


@builtin(
    "rest",
    "(rest coll)",
    "All elements but the first; empty if there is none.",
    "(rest [1 2 3])",
    "[2 3]",
    "(rest [])",
    "[]",
)
def rest(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector or kind is List:
        size = len(coll)
        return coll.slice(1, size) if size else coll
    if kind is LazySeq:
        return rest_of_lazy(coll)
    return from_index("rest", coll, 1)


@builtin(
    "next",
    "(next coll)",
    "All elements but the first; nil if that leaves none.",
    "(next [1 2])",
    "[2]",
    "(next [1])",
    "nil",
)
def next_(coll: Any, /) -> Any:
    if coll.__class__ is LazySeq:
        following = rest_of_lazy(coll)
        return None if is_empty_lazy(following) else following
    remaining = from_index("next", coll, 1)
    return remaining if len(remaining) else None


@builtin(
    "nth",
    "(nth coll index default?)",
    "The element at an index, counted from 0; outside, the default or an error.",
    "(nth [10 20] 1)",
    "20",
    "(nth [10 20] 5 :none)",
    ":none",
)
def nth(coll: Any, index: Any, default: Any = MISSING, /) -> Any:
    if index.__class__ is not int:
        raise type_error("nth", "the index", "an integer", index)
    if coll is None:
        return None if default is MISSING else default
    kind = coll.__class__
    if kind is LazySeq:
        return _nth_of_lazy(coll, index, default)
    if kind is not Vector and kind is not List and kind is not str and kind is not Map:
        raise not_a_sequence("nth", coll)
    size = len(coll)
    if 0 <= index < size:
        return _at("nth", coll, index)
    if default is MISSING:
        raise index_error("nth", index, size, "characters" if kind is str else "elements")
    return default


def _nth_of_lazy(coll: LazySeq, index: int, default: Any) -> Any:
    found = lazy_nth(coll, index, MISSING) if index >= 0 else MISSING
    if found is MISSING:
        if default is MISSING:
            raise argument_error("nth", f"got index {index}, but the sequence ends before", "index/out-of-bounds")
        return default
    return found


@builtin(
    "count",
    "(count coll)",
    "How many elements, entries or characters there are; 0 for nil.",
    "(count [1 2 3])",
    "3",
    '(count "é😀")',
    "2",
    aliases=("length",),
)
def count(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector or kind is List or kind is Map or kind is str or kind is Set:
        return len(coll)
    if coll is None:
        return 0
    if kind is LazySeq:
        cursor = Cursor(coll)
        while cursor.batch(SEGMENT) is not None:
            pass
        return cursor.count
    raise not_a_sequence("count", coll)


@builtin(
    "empty?",
    "(empty? coll)",
    "Whether there is no element; true for nil.",
    "(empty? [])",
    "true",
    "(empty? [nil])",
    "false",
)
def is_empty(coll: Any, /) -> Any:
    kind = coll.__class__
    if kind is Vector or kind is List or kind is Map or kind is str or kind is Set:
        return len(coll) == 0
    if coll is None:
        return True
    if kind is LazySeq:
        return is_empty_lazy(coll)
    raise not_a_sequence("empty?", coll)


@builtin("not-empty", "(not-empty coll)", "The collection itself, or nil if it is empty.", "(not-empty [])", "nil")
def not_empty(coll: Any, /) -> Any:
    return None if is_empty(coll) else coll


@builtin(
    "take",
    "(take n coll?)",
    "The first `n` elements, or all if there are fewer; without a collection a transducer.",
    "(take 2 [1 2 3])",
    "[1 2]",
    "(take 5 [1])",
    "[1]",
    "(take 3 (range))",
    "(0 1 2)",
)
def take(n: Any, coll: Any = MISSING, /) -> Any:
    need_int("take", "the number of elements", n)
    if coll.__class__ is LazySeq:
        return steps.lazy_take(n, coll)
    return transducers.taking(n) if coll is MISSING else leading("take", coll, n)


@builtin(
    "drop",
    "(drop n coll?)",
    "All elements but the first `n`; without a collection a transducer.",
    "(drop 2 [1 2 3])",
    "[3]",
)
def drop(n: Any, coll: Any = MISSING, /) -> Any:
    need_int("drop", "the number of elements", n)
    if coll.__class__ is LazySeq:
        return steps.lazy_drop(n, coll)
    return transducers.dropping(n) if coll is MISSING else from_index("drop", coll, n)


def _while(function: str, pred: Any, coll: Any) -> int:
    """The number of elements, from the start, that satisfy the predicate."""
    n = 0
    for element in paced(elements_of(function, coll)):
        fits = pred(element)
        if fits is None or fits is False:
            break
        n += 1
    spend(n)
    return n


@builtin(
    "take-while",
    "(take-while pred coll?)",
    "The elements up to the first that does not fit; without a collection a transducer.",
    "(take-while odd? [1 3 4 5])",
    "[1 3]",
)
def take_while(pred: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_take_while(pred, coll)
    if coll is MISSING:
        return transducers.taking_while(pred)
    return leading("take-while", coll, _while("take-while", pred, coll))


@builtin(
    "drop-while",
    "(drop-while pred coll?)",
    "The elements from the first that does not fit; without a collection a transducer.",
    "(drop-while odd? [1 3 4 5])",
    "[4 5]",
)
def drop_while(pred: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_drop_while(pred, coll)
    if coll is MISSING:
        return transducers.dropping_while(pred)
    return from_index("drop-while", coll, _while("drop-while", pred, coll))


@builtin(
    "subvec",
    "(subvec coll start end?)",
    "The elements from index `start` up to but without `end` (the size).",
    "(subvec [1 2 3 4] 1 3)",
    "[2 3]",
)
def subvec(coll: Any, start: Any, end: Any = MISSING, /) -> Any:
    whole = as_vector("subvec", coll)
    size = len(whole)
    stop = size if end is MISSING else need_int("subvec", "the end", end)
    if not 0 <= need_int("subvec", "the start", start) <= size:
        raise index_error("subvec", start, size)
    if not start <= stop <= size:
        raise index_error("subvec", stop, size)
    return whole.slice(start, stop)


@builtin(
    "split-at",
    "(split-at n coll)",
    "A vector of two: the first `n` elements, and the others.",
    "(split-at 2 [1 2 3])",
    "[[1 2] [3]]",
)
def split_at(n: Any, coll: Any, /) -> Any:
    need_int("split-at", "the number of elements", n)
    if coll.__class__ is LazySeq:
        return Vector.of([steps.lazy_take(n, coll), steps.lazy_drop(n, coll)])
    return Vector.of([leading("split-at", coll, n), from_index("split-at", coll, n)])


@builtin(
    "reverse",
    "(reverse coll)",
    "The elements from the last to the first.",
    "(reverse [1 2 3])",
    "[3 2 1]",
    '(reverse "ab")',
    '["b" "a"]',
)
def reverse(coll: Any, /) -> Any:
    elements = fresh_list("reverse", coll)
    elements.reverse()
    return like(coll, elements)
