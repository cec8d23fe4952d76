"""The account of work that passes no step of generated code: elements that standard functions, equality, order and the
printer go through.

Must not know the owner of the budget: a machine sets `account.pay`, a function that gets the spent steps in portions.
Invariants: no function goes through many elements unaccounted, so that loops of functions within functions meet the
limits too; none runs for long without `spend` or `look`, in which the machine checks the clock and the memory and lets
others take their turn.
"""

from __future__ import annotations

from itertools import chain, islice
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

PORTION = 20_000
"""Elements that are spent between two calls of `pay`: about a millisecond of the cheapest work."""
PART = 512
"""Elements of a collection that is gone through without a look at the clock, at most."""
FIRST_PART, LONGEST_PART = 32, 8192
"""Elements that a function of the program is called with between two looks at the clock, at first and at most."""
PART_TIME = 0.001
LARGE = 100_000
"""Elements, or characters, that take long to go through even in C."""
PIECE = 1 << 16
"""Elements that are copied between two looks at the clock: a millisecond, where there is room, of which making some is
most."""
STRETCH = 256


class Account:
    """spent: elements not paid yet. pay: takes their number, may raise, may stop the program for a while."""

    __slots__ = ("pay", "spent", "worked")

    def __init__(self) -> None:
        self.spent = 0
        self.worked = 0
        self.pay: Callable[[int], None] | None = None


account = Account()


def spend(elements: int) -> None:
    """Note that a function goes through `elements` elements."""
    account.spent = spent = account.spent + elements
    if spent > PORTION:
        account.spent = 0
        if account.pay is not None:
            account.pay(spent)


def look() -> None:
    """Let the machine look at the clock, at no charge."""
    if account.pay is not None:
        account.pay(0)


def work() -> None:
    """Note a piece of work of ten microseconds or so, as compiling a form is: the machine looks at the clock now and
    then."""
    account.worked += 1
    if not account.worked & 0x7F:
        look()


def portions(elements: Any) -> Iterable[Any]:
    """Sized elements that are paid for, in parts between which the machine looks at the clock: the loop that goes
    through them calls functions of the program, which may take any time."""
    return (elements,) if len(elements) <= PART else _parts(elements)


def copied(items: list[Any], start: int, stop: int) -> list[Any]:
    """`items[start:stop]` of a list of which that part does not change, with looks at the clock in between."""
    if stop - start <= PIECE:
        return items[start:stop]
    found: list[Any] = []
    for at in range(start, stop, PIECE):
        found += items[at : min(at + PIECE, stop)]
        look()
    return found


def let_go(items: list[Any]) -> None:
    """Empty a list that nothing else uses, with looks at the clock in between."""
    while len(items) > PIECE:
        del items[-PIECE:]
        look()
    items.clear()


def filled(numbers: range) -> list[int]:
    """The integers as a list, accounted for, with looks at the clock in between."""
    if len(numbers) <= PIECE:
        spend(len(numbers) >> 3)
        return list(numbers)
    found: list[int] = []
    for start in range(0, len(numbers), PIECE):
        spend(PIECE >> 3)
        found += numbers[start : start + PIECE]
        look()
    return found


def listed(elements: Any) -> list[Any]:
    """Any iterable as a fresh list, with looks at the clock in between."""
    if hasattr(elements, "to_list"):
        return elements.to_list()  # type: ignore[no-any-return]
    if hasattr(elements, "__len__") and len(elements) <= PIECE:
        return list(elements)
    return gathered(elements)


def gathered(elements: Iterable[Any]) -> list[Any]:
    """`listed`, of an iterable that is surely long."""
    found: list[Any] = []
    for part in stretches(elements, PIECE):
        found += part
    return found


def stretches(elements: Iterable[Any], size: int = STRETCH) -> Iterator[list[Any]]:
    """Any iterable in lists of `size` elements at most, between which the machine looks at the clock. For what is put
    into a dict: a key that was chosen to collide takes as long as there are keys already, so that a list that takes
    more than some milliseconds is followed by a shorter one."""
    rest = iter(elements)
    most, begun = size, monotonic()
    while part := list(islice(rest, size)):
        yield part
        if len(part) < size:
            return
        took = monotonic() - begun
        if took > PART_TIME * 4:
            size = max(size >> 1, 1)
        elif size < most and took < PART_TIME:
            size = min(size * 2, most)
        look()
        begun = monotonic()


def in_stretches(elements: Any) -> Iterable[Any]:
    """The elements in stretches: few of them in one."""
    return (elements,) if hasattr(elements, "__len__") and len(elements) <= STRETCH else stretches(elements)


def paced(elements: Any) -> Iterable[Any]:
    """Sized elements that are paid for, one by one, with looks at the clock in between (see `portions`)."""
    return elements if len(elements) <= PART else chain.from_iterable(_parts(elements))


_SLICED = frozenset((list, range, tuple, str))


def _parts(elements: Any) -> Iterator[Any]:
    """Parts that take a millisecond or two each, as far as the ones before tell."""
    size, begun = FIRST_PART, monotonic()
    whole = elements
    if elements.__class__ not in _SLICED:
        whole = listed(elements)
    start = 0
    while part := whole[start : start + size]:
        start += size
        yield part
        took = monotonic() - begun
        if took < PART_TIME:
            size = min(size * 2, LONGEST_PART)
        elif took > PART_TIME * 4 and size > 1:
            size >>= 1
        look()
        begun = monotonic()
