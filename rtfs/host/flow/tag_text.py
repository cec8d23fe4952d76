"""Tags as text and back: what journals and stores keep labels in.

Must not know what is kept or where. Invariants: `decode_tag(encode_tag(t, v), v)` says of every element of v at least
what t says; what is too large to be told apart is joined; text that is not of a tag is a ValueError.
"""

from __future__ import annotations

import json

from rtfs.flow.label import MOST, NOTHING, Label, Source, join
from rtfs.flow.tag import SEQUENCES, Tag, kids_of
from rtfs.host.durable.codec import decode, encode
from rtfs.values import Map
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Resolve = Callable[[Label, Label], tuple[Label, Label]]

LARGEST = 200_000
"""Characters of a tag's text; beyond that only what the whole value has is kept."""
DEEPEST = 40
"""Levels of a value whose elements are told apart."""


class _Table:
    """The labels and sources of one text, each written once."""

    def __init__(self, objects: bool) -> None:
        self.labels: list[Any] = []
        self.sources: list[Any] = []
        self._labels: dict[int, int] = {}
        self._sources: dict[int, int] = {}
        self._kept: list[Any] = []
        self._objects = objects

    def label(self, one: Label) -> int:
        found = self._labels.get(id(one))
        if found is None:
            sources = [[self.source(source), list(map(list, way))] for source, way in one.sources.items()]
            readers = None if one.readers is None else sorted(one.readers)
            found = self._labels[id(one)] = len(self.labels)
            self.labels.append([sources, readers])
            self._kept.append(one)
        return found

    def source(self, one: Source) -> int:
        found = self._sources.get(id(one))
        if found is None:
            objects = [[depth, encode(value)] for depth, value in one.objects] if self._objects else []
            origin = None if one.origin is None else list(one.origin)
            found = self._sources[id(one)] = len(self.sources)
            self.sources.append([one.id, list(one.path), objects, origin, one.trusted, one.whole])
            self._kept.append(one)
        return found


def encode_tag(tag: Tag, value: Any, resolve: Resolve) -> str:
    """The text of the tag of a value. resolve: labels with what lazy sequences are made of."""
    for depth, objects in ((DEEPEST, True), (DEEPEST, False), (0, False)):
        table = _Table(objects)
        try:
            tree = _tree(tag, value, table, resolve, depth)
        except TypeError:  # a function in an object
            continue
        text = json.dumps([tree, table.labels, table.sources], separators=(",", ":"))
        if len(text) <= LARGEST or depth == 0:
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


def decode_tag(text: str) -> Tag:
    """The tag that a text was made of. Raises ValueError."""
    try:
        tree, labels, sources = json.loads(text)
        known = [
            Source(
                id,
                tuple(path),
                tuple((depth, decode(value)) for depth, value in objects),
                None if origin is None else tuple(origin),
                trusted is True,
                whole is True,
            )
            for id, path, objects, origin, trusted, whole in sources
        ]
        made = []
        for parts, readers in labels:
            if len(parts) > MOST:
                raise ValueError("too many sources")
            ways = {known[number]: tuple((name, file, at) for name, file, at in way) for number, way in parts}
            made.append(join(NOTHING, Label(ways, None if readers is None else frozenset(readers))))
        return _tag(tree, made)
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a tag: {error}") from None


def _tag(tree: Any, labels: list[Label]) -> Tag:
    data, control, *rest = tree
    if not rest:
        return Tag(labels[data], labels[control])
    (kids,) = rest
    if isinstance(kids, dict):
        return Tag(
            labels[data], labels[control], {encode_key(decode(key)): _tag(kid, labels) for key, kid in kids.items()}
        )
    return Tag(labels[data], labels[control], [_tag(kid, labels) for kid in kids])
