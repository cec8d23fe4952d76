"""The labels of what a capability answers: its id, the fields down to each value, and what its `:flow` says.

Must not know rules. Invariant: what the declaration does not tell apart has the labels of all of it.
"""

from __future__ import annotations

from rtfs.flow.label import NOTHING, Label, Source, join
from rtfs.flow.tag import Tag
from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.map import encode_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.flow_declaration import FlowDeclaration
    from rtfs.flow.label import Step

    Objects = tuple[tuple[int, Any], ...]

KEPT = ("ccos.state.", "ccos.io.read")
"""What the ids of capabilities begin with that answer what was put in before."""
_SEQUENCES = (Vector, List)


class Answer:
    """One answer of a capability. given: the label of the arguments, or nothing where they are dropped. way: the step
    that the call is."""

    __slots__ = ("declared", "given", "id", "way")

    def __init__(self, id: str, declared: FlowDeclaration | None, given: Label, way: Step) -> None:
        self.id = id
        self.declared = declared
        self.given = given
        self.way = way

    def tag(self, value: Any) -> Tag:
        """The tag of the whole answer."""
        return self._tag(value, (), (), (), NOTHING, None)

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
