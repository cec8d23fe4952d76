"""The sources of lazy sequences: `iterate`, `repeatedly`, `cycle`, `lazy-seq` and `iteration`.

Must not know what their functions do. Invariants: a function is called when its element is asked for; where no function
is involved, a few elements more are made than are asked for, which no program can tell.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_ITEMS, argument_error, need_int
from rtfs.builtins.collection_support import too_many
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import steps
from rtfs.values import Keyword, LazySeq, List, Map, Vector
from rtfs.values.lazy import Cursor, Segment, ahead_of, lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BLOCK = 32


def count_up(start: Any = 0, step: Any = 1) -> LazySeq:
    """Numbers from `start` on, by `step`, without end."""
    whole = start.__class__ is int and step.__class__ is int
    count = 0

    def pull(segment: Segment) -> None:
        nonlocal count
        if count == 0:
            segment.items.append(start)
            count = 1
        if whole:
            segment.items += range(start + count * step, start + (count + _BLOCK) * step, step)
        else:
            segment.items += [start + i * step for i in range(count, count + _BLOCK)]
        count += _BLOCK

    return lazy(pull)


def repeat_for_ever(value: Any) -> LazySeq:
    """`(repeat value)`."""

    def pull(segment: Segment) -> None:
        segment.items += [value] * _BLOCK

    return lazy(pull)


@builtin(
    "iterate",
    "(iterate f value)",
    "A lazy sequence without end: the value, `f` of it, `f` of that and so on.",
    "(take 4 (iterate inc 5))",
    "(5 6 7 8)",
)
def iterate(f: Any, value: Any, /) -> Any:
    last = value

    def pull(segment: Segment) -> None:
        nonlocal last
        last = f(last)
        segment.items.append(last)

    return ahead_of([value], lazy(pull))


@builtin(
    "repeatedly",
    "(repeatedly n? f)",
    "The results of calling `f` without arguments, `n` times as a vector, or as a lazy sequence without end.",
    "(repeatedly 2 (fn [] :x))",
    "[:x :x]",
    "(take 2 (repeatedly (fn [] :x)))",
    "(:x :x)",
)
def repeatedly(n: Any, f: Any = MISSING, /) -> Any:
    if f is not MISSING:
        if need_int("repeatedly", "the number of times", n) > MAX_ITEMS:
            raise too_many("repeatedly")
        return Vector.of([f() for _ in range(n)])
    f = n

    def pull(segment: Segment) -> None:
        segment.items.append(f())

    return lazy(pull)


@builtin(
    "cycle",
    "(cycle coll)",
    "A lazy sequence without end: the elements of the collection again and again; empty if there is none.",
    "(take 5 (cycle [1 2 3]))",
    "(1 2 3 1 2)",
)
def cycle(coll: Any, /) -> Any:
    cursor = Cursor(steps.as_lazy("cycle", coll))
    if not cursor.ready():
        return List()
    again: list[Any] = []
    ended = False

    def pull(segment: Segment) -> None:
        nonlocal ended
        if not ended and cursor.ready():
            found = cursor.segment.items[cursor.index :]
            cursor.index += len(found)
            again.extend(found)
            segment.items += found
            return
        if not ended:
            ended = True
            again[:] = again * (1 + _BLOCK // len(again))
        segment.items += again

    return lazy(pull)


@builtin(
    "lazy-seq*",
    "(lazy-seq* f)",
    "The function behind `lazy-seq`: the sequence that `f` returns when its first element is needed.",
    "(first (lazy-seq* (fn [] [1 2])))",
    "1",
)
def lazy_seq(f: Any, /) -> Any:
    return lazy(steps.pull_from(f))


@builtin(
    "iteration",
    "(iteration step & options)",
    "The answers of a paged source, lazily: `step` is called with a key, `:kf` takes the next key from an answer, nil "
    "ends; `:vf` takes the value, `:somef` says whether there is one, `:initk` is the first key.",
    "(iteration (fn [k] {:page k :next (if (< k 2) (inc k) nil)}) :vf :page :kf :next :initk 0)",
    "(0 1 2)",
)
def iteration(step: Any, /, *options: Any) -> LazySeq:
    if len(options) == 1 and options[0].__class__ is Map:
        given = options[0]
    elif len(options) % 2:
        raise argument_error("iteration", "needs a value for every option", code="arity")
    else:
        given = Map(zip(options[::2], options[1::2], strict=True))
    has_value, value_of, key_of = given.get(_SOMEF), given.get(_VF), given.get(_KF)
    key = given.get(_INITK)

    def pull(segment: Segment) -> None:
        nonlocal key
        answer = step(key)
        fits = answer is not None if has_value is None else has_value(answer)
        if fits is None or fits is False:
            segment.more = None
            return
        value = answer if value_of is None else value_of(answer)
        key = answer if key_of is None else key_of(answer)
        segment.items.append(value)
        if key is None:
            segment.more = None

    return lazy(pull)


_SOMEF, _VF, _KF, _INITK = Keyword("somef"), Keyword("vf"), Keyword("kf"), Keyword("initk")
