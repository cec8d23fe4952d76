"""Narrowing: the facts that a test establishes about names in the branch where it is true, and in the branch where it
is false.

Knows no findings. Invariant: what is learned is true whenever the branch is taken.
"""

from __future__ import annotations

from rtfs.checker.facts import (
    ANY,
    CALLABLE,
    FALSY,
    NUMBERS,
    SEQUENCES,
    UNKNOWN,
    Fact,
    Kinds,
    kinds,
    of_value,
    truth,
)
from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.checker.inference import Inference

    Learned = list[tuple[Any, Fact]]

_NIL = kinds("nil")

PREDICATES: dict[str, Kinds] = {
    "nil?": kinds("nil"),
    "string?": kinds("string"),
    "number?": NUMBERS,
    "int?": kinds("int"),
    "integer?": kinds("int"),
    "float?": kinds("float"),
    "double?": kinds("float"),
    "keyword?": kinds("keyword"),
    "symbol?": kinds("symbol"),
    "vector?": kinds("vector"),
    "map?": kinds("map"),
    "set?": kinds("set"),
    "bool?": kinds("bool"),
    "boolean?": kinds("bool"),
}
"""Predicates that are true of all values of these kinds and of no others."""

IMPLIES: dict[str, Kinds] = {
    "list?": kinds("list", "lazy"),
    "seq?": kinds("list", "lazy"),
    "coll?": SEQUENCES | kinds("map", "set"),
    "sequential?": SEQUENCES,
    "associative?": kinds("map", "vector"),
    "fn?": CALLABLE,
    "ifn?": CALLABLE,
    "pos?": NUMBERS,
    "neg?": NUMBERS,
    "zero?": NUMBERS,
    "even?": kinds("int"),
    "odd?": kinds("int"),
    "true?": kinds("bool"),
    "false?": kinds("bool"),
    "pos-int?": kinds("int"),
    "nat-int?": kinds("int"),
    "neg-int?": kinds("int"),
}
"""Predicates that are true only of values of these kinds."""


_TELLING = frozenset(("not", "=", "==", "not=", "!=", "some?", "seq", "not-empty", *PREDICATES, *IMPLIES))
"""Standard functions whose calls, as tests, show something of their arguments."""


def learn(inference: Inference, test: nodes.Node, holds: bool) -> Learned:
    """The facts established where a test is true, or where it is false."""
    learner = _LEARNERS.get(test.__class__)
    return [] if learner is None else learner(inference, test, holds)


def _logic(inference: Inference, test: nodes.Logic, holds: bool) -> Learned:
    if (test.operator == "and") is holds:
        found: Learned = []
        for operand in test.operands:
            found += learn(inference, operand, holds)
        return found
    return learn(inference, test.operands[0], holds) if len(test.operands) == 1 else []


def _invoke(inference: Inference, test: nodes.Invoke, holds: bool) -> Learned:
    function = test.function
    if not isinstance(function, nodes.Global) or not function.core:
        return []
    return _predicate(inference, function.name, test.arguments, holds)


def _known(inference: Inference, node: nodes.Node) -> tuple[Any, Fact] | None:
    """The binding that a node names, or the (binding, key) that it looks up, with what is known of it."""
    if node.__class__ is nodes.Local:
        return node.binding, inference.bindings.get(node.binding, ANY)
    if (
        isinstance(node, nodes.Primitive)
        and node.operation == "keyword_get"
        and len(node.arguments) == 2
        and isinstance(node.arguments[0], nodes.Const)
        and isinstance(node.arguments[1], nodes.Local)
    ):
        return (node.arguments[1].binding, node.arguments[0].value), inference.quietly(node)
    return None


def _truthy(inference: Inference, node: nodes.Node, holds: bool) -> Learned:
    known = _known(inference, node)
    if known is None:
        return []
    key, fact = known
    return [(key, fact.without(_NIL) if holds else fact.within(FALSY))]


def _predicate(inference: Inference, name: str, arguments: list[nodes.Node], holds: bool) -> Learned:
    if name not in _TELLING:
        return []
    if name == "not" and len(arguments) == 1:
        return learn(inference, arguments[0], not holds)
    if name in ("=", "==", "not=", "!=") and len(arguments) == 2:
        return _equal(inference, arguments, holds is (name in ("=", "==")))
    if len(arguments) != 1:
        return []
    known = _known(inference, arguments[0])
    if known is None:
        return []
    key, fact = known
    if name == "some?":
        return [(key, fact.without(_NIL) if holds else fact.within(_NIL))]
    if name == "seq" or name == "not-empty":
        return [(key, fact.without(_NIL))] if holds else []
    exact = PREDICATES.get(name)
    if exact is not None:
        return [(key, fact.within(exact) if holds else fact.without(exact))]
    implied = IMPLIES.get(name)
    if implied is not None and holds:
        return [(key, fact.within(implied))]
    return []


def _equal(inference: Inference, arguments: list[nodes.Node], same: bool) -> Learned:
    for node, other in (arguments, reversed(arguments)):
        if not isinstance(other, nodes.Const):
            continue
        known = _known(inference, node)
        if known is None:
            continue
        key, fact = known
        constant = of_value(other.value)
        if same and constant.kinds is not None and other.value.__class__ in (int, str, bool, type(None)):
            return [(key, constant)]
        if not same and other.value is None:
            return [(key, fact.without(_NIL))]
    return []


def _type_test(inference: Inference, test: nodes.TypeTest, holds: bool) -> Learned:
    from rtfs.checker.schemas import fact_of

    known = _known(inference, test.value)
    type = inference.resolve(test.type)
    if known is None or type is None or not holds:
        return []
    key, fact = known
    said = fact_of(type)
    if said.kinds is None:
        return []
    return [(key, said if fact.kinds is None else fact.within(said.kinds))]


_SHOWS = {
    "is_map": kinds("map"),
    "fits_exactly": SEQUENCES,
    "fits_at_least": SEQUENCES,
}


def _primitive(inference: Inference, test: nodes.Primitive, holds: bool) -> Learned:
    if test.operation == "keyword_get":
        return _truthy(inference, test, holds)
    if test.operation == "equals" and len(test.arguments) == 2:
        return _equal(inference, test.arguments, holds)
    shown = _SHOWS.get(test.operation)
    known = _known(inference, test.arguments[0]) if shown is not None else None
    if known is None or shown is None or not holds:
        return []
    key, fact = known
    return [(key, fact.within(shown))]


_LEARNERS: dict[type[nodes.Node], Callable[[Inference, Any, bool], Learned]] = {
    nodes.Local: _truthy,
    nodes.Logic: _logic,
    nodes.TypeTest: _type_test,
    nodes.Primitive: _primitive,
    nodes.Invoke: _invoke,
}
"""Class of a test → what it shows where it is true, or where it is false."""


def decided(fact: Fact) -> bool | None:
    """Whether a test with this outcome certainly holds or certainly does not."""
    return truth(fact) if fact.value is not UNKNOWN or fact.kinds is not None else None
