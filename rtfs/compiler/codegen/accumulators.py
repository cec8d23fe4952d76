"""Code generation of accumulators that are built in place.

Knows nothing of forms. Invariant: a value that is changed in place was made by this code and is visible to nothing else
until the loop around it has ended (see analysis/ownership.py).
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import INT, KIND_OF_CLASS, Kinds
from rtfs.compiler.analysis.ownership import called
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import Emitter
from rtfs.compiler.codegen.primitives import is_surely_plain
from rtfs.compiler.mangling import global_name
from rtfs.values import Map, Vector

SIZES = {"conj": 1, "disj": 1, "dissoc": 1, "pop": 0}
"""Operands of one change; two, where nothing is said here."""


def fresh_value(e: Emitter, node: nodes.Node, line: int) -> tuple[ast.expr, Kinds]:
    """A map or vector that nothing else references."""
    if isinstance(node, nodes.Const):
        if node.value.__class__ is Map:
            empty: ast.expr = ast.Dict([], [], lineno=line, col_offset=0)
            return py.call(" plain_map", [empty], line), KIND_OF_CLASS[Map]
        return py.call(" growing", [py.display([], line)], line), KIND_OF_CLASS[Vector]
    if isinstance(node, nodes.VectorDisplay):
        items = [value for value, _ in e.values(node.items)]
        return py.call(" growing", [py.display(items, line)], line), KIND_OF_CLASS[Vector]
    return e.value(node)


def change_of(
    e: Emitter, node: nodes.Node, accumulator: nodes.Binding, kind: str
) -> list[list[tuple[ast.expr, Kinds]]]:
    """The operands of a straight update, computed but not applied: a list for each assoc or conj, the innermost
    first."""
    if isinstance(node, nodes.Local):
        return []
    assert isinstance(node, nodes.Invoke)
    inner = change_of(e, node.arguments[0], accumulator, kind)
    return [*inner, steady(e, node.arguments[1:])]


def steady(e: Emitter, parts: list[nodes.Node]) -> list[tuple[ast.expr, Kinds]]:
    """Operands as names and constants: computed now, used later."""
    found: list[tuple[ast.expr, Kinds]] = []
    for part in parts:
        value, kinds = e.value(part)
        if not isinstance(part, (nodes.Const, nodes.Local)):
            held = e.names.temporary()
            e.block.append(py.assign(held, value, part.at + 1))
            value = py.name(held, part.at + 1)
        found.append((value, kinds))
    return found


def change(
    e: Emitter, accumulator: nodes.Binding, name: str, operands: list[tuple[ast.expr, Kinds]], line: int
) -> None:
    """Apply computed operands to an accumulator. name: the function that changes it."""
    target = py.name(accumulator.python, line)
    e.loads.add(accumulator.python)
    if accumulator in e.debts:
        _change_any(e, accumulator, name, operands, line)
        return
    if name == "conj":
        (item, _) = operands[0]
        push = e.pushing.get(accumulator)
        call = py.call(push, [item], line) if push else py.call(" push", [target, item], line)
        e.block.append(py.statement(call, line))
        return
    for (key, key_kinds), (value, _) in zip(operands[::2], operands[1::2], strict=True):
        if is_surely_plain(key, key_kinds):
            slot = py.attribute(target, "_d", line)
            e.block.append(py.put(slot, key, value, line))
        else:
            e.block.append(py.statement(py.call(" put", [target, key, value], line), line))


def _change_any(
    e: Emitter, accumulator: nodes.Binding, name: str, operands: list[tuple[ast.expr, Kinds]], line: int
) -> None:
    """Change what may not be the loop's own yet: in place once its debt is nil, else as a new version, which the loop
    may own from then on."""
    variable, debt = accumulator.python, e.debts[accumulator]
    paid = py.compare(py.name(debt, line), py.IS, py.const(None, line), line)
    size = SIZES.get(name, 2)
    for start in range(0, len(operands), size) if size else (0,):
        given = [py.name(variable, line), *[value for value, _ in operands[start : start + size]]]
        in_place = [py.statement(py.call(f" {name}/owned", given, line), line)]
        shared = [py.unpack([variable, debt], py.call(f" {name}/shared", [*given, py.name(debt, line)], line), line)]
        if size == 2:
            in_place = [_put_at_once(given, operands[start][1], in_place, line)]
        e.block.append(py.when(paid, in_place, shared, line))


def _put_at_once(given: list[ast.expr], key_kinds: Kinds, otherwise: list[ast.stmt], line: int) -> ast.stmt:
    """Set an entry of what is the loop's own: of a map or vector at once, if its key is surely in dicts as itself, or
    the index of an element."""
    owned, key, value = given
    if key_kinds == INT:
        within = py.chain(py.const(0, line), [py.LT_E, py.LT], [key, py.attribute(owned, "_stop", line)], line)
        fits = py.both(py.AND, [py.is_class(owned, " Vector", line), within], line)
        return py.when(fits, [py.put(py.attribute(owned, "_items", line), key, value, line)], otherwise, line)
    if is_surely_plain(key, key_kinds):
        is_map = py.is_class(owned, " Map", line)
        return py.when(is_map, [py.put(py.attribute(owned, "_d", line), key, value, line)], otherwise, line)
    return otherwise[0]


def call_in_place(
    e: Emitter, accumulator: nodes.Binding, node: nodes.Node, operands: list[tuple[ast.expr, Kinds]], line: int
) -> None:
    """Let the function that a node calls change an accumulator: by its version in place, as long as the name still
    means it; else the result may be anybody's, and the accumulator is the loop's own no more. operands: the computed
    arguments after it."""
    from rtfs.compiler.codegen.versions import version_in_place

    assert isinstance(node, nodes.Invoke)
    assert isinstance(node.function, nodes.Global)
    traits = node.function.traits
    assert traits is not None
    variable, debt = accumulator.python, e.debts[accumulator]
    e.loads.add(variable)
    function = py.name(global_name(node.function.name), line)
    given = [py.name(variable, line), *[value for value, _ in operands]]
    in_place = py.call(version_in_place(e.form, traits), [*given, py.name(debt, line)], line)
    plain = py.pack([py.call(function, given, line), py.const(0, line)], line)
    is_plain = py.compare(function, py.IS, py.name(traits.plain, line), line)
    changed, replaced = (py.unpack([variable, debt], one, line) for one in (in_place, plain))
    e.block.append(py.when(is_plain, [changed], [replaced], line))


def lent(e: Emitter, node: nodes.Invoke, arguments: list[ast.expr], line: int) -> list[ast.expr]:
    """The arguments of a call of a function of the program. What may be changed in place later is given to one that
    only asks it; should the name mean another function by now, that gets a copy."""
    traits = called(node)
    if traits is None or not traits.asked:
        return arguments
    assert isinstance(node.function, nodes.Global)
    for place in traits.asked:
        given = node.arguments[place]
        if isinstance(given, nodes.Local) and given.binding in e.form.lent:
            function = py.name(global_name(node.function.name), line)
            is_plain = py.compare(function, py.IS, py.name(traits.plain, line), line)
            copied = py.call(" copied", [arguments[place]], line)
            arguments[place] = py.choose(is_plain, arguments[place], copied, line)
    return arguments


def begin_any(e: Emitter, accumulator: nodes.Binding, line: int) -> None:
    """An accumulator that starts as whatever it is given: its debt says whether it is the loop's own."""
    e.debts[accumulator] = debt = e.names.temporary()
    e.form.lent.add(accumulator)
    e.block.append(py.assign(debt, py.const(0, line), line))
