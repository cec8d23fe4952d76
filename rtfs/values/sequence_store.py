"""Storage of large sequences that change: a list shared by versions, and a few changes on top of one of them.

Positions: a sequence covers the positions from its start to before its stop; position p is `items[p]`, and below zero
`front[~p]`, so that a store grows at both ends. Knows nothing of headers (`rtfs.values.sequence`).
Invariant: what one version holds at the positions it covers never changes, whatever is made of it or of others.
"""

from __future__ import annotations

from rtfs.values.versions import ABSENT, History

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SequenceStore(History):
    """Elements of the newest version. The list `items` is in the headers; the elements before it are here, reversed."""

    __slots__ = ("front",)

    def __init__(self) -> None:
        super().__init__()
        self.front: list[Any] = []

    def read(self, items: list[Any], position: int, at: int) -> Any:
        """The element of version `at` at a position that it covers."""
        value = items[position] if position >= 0 else self.front[~position]
        if len(self.keys) != at:
            value = self.old(position, at, value)
        return value

    def copy(self, items: list[Any], start: int, stop: int, at: int) -> list[Any]:
        """A fresh list of what version `at` holds from `start` to before `stop`, which it covers."""
        if stop - start < len(self.keys) - at:
            return [self.read(items, position, at) for position in range(start, stop)]
        part = items[max(start, 0) : max(stop, 0)]
        if start < 0:
            before = self.front[max(-stop, 0) : -start]
            before.reverse()
            part = before + part
        for position, old in self.before(at).items():
            if start <= position < stop:
                part[position - start] = old
        return part

    def change(self, items: list[Any], position: int, value: Any, at: int) -> bool:
        """Makes version `at + 1` with `value` at a position there is. False if `at` is not the newest."""
        try:  # claim, log and release, written out: this is what an `assoc` costs
            self.free.pop()
        except IndexError:
            return False
        keys = self.keys
        if len(keys) != at:
            self.free.append(True)
            return False
        if position >= 0:
            self.olds.append(items[position])
            keys.append(position)
            items[position] = value
        else:
            self.olds.append(self.front[~position])
            keys.append(position)
            self.front[~position] = value
        self.free.append(True)
        return True

    def extra(self) -> int:
        """The number of elements kept alive besides those of the list."""
        return len(self.front)


class Patch:
    """A few changes over `items` (of version `at` of `store`, if there is one) from `start` to before `stop`.

    settled: (start, stop, the same elements in a store of their own), once that was needed.
    """

    __slots__ = ("at", "changes", "settled", "start", "stop", "store")

    def __init__(self, store: SequenceStore | None, at: int, start: int, stop: int, changes: dict[int, Any]) -> None:
        self.store = store
        self.at = at
        self.start = start
        self.stop = stop
        self.changes = changes
        self.settled: tuple[int, int, Any] | None = None

    def read(self, items: list[Any], position: int, _at: int) -> Any:
        """The element at a covered position."""
        value = self.changes.get(position, ABSENT)
        if value is not ABSENT:
            return value
        return items[position] if self.store is None else self.store.read(items, position, self.at)

    def copy(self, items: list[Any], start: int, stop: int, _at: int) -> list[Any]:
        """A new list of the elements from `start` up to `stop` (exclusive), which are covered."""
        changes = self.changes
        first = min(max(start, self.start), stop)
        last = max(min(stop, self.stop), first)
        part = [changes[position] for position in range(start, first)]
        part += items[first:last] if self.store is None else self.store.copy(items, first, last, self.at)
        part += [changes[position] for position in range(last, stop)]
        for position, value in changes.items():
            if start <= position < stop:
                part[position - start] = value
        return part

    def changed(self, position: int, value: Any) -> Patch:
        """With `value` at a position that is covered or next to it."""
        changes = self.changes.copy()
        changes[position] = value
        return Patch(self.store, self.at, self.start, self.stop, changes)

    def extra(self) -> int:
        """The number of elements kept alive besides those of the list."""
        return len(self.changes) + (0 if self.store is None else self.store.extra())

    def spent(self, size: int) -> bool:
        """True if the changes have become so many that going on in a copy is cheaper (`size`: elements in all)."""
        changes = len(self.changes)
        return changes > 32 and changes * changes > size
