"""Tags: the labels of one value and of what it holds.

Knows nothing of programs or hosts. A container's tag has a label for its structure (which keys, how many elements, in
which order) and a tag for each element; a tag without those is the tag of every element too. Invariants: tags are never
changed but for elements that are told apart when first asked for; what a value is joined from is in its tag.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING, OF_LAZY, OF_UNKNOWN, Label, join
from rtfs.values import List, Map, Vector
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Kids = list["Tag"] | dict[Any, "Tag"]
    Pair = tuple[Any, "Tag"]

SEQUENCES = frozenset((Vector, List))


class Tag:
    """data: what contributed to the value, of a container to its structure. control: what decided about it. kids: the
    tags of the elements, a list for a vector or list, a dict by encoded key for a map; None: all have this tag. grow:
    what makes `kids` of the value when they are first wanted, and then `whole` is what all of them join to."""

    __slots__ = ("_by", "_decided", "_every", "_flat", "control", "data", "grow", "kids")

    _by: Label | None
    _every: Label | None
    _decided: Tag | None

    def __init__(
        self,
        data: Label,
        control: Label = NOTHING,
        kids: Kids | None = None,
        grow: Callable[[Any], Kids | None] | None = None,
        whole: Label | None = None,
    ) -> None:
        self.data = data
        self.control = control
        self.kids = kids
        self.grow = grow
        self._by = self._every = self._decided = None
        self._flat: tuple[Label, Label] | None = None
        if kids is None:
            self._flat = (data if whole is None else join(data, whole), control)

    def flat(self) -> tuple[Label, Label]:
        """(data, control) of the value and everything in it."""
        found = self._flat
        if found is None:
            data, control = self.data, self.control
            pending = [self.kids]
            while pending:
                kids = pending.pop()
                for kid in kids.values() if kids.__class__ is dict else kids or ():
                    known = kid._flat
                    if known is None:
                        known = (kid.data, kid.control)
                        pending.append(kid.kids)
                    data = join(data, known[0])
                    control = join(control, known[1])
            found = self._flat = (data, control)
        return found

    def everything(self) -> Label:
        """Data and control of the value and everything in it, as one."""
        found = self._every
        if found is None:
            data, control = self.flat()
            found = self._every = join(data, control)
        return found

    def decided(self, by: Label) -> Tag:
        """The tag of the same value, chosen by what has that label."""
        if by is NOTHING:
            return self
        if by is self._by:  # as the time before: loops ask so
            return self._decided or self
        made = self._chosen(by)
        self._by, self._decided = by, None if made is self else made
        return made

    def _chosen(self, by: Label) -> Tag:
        control = join(self.control, by)
        if control is self.control:
            return self
        if self.kids is None and self.grow is None and self._flat is not None and self._flat[0] is self.data:
            return simple(self.data, control)
        made: Tag = object.__new__(Tag)
        made._by = made._every = made._decided = None
        made.data, made.control, made.kids, made.grow = self.data, control, self.kids, self.grow
        flat = self._flat
        made._flat = None if flat is None else (flat[0], join(flat[1], by))
        return made

    def everywhere(self) -> Tag:
        """A tag without elements whose label joins all of this one."""
        return self if self.kids is None and self.grow is None else Tag(*self.flat())

    def structure(self) -> Label:
        """The label of the structure: the sources revealed by seeing which elements exist."""
        return join(self.data, self.control)


_SIMPLE: dict[tuple[Label, Label], Tag] = {}
_REMEMBERED = 8_192


def simple(data: Label, control: Label) -> Tag:
    """A tag without elements; the same one for the same labels, mostly."""
    found = _SIMPLE.get((data, control))
    if found is None:
        if len(_SIMPLE) >= _REMEMBERED:
            _SIMPLE.clear()
        found = _SIMPLE[data, control] = Tag(data, control)
    return found


def kids_of(value: Any, tag: Tag) -> Kids | None:
    """The tags of the elements of a vector, list or map; None if each has the container's."""
    kids = tag.kids
    if kids is None and tag.grow is not None:
        kids = tag.kids = tag.grow(value)
        tag.grow = None
    return kids


def at_index(value: Any, tag: Tag, index: int) -> Tag:
    """The tag of an element of a vector or list, as it is in there."""
    kids = kids_of(value, tag)
    return kids[index] if kids.__class__ is list and index < len(kids) else tag.everywhere()


def at_key(value: Any, tag: Tag, raw: Any) -> Tag | None:
    """The tag of the value of an encoded key in a map; None if the map has no such key."""
    if value.raw_get(raw, _ABSENT) is _ABSENT:
        return None
    kids = kids_of(value, tag)
    return kids.get(raw) or tag.everywhere() if kids.__class__ is dict else tag.everywhere()


_ABSENT = object()

NO_TAG = Tag(NOTHING)
UNKNOWN_TAG = Tag(OF_UNKNOWN)
LAZY_TAG = Tag(OF_LAZY, OF_LAZY)


def merged(a: Tag, b: Tag) -> Tag:
    """The tag of a value that is one of two, or made of both."""
    if a is b:
        return a
    data, control = a.flat()
    more, further = b.flat()
    return Tag(join(data, more), join(control, further))


def joined(tags: Any) -> Tag:
    """The tag of what all of these contributed to."""
    data = control = NOTHING
    for tag in tags:
        more, further = tag.flat()
        data, control = join(data, more), join(control, further)
    return Tag(data, control)


def elements(value: Any, tag: Tag) -> list[Pair]:
    """The elements of a collection with their tags: of a map its entries; nothing for what has none."""
    kind = value.__class__
    if kind in SEQUENCES:
        items = value.to_list()
        kids = kids_of(value, tag)
        if kids.__class__ is list and len(kids) == len(items):
            return list(zip(items, kids, strict=True))
        every = tag.everywhere()
        return [(item, every) for item in items]
    if kind is Map:
        key_tag = Tag(tag.data, tag.control)
        found: list[Pair] = []
        for key, item in value.items():
            kid = at_key(value, tag, encode_key(key)) or tag.everywhere()
            found.append((Vector.of([key, item]), Tag(tag.data, tag.control, [key_tag, kid])))
        return found
    if value is None or not hasattr(value, "__iter__"):
        return []
    every = tag.everywhere()
    return [(item, every) for item in value]
