"""Storage of large maps: a dict shared by versions, and a few changes on top of one of them.

Knows nothing of `Map` but `raw_get` and `fresh`. Keys are encoded ones (see `rtfs.values.map`).
Invariant: what one version answers, order included, never changes, whatever is made of it or of others.
"""

from __future__ import annotations

from rtfs.values.versions import ABSENT, History

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.values.map import Map


class MapStore(History):
    """A dict that holds the newest version, with what older ones need."""

    __slots__ = ("d", "order")

    def __init__(self, d: dict[Any, Any]) -> None:
        """Adopts `d`, a fresh dict."""
        super().__init__()
        self.d = d
        # Removing a key loses its place, which older versions need: (version, keys in order) before the first removal.
        self.order: tuple[int, list[Any]] | None = None

    def get(self, key: Any, default: Any, at: int) -> Any:
        """The value of `key` in version `at`, or `default`."""
        value = self.d.get(key, ABSENT)
        if len(self.keys) != at:
            value = self.old(key, at, value)
        return default if value is ABSENT else value

    def change(self, key: Any, value: Any, at: int) -> bool:
        """Makes version `at + 1`, in which `key` has `value` (ABSENT: is gone). False if `at` is not the newest."""
        d = self.d
        old = d.get(key, ABSENT)
        try:  # claim, log and release, written out: this is what building a map costs
            self.free.pop()
        except IndexError:
            return False
        keys = self.keys
        if len(keys) != at:
            self.free.append(True)
            return False
        if value is ABSENT and self.order is None:
            self.order = (at, list(d))
        self.olds.append(old)
        keys.append(key)
        if value is ABSENT:
            del d[key]
        else:
            d[key] = value
        self.free.append(True)
        return True

    def spent(self, at: int) -> bool:
        """True if it is time that the newest version moves to a copy, leaving the garbage to those that want it."""
        return at > 64 and at * 2 > len(self.d)

    def snapshot(self, at: int) -> dict[Any, Any]:
        """A fresh dict of version `at`."""
        d = self.d.copy()
        before = self.before(at)
        if not before:
            return d
        for key, old in before.items():
            if old is ABSENT:
                d.pop(key, None)
            else:
                d[key] = old
        order = self.order
        if order is None:
            return d
        start, keys = order
        places = dict.fromkeys(keys)
        for i in range(start, at):
            if self.olds[i] is ABSENT:
                places.pop(self.keys[i], None)
                places[self.keys[i]] = None
        return {key: d[key] for key in places if key in d}


class Overlay:
    """A few changes over a large map that other versions share, so that a fork costs its changes and not the map.

    over: new values by key. gone: keys to take away from `base` first, so that one put back comes last. settled: the
    same content in a separate store, once that was needed.
    """

    __slots__ = ("base", "gone", "over", "settled")

    def __init__(self, base: Map, over: dict[Any, Any], gone: frozenset[Any]) -> None:
        self.base = base
        self.over = over
        self.gone = gone
        self.settled: Map | None = None

    def get(self, key: Any, default: Any, _at: int) -> Any:
        """The value of `key`, or `default`."""
        value = self.over.get(key, ABSENT)
        if value is not ABSENT:
            return value
        return default if key in self.gone else self.base.raw_get(key, default)

    def changed(self, key: Any, value: Any) -> Overlay:
        """With `value` under `key` (ABSENT: without it)."""
        over = self.over.copy()
        gone = self.gone
        if value is not ABSENT:
            over[key] = value
        else:
            over.pop(key, None)
            if self.base.raw_get(key, ABSENT) is not ABSENT:
                gone |= {key}
        return Overlay(self.base, over, gone)

    def spent(self, size: int) -> bool:
        """True if the changes have become so many that going on in a copy is cheaper (`size`: entries in all)."""
        changes = len(self.over) + len(self.gone)
        return changes > 32 and changes * changes > size

    def snapshot(self, _at: int) -> dict[Any, Any]:
        """A fresh dict of the whole."""
        d = self.base.fresh()
        for key in self.gone:
            d.pop(key, None)
        d.update(self.over)
        return d
