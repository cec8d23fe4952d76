"""Sets: making them, and taking elements away.

Must not know how sets keep their elements. Invariant: elements stay in the order in which they were added.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import type_error
from rtfs.builtins.collection_support import items
from rtfs.builtins.declare import builtin
from rtfs.values import Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "set", "(set coll)", "The set of the elements of a collection.", "(set [1 2 2 3])", "#{1 2 3}", "(set nil)", "#{}"
)
def set_(coll: Any, /) -> Any:
    return coll if coll.__class__ is Set else Set(items("set", coll))


@builtin("hash-set", "(hash-set & items)", "The set of the arguments.", "(hash-set 1 2 1)", "#{1 2}")
def hash_set(*elements: Any) -> Any:
    return Set(elements)


@builtin(
    "disj",
    "(disj set & items)",
    "The set without the items; nil stays nil.",
    "(disj #{1 2 3} 2)",
    "#{1 3}",
    "(disj nil 1)",
    "nil",
)
def disj(coll: Any, /, *elements: Any) -> Any:
    if coll is None:
        return None
    if coll.__class__ is not Set:
        raise type_error("disj", "the collection", "a set or nil", coll)
    for element in elements:
        coll = coll.disj(element)
    return coll
