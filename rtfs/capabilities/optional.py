"""The keys of an input schema that a caller may leave out. Providers use them to drop nil values.

Must not know providers. Invariant: only the top level of the schema counts.
"""

from __future__ import annotations

from rtfs.values import Keyword, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def optional_names(form: Any) -> frozenset[str]:
    """The names (without colons) of the keys that a schema form makes optional: `{:k T?}`, `[:map [:k T?] [:k T
    ?]]`."""
    names = set()
    if form.__class__ is Map:
        names = {_name(key) for key, value in form.items() if _is_optional(value)}
    elif form.__class__ is Vector:
        for item in form:
            if item.__class__ is Vector and len(item) > 1 and _may_be_absent(item):
                names.add(_name(item[0]))
            elif item.__class__ is Map:
                names.update(_name(key) for key, value in item.items() if _is_optional(value))
    return frozenset(names)


def _may_be_absent(entry: Vector) -> bool:
    """Whether `[:k T]`, `[:k T ?]` or `[:k {…} T]` makes the key optional."""
    if len(entry) > 2 and entry[1].__class__ is Map and not _is_optional(entry[2]):
        return entry[1].get(Keyword("optional")) is True
    return len(entry) > 2 or _is_optional(entry[1])


def _is_optional(value: Any) -> bool:
    return (value.__class__ is Keyword or value.__class__ is Symbol) and value.name.endswith("?")


def _name(key: Any) -> str:
    return str(key.name) if key.__class__ is Keyword or key.__class__ is Symbol else str(key)
