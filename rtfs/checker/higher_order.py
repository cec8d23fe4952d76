"""Functions that are given to functions: what a standard function passes to the one that it gets, what `partial` and
`comp` make.

Knows no capabilities. Invariant: what `PASSED` says is true of every call that the standard function makes.
"""

from __future__ import annotations

from rtfs.checker.control import element_of
from rtfs.checker.facts import ANY, SEQUENCES, UNKNOWN, Fact, kinds, of_kinds
from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Passed = Callable[[list[Fact]], list[Fact] | None]


class Partial:
    """The value of `(partial f a…)`. function: the fact about f; given: those about the arguments."""

    __slots__ = ("function", "given")

    def __init__(self, function: Fact, given: list[Fact]) -> None:
        self.function = function
        self.given = given


class Composed:
    """The value of `(comp f g…)`; the last function is called first."""

    __slots__ = ("functions",)

    def __init__(self, functions: list[Fact]) -> None:
        self.functions = functions


def _elements(arguments: list[Fact]) -> list[Fact] | None:
    """`(map f a b…)`: an element of each collection."""
    return [element_of(one) for one in arguments[1:]] if len(arguments) > 1 else None


def _last(arguments: list[Fact]) -> list[Fact] | None:
    """`(filter f coll)`, `(sort-by f compare coll)`: an element of the last collection."""
    return [element_of(arguments[-1])] if len(arguments) > 1 else None


def _indexed(arguments: list[Fact]) -> list[Fact] | None:
    return [of_kinds(kinds("int")), element_of(arguments[1])] if len(arguments) == 2 else None


def _folded(arguments: list[Fact]) -> list[Fact] | None:
    """`(reduce f initial coll)`: what the function gave before is not known here."""
    return [ANY, element_of(arguments[-1])] if len(arguments) == 3 else None


def _reduced(arguments: list[Fact]) -> list[Fact] | None:
    return _folded(arguments) or ([ANY, element_of(arguments[1])] if len(arguments) == 2 else None)


def _updated(arguments: list[Fact]) -> list[Fact] | None:
    """`(update m key f a…)`."""
    if len(arguments) < 3 or not arguments[0].only("map"):
        return None
    fields, key = arguments[0].fields, arguments[1].value
    held = None if fields is None or key is UNKNOWN or not _is_name(key) else fields.get(key)
    return [held or ANY, *arguments[3:]]


def _is_name(key: object) -> bool:
    from rtfs.values import Keyword

    return key.__class__ is Keyword or key.__class__ is str


def _spread(arguments: list[Fact]) -> list[Fact] | None:
    """`(apply f a… coll)` where the number of elements is known."""
    last = arguments[-1]
    if len(arguments) < 2 or last.items is None or last.kinds is None or not last.kinds <= SEQUENCES:
        return None
    return [*arguments[1:-1], *last.items]


PASSED: dict[str, tuple[int, Passed]] = {
    **dict.fromkeys(("map", "mapv", "mapcat", "pmap", "run!", "for*"), (0, _elements)),
    **dict.fromkeys(
        (
            *("filter", "filterv", "remove", "keep", "some", "every?", "not-any?", "not-every?", "take-while"),
            *("drop-while", "partition-by", "group-by", "sort-by", "max-by", "min-by", "split-with"),
        ),
        (0, _last),
    ),
    **dict.fromkeys(("map-indexed", "keep-indexed"), (0, _indexed)),
    "reduce": (0, _reduced),
    "reductions": (0, _folded),
    "apply": (0, _spread),
    "update": (2, _updated),
}
"""Standard function → the place of the function that it is given, and what it passes to that, where it is known."""


def stand_in(node: nodes.Invoke, function: nodes.Node, at: int, count: int) -> nodes.Invoke:
    """A call that is implied, not written, at a place of the text."""
    made = nodes.Invoke(at, function, [])
    made.arguments = [nodes.Broken(at) for _ in range(count)]
    return made
