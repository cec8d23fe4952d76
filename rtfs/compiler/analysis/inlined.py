"""Calls of standard functions that become something better than calls: tables that other modules fill.

Knows nothing of how; the analyser and the forms look here, so that they need not import what comes after them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CALLS: dict[str, Callable[..., Any]] = {}
"""Name of a standard function -> what makes a node of a call of it, or None: (analyser, form, name, scope) -> node.
Filled by forms/inlining.py and forms/changing.py."""

OPERATORS: dict[tuple[str, int], Callable[..., Any]] = {}
"""Name and number of arguments -> the function that makes a Python expression of the call. Filled by
codegen/operators.py."""

SELECTING = frozenset(("map", "filter", "remove", "keep", "map-indexed", "mapv", "filterv"))
"""Functions whose inlined calls collect the results of the rounds, or select."""
CHOOSING = frozenset(("filter", "filterv", "remove"))
"""The functions that keep elements, depending on the result of the round."""
AT_ONCE = frozenset(("mapv", "filterv"))
"""The functions that return a vector for every kind of collection."""
LAZILY = {"map": " lazy_map", "map-indexed": " lazy_map_indexed", "keep": " lazy_keep"}
"""The function for such a call on a lazy sequence, if it is not `lazy_filter`."""
DECIDING: dict[str, tuple[Any, bool, Any]] = {
    "every?": (True, False, False),
    "not-every?": (False, False, True),
    "some": (None, True, ...),
    "any?": (False, True, True),
    "not-any?": (True, True, False),
}
"""Functions whose inlined calls end with the round that decides -> (the answer if none does, whether a true value or a
false one does, the answer then: `...` for that value itself)."""

CHANGING = ("update", "update-in", "assoc-in")
"""Functions that change a collection along a path: inlined they are primitives `update/get` and `update/put`."""
GETS = frozenset([f"{name}/get" for name in CHANGING])
PUTS = frozenset([f"{name}/put" for name in CHANGING])
