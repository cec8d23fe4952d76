"""`sort` and `sort-by`: by the total order of values, or by a comparator of the program.

Must not know how values are ordered. Invariant: sorting is stable, and functions of the program (keys, comparators)
are called from Python loops, never from below C's `sorted`, so that they may recurse or stop for a host call.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import type_error
from rtfs.builtins.collection_support import fresh_list, like, looked_up
from rtfs.builtins.comparison import greater, less
from rtfs.builtins.declare import MISSING, builtin
from rtfs.values import Keyword
from rtfs.values.long_sort import kinds_of, sorted_list
from rtfs.values.order import sorted_by, sorted_values
from rtfs.values.step_account import PART, filled, look, paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "sort",
    "(sort comparator? coll)",
    "The elements in order; a comparator says of two whether the first goes before (true, or a negative number).",
    "(sort [3 1 2])",
    "[1 2 3]",
    "(sort > [3 1 2])",
    "[3 2 1]",
)
def sort(comparator_or_coll: Any, coll: Any = MISSING, /) -> Any:
    if coll is MISSING:
        return like(comparator_or_coll, sorted_values(fresh_list("sort", comparator_or_coll)))
    elements = fresh_list("sort", coll)
    if comparator_or_coll is greater and len(elements) <= PART and _plain(elements):
        elements.sort(reverse=True)  # of ties the first stays the first
        return like(coll, elements)
    order = _order("sort", comparator_or_coll, elements)
    return like(coll, [elements[i] for i in paced(order)])


@builtin(
    "sort-by",
    "(sort-by f comparator? coll)",
    "The elements in the order of `f`'s results for them; equal ones stay in their order.",
    "(sort-by :n [{:n 2} {:n 1}])",
    "[{:n 1} {:n 2}]",
    "(sort-by count > [[1] [2 3]])",
    "[[2 3] [1]]",
)
def sort_by(f: Any, comparator_or_coll: Any, coll: Any = MISSING, /) -> Any:
    whole = comparator_or_coll if coll is MISSING else coll
    elements = fresh_list("sort-by", whole)
    keys = looked_up(f, elements) if f.__class__ is Keyword else [f(element) for element in paced(elements)]
    if coll is MISSING:
        return like(whole, sorted_by(elements, keys))
    return like(whole, [elements[i] for i in paced(_order("sort-by", comparator_or_coll, keys))])


def _plain(values: list[Any]) -> bool:
    """Whether Python's own order of the values is the language's: only integers, or only strings."""
    kinds = kinds_of(values)
    return len(kinds) == 1 and not kinds.isdisjoint(_PLAIN)


_PLAIN = frozenset((int, str))


def _order(function: str, comparator: Any, values: list[Any]) -> list[int]:
    """The indices of `values` in the order of the comparator, stably.

    Raises TypeMismatch if the comparator answers neither a boolean or nil nor a number, and whatever it raises.
    """
    if _plain(values):
        if comparator is less:
            return sorted_list(range(len(values)), values.__getitem__)
        if comparator is greater:
            # of ties the first stays the first
            return sorted_list(range(len(values) - 1, -1, -1), values.__getitem__)[::-1]
    order = filled(range(len(values)))
    width = 1
    while width < len(order):
        merged: list[int] = []
        for start in range(0, len(order), 2 * width):
            spend(2 * width)
            left, left_end = start, min(start + width, len(order))
            right, right_end = left_end, min(start + 2 * width, len(order))
            while left < left_end and right < right_end:
                # Only a right element that goes strictly before the left one overtakes it: that is stability.
                before = comparator(values[order[right]], values[order[left]])
                if before.__class__ is not bool and before is not None:
                    if before.__class__ is not int and before.__class__ is not float:
                        raise type_error(function, "the comparator's answer", "a boolean or a number", before)
                    before = before < 0
                if before:
                    merged.append(order[right])
                    right += 1
                else:
                    merged.append(order[left])
                    left += 1
                if not (left + right) & 0x1FF:
                    look()
            merged.extend(order[left:left_end])
            merged.extend(order[right:right_end])
        order = merged
        width *= 2
    return order
