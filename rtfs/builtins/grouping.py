"""Functions that gather equal elements or like neighbours: by value, or by what a function says of them.

Must not know of order. Invariant: groups come in the order in which they are first met, and 1, 1.0
and true are three.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_ITEMS, need_int, type_error
from rtfs.builtins.collection_support import as_vector, fresh_list, items, leading, like, looked_up, too_many
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps, transducers
from rtfs.values import Keyword, LazySeq, Map, Vector
from rtfs.values.equality import equal
from rtfs.values.map import encode_key
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import STRETCH, paced, portions, spend, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _markers(values: Any) -> Any:
    """The values in a form that a Python dict tells apart as the language does: floats and booleans within tuples."""
    if values.__class__ is str:
        return values
    kinds: set[type] = set()
    for part in portions(values):
        kinds.update(map(type, part))
    if kinds.isdisjoint(_WRAPPED):
        return values
    return [encode_key(x) for x in paced(values)]


def _once_each(markers: Any) -> list[Any]:
    """The hashable values without repetitions, each where it is first met."""
    if len(markers) <= STRETCH:
        return list(dict.fromkeys(markers))
    met: dict[Any, None] = {}
    for part in stretches(markers):
        met.update(dict.fromkeys(part))
    return list(met)


def _value(marker: Any) -> Any:
    return marker[0] if marker.__class__ is tuple else marker


_WRAPPED = {float, bool}


@builtin(
    "distinct",
    "(distinct coll?)",
    "The elements without repetitions, each where it is first met; without a collection a transducer.",
    "(distinct [3 1 3 2 1])",
    "[3 1 2]",
    "(distinct [1 1.0 true 1])",
    "[1 1.0 true]",
)
def distinct(coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_distinct(coll)
    if coll is MISSING:
        return transducers.keeping_distinct()
    elements = items("distinct", coll)
    markers = _markers(elements)
    if markers is elements:
        return like(coll, _once_each(elements))
    return like(coll, [_value(marker) for marker in _once_each(markers)])


@builtin(
    "frequencies",
    "(frequencies coll)",
    "A map of each distinct element to how often it occurs.",
    '(frequencies "aab")',
    '{"a" 2 "b" 1}',
)
def frequencies(coll: Any, /) -> Any:
    counts: dict[Any, int] = {}
    for marker in paced(_markers(items("frequencies", coll))):
        counts[marker] = counts.get(marker, 0) + 1
    return Map.of_encoded(counts)


@builtin(
    "group-by",
    "(group-by f coll)",
    "A map from each result of `f` to the vector of the elements that have it.",
    "(group-by odd? [1 2 3])",
    "{true [1 3] false [2]}",
)
def group_by(f: Any, coll: Any, /) -> Any:
    elements = items("group-by", coll)
    keys = looked_up(f, elements) if f.__class__ is Keyword else [f(x) for x in paced(elements)]
    groups: dict[Any, list[Any]] = {}
    markers = _markers(keys)
    for marker, x in zip(paced(markers), elements):  # noqa: B905 - as many, and `strict` takes time
        group = groups.get(marker)
        if group is None:
            groups[marker] = [x]
        else:
            group.append(x)
    made = {marker: Vector.of(group) for marker, group in groups.items()}
    return Map.of_plain(made) if markers is keys else Map.of_encoded(made)


@builtin(
    "distinct?",
    "(distinct? value & more)",
    "Whether no two of the values are equal.",
    "(distinct? 1 2 3)",
    "true",
    "(distinct? 1 2 1)",
    "false",
)
def is_distinct(value: Any, /, *more: Any) -> bool:
    return len(set(_markers([value, *more]))) == len(more) + 1


@builtin(
    "dedupe",
    "(dedupe coll?)",
    "The elements without those that equal their predecessor; without a collection a transducer.",
    "(dedupe [1 1 2 2 1])",
    "[1 2 1]",
)
def dedupe(coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_dedupe(coll)
    if coll is MISSING:
        return transducers.deduping()
    kept: list[Any] = []
    for x in paced(items("dedupe", coll)):
        if not kept or not equal(kept[-1], x):
            kept.append(x)
    return like(coll, kept)


@builtin(
    "partition-by",
    "(partition-by f coll?)",
    "Groups of neighbouring elements for which `f` returns equal values; without a collection a transducer.",
    "(partition-by odd? [1 3 2 4 5])",
    "[[1 3] [2 4] [5]]",
)
def partition_by(f: Any, coll: Any = MISSING, /) -> Any:
    if coll.__class__ is LazySeq:
        return steps.lazy_partition_by(f, coll)
    if coll is MISSING:
        return transducers.partitioning_by(f)
    groups: list[list[Any]] = []
    last: Any = None
    for x in paced(items("partition-by", coll)):
        key = f(x)
        if groups and equal(key, last):
            groups[-1].append(x)
        else:
            groups.append([x])
        last = key
    return like(coll, [like(coll, group) for group in paced(groups)])


@builtin(
    "partition",
    "(partition n step? pad? coll)",
    "The elements in groups of `n`, beginning `step` (`n`) apart; a short last one is filled from `pad`, or dropped.",
    "(partition 2 [1 2 3 4 5])",
    "[[1 2] [3 4]]",
    "(partition 2 1 [1 2 3])",
    "[[1 2] [2 3]]",
    "(partition 3 3 [:pad] [1 2 3 4])",
    "[[1 2 3] [4 :pad]]",
)
def partition(n: Any, step_or_coll: Any, pad_or_coll: Any = MISSING, coll: Any = MISSING, /) -> Any:
    if pad_or_coll is MISSING:
        return _partition("partition", n, n, None, step_or_coll)
    if coll is MISSING:
        return _partition("partition", n, step_or_coll, None, pad_or_coll)
    size = need_int("partition", "the size of a group", n)
    return _partition("partition", n, step_or_coll, leading("partition", pad_or_coll, size).to_list(), coll)


@builtin(
    "partition-all",
    "(partition-all n step? coll?)",
    "Like `partition`, but a short group at the end is kept; with `n` alone a transducer.",
    "(partition-all 2 [1 2 3 4 5])",
    "[[1 2] [3 4] [5]]",
)
def partition_all(n: Any, step_or_coll: Any = MISSING, coll: Any = MISSING, /) -> Any:
    if step_or_coll is MISSING:
        return transducers.partitioning_all(n)
    step, whole = (n, step_or_coll) if coll is MISSING else (step_or_coll, coll)
    return _partition("partition-all", n, step, None, whole)


def _partition(function: str, n: Any, step: Any, pad: list[Any] | None, coll: Any) -> Any:
    """Groups of `n` elements, `step` apart. pad: what fills a short group at the end, or None."""
    for what, value in (("the size of a group", n), ("the step", step)):
        if need_int(function, what, value) < 1:
            raise type_error(function, what, "an integer above 0", value)
    keeps = function == "partition-all"
    if coll.__class__ is LazySeq:
        return steps.lazy_partition(n, step, coll, pad, keeps)
    elements = as_vector(function, coll)
    size = len(elements)
    # Overlapping groups can hold far more than the collection.
    if step < n and len(range(0, size, step)) * min(n, size) > MAX_ITEMS:
        raise too_many(function)
    if keeps:
        return like(elements, _slices(elements, n, size, range(0, size, step)))
    full = range(0, size - n + 1, step)
    groups = _slices(elements, n, size, full)
    behind = len(full) * step
    if pad is not None and behind < size:
        groups.append(like(elements, elements.slice(behind, size).to_list() + pad[: n - size + behind]))
    return like(elements, groups)


def _slices(elements: Any, n: int, size: int, starts: range) -> list[Any]:
    spend(len(starts) * GROUP)
    if n <= SHORT and elements.__class__ is Vector:
        whole = elements.raw()
        return [ShortVector(whole[i : i + n]) for part in portions(starts) for i in part]
    return [elements.slice(i, min(i + n, size)) for part in portions(starts) for i in part]


GROUP = 8
"""Cost of a group, in elements."""


@builtin(
    "take-nth",
    "(take-nth n coll?)",
    "Every `n`th element, from the first on; without a collection a transducer.",
    "(take-nth 2 [0 1 2 3 4])",
    "[0 2 4]",
)
def take_nth(n: Any, coll: Any = MISSING, /) -> Any:
    if need_int("take-nth", "the distance", n) < 1:
        raise type_error("take-nth", "the distance", "an integer above 0", n)
    if coll.__class__ is LazySeq:
        return steps.lazy_take_nth(n, coll)
    if coll is MISSING:
        return transducers.taking_nth(n)
    return like(coll, fresh_list("take-nth", coll)[::n])
