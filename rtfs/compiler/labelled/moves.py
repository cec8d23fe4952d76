"""The effect of standard functions on labels: some join labels, others only move values.

Knows nothing of nodes. A function runs on plain values; the tag of its result is worked out beside. By default a result
has all that the arguments have, at any depth. What a function only moves keeps its tag: the elements of the result are
found among those of the arguments by identity; of a value that is there several times the tags are joined. Invariant:
only functions that make no value of their own are declared to move.
"""

from __future__ import annotations

from rtfs.builtins.calling import call_with
from rtfs.flow.label import NOTHING, OF_LAZY, Label, join
from rtfs.flow.state import Gathering
from rtfs.flow.tag import NO_TAG, SEQUENCES, Tag, at_index, at_key, kids_of, merged
from rtfs.values import Keyword, LazySeq, List, Map, Set, Vector
from rtfs.values.lazy import hooks
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.flow.label import Step
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Pair

    Move = Callable[[FlowState, Any, list[Any], list[Tag], Step], Pair]
    """(state, function, arguments, their tags, what to add to the way) -> the value and its tag."""

SCALARS = frozenset((int, float, str, bool, type(None), Keyword))
COLLECTIONS = frozenset((Vector, List, Map, Set))

MOVES: dict[str, Move] = {}
"""Name of a standard function -> how it treats labels; the others join."""


def moves(*names: str) -> Callable[[Move], Move]:
    """Declare how the standard functions of these names treat labels."""

    def declare(move: Move) -> Move:
        for name in names:
            MOVES[name] = move
        return move

    return declare


def tries(s: FlowState, tags: list[Tag]) -> None:
    """Something is done with values of these tags which may fail."""
    if s.trying is not None:
        for tag in tags:
            s.tried(tag)


# ---------------------------------------------------------------------- joining
def join_all(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """The value of a call of code without labels. It has the labels of all arguments, and those of the results of the
    program's functions that the code calls."""
    data = control = NOTHING
    scalars = True
    for value, tag in zip(values, tags, strict=True):
        more, further = tag.flat()
        data, control = join(data, more), join(control, further)
        if value.__class__ not in SCALARS:
            scalars = False
    if s.trying is not None:
        s.trying.add(data, join(control, s.pc))
    outer = s.around
    around = s.around = Gathering(data, control)
    try:
        value = call_with(function, values)
    finally:
        s.around = outer
    data, control = around.data, around.control
    if hooks.made and not scalars and holds_lazy(value):
        s.run.lazy.add(data, control)
        data, control = join(data, OF_LAZY), join(control, OF_LAZY)
    return value, Tag(data.through(step), control)


def holds_lazy(value: Any) -> bool:
    """True for a value with a lazy sequence in it, at any depth."""
    pending = [value]
    while pending:
        one = pending.pop()
        kind = one.__class__
        if kind is LazySeq:
            return True
        if kind is Map:
            pending.extend(part for pair in one.items() for part in pair if part.__class__ not in SCALARS)
        elif kind in COLLECTIONS:
            pending.extend(part for part in one if part.__class__ not in SCALARS)
    return False


# ---------------------------------------------------------------------- finding what was moved
class Found:
    """The tags of what the arguments of a call hold, by identity. depth: how deep the function looks for what it
    moves."""

    def __init__(self, values: list[Any], tags: list[Tag], depth: int) -> None:
        self.known: dict[int, Tag] = {}
        self.kept: list[Any] = []  # keeps the identities valid
        self.all: Tag | None = None
        self.given = tags
        self.data = self.control = NOTHING
        level = list(zip(values, tags, strict=True))
        for value, tag in level:
            if value.__class__ in COLLECTIONS:
                self.data, self.control = join(self.data, tag.data), join(self.control, tag.control)
            elif value.__class__ in SCALARS:
                self.control = join(self.control, tag.everything())
        for left in range(depth, -1, -1):
            below: list[Pair] = []
            for value, tag in level:
                self._add(value, tag)
                if left:
                    self._open(value, tag, below)
            level = below

    def _add(self, value: Any, tag: Tag) -> None:
        known = self.known.get(id(value))
        self.known[id(value)] = tag if known is None else merged(known, tag)
        self.kept.append(value)

    def _open(self, value: Any, tag: Tag, below: list[Pair]) -> None:
        kind = value.__class__
        if kind in SEQUENCES:
            kids = kids_of(value, tag)
            items = value.to_list()
            if kids.__class__ is list and len(kids) == len(items):
                below.extend(zip(items, kids, strict=True))
            else:
                every = tag.everywhere()
                below.extend((item, every) for item in items)
        elif kind is Map:
            key_tag = Tag(tag.data, tag.control)
            for key, item in value.items():
                self._add(key, key_tag)
                below.append((item, at_key(value, tag, encode_key(key)) or tag.everywhere()))
        elif kind is Set:
            every = tag.everywhere()
            below.extend((item, every) for item in value)

    def everything(self) -> Tag:
        """The tag of what may be made of all arguments."""
        if self.all is None:
            tag = NO_TAG
            for one in self.given:
                tag = merged(tag, one)
            self.all = tag
        return self.all

    def tag_of(self, value: Any) -> Tag:
        """The tag of a part of the result."""
        known = self.known.get(id(value))
        return known if known is not None else self.tag_of_new(value)

    def tag_of_new(self, value: Any, by: Label = NOTHING) -> Tag:
        """The tag of a collection that the function made."""
        kind = value.__class__
        control = join(self.control, by)
        if kind in SEQUENCES:
            return Tag(self.data, control, [self.tag_of(item) for item in value.to_list()])
        if kind is Map:
            data, kids = self.data, {}
            for key, item in value.items():
                data = join(data, self.tag_of(key).everything())
                kids[encode_key(key)] = self.tag_of(item)
            return Tag(data, control, kids)
        if kind is Set:
            tag = Tag(self.data, control)
            for item in value:
                tag = merged(tag, self.tag_of(item))
            return tag
        return self.everything().decided(control)


def moved(depth: int, looks: bool = False) -> Move:
    """The treatment of labels by functions that only move elements. depth: how deep the function looks for elements.
    looks: the elements decide which of them are in the result, or in which order."""

    def move(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
        for value in values:
            if value.__class__ not in COLLECTIONS and (value.__class__ is str or value.__class__ not in SCALARS):
                return join_all(s, function, values, tags, step)
        tries(s, tags)
        result = call_with(function, values)
        found = Found(values, tags, depth)
        by = found.everything().everything() if looks else NOTHING
        known = found.known.get(id(result))
        if known is not None:
            return result, known.decided(join(join(found.data, found.control), by))
        return result, found.tag_of_new(result, by)

    return move


for _name in (
    "rest", "next", "second", "last", "butlast", "take", "drop", "take-last", "drop-last", "reverse", "rseq", "subvec",
    "split-at", "vec", "seq", "peek", "pop", "pop!", "concat", "interleave", "interpose", "partition", "partition-all",
    "take-nth", "zip", "zipmap", "vals", "keys", "select-keys", "dissoc", "dissoc!", "nthrest", "nthnext", "list*",
    "not-empty", "sequence", "for-source*", "find", "key", "val", "fnext",
):  # fmt: skip
    MOVES[_name] = moved(1)
for _name in ("ffirst", "nnext", "nfirst", "merge", "into"):
    MOVES[_name] = moved(2)
for _name in ("sort", "distinct", "dedupe"):
    MOVES[_name] = moved(1, looks=True)


# ---------------------------------------------------------------------- the same value, new collections
@moves("identity", "reduced", "ensure-reduced", "unreduced", "transient", "persistent!", "doall")
def keep(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """The argument itself."""
    if len(values) != 1 or values[0].__class__ is LazySeq:
        return join_all(s, function, values, tags, step)
    tries(s, tags)
    return call_with(function, values), tags[0]


@moves("vector", "list")
def display(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    return call_with(function, values), Tag(NOTHING, NOTHING, tags)


@moves("hash-map", "array-map")
def pairs(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    tries(s, tags)
    result = call_with(function, values)
    if result.__class__ is not Map:
        return join_all(s, function, values, tags, step)
    return result, map_tag(values[::2], tags[::2], tags[1::2])


def map_tag(keys: list[Any], key_tags: list[Tag], tags: list[Tag]) -> Tag:
    """The tag of a map of these entries; of equal keys the last one's counts, and all are in the structure."""
    data = NOTHING
    kids = {}
    for key, key_tag, tag in zip(keys, key_tags, tags, strict=False):
        data = join(data, key_tag.everything())
        kids[encode_key(key)] = tag
    return Tag(data, NOTHING, kids)


@moves("conj", "conj!")
def conj(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) < 2 or values[0].__class__ is not Vector:
        return _conj_any(s, function, values, tags, step)
    tries(s, tags)
    result = call_with(function, values)
    kids = kids_of(values[0], tags[0])
    count = len(values[0])
    before = kids if kids.__class__ is list and len(kids) == count else [tags[0].everywhere()] * count
    return result, Tag(tags[0].data, tags[0].control, [*before, *tags[1:]])


_conj_any = moved(2)


@moves("cons")
def cons(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 2 or values[1].__class__ not in SEQUENCES:
        return join_all(s, function, values, tags, step)
    result = call_with(function, values)
    kids = kids_of(values[1], tags[1])
    count = len(values[1])
    after = kids if kids.__class__ is list and len(kids) == count else [tags[1].everywhere()] * count
    return result, Tag(tags[1].data, tags[1].control, [tags[0], *after])


# ---------------------------------------------------------------------- looking up and putting
def picked(value: Any, tag: Tag, key: Any, key_tag: Tag, default: Tag | None) -> Tag | None:
    """The tag of what is at a key or index of a collection; None if only joining is safe."""
    kind = value.__class__
    by = join(tag.structure(), key_tag.everything())
    if kind is Map:
        kid = at_key(value, tag, encode_key(key))
    elif kind in SEQUENCES:
        kid = at_index(value, tag, key) if key.__class__ is int and 0 <= key < len(value) else None
    elif value is None:
        kid = None
    else:
        return None
    if kid is None:
        kid = NO_TAG if default is None else default
    return kid.decided(by)


@moves("get", "nth")
def look_up(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    tag = None
    if 2 <= len(values) <= 3:
        tag = picked(values[0], tags[0], values[1], tags[1], tags[2] if len(tags) == 3 else None)
    if tag is None:
        return join_all(s, function, values, tags, step)
    tries(s, tags)
    return call_with(function, values), tag


@moves("first")
def first(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    tag = picked(values[0], tags[0], 0, NO_TAG, None) if len(values) == 1 and values[0].__class__ in SEQUENCES else None
    if tag is None:
        return MOVES["second"](s, function, values, tags, step)
    return call_with(function, values), tag


def keyword_look_up(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    """`(:key m default?)`."""
    tag = picked(values[1], tags[1], values[0], tags[0], tags[2] if len(tags) == 3 else None)
    if tag is None:
        return join_all(s, function, values, tags, step)
    tries(s, tags)
    return call_with(function, values), tag


@moves("get-in")
def get_in(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) not in (2, 3) or values[1].__class__ not in SEQUENCES:
        return join_all(s, function, values, tags, step)
    tag: Tag | None = tags[0]
    value = values[0]
    default = tags[2] if len(tags) == 3 else None
    for index, key in enumerate(values[1].to_list()):
        assert tag is not None
        key_tag = at_index(values[1], tags[1], index)
        if value.__class__ is Map:
            inner = value.get(key)
        elif value.__class__ in SEQUENCES:
            inner = value[key] if key.__class__ is int and 0 <= key < len(value) else None
        else:
            inner = None
        tag = picked(value, tag, key, key_tag, default)
        if tag is None:
            return join_all(s, function, values, tags, step)
        value = inner
    assert tag is not None
    if default is not None:
        tag = merged(tag, default) if value is None else tag
    tries(s, tags)
    return call_with(function, values), tag.decided(tags[1].everything())


def put(value: Any, tag: Tag, key: Any, key_tag: Tag, new: Tag) -> Tag | None:
    """The tag of a collection with a new value at a key; None if only joining is safe."""
    kind = value.__class__
    if kind is Map or value is None:
        old: Any = {} if value is None else kids_of(value, tag)
        if old.__class__ is not dict:
            every = tag.everywhere()
            old = dict.fromkeys([encode_key(one) for one, _ in value.items()], every)
        return Tag(join(tag.data, key_tag.everything()), tag.control, {**old, encode_key(key): new})
    if kind is Vector and key.__class__ is int and 0 <= key <= len(value):
        kids: Any = kids_of(value, tag)
        kids = list(kids) if kids.__class__ is list and len(kids) == len(value) else [tag.everywhere()] * len(value)
        kids[key : key + 1] = [new]
        return Tag(tag.data, join(tag.control, key_tag.everything()), kids)
    return None


@moves("assoc", "assoc!")
def assoc(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) < 3 or len(values) % 2 == 0:
        return join_all(s, function, values, tags, step)
    if len(values) > 3 and values[0].__class__ is not Map:
        return join_all(s, function, values, tags, step)
    tag: Tag | None = tags[0]
    known = values[0]
    for index in range(1, len(values), 2):
        assert tag is not None
        tag = put(known, tag, values[index], tags[index], tags[index + 1])
        if tag is None:
            return join_all(s, function, values, tags, step)
    tries(s, tags)
    assert tag is not None
    return call_with(function, values), tag


@moves("assoc-in")
def assoc_in(s: FlowState, function: Any, values: list[Any], tags: list[Tag], step: Step) -> Pair:
    if len(values) != 3 or values[1].__class__ not in SEQUENCES or not len(values[1]):
        return join_all(s, function, values, tags, step)
    path = values[1].to_list()
    places = [(values[0], tags[0])]
    by = tags[1].everything()
    for key in path[:-1]:
        value, tag = places[-1]
        inner = picked(value, tag, key, NO_TAG, None)
        if inner is None or value.__class__ not in (Map, Vector, type(None)):
            return join_all(s, function, values, tags, step)
        places.append(
            (None if value is None else value.get(key) if value.__class__ is Map else _item(value, key), inner)
        )
    new: Tag | None = tags[2]
    for (value, tag), key in zip(reversed(places), reversed(path), strict=True):
        assert new is not None
        new = put(value, tag, key, Tag(by), new)
        if new is None:
            return join_all(s, function, values, tags, step)
    tries(s, tags)
    assert new is not None
    return call_with(function, values), new


def _item(value: Any, key: Any) -> Any:
    return value[key] if key.__class__ is int and 0 <= key < len(value) else None
