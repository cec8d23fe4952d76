"""Types made of alternatives and conditions: `[:union …]` (and `T?`), `[:enum …]`/`[:val v]`, `[:and T pred…]`.

Unions are flat, without doubles, nil last, so that `T?`, `[:union T nil]` and `(or nil T)` are one type.
"""

# ruff: noqa: SIM110 - tests call each other in loops: `all(…)` would put a C frame between two of them

from __future__ import annotations

from rtfs.types.alias import Alias
from rtfs.types.basic import NIL, Base
from rtfs.types.type import Misfit, Type, _set, by_class, settled
from rtfs.values import List, Map, Set, Symbol, Vector
from rtfs.values.equality import equal
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.types.basic import FnType
    from rtfs.types.predicates import Predicate
    from rtfs.types.type import Steps


def union(members: Iterable[Type]) -> Type:
    """The union of types, in canonical shape; of one type that type itself, of none `never`."""
    from rtfs.types.basic import NEVER

    flat: dict[Type, None] = {}
    for member in members:
        for part in member.members if isinstance(member, Union) else (member,):
            flat[part] = None
    if NIL in flat:
        del flat[NIL]
        flat[NIL] = None
    if not flat:
        return NEVER
    return Union(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def nilable(type: Type) -> Type:
    """`T?`: the type or nil."""
    return union((type, NIL))


def long_form(type: Type) -> Any:
    """The form of a type without the spelling `T?`, which would make a record's key optional."""
    if isinstance(type, Union):
        return Vector([Keyword("union"), *(member.form for member in type.members)])
    return type.form


class Union(Type):
    """One of several types. Made by `union`."""

    __slots__ = ("classes", "members")
    classes: tuple[type, ...] | None
    members: tuple[Type, ...]

    def __init__(self, members: tuple[Type, ...]) -> None:
        _set(self, "members", members)
        classes: list[type] = []
        simple = True
        for member in members:
            # An alias may not be bound yet.
            if member.__class__ is Alias or member.classes is None:
                simple = False
                break
            classes += [one for one in member.classes if one not in classes]
        _set(self, "classes", tuple(classes) if simple else None)

    @property
    def form(self) -> Any:
        if len(self.members) == 2 and self.members[1] is NIL:
            only = self.members[0]
            if isinstance(only, Base):
                return Keyword(only.name + "?")
            if isinstance(only, Alias):
                return Symbol(only.name + "?")
        return long_form(self)

    def describe(self, plural: bool = False) -> str:
        words = [member.describe(plural) for member in self.members]
        return ", ".join(words[:-1]) + " or " + words[-1]

    def children(self) -> tuple[Type, ...]:
        return self.members

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        return union(member.with_optional(keys, nullable) for member in self.members)

    def _called(self) -> FnType | None:
        # among other alternatives, a map or keyword that can be called may be meant as what it is
        return self.members[0].called if len(self.members) == 2 and self.members[1] is NIL else None

    def _key(self) -> Any:
        return self.members

    def _compile(self) -> Callable[[Any], bool]:
        if self.classes is not None:
            return by_class(self.classes)
        simple: list[type] = []
        tests = []
        for member in self.members:
            if member.classes is not None:
                simple += member.classes
            else:
                tests.append(member._fast)
        classes = tuple(simple)
        if len(tests) == 1:
            (only,) = tests
            return lambda value: value.__class__ in classes or only(value)

        def fits(value: Any) -> bool:
            if value.__class__ in classes:
                return True
            for test in tests:
                if test(value):
                    return True
            return False

        return fits

    def _steps(self, value: Any) -> Steps:
        inner: list[Misfit] = []
        for member in self.members:
            found = yield member, value
            if found is None:
                return None
            if found.path is not None or found.unknown is not None:
                inner.append(found)
        # Only one alternative had the right shape: what is wrong inside it says more than the whole union.
        return inner[0] if len(inner) == 1 else Misfit(self, value)


class Enum(Type):
    """`[:enum v…]`, of one value `[:val v]`: a value equal (by the language's `=`) to one of these."""

    __slots__ = ("values",)
    values: Vector

    def __init__(self, values: Iterable[Any]) -> None:
        _set(self, "values", Vector(values))

    @property
    def form(self) -> Any:
        return Vector([Keyword("val" if len(self.values) == 1 else "enum"), *self.values])

    def describe(self, plural: bool = False) -> str:
        from rtfs.types.show import shorten

        shown = [shorten(value) for value in self.values.slice(0, min(8, len(self.values)))]
        if len(self.values) > len(shown):
            shown.append(f"{len(self.values) - len(shown)} more")
        return shown[0] if len(shown) == 1 else "one of " + ", ".join(shown)

    def _key(self) -> Any:
        return self.values

    def _compile(self) -> Callable[[Any], bool]:
        table: dict[type, set[Any]] = {}
        others: list[Any] = []
        for value in self.values:
            if value.__class__ in (Vector, List, Map, Set):
                others.append(value)
            else:
                table.setdefault(value.__class__, set()).add(value)
        find = table.get

        def fits(value: Any) -> bool:
            same = find(value.__class__)
            if same is not None:
                return value in same
            for other in others:
                if equal(value, other):
                    return True
            return False

        return fits

    def _steps(self, value: Any) -> Steps:
        return settled(None if self._fast(value) else Misfit(self, value))


class And(Type):
    """`[:and T pred…]`: all of these types, then all of these predicates. At least one type."""

    __slots__ = ("predicates", "types")
    predicates: tuple[Predicate, ...]
    types: tuple[Type, ...]

    def __init__(self, types: tuple[Type, ...], predicates: tuple[Predicate, ...] = ()) -> None:
        _set(self, "types", types)
        _set(self, "predicates", predicates)

    @property
    def form(self) -> Any:
        parts = [type.form for type in self.types] + [predicate.form for predicate in self.predicates]
        return Vector([Keyword("and"), *parts])

    def describe(self, plural: bool = False) -> str:
        text = " and also ".join(type.describe(plural) for type in self.types)
        return text + "".join(
            (" " if place == 0 else " and ") + predicate.words for place, predicate in enumerate(self.predicates)
        )

    def children(self) -> tuple[Type, ...]:
        return self.types

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        return And(tuple(type.with_optional(keys, nullable) for type in self.types), self.predicates)

    def _called(self) -> FnType | None:
        return next((type.called for type in self.types if type.called is not None), None)

    def _key(self) -> Any:
        return (self.types, self.predicates)

    def _compile(self) -> Callable[[Any], bool]:
        tests = [type._fast for type in self.types] + [predicate.test for predicate in self.predicates]
        if len(tests) == 2:
            first, second = tests
            return lambda value: first(value) and second(value)

        def fits(value: Any) -> bool:
            for test in tests:
                if not test(value):
                    return False
            return True

        return fits

    def _steps(self, value: Any) -> Steps:
        for type in self.types:
            found = yield type, value
            if found is not None:
                return found
        for predicate in self.predicates:
            if not predicate.test(value):
                return Misfit(self, value, expected=f"{self.types[0].describe()} {predicate.words}")
        return None
