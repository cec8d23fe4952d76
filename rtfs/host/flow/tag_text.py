"""Tags as text and back: what journals and stores keep labels in.

Must not know what is kept or where. Invariants: `decode_tag(encode_tag(t, v), v)` says of every element of v at least
what t says; what is too large to be told apart is joined; text that is not of a tag is a ValueError.
"""

from __future__ import annotations

import json

from rtfs.flow.label import INPUT, MODEL, MOST, NOTHING, PLAN, UNKNOWN, Label, Source
from rtfs.flow.tag import SEQUENCES, Tag, kids_of, simple
from rtfs.host.durable.codec import decode, encode
from rtfs.values import Map
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.flow.label import Step

    Resolve = Callable[[Label, Label], tuple[Label, Label]]

LARGEST = 200_000
"""Characters of a tag's text; beyond that only what the whole value has is kept."""
DEEPEST = 40
"""Levels of a value whose elements are told apart."""
_REMEMBERED = 8_192
_PLAIN = {one.id: one for one in (PLAN, MODEL, INPUT, UNKNOWN)}
_BARE = ((), (), None, False, False)


class _Table:
    """The labels, sources and objects of one text, each written once. with_objects: whether objects are. steps: gets
    what the values went through, or None."""

    def __init__(self, with_objects: bool, steps: set[Step] | None) -> None:
        self.labels: list[Any] = []
        self.sources: list[Any] = []
        self.objects: list[str] = []
        self._labels: dict[int, int] = {}
        self._sources: dict[int, int] = {}
        self._objects: dict[int, int] = {}
        self._kept: list[Any] = []
        self._with_objects = with_objects
        self._steps = steps

    def label(self, one: Label) -> int:
        found = self._labels.get(id(one))
        if found is None:
            sources = [[self.source(source), list(map(list, way))] for source, way in one.sources.items()]
            readers = None if one.readers is None else sorted(one.readers)
            found = self._labels[id(one)] = len(self.labels)
            self.labels.append([sources, readers])
            self._kept.append(one)
            if self._steps is not None:
                for way in one.sources.values():
                    self._steps.update(way)
        return found

    def source(self, one: Source) -> int:
        found = self._sources.get(id(one))
        if found is None:
            objects = [[depth, self._object(value)] for depth, value in one.objects] if self._with_objects else []
            origin = None if one.origin is None else list(one.origin)
            found = self._sources[id(one)] = len(self.sources)
            self.sources.append([one.id, list(one.path), objects, origin, one.trusted, one.whole])
            self._kept.append(one)
        return found

    def _object(self, one: Any) -> int:
        found = self._objects.get(id(one))
        if found is None:
            text = encode(one)
            found = self._objects[id(one)] = len(self.objects)
            self.objects.append(text)
            self._kept.append(one)
        return found


def encode_tag(tag: Tag, value: Any, resolve: Resolve, largest: int = LARGEST, steps: set[Step] | None = None) -> str:
    """The text of the tag of a value. resolve: labels with what lazy sequences are made of. largest: characters of the
    text. steps: gets the steps of the ways in it."""
    for depth, objects in ((DEEPEST, True), (DEEPEST, False), (0, False)):
        table = _Table(objects, steps)
        try:
            tree = _tree(tag, value, table, resolve, depth)
        except TypeError:  # a function in an object
            continue
        text = json.dumps([tree, table.labels, table.sources, table.objects], separators=(",", ":"))
        if len(text) <= largest or depth == 0:
            return text
    raise AssertionError("the last attempt gives a text")


def _tree(tag: Tag, value: Any, table: _Table, resolve: Resolve, depth: int) -> Any:
    kids = kids_of(value, tag) if depth else None
    if kids is None:
        data, control = resolve(*tag.flat())
        return [table.label(data), table.label(control)]
    data, control = resolve(tag.data, tag.control)
    own = [table.label(data), table.label(control)]
    if value.__class__ in SEQUENCES and kids.__class__ is list and len(kids) == len(value):
        items = zip(value.to_list(), kids, strict=True)
        return [*own, [_tree(kid, item, table, resolve, depth - 1) for item, kid in items]]
    if value.__class__ is Map and kids.__class__ is dict:
        found = []
        for key, item in value.items():
            kid = kids.get(encode_key(key))
            if kid is None:
                break
            found.append([encode(key), _tree(kid, item, table, resolve, depth - 1)])
        else:
            return [*own, dict(found)]
    data, control = resolve(*tag.flat())
    return [table.label(data), table.label(control)]


def decode_tag(text: str, known: dict[Any, Source] | None = None) -> Tag:
    """The tag that a text was made of. known: the sources of earlier texts, so that one has one object; gets those of
    this one. Raises ValueError."""
    try:
        tree, labels, sources, objects = json.loads(text)
        values: dict[int, Any] = {}
        found = [_source(one, objects, values, {} if known is None else known) for one in sources]
        made = []
        for parts, readers in labels:
            if len(parts) > MOST:
                raise ValueError("too many sources")
            ways = {found[number]: tuple([_checked_step(*step) for step in way]) for number, way in parts}
            read_by = None if readers is None else frozenset(readers)
            made.append(Label(ways, read_by) if ways or read_by is not None else NOTHING)
        return _tag(tree, made)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a tag: {error}") from None


def _source(data: Any, objects: list[str], values: dict[int, Any], known: dict[Any, Source]) -> Source:
    """The source of its row in a text. values: the objects that were read so far, by number."""
    id, path, around, origin, trusted, whole = data
    if id.__class__ is not str:
        raise ValueError("a source without an id")
    texts = tuple([(depth, objects[number]) for depth, number in around])
    names = None if origin is None else tuple(map(str, origin))
    key = (id, tuple(map(str, path)), texts, names, trusted is True, whole is True)
    found = (_PLAIN.get(id) if key[1:] == _BARE else None) or known.get(key)
    if found is None:
        for _, number in around:
            if number not in values:
                values[number] = decode(objects[number])
        where = tuple([(int(depth), values[number]) for depth, number in around])
        if len(known) >= _REMEMBERED:
            known.clear()
        found = known[key] = Source(id, key[1], where, names, trusted is True, whole is True)
    return found


def _checked_step(name: Any, file: Any, at: Any) -> Step:
    if name.__class__ is not str or file.__class__ is not str or at.__class__ is not int:
        raise ValueError("this is not a step")
    return name, file, at


def _tag(tree: Any, labels: list[Label]) -> Tag:
    data, control, *rest = tree
    if not rest:
        return simple(labels[data], labels[control])
    (kids,) = rest
    if isinstance(kids, dict):
        return Tag(
            labels[data], labels[control], {encode_key(decode(key)): _tag(kid, labels) for key, kid in kids.items()}
        )
    return Tag(labels[data], labels[control], [_tag(kid, labels) for kid in kids])
