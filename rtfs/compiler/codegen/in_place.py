"""What generated code calls to change an accumulator in place (see analysis/ownership.py).

Knows nothing of nodes. Invariants: what is changed was made by the loop that changes it, and nothing else has seen it;
errors are those of the function that the program called. A map that is owned has a dict of its own, a vector a list
that it covers whole.
"""

from __future__ import annotations

from rtfs.builtins.exact import conj2, putting
from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.values import Map, Vector
from rtfs.values.map import encode_key
from rtfs.values.short_vector import ShortVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def put(owned: Map, key: Any, value: Any, /) -> None:
    """Set an entry of a map that nobody else has."""
    raw = encode_key(key)
    if raw is not key:
        owned._odd = True
    owned._d[raw] = value  # type: ignore[index]


def push(owned: Vector, value: Any, /) -> None:
    """Append to a vector that nobody else has."""
    owned._items.append(value)
    owned._stop += 1


def own(value: Any, /) -> Any:
    """A copy of a map or vector that nobody else has."""
    return Map(value.items()) if value.__class__ is Map else Vector.adopt(value.to_list())


def still_own(value: Any, /) -> Any:
    """A version that was made of what nobody else has, so that it can be changed in place: itself, if it is so kept."""
    if value.__class__ is Map:
        return value if value._d is not None else own(value)
    whole = type(value) is Vector and value._more is None and not value._start and value._stop == len(value._items)
    return value if whole else own(value)


DEBT = 128
"""Elements whose copying costs as much as a new version does."""


def _taken_over(made: Any, debt: int) -> tuple[Any, int | None]:
    """(version, None) if the loop that made the version owns it from now on: a small one, or, as a copy, one of which
    so many versions were made that they cost as much; else (version, debt)."""
    kind = type(made)
    if kind is Map:
        if made._d is not None:
            return made, None
    elif kind is ShortVector:
        return Vector.adopt([*made]), None
    elif kind is not Vector:
        return made, debt
    debt += DEBT
    return (made, debt) if debt < len(made) else (own(made), None)


def putting_shared(function: str) -> Any:
    """A new version of a collection with an entry, and what is owed for it."""
    put = putting(function)

    def put_shared(coll: Any, key: Any, value: Any, debt: int, /) -> tuple[Any, int | None]:
        return _taken_over(put(coll, key, value), debt)

    return put_shared


def putting_owned(function: str) -> Any:
    """Set an entry of a map or vector that nobody else has."""
    fail = putting(function)

    def put_owned(owned: Any, key: Any, value: Any, /) -> None:
        kind = key.__class__
        if owned.__class__ is Map:
            if kind is float or kind is bool:
                owned._odd = True
                key = encode_key(key)
            owned._d[key] = value  # type: ignore[index]
            return
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
    made = conj2(coll, item)
    return _taken_over(made, debt) if made.__class__ is Vector else (made, debt)


def conj_owned(owned: Any, item: Any, /) -> None:
    """Add to a map or vector that nobody else has."""
    if owned.__class__ is Map:
        for key, value in conj2(Map(), item).items():
            put(owned, key, value)
    else:
        owned._items.append(item)
        owned._stop += 1


def settle(owned: Vector, /) -> None:
    """Note the length of a vector whose list was appended to directly."""
    owned._stop = len(owned._items)


IN_PLACE: dict[str, Any] = {
    " put": put,
    " push": push,
    " own": own,
    " still_own": still_own,
    " settle": settle,
    " conj/owned": conj_owned,
    " conj/shared": conj_shared,
    **{f" {name}/owned": putting_owned(name) for name in ("assoc", *CHANGING)},
    **{f" {name}/shared": putting_shared(name) for name in ("assoc", *CHANGING)},
}
"""What is a global of generated code, under its name with a blank in front."""
