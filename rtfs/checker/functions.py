"""Facts about the functions that a program defines: the number and types of their arguments, and their results.

Knows no nodes but by the inference that fills it. Invariant: a need is listed only if every call reaches the place that
has it.
"""

from __future__ import annotations

from rtfs.checker.facts import ANY, Fact, Kinds, kinds
from rtfs.checker.places import Placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.checker.places import Place


class Need(Placed):
    """The type that a parameter must have, because the function always passes it where no other type is accepted.

    kinds   the kinds taken there, or None
    type    the annotation that is checked there, or None
    place   where that is
    what    the function or annotation there: "+", "parameter x"
    called  it is called there
    passed  the parameter of another function that it is passed to there, as (parameter list, place), or None
    """

    __slots__ = ("called", "kinds", "passed", "type", "what")

    def __init__(
        self,
        kinds: Kinds | None,
        type: Any,
        place: Place | None,
        what: str,
        *,
        called: bool = False,
        passed: tuple[Parameters, int] | None = None,
    ) -> None:
        self.kinds = kinds
        self.type = type
        self.place = place
        self.what = what
        self.called = called
        self.passed = passed


class Parameters:
    """One parameter list: names, whether more arguments are collected, the needs of each parameter, the result."""

    __slots__ = ("names", "needs", "rest", "result")

    def __init__(self, names: tuple[str, ...], rest: bool) -> None:
        self.names = names
        self.rest = rest
        self.needs: list[list[Need]] = [[] for _ in names]
        self.result: Fact = ANY

    def all_needs(self, place: int) -> list[Need]:
        """The needs of a parameter, those of the functions that it is passed to included."""
        found: list[Need] = []
        seen: set[tuple[int, int]] = set()
        pending: list[tuple[Parameters, int]] = [(self, place)]
        while pending:
            one, at = pending.pop()
            if (id(one), at) in seen:
                continue
            seen.add((id(one), at))
            for need in one.needs[at]:
                if need.passed is None:
                    found.append(need)
                else:
                    pending.append(need.passed)
        return found


class Function(Placed):
    """A function of the program. name: as the program calls it; place: where it is defined, if that is known."""

    __slots__ = ("lists", "name")

    def __init__(self, name: str, lists: list[Parameters], place: Place | None = None) -> None:
        self.name = name
        self.lists = lists
        self.place = place

    def parameters(self, count: int) -> Parameters | None:
        """The parameter list for so many arguments, or None if there is none."""
        for one in self.lists:
            if count == len(one.names) and not one.rest:
                return one
        for one in self.lists:
            if one.rest and count >= len(one.names):
                return one
        return None

    def counts(self) -> str:
        """The numbers of arguments it takes, in words."""
        parts = []
        for one in sorted(self.lists, key=lambda each: (each.rest, len(each.names))):
            parts.append(f"{len(one.names)} or more" if one.rest else str(len(one.names)) if one.names else "no")
        words = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]
        plural = "" if words == "1" else "s"
        return f"{words} argument{plural}"

    def shape(self) -> str:
        """The shape of a call: `(f x y)`."""
        one = self.lists[0]
        parts = [self.name, *one.names, *(["& more"] if one.rest else [])]
        return f"({' '.join(parts)})"


class Standard:
    """A standard function as a value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_standard: dict[str, Fact] = {}


def standard_function(name: str) -> Fact:
    """The fact about a standard function as a value."""
    found = _standard.get(name)
    if found is None:
        found = _standard[name] = Fact(kinds("function"), function=Standard(name))
    return found
