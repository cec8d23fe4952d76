"""Types of the language (annotations, schemas) beside facts: what a type says of a value, and what cannot fit a type.

Knows no nodes. Invariant: `misfit` names a part only if no value that the fact describes fits the type.
"""

from __future__ import annotations

from rtfs.checker.facts import (
    ANY,
    CALLABLE,
    NUMBERS,
    UNKNOWN,
    Fact,
    describe,
    join_all,
    kind_of,
    kinds,
    of_kinds,
    of_value,
)
from rtfs.types import Alias
from rtfs.types.basic import Base, FnType, Resource
from rtfs.types.record import Record
from rtfs.types.shapes import Array, ListOf, MapOf, Tuple, VectorOf
from rtfs.types.type import find
from rtfs.types.unions import And, Union
from rtfs.values import Keyword, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types import Type

_DEEPEST = 12
"""Levels of a type that are followed."""

_MAP = kinds("map")
_BASE_KINDS = {
    "nil": kinds("nil"),
    "bool": kinds("bool"),
    "int": kinds("int"),
    "float": NUMBERS,
    "number": NUMBERS,
    "string": kinds("string"),
    "keyword": kinds("keyword"),
    "symbol": kinds("symbol"),
    "vector": kinds("vector"),
    "list": kinds("list", "lazy"),
    "map": kinds("map"),
    "set": kinds("set"),
    "fn": CALLABLE,
    "never": frozenset(),
}


class Misfit:
    """A part that cannot fit.

    path       keys and indices from the value to the part
    expected   what it should be, in words
    got        what it is instead, in words that follow the path: "got string "a"", "but the key is missing"
    hint       what to write instead, or None
    unknown    the part is a key that the type does not have
    """

    __slots__ = ("expected", "got", "hint", "path", "unknown")

    def __init__(self, expected: str, got: str, hint: str | None = None, unknown: bool = False) -> None:
        self.path: tuple[Any, ...] = ()
        self.expected = expected
        self.got = got
        self.hint = hint
        self.unknown = unknown

    def under(self, key: Any) -> Misfit:
        self.path = (key, *self.path)
        return self

    def message(self, what: str) -> str:
        """The sentence that a run would say of a value that is called `what`."""
        from rtfs.types.show import shorten_path

        place = f" at {shorten_path(list(self.path))}" if self.path else ""
        if self.unknown:
            return f"{what}: {self.expected}{place}"
        return f"{what}: expected {self.expected}{place}, {self.got}"


# ---------------------------------------------------------------------- what a type says
def fact_of(type: Type | None, depth: int = 0) -> Fact:
    """The fact about a value that fits the type."""
    if type is None or depth > _DEEPEST:
        return ANY
    if isinstance(type, Alias):
        return fact_of(type.target, depth + 1) if type.bound else ANY
    if isinstance(type, Base):
        return ANY if type.name == "any" else of_kinds(_BASE_KINDS.get(type.name))
    if isinstance(type, Union):
        return join_all([fact_of(member, depth + 1) for member in type.members])
    if isinstance(type, And):
        return fact_of(type.types[0], depth + 1)
    if isinstance(type, Record):
        fields = {}
        for field in type.fields:
            if field.key.__class__ is Keyword and not field.optional:
                fields[field.key] = fact_of(field.type, depth + 1)
        return Fact(kinds("map"), fields=fields)
    if isinstance(type, VectorOf):
        return Fact(kinds("vector"), element=fact_of(type.item, depth + 1))
    if isinstance(type, ListOf):
        return Fact(kinds("list", "lazy"), element=fact_of(type.item, depth + 1))
    if isinstance(type, Tuple):
        items = tuple([fact_of(item, depth + 1) for item in type.items])
        return Fact(kinds("vector"), items=items, element=join_all(items))
    if isinstance(type, Array):
        return Fact(kinds("vector"), element=fact_of(type.inner, depth + 1))
    if isinstance(type, MapOf):
        return of_kinds(kinds("map"))
    if isinstance(type, FnType):
        return of_kinds(CALLABLE)
    if isinstance(type, Resource):
        return of_kinds(kinds("string"))
    constants = getattr(type, "values", None)
    if constants is not None:
        return _widened(join_all([of_value(value) for value in constants]))
    if type.classes is not None:
        name = type.__class__.__name__
        return of_kinds(kinds("set")) if name == "SetOf" else ANY
    return ANY


def _widened(fact: Fact) -> Fact:
    return of_kinds(fact.kinds)


# ---------------------------------------------------------------------- what cannot fit
def misfit(type: Type | None, fact: Fact, depth: int = 0) -> Misfit | None:
    """The part of the value that certainly does not fit the type, or None."""
    if type is None or fact.kinds == frozenset() or depth > _DEEPEST:
        return None
    if isinstance(type, Alias):
        return misfit(type.target, fact, depth + 1) if type.bound else None
    if isinstance(type, Base):
        return _base(type, fact)
    if isinstance(type, Union):
        return _union(type, fact, depth)
    if isinstance(type, And):
        for part in type.types:
            found = misfit(part, fact, depth + 1)
            if found is not None:
                return found
        return _constant(type, fact) or _count(type, fact)
    if isinstance(type, Record):
        return _record(type, fact, depth)
    if isinstance(type, (VectorOf, ListOf)):
        return _kind(type, fact, kinds("vector") if isinstance(type, VectorOf) else kinds("list", "lazy")) or _elements(
            type.item, fact, depth
        )
    if isinstance(type, Array):
        return _kind(type, fact, kinds("vector")) or _elements(type.inner, fact, depth)
    if isinstance(type, Tuple):
        return _kind(type, fact, kinds("vector")) or _tuple(type, fact, depth)
    if isinstance(type, MapOf):
        found = _kind(type, fact, kinds("map"))
        if found is None and fact.fields is not None and fact.only("map"):
            for key, value in fact.fields.items():
                found = misfit(type.key, of_value(key), depth + 1) or misfit(type.value, value, depth + 1)
                if found is not None:
                    return found.under(key)
        return found
    if isinstance(type, FnType):
        return _kind(type, fact, CALLABLE)
    return _constant(type, fact)


def _expected(type: Type, fact: Fact) -> Misfit:
    return Misfit(type.describe(), f"got {_shown(fact)}")


def _shown(fact: Fact) -> str:
    """A value as the errors of types show it: its kind, and a constant itself."""
    if fact.value is UNKNOWN:
        return describe(fact)
    from rtfs.types.show import kind_name, shorten

    name, text = kind_name(fact.value), shorten(fact.value)
    return text if text == name else f"{name} {text}"


def _kind(type: Type, fact: Fact, accepted: frozenset[str]) -> Misfit | None:
    return None if fact.may_be(accepted) else _expected(type, fact)


def _base(type: Base, fact: Fact) -> Misfit | None:
    accepted = _BASE_KINDS.get(type.name)
    return None if accepted is None or fact.may_be(accepted) else _expected(type, fact)


def _constant(type: Type, fact: Fact) -> Misfit | None:
    """A constant is checked as it would be when the program runs; of other values nothing is known here."""
    if fact.value is UNKNOWN:
        if type.classes is not None and fact.kinds is not None:
            accepted = kinds(*[name for name in map(_CLASS_KINDS.get, type.classes) if name is not None])
            if len(accepted) == len(type.classes) and not fact.may_be(accepted):
                return _expected(type, fact)
        constants = getattr(type, "values", None)
        if constants is not None and fact.kinds is not None:
            possible = [kind_of(value) for value in constants]
            if None not in possible and not fact.may_be([kind for kind in possible if kind is not None]):
                return _expected(type, fact)
        return None
    found = find(type, fact.value)
    if found is None:
        return None
    wrong = Misfit(
        found.expected or found.type.describe(), f"got {_shown(of_value(found.got))}", _near(found.type, found.got)
    )
    for key in reversed(found.keys()):
        wrong = wrong.under(key)
    return wrong


_COUNTS = frozenset(("min-count", "max-count", "min-length", "max-length", "count", "length", "non-empty"))
"""Conditions that ask how many elements there are, and nothing else."""


def _count(type: And, fact: Fact) -> Misfit | None:
    """A vector of known length is counted, whatever its elements are."""
    if fact.items is None or not fact.only("vector"):
        return None
    stand_in = Vector([None] * len(fact.items))
    for predicate in type.predicates:
        if predicate.name in _COUNTS and not predicate.test(stand_in):
            return Misfit(type.describe(), f"got a vector of {len(fact.items)}")
    return None


def _near(type: Any, got: Any) -> str | None:
    """A hint about a text that is like one of those that a type lists."""
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.suggest import did_you_mean

    texts = [one for one in getattr(type, "values", None) or () if one.__class__ is str]
    near = did_you_mean(got, texts) if got.__class__ is str else None
    return None if near is None else f"did you mean {to_text(near)}?"


_CLASS_KINDS: dict[type, str | None] = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    Keyword: "keyword",
}


def _union(type: Union, fact: Fact, depth: int) -> Misfit | None:
    """A union is missed only if each member is missed by every kind of value that the fact allows."""
    misses = []
    for member in type.members:
        found = misfit(member, fact, depth + 1)
        if found is None:
            return None
        misses.append(found)
    if fact.kinds is not None and len(fact.kinds) == 1:
        close = [one for one in misses if one.path or one.unknown]
        if len(close) == 1:
            return close[0]
    return _expected(type, fact)


def _elements(item: Type, fact: Fact, depth: int) -> Misfit | None:
    if fact.kinds is None or not fact.kinds <= kinds("vector", "list", "lazy"):
        return None
    for place, part in enumerate(fact.items or ()):
        found = misfit(item, part, depth + 1)
        if found is not None:
            return found.under(place)
    return None


def _tuple(type: Tuple, fact: Fact, depth: int) -> Misfit | None:
    if fact.items is None or not fact.only("vector"):
        return None
    if len(fact.items) != len(type.items):
        return Misfit(type.describe(), f"got a vector of {len(fact.items)}")
    for place, (item, part) in enumerate(zip(type.items, fact.items, strict=True)):
        found = misfit(item, part, depth + 1)
        if found is not None:
            return found.under(place)
    return None


def _record(type: Record, fact: Fact, depth: int) -> Misfit | None:
    fields = fact.fields
    found = _kind(type, fact, _MAP)
    if found is not None or fields is None or not fact.only("map"):
        return found
    for field in type.fields:
        missing = fact.closed and not field.optional
        for key in _spellings(field.key):
            part = fields.get(key)
            if part is not None:
                missing = False
                found = misfit(field.type, part, depth + 1)
                if found is not None:
                    return found.under(key)
        if missing:
            return _missing(field, type, fact).under(field.key)
    for key, part in fields.items():
        if type.field(key) is not None:
            continue
        if type.rest is not None:
            found = misfit(type.rest, part, depth + 1)
            if found is not None:
                return found.under(key)
        elif type.refuses(key):
            return _unknown_key(key, type)
    return None


def _spellings(key: Any) -> tuple[Any, ...]:
    return (key, key.name) if key.__class__ is Keyword else (key,)


def _missing(field: Any, type: Record, fact: Fact) -> Misfit:
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.suggest import did_you_mean

    others = [key for key in fact.fields or () if type.field(key) is None]
    near = did_you_mean(to_text(field.key), [to_text(key) for key in others])
    hint = f"there is a {near}; did you mean {to_text(field.key)}?" if near is not None else None
    return Misfit(field.type.describe(), "but the key is missing", hint)


def _unknown_key(key: Any, type: Record) -> Misfit:
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.suggest import did_you_mean

    names = [to_text(field.key) for field in type.fields]
    near = did_you_mean(to_text(key), names)
    if near is not None:
        hint = f"did you mean {near}?"
    else:
        hint = f"it takes {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else "it takes no arguments"
    wrong = Misfit(f"there is no key {to_text(key)}", "", hint, unknown=True)
    return wrong.under(key)
