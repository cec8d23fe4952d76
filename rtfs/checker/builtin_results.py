"""Results of standard functions where they depend on the arguments: parts of maps and vectors, constants.

Knows no nodes and reports nothing. Invariant: a result says nothing that is not true of every call.
"""

from __future__ import annotations

from rtfs.checker.control import element_of
from rtfs.checker.facts import ANY, FALSE, NIL, NUMBERS, SEQUENCES, TRUE, UNKNOWN, Fact, join, kinds, of_kinds
from rtfs.checker.higher_order import Composed, Partial
from rtfs.values import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Result = Callable[[list[Fact]], Fact]

_PLAIN = (type(None), bool, int, float, str, Keyword)
_INT, _FLOAT, _BOOL, _NIL, _MAP = kinds("int"), kinds("float"), kinds("bool"), kinds("nil"), kinds("map")


def field_of(held: Fact, key: object) -> Fact | None:
    """The fact about the value at a key of a map: NIL where the map certainly has no such key, None if nothing is
    known."""
    if held.fields is None:
        return None
    found = held.fields.get(key)
    if found is not None:
        return found
    return NIL if held.closed else None


def _arithmetic(arguments: list[Fact]) -> Fact:
    found = _INT
    for one in arguments:
        if one.kinds == _FLOAT:
            return of_kinds(_FLOAT)
        if one.kinds != _INT:
            found = NUMBERS
    return of_kinds(found)


def _get(arguments: list[Fact]) -> Fact:
    held, key = arguments[0], arguments[1]
    if key.value is UNKNOWN or not held.only("map"):
        return ANY
    found = field_of(held, key.value)
    if found is None:
        return ANY
    return join(found.without(_NIL), arguments[2]) if len(arguments) == 3 else found


def _assoc(arguments: list[Fact]) -> Fact:
    held = arguments[0]
    if not held.only("map") or held.fields is None:
        return of_kinds(_MAP) if held.kinds is not None and held.kinds <= kinds("map", "nil") else ANY
    fields = dict(held.fields)
    for key, value in zip(arguments[1::2], arguments[2::2], strict=False):
        if key.value.__class__ is not Keyword and key.value.__class__ is not str:
            return of_kinds(_MAP)
        fields[key.value] = value
    return Fact(_MAP, fields=fields, closed=held.closed)


def _first(arguments: list[Fact]) -> Fact:
    held = arguments[0]
    if held.items is not None and held.kinds is not None and held.kinds <= SEQUENCES:
        return held.items[0] if held.items else NIL
    element = element_of(held)
    return ANY if element.kinds is None else join(element, NIL)


def equal(arguments: list[Fact]) -> Fact:
    """`=` of constants is a constant, so that a branch it rules out is known."""
    values = [one.value for one in arguments]
    if any(value.__class__ not in _PLAIN for value in values):
        return of_kinds(_BOOL)
    first = values[0]
    return TRUE if all(value.__class__ is first.__class__ and value == first for value in values) else FALSE


def _nth(arguments: list[Fact]) -> Fact:
    held, place = arguments[0], arguments[1].value
    if held.kinds is None or not held.kinds <= SEQUENCES:
        return ANY
    if held.items is not None and place.__class__ is int:
        if 0 <= place < len(held.items):
            return held.items[place]
        return arguments[2] if len(arguments) == 3 else ANY
    element = element_of(held)
    return element if len(arguments) == 2 or element.kinds is None else join(element, arguments[2])


def _second(arguments: list[Fact]) -> Fact:
    held = arguments[0]
    if held.items is not None and held.kinds is not None and held.kinds <= SEQUENCES:
        return held.items[1] if len(held.items) > 1 else NIL
    return _first(arguments)


def _get_in(arguments: list[Fact]) -> Fact:
    found = arguments[0]
    for key in arguments[1].items or (ANY,):
        if key.value.__class__ not in (Keyword, str) or not found.only("map"):
            return ANY
        part = field_of(found, key.value)
        if part is None:
            return ANY
        found = part
    return join(found.without(_NIL), arguments[2]) if len(arguments) == 3 else found


def decided(exact: frozenset[str], fact: Fact) -> Fact:
    """The result of a predicate that is true for exactly these kinds."""
    if fact.kinds is None or not fact.kinds:
        return of_kinds(_BOOL)
    return TRUE if fact.kinds <= exact else FALSE if fact.kinds.isdisjoint(exact) else of_kinds(_BOOL)


def _contains(arguments: list[Fact]) -> Fact:
    held, key = arguments
    if held.only("map") and held.fields is not None and _is_plain(key):
        if key.value in held.fields and held.closed:
            return TRUE
        if held.closed and key.value not in held.fields:
            return FALSE
    return of_kinds(_BOOL)


def _merge(arguments: list[Fact]) -> Fact:
    if not all(one.only("map") for one in arguments) or not arguments:
        return ANY
    fields: dict[object, Fact] = {}
    closed = True
    for one in arguments:
        if not one.closed or one.fields is None:  # it may have any key
            fields, closed = {}, False
        fields.update(one.fields or {})
    return Fact(_MAP, fields=fields, closed=closed)


def _dissoc(arguments: list[Fact]) -> Fact:
    held = arguments[0]
    if not held.only("map") or held.fields is None or any(not _is_plain(one) for one in arguments[1:]):
        return of_kinds(_MAP) if held.only("map") else ANY
    gone = [one.value for one in arguments[1:]]
    return Fact(_MAP, fields={k: v for k, v in held.fields.items() if k not in gone}, closed=held.closed)


def _is_plain(fact: Fact) -> bool:
    return fact.value.__class__ is Keyword or fact.value.__class__ is str


RESULTS: dict[str, Result] = {
    **dict.fromkeys(("+", "-", "*", "inc", "dec"), _arithmetic),
    "=": equal,
    "get": _get,
    "assoc": _assoc,
    "first": _first,
    "last": lambda arguments: (
        ANY if arguments[0].items is None else arguments[0].items[-1] if arguments[0].items else NIL
    ),
    "partial": lambda arguments: Fact(kinds("function"), function=Partial(arguments[0], arguments[1:])),
    "comp": lambda arguments: Fact(kinds("function"), function=Composed(arguments)) if arguments else ANY,
    "contains?": _contains,
    "nth": _nth,
    "second": _second,
    "get-in": _get_in,
    "merge": _merge,
    "dissoc": _dissoc,
    "for-source*": lambda arguments: (
        arguments[0] if arguments[0].kinds is not None and arguments[0].kinds <= SEQUENCES else Fact(kinds("vector"))
    ),
    "identity": lambda arguments: arguments[0],
}
"""Standard functions whose result says more than a kind."""

KEEPING: dict[str, int] = {
    **dict.fromkeys(("rest", "next", "reverse", "sort", "distinct", "dedupe", "vec", "butlast", "seq", "doall"), 0),
    **dict.fromkeys(("filter", "filterv", "remove", "take", "drop", "take-while", "drop-while", "take-last"), 1),
}
"""Standard functions that return elements of one of their arguments, and that argument's place."""
