"""Sorting long lists: in parts that C sorts and merges in some milliseconds each.

Must not know the order of values: keys are what Python compares. Invariants: the result is that of `sorted`, ties keep
their order; the machine looks at the clock between two parts.
"""

from __future__ import annotations

from _bisect import bisect_left, bisect_right

from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

PART = 1 << 17
"""Elements that are sorted at a time, at most."""
WEIGHT = 1 << 22
"""The largest total weight of the keys of a part."""
FEWEST = 16
TOGETHER = 4
"""Sorted parts that C merges at once, which takes as long as three are sorted."""


def kinds_of(values: list[Any]) -> set[type]:
    """The classes of some values."""
    if len(values) <= PART:
        return set(map(type, values))
    found: set[type] = set()
    for start in range(0, len(values), PART):
        found.update(map(type, values[start : start + PART]))
        look()
    return found


def sorted_list(values: Sequence[Any], key: Callable[[Any], Any] | None = None, weight: int = 0) -> list[Any]:
    """A fresh list of the values in the order of what `key` makes of each, or in their own. weight: of all keys
    together, a character of a text weighs one: comparing them takes the longer the heavier they are."""
    size = len(values)
    part = PART if weight <= WEIGHT else max(min(PART, WEIGHT * size // weight), FEWEST)
    if size <= part:
        return sorted(values, key=key)
    runs: list[list[Any]] = []
    for start in range(0, size, part):
        runs.append(sorted(values[start : start + part], key=key))
        look()
    runs = [_merged_at_once(runs[i : i + TOGETHER], key) for i in range(0, len(runs), TOGETHER)]
    while len(runs) > 1:
        odd = runs.pop() if len(runs) & 1 else None
        runs = [_merged(runs[i], runs[i + 1], key, part) for i in range(0, len(runs), 2)]
        if odd is not None:
            runs.append(odd)
    return runs[0]


def _merged_at_once(runs: list[list[Any]], key: Callable[[Any], Any] | None) -> list[Any]:
    """A few sorted lists in one."""
    made: list[Any] = []
    for run in runs:
        made += run
    made.sort(key=key)  # it finds the runs
    look()
    return made


def _merged(left: list[Any], right: list[Any], key: Callable[[Any], Any] | None, part: int) -> list[Any]:
    """Two sorted lists in one, of ties those of the left one first."""
    made: list[Any] = []
    i = j = 0
    while i < len(left) and j < len(right):
        to, upto = min(i + part, len(left)), min(j + part, len(right))
        last = left[to - 1] if key is None else key(left[to - 1])
        before = bisect_left(right, last, j, upto, key=key)
        if before == upto:  # the next ones on the right all come before the last of those on the left
            last = right[upto - 1] if key is None else key(right[upto - 1])
            to = bisect_right(left, last, i, to, key=key)
        piece = left[i:to]
        piece += right[j:before]
        piece.sort(key=key)  # two runs: that merges them
        made += piece
        i, j = to, before
        look()
    made += left[i:]
    made += right[j:]
    return made
