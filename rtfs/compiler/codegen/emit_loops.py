"""Code generation of `loop` and `recur`.

Knows nothing of forms. Invariant: a loop's variables change only at a `recur`, all at once; those that the loop owns
are changed in place (see accumulators.py).
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import Kinds, counters, loop_kinds
from rtfs.compiler.analysis.ownership import (
    ANY,
    TAIL,
    changes,
    continued,
    core_name,
    fresh_kind,
    goes_forward,
    is_straight,
    loop_updates,
    mentions,
    names_of_rests,
)
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import begin_any, change, change_of, fresh_value
from rtfs.compiler.codegen.emit_each import update
from rtfs.compiler.codegen.emitter import Destination, Emitter, emits
from rtfs.compiler.codegen.tails import advance, begin_tail, behind


@emits(nodes.Loop)
def emit_loop(e: Emitter, node: nodes.Loop, to: Destination) -> None:
    line = node.at + 1
    kinds = loop_kinds(node, e.known)
    owned = {} if node.closes else _owned(node)
    values = [value for value, _ in e.values(node.values)]
    for index, owned_kind in owned.items():
        initial = node.values[index]
        if owned_kind in (ANY, TAIL):
            continue
        if isinstance(initial, nodes.Local) and isinstance(initial.binding.value, nodes.Const):
            values[index], _ = fresh_value(e, initial.binding.value, line)
        elif owned_kind == "vector":
            values[index] = py.call(" own", [values[index]], line)  # a short one is a tuple
    e.form.owned[node.target] = owned
    if node.closes:
        _loop_of_calls(e, node, values, to)
        return
    if node.variables:
        e.block.append(py.assign_all([one.python for one in node.variables], values, line))
    _rounds(e, node, kinds, to)


def continue_in_loop(e: Emitter, node: nodes.Loop, accumulator: nodes.Binding, kind: str) -> None:
    """Emit a loop that continues an accumulator in one of its variables; its last value is the new accumulator."""
    line = node.at + 1
    index = continued(node, accumulator)
    assert index is not None
    kinds = loop_kinds(node, e.known)
    owned = {one: found for one, found in _owned(node).items() if found in (ANY, TAIL)}
    e.form.owned[node.target] = owned
    owned[index] = kind
    values = [value for value, _ in e.values(node.values)]
    e.block.append(py.assign_all([one.python for one in node.variables], values, line))
    _rounds(e, node, kinds, Destination("set", accumulator.python), {index: accumulator})


def enter_loop(e: Emitter, node: nodes.Loop) -> None:
    """Emit a loop that has begun elsewhere, as the body of a function: its variables have values already."""
    line = node.at + 1
    kinds = loop_kinds(node, e.known)
    e.form.owned[node.target] = owned = {} if node.closes else _owned(node)
    to = Destination("return")
    if node.closes:
        _loop_of_calls(e, node, [py.name(one.python, line) for one in node.variables], to)
        return
    for index, owned_kind in owned.items():
        name = node.variables[index].python
        if owned_kind in (ANY, TAIL):
            continue
        e.block.append(py.assign(name, py.call(" own", [py.name(name, line)], line), line))
    _rounds(e, node, kinds, to)


def _rounds(
    e: Emitter,
    node: nodes.Loop,
    kinds: list[Kinds],
    to: Destination,
    going_on: dict[int, nodes.Binding] | None = None,
) -> None:
    """Emit the rounds of a loop whose variables have their first values. going_on: accumulators of the code around it
    that are variables of the loop."""
    line = node.at + 1
    for index, owned_kind in e.form.owned[node.target].items():
        e.form.lent.add(node.variables[index])
        if going_on is not None and index in going_on:
            if going_on[index] in e.debts:
                e.debts[node.variables[index]] = e.debts[going_on[index]]
        elif owned_kind == ANY:
            begin_any(e, node.variables[index], line)
        elif owned_kind == TAIL:
            begin_tail(e, node.variables[index], line, forward=goes_forward(node, index))
            for binding, function in names_of_rests(node, index).items():
                e.rests[binding] = node.variables[index], function
    for variable in counters(node):
        variable.short = True
    for variable, kind in zip(node.variables, kinds, strict=True):
        e.stores.add(variable.python)
        variable.kinds = kind
        e.known[variable] = kind
    inner = to if to.how == "return" else Destination("exit", to.variable or e.names.temporary(), to.parts)
    e.form.loops[node.target] = node
    e.own.add(node.target)
    e.blocks += 2
    body = e.nested(e.into, node.body, inner)
    e.blocks -= 2
    refill = py.statement(py.call(" refill", [], line), line)
    if inner is to:
        e.block.append(py.forever([py.each_tick(body, [], line), refill], line))
        return
    e.block.append(py.forever([py.each_tick(body, [refill, py.again(line)], line), py.leave(line)], line))
    if to.parts is None:
        e.finish(py.name(inner.variable, line), inner.kinds, to, line)
    elif to.how == "exit":
        e.block.append(py.leave(line))


def _owned(node: nodes.Loop) -> dict[int, str]:
    """Variables that the loop may change in place: index -> `map` or `vector` for what it makes, ANY for the rest, TAIL
    for what it goes through."""
    found: dict[int, str] = {}
    for index, value in enumerate(node.values):
        if isinstance(value, nodes.Local) and not value.binding.uses:
            kind = fresh_kind(value.binding.value)
            if kind is not None and loop_updates(node.body, node, index, kind):
                found[index] = kind
        for kind in (ANY, TAIL):
            if index not in found and changes(node, index, kind) and loop_updates(node.body, node, index, kind):
                found[index] = kind
    return found


def _loop_of_calls(e: Emitter, node: nodes.Loop, values: list[ast.expr], to: Destination) -> None:
    """A loop whose variables are captured: the body is a function, called in each round."""
    line = node.at + 1
    name = e.names.temporary()
    for variable in node.variables:
        variable.kinds = None
        e.known.pop(variable, None)
    definition = e.form.function(e, node.body, [one.python for one in node.variables], name, line)
    e.block.append(definition)
    state = e.names.temporary()
    e.block.append(py.assign(state, py.pack(values, line), line))
    arguments = [py.item(py.name(state, line), index, line) for index in range(len(values))]
    one_round = py.assign(state, py.call(name, arguments, line), line)
    again = py.when(py.is_class(py.name(state, line), " tuple", line), [py.again(line)], [], line)
    refill = py.statement(py.call(" refill", [], line), line)
    inside = [one_round, again, py.leave(line)]
    e.block.append(py.forever([py.each_tick(inside, [refill, py.again(line)], line), py.leave(line)], line))
    e.finish(py.name(state, line), None, to, line)


@emits(nodes.Recur)
def emit_recur(e: Emitter, node: nodes.Recur, to: Destination) -> None:
    line = node.at + 1
    if e.form.owned.get(node.target) and node.target in e.own:
        _recur_in_place(e, node)
        return
    values = [value for value, _ in e.values(node.arguments)]
    if node.target not in e.own:
        e.returned_recur = node.target
        e.block.append(py.give(py.pack(values, line), line))
        return
    loop = e.form.loops[node.target]
    changed = [
        (variable.python, value)
        for variable, value in zip(loop.variables, values, strict=True)
        if not (isinstance(value, ast.Name) and value.id == variable.python)
    ]
    if changed:
        e.block.append(py.assign_all([name for name, _ in changed], [value for _, value in changed], line))
    e.block.append(py.again(line))


def _recur_in_place(e: Emitter, node: nodes.Recur) -> None:
    """A recur of a loop that owns some of its variables: those are changed, the others assigned."""
    line = node.at + 1
    loop = e.form.loops[node.target]
    owned = e.form.owned[node.target]
    found = []
    advancing: list[tuple[nodes.Binding, str | None, nodes.Binding | None]] = []
    others: list[tuple[str, ast.expr]] = []
    for index, argument in enumerate(node.arguments):
        variable = loop.variables[index]
        if index in owned:
            if isinstance(argument, nodes.Local) and argument.binding in e.rests:
                advancing.append((variable, e.rests[argument.binding][1], argument.binding))
            elif owned[index] == TAIL and is_straight(argument, TAIL):
                if isinstance(argument, nodes.Invoke):
                    behind(e, variable, core_name(argument), line)
                    advancing.append((variable, core_name(argument), None))
            elif is_straight(argument, owned[index]):
                found.append((variable, change_of(e, argument, variable, owned[index])))
            else:
                update(e, argument, variable, owned[index])
            continue
        value, _ = e.value(argument)
        if isinstance(value, ast.Name) and value.id == variable.python:
            continue
        if not isinstance(argument, nodes.Const):
            later = any(not is_straight(node.arguments[one], owned[one]) for one in owned if one > index)
            asks = any(mentions(argument, loop.variables[one]) for one in owned)
            if later or asks or not (isinstance(argument, nodes.Local) or argument.inline):
                held = e.names.temporary()
                e.block.append(py.assign(held, value, line))
                value = py.name(held, line)
        others.append((variable.python, value))
    for variable, function, named in advancing:
        advance(e, variable, function, line, named)
    for variable, operands in found:
        for one in operands:
            change(e, variable, "conj" if len(one) == 1 else "assoc", one, line)
    if others:
        e.block.append(py.assign_all([name for name, _ in others], [value for _, value in others], line))
    e.block.append(py.again(line))
