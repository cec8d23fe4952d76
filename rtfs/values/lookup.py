"""Looking things up: `get` and keywords as functions. Knows nothing of how collections keep their elements."""

from __future__ import annotations

from rtfs.values.error import TypeMismatch, UserError
from rtfs.values.keyword import Keyword
from rtfs.values.kinds import type_name
from rtfs.values.lazy import LazySeq, first_elements
from rtfs.values.map import Map
from rtfs.values.sequence import List, Vector
from rtfs.values.set import Set
from rtfs.values.short_vector import ShortVector, item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def get(collection: Any, key: Any, default: Any = None) -> Any:
    """`(get collection key default?)`.

    The value of a key of a map, the element of a set that equals `key`, the element at an index of a vector or list,
    the character at an index of a string, `:code` (or `:type`) `:message :data :capability :cause` of an error;
    `default` where there is none, and for nil.
    Raises TypeMismatch for anything else.
    """
    kind = collection.__class__
    if kind is Map or kind is Set:
        return collection.get(key, default)
    if type(collection) is ShortVector:
        return item(collection, key) if key.__class__ is int and 0 <= key < len(collection) else default
    if kind is Vector or kind is List or kind is str:
        if key.__class__ is int and 0 <= key < len(collection):
            return collection[key]
        return default
    if collection is None:
        return default
    if kind is LazySeq:
        return _lazy_get(collection, key, default)
    if isinstance(collection, UserError):
        return _error_field(collection, key, default)
    raise TypeMismatch(
        "type/mismatch",
        f"get: expected a map, set, vector, list, string, error or nil, got {_a(type_name(collection))}",
        hint=f"the collection comes first: (get coll {collection})" if kind is Keyword else None,
    )


def _lazy_get(sequence: LazySeq, key: Any, default: Any) -> Any:
    if key.__class__ is not int or key < 0:
        return default
    found = first_elements(sequence, key + 1)
    return found[key] if key < len(found) else default


def keyword_get(keyword: Keyword, m: Any, default: Any = None) -> Any:
    """`(:k m default?)`: like `get`, but on maps, sets, errors and nil only. Raises TypeMismatch for anything else."""
    if m.__class__ is Map:
        d = m._d
        return m.get(keyword, default) if d is None else d.get(keyword, default)
    if m is None:
        return default
    if m.__class__ is Set:
        return m.get(keyword, default)
    if isinstance(m, UserError):
        return _error_field(m, keyword, default)
    raise TypeMismatch("type/mismatch", f":{keyword.name} looks up maps and sets, not {_a(type_name(m))}")


def _error_field(error: UserError, key: Any, default: Any) -> Any:
    if key.__class__ is Keyword:
        name = key.name
        if name == "code" or name == "type":
            return Keyword(error.code)
        if name == "message" or name == "data" or name == "capability" or name == "cause":
            return getattr(error, name)
    return default


def _a(noun: str) -> str:
    if noun == "nil":
        return noun
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
