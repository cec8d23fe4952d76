"""Labels through functions that call functions: `map`, `reduce`, `sort-by` and their like, and calls of any value.

Knows nothing of nodes. The standard function runs as ever, with a Python function in the place of the program's, which
passes each element's tag on and notes the tag of what comes back. Invariant: whatever is not one of these joins.
"""

from __future__ import annotations

from types import FunctionType

from rtfs.builtins import CORE
from rtfs.builtins.calling import call_with
from rtfs.compiler.labelled.moves import (
    COLLECTIONS,
    MOVES,
    Found,
    join_all,
    keyword_look_up,
    moves,
    picked,
    put,
    tries,
)
from rtfs.flow.label import NOTHING, Label, join
from rtfs.flow.state import Gathering, current
from rtfs.flow.tag import NO_TAG, SEQUENCES, Tag, elements, joined
from rtfs.values import Keyword, Map, Set, Vector
from rtfs.values.lookup import keyword_get
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs.compiler.labelled.moves import Move
    from rtfs.flow.label import Step
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Pair

_BY_FUNCTION: dict[Any, tuple[str, Move]] = {}


def _known(function: Any) -> tuple[str, Move]:
    """The name of a standard function, and how it treats labels."""
    if not _BY_FUNCTION:
        for name, one in CORE.items():
            if one.__class__ is FunctionType:
                _BY_FUNCTION.setdefault(one, (name, MOVES.get(name, join_all)))
    return _BY_FUNCTION.get(function, ("", join_all))


def call_value(s: FlowState, function: Any, tag: Tag, values: Sequence[Any], tags: list[Tag], step: Step) -> Pair:
    """A call of any value."""
    kind = function.__class__
    if kind is FunctionType:
        if function.__dict__.get("carries_labels"):
            return call_own(s, function, tag, values, tags)
        name, move = _known(function)
        value, result = move(s, function, list(values), tags, (name, step[1], step[2]) if name else step)
        by = tag.everything()
        if not name:  # not of ours: what it closes over is in its tag
            data, control = tag.flat()
            return value, Tag(join(result.flat()[0], data), join(result.flat()[1], control))
        return value, result.decided(by)
    if kind is Keyword and 1 <= len(values) <= 2:
        return keyword_look_up(s, keyword_get, [function, *values], [tag, *tags], step)
    if kind in COLLECTIONS and kind is not Set and len(values) in (1, 2):
        found = picked(function, tag, values[0], tags[0], tags[1] if len(tags) == 2 else None)
        if found is not None:
            tries(s, [tag, *tags])
            return call_with(function, values), found

    def called(_: Any, *given: Any) -> Any:
        return call_with(function, given) if callable(function) else function()  # fails as a call in other code does

    return join_all(s, called, [function, *values], [tag, *tags], step)


def call_own(s: FlowState, function: Any, tag: Tag, values: Sequence[Any], tags: list[Tag]) -> Pair:
    """A call of a function of the program."""
    by = tag.everything()
    outer = s.pc
    if by is not NOTHING:
        s.pc = join(outer, by)
        s.run.branch(by)
    s.passed = tags
    try:
        value = call_with(function, values)
    except BaseException:
        s.passed = None
        raise
    finally:
        s.pc = outer
    result = s.returned
    s.returned = None
    assert result is not None
    return value, result if by is NOTHING else result.decided(by)


class Elements:
    """The elements of collections with their tags, as a standard function goes through them, in order."""

    def __init__(self, values: Sequence[Any], tags: Sequence[Tag]) -> None:
        self.parts = [elements(value, tag) for value, tag in zip(values, tags, strict=True)]
        self.every = [tag.everywhere() for tag in tags]
        self.index = 0
        self.data = self.control = NOTHING
        for tag in tags:
            self.data, self.control = join(self.data, tag.data), join(self.control, tag.control)

    def next(self, given: Sequence[Any]) -> list[Tag]:
        """The tags of the next elements, which a function was called with."""
        index = self.index
        self.index += 1
        found = []
        for number, value in enumerate(given):
            part = self.parts[number]
            if index < len(part) and (part[index][0] is value or part[index][0] == value):
                found.append(part[index][1])
            else:
                found.append(self.every[number])
        return found

    def structure(self) -> Label:
        return join(self.data, self.control)

    def through(self, s: FlowState, function: Any, given: list[Any]) -> Any:
        """The value of the standard function. How often it calls its function, the collections decide."""
        outer, by = s.pc, self.structure()
        s.pc = join(outer, by)
        s.run.branch(by)
        try:
            return call_with(function, given)
        finally:
            s.pc = outer


def _joins(values: Sequence[Any]) -> bool:
    """Whether collections are such that only joining is safe."""
    return any(
        value.__class__ is not str and value is not None and value.__class__ not in COLLECTIONS for value in values
    )


def collected(value: Any, tags: list[Tag], data: Label, control: Label) -> Tag:
    """The tag of a sequence with elements of these tags."""
    if value.__class__ in SEQUENCES and len(value) == len(tags):
        return Tag(data, control, tags)
    tag = joined(tags)
    return Tag(join(tag.data, data), join(tag.control, control))


@moves("map", "mapv")
def map_(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) < 2 or _joins(values[1:]):
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    results: list[Tag] = []

    def one(*given: Any) -> Any:
        value, tag = call_value(s, values[0], tags[0], given, going.next(given), step)
        results.append(tag)
        return value

    result = going.through(s, function, [one, *values[1:]])
    return result, collected(result, results, going.data, going.control)


@moves("map-indexed")
def map_indexed(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or _joins(values[1:]):
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    results: list[Tag] = []
    place = Tag(going.data, going.control)

    def one(index: Any, item: Any) -> Any:
        value, tag = call_value(s, values[0], tags[0], (index, item), [place, *going.next((item,))], step)
        results.append(tag)
        return value

    result = going.through(s, function, [one, values[1]])
    return result, collected(result, results, going.data, going.control)


@moves("mapcat", "for*")
def mapcat(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or _joins(values[1:]):
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    results: list[Tag] = []
    data, control, safe = going.data, going.control, True

    def one(item: Any) -> Any:
        nonlocal data, control, safe
        value, tag = call_value(s, values[0], tags[0], (item,), going.next((item,)), step)
        if value.__class__ in SEQUENCES:
            data, control = join(data, tag.data), join(control, tag.control)
            results.extend([kid for _, kid in elements(value, tag)])
        else:
            more, further = tag.flat()
            data, control = join(data, more), join(control, further)
            safe = safe and value is None
        return value

    result = going.through(s, function, [one, values[1]])
    tag = collected(result, results, data, control)
    return result, tag if safe else tag.everywhere()


def _chooses(wanted: bool, *, stops: bool = False) -> Move:
    def choose(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
        if len(values) != 2 or _joins(values[1:]) or values[1].__class__ is str:
            return join_all(s, function, values, tags, step)
        tries(s, tags[1:])
        going = Elements(values[1:], tags[1:])
        kept: list[Tag] = []
        control = going.control

        def one(item: Any) -> Any:
            nonlocal control
            (given,) = going.next((item,))
            value, tag = call_value(s, values[0], tags[0], (item,), [given], step)
            control = join(control, tag.everything())
            if stops:
                s.pc = join(s.pc, control)  # whether there is a next call
            if (value is not None and value is not False) is wanted:
                kept.append(given)
            return value

        result = going.through(s, function, [one, values[1]])
        if result.__class__ is Map:
            return result, Found(values[1:], tags[1:], 2).tag_of_new(result, control)
        return result, collected(result, kept, going.data, control)

    return choose


MOVES["filter"] = MOVES["filterv"] = _chooses(True)
MOVES["take-while"] = _chooses(True, stops=True)
MOVES["remove"] = _chooses(False)


@moves("keep")
def keep_(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or _joins(values[1:]):
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    results: list[Tag] = []
    control = going.control

    def one(item: Any) -> Any:
        nonlocal control
        value, tag = call_value(s, values[0], tags[0], (item,), going.next((item,)), step)
        control = join(control, tag.everything())
        if value is not None:
            results.append(tag)
        return value

    result = going.through(s, function, [one, values[1]])
    return result, collected(result, results, going.data, control)


@moves("some")
def some(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or _joins(values[1:]) or values[0].__class__ in COLLECTIONS:
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    last, by = NO_TAG, going.structure()

    def one(item: Any) -> Any:
        nonlocal last, by
        value, last = call_value(s, values[0], tags[0], (item,), going.next((item,)), step)
        by = join(by, last.everything())
        s.pc = join(s.pc, by)  # whether there is a next call
        return value

    result = going.through(s, function, [one, values[1]])
    return result, last.decided(by)


@moves("reduce")
def reduce(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) not in (2, 3) or _joins(values[-1:]):
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[-1:], tags[-1:])
    result_tag: Tag | None = tags[1] if len(values) == 3 else None

    def one(*given: Any) -> Any:
        nonlocal result_tag
        if len(given) == 2:
            if result_tag is None:
                (result_tag,) = going.next(given[:1])
            parts = [result_tag, *going.next(given[1:])]
        else:
            parts = [joined(tags)] * len(given)
        value, result_tag = call_value(s, values[0], tags[0], given, parts, step)
        s.pc = join(s.pc, result_tag.control)  # whether there is a next call: it may be `reduced`
        return value

    result = going.through(s, function, [one, *values[1:]])
    if result_tag is None:
        (result_tag,) = going.next((result,)) if going.parts[0] else (joined(tags),)
    return result, result_tag.decided(going.structure())


@moves("sort-by", "group-by", "max-by", "min-by")
def by_key(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or _joins(values[1:]) or values[1].__class__ is str:
        return join_all(s, function, values, tags, step)
    tries(s, tags[1:])
    going = Elements(values[1:], tags[1:])
    by = going.structure()
    keys: list[Any] = []

    def one(item: Any) -> Any:
        nonlocal by
        value, tag = call_value(s, values[0], tags[0], (item,), going.next((item,)), step)
        by = join(by, tag.everything())
        keys.append(value)
        return value

    result = going.through(s, function, [one, values[1]])
    found = Found(values[1:], tags[1:], 1)
    known = found.known.get(id(result))
    if known is not None:
        return result, known.decided(by)
    if result.__class__ is Map:  # its keys are what the function gave
        kids = {encode_key(key): found.tag_of(part).decided(by) for key, part in result.items()}
        return result, Tag(join(going.data, by), going.control, kids)
    if values[1].__class__ is Map:
        return result, joined([tags[1]]).decided(by)
    return result, found.tag_of_new(result, by)


@moves("update")
def update(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) < 3 or values[0].__class__ not in (Map, Vector, type(None)):
        return join_all(s, function, values, tags, step)
    old = picked(values[0], tags[0], values[1], tags[1], None)
    tries(s, tags)
    new = NO_TAG

    def one(*given: Any) -> Any:
        nonlocal new
        value, new = call_value(s, values[2], tags[2], given, [old or joined(tags[:2]), *tags[3:]], step)
        return value

    result = call_with(function, [*values[:2], one, *values[3:]])
    tag = put(values[0], tags[0], values[1], tags[1], new)
    return result, tag if tag is not None else joined([*tags, new])


@moves("apply")
def apply(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) < 2 or (values[-1] is not None and values[-1].__class__ not in SEQUENCES):
        return join_all(s, function, values, tags, step)
    parts = [*tags[1:-1], *[tag for _, tag in elements(values[-1], tags[-1])]]
    tries(s, tags)
    result_tag = NO_TAG

    def one(*given: Any) -> Any:
        nonlocal result_tag
        value, result_tag = call_value(s, values[0], tags[0], given, parts, step)
        return value

    result = call_with(function, [one, *values[1:]])
    return result, result_tag.decided(tags[-1].structure())


@moves("memoize")
def memoize(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """A remembered value was made of what its first call was: what all calls gave is in each."""
    kept = Gathering()

    def called(*given: Any) -> Any:
        now = current()
        value, tag = call_value(now, values[0], tags[0], given, [now.given()] * len(given), step)
        kept.add(*tag.flat())
        return value

    remembering = call_with(function, [called])

    def memoized(*given: Any) -> Any:
        value = call_with(remembering, given)
        current().leave(kept.tag())
        return value

    memoized.__name__ = remembering.__name__
    return memoized, joined(tags)
