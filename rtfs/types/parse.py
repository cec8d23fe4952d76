"""From type expressions to types. Knows every spelling; knows aliases only through the `resolve` it is given.

Names: base types in lower case always mean themselves, then `resolve` is asked, then the capitalised spellings of the
base types count (so a program's own `Map` or `Number` wins over ours). `T?` is first looked up as a name.
"""

from __future__ import annotations

from rtfs.types.basic import BASE, FN, NIL, FnType, Resource
from rtfs.types.malformed import Malformed
from rtfs.types.predicates import Predicate, is_predicate_name, make_predicate, predicate_names
from rtfs.types.record import Field, Record
from rtfs.types.shapes import Array, ListOf, MapOf, SetOf, Tuple, VectorOf
from rtfs.types.unions import And, Enum, nilable, union
from rtfs.values import List, Map, Symbol, Vector
from rtfs.values.error import CompileError
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.types.type import Type

    Resolve = Callable[[str], "Type | None"]
    _Entry = tuple[Any, Any, bool, int | None, dict[str, Any]]

MAX_DEPTH = 100
_NAMES = (Symbol, Keyword)


def parse_type(form: Any, resolve: Resolve | None = None, names: Iterable[str] = ()) -> Type:
    """The type that a type expression denotes.

    form: a value of the language (keyword, symbol, vector, map, `(or …)` list, nil). resolve: gives the type of a name
    made by deftype or defstruct, or None. names: such names, for "did you mean". Raises CompileError `type/unknown` for
    an unknown name and `type/malformed` for an expression of the wrong shape, with the span of the faulty part where
    the reader noted one. Source: RTFS 2.0, types.
    """
    parser = _Parser(resolve)
    try:
        return parser.type(form, 0)
    except Malformed as fault:
        raise parser.error(fault, names) from None
    except RecursionError:
        raise CompileError("type/malformed", "there is no stack left to read a type") from None


def names_type(form: Any, resolve: Resolve | None = None) -> bool:
    """Whether a form reads as a type, all of it, with every name known."""
    if form.__class__ not in (Symbol, Keyword, Vector, Map, List):
        return False
    try:
        _Parser(resolve).type(form, 0)
    except Malformed:
        return False
    return True


def is_base_name(name: str) -> bool:
    """Whether a name is a base type's in lower case, which nothing can redefine (`int`, `string`, `any` …)."""
    return name in BASE


class _Parser:
    __slots__ = ("parent", "place", "resolve")

    def __init__(self, resolve: Resolve | None) -> None:
        self.resolve = resolve
        self.parent: Any = None
        self.place = 0

    def type(self, form: Any, depth: int) -> Type:
        if depth > MAX_DEPTH:
            raise Malformed("type/malformed", f"a type nested more than {MAX_DEPTH} deep", form)
        if form.__class__ in _NAMES:
            return self.name(form)
        if form is None:
            return NIL
        if form.__class__ is Vector:
            return self.vector(form, depth + 1)
        if form.__class__ is Map:
            return self.record(form, [form], depth + 1)
        if form.__class__ is List and len(form) and form[0] == Symbol("or"):
            return union(self.all(form, 1, depth + 1))
        if form.__class__ is str:
            raise Malformed("type/malformed", "a string is not a type; [:val …] is the type of one value", form)
        raise Malformed("type/malformed", "this is not a type", form)

    def child(self, form: Any, place: int, depth: int) -> Type:
        self.parent, self.place = form, place
        return self.type(form[place], depth)

    def all(self, form: Any, start: int, depth: int) -> list[Type]:
        return [self.child(form, place, depth) for place in range(start, len(form))]

    def name(self, form: Any) -> Type:
        name = form.name
        found = self.lookup(name)
        if found is None and len(name) > 1 and name.endswith("?"):
            found = self.lookup(name[:-1])
            if found is not None:
                return nilable(found)
        if found is None:
            raise Malformed("type/unknown", f"no type is called {name}", form, name, _base_names(form))
        return found

    def lookup(self, name: str) -> Type | None:
        base = BASE.get(name)
        if base is not None:
            return base
        found = self.resolve(name) if self.resolve is not None else None
        if found is None and name[:1].isupper():
            found = BASE.get(name[:1].lower() + name[1:])
        return found

    def vector(self, form: Vector, depth: int) -> Type:
        if not len(form) or form[0].__class__ not in _NAMES:
            raise Malformed("type/malformed", "a type in brackets begins with a keyword: [:vector T], [:map …]", form)
        head = form[0].name
        build = _CONSTRUCTORS.get(head)
        if build is None:
            if is_predicate_name(head):
                raise Malformed("type/malformed", f"a condition is written inside [:and T [:{head} …]]", form)
            if self.lookup(head) is not None:
                raise Malformed("type/malformed", f"{head} takes no arguments: write it without brackets", form)
            raise Malformed("type/unknown", f"no type is called [:{head} …]", form, head, tuple(_CONSTRUCTORS))
        return build(self, form, depth)

    def exactly(self, form: Vector, count: int, shape: str) -> None:
        if len(form) != count + 1:
            raise Malformed("type/malformed", f"expected {shape}", form)

    def vector_of(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 1, "[:vector T]")
        return VectorOf(self.child(form, 1, depth))

    def list_of(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 1, "[:list T]")
        return ListOf(self.child(form, 1, depth))

    def set_of(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 1, "[:set T]")
        return SetOf(self.child(form, 1, depth))

    def tuple_of(self, form: Vector, depth: int) -> Type:
        return Tuple(tuple(self.all(form, 1, depth)))

    def union(self, form: Vector, depth: int) -> Type:
        if len(form) == 1:
            raise Malformed("type/malformed", "[:union …] takes at least one type", form)
        return union(self.all(form, 1, depth))

    def map_of(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 2, f"[:{form[0].name} K V]")
        return MapOf(self.child(form, 1, depth), self.child(form, 2, depth))

    def enum(self, form: Vector, depth: int) -> Type:
        if len(form) == 1:
            raise Malformed("type/malformed", "[:enum …] takes at least one value", form)
        return Enum(form.slice(1, len(form)))

    def val(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 1, "[:val value]")
        return Enum([form[1]])

    def resource(self, form: Vector, depth: int) -> Type:
        self.exactly(form, 1, "[:resource name]")
        if form[1].__class__ not in (*_NAMES, str):
            raise Malformed("type/malformed", "expected [:resource name]", form)
        return Resource(form[1])

    def array(self, form: Vector, depth: int) -> Type:
        if len(form) not in (2, 3):
            raise Malformed("type/malformed", "expected [:array T [dimensions]]", form)
        item = self.child(form, 1, depth)
        dims: list[int | None] = []
        for dim in form[2] if len(form) == 3 and form[2].__class__ is Vector else (() if len(form) == 3 else (None,)):
            if dim is None or (dim.__class__ in _NAMES and dim.name == "?"):
                dims.append(None)
            elif dim.__class__ is int and dim >= 0:
                dims.append(dim)
            else:
                raise Malformed("type/malformed", "a dimension is a count or ?", form)
        if not 0 < len(dims) <= MAX_DEPTH:
            raise Malformed("type/malformed", "expected [:array T [dimensions]], such as [3] or [2 ?]", form)
        return Array(item, tuple(dims))

    def function(self, form: Vector, depth: int) -> Type:
        if len(form) == 1:
            return FN
        if len(form) > 3 or form[1].__class__ is not Vector:
            raise Malformed("type/malformed", "expected [:fn [parameter types] result type]", form)
        params, rest, taken = [], None, form[1]
        place = 0
        while place < len(taken):
            if taken[place].__class__ is Symbol and taken[place].name == "&":
                if place != len(taken) - 2:
                    raise Malformed("type/malformed", "one type follows &, the last", form)
                rest = self.child(taken, place + 1, depth)
                break
            params.append(self.child(taken, place, depth))
            place += 1
        return FnType(tuple(params), rest, self.child(form, 2, depth) if len(form) == 3 else BASE["any"])

    def conjunction(self, form: Vector, depth: int) -> Type:
        types: list[Type] = []
        predicates: list[Predicate] = []
        for place in range(1, len(form)):
            part = form[place]
            if part.__class__ is Keyword and is_predicate_name(part.name) and self.lookup(part.name) is None:
                part = Vector([part])  # a predicate without arguments needs no brackets
            head = part[0] if part.__class__ is Vector and len(part) else None
            if head.__class__ in _NAMES and is_predicate_name(head.name) and head.name not in _CONSTRUCTORS:
                self.parent, self.place = form, place
                predicates.append(make_predicate(part))
            elif head.__class__ is Keyword and head.name not in _CONSTRUCTORS and self.lookup(head.name) is None:
                known = predicate_names()
                raise Malformed("type/unknown", f"no condition is called [:{head.name} …]", part, head.name, known)
            else:
                types.append(self.child(form, place, depth))
        if not types:
            raise Malformed("type/malformed", "expected [:and T condition…]", form)
        return And(tuple(types), tuple(predicates))

    def map(self, form: Vector, depth: int) -> Type:
        return self.record(form, form.slice(1, len(form)), depth)

    def record(self, form: Any, parts: Iterable[Any], depth: int) -> Type:
        fields: dict[Any, Field] = {}
        rest: Type | None = None
        for part in parts:
            if part.__class__ is Map:
                entries: list[_Entry] = [(k, v, False, None, {}) for k, v in part.items()]
            else:
                entries = [self.entry(part)]
            for key, value, optional, place, about in entries:
                self.parent, self.place = part, place if place is not None else _value_place(part, key)
                made = self.type(value, depth)
                if key is _REST:
                    rest = made
                    continue
                if key.__class__ is not Keyword and key.__class__ is not str:
                    raise Malformed("type/malformed", "a field is named by a keyword or a string", part)
                if key in fields:
                    raise Malformed("type/malformed", "a field is named twice", part)
                fields[key] = Field(key, made, optional or self.says_optional(value), about)
        return Record(fields.values(), rest)

    def entry(self, part: Any) -> _Entry:
        """key, type, optional, place of the type, what is said of the field: `[:k T]`, `[:k T ?]`, `[:k {…} T]`."""
        if part.__class__ is Vector and len(part) == 2:
            return part[0], part[1], False, 1, {}
        if part.__class__ is Vector and len(part) == 3:
            key, second, third = part
            if third.__class__ in _NAMES and third.name == "?":
                return key, second, True, 1, {}
            if second.__class__ is Map and all(one.__class__ is Keyword for one in second.keys()):  # noqa: SIM118
                about = {one.name: value for one, value in second.items()}
                optional = about.pop("optional", False)
                if optional.__class__ is bool:
                    return key, third, optional, 2, about
        raise Malformed("type/malformed", "a field is [:key T] or [:key T ?]", part)

    def says_optional(self, form: Any) -> bool:
        if form.__class__ not in _NAMES or not form.name.endswith("?"):
            return False
        return self.lookup(form.name) is None

    def error(self, fault: Malformed, names: Iterable[str]) -> CompileError:
        """The fault as a person sees it: with its place, and the name that was probably meant."""
        from rtfs.syntax.spans import child_span, span_of
        from rtfs.syntax.suggest import did_you_mean

        span = span_of(fault.form)
        if span is None and self.parent is not None:
            span = child_span(self.parent, self.place) or span_of(self.parent)
        hint = None
        if fault.name:
            meant = did_you_mean(fault.name.rstrip("?"), [*fault.known, *names])
            if meant is not None:
                hint = f"did you mean {_spelled(meant, fault.form)}?"
        return CompileError(fault.code, fault.message, span=span, hint=hint)


_REST = Keyword("*")


def _value_place(part: Any, key: Any) -> int:
    """The place of a key's value among a map's children, as the reader counts them (if no key is repeated)."""
    for place, other in enumerate(part):
        if other is key:
            return 2 * place + 1
    return 0


def _spelled(name: str, form: Any) -> str:
    """A name as the form at fault would write it."""
    if form.__class__ is Vector:
        return f"[:{name} …]"
    return f":{name}" if form.__class__ is Keyword else name


def _base_names(form: Any) -> list[str]:
    """The names to suggest, written as the form writes them."""
    names = list(BASE)
    if form.name[:1].isupper():
        names = [name.capitalize() for name in names]
    return names


_CONSTRUCTORS: dict[str, Callable[[_Parser, Vector, int], Type]] = {
    "vector": _Parser.vector_of,
    "list": _Parser.list_of,
    "set": _Parser.set_of,
    "tuple": _Parser.tuple_of,
    "array": _Parser.array,
    "map": _Parser.map,
    "record": _Parser.map,
    "map-of": _Parser.map_of,
    "dict": _Parser.map_of,
    "fn": _Parser.function,
    "union": _Parser.union,
    "or": _Parser.union,
    "enum": _Parser.enum,
    "val": _Parser.val,
    "and": _Parser.conjunction,
    "resource": _Parser.resource,
}
