"""Lazy sequences: elements are computed when they are first asked for, once, in order.

A sequence is a header, a place in a chain of segments. A segment holds the computed elements, and the source of more:
a function that appends to it, another sequence that follows, or nothing at its end. A header of the rest of a sequence
is another place in the same chain, so segments that can no longer be reached are freed while a program reads on.

Knows nothing of guest functions, machines or budgets: the machine sets `hooks`. Invariants: an element is
computed by one machine at a time (`Segment.busy`) and then never changes; nothing here recurses for the length of a
sequence, and for sequences made of sequences only through plain Python calls, which take no C stack.
"""

from __future__ import annotations

from rtfs.values.collection import Collection
from rtfs.values.error import LimitError
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Pull = Callable[["Segment"], None]

SEGMENT = 1024
"""Elements in a segment before the next one is begun."""

MOST = 3_000_000
"""Elements of a lazy sequence that one function goes through."""

_MOST_NESTED = 200  # dictionaries that compute the elements of their keys within each other: they use the C stack


class Hooks:
    """Hooks that a host of programs installs.

    owner: the machine that runs at the moment (anything but None). spend: notes a number of computed elements. wait:
    called for a segment that another machine is busy with, or this one already; returns when it may be free. wake:
    called for a segment that is free again, while `waiting` is not empty. waiting: segments that a machine waits for.
    """

    __slots__ = ("made", "owner", "spend", "wait", "waiting", "wake")

    def __init__(self) -> None:
        self.made = False  # whether this process ever made a lazy sequence: if not, none need be looked for
        self.owner: Any = self
        self.spend: Callable[[int], None] = spend
        self.wait: Callable[[Segment], None] = _needs_itself
        self.wake: Callable[[Segment], None] | None = None
        self.waiting: dict[int, Any] = {}


def _needs_itself(segment: Segment) -> None:
    raise needs_itself()


def needs_itself() -> LimitError:
    """An element asks for itself, directly or through other sequences."""
    return LimitError(
        "limit/depth",
        "an element of a lazy sequence needs itself to be computed",
        hint="begin the sequence with elements that are known: (cons 1 (lazy-seq …))",
    )


hooks = Hooks()


class Segment:
    """A stretch of a lazy sequence.

    items: the elements computed so far; it only grows. more: what comes behind them: a function that appends at least
    one element to a segment or replaces its `more`, a `LazySeq` that follows, or None at the end. busy: the machine
    that computes the next element, or None.
    """

    __slots__ = ("busy", "items", "more")

    def __init__(self, items: list[Any], more: Pull | LazySeq | None) -> None:
        self.items = items
        self.more = more
        self.busy: Any = None


class LazySeq(Collection):
    """A lazy sequence: what is in `_segment` from `_index` on, and what comes behind. Compares and prints as a list."""

    __slots__ = ("_index", "_segment")
    _segment: Segment
    _index: int

    def __init__(self, segment: Segment, index: int = 0) -> None:
        self._segment = segment
        self._index = index
        self.info = None

    def __hash__(self) -> int:
        from rtfs.values.equality import hash_of

        return int(_through_c(hash_of, self))

    def __eq__(self, other: object) -> bool:
        from rtfs.values.equality import equal

        return bool(_through_c(equal, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return f"LazySeq({self._segment.items[self._index :]!r}…)"


def lazy(pull: Pull) -> LazySeq:
    """The lazy sequence that `pull` computes."""
    hooks.made = True
    return LazySeq(Segment([], pull))


def ahead_of(items: list[Any], following: LazySeq | None) -> LazySeq:
    """The elements of a Python list, given away, and then those of `following`."""
    hooks.made = True
    return LazySeq(Segment(items, following))


def fill(segment: Segment, wanted: int = 0) -> None:
    """Compute at least one more element of a segment whose `more` is a function, or learn what follows it.

    wanted: continue until it has so many. The caller looks again: another machine may have been faster.
    """
    if segment.busy is not None:
        hooks.wait(segment)
        return
    pull: Any = segment.more
    count = len(segment.items)
    if count >= SEGMENT:
        segment.more = LazySeq(Segment([], pull))
        hooks.spend(count)
        return
    segment.busy = hooks.owner
    try:
        pull(segment)
        items = segment.items
        while len(items) < wanted and id(segment.more) == id(pull):
            pull(segment)
    finally:
        segment.busy = None
        if hooks.waiting and hooks.wake is not None:
            hooks.wake(segment)


class Cursor:
    """A place that moves through a lazy sequence.

    `ready()` says whether there is an element, which is then `segment.items[index]`; the caller adds one to `index` to
    continue. `batch()` takes what is there.
    """

    __slots__ = ("count", "index", "segment")

    def __init__(self, sequence: LazySeq) -> None:
        self.segment = sequence._segment
        self.index = sequence._index
        self.count = 0

    def ready(self, wanted: int = 0) -> bool:
        """Compute the element at this place, if there is one. wanted: see `fill`."""
        segment = self.segment
        while self.index >= len(segment.items):
            more: Any = segment.more
            if more.__class__ is LazySeq:
                self.segment = segment = more._segment
                self.index = more._index
            elif more is None:
                return False
            else:
                fill(segment, wanted)
        return True

    def batch(self, wanted: int = 0) -> list[Any] | None:
        """The next elements, at least one, or None at the end. wanted: how many a caller that goes through all of them
        would like at a time; otherwise no more are computed than needed. Raises LimitError when the elements so far are
        too many for one function to go through."""
        if not self.ready(wanted):
            return None
        items = self.segment.items
        part = items[self.index :] if self.index else items.copy()
        self.index += len(part)
        self.count += len(part)
        if self.count > MOST:
            raise endless()
        return part

    def rest(self) -> LazySeq:
        """The sequence from this place on."""
        return LazySeq(self.segment, self.index)


def endless() -> LimitError:
    """A function went through more elements of a lazy sequence than it may."""
    return LimitError(
        "limit/size",
        f"more than {MOST:,} elements of a lazy sequence were asked for",
        hint="an endless sequence has no end to reach: take what is needed with `take` or `take-while`",
    )


def elements(sequence: LazySeq) -> list[Any]:
    """All elements, as a fresh Python list. Raises LimitError for too many."""
    cursor = Cursor(sequence)
    found: list[Any] = []
    while (part := cursor.batch(SEGMENT)) is not None:
        found += part
    return found


def first_elements(sequence: LazySeq, count: int) -> list[Any]:
    """The first `count` elements, or all if there are fewer, as a fresh Python list."""
    found: list[Any] = []
    cursor = Cursor(sequence)
    while len(found) < count and cursor.ready():
        items = cursor.segment.items
        part = items[cursor.index : cursor.index + count - len(found)]
        found += part
        cursor.index += len(part)
    return found


def realised(value: Any) -> Any:
    """`value` with every lazy sequence in it, at any depth, replaced by the list of its elements.

    What holds none is returned as it is. Raises LimitError for endless ones, and whatever computing elements raises.
    """
    if not hooks.made or value.__class__ not in _NESTING:
        return value
    # Each entry: the collection, its parts (of a map: keys and values by turns), how many are done.
    stack: list[tuple[Any, list[Any], int]] = []
    seen: dict[int, Any] = {}
    kept: list[Any] = []  # keeps the ids in `seen` valid
    parts, place, changed = _parts(value), 0, value.__class__ is LazySeq
    flags: list[bool] = []
    while True:
        size = len(parts)
        while place < size:
            part = parts[place]
            if part.__class__ in _NESTING:
                known = seen.get(id(part))
                if known is None:
                    stack.append((value, parts, place))
                    flags.append(changed)
                    value, parts, place = part, _parts(part), 0
                    changed = part.__class__ is LazySeq
                    break
                if known is not part:
                    parts[place] = known
                    changed = True
            place += 1
        else:
            result = _rebuilt(value, parts) if changed else value
            if not stack:
                return result
            seen[id(value)] = result
            kept.append(value)
            value, parts, place = stack.pop()
            changed = flags.pop()
            if result is not parts[place]:
                parts[place] = result
                changed = True
            place += 1


def _parts(value: Any) -> list[Any]:
    """The elements of a collection, as a list to be changed; empty if none of them is a collection."""
    kind = value.__class__
    if kind is Map:
        parts: list[Any] = [part for pair in value.items() for part in pair]
    elif kind is LazySeq:
        return elements(value)
    else:
        parts = value.to_list()
    return parts if not _NESTING.isdisjoint(set(map(type, parts))) else []


def _rebuilt(value: Any, parts: list[Any]) -> Any:
    if value.__class__ is Map:
        return Map(zip(parts[::2], parts[1::2], strict=True))
    if value.__class__ is Set:
        return Set(parts)
    return Vector.of(parts) if value.__class__ is Vector else List.of(parts)


def _through_c(function: Callable[..., Any], *arguments: Any) -> Any:
    """Hashing and comparing for Python's dictionaries, which computes elements below C frames: only so deep."""
    global _nested
    if _nested >= _MOST_NESTED:
        raise LimitError(
            "limit/depth", f"more than {_MOST_NESTED} lazy sequences as keys are computed within each other"
        )
    _nested += 1
    try:
        return function(*arguments)
    finally:
        _nested -= 1


_nested = 0


# Last, because `_NESTING` needs the class above.
from rtfs.values.map import Map  # noqa: E402
from rtfs.values.sequence import List, Vector  # noqa: E402
from rtfs.values.set import Set  # noqa: E402
from rtfs.values.short_vector import ShortVector  # noqa: E402

_NESTING = frozenset((Vector, ShortVector, List, Map, Set, LazySeq))
