"""The base types: one object each, decided by the class of a value (`any` and `never` by nothing).

Knows nothing of type expressions but their names. An int is a float here ("an int fits a float, unchanged"); `fn` is
whatever can be called.
"""

from __future__ import annotations

from rtfs.types.type import Misfit, Type, _set, by_class, settled
from rtfs.values import LazySeq, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.types.type import Steps


class Base(Type):
    """A named type without parts."""

    __slots__ = ("classes", "name", "plural", "singular")
    classes: tuple[type, ...] | None
    name: str
    plural: str
    singular: str

    def __init__(self, name: str, classes: tuple[type, ...] | None, singular: str, plural: str) -> None:
        _set(self, "name", name)
        _set(self, "classes", classes)
        _set(self, "singular", singular)
        _set(self, "plural", plural)

    @property
    def form(self) -> Any:
        return Keyword(self.name)

    def describe(self, plural: bool = False) -> str:
        return self.plural if plural else self.singular

    def _key(self) -> Any:
        return self.name

    def _compile(self) -> Callable[[Any], bool]:
        return by_class(self.classes) if self.classes is not None else _anything

    def _steps(self, value: Any) -> Steps:
        return settled(self._member(value) if self.classes is not None else None)


def _anything(value: Any) -> bool:
    return True


FUNCTION: type = _anything.__class__
CALLABLE: tuple[type, ...] = (FUNCTION, len.__class__, Keyword, Map, Vector, Set)

ANY = Base("any", None, "anything", "anything")
NEVER = Base("never", (), "nothing at all", "nothing at all")
NIL = Base("nil", (type(None),), "nil", "nil")
BOOL = Base("bool", (bool,), "true or false", "booleans")
INT = Base("int", (int,), "an integer", "integers")
FLOAT = Base("float", (float, int), "a float", "floats")
NUMBER = Base("number", (int, float), "a number", "numbers")
STRING = Base("string", (str,), "a string", "strings")
KEYWORD = Base("keyword", (Keyword,), "a keyword", "keywords")
SYMBOL = Base("symbol", (Symbol,), "a symbol", "symbols")
VECTOR = Base("vector", (Vector,), "a vector", "vectors")
LIST = Base("list", (List, LazySeq), "a list", "lists")
MAP = Base("map", (Map,), "a map", "maps")
SET = Base("set", (Set,), "a set", "sets")
REGEX = Base("regex", (Regex,), "a regular expression", "regular expressions")
FN = Base("fn", CALLABLE, "a function", "functions")

BASE: dict[str, Base] = {
    base.name: base
    for base in (ANY, NEVER, NIL, BOOL, INT, FLOAT, NUMBER, STRING, KEYWORD, SYMBOL, VECTOR, LIST, MAP, SET, REGEX, FN)
}
BASE["integer"] = INT
BASE["boolean"] = BOOL


class FnType(Type):
    """`[:fn [T… & T] R]`: something that can be called. Arguments and result are checked when it is
    called, where the type is that of a parameter, a result or a binding (see `called`)."""

    __slots__ = ("params", "rest", "result")
    classes = CALLABLE
    params: tuple[Type, ...]
    rest: Type | None
    result: Type

    def __init__(self, params: tuple[Type, ...], rest: Type | None, result: Type) -> None:
        _set(self, "params", params)
        _set(self, "rest", rest)
        _set(self, "result", result)

    @property
    def form(self) -> Any:
        params = [param.form for param in self.params]
        if self.rest is not None:
            params += [Symbol("&"), self.rest.form]
        return Vector([Keyword("fn"), Vector(params), self.result.form])

    def describe(self, plural: bool = False) -> str:
        return "functions" if plural else "a function"

    def _key(self) -> Any:
        return (self.params, self.rest, self.result)

    def _called(self) -> FnType:
        return self

    def _compile(self) -> Callable[[Any], bool]:
        return by_class(CALLABLE)


class Resource(Type):
    """`[:resource S]`: a resource, which as a value is the text of its `resource://` literal. S says what it is for."""

    __slots__ = ("kind",)
    kind: Any

    def __init__(self, kind: Any) -> None:
        _set(self, "kind", kind)

    @property
    def form(self) -> Any:
        return Vector([Keyword("resource"), self.kind])

    def describe(self, plural: bool = False) -> str:
        return "resource:// names" if plural else "a resource:// name"

    def _key(self) -> Any:
        return self.kind

    def _compile(self) -> Callable[[Any], bool]:
        return lambda value: value.__class__ is str and value.startswith("resource://")

    def _steps(self, value: Any) -> Steps:
        return settled(None if self._fast(value) else Misfit(self, value))
