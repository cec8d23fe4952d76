"""The labels of what a capability answers: its id, the fields down to each value, and what its `:flow` says.

Must not know rules. Invariant: what the declaration does not tell apart has the labels of all of it.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING, Label, Source, join
from rtfs.flow.tag import Tag
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.map import decode_key, encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.flow_declaration import FlowDeclaration
    from rtfs.flow.label import Step

    Objects = tuple[tuple[int, Any], ...]

KEPT = ("ccos.state.", "ccos.io.read")
"""Prefixes of capabilities that return what was stored before."""
_SEQUENCES = (Vector, List)
_CONTAINERS = frozenset((Map, Vector, List))


class Answer:
    """One answer of a capability. given: the label of the arguments, or nothing if they are dropped. way: the call as a
    step of a path. told_apart: whether rules look at the objects around its values, so that the rows of a table are
    told apart; otherwise values at the same path in all rows share a tag."""

    __slots__ = ("_leaves", "_rows", "declared", "given", "id", "told_apart", "way")

    def __init__(
        self, id: str, declared: FlowDeclaration | None, given: Label, way: Step, told_apart: bool = True
    ) -> None:
        self.id = id
        self.declared = declared
        self.given = given
        self.way = way
        self.told_apart = told_apart or (declared is not None and bool(declared.result))
        self._leaves: dict[tuple[str, ...], Tag] = {}
        self._rows: dict[Any, Tag] = {}

    def tag(self, value: Any) -> Tag:
        """The tag of the whole answer."""
        if self.told_apart:
            return self._tag(value, (), (), (), NOTHING, None)
        return self._alike(value, ())

    def _leaf(self, path: tuple[str, ...]) -> Tag:
        """The tag of anything at a path."""
        found = self._leaves.get(path)
        if found is None:
            readers, declared = NOTHING, self.declared
            if declared is not None:
                readers, _ = declared.here((), None, (), readers, None)
            source = Source(self.id, path, (), None, declared is not None and declared.trusted)
            found = Tag(join(Label({source: (self.way,)}, readers.readers), self.given))
            self._leaves[path] = found
        return found

    def _alike(self, value: Any, path: tuple[str, ...]) -> Tag:
        kind = value.__class__
        leaf = self._leaf(path)
        if kind is Map:
            raw = value.raw()
            if not any(item.__class__ in _CONTAINERS for item in raw.values()):
                row = self._rows.get((path, *raw))
                if row is None:
                    row = self._rows[path, *raw] = Tag(leaf.data)
                    row.kids = {key: self._leaf((*path, _name(decode_key(key)))) for key in raw}
                return row
        elif kind not in _SEQUENCES:
            return leaf

        def grow(container: Any) -> Any:
            if container.__class__ is Map:
                return {
                    key: self._alike(item, (*path, _name(decode_key(key)))) for key, item in container.raw().items()
                }
            return [self._alike(item, path) for item in container.to_list()]

        return Tag(leaf.data, NOTHING, None, grow, leaf.data)

    def _tag(
        self, value: Any, place: tuple[str, ...], path: tuple[str, ...], objects: Objects, readers: Label, origin: Any
    ) -> Tag:
        """place: keys down to the value as `:result` names them, `*` for any element. path: the same without those."""
        kind = value.__class__
        if kind is Map:
            objects = (*objects, (len(path), value))
        declared = self.declared
        trusted = declared is not None and declared.trusted
        if declared is not None:
            readers, origin = declared.here(place, value, objects, readers, origin)
        source = Source(self.id, path, objects, origin, trusted)
        label = join(Label({source: (self.way,)}, readers.readers), self.given)
        if kind is not Map and kind not in _SEQUENCES:
            return Tag(label)

        def grow(container: Any) -> Any:
            if container.__class__ is Map:
                return {
                    encode_key(key): self._tag(item, (*place, name), (*path, name), objects, readers, origin)
                    for key, item in container.items()
                    for name in (_name(key),)
                }
            return [self._tag(item, (*place, "*"), path, objects, readers, origin) for item in container.to_list()]

        if declared is not None and declared.result:
            kids = grow(value)
            return Tag(label, NOTHING, kids)
        return Tag(label, NOTHING, None, grow, label)


def _name(key: Any) -> str:
    return key.name if key.__class__ in (Keyword, Symbol) else str(key)
