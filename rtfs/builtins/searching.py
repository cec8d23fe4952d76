"""Functions that ask something of all elements at once: whether any fits, where one is, which is greatest, the sum.

Must not know how collections are stored. Invariant: they stop at the first element that decides.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_string, type_error
from rtfs.builtins.collection_support import batches, elements_of, items, next_batch, position
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.long_text import find
from rtfs.builtins.numbers import add2
from rtfs.values import LazySeq, List, Map, Set, Vector
from rtfs.values.equality import equal
from rtfs.values.lazy import Cursor
from rtfs.values.order import sort_key
from rtfs.values.step_account import paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _first_fit(function: str, pred: Any, coll: Any) -> Any:
    """The first true answer (neither nil nor false) of `pred` to an element, or nil."""
    if coll.__class__ is LazySeq:
        return _first_fit_of_lazy(pred, coll)
    found = coll if coll.__class__ is Vector else elements_of(function, coll)
    index = 0
    for index, x in enumerate(paced(found)):
        answer = pred(x)
        if answer is not None and answer is not False:
            spend(index)
            return answer
    spend(index)
    return None


def _first_fit_of_lazy(pred: Any, coll: LazySeq) -> Any:
    cursor = Cursor(coll)
    while (part := cursor.batch()) is not None:
        for x in part:
            answer = pred(x)
            if answer is not None and answer is not False:
                return answer
    return None


def _all_fit(function: str, pred: Any, coll: Any) -> bool:
    found, cursor = coll, None
    if coll.__class__ is LazySeq:
        found, cursor = batches(function, coll)
    elif coll.__class__ is not Vector:
        found = elements_of(function, coll)
    while True:
        index = 0
        for index, x in enumerate(paced(found)):
            fits = pred(x)
            if fits is None or fits is False:
                spend(index)
                return False
        spend(index)
        if cursor is None:
            return True
        found, cursor = next_batch(cursor)


@builtin(
    "every?",
    "(every? pred coll)",
    "Whether all elements fit; true if there is none.",
    "(every? even? [2 4])",
    "true",
    "(every? even? [])",
    "true",
)
def is_every(pred: Any, coll: Any, /) -> Any:
    return _all_fit("every?", pred, coll)


@builtin(
    "not-every?",
    "(not-every? pred coll)",
    "Whether an element does not fit.",
    "(not-every? even? [2 3])",
    "true",
)
def is_not_every(pred: Any, coll: Any, /) -> Any:
    return not _all_fit("not-every?", pred, coll)


@builtin(
    "some?",
    "(some? value-or-pred coll?)",
    "Of one value: whether it is not nil. With a collection: whether any of its elements fits the predicate.",
    "(some? false)",
    "true",
    "(some? even? [1 2])",
    "true",
)
def is_some(value: Any, coll: Any = MISSING, /) -> Any:
    if coll is MISSING:
        return value is not None
    return _first_fit("some?", value, coll) is not None


@builtin(
    "some",
    "(some f coll)",
    "The first answer of `f` to an element that is neither nil nor false; else nil.",
    "(some :a [{:b 1} {:a 5}])",
    "5",
)
def some(f: Any, coll: Any, /) -> Any:
    return _first_fit("some", f, coll)


@builtin(
    "any?", "(any? pred coll)", "Whether any element fits.", "(any? even? [1 2])", "true", "(any? even? [])", "false"
)
def is_any(pred: Any, coll: Any, /) -> Any:
    return _first_fit("any?", pred, coll) is not None


@builtin("not-any?", "(not-any? pred coll)", "Whether no element fits.", "(not-any? even? [1 3])", "true")
def is_not_any(pred: Any, coll: Any, /) -> Any:
    return _first_fit("not-any?", pred, coll) is None


def _key_extreme(function: str, f: Any, values: tuple[Any, ...], sign: int) -> Any:
    """The value whose number `f` is greatest (`sign` 1) or least (-1); of equal ones the last, as Clojure has it."""
    best = values[0]
    if len(values) == 1:
        return best
    best_rank = _number(function, f(best))
    for value in values[1:]:
        rank = f(value)
        if rank.__class__ is not int:
            _number(function, rank)
        if rank >= best_rank if sign > 0 else rank <= best_rank:
            best, best_rank = value, rank
    return best


def _number(function: str, value: Any) -> Any:
    if value.__class__ is int or value.__class__ is float:
        return value
    raise type_error(function, "the result of its function", "a number", value)


@builtin(
    "max-key",
    "(max-key f value & more)",
    "The value for which `f` returns the greatest number; of several the last.",
    '(max-key count "a" "ccc" "bb")',
    '"ccc"',
)
def max_key(f: Any, value: Any, /, *more: Any) -> Any:
    return _key_extreme("max-key", f, (value, *more), 1)


@builtin(
    "min-key",
    "(min-key f value & more)",
    "The value for which `f` returns the least number; of several the last.",
    "(min-key abs -7 3 -2)",
    "-2",
)
def min_key(f: Any, value: Any, /, *more: Any) -> Any:
    return _key_extreme("min-key", f, (value, *more), -1)


def _extreme(function: str, f: Any, coll: Any, sign: int) -> Any:
    """The first element whose `f` is greatest (`sign` 1) or least (-1) in the total order, or nil."""
    best: Any = None
    best_rank: Any = None
    for x in paced(items(function, coll)):
        rank = sort_key(f(x))
        if best_rank is None or (rank > best_rank if sign > 0 else rank < best_rank):
            best, best_rank = x, rank
    return best


@builtin(
    "max-by",
    "(max-by f coll)",
    "The first element for which `f` returns the greatest value; nil if there is none.",
    '(max-by count ["a" "ccc" "bb"])',
    '"ccc"',
)
def max_by(f: Any, coll: Any, /) -> Any:
    return _extreme("max-by", f, coll, 1)


@builtin(
    "min-by",
    "(min-by f coll)",
    "The first element for which `f` returns the least value; nil if there is none.",
    "(min-by :n [{:n 2} {:n 1}])",
    "{:n 1}",
)
def min_by(f: Any, coll: Any, /) -> Any:
    return _extreme("min-by", f, coll, -1)


@builtin("sum", "(sum coll)", "The sum of the numbers; 0 if there is none.", "(sum [1 2.5])", "3.5")
def sum_(coll: Any, /) -> Any:
    total: Any = 0
    for x in paced(items("sum", coll)):
        if x.__class__ is not int and x.__class__ is not float:
            raise type_error("sum", "an element", "a number", x)
        total = add2(total, x)
    return total


@builtin(
    "index-of",
    "(index-of coll value)",
    "The index of the first element that equals the value, or where a string begins in a string; nil if nowhere.",
    "(index-of [:a :b] :b)",
    "1",
    '(index-of "hello" "l")',
    "2",
)
def index_of(coll: Any, value: Any, /) -> Any:
    if coll.__class__ is str:
        text, part = need_string("index-of", "the text", coll), need_string("index-of", "the part", value)
        place = find(text, part)
    elif coll.__class__ is LazySeq:
        place = _place_in_lazy(coll, value)
    else:
        place = position(elements_of("index-of", coll), value)
    return None if place < 0 else place


def _place_in_lazy(coll: LazySeq, value: Any) -> int:
    cursor = Cursor(coll)
    while (part := cursor.batch()) is not None:
        for i, x in enumerate(part):
            if equal(x, value):
                return cursor.count - len(part) + i
    return -1


@builtin(
    "contains?",
    "(contains? coll value)",
    "Whether a map has the key, a set, vector or list the element, a string the part; false for nil.",
    "(contains? {:a 1} :a)",
    "true",
    "(contains? [1 2] 2)",
    "true",
    '(contains? "hello" "ell")',
    "true",
)
def contains(coll: Any, value: Any, /) -> Any:
    kind = coll.__class__
    if kind is Map or kind is Set:
        return value in coll
    if kind is Vector or kind is List:
        return position(coll, value) >= 0
    if kind is str:
        return need_string("contains?", "the part", value) in need_string("contains?", "the text", coll)
    if coll is None:
        return False
    if kind is LazySeq:
        return _place_in_lazy(coll, value) >= 0
    raise type_error("contains?", "the collection", "a map, set, vector, list, string or nil", coll)
