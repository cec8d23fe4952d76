"""Literals: vectors that are the same each time they are evaluated, so that one is made for all times.

Knows nothing of Python code. Invariant: values never change, so that nobody but `identical?` could tell.
"""

from __future__ import annotations

from rtfs.compiler.analysis.nodes import Const, VectorDisplay
from rtfs.values import Keyword, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 4
"""Levels of vectors in a literal, at most; a deeper one would be looked through at each level."""
_ATOMS = frozenset((str, int, float, bool, Keyword, type(None)))


def constant_vector(node: VectorDisplay, deepest: int = DEEPEST) -> Any:
    """The vector that a display of nothing but atoms and such vectors makes; None for any other."""
    found: list[Any] = []
    for item in node.items:
        if isinstance(item, Const) and item.value.__class__ in _ATOMS:
            found.append(item.value)
            continue
        inner = constant_vector(item, deepest - 1) if deepest > 1 and isinstance(item, VectorDisplay) else None
        if inner is None:
            return None
        found.append(inner)
    return Vector.of(found)
