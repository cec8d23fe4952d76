"""Versions that share one store: the newest changes it in place, the others read its earlier contents.

A store is a dict or a list together with this log of its changes. A version is the number of changes made when it was
the newest, so making one costs an entry of the log, not a copy; who copies the store after as many changes as it has
entries pays a constant a change, and no more garbage than that is ever kept.

Knows nothing of maps or sequences. Invariants, on which readers of other threads rely without any lock:
a change is logged before the store changes, and a reader looks at the store before it looks at the log. So what it
found in the store is either of its version, or the log says what was there instead.
"""

from __future__ import annotations

from _bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ABSENT: Any = object()
_NEAR = 32  # changes that are searched one by one; beyond, an index is worth its making


class History:
    """The changes of a store: change `i` gave `keys[i]` a new value and took `olds[i]` from it (ABSENT: none)."""

    __slots__ = ("_index", "_index_free", "_indexed", "free", "keys", "olds")

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.olds: list[Any] = []
        self.free = [True]  # empty while a thread changes the store: taking the one element is atomic
        # For each key the numbers of its changes, ascending, made when an old version is first read.
        self._index: dict[Any, list[int]] = {}
        self._indexed = 0
        self._index_free = [True]

    def claim(self, at: int) -> bool:
        """True if version `at` is the newest and the caller alone may change the store; `free` ends that.

        Never waits: of two callers that want to continue from one version, one gets False and makes a separate store. A
        thread that is killed between claim and release leaves a store that is correct and that is not changed any more.
        """
        try:
            self.free.pop()
        except IndexError:
            return False
        if len(self.keys) == at:
            return True
        self.free.append(True)
        return False

    def before(self, at: int) -> dict[Any, Any]:
        """The changes that turn the newest store back into version `at`: key -> its value then, or ABSENT."""
        keys = self.keys[at:]
        olds = self.olds[at : at + len(keys)]
        keys.reverse()
        olds.reverse()
        return dict(zip(keys, olds, strict=True))

    def old(self, key: Any, at: int, current: Any) -> Any:
        """The value of `key` in version `at`; `current` is what the store held just now."""
        keys = self.keys
        if len(keys) - at <= _NEAR or not self._index_all():
            for i in range(at, len(keys)):
                if keys[i] is key or keys[i] == key:
                    return self.olds[i]
            return current
        changes = self._index.get(key, ())
        first = bisect_left(changes, at)
        return self.olds[changes[first]] if first < len(changes) else current

    def _index_all(self) -> bool:
        """Brings the index up to date. False if another thread is at it, or was killed at it."""
        if self._indexed == len(self.keys):
            return True
        try:
            self._index_free.pop()
        except IndexError:
            return False
        first = self._indexed
        for i, key in enumerate(self.keys[first:], first):
            changes = self._index.get(key)
            if changes is None:
                self._index[key] = [i]
            else:
                changes.append(i)
            self._indexed = i + 1
        self._index_free.append(True)
        return True
