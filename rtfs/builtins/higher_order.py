"""Functions that take a function and apply it to every element: map, filter, reduce and their kin.

Must not know what the functions do: they may be the program's, recurse deeply, or stop the program for a host call.
Invariant: they are called from Python frames only (loops and comprehensions), never through C.
"""

from __future__ import annotations

from rtfs.builtins.calling import call_with
from rtfs.builtins.checks import MAX_ITEMS, type_error
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.numbers import add, add2, checked
from rtfs.builtins.seqs import items, like, looked_up, too_many, tuples
from rtfs.values import Keyword, List, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _mapped(function: str, f: Any, coll: Any, more: tuple[Any, ...]) -> list[Any]:
    """What `f` gives for the elements of the collections, side by side, up to the end of the shortest."""
    if not more:
        return [f(x) for x in items(function, coll)]
    rows = tuples(function, (coll, *more))
    if len(more) == 1:
        return [f(x, y) for x, y in rows]
    return [call_with(f, row) for row in rows]


@builtin(
    "map",
    "(map f coll & colls)",
    "What `f` gives for each element; with several collections it takes one of each, up to the end of the shortest.",
    "(map inc [1 2])",
    "[2 3]",
    "(map + [1 2 3] [10 20])",
    "[11 22]",
)
def map_(f: Any, coll: Any, /, *colls: Any) -> Any:
    if colls:
        return like(coll, _mapped("map", f, coll, colls))
    if f.__class__ is Keyword:
        return like(coll, looked_up(f, items("map", coll)))
    kind = coll.__class__
    if kind is Vector:
        return Vector.of([f(x) for x in coll])
    if kind is List:
        return List.of([f(x) for x in coll])
    return Vector.of([f(x) for x in items("map", coll)])


@builtin(
    "mapv", "(mapv f coll & colls)", "`map`, as a vector whatever the collection is.", "(mapv inc '(1 2))", "[2 3]"
)
def mapv(f: Any, coll: Any, /, *colls: Any) -> Any:
    return Vector.of(_mapped("mapv", f, coll, colls))


@builtin(
    "map-indexed",
    "(map-indexed f coll)",
    "What `f` gives for the index, from 0, and the element.",
    "(map-indexed vector [:a :b])",
    "[[0 :a] [1 :b]]",
)
def map_indexed(f: Any, coll: Any, /) -> Any:
    return like(coll, [f(i, x) for i, x in enumerate(items("map-indexed", coll))])


@builtin(
    "mapcat",
    "(mapcat f coll & colls)",
    "The elements of all the collections that `f` gives, one after the other.",
    "(mapcat (fn [x] [x x]) [1 2])",
    "[1 1 2 2]",
)
def mapcat(f: Any, coll: Any, /, *colls: Any) -> Any:
    elements: list[Any] = []
    for part in _mapped("mapcat", f, coll, colls):
        elements.extend(items("mapcat", part))
        if len(elements) > MAX_ITEMS:
            raise too_many("mapcat")
    return like(coll, elements)


@builtin(
    "filterv",
    "(filterv pred coll)",
    "`filter`, as a vector whatever the collection is.",
    "(filterv odd? '(1 2 3))",
    "[1 3]",
)
def filterv(pred: Any, coll: Any, /) -> Any:
    return Vector.of([x for x in items("filterv", coll) if (fits := pred(x)) is not None and fits is not False])


@builtin("filter", "(filter pred coll)", "The elements that fit.", "(filter odd? [1 2 3])", "[1 3]")
def filter_(pred: Any, coll: Any, /) -> Any:
    kept = []
    for x in items("filter", coll):
        fits = pred(x)
        if fits is True or (fits is not None and fits is not False):
            kept.append(x)
    return like(coll, kept)


@builtin("remove", "(remove pred coll)", "The elements that do not fit.", "(remove odd? [1 2 3])", "[2]")
def remove(pred: Any, coll: Any, /) -> Any:
    kept = []
    for x in items("remove", coll):
        fits = pred(x)
        if fits is False or fits is None:
            kept.append(x)
    return like(coll, kept)


@builtin(
    "keep",
    "(keep f coll)",
    "What `f` gives for each element, without the nils.",
    "(keep :a [{:a 1} {} {:a false}])",
    "[1 false]",
)
def keep(f: Any, coll: Any, /) -> Any:
    kept = []
    for x in items("keep", coll):
        value = f(x)
        if value is not None:
            kept.append(value)
    return like(coll, kept)


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
)
def reduce(f: Any, init: Any, coll: Any = MISSING, /) -> Any:
    if coll is MISSING:
        elements = items("reduce", init)
        if not len(elements):
            return f()
        rest = iter(elements)
        result = next(rest)
    else:
        elements = items("reduce", coll)
        rest = iter(elements)
        result = init
    if f is add:
        # Ints only: `sum` adds floats in an order of its own.
        if result.__class__ is int and set(map(type, elements)) == _ONLY_INTS:
            return checked(sum(rest, result))
        f = add2
    for x in rest:
        result = f(result, x)
    return result


_ONLY_INTS = {int}


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
        for key, value in coll.items():
            result = f(result, key, value)
    elif kind is Vector or kind is List:
        for i, value in enumerate(coll):
            result = f(result, i, value)
    elif coll is not None:
        raise type_error("reduce-kv", "the collection", "a map, vector, list or nil", coll)
    return result
