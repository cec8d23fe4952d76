"""Maps: immutable, in insertion order, keyed by the language's equality.

A map is a thin header. Small ones own a dict and are copied when changed, which up to 64 entries is faster than any
tree; so do larger ones as long as they are not changed. Of the others the newest version changes a shared dict in
place (`rtfs.values.map_store`), and versions made from an older one are overlays on it.

Knows nothing of text. Invariants: a map never changes; the order is that of insertion, where overwriting
keeps the place; a key that is a float or a boolean is in dicts as a tuple, so that 1, 1.0 and true are three keys,
and every other key as itself, so that looking it up costs a class check and `dict.get`.
"""

from __future__ import annotations

from _collections_abc import Mapping as _AbstractMapping

from rtfs.values.collection import Collection
from rtfs.values.error import EvalError
from rtfs.values.map_store import MapStore, Overlay
from rtfs.values.step_account import PIECE, STRETCH, in_stretches, listed, spend, stretches
from rtfs.values.versions import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Collection as AnyCollection
    from typing import Any

    from rtfs.values.info import FormInfo, ResultInfo

_SMALL = 64  # entries up to which a change copies the dict
_MIDDLE = 512  # entries up to which a fork does: cheaper than looking in two places from then on
_TRUE = (True, None)
_FALSE = (False, None)
_ENCODED = {float, bool}
"""Kinds of keys that are not in dicts as themselves."""


def encode_key(key: Any) -> Any:
    """The dict key that represents a map key; `decode_key` takes it back. A NaN gets one that equals nothing."""
    kind = key.__class__
    if kind is float:
        return (key,) if key == key else (key, object())
    if kind is bool:
        return _TRUE if key else _FALSE
    return key


def decode_key(raw: Any) -> Any:
    """The map key that a dict key represents."""
    return raw[0] if raw.__class__ is tuple else raw


class _MapClass(type):
    """The class of `Map`, which answers `Map(source)`. So a map has no `__init__`, and `new_map` is C all the way: an
    object takes a third less."""

    def __call__(cls, source: Any = ()) -> Any:
        made = new_map()
        if source.__class__ is Map:
            made._d, made._odd = source.raw(), source._odd
        else:
            d: dict[Any, Any] = {}
            made._d = d
            made._odd = _put_pairs(d, source.items() if hasattr(source, "items") else source)
        made.info = None
        return made


class Map(Collection, metaclass=_MapClass):
    """`{:a 1}`. `Map({Keyword("a"): 1})`, or `Map(pairs)`; of equal keys the last value wins."""

    # _d: the content, if this map alone decides about it, and then nothing else is set; else None and
    # _more: the store or overlay, _at: which version of the store, _count: the number of entries.
    # _odd: False if no key needs decoding.
    __slots__ = ("_at", "_count", "_d", "_more", "_odd")
    _d: dict[Any, Any] | None
    _more: MapStore | Overlay
    _at: int
    _count: int
    _odd: bool

    if TYPE_CHECKING:

        def __init__(self, source: Any = ()) -> None: ...

    @staticmethod
    def of_plain(d: dict[Any, Any]) -> Map:
        """The map of a new dict, which the caller must not use again; no key may be a float or a boolean."""
        made = new_map()
        made._d = d
        made._odd = False
        made.info = None
        return made

    @staticmethod
    def of_encoded(d: dict[Any, Any]) -> Map:
        """The map of a new dict, which the caller must not use again, with keys from `encode_key`."""
        made = new_map()
        made._d = d
        made._odd = tuple in map(type, d) if len(d) <= PIECE else _has_encoded(d)
        made.info = None
        return made

    @staticmethod
    def of_columns(keys: Any, values: Any) -> Map:
        """The map of sized keys and values side by side, as many as there are of both; of equal keys the last wins."""
        if len(keys) <= STRETCH and _ENCODED.isdisjoint(map(type, keys)):
            return Map.of_plain(dict(zip(keys, values, strict=False)))
        return Map(zip(keys, values, strict=False))

    def raw(self) -> dict[Any, Any]:
        """The content as a dict of encoded keys. It may be the map's own: only to be read."""
        d = self._d
        return self.fresh() if d is None else d

    def raw_get(self, raw: Any, default: Any) -> Any:
        """The value of an encoded key, or `default`."""
        d = self._d
        return self._more.get(raw, default, self._at) if d is None else d.get(raw, default)

    def __len__(self) -> int:
        d = self._d
        return self._count if d is None else len(d)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        kind = key.__class__
        if kind is float or kind is bool:
            key = encode_key(key)
        d = self._d
        return self._more.get(key, default, self._at) if d is None else d.get(key, default)

    def __contains__(self, key: Any) -> bool:
        return self.get(key, ABSENT) is not ABSENT

    def __getitem__(self, key: Any) -> Any:
        value = self.get(key, ABSENT)
        if value is ABSENT:
            raise KeyError(key)
        return value

    def keys(self) -> AnyCollection[Any]:
        """The keys in insertion order."""
        raw = self.raw()
        return [decode_key(key) for key in raw] if self._odd else raw.keys()

    def values(self) -> AnyCollection[Any]:
        """The values in the order of their keys."""
        return self.raw().values()

    def items(self) -> AnyCollection[tuple[Any, Any]]:
        """(key, value) pairs in insertion order."""
        raw = self.raw()
        return [(decode_key(key), value) for key, value in raw.items()] if self._odd else raw.items()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def assoc(self, key: Any, value: Any) -> Map:
        """With `value` under `key`; a new key comes last, an old one keeps its place."""
        odd = self._odd
        kind = key.__class__
        if kind is float or kind is bool:
            key = encode_key(key)
            odd = True
        d = self._d
        if d is None:
            store = self._more
            at = self._at
            if isinstance(store, Overlay) or (at > 64 and at * 2 > len(store.d)) or not store.change(key, value, at):
                return self._change(key, value, odd)
            made = new_map()
            made._d = None
            made._more = store
            made._at = at + 1
            made._count = len(store.d)
        elif len(d) <= _SMALL:
            made = new_map()
            made._d = d = d.copy()
            d[key] = value
        else:
            return self._change(key, value, odd)
        made._odd = odd
        made.info = None
        return made

    def dissoc(self, key: Any) -> Map:
        """Without `key`."""
        key = encode_key(key)
        if self.raw_get(key, ABSENT) is ABSENT:
            return self
        d = self._d
        if d is not None and len(d) <= _SMALL:
            d = d.copy()
            del d[key]
            return _owning(d, self._odd)
        return self._change(key, ABSENT, self._odd)

    def merge_pairs(self, pairs: Iterable[tuple[Any, Any]]) -> Map:
        """With all (key, value) `pairs`, one after the other."""
        added = listed(pairs)
        if len(added) * 4 < len(self) and len(self) > _SMALL:
            result = self
            for key, value in added:
                result = result.assoc(key, value)
            return result
        d = self.fresh()
        odd = _put_pairs(d, added)
        return _owning(d, odd or self._odd)

    def to_dict(self) -> dict[Any, Any]:
        """A fresh Python dict. For hosts: keys that Python holds for one (1 and 1.0) become one."""
        return dict(self.items())

    def with_info(self, info: FormInfo | ResultInfo | None) -> Map:
        """The same entries with the note `info`."""
        made = _owning(self.raw(), self._odd)
        made.info = info
        return made

    def __call__(self, key: Any = ABSENT, default: Any = None, /, *more: Any) -> Any:
        """`(m key default?)`: the value of a key, as a program asks for it."""
        if key is ABSENT or more:
            count = 2 + len(more) if more else 0
            raise EvalError("arity", f"a map as a function takes 1 or 2 arguments, got {count}")
        d = self._d
        kind = key.__class__
        return self.get(key, default) if d is None or kind is float or kind is bool else d.get(key, default)

    def __repr__(self) -> str:
        return "Map({" + ", ".join(f"{key!r}: {value!r}" for key, value in self.items()) + "})"

    def fresh(self) -> dict[Any, Any]:
        """The content as a dict of encoded keys that nothing else references."""
        d = self._d
        size = self._count if d is None else len(d)
        if size > PIECE:
            spend(size >> 3)
        return self._more.snapshot(self._at) if d is None else d.copy()

    def _change(self, key: Any, value: Any, odd: bool) -> Map:
        """A large map with `value` under an encoded key (ABSENT: without it)."""
        if self._d is None:
            more = self._more
            if isinstance(more, Overlay):
                if more.spent(self._count):
                    if more.settled is None:
                        more.settled = _version(MapStore(self.fresh()), 0, self._odd)
                    return more.settled._change(key, value, odd)
                return self._over(more, key, value, odd)
            at = self._at
            if len(more.keys) == at:
                if not more.spent(at):
                    if more.change(key, value, at):
                        return _version(more, at + 1, odd)
                elif more.claim(at):  # for good: further forks of this version lay their changes over it
                    return _version(MapStore(self.fresh()), 0, odd)._change(key, value, odd)
        if len(self) <= _MIDDLE:
            return _version(MapStore(self.fresh()), 0, odd)._change(key, value, odd)
        return self._over(Overlay(self, {}, frozenset()), key, value, odd)

    def _over(self, overlay: Overlay, key: Any, value: Any, odd: bool) -> Map:
        """This map with one more change on top of its content, given by `overlay`."""
        made = new_map()
        made._d = None
        made._more = overlay.changed(key, value)
        made._at = 0
        made._count = len(self) - (overlay.get(key, ABSENT, 0) is not ABSENT) + (value is not ABSENT)
        made._odd = odd
        made.info = None
        return made


new_map: Callable[[], Map] = type.__call__.__get__(Map)
"""A map whose attributes are not set yet, for code that sets them itself."""


def _has_encoded(d: dict[Any, Any]) -> bool:
    """Whether some key of a large dict needs decoding."""
    return any(tuple in map(type, part) for part in stretches(d, PIECE))


def _owning(d: dict[Any, Any], odd: bool) -> Map:
    made = new_map()
    made._d = d
    made._odd = odd
    made.info = None
    return made


def _version(store: MapStore, at: int, odd: bool) -> Map:
    """The newest version of a store, which is `at`."""
    made = new_map()
    made._d = None
    made._more = store
    made._at = at
    made._count = len(store.d)
    made._odd = odd
    made.info = None
    return made


def _put_pairs(d: dict[Any, Any], pairs: Iterable[tuple[Any, Any]]) -> bool:
    """Puts `pairs` into a dict of encoded keys; True if one of the keys had to be encoded."""
    odd = False
    for part in in_stretches(pairs):
        for key, value in part:
            kind = key.__class__
            if kind is float or kind is bool:
                key = encode_key(key)
                odd = True
            d[key] = value
    return odd


_AbstractMapping.register(Map)
