"""Types on their way over the pipe: their expressions, with those of the named types that they reach.

Must not know what a type is for. Invariant: a type arrives with the meaning that it had, also one that contains itself.
"""

from __future__ import annotations

from rtfs.host.durable.codec import decode, encode
from rtfs.host.isolation.wire import Nonsense
from rtfs.types import Alias, parse_type
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types import Type

MOST = 10_000
"""Named types that one type may reach."""


def aliases_of(*types: Type | None) -> list[list[str]]:
    """The named types that types reach, as [name, expression]."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    pending: list[Any] = [type for type in types if type is not None]
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Alias):
            if part.bound:
                found[part.name] = encode(part.target.form)
                pending.append(part.target)
        else:
            pending += part.children()
    return [[name, text] for name, text in found.items()]


def resolver(aliases: Any) -> Callable[[str], Type | None]:
    """Finds the named types that `aliases_of` told of. Raises Nonsense for anything else."""
    try:
        told = {str(name): str(text) for name, text in aliases}
    except (TypeError, ValueError):
        raise Nonsense("named types that make no sense") from None
    if len(told) > MOST:
        raise Nonsense("too many named types")
    made: dict[str, Alias] = {}

    def find(name: str) -> Type | None:
        if name not in told:
            return None
        alias = made.get(name)
        if alias is None:
            alias = made[name] = Alias(name)
            try:
                alias.bind(parse_type(decode(told[name]), find))
            except (ValueError, UserError) as error:
                raise Nonsense(f"a named type that cannot be read: {error}") from None
        return alias

    return find


def type_data(type: Type | None) -> list[Any] | None:
    """A type as data."""
    return None if type is None else [encode(type.form), aliases_of(type)]


def type_of(data: list[Any] | None) -> Type | None:
    """The type of data."""
    if data is None:
        return None
    text, aliases = data
    found: Type = parse_type(decode(text), resolver(aliases))
    return found
