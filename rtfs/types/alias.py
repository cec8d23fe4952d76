"""Named types (`deftype`, `defstruct`): a name that is bound to its type once, so that types can refer to themselves.

Recursion of types goes through here and nowhere else. An alias is tangled if it reaches itself, or if the aliases below
it multiply alternatives; a tangled one is checked by `find`, with an explicit stack and a memory, so that neither the
depth of a value nor overlapping alternatives can hurt.
"""

from __future__ import annotations

from rtfs.types.type import MISSING, Misfit, Type, _set, find
from rtfs.values import Symbol
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types.basic import FnType
    from rtfs.types.type import Steps

_MANY = 50


class Alias(Type):
    """`Alias("Tree")`, then `bind(type)`, where the type may contain this alias. Equal if name and target are."""

    __slots__ = ("_tangled", "_target", "name")
    _tangled: bool
    _target: Type
    name: str

    def __init__(self, name: str) -> None:
        _set(self, "name", name)
        _set(self, "_target", MISSING)

    def bind(self, target: Type) -> Alias:
        """Give the name its type, once. A type that is itself without a vector, map, … in between is
        CompileError `type/recursive`."""
        if self._target is not MISSING:
            raise ValueError(f"the type {self.name} has its definition already")
        pending, seen = [target], set()
        while pending:
            part = pending.pop()
            if part is self:
                message = f"the type {self.name} is defined as itself, with nothing in between"
                raise CompileError("type/recursive", message, hint=f"write a shape around it: [:vector {self.name}]")
            if id(part) in seen:
                continue
            seen.add(id(part))
            if isinstance(part, Alias):
                if part._target is not MISSING:
                    pending.append(part._target)
            else:
                pending += _same_value(part)
        _set(self, "_target", target)
        return self

    @property
    def bound(self) -> bool:
        return self._target is not MISSING

    @property
    def target(self) -> Type:
        """The type that the name means. CompileError `type/unknown` before `bind`."""
        if self._target is MISSING:
            raise CompileError("type/unknown", f"the type {self.name} has no definition yet")
        return self._target

    @property
    def classes(self) -> tuple[type, ...] | None:  # type: ignore[override]
        seen: Type = self
        for _ in range(_MANY):
            if not isinstance(seen, Alias):
                return seen.classes
            if seen._target is MISSING:
                return None
            seen = seen._target
        return None

    @property
    def form(self) -> Any:
        return Symbol(self.name)

    def describe(self, plural: bool = False) -> str:
        return f"{self.name} values" if plural else self.name

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        return self.target.with_optional(keys, nullable) if keys else self

    def _key(self) -> Any:
        return (self.name, id(self._target))

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Alias) or other.name != self.name:
            return False
        return self._target is other._target and self._target is not MISSING

    def __getattr__(self, name: str) -> Any:
        if name == "_tangled":
            _set(self, "_tangled", _is_tangled(self))
            return self._tangled
        return super().__getattr__(name)

    def _called(self) -> FnType | None:
        return self.target.called

    def _compile(self) -> Callable[[Any], bool]:
        if not self._tangled:
            return self.target._fast
        return lambda value: find(self, value) is None

    def _steps(self, value: Any) -> Steps:
        found = yield self.target, value
        if (
            found is not None
            and found.path is None
            and found.type is self._target
            and not found.expected
            and not found.unknown
        ):
            return Misfit(self, value, note=found.note)
        return found


def _same_value(type: Type) -> tuple[Type, ...]:
    """The types that a value of this type is checked against itself (not its parts)."""
    from rtfs.types.unions import And, Union

    return type.children() if isinstance(type, (Union, And)) else ()


def _reach(root: Type) -> tuple[list[Type], list[Alias], bool]:
    """All types that a type consists of, the aliases among them, and whether an alias reaches itself or the root."""
    types: list[Type] = []
    aliases: list[Alias] = []
    seen: set[int] = set()
    back = False
    pending: list[Type] = [root]
    while pending:
        part = pending.pop()
        if part is root and types:
            back = True
        if id(part) in seen:
            continue
        seen.add(id(part))
        types.append(part)
        if isinstance(part, Alias):
            aliases.append(part)
            pending.append(part.target)
        else:
            pending += part.children()
    return types, aliases, back


def _is_tangled(alias: Alias) -> bool:
    types, aliases, back = _reach(alias)
    if back or len(aliases) > _MANY:
        return True
    return len(aliases) > 1 and any(sum(one.classes is None for one in _same_value(type)) > 1 for type in types)


def is_plain(type: Type) -> bool:
    """Whether the compiled test of a type neither nests without end nor multiplies: no tangled alias in reach."""
    return not any(alias._tangled for alias in _reach(type)[1])
