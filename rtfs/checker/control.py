"""Inference for control nodes: constants, names, branches, bindings, loops, functions, `try`, `match`.

Knows no standard functions and no capabilities. Importing this module declares the handlers.
"""

from __future__ import annotations

from rtfs.checker.differences import warn_of_folding
from rtfs.checker.facts import (
    ANY,
    CALLABLE,
    NEVER,
    NUMBERS,
    SEQUENCES,
    UNKNOWN,
    Fact,
    Kinds,
    describe,
    describe_kinds,
    join,
    join_all,
    kinds,
    of_kinds,
    of_value,
    truth,
)
from rtfs.checker.functions import Function, Need, Parameters, standard_function
from rtfs.checker.inference import Inference, infers, join_branches
from rtfs.checker.narrowing import learn
from rtfs.checker.schemas import fact_of, misfit
from rtfs.checker.suspicions import warn_of_unreachable
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import AT_ONCE, CHOOSING, DECIDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.checker.places import Place
    from rtfs.checker.schemas import Misfit
    from rtfs.source import Span


@infers(nodes.Broken, nodes.TypeTest, nodes.Arity)
def infer_nothing(inference: Inference, node: nodes.Node) -> Fact:
    return ANY


@infers(nodes.Const)
def infer_constant(inference: Inference, node: nodes.Const) -> Fact:
    return of_value(node.value)


@infers(nodes.Local)
def infer_local(inference: Inference, node: nodes.Local) -> Fact:
    binding = node.binding
    inference.used.append((inference.owners, binding))
    if inference.catching:
        inference.caught.add(binding)
    return inference.bindings.get(binding, ANY)


@infers(nodes.Global)
def infer_global(inference: Inference, node: nodes.Global) -> Fact:
    if node.core:
        return standard_function(node.name)
    inference.use(node.name)
    found = inference.globals.get(node.name)
    if found is None:
        found = inference.globals[node.name] = inference.defined_before(node.name)
    return found


@infers(nodes.If)
def infer_if(inference: Inference, node: nodes.If) -> Fact:
    outcome = truth(inference.infer(node.test))
    if inference.detailed:
        warn_of_unreachable(inference, node)
    then = inference.branch(node.then, learn(inference, node.test, True), dead=outcome is False)
    orelse = inference.branch(node.orelse, learn(inference, node.test, False), dead=outcome is True)
    return join_branches(then, outcome is False, orelse, outcome is True)


@infers(nodes.Logic)
def infer_logic(inference: Inference, node: nodes.Logic) -> Fact:
    stops_on = node.operator == "or"
    found = inference.infer(node.operands[0]) if node.operands else ANY
    results = [found]
    learned: list[tuple[Any, Fact]] = []
    dead = False
    for before, operand in zip(node.operands, node.operands[1:], strict=False):
        learned = [*learned, *learn(inference, before, not stops_on)]
        dead = dead or truth(results[-1]) is stops_on
        results.append(inference.branch(operand, learned, dead))
    if stops_on:
        return join_all([one.without(kinds("nil")) for one in results[:-1]] + results[-1:])
    return join_all(results)


@infers(nodes.Do)
def infer_do(inference: Inference, node: nodes.Do) -> Fact:
    found = ANY
    ended = 0
    for part in node.body:
        found = inference.infer(part)
        if found.kinds is not None and not found.kinds and not ended:
            ended = 1
            inference.dead += 1
    inference.dead -= ended
    return NEVER if ended else found


@infers(nodes.Let)
def infer_let(inference: Inference, node: nodes.Let) -> Fact:
    for binding, value in node.bindings:
        if value.__class__ is nodes.Fn:
            _announce(inference, binding, value)
    bindings = inference.bindings
    for binding, value in node.bindings:
        bindings[binding] = inference.owned(binding, value)
        if value.__class__ is nodes.Local or value.__class__ is nodes.Cast:
            _alias(inference, binding, value)
    return inference.infer(node.body)


def _alias(inference: Inference, binding: nodes.Binding, value: nodes.Node) -> None:
    """A parameter under another name, as annotations and destructuring make it, has the parameter's needs."""
    while isinstance(value, nodes.Cast):
        value = value.value
    if isinstance(value, nodes.Local) and value.binding in inference.parameters:
        inference.parameters[binding] = inference.parameters[value.binding]


def _announce(inference: Inference, binding: nodes.Binding, fn: nodes.Fn) -> None:
    """A function may call itself, and the functions of a `let` each other."""
    inference.bindings[binding] = fact_of_function(inference, fn, binding.name)


@infers(nodes.Def)
def infer_def(inference: Inference, node: nodes.Def) -> Fact:
    found = inference.owned(node.name, node.value)
    if inference.globals.get(node.name, ANY) is not ANY:
        inference.globals[node.name] = found
    return found


# ---------------------------------------------------------------------- functions
def fact_of_function(inference: Inference, node: nodes.Fn, name: str, place: Place | None = None) -> Fact:
    """The fact about a function that follows from its text: the numbers of arguments that it takes. place: that of its
    definition, if that is not this form."""
    known = inference.functions.get(id(node))
    if known is None:
        lists = [
            Parameters(tuple([one.name for one in parameter_bindings(arity)]), arity.rest is not None)
            for arity in node.arities
        ]
        function = Function(name, lists, place or (inference.span_at, node.at))
        known = inference.functions[id(node)] = Fact(_FUNCTION, function=function)
    return known


def parameter_bindings(arity: nodes.Arity) -> list[nodes.Binding]:
    """The bindings of the arguments that are not collected."""
    return [one for one in arity.params if not one.name.endswith("&")]


@infers(nodes.Fn)
def infer_function(inference: Inference, node: nodes.Fn) -> Fact:
    fact = fact_of_function(inference, node, node.name or "fn")
    outer = inference.conditional, inference.rounds
    inference.depth += 1
    inference.rounds = None
    if node.binding is not None:
        inference.bindings[node.binding] = fact
    try:
        for arity, known in zip(node.arities, fact.function.lists, strict=True):
            inference.conditional = 0
            passed = inference.passed.get(id(node), ()) if len(node.arities) == 1 else ()
            for place, binding in enumerate(parameter_bindings(arity)):
                inference.bindings[binding] = passed[place] if place < len(passed) else ANY
                inference.parameters[binding] = (known, place)
            if arity.rest is not None:
                inference.bindings[arity.rest] = _REST
            known.result = inference.infer(arity.body)
    finally:
        inference.depth -= 1
        inference.conditional, inference.rounds = outer
    return fact


def need(
    inference: Inference,
    node: nodes.Node,
    taken: Kinds | None,
    type: Any,
    at: int | None,
    what: str,
    *,
    called: bool = False,
    passed: tuple[Parameters, int] | None = None,
) -> None:
    """Note that a parameter is put where only some values are taken, on every way through its function: the fields of a
    `Need`, `at` the node there, or None."""
    if node.__class__ is not nodes.Local or inference.conditional or inference.silent:
        return
    known = inference.parameters.get(node.binding)
    if known is not None:
        parameters, index = known
        place = None if at is None else (inference.span_at, at)
        parameters.needs[index].append(Need(taken, type, place, what, called=called, passed=passed))


@infers(nodes.Cast)
def infer_cast(inference: Inference, node: nodes.Cast) -> Fact:
    value = inference.infer(node.value)
    type = inference.resolve(node.type)
    if type is None:
        return value
    what = node.what if node.what.__class__ is str else "the value"
    need(inference, node.value, None, type, node.at, what)
    wrong = misfit(type, value)
    if wrong is not None:
        report_misfit(inference, wrong, what, node.at)
        return NEVER
    said = fact_of(type)
    if said.kinds is None or value.value is not UNKNOWN or value.fields is not None or value.items is not None:
        return value
    if value.kinds is None:
        return said
    return value.within(said.kinds) if value.function is not None else said


def report_misfit(
    inference: Inference,
    wrong: Misfit,
    what: str,
    at: int,
    related: tuple[tuple[str, Span | None], ...] = (),
    span: Span | None = None,
    capability: str | None = None,
) -> None:
    """A value does not fit a type: what, where in the value, and what to write."""
    inference.report(
        "type/mismatch", wrong.message(what), at, hint=wrong.hint, related=related, span=span, capability=capability
    )


# ---------------------------------------------------------------------- loops
@infers(nodes.Loop)
def infer_loop(inference: Inference, node: nodes.Loop) -> Fact:
    first = inference.infer_all(node.values)
    for binding in node.variables:
        inference.bindings[binding] = ANY
    outer = inference.recurs.get(node.target)
    found: list[list[Fact]] = []
    inference.recurs[node.target] = found
    rounds = inference.rounds
    inference.rounds = None
    inference.quietly(node.body)
    for place, binding in enumerate(node.variables):
        later = join_all([one[place] for one in found if place < len(one)])
        inference.bindings[binding] = join(first[place], later)
    result = inference.infer(node.body)
    inference.rounds = rounds
    if outer is None:
        inference.recurs.pop(node.target, None)
    else:
        inference.recurs[node.target] = outer
    return result


@infers(nodes.Recur)
def infer_recur(inference: Inference, node: nodes.Recur) -> Fact:
    arguments = inference.infer_all(node.arguments)
    found = inference.recurs.get(node.target)
    if found is not None:
        found.append(arguments)
    return NEVER


_REST = of_kinds(kinds("list", "nil"))
_SEQUENCES_OR_NIL = SEQUENCES | kinds("nil")
_FUNCTION, _VECTOR, _STRING, _BOOL = kinds("function"), kinds("vector"), kinds("string"), kinds("bool")
SEQABLE = SEQUENCES | kinds("nil", "string", "map", "set")
"""Kinds that `map`, `reduce` and their like iterate over."""


@infers(nodes.Each)
def infer_each(inference: Inference, node: nodes.Each) -> Fact:
    collection = inference.infer(node.collection)
    if not seqable_or_report(inference, node, collection):
        return NEVER
    inference.bindings[node.item] = element_of(collection)
    initial = None if node.initial is None else inference.infer(node.initial)
    if initial is not None:
        warn_of_folding(inference, node, initial)
    if node.accumulator is not None:
        inference.bindings[node.accumulator] = ANY
    rounds = inference.rounds
    length = None if collection.items is None else len(collection.items)
    inference.rounds = None if rounds is None or length is None else rounds * length
    empty = length == 0
    body = inference.branch(node.body, [], dead=empty)
    inference.rounds = rounds
    if node.operation == "reduce":
        return join(body, initial) if initial is not None else ANY
    if node.operation == "sum":
        return of_kinds(NUMBERS)
    if node.operation == "some":
        return ANY
    if node.operation in DECIDING:
        return of_kinds(_BOOL)
    found = _mapped(element_of(collection) if node.operation in CHOOSING else body)
    return Fact(_VECTOR, element=found.element) if node.operation in AT_ONCE else found


def seqable_or_report(inference: Inference, node: nodes.Each, collection: Fact) -> bool:
    """Whether a collection can be gone through; reports one that cannot."""
    need(inference, node.collection, SEQABLE, None, node.at, node.operation)
    if collection.may_be(SEQABLE) or collection.kinds == frozenset():
        return True
    inference.report(
        "type/mismatch",
        f"({node.operation} …) needs {describe_kinds(SEQABLE)} as the collection, but got {describe(collection)}",
        node.collection.at or node.at,
    )
    return False


def _mapped(body: Fact) -> Fact:
    element = body if body.kinds else ANY
    return Fact(SEQUENCES, element=element)


def element_of(collection: Fact) -> Fact:
    """The fact about each element of a collection."""
    if collection.kinds is None:
        return ANY
    if collection.element is not None and collection.kinds <= _SEQUENCES_OR_NIL:
        return collection.element if collection.element.kinds else ANY
    if collection.kinds == _STRING and collection.value != "":
        return of_kinds(_STRING)
    return ANY


# ---------------------------------------------------------------------- match, try
@infers(nodes.Match)
def infer_match(inference: Inference, node: nodes.Match) -> Fact:
    results = []
    outer = inference.conditional
    for clause in node.clauses:
        learned: list[tuple[Any, Fact]] = []
        dead = False
        inference.conditional += 1
        for step in clause.steps:
            if isinstance(step, nodes.Node):
                dead = truth(inference.branch(step, learned, dead)) is False or dead
                learned += learn(inference, step, True)
            else:
                binding, value = step
                inference.bindings[binding] = inference.branch(value, learned, dead)
        result = inference.branch(clause.body, learned, dead)
        if not dead:
            results.append(result)
        inference.conditional = outer
    results.append(inference.branch(node.otherwise, []))
    return join_all(results)


@infers(nodes.Try)
def infer_try(inference: Inference, node: nodes.Try) -> Fact:
    catches = any(not _rethrows(handler) for handler in node.handlers)
    inference.catching += catches
    inference.conditional += catches
    result = inference.infer(node.body)
    inference.catching -= catches
    inference.conditional -= catches
    results = [result]
    for handler in node.handlers:
        inference.bindings[handler.binding] = ANY
        results.append(inference.branch(handler.body, []))
    if node.cleanup is not None:
        inference.branch(node.cleanup, [])
    return join_all(results)


def _rethrows(handler: nodes.Handler) -> bool:
    """Whether a handler ends by throwing what it caught, as the one that a `step` makes does."""
    body = handler.body
    last = body.body[-1] if isinstance(body, nodes.Do) and body.body else body
    return (
        isinstance(last, nodes.Primitive)
        and last.operation == "throw"
        and isinstance(last.arguments[0], nodes.Local)
        and last.arguments[0].binding is handler.binding
    )


def callable_or_report(inference: Inference, fact: Fact, at: int) -> bool:
    """Whether a value can be called; reports one that cannot."""
    if fact.may_be(CALLABLE) or fact.kinds == frozenset():
        return True
    inference.report(
        "type/not-callable",
        f"{describe(fact)} cannot be called",
        at,
        hint="functions, keywords, maps, sets and vectors can be called; data is written [1 2] or '(1 2)",
    )
    return False
