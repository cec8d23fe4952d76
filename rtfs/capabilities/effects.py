"""Facts about a capability besides its signature: the effects of its calls, and an example of one.

Must not know policy or who reads it. Invariant: what neither a declaration nor a server says anything about is taken to
destroy.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BUILTIN
from rtfs.syntax.printer import to_text
from rtfs.types.alias import Alias
from rtfs.types.basic import ANY
from rtfs.types.record import Record
from rtfs.types.shapes import ListOf, VectorOf
from rtfs.types.unions import And, Enum, Union
from rtfs.values import Keyword, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.registry import Entry
    from rtfs.types.record import Field
    from rtfs.types.type import Type

DEPTH = 4
"""Levels of an example value that are written out."""


def fields_of(entry: Entry) -> Fields:
    """The declaration of a capability, without building its manifest."""
    return entry.fields if entry.describe is None else entry.describe()


def example_call(entry: Entry) -> str:
    """A call of a capability with made-up values for the arguments that it needs."""
    fields = fields_of(entry)
    type = _plain(fields.input_type)
    if isinstance(type, Record):
        needed = [field for field in type.fields if not field.optional]
        given = Map([(field.key, _sample(field.type, field)) for field in needed])
        return f"(call {to_text(entry.id)} {to_text(given)})"
    if type is not None and type is not ANY:
        return f"(call {to_text(entry.id)} {to_text(_sample(type))})"
    names = (
        ()
        if entry.signature is None
        else tuple([name for name in entry.signature.needed if name != entry.signature.rest])
    )
    if names:
        return f"(call {to_text(entry.id)} {to_text(Map([(Keyword(name), '…') for name in names]))})"
    return f"(call {to_text(entry.id)} {{}})"


def argument_names(entry: Entry) -> list[str]:
    """The names of the arguments, in order."""
    type = _plain(fields_of(entry).input_type)
    if isinstance(type, Record):
        return [field.name for field in type.fields]
    return [] if entry.signature is None else list(entry.signature.names)


def _plain(type: Type | None) -> Type | None:
    """The type that names lead to."""
    for _ in range(100):
        if not isinstance(type, Alias):
            break
        type = type.target
    return type


def _sample(type: Type, field: Field | None = None, depth: int = DEPTH) -> Any:
    """A value of a type; for a field, the default or the first example in its schema."""
    about = {} if field is None else field.about
    if "default" in about:
        return about["default"]
    examples = about.get("examples")
    if isinstance(examples, Vector) and len(examples):
        return examples[0]
    type = _plain(type) or ANY
    if depth <= 0:
        return None
    if isinstance(type, Record):
        return Map([(one.key, _sample(one.type, one, depth - 1)) for one in type.fields if not one.optional])
    if isinstance(type, (VectorOf, ListOf)):
        return Vector([_sample(type.item, None, depth - 1)])
    if isinstance(type, (Union, And)):
        return _sample(type.children()[0], None, depth - 1)
    if isinstance(type, Enum):
        return next(iter(type.values))
    name = getattr(type, "name", "")
    return {"int": 1, "float": 1.5, "number": 1, "bool": True, "vector": Vector(), "map": Map()}.get(name, "…")


class Effects:
    """The effects of calls. reads: they change nothing. destroys: they may destroy something. repeats: making a call
    twice changes no more than making it once. As MCP's ToolAnnotations (`readOnlyHint`, `destructiveHint`,
    `idempotentHint`)."""

    __slots__ = ("destroys", "reads", "repeats")

    def __init__(self, reads: bool, destroys: bool, repeats: bool) -> None:
        self.reads = reads
        self.destroys = destroys
        self.repeats = repeats

    def and_then(self, other: Effects) -> Effects:
        """The effects of both."""
        return Effects(self.reads and other.reads, self.destroys or other.destroys, self.repeats and other.repeats)

    @property
    def words(self) -> str:
        """The effects for people and models."""
        if self.reads:
            return "only reads"
        parts = ["may destroy" if self.destroys else "changes something", "can be repeated" if self.repeats else ""]
        return ", ".join(part for part in parts if part)


HARMLESS = frozenset(("compute", "clock", "console", "environment", "file_read", "state_read"))
"""Declared effects that change nothing."""
NOTHING = Effects(True, False, True)
ANYTHING = Effects(False, True, False)


def effects_of(entry: Entry) -> Effects:
    """The effects of a capability's calls, as its declaration or its server states them. A capability about which
    neither says anything is assumed to destroy."""
    fields = fields_of(entry)
    said = {}
    for key, value in fields.flat_metadata.items():
        name = key.rpartition("_")[2]
        if "_annotations_" in key and value.__class__ is bool:
            said[name] = value
    repeats = fields.idempotent is True or said.get("idempotentHint") is True
    if said.get("readOnlyHint") is True:
        return NOTHING
    if said:
        return Effects(False, said.get("destructiveHint") is not False, repeats)
    if entry.origin == BUILTIN and HARMLESS.issuperset(fields.effects):
        return NOTHING
    return Effects(False, entry.origin != BUILTIN, repeats)
