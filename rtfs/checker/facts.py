"""Facts about values: the kinds it can have and, where they are known, its parts.

Success typing: a `Fact` lists what a value can be, and claims nothing it cannot prove. Knows no schemas and no nodes.
Invariant: `kinds` holds every kind the value can have (None: any); details (`value`, `fields`, `items`, `element`,
`function`) are true of the value whenever it is of the kind that they belong to.
"""

from __future__ import annotations

from rtfs.values import Keyword, List, Map, Symbol, Vector
from rtfs.values.step_account import paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Kinds = frozenset[str]

UNKNOWN: Any = object()
"""An unknown constant."""

_DEEPEST = 6
"""Levels of a constant whose parts are described one by one."""
_WIDEST = 64
"""Parts of a constant that are described one by one."""


class Fact:
    """The inferred facts about one value.

    kinds     names of kinds (`int`, `map`, `nil` …), or None for any
    value     the constant it is, or UNKNOWN
    fields    of a map: what is known under its known keys
    closed    of a map: it has no other keys than those of `fields`
    items     of a vector or list: its elements, if their number is known
    element   of a sequence or set: what each element is
    function  of a function: what is known of its parameters and result
    """

    __slots__ = ("closed", "element", "fields", "function", "items", "kinds", "value")

    def __init__(
        self,
        kinds: Kinds | None,
        value: Any = UNKNOWN,
        *,
        fields: dict[Any, Fact] | None = None,
        closed: bool = False,
        items: tuple[Fact, ...] | None = None,
        element: Fact | None = None,
        function: Any = None,
    ) -> None:
        self.kinds = kinds
        self.value = value
        self.fields = fields
        self.closed = closed
        self.items = items
        self.element = element
        self.function = function

    def only(self, kind: str) -> bool:
        """Whether the value is certainly of this kind."""
        return self.kinds is not None and len(self.kinds) == 1 and kind in self.kinds

    def may_be(self, kinds: Iterable[str]) -> bool:
        """Whether the value can be of one of these kinds."""
        return self.kinds is None or not self.kinds.isdisjoint(kinds)

    def without(self, kinds: Kinds) -> Fact:
        """The same value where a test has ruled these kinds out."""
        if self.kinds is None or self.kinds.isdisjoint(kinds):
            return self
        return self._with_kinds(self.kinds - kinds)

    def within(self, kinds: Kinds) -> Fact:
        """The same value where a test has shown that it is of one of these kinds."""
        if self.kinds is None:
            return self._with_kinds(kinds)
        return self if self.kinds <= kinds else self._with_kinds(self.kinds & kinds)

    def _with_kinds(self, kinds: Kinds) -> Fact:
        return Fact(
            kinds,
            value=self.value,
            fields=self.fields,
            closed=self.closed,
            items=self.items,
            element=self.element,
            function=self.function,
        )

    def __repr__(self) -> str:
        return f"<{describe(self)}>"


def kinds(*names: str) -> Kinds:
    return frozenset(names)


NUMBERS = kinds("int", "float")
SEQUENCES = kinds("vector", "list", "lazy")
FALSY = kinds("nil", "bool")
_NIL = kinds("nil")
CALLABLE = kinds("function", "keyword", "map", "vector", "set", "symbol")

ANY = Fact(None)
_NOTHING: Kinds = frozenset()
NEVER = Fact(_NOTHING)
"""No value: the expression raises, recurs or cannot be reached."""


def never(facts: Iterable[Fact]) -> bool:
    """Whether one of these expressions has no value, so that nothing after them is reached."""
    for one in facts:  # noqa: SIM110 - a generator would cost more than what it does
        if one.kinds is not None and not one.kinds:
            return True
    return False


NIL = Fact(kinds("nil"), value=None)
TRUE = Fact(kinds("bool"), value=True)
FALSE = Fact(kinds("bool"), value=False)

_KINDS_OF_CLASS: dict[type, str] = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    Keyword: "keyword",
    Symbol: "symbol",
    Vector: "vector",
    List: "list",
    Map: "map",
}

_PLAIN: dict[Kinds, Fact] = {}
_ALONE = {kind: kinds(kind) for kind in (*_KINDS_OF_CLASS.values(), "set", "regex")}
WITHOUT_PARTS = {
    found: _ALONE[kind] for found, kind in _KINDS_OF_CLASS.items() if kind not in ("vector", "list", "map")
}
"""Class of a constant of which nothing is described but itself → its kind, alone."""


def of_kinds(names: Kinds | None) -> Fact:
    """A value of some kinds of which nothing else is known; one object for each set of kinds."""
    if names is None:
        return ANY
    fact = _PLAIN.get(names)
    if fact is None:
        fact = _PLAIN[names] = Fact(names)
    return fact


def kind_of(value: Any) -> str | None:
    """The kind of a constant, or None for a value this module does not describe."""
    kind = _KINDS_OF_CLASS.get(value.__class__)
    if kind is None:
        name = value.__class__.__name__
        kind = {"Set": "set", "Regex": "regex"}.get(name)
    return kind


_KEYWORDS: dict[Keyword, Fact] = {}
"""Facts about keywords, most of which a program names more than once."""
_MOST_KEYWORDS = 2_000


def of_value(value: Any, depth: int = 0) -> Fact:
    """The fact about a constant."""
    if value.__class__ is Keyword:
        known = _KEYWORDS.get(value)
        if known is not None:
            return known
    alone = WITHOUT_PARTS.get(value.__class__)
    if alone is not None:
        made = Fact(alone, value)
        if value.__class__ is Keyword:
            if len(_KEYWORDS) >= _MOST_KEYWORDS:
                _KEYWORDS.clear()
            _KEYWORDS[value] = made
        return made
    kind = kind_of(value)
    if kind is None:
        return ANY
    if kind in ("vector", "list") and depth < _DEEPEST and len(value) <= _WIDEST:
        items = tuple([of_value(item, depth + 1) for item in value])
        return Fact(kinds(kind), value=value, items=items, element=join_all(items))
    if kind == "map" and depth < _DEEPEST and len(value) <= _WIDEST and has_plain_keys(value):
        fields = {key: of_value(part, depth + 1) for key, part in value.items()}
        return Fact(kinds(kind), value=value, fields=fields, closed=True)
    return Fact(_ALONE[kind], value=value)


def has_plain_keys(keys: Iterable[Any]) -> bool:
    """Whether all keys are keywords or texts, so that a Python dict tells them apart as the language does."""
    return all(key.__class__ is Keyword or key.__class__ is str for key in keys)


def join(left: Fact, right: Fact) -> Fact:
    """The fact about a value that is one of two."""
    if left is right:
        return left
    if not left.kinds or not right.kinds:  # anything or nothing
        return left if right.kinds == _NOTHING else right if left.kinds == _NOTHING else ANY
    both = left.kinds | right.kinds
    if left.value is not UNKNOWN and right.value is not UNKNOWN and _same(left.value, right.value):
        return left
    # Details hold only where the other side cannot be of the kind they describe.
    detailed = _detail_of(left, right) or _detail_of(right, left)
    if detailed is not None:
        return Fact(
            both,
            fields=detailed.fields,
            closed=detailed.closed,
            items=detailed.items,
            element=detailed.element,
            function=detailed.function,
        )
    fields = None
    closed = False
    if left.fields is not None and right.fields is not None:
        fields = {key: join(part, right.fields[key]) for key, part in left.fields.items() if key in right.fields}
        closed = left.closed and right.closed and left.fields.keys() == right.fields.keys()
    element = join(left.element, right.element) if left.element is not None and right.element is not None else None
    if fields is None and element is None:
        return of_kinds(both)
    return Fact(both, fields=fields, closed=closed, element=element)


def _detail_of(one: Fact, other: Fact) -> Fact | None:
    """`one`, if it is described in detail and the other value is nil or a scalar."""
    assert other.kinds is not None
    if not other.kinds <= _SCALARS:
        return None
    if one.fields is None and one.items is None and one.element is None and one.function is None:
        return None
    return one


_SCALARS = kinds("nil", "bool", "int", "float", "string", "symbol", "regex")


def _same(left: Any, right: Any) -> bool:
    return left is right or (left.__class__ is right.__class__ and left.__class__ in _ATOMS and left == right)


_ATOMS = (int, float, str, bool, type(None), Keyword)


def join_all(facts: Iterable[Fact]) -> Fact:
    """The fact about a value that is one of several; NEVER for an empty list."""
    found = NEVER
    for fact in facts if facts.__class__ is not list else paced(facts):
        found = join(found, fact)
    return found


def truth(fact: Fact) -> bool | None:
    """Whether a value counts as true, if that is certain."""
    if fact.value is not UNKNOWN:
        return fact.value is not None and fact.value is not False
    if fact.kinds is None or not fact.kinds:
        return None
    if fact.kinds.isdisjoint(FALSY):
        return True
    return False if fact.kinds <= _NIL else None


NAMES = {
    "nil": "nil",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a float",
    "string": "a string",
    "keyword": "a keyword",
    "symbol": "a symbol",
    "vector": "a vector",
    "list": "a list",
    "lazy": "a lazy sequence",
    "map": "a map",
    "set": "a set",
    "regex": "a regular expression",
    "function": "a function",
    "error": "an error",
}
_ORDER = list(NAMES)


def describe_kinds(names: Iterable[str]) -> str:
    """Kinds in words: "a string or nil"."""
    known = set(names)
    if known == set(NAMES):
        return "anything"
    if known >= NUMBERS:
        words = ["a number"]
        known -= NUMBERS
    else:
        words = []
    words += [NAMES[name] for name in sorted(known, key=_ORDER.index) if name != "nil"]
    if "nil" in known:
        words.append("nil")
    if not words:
        return "no value"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def describe(fact: Fact) -> str:
    """The value in words, the constant itself if it is short."""
    if fact.kinds is None:
        return "anything"
    if fact.value is not UNKNOWN and fact.kinds and len(fact.kinds) == 1:
        from rtfs.builtins.argument_errors import shown

        return shown(fact.value)
    return describe_kinds(fact.kinds)
