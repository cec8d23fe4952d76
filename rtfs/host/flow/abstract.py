"""Abstract labels of values, computed before a program runs: the possible sources of a value, its certain sources, the
values that may have decided about it, and the functions that may be in it.

Must not know programs. Invariants: joining forgets nothing that may be and keeps only what is certain; whatever is not
known is `ANYTHING`.
"""

from __future__ import annotations

from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, List, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Kids = dict[Any, "Abstract"] | list["Abstract"]

Atom = tuple[str, tuple[str, ...]]
"""A source: its id (as in `rtfs.flow.label`), and the first fields on the path down its answer that are known."""
ANY: Atom = ("*", ())
"""Any source at all."""
PLAN: Atom = ("plan", ())
MODEL: Atom = ("model", ())
INPUT: Atom = ("input", ())
Atoms = frozenset[Atom]
NONE: Atoms = frozenset()
_MOST = 60
"""Sources that are told apart; more are any."""


class Abstract:
    """data, control: what may have contributed to a value, or decided about it. must: ids of sources that certainly
    contributed. kids: what its elements are, by key or in order, where all are known. functions: that may be in it.
    answer: the source whose answer, or part of it, this is as it came. literal: the text of a constant, or None."""

    __slots__ = ("answer", "control", "data", "functions", "kids", "literal", "must")

    def __init__(
        self,
        data: Atoms = NONE,
        control: Atoms = NONE,
        must: frozenset[str] = frozenset(),
        kids: Kids | None = None,
        functions: frozenset[Any] = frozenset(),
        answer: Atom | None = None,
        literal: str | None = None,
    ) -> None:
        self.data = data if len(data) <= _MOST else data | {ANY}
        self.control = control if len(control) <= _MOST else control | {ANY}
        self.must = must
        self.kids = kids
        self.functions = functions
        self.answer = answer
        self.literal = literal

    def parts(self) -> list[Abstract]:
        """The elements that are told apart."""
        if self.kids is None:
            return []
        return list(self.kids.values()) if isinstance(self.kids, dict) else self.kids

    def whole(self) -> Abstract:
        """The value with everything in it, as one."""
        if self.kids is None:
            return self
        parts = [part.whole() for part in self.parts()]
        return Abstract(
            self.data.union(*[part.data for part in parts]),
            self.control.union(*[part.control for part in parts]),
            self.must.union(*[part.must for part in parts]),
            None,
            self.functions.union(*[part.functions for part in parts]),
        )

    def everything(self) -> Atoms:
        """All sources that may have contributed or decided."""
        whole = self.whole()
        return whole.data | whole.control

    def decided(self, by: Atoms) -> Abstract:
        """The same value, chosen by something."""
        if by <= self.control:
            return self
        return Abstract(self.data, self.control | by, self.must, self.kids, self.functions, self.answer, self.literal)

    def at_key(self, key: str) -> Abstract:
        """The value at a key, a keyword or a string."""
        by = self.data | self.control
        if isinstance(self.kids, dict):
            found = self.kids.get(key)
            return Abstract(NONE, by) if found is None else found.decided(by)
        whole = self.whole()
        if self.answer is not None:
            inner = (self.answer[0], (*self.answer[1], key))
            data = (self.data - {self.answer}) | {inner}
            return Abstract(data, by, frozenset(), None, self.functions, inner)
        return Abstract(whole.data, whole.control | by, frozenset(), None, whole.functions)

    def element(self, index: int | None = None) -> Abstract:
        """The value at an index; without an index, any element."""
        by = self.data | self.control
        if isinstance(self.kids, list):
            if index is not None:
                return self.kids[index].decided(by) if 0 <= index < len(self.kids) else Abstract(NONE, by)
            return alternatives(self.kids).decided(by) if self.kids else Abstract(NONE, by)
        whole = self.whole()
        answer = self.answer if self.kids is None else None
        return Abstract(whole.data, whole.control | by, frozenset(), None, whole.functions, answer)


ANYTHING = Abstract(frozenset((ANY,)), frozenset((ANY,)))
NOTHING = Abstract()


def joined(values: Iterable[Abstract], certain: bool = True) -> Abstract:
    """The join of several values. certain: each of them contributes for certain, if it has anything to contribute."""
    data, control = NONE, NONE
    must: frozenset[str] = frozenset()
    functions: frozenset[Any] = frozenset()
    for value in values:
        whole = value.whole()
        data, control = data | whole.data, control | whole.control
        functions = functions | whole.functions
        if certain:
            must = must | whole.must
    return Abstract(data, control, must, None, functions)


def alternatives(values: Iterable[Abstract]) -> Abstract:
    """A value that is one of these."""
    found: Abstract | None = None
    for value in values:
        found = value if found is None else _either(found, value)
    return NOTHING if found is None else found


def _either(a: Abstract, b: Abstract) -> Abstract:
    if a is b:
        return a
    kids: Any = None
    if isinstance(a.kids, dict) and isinstance(b.kids, dict) and a.kids.keys() == b.kids.keys():
        kids = {key: _either(kid, b.kids[key]) for key, kid in a.kids.items()}
    elif isinstance(a.kids, list) and isinstance(b.kids, list) and len(a.kids) == len(b.kids):
        kids = [_either(one, other) for one, other in zip(a.kids, b.kids, strict=True)]
    elif a.kids is not None or b.kids is not None:
        a, b = a.whole(), b.whole()
    return Abstract(
        a.data | b.data,
        a.control | b.control,
        a.must & b.must,
        kids,
        a.functions | b.functions,
        a.answer if a.answer == b.answer else None,
        a.literal if a.literal == b.literal else None,
    )


def same(a: Abstract, b: Abstract) -> bool:
    """Whether two say the same."""
    if a is b:
        return True
    if (a.data, a.control, a.must, a.functions, a.answer) != (b.data, b.control, b.must, b.functions, b.answer):
        return False
    if isinstance(a.kids, dict) and isinstance(b.kids, dict):
        return a.kids.keys() == b.kids.keys() and all(same(kid, b.kids[key]) for key, kid in a.kids.items())
    if isinstance(a.kids, list) and isinstance(b.kids, list):
        return len(a.kids) == len(b.kids) and all(same(one, two) for one, two in zip(a.kids, b.kids, strict=True))
    return a.kids is None and b.kids is None


def constant(value: Any, literal: Atoms) -> Abstract:
    """A constant of a program's text. literal: what constants come from."""
    if value.__class__ is Map:
        pairs = [(name_of(key), item) for key, item in value.items()]
        if all(name is not None for name, _ in pairs):
            return Abstract(literal, kids={str(name): constant(item, literal) for name, item in pairs})
    if value.__class__ in (Vector, List):
        return Abstract(literal, kids=[constant(item, literal) for item in value])
    return Abstract(literal, NONE, frozenset(one for one, _ in literal), literal=to_text(value))


def wrapped(functions: frozenset[Any]) -> frozenset[Any]:
    """The same functions, somewhere in a value that is called in another way than they are."""
    return frozenset(-abs(one) if one.__class__ is int else one for one in functions)


def name_of(key: Any) -> str | None:
    """The text of a key that rules can name, or None."""
    return key.name if key.__class__ is Keyword else key if key.__class__ is str else None


def key_of(literal: str | None) -> str | None:
    """The same of the text of a constant."""
    if literal is None:
        return None
    if literal.startswith(":"):
        return literal[1:]
    return literal[1:-1] if literal.startswith('"') and "\\" not in literal else None


def picked(value: Abstract, literal: str | None) -> Abstract | None:
    """The value that `get`, `nth` or `first` takes from a display."""
    if isinstance(value.kids, list):
        return value.element(int(literal) if literal is not None and literal.isdigit() else None)
    name = key_of(literal)
    return None if name is None else value.at_key(name)
