"""Functions that generated code calls to change an accumulator in place (see analysis/ownership.py).

Knows nothing of nodes. Invariants: a changed value was made by the loop that changes it, and nothing else has seen it;
errors name the function that the program called. An owned map has its own dict, an owned vector a list that it
covers completely.
"""

from __future__ import annotations

from rtfs.builtins.fixed_arity import SMALL, conj2, dissoc2, pop1, putting
from rtfs.builtins.sets import disj
from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.values import List, Map, Set, Vector
from rtfs.values.map import encode_key
from rtfs.values.short_vector import ShortVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def put(owned: Map, key: Any, value: Any, /) -> None:
    """Set an entry of a map that nothing else references."""
    raw = encode_key(key)
    if raw is not key:
        owned._odd = True
    owned._d[raw] = value  # type: ignore[index]


def push(owned: Vector, value: Any, /) -> None:
    """Append to a vector that nothing else references."""
    owned._items.append(value)
    owned._stop += 1


def own(value: Any, /) -> Any:
    """A copy of a map, set or vector that nothing else references."""
    if value.__class__ is Map:
        return _own_map(value)
    return Set.of_map(_own_map(value.as_map())) if value.__class__ is Set else Vector.adopt(value.to_list())


def _own_map(value: Map) -> Map:
    made = Map.of_plain(value.fresh())
    made._odd = value._odd
    return made


def still_own(value: Any, /) -> Any:
    """A version that was made from a value that nothing else references, so that it can be changed in place: the
    version itself, if it is stored that way."""
    if value.__class__ is Map:
        return value if value._d is not None else own(value)
    whole = type(value) is Vector and value._more is None and not value._start and value._stop == len(value._items)
    return value if whole else own(value)


def copied(value: Any, /) -> Any:
    """A copy of what may be changed in place, for others to keep; anything else as it is."""
    kind = type(value)
    return own(value) if kind is Map or kind is Set or kind is Vector else value


def tail(value: Any, /) -> tuple[Any, bool]:
    """(header over the elements that nothing else references, True), or (the value, False) where there can be none."""
    kind = type(value)
    if kind is ShortVector:
        return Vector.adopt([*value]), True
    if (kind is Vector or kind is List) and value._more is None:
        return value.slice(0, value._stop - value._start), True
    return value, False


_NOWHERE = (False, None, 0, 0)


def place(value: Any, /) -> tuple[bool, list[Any] | None, int, int]:
    """(True, a list with the elements, where they start in it, where they stop) of a vector or list; False, and
    nothing, where there can be no such place."""
    kind = type(value)
    if kind is ShortVector:
        return True, [*value], 0, len(value)
    if (kind is Vector or kind is List) and value._more is None:
        return True, value._items, value._start, value._stop
    return _NOWHERE


def left(value: Any, at: int, /) -> Any:
    """The elements of a vector or list from a place on."""
    start = 0 if type(value) is ShortVector else value._start
    return value.slice(at - start, len(value))


MIDDLING = 512
"""Entries up to which copying costs less than a store of versions does."""
DEBT = 128
"""Elements whose copying costs as much as a new version does."""


def _is_middling(value: Any) -> bool:
    """True for a map or vector that is best copied at once: a new version would be a copy that is not owned."""
    kind = type(value)
    if kind is Map:
        return value._d is not None and SMALL < len(value._d) <= MIDDLING
    return kind is Vector and value._more is None and SMALL < value._stop - value._start <= MIDDLING


def _taken_over(made: Any, debt: int) -> tuple[Any, int | None]:
    """(version, None) if the loop that made the version owns it from now on: a small one, or, as a copy, one of which
    so many versions were made that they cost as much; else (version, debt)."""
    kind = type(made)
    if kind is Map or kind is Set:
        if (made if kind is Map else made.as_map())._d is not None:
            return made, None
    elif kind is ShortVector:
        return Vector.adopt([*made]), None
    elif kind is not Vector:
        return made, debt
    debt += DEBT
    return (made, debt) if debt < len(made) else (own(made), None)


def putting_shared(function: str) -> Any:
    """A new version of a collection with an entry, and what is owed for it."""
    put, change = putting(function), putting_owned(function)

    def put_shared(coll: Any, key: Any, value: Any, debt: int, /) -> tuple[Any, int | None]:
        if _is_middling(coll):
            coll = own(coll)
            change(coll, key, value)
            return coll, None
        return _taken_over(put(coll, key, value), debt)

    return put_shared


def putting_into_new(function: str) -> Any:
    """Set an entry of a collection that was made for this alone: in place, if it is a map with its own dict."""
    put = putting(function)

    def put_new(made: Any, key: Any, value: Any, /) -> Any:
        if made.__class__ is Map:
            d = made._d
            if d is not None:
                kind = key.__class__
                if kind is float or kind is bool:
                    key = encode_key(key)
                    made._odd = True
                d[key] = value
                return made
        return put(made, key, value)

    return put_new


def putting_plain_into_new(function: str) -> Any:
    """`putting_into_new(function)`, for a key that is known to be in dicts as itself."""
    put = putting(function)

    def put_new(made: Any, key: Any, value: Any, /) -> Any:
        if made.__class__ is Map:
            d = made._d
            if d is not None:
                d[key] = value
                return made
        return put(made, key, value)

    return put_new


def putting_owned(function: str) -> Any:
    """Set an entry of a map or vector that nothing else references."""
    fail = putting(function)

    def put_owned(owned: Any, key: Any, value: Any, /) -> None:
        kind = key.__class__
        if owned.__class__ is Map:
            if kind is float or kind is bool:
                owned._odd = True
                key = encode_key(key)
            owned._d[key] = value  # type: ignore[index]
            return
        if owned.__class__ is Set:
            fail(owned, key, value)
        items = owned._items
        if kind is int and 0 <= key < len(items):
            items[key] = value
        elif kind is int and key == len(items):
            items.append(value)
            owned._stop += 1
        else:
            fail(owned, key, value)

    return put_owned


def conj_shared(coll: Any, item: Any, debt: int, /) -> tuple[Any, int | None]:
    """A new version of a collection with an element, and what is owed for it."""
    if coll.__class__ is Set and _is_middling(coll.as_map()):
        coll = own(coll)
        conj_owned(coll, item)
        return coll, None
    made = conj2(coll, item)
    if made is coll or (made.__class__ is not Vector and made.__class__ is not Set):
        return made, debt
    return _taken_over(made, debt)


def conj_owned(owned: Any, item: Any, /) -> None:
    """Add to a map, set or vector that nothing else references."""
    kind = owned.__class__
    if kind is Vector:
        owned._items.append(item)
        owned._stop += 1
    elif kind is Map:
        for key, value in conj2(Map(), item).items():
            put(owned, key, value)
    else:
        elements = owned.as_map()
        raw = encode_key(item)
        if raw is not item:
            elements._odd = True
        elements._d.setdefault(raw, item)
        owned._hash = None


def pop_shared(coll: Any, debt: int, /) -> tuple[Any, int | None]:
    """A new version of a collection without its last element, and what is owed for it."""
    made = pop1(coll)
    return _taken_over(made, debt) if made.__class__ is Vector else (made, debt)


def pop_owned(owned: Any, /) -> None:
    """Take the last element from a vector that nothing else references."""
    if owned.__class__ is Vector and owned._stop:
        owned._items.pop()
        owned._stop -= 1
    else:
        pop1(owned)  # raises


def dissoc_shared(coll: Any, key: Any, debt: int, /) -> tuple[Any, int | None]:
    """A new version of a map without a key, and what is owed for it."""
    made = dissoc2(coll, key)
    return (made, debt) if made is coll or made.__class__ is not Map else _taken_over(made, debt)


def dissoc_owned(owned: Any, key: Any, /) -> None:
    """Take a key from a map that nothing else references."""
    if owned.__class__ is Map:
        owned._d.pop(encode_key(key), None)  # type: ignore[union-attr]
    else:
        dissoc2(owned, key)  # raises


def disj_shared(coll: Any, element: Any, debt: int, /) -> tuple[Any, int | None]:
    """A new version of a set without an element, and what is owed for it."""
    made = disj(coll, element)
    return (made, debt) if made is coll or made.__class__ is not Set else _taken_over(made, debt)


def disj_owned(owned: Any, element: Any, /) -> None:
    """Take an element from a set that nothing else references."""
    if owned.__class__ is Set:
        owned.as_map()._d.pop(encode_key(element), None)  # type: ignore[union-attr]
        owned._hash = None
    else:
        disj(owned, element)  # raises


def settle(owned: Vector, /) -> None:
    """Note the length of a vector whose list was appended to directly."""
    owned._stop = len(owned._items)


IN_PLACE: dict[str, Any] = {
    " put": put,
    " push": push,
    " tail": tail,
    " place": place,
    " left": left,
    " copied": copied,
    " own": own,
    " still_own": still_own,
    " settle": settle,
    " conj/owned": conj_owned,
    " conj/shared": conj_shared,
    " pop/owned": pop_owned,
    " pop/shared": pop_shared,
    " dissoc/owned": dissoc_owned,
    " dissoc/shared": dissoc_shared,
    " disj/owned": disj_owned,
    " disj/shared": disj_shared,
    **{f" {name}/new": putting_into_new(name) for name in ("assoc", *CHANGING)},
    **{f" {name}/new plain": putting_plain_into_new(name) for name in ("assoc", *CHANGING)},
    **{f" {name}/owned": putting_owned(name) for name in ("assoc", *CHANGING)},
    **{f" {name}/shared": putting_shared(name) for name in ("assoc", *CHANGING)},
}
"""Globals of generated code, whose names begin with a blank."""
