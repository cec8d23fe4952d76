"""The account of work that passes no step of generated code: elements that standard functions go through.

Must not know who keeps the budget: a machine sets `account.pay` and gets what was spent, in portions, when a function
is called. Invariant: no function goes through many elements unaccounted, so that loops of functions within functions
meet the limits too.
"""

from __future__ import annotations

from rtfs.values.lazy import hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PORTION = 20_000
"""Elements that are spent between two calls of `pay`."""


class Account:
    """spent: elements not paid yet. pay: takes their number, may raise, may stop the program for a while."""

    __slots__ = ("pay", "spent")

    def __init__(self) -> None:
        self.spent = 0
        self.pay: Callable[[int], None] | None = None


account = Account()


def spend(elements: int) -> None:
    """Note that a function goes through `elements` elements."""
    account.spent = spent = account.spent + elements
    if spent > PORTION:
        account.spent = 0
        if account.pay is not None:
            account.pay(spent)


hooks.spend = spend
