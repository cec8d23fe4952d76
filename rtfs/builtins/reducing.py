"""Reductions: `reduce` and its kin, `reduced`, and the functions that run transducers.

Must not know any transducer (`rtfs.builtins.transducers`). Invariant: a `Reduced` from a step ends the reduction
and is unwrapped once, everywhere.
"""

from __future__ import annotations

from rtfs.builtins import numbers
from rtfs.builtins.argument_errors import type_error
from rtfs.builtins.building import conj
from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import as_vector, batches, fold, items, like, next_batch, tuples
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps, transducers
from rtfs.builtins.fixed_arity import max2, min2
from rtfs.builtins.functions import comp, identity
from rtfs.builtins.numbers import add, add2, checked
from rtfs.values import LazySeq, List, Map, Reduced, Vector, unreduced
from rtfs.values.lazy import Cursor, Segment, lazy
from rtfs.values.reduced import ensure_reduced
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "reduce",
    "(reduce f init? coll)",
    "`f` of the result so far and the next element, from `init` or the first element on; without any, `(f)`.",
    "(reduce + [1 2 3])",
    "6",
    "(reduce conj [] '(1 2))",
    "[1 2]",
    "(reduce + [])",
    "0",
    "(reduce (fn [sum x] (if (> sum 9) (reduced sum) (+ sum x))) (range))",
    "10",
)
def reduce(f: Any, init: Any, coll: Any = MISSING, /) -> Any:
    few = _few(init) if coll is MISSING else None
    if few:
        spend(len(few))
        if f is add and set(map(type, few)) == _ONLY_INTS:
            return checked(sum(few))
        elements = iter(few)
        result = next(elements)
        f = _of_two(f)
        for x in elements:
            result = f(result, x)
            if result.__class__ is Reduced:
                return result.value
        return result
    found, cursor = batches("reduce", init if coll is MISSING else coll)
    rest = iter(paced(found))
    if coll is MISSING:
        if not len(found):
            return f()
        result = next(rest)
    else:
        result = init
    # Ints only: `sum` adds floats in another order.
    if f is add and result.__class__ is int and cursor is None and set(map(type, found)) == _ONLY_INTS:
        return checked(sum(rest, result))
    f = _of_two(f)
    while True:
        for x in rest:
            result = f(result, x)
            if result.__class__ is Reduced:
                return result.value
        if cursor is None:
            return result
        rest, cursor = next_batch(cursor)


def _few(coll: Any) -> Any:
    """The elements of a short vector or list; None of any other collection."""
    kind = type(coll)
    if kind is ShortVector:
        return coll
    if (kind is List or kind is Vector) and coll._more is None and coll._stop - coll._start <= SHORT:
        return coll._items[coll._start : coll._stop]
    return None


_ONLY_INTS = {int}
_OF_TWO = {
    add: add2,
    numbers.subtract: numbers.sub2,
    numbers.multiply: numbers.mul2,
    numbers.smallest: min2,
    numbers.largest: max2,
}


def _of_two(f: Any) -> Any:
    """The function of two arguments that a standard function of any number is for two; any other value itself."""
    return _OF_TWO.get(f, f) if f.__class__ is FUNCTION else f


FUNCTION = add.__class__


@builtin(
    "reduce-kv",
    "(reduce-kv f init coll)",
    "`f` of the result so far, the key and the value of each entry of a map (index and element of a vector).",
    "(reduce-kv (fn [sum k v] (+ sum v)) 0 {:a 1 :b 2})",
    "3",
)
def reduce_kv(f: Any, init: Any, coll: Any, /) -> Any:
    kind = coll.__class__
    result = init
    if kind is Map:
        pairs: Any = paced(coll.items())
    elif kind is Vector or kind is List:
        pairs = enumerate(paced(coll))
    elif coll is None:
        return result
    else:
        raise type_error("reduce-kv", "the collection", "a map, vector, list or nil", coll)
    for key, value in pairs:
        result = f(result, key, value)
        if result.__class__ is Reduced:
            return result.value
    return result


@builtin(
    "reductions",
    "(reductions f init? coll)",
    "The results that `reduce` goes through.",
    "(reductions + [1 2 3])",
    "[1 3 6]",
    "(reductions + 10 [1 2])",
    "[10 11 13]",
)
def reductions(f: Any, init: Any, coll: Any = MISSING, /) -> Any:
    whole = init if coll is MISSING else coll
    if whole.__class__ is LazySeq:
        if coll is not MISSING:
            return steps.lazy_reductions(f, init, whole)
        cursor = Cursor(whole)
        if not cursor.ready():
            return Vector([f()])
        first = cursor.segment.items[cursor.index]
        cursor.index += 1
        return steps.lazy_reductions(f, first, cursor.rest())
    found = items("reductions", whole)
    rest = iter(paced(found))
    if coll is not MISSING:
        result = init
    elif len(found):
        result = next(rest)
    else:
        return like(whole, [f()])
    if result.__class__ is Reduced:
        return like(whole, [result.value])
    results = [result]
    for x in rest:
        result = f(result, x)
        if result.__class__ is Reduced:
            results.append(result.value)
            break
        results.append(result)
    return like(whole, results)


@builtin(
    "reduced",
    "(reduced value)",
    "Ends the reduction whose function returns it: `reduce`, `transduce` and their kin stop and return the value.",
    "(reduce (fn [_ x] (if (> x 2) (reduced x) x)) 0 [1 2 3 4])",
    "3",
)
def reduced(value: Any, /) -> Reduced:
    return Reduced(value)


@builtin("reduced?", "(reduced? value)", "Whether it was made by `reduced`.", "(reduced? (reduced 1))", "true")
def is_reduced(value: Any, /) -> bool:
    return value.__class__ is Reduced


@builtin("unreduced", "(unreduced value)", "The value inside of a `reduced`.", "(unreduced (reduced 1))", "1")
def unreduced_(value: Any, /) -> Any:
    return unreduced(value)


@builtin(
    "ensure-reduced",
    "(ensure-reduced value)",
    "The value as `reduced` returns it, once.",
    "(unreduced (ensure-reduced (reduced 1)))",
    "1",
)
def ensure_reduced_(value: Any, /) -> Reduced:
    return ensure_reduced(value)


# ---------------------------------------------------------------------- running transducers
@builtin(
    "transduce",
    "(transduce xform f init? coll)",
    "`reduce` with `f` as the transducer changes it; without `init` from `(f)`.",
    "(transduce (map inc) + [1 2 3])",
    "9",
    "(transduce (filter odd?) conj [] [1 2 3])",
    "[1 3]",
)
def transduce(xform: Any, f: Any, init: Any, coll: Any = MISSING, /) -> Any:
    step = xform(f)
    if coll is MISSING:
        return step(fold("transduce", step, f(), init))
    return step(fold("transduce", step, init, coll))


def transduced_into(target: Any, xform: Any, coll: Any) -> Any:
    """`(into target xform coll)`."""
    step = xform(conj)
    return step(fold("into", step, target, coll))


@builtin(
    "completing",
    "(completing f complete?)",
    "A reducing function for `transduce` that steps with `f` and ends with `complete` (`identity`).",
    "(transduce (map inc) (completing + str) 0 [1 2])",
    '"5"',
)
def completing(f: Any, complete: Any = identity, /) -> Any:
    def reducing(result: Any = MISSING, x: Any = MISSING, /) -> Any:
        if x is not MISSING:
            return f(result, x)
        return f() if result is MISSING else complete(result)

    reducing.__name__ = reducing.__qualname__ = "completing"
    return reducing


@builtin(
    "sequence",
    "(sequence xform? coll & colls)",
    "The elements of a collection, as a transducer changes them; lazy for a lazy collection.",
    "(sequence (map inc) [1 2 3])",
    "[2 3 4]",
    "(sequence (map +) [1 2] [10 20])",
    "[11 22]",
)
def sequence(xform: Any, coll: Any = MISSING, /, *colls: Any) -> Any:
    if coll is MISSING:
        return xform if xform.__class__ is LazySeq else as_vector("sequence", xform)
    if not colls and coll.__class__ is LazySeq:
        return _lazy_sequence(xform, coll)
    out: list[Any] = []

    def push(result: Any = None, x: Any = MISSING, /) -> Any:
        if x is not MISSING:
            out.append(x)
        return result

    step = xform(push)
    if colls:
        for row in tuples("sequence", (coll, *colls)):
            if call_with(step, (None, *row)).__class__ is Reduced:
                break
        step(None)
    else:
        step(fold("sequence", step, None, coll))
    return like(coll, out)


def _lazy_sequence(xform: Any, coll: LazySeq) -> LazySeq:
    cursor = Cursor(coll)
    out: list[Any] = []

    def push(result: Any = None, x: Any = MISSING, /) -> Any:
        if x is not MISSING:
            out.append(x)
        return result

    step = xform(push)
    ended = False

    def pull(segment: Segment) -> None:
        nonlocal ended
        while not out and not ended:
            if not cursor.ready():
                ended = True
            else:
                item = cursor.segment.items[cursor.index]
                cursor.index += 1
                ended = step(None, item).__class__ is Reduced
            if ended:
                step(None)
        segment.items += out
        out.clear()
        if ended:
            segment.more = None

    return lazy(pull)


@builtin(
    "eduction",
    "(eduction & xforms-and-coll)",
    "`sequence` with any number of transducers, the first one first; the collection is the last argument.",
    "(eduction (map inc) (filter even?) [1 2 3])",
    "[2 4]",
)
def eduction(*xforms_and_coll: Any) -> Any:
    if not xforms_and_coll:
        raise type_error("eduction", "the last argument", "a collection", None)
    xform = call_with(comp, xforms_and_coll[:-1])
    return sequence(xform, xforms_and_coll[-1])


@builtin(
    "cat",
    "(cat rf)",
    "A transducer that joins the elements, which are collections.",
    "(into [] cat [[1] [2 3]])",
    "[1 2 3]",
)
def cat(rf: Any, /) -> Any:
    return transducers.concatenating()(rf)


@builtin(
    "halt-when",
    "(halt-when pred result-of?)",
    "A transducer that ends at the first element that fits: with it, or with `result-of` of the result so far and it.",
    "(transduce (halt-when neg?) + [1 -2 3])",
    "-2",
)
def halt_when(pred: Any, result_of: Any = None, /) -> Any:
    return transducers.halting(pred, result_of)
