"""Clojure's transients as the pure functions they speed up: collections here are built fast without them.

Must not know how collections are changed. Invariant: a program that uses their results, as Clojure demands, gets the
same value as in Clojure; nothing is ever changed in place.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import type_error
from rtfs.builtins.building import conj
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.maps import assoc, dissoc
from rtfs.builtins.sets import disj
from rtfs.builtins.slicing import pop
from rtfs.values import Map, Set, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin("transient", "(transient coll)", "The collection itself.", "(persistent! (conj! (transient []) 1))", "[1]")
def transient(coll: Any, /) -> Any:
    if coll.__class__ not in (Vector, Map, Set):
        raise type_error("transient", "the collection", "a vector, map or set", coll)
    return coll


@builtin("persistent!", "(persistent! coll)", "The collection itself.", "(persistent! (transient [1]))", "[1]")
def persistent(coll: Any, /) -> Any:
    return coll


@builtin("conj!", "(conj! coll? & items)", "`conj`, by its name for transients.", "(conj! (transient [1]) 2)", "[1 2]")
def conj_transient(coll: Any = MISSING, /, *items: Any) -> Any:
    return conj(coll, *items)


@builtin(
    "assoc!",
    "(assoc! coll key value & more)",
    "`assoc`, by its name for transients.",
    "(assoc! (transient {}) :a 1)",
    "{:a 1}",
)
def assoc_transient(coll: Any, key: Any, value: Any, /, *more: Any) -> Any:
    return assoc(coll, key, value, *more)


@builtin(
    "dissoc!",
    "(dissoc! map & keys)",
    "`dissoc`, by its name for transients.",
    "(dissoc! (transient {:a 1}) :a)",
    "{}",
)
def dissoc_transient(coll: Any, /, *keys: Any) -> Any:
    return dissoc(coll, *keys)


@builtin(
    "disj!",
    "(disj! set & items)",
    "`disj`, by its name for transients.",
    "(disj! (transient #{1 2}) 1)",
    "#{2}",
)
def disj_transient(coll: Any, /, *items: Any) -> Any:
    return disj(coll, *items)


@builtin("pop!", "(pop! vector)", "`pop`, by its name for transients.", "(pop! (transient [1 2]))", "[1]")
def pop_transient(coll: Any, /) -> Any:
    return pop(coll)
