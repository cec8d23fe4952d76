"""clojure.set: sets as sets, and sets of maps as relations.

Must not know how sets keep their elements. Invariants: nil counts as the empty set, as in Clojure; elements keep the
order in which the first set that has them has them.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import type_error
from rtfs.builtins.collection_support import items
from rtfs.builtins.declare import builtin
from rtfs.builtins.maps import select_keys, vals
from rtfs.values import Map, Set, Vector
from rtfs.values.step_account import paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EMPTY = Set()


def _set(name: str, value: Any, what: str = "the set") -> Any:
    """`value` if it is a set, the empty one for nil. Raises TypeMismatch with a hint for anything else."""
    if value.__class__ is Set:
        spend(len(value))
        return value
    if value is None:
        return _EMPTY
    error = type_error(name, what, "a set or nil", value)
    if value.__class__ is not Map:
        error.hint = "(set coll) makes a set of a collection"
    raise error


@builtin(
    "clojure.set/union",
    "(clojure.set/union & sets)",
    "The elements of all the sets.",
    "(set/union #{1 2} #{2 3})",
    "#{1 2 3}",
    "(set/union)",
    "#{}",
)
def union(*sets: Any) -> Any:
    name = "clojure.set/union"
    checked = [_set(name, one) for one in sets]
    if sets and all(one is None for one in sets):
        return None
    result: Set = checked[0] if checked else _EMPTY
    for one in checked[1:]:
        result = result.union(one) if len(one) else result
    return result


@builtin(
    "clojure.set/intersection",
    "(clojure.set/intersection set & sets)",
    "The elements that all the sets have.",
    "(set/intersection #{1 2 3} #{2 3 4})",
    "#{2 3}",
)
def intersection(first: Any, /, *more: Any) -> Any:
    name = "clojure.set/intersection"
    checked = [_set(name, one) for one in (first, *more)]
    if any(one is None for one in (first, *more)):
        return None
    result = checked[0]
    for one in checked[1:]:
        result = Set(element for element in result if element in one)
    return result


@builtin(
    "clojure.set/difference",
    "(clojure.set/difference set & sets)",
    "The elements of the first set that no other has.",
    "(set/difference #{1 2 3} #{2} #{3})",
    "#{1}",
)
def difference(first: Any, /, *more: Any) -> Any:
    name = "clojure.set/difference"
    result = _set(name, first)
    others = [_set(name, one) for one in more]
    if first is None:
        return None
    for one in others:
        if len(one) < len(result):
            for element in one:
                result = result.disj(element)
        else:
            result = Set(element for element in result if element not in one)
    return result


@builtin(
    "clojure.set/subset?",
    "(clojure.set/subset? set other)",
    "Has the other set all elements of the set?",
    "(set/subset? #{1} #{1 2})",
    "true",
)
def is_subset(first: Any, other: Any, /) -> bool:
    return _within(_set("clojure.set/subset?", first), _set("clojure.set/subset?", other))


@builtin(
    "clojure.set/superset?",
    "(clojure.set/superset? set other)",
    "Has the set all elements of the other?",
    "(set/superset? #{1 2} #{1})",
    "true",
)
def is_superset(first: Any, other: Any, /) -> bool:
    return _within(_set("clojure.set/superset?", other), _set("clojure.set/superset?", first))


def _within(inner: Any, outer: Any) -> bool:
    return len(inner) <= len(outer) and all(element in outer for element in inner)


@builtin(
    "clojure.set/select",
    "(clojure.set/select pred set)",
    "The elements that fit.",
    "(set/select even? #{1 2 4})",
    "#{2 4}",
)
def select(pred: Any, whole: Any, /) -> Any:
    if whole is None:
        return None
    fitting = []
    for element in _set("clojure.set/select", whole):
        answer = pred(element)
        if answer is not None and answer is not False:
            fitting.append(element)
    return Set(fitting)


# ---------------------------------------------------------------------- maps
def _map(name: str, value: Any, what: str) -> Any:
    if value.__class__ is Map:
        return value
    if value is None:
        return Map()
    raise type_error(name, what, "a map or nil", value)


@builtin(
    "clojure.set/map-invert",
    "(clojure.set/map-invert map)",
    "The map with values as keys and keys as values; of equal values the last wins.",
    "(set/map-invert {:a 1 :b 2})",
    "{1 :a 2 :b}",
)
def map_invert(coll: Any, /) -> Map:
    entries = _map("clojure.set/map-invert", coll, "the map").items()
    return Map([(value, key) for key, value in paced(entries)])


@builtin(
    "clojure.set/rename-keys",
    "(clojure.set/rename-keys map new-names)",
    "The map with its keys renamed as a map of old to new says; renamed entries come last.",
    "(set/rename-keys {:a 1 :b 2} {:a :x})",
    "{:b 2 :x 1}",
)
def rename_keys(coll: Any, names: Any, /) -> Any:
    name = "clojure.set/rename-keys"
    renaming = _map(name, names, "the new names")
    return None if coll is None else _renamed(_map(name, coll, "the map"), renaming)


def _renamed(source: Any, renaming: Any) -> Any:
    result = source
    for old in renaming:
        result = result.dissoc(old)
    return result.merge_pairs([(new, source.get(old)) for old, new in renaming.items() if old in source])


# ---------------------------------------------------------------------- relations: sets (or sequences) of maps
def _rows(name: str, relation: Any) -> list[Any]:
    rows = list(items(name, relation))
    for row in rows:
        if row.__class__ is not Map:
            raise type_error(name, "an element of the relation", "a map", row)
    return rows


@builtin(
    "clojure.set/project",
    "(clojure.set/project relation keys)",
    "The maps of a set with only those keys.",
    "(set/project #{{:a 1 :b 2} {:a 3 :b 4}} [:a])",
    "#{{:a 1} {:a 3}}",
)
def project(relation: Any, keys: Any, /) -> Set:
    return Set(select_keys(row, keys) for row in _rows("clojure.set/project", relation))


@builtin(
    "clojure.set/rename",
    "(clojure.set/rename relation new-names)",
    "The maps of a set with their keys renamed.",
    "(set/rename #{{:a 1}} {:a :x})",
    "#{{:x 1}}",
)
def rename(relation: Any, names: Any, /) -> Set:
    name = "clojure.set/rename"
    renaming = _map(name, names, "the new names")
    return Set(_renamed(row, renaming) for row in _rows(name, relation))


@builtin(
    "clojure.set/index",
    "(clojure.set/index relation keys)",
    "The maps of a set, grouped by what they have at the keys.",
    "(set/index #{{:a 1 :b 2}} [:a])",
    "{{:a 1} #{{:a 1 :b 2}}}",
)
def index(relation: Any, keys: Any, /) -> Map:
    return _indexed(_rows("clojure.set/index", relation), keys)


def _indexed(rows: list[Any], keys: Any) -> Map:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(select_keys(row, keys), []).append(row)
    return Map.of_plain({key: Set(group) for key, group in found.items()})


@builtin(
    "clojure.set/join",
    "(clojure.set/join relation other key-names?)",
    "The maps of two sets that agree, merged: at the keys that both have, or at the pairs of a map of keys.",
    "(set/join #{{:id 1 :n 2}} #{{:id 1 :m 3}})",
    "#{{:id 1 :n 2 :m 3}}",
)
def join(left: Any, right: Any, pairs: Any = None, /) -> Set:
    name = "clojure.set/join"
    rows, others = _rows(name, left), _rows(name, right)
    if pairs is None:
        if not rows or not others:
            return _EMPTY
        shared = [key for key in rows[0] if key in others[0]]
        renaming = Map([(key, key) for key in shared])
    else:
        renaming = _map(name, pairs, "the key names")
    # As Clojure does: the smaller one is indexed, and what the larger has wins.
    if len(rows) <= len(others):
        rows, others, renaming = others, rows, map_invert(renaming)
    wanted = Vector(renaming.keys())
    found = _indexed(others, vals(renaming))
    joined: list[Any] = []
    for row in rows:
        for other in found.get(_renamed(select_keys(row, wanted), renaming), ()):
            joined.append(other.merge_pairs(row.items()))
            spend(1)
    return Set(joined)
