"""Inference for calls of values: standard functions, functions of the program, keywords and collections as functions.

Knows no capabilities. Importing this module declares the handlers.
"""

from __future__ import annotations

from rtfs.checker.builtin_results import KEEPING, RESULTS, decided, equal, field_of
from rtfs.checker.builtin_signatures import argument_counts, signature
from rtfs.checker.control import callable_or_report, element_of, need, report_misfit
from rtfs.checker.differences import warn_of_difference
from rtfs.checker.facts import (
    ANY,
    CALLABLE,
    FALSE,
    NEVER,
    NIL,
    SEQUENCES,
    TRUE,
    UNKNOWN,
    Fact,
    describe,
    describe_kinds,
    join,
    join_all,
    kinds,
    never,
    of_kinds,
)
from rtfs.checker.functions import Function, Standard
from rtfs.checker.higher_order import PASSED, Composed, Partial, stand_in
from rtfs.checker.inference import Inference, infers
from rtfs.checker.narrowing import PREDICATES
from rtfs.checker.schemas import misfit
from rtfs.checker.suspicions import warn_of_nil, warn_of_text_for_pattern
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.machine.errors.arity import takes
from rtfs.values import Keyword
from rtfs.values.error import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.checker.functions import Need
    from rtfs.source import Span

CALLED = CALLABLE - kinds("symbol")
"""Kinds that standard functions accept as a function."""
_LOOKED_UP = kinds("nil", "map", "set", "error")
"""Kinds in which a keyword can be looked up."""
_MAP_OR_NIL = kinds("map", "nil")
_NIL, _BOOL = kinds("nil"), of_kinds(kinds("bool"))
_MAP, _VECTOR = kinds("map"), kinds("vector")


@infers(nodes.Invoke)
def infer_invoke(inference: Inference, node: nodes.Invoke) -> Fact:
    function = node.function
    if function.__class__ is nodes.Global and function.core:
        name = function.name
        if name in PASSED:
            return higher_order_call(inference, name, node)
        return standard_call(inference, name, node, inference.infer_all(node.arguments))
    fact = inference.infer(function)
    arguments = inference.infer_all(node.arguments)
    if never(arguments):
        return NEVER
    need(inference, function, CALLABLE, None, node.at, "a call", called=True)
    return value_call(inference, fact, node, arguments)


def value_call(inference: Inference, fact: Fact, node: nodes.Invoke, arguments: list[Fact]) -> Fact:
    """A call of a value. node: the call, as written, or as made for a call that is only implied."""
    if not callable_or_report(inference, fact, node.at):
        return NEVER
    function = fact.function if fact.only("function") else None
    if function.__class__ is Function:
        return program_call(inference, function, node, arguments)
    if function.__class__ is Standard:
        return standard_call(inference, function.name, node, arguments)
    if function.__class__ is Partial:
        arguments = [*function.given, *arguments]
        return value_call(
            inference, function.function, stand_in(node, node.function, node.at, len(arguments)), arguments
        )
    if function.__class__ is Composed:
        for place, one in enumerate(reversed(function.functions)):
            call = node if place == 0 else stand_in(node, node.function, node.at, 1)
            result = value_call(inference, one, call, arguments)
            if result.kinds == frozenset():
                return NEVER
            arguments = [result]
        return arguments[0]
    if fact.only("keyword") and fact.value is not UNKNOWN and 1 <= len(arguments) <= 2:
        return looked_up(inference, fact.value, arguments, node)
    if (
        fact.only("map")
        and fact.fields is not None
        and len(arguments) == 1
        and arguments[0].value.__class__ in (Keyword, str)
    ):
        return field_of(fact, arguments[0].value) or ANY
    return ANY


def higher_order_call(inference: Inference, name: str, node: nodes.Invoke) -> Fact:
    """A call of a standard function that calls what it is given: that is looked at with what it will be passed."""
    at, passed = PASSED[name]
    given = node.arguments[at] if at < len(node.arguments) else None
    arguments = [ANY if one is given else inference.infer(one) for one in node.arguments]
    told = None if given is None else passed(arguments)
    if isinstance(given, nodes.Fn) and told is not None:
        inference.passed[id(given)] = told
    if given is not None:
        arguments[at] = inference.infer(given)
    result = standard_call(inference, name, node, arguments)
    if told is None or given is None or result.kinds == frozenset() or never(told):
        return result
    function = arguments[at]
    certain = name in ("apply", "update") or all(
        one.items
        for place, one in enumerate(arguments)
        if place != at and (name != "reduce" or place == len(arguments) - 1)
    )
    if not certain and not _takes(function, len(told)):
        return result
    call = stand_in(node, given, given.at or node.at, len(told))
    gives = value_call(inference, function, call, told)
    if gives.kinds == frozenset():
        return NEVER if certain else result
    if name in ("map", "mapv", "pmap") and result.kinds is not None:
        return Fact(result.kinds, element=gives)
    if name == "apply":
        return gives
    return result


def _takes(fact: Fact, count: int) -> bool:
    """Whether a value can be called with so many arguments, as far as that is known."""
    function = fact.function
    if function.__class__ is Function:
        return function.parameters(count) is not None
    if function.__class__ is Standard:
        counts = argument_counts(function.name)
        return counts is None or (counts[0] <= count and (counts[1] is None or count <= counts[1]))
    return fact.may_be(CALLABLE)


# ---------------------------------------------------------------------- functions of the program
def program_call(inference: Inference, function: Function, node: nodes.Invoke, arguments: list[Fact]) -> Fact:
    """A call of a function whose text is known."""
    parameters = function.parameters(len(arguments))
    if parameters is None:
        span = function.span
        inference.report(
            "arity",
            f"`{function.name}` takes {function.counts()}, got {len(arguments)}",
            node.at,
            hint=f"write {function.shape()}",
            related=() if span is None else ((f"`{function.name}` is defined here", span),),
        )
        return NEVER
    for place, fact in enumerate(arguments[: len(parameters.names)]):
        need(inference, node.arguments[place], None, None, None, function.name, passed=(parameters, place))
        for one in parameters.all_needs(place):
            if _misses(inference, one, fact, parameters.names[place], function, node, place):
                return NEVER
    return parameters.result


def _misses(
    inference: Inference, one: Need, fact: Fact, name: str, function: Function, node: nodes.Invoke, place: int
) -> bool:
    at = node.arguments[place].at
    if one.type is not None:
        wrong = misfit(one.type, fact)
        if wrong is not None:
            span = inference.argument_span(node, place, function.name)
            report_misfit(inference, wrong, one.what, at, _where_needed(one, function), span)
            return True
        return False
    if one.kinds is None or not fact.kinds or fact.may_be(one.kinds):
        return False
    related = _where_needed(one, function)
    if one.called:
        inference.report(
            "type/not-callable",
            f"`{function.name}` calls its `{name}`, and {describe(fact)} cannot be called",
            at,
            related=related,
            span=inference.argument_span(node, place, function.name),
        )
        return True
    apart = one.what == _PATTERN
    inference.report(
        "type/mismatch",
        f"`{function.name}` takes its `{name}` apart as a vector or a list, but got {describe(fact)}"
        if apart
        else f"`{function.name}` needs {describe_kinds(one.kinds)} as `{name}`, but got {describe(fact)}",
        at,
        hint=_characters(fact) if apart else None,
        related=related,
        span=inference.argument_span(node, place, function.name),
    )
    return True


def _where_needed(one: Need, function: Function) -> tuple[tuple[str, Span], ...]:
    span = one.span
    return () if span is None else ((f"`{function.name}` needs it here", span),)


_PATTERN = "a vector pattern"


def _characters(fact: Fact) -> str | None:
    """What to write for a text that is to be taken apart, or None."""
    return "(seq text) gives its characters" if fact.only("string") else None


# ---------------------------------------------------------------------- standard functions
class StandardCall:
    """What is known of the calls of a standard function with one number of arguments.

    wrong    the fewest and the most arguments that the function takes, where these are too few or too many; else None
    taken    the places where only some kinds are taken, with these
    result   the fact about the value, if nothing is known of the arguments
    refine   given the facts about the arguments, the fact about the value; None: it does not depend on them
    """

    __slots__ = ("refine", "result", "taken", "wrong")

    def __init__(self, name: str, count: int) -> None:
        counts = argument_counts(name)
        fits = counts is None or (counts[0] <= count and (counts[1] is None or count <= counts[1]))
        self.wrong = None if fits else counts
        known = signature(name, count)
        self.taken: list[tuple[int, frozenset[str]]] = []
        self.result = ANY
        self.refine: Callable[[list[Fact]], Fact] | None = None
        if known is not None:
            self.taken = [(place, taken) for place, taken in enumerate(known.taken) if taken is not None]
            self.result = of_kinds(known.result)
            self.refine = RESULTS.get(name) or _refinement(name, count, known.result)


def _refinement(name: str, count: int, result: frozenset[str] | None) -> Callable[[list[Fact]], Fact] | None:
    """What tells more than the kinds of the result do, for a function that `RESULTS` does not have."""
    if count == 1 and name in PREDICATES:
        exact = PREDICATES[name]
        return lambda arguments: decided(exact, arguments[0])
    place = KEEPING.get(name, count)
    if result is not None and place < count:
        return lambda arguments: Fact(result, element=element_of(arguments[place]))
    return None


_CALLS: dict[tuple[str, int], StandardCall] = {}
_MOST_KEPT = 8
"""Arguments of the longest calls of which the above is kept."""


def _known_call(name: str, count: int) -> StandardCall:
    """What is known of the calls of a standard function with so many arguments, looked up for the first time."""
    made = StandardCall(name, count)
    if count <= _MOST_KEPT:
        _CALLS[name, count] = made
    return made


def standard_call(inference: Inference, name: str, node: nodes.Invoke, arguments: list[Fact]) -> Fact:
    """A call of a standard function."""
    for fact in arguments:
        if fact.kinds is not None and not fact.kinds:
            return NEVER
    count = len(arguments)
    known = _CALLS.get((name, count)) or _known_call(name, count)
    if known.wrong is not None:
        _wrong_count(inference, name, node, known.wrong)
        return NEVER
    detailed = inference.detailed
    if detailed:
        warn_of_difference(inference, name, node, arguments)
        warn_of_text_for_pattern(inference, name, node, arguments)
    certain = not (inference.conditional or inference.silent)
    for place, taken in known.taken:
        fact = arguments[place]
        if certain and node.arguments[place].__class__ is nodes.Local:
            need(inference, node.arguments[place], taken, None, node.at, name)
        if fact.kinds is not None and fact.kinds.isdisjoint(taken):
            _wrong_kind(inference, name, node, place, taken, fact)
            return NEVER
        if detailed:
            warn_of_nil(inference, name, node, place, taken, fact)
    return known.result if known.refine is None else known.refine(arguments)


def _wrong_count(inference: Inference, name: str, node: nodes.Invoke, counts: tuple[int, int | None]) -> None:
    from rtfs.builtins.declare import REGISTRY

    declared = REGISTRY.get(name)
    hint = None if declared is None else f"write {declared.signature}"
    if name in ("max", "min") and len(node.arguments) == 1:
        hint = f"({name} a b …) compares its arguments; for a collection write (apply {name} coll)"
    inference.report("arity", takes(name, *counts, len(node.arguments)), node.at, hint=hint)


def _wrong_kind(
    inference: Inference, name: str, node: nodes.Invoke, place: int, taken: frozenset[str], fact: Fact
) -> None:
    from rtfs.builtins.declare import REGISTRY

    declared = REGISTRY.get(name)
    if taken == CALLED or (name in ("apply", "update") and taken <= CALLED):
        inference.report("type/not-callable", f"{describe(fact)} cannot be called", node.arguments[place].at or node.at)
        return
    hint = None if declared is None else f"write {declared.signature}"
    if name == "+" and fact.only("string"):
        hint = "str puts strings together, concat sequences"
    elif name in ("max", "min") and len(node.arguments) == 1:
        hint = f"for a collection write (apply {name} coll)"
    said = _raised(name, node)
    if said is not None:
        inference.report(
            said.code,
            said.message,
            node.arguments[place].at,
            hint=said.hint or hint,
            span=inference.argument_span(node, place, name),
        )
        return
    if "function" in taken and taken <= CALLABLE:
        callable_or_report(inference, fact, node.at)
        return
    inference.report(
        "type/mismatch",
        f"({name} …) needs {describe_kinds(taken)}, but got {describe(fact)}",
        node.arguments[place].at,
        hint=hint,
        span=inference.argument_span(node, place, name),
    )


def _raised(name: str, node: nodes.Invoke) -> UserError | None:
    """The error that a standard function raises for these arguments, if all of them are small constants."""
    from rtfs.builtins import CORE

    values = [one.value for one in node.arguments if isinstance(one, nodes.Const)]
    if len(values) != len(node.arguments) or any(value.__class__ not in _PLAIN for value in values):
        return None
    try:
        CORE[name](*values)
    except UserError as error:
        return error if error.code.startswith("type/") else None
    return None


_PLAIN = (type(None), bool, int, float, str, Keyword)


# ---------------------------------------------------------------------- looking things up
@infers(nodes.Primitive)
def infer_primitive(inference: Inference, node: nodes.Primitive) -> Fact:
    operation = node.operation
    arguments = inference.infer_all(node.arguments)
    if operation == "throw":
        return NEVER
    if never(arguments):
        return NEVER
    if operation == "keyword_get" and node.arguments[0].__class__ is nodes.Const:
        held = node.arguments[1]
        if inference.fields and held.__class__ is nodes.Local and len(arguments) == 2:
            narrowed = inference.fields.get((held.binding, node.arguments[0].value))
            if narrowed is not None:
                return narrowed
        return looked_up(inference, node.arguments[0].value, arguments[1:], node)
    special = _PATTERNS.get(operation)
    if special is not None:
        return special(inference, node, arguments)
    return NEVER if operation == "match_none" else ANY


def looked_up(inference: Inference, key: Keyword, arguments: list[Fact], node: nodes.Invoke | nodes.Primitive) -> Fact:
    """`(:key value default?)`."""
    held = arguments[0]
    if not held.may_be(_LOOKED_UP):
        inference.report("type/mismatch", f"{key} looks up maps, but got {describe(held)}", node.at)
        return NEVER
    if node.arguments:
        need(inference, node.arguments[-len(arguments)], _LOOKED_UP, None, node.at, key.name)
    if held.kinds is None or not held.kinds <= _MAP_OR_NIL or "map" not in held.kinds:
        return ANY
    found = field_of(held, key)
    if found is None:
        return ANY
    if len(arguments) == 2:
        return join(found.without(_NIL), arguments[1])
    if "nil" in held.kinds:
        return join(found, NIL)
    if found is NIL and held.value is UNKNOWN and held.closed and not inference.silent:
        _excluded(inference, key, held, node)
    return found


def _excluded(inference: Inference, key: Keyword, held: Fact, node: nodes.Node) -> None:
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.suggest import did_you_mean

    names = [to_text(one) for one in held.fields or ()]
    near = did_you_mean(to_text(key), names)
    hint = f"did you mean {near}?" if near is not None else f"it has {', '.join(names[:8])}" if names else None
    inference.warn("lint/missing-key", f"the map has no {key}, so this is nil", node.at, hint=hint)


_TAKEN_AS_MAPS = SEQUENCES | kinds("nil", "map", "error", "set", "regex")
_TAKEN_AS_ITEMS = SEQUENCES | kinds("nil", "error", "regex")


def _pattern_map(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
    value = arguments[0]
    need(inference, node.arguments[0], _TAKEN_AS_MAPS, None, node.at, "a map pattern")
    if not value.may_be(_TAKEN_AS_MAPS):
        inference.report("type/mismatch", f"a map pattern takes a map apart, not {describe(value)}", node.at)
        return NEVER
    return value


def _pattern_items(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
    value = arguments[0]
    need(inference, node.arguments[0], _TAKEN_AS_ITEMS, None, node.at, _PATTERN)
    if not value.may_be(_TAKEN_AS_ITEMS):
        inference.report(
            "type/mismatch",
            f"a vector pattern takes a vector or a list apart, not {describe(value)}",
            node.at,
            hint=_characters(value),
        )
        return NEVER
    return value


def _pattern_get(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
    held, key = arguments[0], arguments[1]
    if held.only("map") and key.value is not UNKNOWN and held.fields is not None:
        found = held.fields.get(key.value)
        if found is not None:
            return found
    return ANY


def _unpacked(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
    held, place = arguments[0], arguments[1].value
    if held.items is not None and place.__class__ is int and held.kinds is not None and held.kinds <= SEQUENCES:
        return held.items[place] if place < len(held.items) else NIL
    element = element_of(held)
    return ANY if element.kinds is None else join(element, NIL)


def _pattern_has(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
    held, key = arguments[0], arguments[1]
    if held.only("map") and held.fields is not None and key.value.__class__ in (Keyword, str):
        if key.value in held.fields and held.value is not UNKNOWN:
            return TRUE
        if held.closed and key.value not in held.fields:
            return FALSE
    return _BOOL


_CHANGED = kinds("map", "vector", "nil")


def _changing(name: str) -> Callable[[Inference, nodes.Primitive, list[Fact]], Fact]:
    """The collection that `update` or a similar function changes, on the way to a key: a map, a vector or nil."""

    def changed(inference: Inference, node: nodes.Primitive, arguments: list[Fact]) -> Fact:
        held = arguments[0]
        need(inference, node.arguments[0], _CHANGED, None, node.at, name)
        if not held.may_be(_CHANGED):
            message = f"`{name}` changes a map, a vector or nil, not {describe(held)}"
            inference.report("type/mismatch", message, node.at)
            return NEVER
        return ANY

    return changed


_PATTERNS: dict[str, Callable[[Inference, nodes.Primitive, list[Fact]], Fact]] = {
    "pattern_map": _pattern_map,
    "pattern_record": _pattern_map,
    "pattern_items": _pattern_items,
    "pattern_sequence": _pattern_items,
    "pattern_get": _pattern_get,
    "pattern_has": _pattern_has,
    "unpacked": _unpacked,
    **{f"{name}/{part}": _changing(name) for name in CHANGING for part in ("get", "put")},
    "is_map": lambda inference, node, arguments: _BOOL,
    "equals": lambda inference, node, arguments: equal(arguments),
}


# ---------------------------------------------------------------------- displays
@infers(nodes.VectorDisplay)
def infer_vector(inference: Inference, node: nodes.VectorDisplay) -> Fact:
    items = tuple(inference.infer_all(node.items))
    if never(items):
        return NEVER
    return Fact(_VECTOR, items=items, element=join_all(items))


@infers(nodes.MapDisplay)
def infer_map(inference: Inference, node: nodes.MapDisplay) -> Fact:
    facts = inference.infer_all(node.items)
    if never(facts):
        return NEVER
    fields = {}
    turn = iter(facts)
    for key, value in zip(turn, turn, strict=True):
        if key.value.__class__ is not Keyword and key.value.__class__ is not str:
            return of_kinds(_MAP)
        fields[key.value] = value
    return Fact(_MAP, fields=fields, closed=True)
