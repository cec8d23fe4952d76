"""Types of vectors, lists, sets, tuples, arrays, and maps whose keys and values each have one type.

A list is not a vector here, nor a vector a list. Invariant of the validators: they loop over the parts in Python, so
that C code never calls back.
"""

# ruff: noqa: SIM110 - tests call each other in loops: `all(…)` would put a C frame between two of them

from __future__ import annotations

from rtfs.types.basic import ANY
from rtfs.types.type import Misfit, Type, _set
from rtfs.values import List, Map, Set, Symbol, Vector
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.types.type import Steps


def all_test(item: Type) -> Callable[[Iterable[Any]], bool]:
    """A test that all elements of an iterable fit a type."""
    if item is ANY:
        return lambda items: True
    classes = item.classes
    if classes is not None and len(classes) == 1:
        (only,) = classes

        def all_of_class(items: Iterable[Any]) -> bool:
            for one in items:
                if one.__class__ is not only:
                    return False
            return True

        return all_of_class
    if classes is not None:
        some = classes

        def all_of_classes(items: Iterable[Any]) -> bool:
            for one in items:
                if one.__class__ not in some:
                    return False
            return True

        return all_of_classes
    fast = item._fast

    def all_fit(items: Iterable[Any]) -> bool:
        for one in items:
            if not fast(one):
                return False
        return True

    return all_fit


def _length(value: Any) -> str:
    count = len(value)
    return f"{count} element" if count == 1 else f"{count} elements"


class _Sequence(Type):
    __slots__ = ("item",)
    kind: type[Vector] | type[List] | type[Set]
    head: str
    item: Type

    def __init__(self, item: Type) -> None:
        _set(self, "item", item)

    @property
    def form(self) -> Any:
        return Vector([Keyword(self.head), self.item.form])

    def describe(self, plural: bool = False) -> str:
        name = f"{self.head}s" if plural else f"a {self.head}"
        return f"{name} of {self.item.describe(True)}"

    def children(self) -> tuple[Type, ...]:
        return (self.item,)

    def with_optional(self, keys: Any, nullable: bool = False) -> Type:
        return self.__class__(self.item.with_optional(keys, nullable))

    def _key(self) -> Any:
        return self.item

    def _compile(self) -> Callable[[Any], bool]:
        kind, fits = self.kind, all_test(self.item)
        return lambda value: value.__class__ is kind and fits(value)

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not self.kind:
            return Misfit(self, value)
        item = self.item
        for place, part in enumerate(value):
            found = yield item, part
            if found is not None:
                return found.under(place)
        return None


class VectorOf(_Sequence):
    """`[:vector T]`."""

    __slots__ = ()
    kind = Vector
    head = "vector"


class ListOf(_Sequence):
    """`[:list T]`."""

    __slots__ = ()
    kind = List
    head = "list"


class SetOf(_Sequence):
    """`[:set T]`. The path to an element that does not fit ends at the set: its elements have no keys."""

    __slots__ = ()
    kind = Set
    head = "set"

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not Set:
            return Misfit(self, value)
        for part in value:
            found = yield self.item, part
            if found is not None:
                return Misfit(self.item, part, expected=f"{self.item.describe()} as element")
        return None


class Tuple(Type):
    """`[:tuple T…]`: a vector of exactly these types, in this order."""

    __slots__ = ("items",)
    items: tuple[Type, ...]

    def __init__(self, items: tuple[Type, ...]) -> None:
        _set(self, "items", items)

    @property
    def form(self) -> Any:
        return Vector([Keyword("tuple"), *(item.form for item in self.items)])

    def describe(self, plural: bool = False) -> str:
        if not self.items:
            return "empty vectors" if plural else "an empty vector"
        inner = ", ".join(item.describe() for item in self.items)
        count = len(self.items)
        return f"{'vectors' if plural else 'a vector'} of {count} ({inner})"

    def children(self) -> tuple[Type, ...]:
        return self.items

    def _key(self) -> Any:
        return self.items

    def _compile(self) -> Callable[[Any], bool]:
        tests = [item._fast for item in self.items]
        count = len(tests)

        def fits(value: Any) -> bool:
            if value.__class__ is not Vector or len(value) != count:
                return False
            for test, part in zip(tests, value, strict=False):
                if not test(part):
                    return False
            return True

        return fits

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not Vector:
            return Misfit(self, value)
        if len(value) != len(self.items):
            return Misfit(self, value, note=_length(value))
        for place, (item, part) in enumerate(zip(self.items, value, strict=False)):
            found = yield item, part
            if found is not None:
                return found.under(place)
        return None


class Array(Type):
    """`[:array T [dims]]`: nested vectors; a dimension is a count, or None (`?`) for any."""

    __slots__ = ("dims", "inner", "item")
    dims: tuple[int | None, ...]
    inner: Type
    item: Type

    def __init__(self, item: Type, dims: tuple[int | None, ...]) -> None:
        _set(self, "item", item)
        _set(self, "dims", dims)
        _set(self, "inner", item if len(dims) == 1 else Array(item, dims[1:]))

    @property
    def form(self) -> Any:
        dims = [Symbol("?") if dim is None else dim for dim in self.dims]
        return Vector([Keyword("array"), self.item.form, Vector(dims)])

    def describe(self, plural: bool = False) -> str:
        sizes = "×".join("?" if dim is None else str(dim) for dim in self.dims)
        size = "" if self.dims == (None,) else f" {sizes}"
        return f"{'arrays' if plural else 'an array'}{size} of {self.item.describe(True)}"

    def children(self) -> tuple[Type, ...]:
        return (self.inner,)

    def _key(self) -> Any:
        return (self.item, self.dims)

    def _compile(self) -> Callable[[Any], bool]:
        count, fits = self.dims[0], all_test(self.inner)
        if count is None:
            return lambda value: value.__class__ is Vector and fits(value)
        return lambda value: value.__class__ is Vector and len(value) == count and fits(value)

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not Vector:
            return Misfit(self, value)
        if self.dims[0] is not None and len(value) != self.dims[0]:
            return Misfit(self, value, note=_length(value))
        for place, part in enumerate(value):
            found = yield self.inner, part
            if found is not None:
                return found.under(place)
        return None


class MapOf(Type):
    """`[:map-of K V]`: a map all of whose keys and values fit."""

    __slots__ = ("key", "value")
    key: Type
    value: Type

    def __init__(self, key: Type, value: Type) -> None:
        _set(self, "key", key)
        _set(self, "value", value)

    @property
    def form(self) -> Any:
        return Vector([Keyword("map-of"), self.key.form, self.value.form])

    def describe(self, plural: bool = False) -> str:
        return f"{'maps' if plural else 'a map'} from {self.key.describe(True)} to {self.value.describe(True)}"

    def children(self) -> tuple[Type, ...]:
        return (self.key, self.value)

    def _key(self) -> Any:
        return (self.key, self.value)

    def _compile(self) -> Callable[[Any], bool]:
        keys, values = all_test(self.key), all_test(self.value)
        return lambda value: value.__class__ is Map and keys(value.keys()) and values(value.values())

    def _steps(self, value: Any) -> Steps:
        if value.__class__ is not Map:
            return Misfit(self, value)
        for key, part in value.items():
            found = yield self.key, key
            if found is not None:
                return Misfit(self.key, key, expected=f"{self.key.describe()} as key")
            found = yield self.value, part
            if found is not None:
                return found.under(key)
        return None
