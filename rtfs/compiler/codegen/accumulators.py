"""Code generation of accumulators that are built in place.

Knows nothing of forms. Invariant: a value that is changed in place was made by this code and is visible to nothing else
until the loop around it has ended (see analysis/ownership.py).
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import KIND_OF_CLASS, Kinds
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import Emitter
from rtfs.values import Map, Vector

PLAIN_KEYS = frozenset(("int", "str", "keyword", "nil"))


def fresh_value(e: Emitter, node: nodes.Node, line: int) -> tuple[ast.expr, Kinds]:
    """A map or vector that nobody else has."""
    if isinstance(node, nodes.Const):
        if node.value.__class__ is Map:
            empty: ast.expr = ast.Dict([], [], lineno=line, col_offset=0)
            return py.call(" plain_map", [empty], line), KIND_OF_CLASS[Map]
        return py.call(" vector", [py.display([], line)], line), KIND_OF_CLASS[Vector]
    return e.value(node)


def change_of(
    e: Emitter, node: nodes.Node, accumulator: nodes.Binding, kind: str
) -> list[list[tuple[ast.expr, Kinds]]]:
    """The operands of an update, computed but not applied: a list for each assoc or conj, the innermost first."""
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


def change(e: Emitter, accumulator: nodes.Binding, changes: list[list[tuple[ast.expr, Kinds]]], line: int) -> None:
    """Apply computed operands to an accumulator."""
    target = py.name(accumulator.python, line)
    e.loads.add(accumulator.python)
    for operands in changes:
        if len(operands) == 1:
            push = e.pushing.get(accumulator)
            call = py.call(push, [operands[0][0]], line) if push else py.call(" push", [target, operands[0][0]], line)
            e.block.append(py.statement(call, line))
            continue
        (key, key_kinds), (value, _) = operands
        if key_kinds is not None and key_kinds <= PLAIN_KEYS:
            slot = py.attribute(target, "_d", line)
            e.block.append(py.put(slot, key, value, line))
        else:
            e.block.append(py.statement(py.call(" put", [target, key, value], line), line))
