"""Functions that make collections: from elements, from numbers, or by joining others.

Must not know of sorting, searching or guest functions (nothing here calls one). Invariant: what is larger than the
program's own data (`range`, `repeat`, `concat` …) is checked against `MAX_ITEMS` before memory is taken.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_ITEMS, argument_error, need_int, type_error
from rtfs.builtins.collection_support import (
    FEW,
    as_vector,
    elements_of,
    extended,
    fold,
    fresh_list,
    items,
    like,
    row,
    too_many,
    tuples,
)
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps, transducers
from rtfs.builtins.lazy_sources import count_up, repeat_for_ever
from rtfs.values import LazySeq, List, Map, Set, TypeMismatch, Vector
from rtfs.values.lazy import ahead_of
from rtfs.values.short_vector import ShortVector
from rtfs.values.step_account import PIECE, PORTION, filled, look, paced, spend, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin("vector", "(vector & items)", "A vector of the arguments.", "(vector 1 2 3)", "[1 2 3]")
def vector(*elements: Any) -> Any:
    return row(elements)


@builtin("list", "(list & items)", "A list of the arguments.", "(list 1 2 3)", "(1 2 3)")
def list_(*elements: Any) -> Any:
    return List.adopt([*elements])


@builtin(
    "hash-map",
    "(hash-map & keys-and-values)",
    "A map of alternating keys and values; of equal keys the last wins.",
    "(hash-map :a 1 :b 2)",
    "{:a 1 :b 2}",
    aliases=("array-map",),
)
def hash_map(*pairs: Any) -> Any:
    if len(pairs) % 2:
        raise argument_error("hash-map", "needs a value for every key", code="arity")
    return Map.of_columns(pairs[::2], pairs[1::2])


@builtin(
    "vec", "(vec coll)", "A vector of the elements of a collection.", "(vec '(1 2))", "[1 2]", '(vec "ab")', '["a" "b"]'
)
def vec(coll: Any, /) -> Any:
    return coll if coll.__class__ is Vector else Vector.of(fresh_list("vec", coll))


@builtin(
    "into",
    "(into target? xform? coll?)",
    "The elements of `coll`, as the transducer changes them, added to `target`; into a map go entries `[k v]`.",
    "(into [1] '(2 3))",
    "[1 2 3]",
    "(into {} [[:a 1] [:b 2]])",
    "{:a 1 :b 2}",
    "(into [] (map inc) [1 2])",
    "[2 3]",
)
def into(target: Any = MISSING, xform: Any = MISSING, coll: Any = MISSING, /) -> Any:
    if coll is not MISSING:
        step = xform(conj)
        return step(fold("into", step, target, coll))
    if xform is MISSING:
        return Vector() if target is MISSING else target
    coll = xform
    kind = target.__class__
    if kind is Map:
        return target.merge_pairs(coll.items() if coll.__class__ is Map else _pairs("into", items("into", coll)))
    if target is None:
        return vec(coll)
    if kind is Set:
        return target.union(items("into", coll))
    if kind is LazySeq:
        raise _lazy_target("into")
    if kind is not Vector and kind is not List:
        raise type_error("into", "the target", "a vector, list, map, set or nil", target)
    more = items("into", coll)
    if len(target) + len(more) > MAX_ITEMS:
        raise too_many("into")
    return extended(target, more)


def _lazy_target(function: str) -> TypeMismatch:
    """The error of adding to the end of a lazy sequence."""
    return TypeMismatch(
        "type/mismatch",
        f"({function} …) appends, but a lazy sequence may have no end",
        hint="(cons x xs) puts an element in front, (concat xs [x]) behind; (vec xs) makes a vector of one that ends",
    )


def _pairs(function: str, elements: Any) -> list[tuple[Any, Any]]:
    """Entries for a map: vectors or lists of two, and those of maps. Raises TypeMismatch for anything else."""
    pairs: list[Any] = []
    for entry in paced(elements):
        if type(entry) is ShortVector and len(entry) == 2:
            pairs.append(entry)
            continue
        kind = entry.__class__
        if kind is Map:
            pairs += entry.items()
            continue
        if entry is None:
            continue
        if (kind is not Vector and kind is not List) or len(entry) != 2:
            raise type_error(function, "an entry of a map", "a vector of a key and a value", entry)
        pairs.append((entry[0], entry[1]))
    return pairs


@builtin(
    "conj",
    "(conj coll? & items)",
    "The collection with the items appended; a map takes `[k v]` entries or maps, nil becomes a vector.",
    "(conj [1 2] 3)",
    "[1 2 3]",
    "(conj '(1 2) 3)",
    "(1 2 3)",
    "(conj {:a 1} [:b 2])",
    "{:a 1 :b 2}",
)
def conj(coll: Any = MISSING, /, *elements: Any) -> Any:
    if coll is MISSING:
        return Vector()
    kind = coll.__class__
    if kind is Vector or kind is List:
        for element in elements:
            coll = coll.conj(element)
        return coll
    if coll is None:
        return Vector(elements) if elements else None
    if kind is LazySeq:
        raise _lazy_target("conj")
    if kind is Map:
        return coll.merge_pairs(_pairs("conj", elements))
    if kind is Set:
        for element in elements:
            coll = coll.conj(element)
        return coll
    raise type_error("conj", "the collection", "a vector, list, map, set or nil", coll)


@builtin(
    "cons",
    "(cons item coll)",
    "The sequence with the item in front.",
    "(cons 1 [2 3])",
    "[1 2 3]",
    '(cons "a" "bc")',
    '["a" "b" "c"]',
)
def cons(element: Any, coll: Any, /) -> Any:
    if coll.__class__ is LazySeq:
        return ahead_of([element], coll)
    return as_vector("cons", coll).cons(element)


@builtin(
    "concat",
    "(concat & colls)",
    "The elements of all the collections, one after the other; a list if the first is one.",
    '(concat [1 2] [3] nil "ab")',
    '[1 2 3 "a" "b"]',
)
def concat(*colls: Any) -> Any:
    if not colls:
        return Vector()
    joined: list[Any] = []
    if len(colls) <= FEW:
        for coll in colls:
            if type(coll) is not ShortVector:
                break
            joined += coll
        else:
            spend(len(joined))
            return Vector.of(joined)
        joined = []
    if LazySeq in map(type, colls):
        return steps.lazy_concat(list(colls))
    parts = [items("concat", coll) for coll in paced(colls)]
    size = sum([len(part) for part in parts])
    if size > MAX_ITEMS:
        raise too_many("concat")
    if (size - len(parts[0])) * 8 >= len(parts[0]):  # more than `extended` appends one by one
        for part in paced(parts):
            joined += part
        return like(colls[0], joined)
    result = as_vector("concat", colls[0])
    for part in paced(parts[1:]):
        result = extended(result, part)
    return result


@builtin(
    "range",
    "(range start? end? step?)",
    "Numbers from `start` (0) up to but without `end`, by `step` (1); without an end a lazy sequence from 0 on.",
    "(range 4)",
    "[0 1 2 3]",
    "(range 2 5)",
    "[2 3 4]",
    "(range 5 0 -2)",
    "[5 3 1]",
    "(take 3 (range))",
    "(0 1 2)",
)
def range_(first: Any = MISSING, second: Any = MISSING, step: Any = 1, /) -> Any:
    if first is MISSING:
        return count_up()
    start, end = (0, first) if second is MISSING else (first, second)
    if start.__class__ is int and end.__class__ is int and step.__class__ is int:
        if step == 0:
            raise argument_error("range", "takes no step of 0: it would never end")
        numbers = range(start, end, step)
        # not len(): it raises OverflowError beyond sys.maxsize
        if (end - start if step > 0 else start - end) > MAX_ITEMS * abs(step):
            raise too_many("range")
        return Vector.of(filled(numbers))
    for what, value in (("start", start), ("end", end), ("step", step)):
        if value.__class__ is not int and value.__class__ is not float:
            raise type_error("range", what, "a number", value)
    return _float_range(start, end, step)


def _float_range(start: Any, end: Any, step: Any) -> Any:
    """`range` where one of the numbers is a float: `start`, and `start + i * step`, so that errors don't add up."""
    if step == 0:
        raise argument_error("range", "takes no step of 0: it would never end")
    if start != start or end != end or step != step or start in (_INFINITY, -_INFINITY):
        raise argument_error("range", "takes no NaN and no infinite start")
    numbers: list[Any] = []
    if not (start < end if step > 0 else start > end):
        return Vector.of(numbers)
    if end in (_INFINITY, -_INFINITY) and step not in (_INFINITY, -_INFINITY):
        return count_up(start, step)
    try:
        if (end - start) / step > MAX_ITEMS:
            raise too_many("range")
        number = start
        while number < end if step > 0 else number > end:
            if len(numbers) > MAX_ITEMS:
                raise too_many("range")
            numbers.append(number)
            number = start + len(numbers) * step
    except OverflowError:
        raise argument_error("range", "takes no integers beyond the floats together with floats") from None
    spend(len(numbers))
    return Vector.of(numbers)


_INFINITY = float("inf")


@builtin(
    "numbers",
    "(numbers first last)",
    "The integers from `first` to `last`, both included.",
    "(numbers 1 4)",
    "[1 2 3 4]",
)
def numbers(first: Any, last: Any, /) -> Any:
    need_int("numbers", "the first number", first)
    need_int("numbers", "the last number", last)
    if last - first >= MAX_ITEMS:
        raise too_many("numbers")
    spend(max(last - first, 0) >> 3)
    return Vector.of(filled(range(first, last + 1)))


@builtin(
    "repeat",
    "(repeat n? value)",
    "A vector of `n` times the value; without `n` a lazy sequence of it without end.",
    "(repeat 3 :x)",
    "[:x :x :x]",
    "(take 2 (repeat :x))",
    "(:x :x)",
)
def repeat(n: Any, value: Any = MISSING, /) -> Any:
    if value is MISSING:
        return repeat_for_ever(n)
    if need_int("repeat", "the number of times", n) > MAX_ITEMS:
        raise too_many("repeat")
    if n <= PIECE:
        spend(max(n, 0) >> 3)
        return Vector.of([value] * n)
    elements: list[Any] = []
    while len(elements) < n:
        spend(PIECE >> 3)
        look()
        elements += [value] * min(PIECE, n - len(elements))
    return Vector.of(elements)


@builtin(
    "zip",
    "(zip coll & colls)",
    "Vectors of the first elements, the second elements …, as many as the shortest collection has.",
    "(zip [1 2 3] [:a :b])",
    "[[1 :a] [2 :b]]",
)
def zip_(coll: Any, /, *colls: Any) -> Any:
    return like(coll, [row(one) for part in stretches(tuples("zip", (coll, *colls)), PORTION) for one in part])


@builtin(
    "zipmap",
    "(zipmap keys vals)",
    "A map of keys to the values at the same places, as many as the shorter collection has.",
    "(zipmap [:a :b] [1 2])",
    "{:a 1 :b 2}",
)
def zipmap(keys: Any, values: Any, /) -> Any:
    if keys.__class__ is LazySeq or values.__class__ is LazySeq:
        return Map(tuples("zipmap", (keys, values)))
    return Map.of_columns(items("zipmap", keys), items("zipmap", values))


@builtin(
    "interleave",
    "(interleave & colls)",
    "The first elements of all the collections, then the second ones …, as many as the shortest has.",
    "(interleave [1 2] [:a :b])",
    "[1 :a 2 :b]",
)
def interleave(*colls: Any) -> Any:
    if not colls:
        return Vector()
    if all(coll.__class__ is LazySeq for coll in colls):
        return steps.lazy_interleave(list(colls))
    whole = [coll for coll in colls if coll.__class__ is not LazySeq]
    if min([len(items("interleave", coll)) for coll in whole]) * len(colls) > MAX_ITEMS:
        raise too_many("interleave")
    rows = tuples("interleave", colls)
    return like(colls[0], [element for part in stretches(rows, PORTION) for row in part for element in row])


@builtin(
    "interpose",
    "(interpose separator coll?)",
    "The elements with a separator between them; without a collection a transducer.",
    "(interpose 0 [1 2 3])",
    "[1 0 2 0 3]",
)
def interpose(separator: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_interpose(separator, coll)
    if coll is MISSING:
        return transducers.interposing(separator)
    elements = fresh_list("interpose", coll)
    if not elements:
        return like(coll, elements)
    size = 2 * len(elements) - 1
    if size > MAX_ITEMS:
        raise too_many("interpose")
    spaced = [separator] * size
    spaced[::2] = elements
    return like(coll, spaced)


@builtin(
    "flatten",
    "(flatten coll)",
    "The elements with those of nested vectors and lists in their place, to any depth; maps and strings stay whole.",
    "(flatten [1 [2 '(3 [4])]])",
    "[1 2 3 4]",
)
def flatten(coll: Any, /) -> Any:
    flat: list[Any] = []
    # Iterators, not recursion: nesting may be deep. Visits are counted: shared parts can make few values many.
    stack = [iter(items("flatten", coll))]
    visits = 0
    while stack:
        for element in stack[-1]:
            kind = element.__class__
            visits += 1
            if not visits & 0x1FFF:
                look()
                if visits > MAX_ITEMS:
                    raise too_many("flatten")
            if kind is Vector or kind is List or kind is LazySeq:
                stack.append(iter(elements_of("flatten", element)))
                break
            flat.append(element)
        else:
            stack.pop()
    return like(coll, flat)
