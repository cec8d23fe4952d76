"""Short vectors: a tuple of the elements instead of a header over a list.

Most vectors of a program are pairs, points and rows: as tuples they are made, taken apart and gone through in half the
time. A short vector answers as `Vector` does and says that it is one (`__class__`, so that `isinstance` agrees); only
`type` tells them apart, which is for code that takes the short way.

Knows nothing of text. Invariants: equality and hash are the language's, as those of every other sequence with equal
elements, and never recurse.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]

from rtfs.values.sequence import Vector, element_of_call
from rtfs.values.versions import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.values.info import FormInfo, ResultInfo

SHORT = 16
"""Elements that a short vector has at most."""

item: Any = tuple.__getitem__
"""The element of a short vector at an index: faster than `vector[index]`, which looks for slices."""
_tuple_hash: Any = tuple.__hash__
_unordered: Any = vars(object)["__lt__"]


class ShortVector(tuple):  # type: ignore[type-arg]
    """`[1 2]`. `ShortVector(iterable)`; not for more than `SHORT` elements."""

    __slots__ = ()
    __class__ = Vector  # type: ignore[assignment]

    info = None

    # and so on: see `element_slot`
    _0: Any
    _1: Any

    def __eq__(self, other: object) -> bool:
        if type(other) is ShortVector:
            size = len(self)
            if size != len(other):
                return False
            if size == 2:
                a, b = self
                x, y = other
                one, another = a.__class__, b.__class__
                if (one is x.__class__ and another is y.__class__) and (
                    (one is int and another is int) or (one in SIMPLE and another in SIMPLE)
                ):
                    return a == x and b == y  # type: ignore[no-any-return]
            for one, another in zip(self, other):  # noqa: B905 - as many, and `strict` costs as much as the rest
                kind = one.__class__
                if kind is another.__class__ and (kind is int or kind is str or kind is Keyword):
                    if one != another:
                        return False
                else:
                    return equality.equal_collections(self, other)
            return True
        return equality.equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    def __hash__(self) -> int:
        for one in self:
            if one.__class__ not in SIMPLE:
                return equality.hash_of(self)
        return _tuple_hash(self)  # type: ignore[no-any-return]

    __lt__ = __le__ = __gt__ = __ge__ = _unordered

    def __getitem__(self, index: Any) -> Any:
        found = item(self, index)
        return ShortVector(found) if index.__class__ is slice else found

    def __contains__(self, value: object) -> bool:
        return self.count(value) > 0

    def __reversed__(self) -> Iterator[Any]:
        return iter(self.to_list()[::-1])

    def index(self, value: Any) -> int:  # type: ignore[override]
        """The index of the first element equal to `value`. Raises ValueError."""
        for i, item in enumerate(self):
            if equality.equal(value, item):
                return i
        raise ValueError(f"{value!r} is not there")

    def count(self, value: Any) -> int:
        """The number of elements that are equal to `value`."""
        return sum(equality.equal(value, item) for item in self)

    def to_list(self) -> list[Any]:
        """A fresh Python list of the elements."""
        return [*self]

    def raw(self) -> list[Any]:
        """The same, as other sequences have it: only to be read."""
        return [*self]

    def conj(self, value: Any) -> Any:
        """With `value` behind the last element."""
        return ShortVector((*self, value)) if len(self) < SHORT else Vector.adopt([*self, value])

    def cons(self, value: Any) -> Any:
        """With `value` before the first element."""
        return ShortVector((value, *self)) if len(self) < SHORT else Vector.adopt([value, *self])

    def assoc(self, index: int, value: Any) -> Any:
        """With `value` at `index` (0 to len; len appends). Raises IndexError."""
        if index == len(self):
            return self.conj(value)
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside {len(self)} elements")
        items = [*self]
        items[index] = value
        return ShortVector(items)

    def slice(self, start: int, stop: int) -> Any:
        """The elements from `start` to before `stop` (0 <= start <= stop <= len). Raises IndexError."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"{start} to {stop} is outside {len(self)} elements")
        return ShortVector(item(self, slice(start, stop)))

    def with_info(self, info: FormInfo | ResultInfo | None) -> Any:
        """The same elements with the note `info`."""
        return Vector.adopt([*self]).with_info(info)

    def __call__(self, index: Any = ABSENT, /, *more: Any) -> Any:
        """`(v index)`: the element at an index, as a program asks for it."""
        if index.__class__ is int and not more and 0 <= index < len(self):
            return item(self, index)
        return element_of_call(self, index, more)

    def __reduce__(self) -> tuple[Any, ...]:
        return Vector, ([*self],)

    def __repr__(self) -> str:
        return f"Vector({[*self]!r})"


class LookupKey(ShortVector):
    """A short vector of integers, strings and keywords that is only looked for in the dict of a map or set: C hashes it
    and compares it with the keys, a third of the time.

    Python asks the class that is derived from the other, so it is this one that compares. That 1, 1.0 and true are
    equal in C does not matter: a vector with a float or boolean has another hash.
    """

    __slots__ = ()
    __hash__: Any = tuple.__hash__
    __eq__: Any = tuple.__eq__
    __ne__: Any = tuple.__ne__
    __lt__: Any = tuple.__lt__
    __le__: Any = tuple.__le__
    __gt__: Any = tuple.__gt__
    __ge__: Any = tuple.__ge__


def element_slot(index: int) -> str:
    """The attribute that is the element at an index below `SHORT`, of vectors that have it: as fast as a slot."""
    return f"_{index}"


for _index in range(SHORT):
    setattr(ShortVector, element_slot(_index), _tuplegetter(_index, ""))

# Last, because equality and keywords need vectors; equality is being imported, and has no functions yet.
from rtfs.values import equality  # noqa: E402
from rtfs.values.keyword import Keyword  # noqa: E402

SIMPLE: frozenset[Any] = frozenset((int, str, Keyword))
"""Kinds whose values have no parts, and equal each other as Python has it."""
