"""Functions of maps, and of what is associative by index as vectors are: reading, changing and joining by key.

Must not know how maps store their keys. Invariant: an overwritten key keeps its place, a new one comes last.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, index_error, type_error
from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import fresh_list, items
from rtfs.builtins.declare import MISSING, builtin
from rtfs.values import LazySeq, List, Map, Vector, lookup
from rtfs.values.short_vector import ShortVector
from rtfs.values.step_account import PIECE, listed, paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _map(function: str, value: Any, what: str = "the map") -> Any:
    """`value` if it is a map, an empty map for nil; raises TypeMismatch for anything else."""
    if value.__class__ is Map:
        return value
    if value is None:
        return Map()
    raise type_error(function, what, "a map or nil", value)


def _path(function: str, path: Any) -> list[Any]:
    """The keys of a path as a Python list; raises TypeMismatch if it is not a vector or list."""
    if path.__class__ is Vector or path.__class__ is List:
        return path.to_list()
    if path.__class__ is LazySeq:
        return fresh_list(function, path)
    if path is None:
        return []
    raise type_error(function, "the path", "a vector or list of keys", path)


def put(function: str, coll: Any, key: Any, value: Any) -> Any:
    """`coll` with `value` at `key`. Raises TypeMismatch, or `index/out-of-bounds` beyond the end of a vector."""
    kind = coll.__class__
    if kind is Map:
        return coll.assoc(key, value)
    if kind is Vector:
        if key.__class__ is not int:
            raise type_error(function, "the index", "an integer", key)
        if not 0 <= key <= len(coll):
            raise index_error(function, key, len(coll))
        return coll.assoc(key, value)
    if coll is None:
        return Map().assoc(key, value)
    raise _not_associative(function, coll)


def _not_associative(function: str, coll: Any) -> Any:
    return type_error(function, "the collection", "a map, vector or nil", coll)


def level(function: str, coll: Any, key: Any) -> Any:
    """The value at a key of what can be changed at it, nil if there is none. Raises TypeMismatch."""
    if coll is not None and coll.__class__ is not Map and coll.__class__ is not Vector:
        raise _not_associative(function, coll)
    return lookup.get(coll, key, None)


@builtin(
    "get",
    "(get coll key default?)",
    "The value at a key of a map or an index of a vector; the default or nil if there is none.",
    "(get {:a 1} :a)",
    "1",
    "(get {:a 1} :b 0)",
    "0",
    "(get [10 20] 1)",
    "20",
)
def get(coll: Any, key: Any, default: Any = None, /) -> Any:
    return lookup.get(coll, key, default)


@builtin(
    "get-in",
    "(get-in coll path default?)",
    "The value found by following the keys of the path; the default or nil if there is none.",
    "(get-in {:a [1 {:b 2}]} [:a 1 :b])",
    "2",
    "(get-in {:a 1} [:x :y] :none)",
    ":none",
)
def get_in(coll: Any, path: Any, default: Any = None, /) -> Any:
    for key in _path("get-in", path):
        coll = lookup.get(coll, key, MISSING)
        if coll is MISSING:
            return default
    return coll


@builtin(
    "assoc",
    "(assoc coll key value & more)",
    "The map with the value at the key, or the vector with it at the index (its size appends); nil is an empty map.",
    "(assoc {:a 1} :b 2)",
    "{:a 1 :b 2}",
    "(assoc [1 2] 0 :x)",
    "[:x 2]",
)
def assoc(coll: Any, key: Any, value: Any, /, *more: Any) -> Any:
    if not more:
        return coll.assoc(key, value) if coll.__class__ is Map else put("assoc", coll, key, value)
    if len(more) % 2:
        raise argument_error("assoc", "needs a value for every key", code="arity")
    coll = put("assoc", coll, key, value)
    for i in paced(range(0, len(more), 2)):
        coll = put("assoc", coll, more[i], more[i + 1])
    return coll


@builtin(
    "dissoc", "(dissoc map & keys)", "The map without the keys; nil stays nil.", "(dissoc {:a 1 :b 2} :b)", "{:a 1}"
)
def dissoc(coll: Any, /, *keys: Any) -> Any:
    if coll is None:
        return None
    result = _map("dissoc", coll)
    for key in paced(keys):
        result = result.dissoc(key)
    return result


def _descend(function: str, coll: Any, keys: list[Any]) -> list[Any]:
    """The collections met when following all but the last of `keys`, `coll` first; nil where there is none."""
    levels = [coll]
    for key in keys[:-1]:
        coll = level(function, coll, key)
        levels.append(coll)
    return levels


def _rebuild(function: str, levels: list[Any], keys: list[Any], value: Any) -> Any:
    """The outermost of `levels` with `value` at the end of the path `keys`."""
    for one, key in zip(reversed(levels), reversed(keys), strict=True):
        value = put(function, one, key, value)
    return value


@builtin(
    "assoc-in",
    "(assoc-in coll path value)",
    "The collection with the value at the end of the path; missing levels become maps.",
    "(assoc-in {:a {:c 2}} [:a :b] 1)",
    "{:a {:c 2 :b 1}}",
)
def assoc_in(coll: Any, path: Any, value: Any, /) -> Any:
    keys = _path("assoc-in", path) or [None]
    return _rebuild("assoc-in", _descend("assoc-in", coll, keys), keys, value)


@builtin(
    "update",
    "(update coll key f & args)",
    "The collection with `f` of the value at the key, and further arguments, in its place.",
    "(update {:a 1} :a + 10)",
    "{:a 11}",
)
def update(coll: Any, key: Any, f: Any, /, *args: Any) -> Any:
    old = level("update", coll, key)
    return put("update", coll, key, call_with(f, (old, *args)) if args else f(old))


@builtin(
    "update-in",
    "(update-in coll path f & args)",
    "The collection with `f` of the value at the end of the path, and further arguments, in its place.",
    "(update-in {:a {:b 1}} [:a :b] inc)",
    "{:a {:b 2}}",
)
def update_in(coll: Any, path: Any, f: Any, /, *args: Any) -> Any:
    keys = _path("update-in", path) or [None]
    levels = _descend("update-in", coll, keys)
    old = level("update-in", levels[-1], keys[-1])
    return _rebuild("update-in", levels, keys, call_with(f, (old, *args)) if args else f(old))


@builtin(
    "select-keys",
    "(select-keys map keys)",
    "A map of those of the keys that the map has.",
    "(select-keys {:a 1 :b 2} [:b :z])",
    "{:b 2}",
)
def select_keys(coll: Any, keys: Any, /) -> Any:
    if coll.__class__ is Vector:
        coll = Map(enumerate(coll))
    source = _map("select-keys", coll)
    return Map([(key, source.get(key)) for key in paced(items("select-keys", keys)) if key in source])


@builtin(
    "rename-keys",
    "(rename-keys map new-names)",
    "The map with its keys renamed, at their places, as a map of old to new says.",
    "(rename-keys {:a 1 :b 2} {:a :x})",
    "{:x 1 :b 2}",
)
def rename_keys(coll: Any, names: Any, /) -> Any:
    if coll is None:
        return None
    source = _map("rename-keys", coll)
    renaming = _map("rename-keys", names, "the new names")
    result = Map([(renaming.get(key, key), value) for key, value in source.items()])
    # A renamed entry wins over one that had the name already, whichever came first.
    return result.merge_pairs([(new, source.get(old)) for old, new in renaming.items() if old in source])


@builtin(
    "merge",
    "(merge & maps)",
    "All entries of the maps; of equal keys the last wins. nil counts as an empty map; nil if there is no map at all.",
    "(merge {:a 1 :b 1} {:b 2})",
    "{:a 1 :b 2}",
    "(merge nil nil)",
    "nil",
)
def merge(*maps: Any) -> Any:
    result = None
    for other in maps:
        if other is None:
            continue
        if result is None:
            result = _map("merge", other)
        elif _is_entry(other):
            result = result.assoc(other[0], other[1])
        else:
            result = result.merge_pairs(_map("merge", other).items())
    return result


@builtin(
    "merge-with",
    "(merge-with f & maps)",
    "All entries of the maps; values of equal keys are joined by `f`, from left to right.",
    "(merge-with + {:a 1} {:a 2 :b 3})",
    "{:a 3 :b 3}",
)
def merge_with(f: Any, /, *maps: Any) -> Any:
    maps = tuple([one for one in maps if one is not None])
    if not maps:
        return None
    result = _map("merge-with", maps[0])
    for other in maps[1:]:
        pairs = []
        for key, value in paced(_map("merge-with", other).items()):
            old = result.get(key, MISSING)
            pairs.append((key, value if old is MISSING else f(old, value)))
        result = result.merge_pairs(pairs)
    return result


@builtin(
    "keys",
    "(keys map)",
    "The keys of a map, in its order; nil if there is none.",
    "(keys {:a 1 :b 2})",
    "[:a :b]",
    "(keys {})",
    "nil",
)
def keys(coll: Any, /) -> Any:
    found = coll if coll.__class__ is Map else _map_or_entries("keys", coll)
    if len(found) <= PIECE:
        return Vector.of([*found.keys()]) if len(found) else None
    return Vector.of(listed(found.keys()))


@builtin(
    "vals",
    "(vals map)",
    "The values of a map, in its order; nil if there is none.",
    "(vals {:a 1 :b 2})",
    "[1 2]",
    "(vals {})",
    "nil",
)
def vals(coll: Any, /) -> Any:
    found = coll if coll.__class__ is Map else _map_or_entries("vals", coll)
    if len(found) <= PIECE:
        return Vector.of([*found.values()]) if len(found) else None
    return Vector.of(listed(found.values()))


def _map_or_entries(function: str, coll: Any) -> Any:
    """`coll` if it is a map, the map of a sequence of entries. Raises TypeMismatch."""
    kind = coll.__class__
    if kind is Vector or kind is List or kind is LazySeq:
        found = fresh_list(function, coll)
        if all(_is_entry(one) for one in found):
            return Map([(one[0], one[1]) for one in found])
    return _map(function, coll)


@builtin(
    "map-entry?",
    "(map-entry? value)",
    "Could it be an entry of a map: a vector of two?",
    "(map-entry? (first {:a 1}))",
    "true",
)
def is_map_entry(value: Any, /) -> bool:
    return _is_entry(value)


def _is_entry(value: Any) -> bool:
    return value.__class__ is Vector and len(value) == 2


@builtin(
    "update-vals",
    "(update-vals map f)",
    "The map with `f` of each value in its place.",
    "(update-vals {:a 1 :b 2} inc)",
    "{:a 2 :b 3}",
)
def update_vals(coll: Any, f: Any, /) -> Any:
    return Map([(key, f(value)) for key, value in paced(_map_like("update-vals", coll))])


@builtin(
    "update-keys",
    "(update-keys map f)",
    "The map with `f` of each key in its place; of keys that become equal the last wins.",
    "(update-keys {:a 1 :b 2} name)",
    '{"a" 1 "b" 2}',
)
def update_keys(coll: Any, f: Any, /) -> Any:
    return Map([(f(key), value) for key, value in paced(_map_like("update-keys", coll))])


def _map_like(function: str, coll: Any) -> Any:
    """(key, value) pairs of a map, or (index, element) pairs of a vector. Raises TypeMismatch."""
    if coll.__class__ is Vector:
        return list(enumerate(coll))
    return listed(_map(function, coll).items())


def _entry(function: str, entry: Any) -> Any:
    """`entry` if it can be one of a map, a vector or list of two; else raises TypeMismatch."""
    if (entry.__class__ is Vector or entry.__class__ is List) and len(entry) == 2:
        return entry
    raise type_error(function, "the entry", "a vector of a key and a value", entry)


@builtin("key", "(key entry)", "The key of an entry of a map.", "(key (first {:a 1}))", ":a")
def key(entry: Any, /) -> Any:
    return entry._0 if type(entry) is ShortVector and len(entry) == 2 else _entry("key", entry)[0]


@builtin("val", "(val entry)", "The value of an entry of a map.", "(val (first {:a 1}))", "1")
def val(entry: Any, /) -> Any:
    return entry._1 if type(entry) is ShortVector and len(entry) == 2 else _entry("val", entry)[1]


@builtin(
    "find",
    "(find map key)",
    "The entry `[k v]` of a key; nil if there is none.",
    "(find {:a nil} :a)",
    "[:a nil]",
    "(find {:a 1} :z)",
    "nil",
)
def find(coll: Any, key: Any, /) -> Any:
    if coll is None:
        return None
    if coll.__class__ is Vector:
        return Vector.of([key, coll[key]]) if key.__class__ is int and 0 <= key < len(coll) else None
    value = _map("find", coll).get(key, MISSING)
    return None if value is MISSING else Vector.of([key, value])
