"""Vectors and lists: immutable sequences that answer alike and differ in kind only.

A sequence is a header over a stretch of a shared Python list. The list only grows at its end, so the sequence that ends
there can grow in it and no other sees that; small ones are copied otherwise. Large ones whose elements are replaced, or
that grow at the front, share a list that changes (`rtfs.values.sequence_store`).

Knows nothing of text. Invariants: a sequence never changes; iteration ends where the sequence ends,
whatever is appended meanwhile; a sequence keeps at most twice the elements alive that it has.
"""

from __future__ import annotations

from _collections_abc import Sequence as _AbstractSequence

from rtfs.values.collection import Collection
from rtfs.values.error import EvalError, TypeMismatch
from rtfs.values.sequence_store import Patch, SequenceStore
from rtfs.values.step_account import PIECE, copied
from rtfs.values.versions import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self

    from rtfs.values.info import FormInfo, ResultInfo

_new = object.__new__
_SMALL = 64  # elements up to which a change copies the list
_MIDDLE = 512  # elements up to which a fork does


class Sequence(Collection):
    """Base of `Vector` and `List`."""

    # The elements are _items[_start:_stop] if _more is None; else _more reads them, and _at says which version.
    __slots__ = ("_at", "_items", "_more", "_start", "_stop")
    _items: list[Any]
    _start: int
    _stop: int
    _more: SequenceStore | Patch | None
    _at: int

    def __init__(self, iterable: Iterable[Any] = ()) -> None:
        self._items = items = list(iterable)
        self._start = 0
        self._stop = len(items)
        self._more = None
        self._at = 0
        self.info = None

    @classmethod
    def adopt(cls, items: list[Any]) -> Self:
        """The header over a new list, which the caller must not use again."""
        made = _new(cls)
        made._items = items
        made._start = 0
        made._stop = len(items)
        made._more = None
        made._at = 0
        made.info = None
        return made

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_list())

    def __reversed__(self) -> Iterator[Any]:
        return iter(self.to_list()[::-1])

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is int:
            position = self._start + index if index >= 0 else self._stop + index
            if self._start <= position < self._stop:
                if self._more is None:
                    return self._items[position]
                return self._more.read(self._items, position, self._at)
            raise IndexError(f"index {index} is outside {len(self)} elements")
        if isinstance(index, slice):
            return self.adopt(self.to_list()[index])
        return self[index.__index__()]

    def __contains__(self, value: object) -> bool:
        return self.count(value) > 0

    def index(self, value: Any) -> int:
        """The index of the first element equal to `value`. Raises ValueError."""
        from rtfs.values.equality import equal

        for i, item in enumerate(self):
            if equal(value, item):
                return i
        raise ValueError(f"{value!r} is not there")

    def count(self, value: Any) -> int:
        """The number of elements that are equal to `value`."""
        from rtfs.values.equality import equal

        return sum(equal(value, item) for item in self)

    def first(self) -> Any:
        """The first element; None if there is none."""
        if self._more is None:
            return self._items[self._start] if self._start < self._stop else None
        return self[0] if self._start < self._stop else None

    def raw(self) -> list[Any]:
        """A Python list of the elements. It may be the sequence's own: only to be read."""
        items = self._items
        if self._more is None and len(items) == self._stop - self._start:
            return items
        return self.to_list()

    def to_list(self) -> list[Any]:
        """A fresh Python list of the elements."""
        if self._more is None:
            start, stop = self._start, self._stop
            return self._items[start:stop] if stop - start <= PIECE else copied(self._items, start, stop)
        return self._more.copy(self._items, self._start, self._stop, self._at)

    def conj(self, value: Any) -> Self:
        """With `value` behind the last element."""
        items = self._items
        stop = self._stop
        more = self._more
        if len(items) == stop and more.__class__ is not Patch:
            items.append(value)
            if items[stop] is value:  # else another thread was faster
                made = _new(self.__class__)
                made._items = items
                made._start = self._start
                made._stop = stop + 1
                made._more = more
                made._at = self._at
                made.info = None
                return made
        if more is None and stop - self._start < _SMALL:
            items = items[self._start : stop]
            items.append(value)
            return self.adopt(items)
        return self._put(stop, value, self._start, stop + 1)

    def cons(self, value: Any) -> Self:
        """With `value` before the first element."""
        start = self._start
        more = self._more
        if more is None and self._stop - start < _SMALL:
            return self.adopt([value, *self._items[start : self._stop]])
        if isinstance(more, SequenceStore):
            front = more.front
            if len(front) == -start:
                front.append(value)
                if front[-start] is value:
                    return self._over(self._items, start - 1, self._stop, more, self._at)
        return self._put(start - 1, value, start - 1, self._stop)

    def assoc(self, index: int, value: Any) -> Self:
        """With `value` at `index` (0 to len; len appends). Raises IndexError."""
        start = self._start
        position = start + index
        if start <= position < self._stop:
            if self._more is None and self._stop - start <= _SMALL:
                items = self._items[start : self._stop]
                items[index] = value
                return self.adopt(items)
            return self._put(position, value, start, self._stop)
        if position == self._stop:
            return self.conj(value)
        raise IndexError(f"index {index} is outside {len(self)} elements")

    def slice(self, start: int, stop: int) -> Self:
        """The elements from `start` to before `stop` (0 <= start <= stop <= len). Raises IndexError."""
        if not 0 <= start <= stop <= self._stop - self._start:
            raise IndexError(f"{start} to {stop} is outside {len(self)} elements")
        first = self._start + start
        last = self._start + stop
        items = self._items
        more = self._more
        if (stop - start) * 2 < len(items) + (0 if more is None else more.extra()):
            return self.adopt(items[first:last] if more is None else more.copy(items, first, last, self._at))
        return self._over(items, first, last, more, self._at)

    def with_info(self, info: FormInfo | ResultInfo | None) -> Self:
        """The same elements with the note `info`."""
        made = self._over(self._items, self._start, self._stop, self._more, self._at)
        made.info = info
        return made

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.to_list()!r})"

    def _over(self, items: list[Any], start: int, stop: int, more: SequenceStore | Patch | None, at: int) -> Self:
        made = _new(self.__class__)
        made._items = items
        made._start = start
        made._stop = stop
        made._more = more
        made._at = at
        made.info = None
        return made

    def _put(self, position: int, value: Any, start: int, stop: int) -> Self:
        """The overlay that covers `start` up to `stop` (exclusive), with `value` at `position`, which is covered or
        adjacent."""
        items = self._items
        more = self._more
        at = self._at
        size = stop - start
        if isinstance(more, SequenceStore) and -len(more.front) <= position < len(items):
            if at <= 64 or at * 16 <= size:  # copying is cheap, and what was replaced stays alive until then
                if more.change(items, position, value, at):
                    return self._over(items, start, stop, more, at + 1)
            elif more.claim(at):  # for good: further forks of this version lay their changes over it
                return self._settled()._set(position - self._start, value)
        if size <= _SMALL:
            return self.adopt(self._list_with(position - self._start, value))
        if size <= _MIDDLE:
            return self._settled()._set(position - self._start, value)
        if not isinstance(more, Patch):
            more = Patch(more, at, self._start, self._stop, {})
        elif more.spent(size):
            settled = more.settled
            if settled is None or settled[0] != self._start or settled[1] != self._stop:
                more.settled = settled = (self._start, self._stop, self._settled())
            return settled[2]._set(position - self._start, value)
        return self._over(items, start, stop, more.changed(position, value), at)

    def _set(self, index: int, value: Any) -> Self:
        """With `value` at an index from -1 (in front) to len (behind)."""
        if index < 0:
            return self.cons(value)
        return self.assoc(index, value)

    def _list_with(self, index: int, value: Any) -> list[Any]:
        """A fresh list of the elements with `value` at an index from -1 (in front) to len (behind)."""
        items = self.to_list()
        if index < 0:
            items.insert(0, value)
        else:
            items[index : index + 1] = (value,)
        return items

    def _settled(self) -> Self:
        """The same elements in a store of their own, at positions from 0."""
        return self._over(self.to_list(), 0, self._stop - self._start, SequenceStore(), 0)


class Vector(Sequence):
    """`[1 2 3]`. `Vector([1, 2, 3])`. Most short ones are `ShortVector`s, which say that they are vectors."""

    __slots__ = ()

    def __new__(cls, iterable: Iterable[Any] = ()) -> Self:
        return cls.of(list(iterable))  # type: ignore[return-value]

    def __init__(self, iterable: Iterable[Any] = ()) -> None:
        """`__new__` has done it all."""

    @staticmethod
    def of(items: list[Any]) -> Vector:
        """The vector of a new list, which the caller must not use again."""
        return ShortVector(items) if len(items) <= SHORT else Vector.adopt(items)  # type: ignore[return-value]

    def __call__(self, index: Any = ABSENT, /, *more: Any) -> Any:
        """`(v index)`: the element at an index, as a program asks for it."""
        if index.__class__ is int and not more and index >= 0:
            position = self._start + index
            if position < self._stop:
                store = self._more
                return self._items[position] if store is None else store.read(self._items, position, self._at)
        return element_of_call(self, index, more)


def element_of_call(vector: Any, index: Any, more: tuple[Any, ...]) -> Any:
    """`(v index)` of any vector, with the errors that it can have. more: arguments that are too many."""
    if index is ABSENT or more:
        count = 1 + len(more) if more else 0
        raise EvalError("arity", f"a vector as a function takes 1 argument (an index), got {count}")
    if index.__class__ is not int:
        from rtfs.values.kinds import type_name

        got = type_name(index)
        raise TypeMismatch("type/mismatch", f"a vector as a function takes an index, an integer, and got: {got}")
    if not 0 <= index < len(vector):
        raise EvalError("index/out-of-bounds", f"index {index} is outside a vector of {len(vector)} elements")
    return vector[index]


class List(Sequence):
    """`(1 2 3)` as data. `List([1, 2, 3])`."""

    __slots__ = ()

    @classmethod
    def of(cls, items: list[Any]) -> Self:
        """The list of a new Python list, which the caller must not use again."""
        return cls.adopt(items)


_AbstractSequence.register(Sequence)

# Last, because it needs the class above.
from rtfs.values.short_vector import SHORT, ShortVector  # noqa: E402
