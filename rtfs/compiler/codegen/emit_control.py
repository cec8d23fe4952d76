"""Code generation of what steers: if, do, let, and, or, match.

Knows nothing of forms. Invariant: what a test shows of a value is known only where the test has decided.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.destructure import count_taken
from rtfs.compiler.analysis.kinds import BOOL, Kinds, join
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emit_functions import define_function
from rtfs.compiler.codegen.emitter import Destination, Emitter, emits, evaluates, once
from rtfs.compiler.codegen.parts import take_parts
from rtfs.compiler.codegen.tails import name_rest

# An if-else chain longer than this leaves a loop of one round instead of nesting.
LONG_CHAIN = 8


@emits(nodes.If)
def emit_if(e: Emitter, node: nodes.If, to: Destination) -> nodes.Node | None:
    if node.inline and to.parts is None and to.how not in ("return", "drop"):
        e.give(node, to)
        return None
    if not to.jumps and _chain_length(node) > LONG_CHAIN:
        breakable(e, node, to)
        return None
    test = e.test(node.test)
    line = node.at + 1
    then = e.nested(e.into, node.then, to)
    if to.jumps:
        e.block.append(py.when(test, then, [], line))
        return node.orelse
    e.block.append(py.when(test, then, e.nested(e.into, node.orelse, to), line))
    return None


def _chain_length(node: nodes.Node) -> int:
    count = 0
    while isinstance(node, nodes.If) and count <= LONG_CHAIN:
        count += 1
        node = node.orelse
    return count


@evaluates(nodes.If)
def evaluate_if(e: Emitter, node: nodes.If) -> tuple[ast.expr, Kinds]:
    if not node.inline:
        return e.held(node)
    test = e.test(node.test)
    known = e.known
    e.known = dict(known)
    then, then_kinds = e.value(node.then)
    e.known = dict(known)
    orelse, else_kinds = e.value(node.orelse)
    e.known = known
    return py.choose(test, then, orelse, node.at + 1), join(then_kinds, else_kinds)


def breakable(e: Emitter, node: nodes.Node, to: Destination) -> None:
    """Emit into a loop of one round, so that each way out is a `break` and long chains stay flat."""
    inner = Destination("exit", to.variable or e.names.temporary(), to.parts)
    e.blocks += 1
    body = e.nested(e.into, node, inner)
    e.blocks -= 1
    e.block.append(py.forever(body, node.at + 1))
    to.note(inner.kinds)


# ---------------------------------------------------------------------- do, let
@emits(nodes.Do)
def emit_do(e: Emitter, node: nodes.Do, to: Destination) -> nodes.Node:
    for part in node.body[:-1]:
        e.drop(part)
    return node.body[-1]


@evaluates(nodes.Do)
def evaluate_do(e: Emitter, node: nodes.Do) -> tuple[ast.expr, Kinds]:
    for part in node.body[:-1]:
        e.drop(part)
    return e.value(node.body[-1])


@emits(nodes.Let)
def emit_let(e: Emitter, node: nodes.Let, to: Destination) -> nodes.Node:
    bind_locals(e, node)
    return node.body


@evaluates(nodes.Let)
def evaluate_let(e: Emitter, node: nodes.Let) -> tuple[ast.expr, Kinds]:
    bind_locals(e, node)
    return e.value(node.body)


def bind_locals(e: Emitter, node: nodes.Let) -> None:
    pieces: set[nodes.Binding] = set()
    for place, (binding, value) in enumerate(node.bindings):
        if binding in pieces:
            binding.kinds = e.known[binding] = None
            binding.value = value
            continue
        if binding in e.rests:
            name_rest(e, binding, value.at + 1)
            continue
        if count_taken(binding, value):
            pieces.update(_take_apart(e, node, place))
            continue
        e.stores.add(binding.python)
        if binding.definitions > 1:
            _bind_again(e, binding, value)
            continue
        if isinstance(value, nodes.Fn) and (value.binding is None or value.binding is binding):
            define_function(e, value, binding.python)
            continue
        if not value.inline and isinstance(value, (nodes.If, nodes.Match, nodes.Loop, nodes.Try, nodes.Logic)):
            to = Destination("set", binding.python)
            e.into(value, to)
            kinds = to.kinds
        else:
            expression, kinds = e.value(value)
            e.block.append(py.assign(binding.python, expression, value.at + 1))
        binding.kinds = kinds
        binding.value = value
        e.known[binding] = kinds


def _take_apart(e: Emitter, node: nodes.Let, place: int) -> set[nodes.Binding]:
    """Emit a vector pattern, whose nameless local is binding number `place`: each element gets a name at once.
    Returns the bindings that are those names."""
    part, value = node.bindings[place]
    assert isinstance(value, nodes.Primitive)
    count = value.arguments[1].value  # type: ignore[attr-defined]
    found: dict[int, nodes.Binding] = {}
    for binding, piece in node.bindings[place + 1 :]:
        if (
            isinstance(piece, nodes.Primitive)
            and piece.operation == "unpacked"
            and isinstance(piece.arguments[0], nodes.Local)
            and piece.arguments[0].binding is part
            and isinstance(piece.arguments[1], nodes.Const)
            and binding.definitions <= 1
        ):
            found.setdefault(piece.arguments[1].value, binding)
    names = [found[index].python if index in found else e.names.temporary() for index in range(count)]
    e.form.unpacked[part.python] = names
    e.stores.update((part.python, *names))  # nothing looks for the part itself
    take_parts(e, value.arguments[0], names, value.at + 1)
    return set(found.values())


def _bind_again(e: Emitter, binding: nodes.Binding, value: nodes.Node) -> None:
    """One of several definitions of a local: nothing is known of its value."""
    if isinstance(value, nodes.Fn) and (value.binding is None or value.binding is binding):
        define_function(e, value, binding.python)
    else:
        e.into(value, Destination("set", binding.python))
    binding.kinds = binding.value = None
    e.known[binding] = None


# ---------------------------------------------------------------------- and, or
@emits(nodes.Logic)
def emit_logic(e: Emitter, node: nodes.Logic, to: Destination) -> nodes.Node | None:
    if node.inline:
        e.give(node, to)
        return None
    if not to.jumps:
        breakable(e, node, to)
        return None
    for operand in node.operands[:-1]:
        line = operand.at + 1
        value, kinds = e.value(operand)
        if not isinstance(value, ast.Name):
            temporary = e.names.temporary()
            e.block.append(py.assign(temporary, value, line))
            value = py.name(temporary, line)
        test = e.truth(value, kinds, line)
        if node.operator == "and":
            test = py.negate(test, line)
        e.block.append(py.when(test, e.nested(e.finish, value, kinds, to, line), [], line))
    return node.operands[-1]


@evaluates(nodes.Logic)
def evaluate_logic(e: Emitter, node: nodes.Logic) -> tuple[ast.expr, Kinds]:
    """`and`/`or` as a value: from the right, (t if truthy(t := a) else rest) or the reverse."""
    if not node.inline:
        return e.held(node)
    line = node.at + 1
    parts = []
    known = e.known
    for operand in node.operands:
        parts.append(e.value(operand))
        e.known = dict(e.known)
    e.known = known
    value, kinds = parts[-1]
    for left, left_kinds in reversed(parts[:-1]):
        if left_kinds == BOOL and kinds == BOOL:
            value = py.both(py.AND if node.operator == "and" else py.OR, [left, value], line)
            continue
        first, again = once(e, left, line)
        if left_kinds == BOOL:
            test: ast.expr = first
        else:
            test = py.both(
                py.AND,
                [
                    py.compare(first, py.IS_NOT, py.const(None, line), line),
                    py.compare(again, py.IS_NOT, py.const(False, line), line),
                ],
                line,
            )
        value = py.choose(test, value, again, line) if node.operator == "and" else py.choose(test, again, value, line)
        kinds = join(kinds, left_kinds)
    return value, kinds


# ---------------------------------------------------------------------- match
@emits(nodes.Match)
def emit_match(e: Emitter, node: nodes.Match, to: Destination) -> nodes.Node | None:
    """Clauses one after another, each a nest of tests that ends in a jump."""
    if not to.jumps:
        breakable(e, node, to)
        return None
    for clause in node.clauses:
        known = dict(e.known)
        _clause(e, clause, 0, to)
        e.known = known
    return node.otherwise


def _clause(e: Emitter, clause: nodes.Clause, index: int, to: Destination) -> None:
    steps = clause.steps
    tests: list[ast.expr] = []
    line = clause.body.at + 1
    while index < len(steps):
        step = steps[index]
        if isinstance(step, tuple):
            if tests:
                break
            binding, value = step
            expression, kinds = e.value(value)
            e.stores.add(binding.python)
            e.block.append(py.assign(binding.python, expression, value.at + 1))
            binding.kinds = kinds
            e.known[binding] = kinds
        elif step.inline:
            line = step.at + 1
            tests.append(e.test(step))
        else:
            if tests:
                break
            tests.append(e.test(step))
            index += 1
            break
        index += 1
    if tests:
        test = py.both(py.AND, tests, line)
        e.block.append(py.when(test, e.nested(_clause, e, clause, index, to), [], line))
    else:
        e.into(clause.body, to)
