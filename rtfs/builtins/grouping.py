"""Functions that gather equal elements or like neighbours: by value, or by what a function says of them.

Must not know of order. Invariant: groups come in the order in which they are first met, and 1, 1.0
and true are three.
"""

from __future__ import annotations

from rtfs.builtins.declare import builtin
from rtfs.builtins.seqs import items, like, looked_up
from rtfs.values import Keyword, Map, Vector
from rtfs.values.equality import equal
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _markers(values: Any) -> Any:
    """The values in a form that a Python dict tells apart as the language does: floats and booleans within tuples."""
    if set(map(type, values)).isdisjoint(_WRAPPED):
        return values
    return [encode_key(x) for x in values]


def _value(marker: Any) -> Any:
    return marker[0] if marker.__class__ is tuple else marker


_WRAPPED = {float, bool}


class _Groups(dict[Any, list[Any]] if TYPE_CHECKING else dict):  # type: ignore[misc]
    """Lists by marker, made when first asked for: collections.defaultdict would be one more import at every start."""

    __slots__ = ()

    def __missing__(self, marker: Any) -> list[Any]:
        made: list[Any] = []
        self[marker] = made
        return made


@builtin(
    "distinct",
    "(distinct coll)",
    "The elements without repetitions, each where it is first met.",
    "(distinct [3 1 3 2 1])",
    "[3 1 2]",
    "(distinct [1 1.0 true 1])",
    "[1 1.0 true]",
)
def distinct(coll: Any, /) -> Any:
    elements = items("distinct", coll)
    markers = _markers(elements)
    if markers is elements:
        return like(coll, list(dict.fromkeys(elements)))
    return like(coll, [_value(marker) for marker in dict.fromkeys(markers)])


@builtin(
    "frequencies",
    "(frequencies coll)",
    "A map of each distinct element to how often it occurs.",
    '(frequencies "aab")',
    '{"a" 2 "b" 1}',
)
def frequencies(coll: Any, /) -> Any:
    counts: dict[Any, int] = {}
    for marker in _markers(items("frequencies", coll)):
        counts[marker] = counts.get(marker, 0) + 1
    return Map([(_value(marker), n) for marker, n in counts.items()])


@builtin(
    "group-by",
    "(group-by f coll)",
    "A map of what `f` gives to the vector of the elements for which it gives that.",
    "(group-by odd? [1 2 3])",
    "{true [1 3] false [2]}",
)
def group_by(f: Any, coll: Any, /) -> Any:
    elements = items("group-by", coll)
    keys = looked_up(f, elements) if f.__class__ is Keyword else [f(x) for x in elements]
    groups = _Groups()
    for marker, x in zip(_markers(keys), elements, strict=True):
        groups[marker].append(x)
    return Map([(_value(marker), Vector.of(group)) for marker, group in groups.items()])


@builtin(
    "partition-by",
    "(partition-by f coll)",
    "Neighbouring elements together for which `f` gives equal values.",
    "(partition-by odd? [1 3 2 4 5])",
    "[[1 3] [2 4] [5]]",
)
def partition_by(f: Any, coll: Any, /) -> Any:
    groups: list[list[Any]] = []
    last: Any = None
    for x in items("partition-by", coll):
        key = f(x)
        if groups and equal(key, last):
            groups[-1].append(x)
        else:
            groups.append([x])
        last = key
    return like(coll, [like(coll, group) for group in groups])
