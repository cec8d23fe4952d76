"""Records: maps with named fields, `[:map [:k T] [:k T ?] [:k {:description "…"} T] [:* T]]` or `{:k T}`.

A field named by a keyword may appear in the map under the string of that name too; where both are there, both must fit
(a map that goes out as JSON must not smuggle an unchecked value past its own check). Other keys are allowed, of any
type unless `[:* T]` says which.
"""

from __future__ import annotations

from rtfs.types.type import MISSING, Misfit, Type, _set
from rtfs.types.unions import Union, long_form, nilable
from rtfs.values import Map, Symbol, Vector
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.types.type import Steps


class Field:
    """One field: `key` (Keyword or str), `type`, `optional` (the key may be absent). `about`: what is said of it for
    people and models (`description`, `title`, `default` …), by name; no part of the type."""

    __slots__ = ("about", "key", "optional", "type")

    def __init__(self, key: Any, type: Type, optional: bool = False, about: dict[str, Any] | None = None) -> None:
        self.key = key
        self.type = type
        self.optional = optional
        self.about = about or {}

    @property
    def name(self) -> str:
        """The key's name without a colon, as JSON has it."""
        return self.key if self.key.__class__ is str else self.key.name

    @property
    def form(self) -> Any:
        if self.about:
            options = [(Keyword(name), value) for name, value in self.about.items()]
            options += [(Keyword("optional"), True)] if self.optional else []
            return Vector([self.key, Map(options), long_form(self.type)])
        if not self.optional:
            return Vector([self.key, long_form(self.type)])
        form = self.type.form
        # `T?` says both: nil is allowed, and the key may be absent.
        if isinstance(self.type, Union) and form.__class__ is not Vector:
            return Vector([self.key, form])
        return Vector([self.key, form, Symbol("?")])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not Field:
            return False
        return (self.key, self.type, self.optional) == (other.key, other.type, other.optional)

    def __hash__(self) -> int:
        return hash((self.key, self.type, self.optional))


class Record(Type):
    """fields: in order. rest: the type of all other keys' values, or None if they are free."""

    __slots__ = ("_named", "fields", "rest")
    _named: dict[Any, Field]
    fields: tuple[Field, ...]
    rest: Type | None

    def __init__(self, fields: Iterable[Field], rest: Type | None = None) -> None:
        _set(self, "fields", tuple(fields))
        _set(self, "rest", rest)
        named: dict[Any, Field] = {field.name: field for field in self.fields}
        named.update((field.key, field) for field in self.fields)
        _set(self, "_named", named)

    @property
    def form(self) -> Any:
        parts = [field.form for field in self.fields]
        if self.rest is not None:
            parts.append(Vector([Keyword("*"), self.rest.form]))
        return Vector([Keyword("map"), *parts])

    def describe(self, plural: bool = False) -> str:
        from rtfs.types.show import shorten

        name = "maps" if plural else "a map"
        if self.fields:
            shown = [
                f"{shorten(field.key)} ({field.type.describe()}{', optional' if field.optional else ''})"
                for field in self.fields[:4]
            ]
            if len(self.fields) > 4:
                shown.append(f"{len(self.fields) - 4} more")
            name += " with " + ", ".join(shown)
        if self.rest is not None:
            extra = f"{self.rest.describe(True)} under any other key"
            name += f" and {extra}" if self.fields else f" with {extra}"
        return name

    def children(self) -> tuple[Type, ...]:
        own = tuple(field.type for field in self.fields)
        return own if self.rest is None else (*own, self.rest)

    def field(self, key: Any) -> Field | None:
        """The field that a map's key belongs to (a string also to a keyword field), or None."""
        return self._named.get(key) if key.__class__ is Keyword or key.__class__ is str else None

    def refuses(self, key: Any) -> bool:
        """Whether a map that fits cannot have this key."""
        return False

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        """The record with some keys made optional.

        keys: an iterable of Keywords or strings; a tuple or Vector of such is a path into nested records (also through
        vectors of records). Keys that are not fields are ignored. nullable: their values may then be nil as well.
        """
        here: set[Any] = set()
        deeper: dict[Any, list[Any]] = {}
        for key in keys:
            path = tuple(key) if key.__class__ is not str and key.__class__ is not Keyword else (key,)
            field = self.field(path[0]) if path else None
            if field is None:
                continue
            if len(path) == 1:
                here.add(field.key)
            else:
                deeper.setdefault(field.key, []).append(path[1:])
        fields = []
        for field in self.fields:
            type, optional = field.type, field.optional or field.key in here
            if field.key in deeper:
                type = type.with_optional(deeper[field.key], nullable)
            if nullable and field.key in here:
                type = nilable(type)
            fields.append(Field(field.key, type, optional, field.about))
        return Record(fields, self.rest)

    def _key(self) -> Any:
        return (self.fields, self.rest)

    def _compile(self) -> Callable[[Any], bool]:
        plan = [
            (
                field.key,
                field.key.name if field.key.__class__ is Keyword else None,
                field.optional,
                field.type.classes,
                field.type._fast,
            )
            for field in self.fields
        ]
        rest = self.rest._fast if self.rest is not None else None
        belongs = self.field

        def fits(value: Any) -> bool:
            if value.__class__ is not Map:
                return False
            get = value.raw_get
            absent = False
            found = 0
            for key, _, optional, classes, test in plan:
                part = get(key, MISSING)
                if part is not MISSING:
                    if part.__class__ not in classes if classes is not None else not test(part):
                        return False
                    found += 1
                elif not optional:
                    absent = True
            if found == len(value):
                return not absent
            for key, spelled, optional, _, test in plan:
                part = get(spelled, MISSING) if spelled is not None else MISSING
                if part is not MISSING:
                    if not test(part):
                        return False
                elif absent and not optional and key not in value:
                    return False
            if rest is not None:
                for key, part in value.items():
                    if belongs(key) is None and not rest(part):
                        return False
            return True

        return fits

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not Map:
            return Misfit(self, value)
        for field in self.fields:
            spellings = (field.key, field.key.name) if field.key.__class__ is Keyword else (field.key,)
            there = False
            for key in spellings:
                part = value.get(key, MISSING)
                if part is not MISSING:
                    there = True
                    found = yield field.type, part
                    if found is not None:
                        return found.under(key)
            if not there and not field.optional:
                return Misfit(field.type, MISSING).under(field.key)
        if self.rest is not None:
            for key, part in value.items():
                if self.field(key) is None:
                    found = yield self.rest, part
                    if found is not None:
                        return found.under(key)
        return None
