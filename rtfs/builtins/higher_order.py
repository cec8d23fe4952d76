"""Functions that take a function and apply it to every element: map, filter and their kin.

Must not know what the functions do: they may be the program's, recurse deeply, or stop the program for a host call.
Invariant: they are called from Python frames only (loops and comprehensions), never through C.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_ITEMS
from rtfs.builtins.building import vector
from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import (
    batches,
    fresh_list,
    items,
    like,
    looked_up,
    next_batch,
    row,
    too_many,
    tuples,
)
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps, transducers
from rtfs.values import Keyword, LazySeq, List, Reduced, Vector
from rtfs.values.short_vector import ShortVector
from rtfs.values.step_account import PART, PORTION, gathered, paced, portions, spend, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _mapped(function: str, f: Any, coll: Any, more: tuple[Any, ...]) -> list[Any]:
    """The results of `f` for the elements of the collections, side by side, up to the end of the shortest."""
    if not more:
        return [f(x) for part in portions(items(function, coll)) for x in part]
    if len(more) == 1 and coll.__class__ is Vector and more[0].__class__ is Vector:
        return _mapped_two(f, coll, more[0])
    if f is vector:
        return [row(one) for part in stretches(tuples(function, (coll, *more)), PORTION) for one in part]
    rows = gathered(tuples(function, (coll, *more)))
    if len(more) == 1:
        return [f(x, y) for part in portions(rows) for x, y in part]
    return [call_with(f, one) for part in portions(rows) for one in part]


def _mapped_two(f: Any, coll: Any, other: Any) -> list[Any]:
    """The results of `f` for the elements of two vectors, side by side."""
    spend(len(coll) + len(other))
    rows = zip(coll, other, strict=False)
    if f is vector:
        return [ShortVector(one) for part in stretches(rows, PORTION) for one in part]
    if len(coll) <= PART:
        return [f(x, y) for x, y in rows]
    return [f(x, y) for part in portions(gathered(rows)) for x, y in part]


@builtin(
    "map",
    "(map f coll? & colls)",
    "The results of `f` for each element; with several collections it takes one of each, up to the shortest's end; "
    "without any a transducer.",
    "(map inc [1 2])",
    "[2 3]",
    "(map + [1 2 3] [10 20])",
    "[11 22]",
)
def map_(f: Any, coll: Any = MISSING, /, *colls: Any) -> Any:
    if colls:
        if coll.__class__ is LazySeq and all(one.__class__ is LazySeq for one in colls):
            return steps.lazy_map_all(f, [coll, *colls])
        return like(coll, _mapped("map", f, coll, colls))
    kind = coll.__class__
    if kind is LazySeq:
        return steps.lazy_map(f, coll)
    if coll is MISSING:
        return transducers.mapping(f)
    if f.__class__ is Keyword:
        return like(coll, looked_up(f, items("map", coll)))
    if kind is Vector:
        if len(coll) <= PART:
            return Vector.of([f(x) for x in coll])
        return Vector.of([f(x) for part in portions(items("map", coll)) for x in part])
    mapped = [f(x) for part in portions(items("map", coll)) for x in part]
    return List.of(mapped) if kind is List else Vector.of(mapped)


@builtin(
    "mapv", "(mapv f coll & colls)", "`map`, as a vector whatever the collection is.", "(mapv inc '(1 2))", "[2 3]"
)
def mapv(f: Any, coll: Any, /, *colls: Any) -> Any:
    return Vector.of(_mapped("mapv", f, coll, colls))


@builtin(
    "map-indexed",
    "(map-indexed f coll?)",
    "The results of `f` for the index, from 0, and the element; without a collection a transducer.",
    "(map-indexed vector [:a :b])",
    "[[0 :a] [1 :b]]",
)
def map_indexed(f: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_map_indexed(f, coll)
    if coll is MISSING:
        return transducers.mapping_indexed(f)
    return like(coll, [f(i, x) for i, x in enumerate(paced(items("map-indexed", coll)))])


@builtin(
    "mapcat",
    "(mapcat f coll? & colls)",
    "The elements of all collections that `f` returns, one after the other; without a collection a transducer.",
    "(mapcat (fn [x] [x x]) [1 2])",
    "[1 1 2 2]",
)
def mapcat(f: Any, coll: Any = MISSING, /, *colls: Any) -> Any:
    if coll.__class__ is LazySeq and all(one.__class__ is LazySeq for one in colls):
        return steps.lazy_mapcat(f if not colls else None, map_(f, coll, *colls) if colls else coll)
    if coll is MISSING:
        return transducers.concatenating(f)
    parts = _mapped("mapcat", f, coll, colls)
    if LazySeq in map(type, parts):
        return steps.lazy_concat(parts)
    return like(coll, joined("mapcat", parts))


def joined(function: str, parts: list[Any]) -> list[Any]:
    """The elements of sequences, one after the other."""
    elements: list[Any] = []
    for part in parts:
        if type(part) is ShortVector:
            elements += part
            spend(len(part))
        else:
            elements += items(function, part)
        if len(elements) > MAX_ITEMS:
            raise too_many(function)
    return elements


@builtin(
    "for-source*",
    "(for-source* coll)",
    "What `for` goes through: a vector of the elements, or a lazy sequence itself.",
    "(for-source* '(1 2))",
    "[1 2]",
)
def for_source(coll: Any, /) -> Any:
    if coll.__class__ is Vector or coll.__class__ is LazySeq:
        return coll
    return Vector.of(fresh_list("for", coll))


@builtin(
    "for*",
    "(for* step coll)",
    "The function behind `for`: the elements of all results of `step`, up to a nil; lazy if `coll` is.",
    "(for* (fn [x] (if (< x 3) [x x] nil)) [1 2 3])",
    "[1 1 2 2]",
)
def for_(step: Any, coll: Any, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_mapcat(step, coll, nil_ends=True)
    elements: list[Any] = []
    for x in paced(items("for", coll)):
        part = step(x)
        if part is None:
            break
        elements.extend(items("for", part))
        if len(elements) > MAX_ITEMS:
            raise too_many("for")
    return Vector.of(elements)


@builtin(
    "filterv",
    "(filterv pred coll)",
    "`filter`, as a vector whatever the collection is.",
    "(filterv odd? '(1 2 3))",
    "[1 3]",
)
def filterv(pred: Any, coll: Any, /) -> Any:
    elements = portions(items("filterv", coll))
    return Vector.of([x for part in elements for x in part if (fits := pred(x)) is not None and fits is not False])


@builtin(
    "filter",
    "(filter pred coll?)",
    "The elements that fit; without a collection a transducer.",
    "(filter odd? [1 2 3])",
    "[1 3]",
)
def filter_(pred: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_filter(pred, coll)
    if coll is MISSING:
        return transducers.filtering(pred)
    kept = []
    for part in portions(items("filter", coll)):
        for x in part:
            fits = pred(x)
            if fits is True or (fits is not None and fits is not False):
                kept.append(x)
    return like(coll, kept)


@builtin(
    "remove",
    "(remove pred coll?)",
    "The elements that do not fit; without a collection a transducer.",
    "(remove odd? [1 2 3])",
    "[2]",
)
def remove(pred: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_filter(pred, coll, wanted=False)
    if coll is MISSING:
        return transducers.filtering(pred, wanted=False)
    kept = []
    for x in paced(items("remove", coll)):
        fits = pred(x)
        if fits is False or fits is None:
            kept.append(x)
    return like(coll, kept)


@builtin(
    "keep",
    "(keep f coll?)",
    "The results of `f` for each element, without the nils; without a collection a transducer.",
    "(keep :a [{:a 1} {} {:a false}])",
    "[1 false]",
)
def keep(f: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_keep(f, coll)
    if coll is MISSING:
        return transducers.keeping(f)
    kept = []
    for x in paced(items("keep", coll)):
        value = f(x)
        if value is not None:
            kept.append(value)
    return like(coll, kept)


@builtin(
    "keep-indexed",
    "(keep-indexed f coll?)",
    "The results of `f` for the index, from 0, and the element, without nils; without a collection a transducer.",
    "(keep-indexed (fn [i x] (if (odd? i) x nil)) [:a :b :c :d])",
    "[:b :d]",
)
def keep_indexed(f: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_keep(f, coll, indexed=True)
    if coll is MISSING:
        return transducers.keeping_indexed(f)
    kept = []
    for i, x in enumerate(paced(items("keep-indexed", coll))):
        value = f(i, x)
        if value is not None:
            kept.append(value)
    return like(coll, kept)


@builtin(
    "run!",
    "(run! f coll)",
    "Calls `f` with each element, for its effects; nil.",
    "(run! identity [1 2])",
    "nil",
)
def run(f: Any, coll: Any, /) -> None:
    found, cursor = batches("run!", coll)
    while True:
        for x in paced(found):
            if f(x).__class__ is Reduced:
                return
        if cursor is None:
            return
        found, cursor = next_batch(cursor)
