"""`(reduced x)`: a result that ends the reduction that gets it.

Knows nothing of reductions. Invariant: never an element of data that leaves a program; `reduce` and its kin unwrap it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Reduced:
    """value: the final result."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def unreduced(value: Any) -> Any:
    """The result inside of a `Reduced`; anything else as it is."""
    return value.value if value.__class__ is Reduced else value


def ensure_reduced(value: Any) -> Reduced:
    """`value` as a `Reduced`, if it is not one already."""
    return value if value.__class__ is Reduced else Reduced(value)
