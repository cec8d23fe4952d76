"""The sequence functions for lazy input: each returns a lazy sequence, which computes an element when it is needed.

Declares no function: `map`, `take` and the others call these when their input is lazy. Must not know what guest
functions do. Invariants: no element of an input is computed unless the next output needs it; a function is called once
for each element, unless it raised; functions that skip elements charge for them.
"""

from __future__ import annotations

from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import elements_of
from rtfs.values import LazySeq, List, Reduced
from rtfs.values.equality import equal
from rtfs.values.lazy import Cursor, Segment, ahead_of, lazy
from rtfs.values.map import encode_key
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SKIPPED = 256  # elements passed over without a result before they are accounted for


def as_lazy(function: str, coll: Any) -> LazySeq:
    """`coll` itself if it is lazy, else a sequence of its elements. Raises TypeMismatch for a value without
    elements."""
    if coll.__class__ is LazySeq:
        return coll
    return ahead_of(list(elements_of(function, coll)), None)


def compute(coll: LazySeq, n: int) -> int:
    """Compute the first `n` elements of a lazy sequence; return the number of elements there are, at most `n`."""
    cursor = Cursor(coll)
    count = 0
    while count < n and cursor.ready():
        count += len(cursor.segment.items) - cursor.index
        cursor.index = len(cursor.segment.items)
    return min(count, max(n, 0))


def is_computed(coll: LazySeq) -> bool:
    """Whether the first element is there already, or known not to be."""
    segment, index = coll._segment, coll._index
    while index >= len(segment.items) and segment.more.__class__ is LazySeq:
        segment, index = segment.more._segment, segment.more._index  # type: ignore[union-attr]
    return index < len(segment.items) or segment.more is None


def pull_from(thunk: Any) -> Any:
    """A function that computes a segment of `(lazy-seq …)`: the elements that `thunk` returns. A thunk may return
    another lazy sequence that is not computed yet, and so on; this is a loop here, not a recursion."""

    def pull(segment: Segment) -> None:
        found = thunk()
        if found.__class__ is not LazySeq:
            segment.items += elements_of("lazy-seq", found)
            segment.more = None
            return
        inner = found._segment
        if inner.more.__class__ is not LazySeq and inner.more is not None:
            segment.more = found
            return
        segment.items += inner.items[found._index :]
        segment.more = inner.more

    return pull


def lazy_map(f: Any, coll: LazySeq) -> LazySeq:
    """`(map f coll)`."""
    cursor = Cursor(coll)

    def pull(segment: Segment) -> None:
        if cursor.index >= len(cursor.segment.items) and not cursor.ready():
            segment.more = None
            return
        value = f(cursor.segment.items[cursor.index])
        cursor.index += 1
        segment.items.append(value)

    return lazy(pull)


def lazy_map_all(f: Any, colls: list[LazySeq]) -> LazySeq:
    """`(map f coll coll…)`."""
    cursors = [Cursor(coll) for coll in colls]

    def pull(segment: Segment) -> None:
        row = []
        for cursor in cursors:
            if not cursor.ready():
                segment.more = None
                return
            row.append(cursor.segment.items[cursor.index])
        value = call_with(f, row)
        for cursor in cursors:
            cursor.index += 1
        segment.items.append(value)

    return lazy(pull)


def lazy_map_indexed(f: Any, coll: LazySeq) -> LazySeq:
    """`(map-indexed f coll)`."""
    cursor = Cursor(coll)
    number = 0

    def pull(segment: Segment) -> None:
        nonlocal number
        if not cursor.ready():
            segment.more = None
            return
        value = f(number, cursor.segment.items[cursor.index])
        number += 1
        cursor.index += 1
        segment.items.append(value)

    return lazy(pull)


def lazy_filter(pred: Any, coll: LazySeq, wanted: bool = True) -> LazySeq:
    """`(filter pred coll)`, or `(remove pred coll)` where False is wanted."""
    cursor = Cursor(coll)

    def pull(segment: Segment) -> None:
        skipped = 0
        while cursor.index < len(cursor.segment.items) or cursor.ready():
            item = cursor.segment.items[cursor.index]
            fits = pred(item)
            cursor.index += 1
            if (fits is not None and fits is not False) is wanted:
                segment.items.append(item)
                return
            skipped += 1
            if skipped == _SKIPPED:
                spend(skipped)
                skipped = 0
        segment.more = None

    return lazy(pull)


def lazy_keep(f: Any, coll: LazySeq, indexed: bool = False) -> LazySeq:
    """`(keep f coll)`, or `(keep-indexed f coll)`."""
    cursor = Cursor(coll)
    number = 0

    def pull(segment: Segment) -> None:
        nonlocal number
        skipped = 0
        while cursor.ready():
            item = cursor.segment.items[cursor.index]
            value = f(number, item) if indexed else f(item)
            number += 1
            cursor.index += 1
            if value is not None:
                segment.items.append(value)
                return
            skipped += 1
            if skipped == _SKIPPED:
                spend(skipped)
                skipped = 0
        segment.more = None

    return lazy(pull)


def lazy_take(n: int, coll: LazySeq) -> LazySeq:
    """`(take n coll)`: never computes an element after the last."""
    cursor = Cursor(coll)
    left = n

    def pull(segment: Segment) -> None:
        nonlocal left
        if left <= 0 or not cursor.ready():
            segment.more = None
            return
        items = cursor.segment.items
        part = items[cursor.index : cursor.index + left]
        cursor.index += len(part)
        left -= len(part)
        segment.items += part
        if left <= 0:
            segment.more = None

    return lazy(pull)


def lazy_take_while(pred: Any, coll: LazySeq) -> LazySeq:
    """`(take-while pred coll)`."""
    cursor = Cursor(coll)

    def pull(segment: Segment) -> None:
        if cursor.ready():
            item = cursor.segment.items[cursor.index]
            fits = pred(item)
            if fits is not None and fits is not False:
                cursor.index += 1
                segment.items.append(item)
                return
        segment.more = None

    return lazy(pull)


def lazy_drop(n: int, coll: LazySeq) -> LazySeq:
    """`(drop n coll)`: the dropped elements are computed when the first element after them is needed."""
    if n <= 0:
        return coll
    cursor = Cursor(coll)
    left = n

    def pull(segment: Segment) -> None:
        nonlocal left
        while left > 0 and cursor.ready():
            count = min(left, len(cursor.segment.items) - cursor.index)
            cursor.index += count
            left -= count
        segment.more = cursor.rest() if cursor.ready() else None

    return lazy(pull)


def lazy_drop_while(pred: Any, coll: LazySeq) -> LazySeq:
    """`(drop-while pred coll)`."""
    cursor = Cursor(coll)

    def pull(segment: Segment) -> None:
        skipped = 0
        while cursor.ready():
            fits = pred(cursor.segment.items[cursor.index])
            if fits is None or fits is False:
                segment.more = cursor.rest()
                return
            cursor.index += 1
            skipped += 1
            if skipped == _SKIPPED:
                spend(skipped)
                skipped = 0
        segment.more = None

    return lazy(pull)


def lazy_concat(parts: list[Any]) -> LazySeq:
    """The elements of sequences, of which at least one is lazy, one after the other."""
    following = as_lazy("concat", parts[-1])
    for part in reversed(parts[:-1]):
        following = _chained(part, following)
    return following


def _chained(part: Any, following: LazySeq) -> LazySeq:
    if part.__class__ is not LazySeq:
        found = list(elements_of("concat", part))
        return ahead_of(found, following) if found else following
    cursor = Cursor(part)

    def pull(segment: Segment) -> None:
        if not cursor.ready():
            segment.more = following
            return
        items = cursor.segment.items
        segment.items += items[cursor.index :]
        cursor.index = len(items)

    return lazy(pull)


def lazy_mapcat(f: Any, coll: LazySeq, nil_ends: bool = False) -> LazySeq:
    """`(mapcat f coll)`. f None: the elements themselves are the sequences. nil_ends: a nil from `f` ends the sequence;
    otherwise it counts as an empty sequence."""
    cursor = Cursor(coll)
    part: Cursor | None = None

    def pull(segment: Segment) -> None:
        nonlocal part
        skipped = 0
        while True:
            if part is not None:
                if part.ready():
                    items = part.segment.items
                    segment.items += items[part.index :]
                    part.index = len(items)
                    return
                part = None
            if not cursor.ready():
                break
            item = cursor.segment.items[cursor.index]
            found = item if f is None else f(item)
            if found is None and nil_ends:
                break
            if found.__class__ is LazySeq:
                part = Cursor(found)
                cursor.index += 1
            else:
                items = elements_of("mapcat", found)
                cursor.index += 1
                if len(items):
                    segment.items += items
                    return
            skipped += 1
            if skipped == _SKIPPED:
                spend(skipped)
                skipped = 0
        segment.more = None

    return lazy(pull)


def lazy_interleave(colls: list[LazySeq]) -> LazySeq:
    """`(interleave coll…)` of lazy sequences."""
    cursors = [Cursor(coll) for coll in colls]

    def pull(segment: Segment) -> None:
        row = []
        for cursor in cursors:
            if not cursor.ready():
                segment.more = None
                return
            row.append(cursor.segment.items[cursor.index])
        for cursor in cursors:
            cursor.index += 1
        segment.items += row

    return lazy(pull)


def lazy_interpose(separator: Any, coll: LazySeq) -> LazySeq:
    """`(interpose separator coll)`."""
    cursor = Cursor(coll)
    begun = False

    def pull(segment: Segment) -> None:
        nonlocal begun
        if not cursor.ready():
            segment.more = None
            return
        if begun:
            segment.items.append(separator)
        begun = True
        segment.items.append(cursor.segment.items[cursor.index])
        cursor.index += 1

    return lazy(pull)


def lazy_partition(n: int, step: int, coll: LazySeq, pad: Any, keeps_tail: bool) -> LazySeq:
    """`partition` (pad: the elements that fill a short last group, or None: drop it) and `partition-all`."""
    source: Any = coll

    def pull(segment: Segment) -> None:
        nonlocal source
        cursor = Cursor(source)
        group: list[Any] = []
        behind: LazySeq | None = None
        while len(group) < n and cursor.ready():
            if len(group) == step:
                behind = cursor.rest()
            group.append(cursor.segment.items[cursor.index])
            cursor.index += 1
        if len(group) < n and not (group and (keeps_tail or pad is not None)):
            segment.more = None
            return
        if len(group) < n and pad is not None and not keeps_tail:
            group += pad[: n - len(group)]
            segment.items.append(List.of(group))
            segment.more = None
            return
        if behind is None:
            behind = lazy_drop(step - len(group), cursor.rest()) if step > len(group) else cursor.rest()
        source = behind
        segment.items.append(List.of(group))

    return lazy(pull)


def lazy_partition_by(f: Any, coll: LazySeq) -> LazySeq:
    """`(partition-by f coll)`: a group ends where the next element has another value."""
    cursor = Cursor(coll)
    held: list[Any] = []  # the key of the next group, once it is known

    def pull(segment: Segment) -> None:
        if not cursor.ready():
            segment.more = None
            return
        key = held[0] if held else f(cursor.segment.items[cursor.index])
        group = [cursor.segment.items[cursor.index]]
        ahead = Cursor(cursor.rest())
        ahead.index += 1
        following: list[Any] = []
        while ahead.ready():
            item = ahead.segment.items[ahead.index]
            other = f(item)
            if not equal(other, key):
                following = [other]
                break
            group.append(item)
            ahead.index += 1
        cursor.segment, cursor.index = ahead.segment, ahead.index
        held[:] = following
        segment.items.append(List.of(group))

    return lazy(pull)


def lazy_distinct(coll: LazySeq) -> LazySeq:
    """`(distinct coll)`."""
    seen: set[Any] = set()

    def is_new(item: Any) -> bool:
        marker = encode_key(item)
        if marker in seen:
            return False
        seen.add(marker)
        return True

    return lazy_filter(is_new, coll)


def lazy_dedupe(coll: LazySeq) -> LazySeq:
    """`(dedupe coll)`."""
    last: list[Any] = []

    def differs(item: Any) -> bool:
        if last and equal(last[0], item):
            return False
        last[:] = [item]
        return True

    return lazy_filter(differs, coll)


def lazy_take_nth(n: int, coll: LazySeq) -> LazySeq:
    """`(take-nth n coll)`."""
    source = coll

    def pull(segment: Segment) -> None:
        nonlocal source
        cursor = Cursor(source)
        if not cursor.ready():
            segment.more = None
            return
        segment.items.append(cursor.segment.items[cursor.index])
        source = lazy_drop(n, cursor.rest())

    return lazy(pull)


def lazy_reductions(f: Any, init: Any, coll: LazySeq) -> LazySeq:
    """`(reductions f init coll)`."""
    cursor = Cursor(coll)
    state = init

    def pull(segment: Segment) -> None:
        nonlocal state
        if not cursor.ready():
            segment.more = None
            return
        value = f(state, cursor.segment.items[cursor.index])
        cursor.index += 1
        if value.__class__ is Reduced:
            value = value.value
            segment.more = None
        state = value
        segment.items.append(value)

    if init.__class__ is Reduced:
        return ahead_of([init.value], None)
    return ahead_of([init], lazy(pull))


def lazy_tree(is_branch: Any, children: Any, root: Any) -> LazySeq:
    """`(tree-seq branch? children root)`: a node, then the trees of its children."""
    waiting: list[Any] = []  # cursors over the children still to be visited, the innermost last
    begun = False
    unexpanded: list[Any] = []  # the node given last, whose children have not been asked for

    def pull(segment: Segment) -> None:
        nonlocal begun
        if not begun:
            begun = True
            unexpanded.append(root)
            segment.items.append(root)
            return
        if unexpanded:
            node = unexpanded[0]
            fits = is_branch(node)
            if fits is not None and fits is not False:
                waiting.append(Cursor(as_lazy("tree-seq", children(node))))
            unexpanded.clear()
        while waiting:
            cursor = waiting[-1]
            if cursor.ready():
                node = cursor.segment.items[cursor.index]
                cursor.index += 1
                unexpanded.append(node)
                segment.items.append(node)
                return
            waiting.pop()
        segment.more = None

    return lazy(pull)
