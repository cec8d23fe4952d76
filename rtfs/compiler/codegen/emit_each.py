"""Code generation of inlined higher-order calls: map, filter, remove, reduce.

Knows nothing of forms. Invariant: an inlined call computes what the standard function would, in the same order.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import INT, KIND_OF_CLASS, NUMBER, STRING, Kinds, join, kinds_of
from rtfs.compiler.analysis.ownership import core_name, fresh_kind, never_asked, updates
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import change, change_of, fresh_value
from rtfs.compiler.codegen.emit_control import bind_locals
from rtfs.compiler.codegen.emitter import Emitter, evaluates
from rtfs.values import Vector

SELECTING = frozenset(("map", "filter", "remove"))
GIVES_STRINGS = frozenset(("split", "re-split", "re-seq"))


@evaluates(nodes.Each)
def evaluate_each(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    """An inlined call as a value."""
    if e.crowded():
        return e.held(node)
    if node.operation == "reduce":
        return _reduce(e, node)
    if node.operation == "sum":
        return _sum(e, node)
    items, _, like = _collect(e, node)
    line = node.at + 1
    if like is None:
        return py.call(" vector", [items], line), KIND_OF_CLASS[Vector]
    return py.call(" like", [like, items], line), None


# ---------------------------------------------------------------------- map, filter, remove
def _collect(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds, ast.expr | None]:
    """A Python list of the results, their kinds, and the collection whose kind the result has (None: a vector)."""
    line = node.at + 1
    iterable, item_kinds, like = _iterable(e, node)
    item = node.item.python
    node.item.kinds = item_kinds
    e.known[node.item] = item_kinds
    e.stores.add(item)
    out = e.names.temporary()
    kinds: Kinds = None
    if node.closes:
        function = _round_function(e, node, [item])
        value: ast.expr = py.call(function, [py.name(item, line)], line)
        test, result = _selection(e, node, value, None, line)
        comprehended = True
    else:
        body: list[ast.stmt] = []

        def compute() -> None:
            nonlocal kinds, test, result
            value, kinds = e.value(node.body)
            test, result = _selection(e, node, value, kinds, line)
            body.extend(e.block)

        test, result = None, py.const(None, line)
        e.blocks += 1
        e.nested(compute)
        e.blocks -= 1
        comprehended = not body
        kinds = kinds if node.operation == "map" else item_kinds
    if comprehended:
        e.block.append(py.assign(out, py.comprehension(result, item, iterable, test, line), line))
        return py.name(out, line), kinds, like
    push = e.names.temporary()
    e.block.append(py.assign(out, py.display([], line), line))
    e.block.append(py.assign(push, py.attribute(py.name(out, line), "append", line), line))
    add: ast.stmt = py.statement(py.call(push, [result], line), line)
    if test is not None:
        add = py.when(test, [add], [], line)
    e.block.append(py.each_of(item, iterable, [*body, add], line))
    return py.name(out, line), kinds, like


def _selection(
    e: Emitter, node: nodes.Each, value: ast.expr, kinds: Kinds, line: int
) -> tuple[ast.expr | None, ast.expr]:
    """(test, result) of one round: map gives the value, filter and remove the item if the value says so."""
    if node.operation == "map":
        return None, value
    test = e.truth(value, kinds, line)
    if node.operation == "remove":
        test = py.negate(test, line)
    return test, py.name(node.item.python, line)


def _iterable(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds, ast.expr | None]:
    """What to iterate, the kinds of its items, and the collection whose kind a result has."""
    line = node.at + 1
    source = node.collection
    if isinstance(source, nodes.Each) and source.operation in SELECTING and not e.crowded():
        return _collect(e, source)
    if core_name(source) == "range" and isinstance(source, nodes.Invoke) and 1 <= len(source.arguments) <= 2:
        operands = e.values(source.arguments)
        kinds = INT if all(kinds == INT for _, kinds in operands) else None
        return py.call(" range_items", [value for value, _ in operands], line), kinds, None
    value, _ = e.value(source)
    if not isinstance(value, ast.Name):
        held = e.names.temporary()
        e.block.append(py.assign(held, value, line))
        value = py.name(held, line)
    kinds = STRING if core_name(source) in GIVES_STRINGS else None
    return py.call(" items", [py.const(node.operation, line), value], line), kinds, value


def _round_function(e: Emitter, node: nodes.Each, parameters: list[str]) -> str:
    """The body as a function, so that closures in it have variables of their own each round."""
    name = e.names.temporary()
    definition = e.form.function(e, node.body, parameters, name, node.at + 1)
    e.block.append(definition)
    return name


# ---------------------------------------------------------------------- reduce
def _sum(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    """(reduce + initial collection): Python's sum where everything is an int."""
    line = node.at + 1
    assert node.initial is not None
    initial, kinds = e.value(node.initial)
    if not isinstance(initial, (ast.Name, ast.Constant)):
        held = e.names.temporary()
        e.block.append(py.assign(held, initial, line))
        initial = py.name(held, line)
    iterable, item_kinds, _ = _iterable(e, node)
    ints = kinds == INT and item_kinds == INT
    if ints:
        return py.call(" sum_ints", [initial, iterable], line), INT
    # of no items the sum is the initial value, whatever that is
    return py.call(" sum_items", [initial, iterable], line), join(kinds, NUMBER)


def _reduce(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    accumulator = node.accumulator
    assert accumulator is not None
    assert node.initial is not None
    kind = fresh_kind(node.initial)
    # a vector that the body never asks is a plain Python list until the loop ends
    bare = kind == "vector" and not node.closes and updates(node.body, accumulator, kind, never_asked)
    in_place = kind is not None and not node.closes and updates(node.body, accumulator, kind)
    initial, initial_kinds = fresh_value(e, node.initial, line) if in_place else e.value(node.initial)
    e.stores.add(accumulator.python)
    e.block.append(py.assign(accumulator.python, initial, line))
    kinds = initial_kinds if in_place else None
    iterable, item_kinds, _ = _iterable(e, node)
    node.item.kinds = item_kinds
    e.known[node.item] = item_kinds
    if not in_place and initial_kinds is not None:
        inner = {**e.known, accumulator: initial_kinds}
        if kinds_of(node.body, inner) == initial_kinds:
            kinds = initial_kinds
    accumulator.kinds = kinds
    e.known[accumulator] = kinds
    if bare:
        _bare_rounds(e, node, iterable)
    else:
        _rounds(e, node, iterable, kind if in_place else None)
    return py.name(accumulator.python, line), kinds


def _rounds(e: Emitter, node: nodes.Each, iterable: ast.expr, kind: str | None) -> None:
    """The loop of a reduce; `kind`: the accumulator is changed in place."""
    line = node.at + 1
    accumulator = node.accumulator
    assert accumulator is not None
    item = node.item.python
    e.stores.add(item)
    if node.closes:
        function = _round_function(e, node, [accumulator.python, item])
        arguments = [py.name(accumulator.python, line), py.name(item, line)]
        body = [py.assign(accumulator.python, py.call(function, arguments, line), line)]
    else:
        e.blocks += 1
        if kind is not None:
            body = e.nested(_update, e, node.body, accumulator, kind)
        else:
            body = e.nested(e.store, node.body, accumulator.python)
        e.blocks -= 1
    e.block.append(py.each_of(item, iterable, body or [py.statement(py.const(None, line), line)], line))


def _bare_rounds(e: Emitter, node: nodes.Each, iterable: ast.expr) -> None:
    """The loop of a reduce that only appends: to the vector's own list, whose length is noted at the end."""
    line = node.at + 1
    accumulator = node.accumulator
    assert accumulator is not None
    push = e.names.temporary()
    items = py.attribute(py.name(accumulator.python, line), "_items", line)
    e.block.append(py.assign(push, py.attribute(items, "append", line), line))
    e.pushing[accumulator] = push
    _rounds(e, node, iterable, "vector")
    del e.pushing[accumulator]
    e.block.append(py.statement(py.call(" settle", [py.name(accumulator.python, line)], line), line))


def _update(e: Emitter, node: nodes.Node, accumulator: nodes.Binding, kind: str) -> None:
    """Emit an update of an accumulator, in place."""
    line = node.at + 1
    if isinstance(node, nodes.If):
        test = e.test(node.test)
        then = e.nested(_update, e, node.then, accumulator, kind)
        orelse = e.nested(_update, e, node.orelse, accumulator, kind)
        e.block.append(py.when(test, then, orelse, line))
    elif isinstance(node, nodes.Let):
        bind_locals(e, node)
        _update(e, node.body, accumulator, kind)
    elif isinstance(node, nodes.Do):
        for part in node.body[:-1]:
            e.drop(part)
        _update(e, node.body[-1], accumulator, kind)
    elif isinstance(node, nodes.Each):
        assert node.accumulator is not None
        iterable, item_kinds, _ = _iterable(e, node)
        e.stores.add(node.accumulator.python)
        e.block.append(py.assign(node.accumulator.python, py.name(accumulator.python, line), line))
        node.item.kinds = item_kinds
        e.known[node.item] = item_kinds
        e.known[node.accumulator] = e.known.get(accumulator)
        if accumulator in e.pushing:
            e.pushing[node.accumulator] = e.pushing[accumulator]
        _rounds(e, node, iterable, kind)
    elif isinstance(node, nodes.Invoke):
        if isinstance(node.arguments[0], nodes.Local):
            # one change: its operands are computed right where they are used
            change(e, accumulator, [e.values(node.arguments[1:])], line)
        else:
            change(e, accumulator, change_of(e, node, accumulator, kind), line)
