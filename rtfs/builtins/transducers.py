"""Transducers: the results of `map`, `filter`, `take` … without a collection.

Declares no function. A transducer takes a reducing function (of none, one and two arguments: start, completion, step)
and returns another. Must not know what is reduced. Invariants: state belongs to one application, so a transducer may be
used again; those that end early return a `Reduced`; every function is a plain Python one, called by plain calls.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_int, type_error
from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import batches, next_batch
from rtfs.builtins.declare import MISSING
from rtfs.values import Reduced, Vector, unreduced
from rtfs.values.equality import equal
from rtfs.values.map import encode_key
from rtfs.values.reduced import ensure_reduced
from rtfs.values.step_account import paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Step = Callable[[Any, Any], Any]
    Complete = Callable[[Any], Any]


def _transducer(name: str, start: Callable[[Any], Step | tuple[Step, Complete]]) -> Any:
    """A transducer. start: given the reducing function it makes the step of one application, or (step, completion)."""

    def transducer(rf: Any, /) -> Any:
        made = start(rf)
        step, complete = made if made.__class__ is tuple else (made, rf)

        def reducing(result: Any = MISSING, x: Any = MISSING, /) -> Any:
            if x is not MISSING:
                return step(result, x)  # type: ignore[operator]
            return rf() if result is MISSING else complete(result)

        reducing.__name__ = reducing.__qualname__ = name
        return reducing

    transducer.__name__ = transducer.__qualname__ = name
    return transducer


def mapping(f: Any) -> Any:
    """`(map f)`; it takes several inputs, as in `(sequence (map +) xs ys)`."""

    def transducer(rf: Any, /) -> Any:
        def reducing(result: Any = MISSING, x: Any = MISSING, /, *more: Any) -> Any:
            if x is MISSING:
                return rf() if result is MISSING else rf(result)
            return rf(result, call_with(f, (x, *more)) if more else f(x))

        reducing.__name__ = reducing.__qualname__ = "map"
        return reducing

    transducer.__name__ = transducer.__qualname__ = "map"
    return transducer


def filtering(pred: Any, wanted: bool = True) -> Any:
    """`(filter pred)`, or `(remove pred)` where False is wanted."""

    def start(rf: Any) -> Step:
        def step(result: Any, x: Any) -> Any:
            fits = pred(x)
            return rf(result, x) if (fits is not None and fits is not False) is wanted else result

        return step

    return _transducer("filter" if wanted else "remove", start)


def keeping(f: Any) -> Any:
    """`(keep f)`."""

    def start(rf: Any) -> Step:
        def step(result: Any, x: Any) -> Any:
            value = f(x)
            return result if value is None else rf(result, value)

        return step

    return _transducer("keep", start)


def keeping_indexed(f: Any) -> Any:
    """`(keep-indexed f)`."""

    def start(rf: Any) -> Step:
        number = -1

        def step(result: Any, x: Any) -> Any:
            nonlocal number
            number += 1
            value = f(number, x)
            return result if value is None else rf(result, value)

        return step

    return _transducer("keep-indexed", start)


def mapping_indexed(f: Any) -> Any:
    """`(map-indexed f)`."""

    def start(rf: Any) -> Step:
        number = -1

        def step(result: Any, x: Any) -> Any:
            nonlocal number
            number += 1
            return rf(result, f(number, x))

        return step

    return _transducer("map-indexed", start)


def concatenating(f: Any = None) -> Any:
    """`cat`, or `(mapcat f)`."""

    def start(rf: Any) -> Step:
        def step(result: Any, x: Any) -> Any:
            found, cursor = batches("mapcat", x if f is None else f(x))
            while True:
                for part in paced(found):
                    result = rf(result, part)
                    if result.__class__ is Reduced:
                        return result
                if cursor is None:
                    return result
                found, cursor = next_batch(cursor)

        return step

    return _transducer("cat" if f is None else "mapcat", start)


def taking(n: int) -> Any:
    """`(take n)`."""

    def start(rf: Any) -> Step:
        left = n

        def step(result: Any, x: Any) -> Any:
            nonlocal left
            if left > 0:
                result = rf(result, x)
            left -= 1
            return ensure_reduced(result) if left <= 0 else result

        return step

    return _transducer("take", start)


def taking_while(pred: Any) -> Any:
    """`(take-while pred)`."""

    def start(rf: Any) -> Step:
        def step(result: Any, x: Any) -> Any:
            fits = pred(x)
            return Reduced(result) if fits is None or fits is False else rf(result, x)

        return step

    return _transducer("take-while", start)


def taking_nth(n: int) -> Any:
    """`(take-nth n)`."""

    def start(rf: Any) -> Step:
        number = -1

        def step(result: Any, x: Any) -> Any:
            nonlocal number
            number += 1
            return result if number % n else rf(result, x)

        return step

    return _transducer("take-nth", start)


def dropping(n: int) -> Any:
    """`(drop n)`."""

    def start(rf: Any) -> Step:
        left = n

        def step(result: Any, x: Any) -> Any:
            nonlocal left
            if left > 0:
                left -= 1
                return result
            return rf(result, x)

        return step

    return _transducer("drop", start)


def dropping_while(pred: Any) -> Any:
    """`(drop-while pred)`."""

    def start(rf: Any) -> Step:
        dropping = True

        def step(result: Any, x: Any) -> Any:
            nonlocal dropping
            if dropping:
                fits = pred(x)
                if fits is not None and fits is not False:
                    return result
                dropping = False
            return rf(result, x)

        return step

    return _transducer("drop-while", start)


def keeping_distinct() -> Any:
    """`(distinct)`."""

    def start(rf: Any) -> Step:
        seen: set[Any] = set()

        def step(result: Any, x: Any) -> Any:
            marker = encode_key(x)
            if marker in seen:
                return result
            seen.add(marker)
            return rf(result, x)

        return step

    return _transducer("distinct", start)


def deduping() -> Any:
    """`(dedupe)`."""

    def start(rf: Any) -> Step:
        last: Any = MISSING

        def step(result: Any, x: Any) -> Any:
            nonlocal last
            if last is not MISSING and equal(last, x):
                return result
            last = x
            return rf(result, x)

        return step

    return _transducer("dedupe", start)


def interposing(separator: Any) -> Any:
    """`(interpose separator)`."""

    def start(rf: Any) -> Step:
        begun = False

        def step(result: Any, x: Any) -> Any:
            nonlocal begun
            if begun:
                result = rf(result, separator)
                if result.__class__ is Reduced:
                    return result
            begun = True
            return rf(result, x)

        return step

    return _transducer("interpose", start)


def partitioning_all(n: int) -> Any:
    """`(partition-all n)`."""
    if need_int("partition-all", "the size of a group", n) < 1:
        raise type_error("partition-all", "the size of a group", "an integer above 0", n)

    def start(rf: Any) -> tuple[Step, Complete]:
        group: list[Any] = []

        def step(result: Any, x: Any) -> Any:
            group.append(x)
            if len(group) < n:
                return result
            made = Vector(group)
            group.clear()
            return rf(result, made)

        def complete(result: Any) -> Any:
            if group:
                made = Vector(group)
                group.clear()
                result = unreduced(rf(result, made))
            return rf(result)

        return step, complete

    return _transducer("partition-all", start)


def partitioning_by(f: Any) -> Any:
    """`(partition-by f)`."""

    def start(rf: Any) -> tuple[Step, Complete]:
        group: list[Any] = []
        last: Any = MISSING

        def step(result: Any, x: Any) -> Any:
            nonlocal last
            key = f(x)
            before, last = last, key
            if before is MISSING or equal(before, key):
                group.append(x)
                return result
            made = Vector(group)
            group.clear()
            result = rf(result, made)
            if result.__class__ is not Reduced:
                group.append(x)
            return result

        def complete(result: Any) -> Any:
            if group:
                made = Vector(group)
                group.clear()
                result = unreduced(rf(result, made))
            return rf(result)

        return step, complete

    return _transducer("partition-by", start)


class _Halted:
    """The result of a reduction that `halt-when` ended."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def halting(pred: Any, result_of: Any = None) -> Any:
    """`(halt-when pred result-of?)`."""

    def start(rf: Any) -> tuple[Step, Complete]:
        def step(result: Any, x: Any) -> Any:
            fits = pred(x)
            if fits is None or fits is False:
                return rf(result, x)
            return Reduced(_Halted(x if result_of is None else result_of(rf(result), x)))

        def complete(result: Any) -> Any:
            return result.value if result.__class__ is _Halted else rf(result)

        return step, complete

    return _transducer("halt-when", start)
