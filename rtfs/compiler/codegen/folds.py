"""Code generation of a `reduce` whose accumulator is a vector of some values: a variable for each of them.

`(reduce (fn [[sum found] x] [(+ sum x) (conj found x)]) [0 []] xs)` makes no vector in any round: what a round returns
is written out as a vector of as many values as its pattern takes apart, so its rounds are those of a loop, with a
`recur` in the place of that vector. The values may then be changed in place, as the variables of a loop are. Knows
nothing of forms. Invariant: the vector of the last values is that of the last round, or of the initial ones.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.destructure import count_taken
from rtfs.compiler.analysis.kinds import counters, loop_kinds
from rtfs.compiler.analysis.ownership import ANY, changes, fresh_kind, loop_updates, mentions
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import begin_any, fresh_value
from rtfs.compiler.codegen.emitter import Destination, Emitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

    from rtfs.compiler.analysis.kinds import Kinds

TAKING = frozenset(("pattern_items", "pattern_record", "pattern_map", "pattern_sequence"))
"""Operations that take a value apart, of which an element of the accumulator may be one."""


def fold_of(e: Emitter, node: nodes.Each) -> nodes.Loop | None:
    """The loop whose rounds are those of a `reduce`; None if its accumulator is anything but such a vector."""
    body, accumulator, initial = node.body, node.accumulator, node.initial
    if node.operation != "reduce" or node.closes or not isinstance(body, nodes.Let) or not body.bindings:
        return None
    if not isinstance(initial, nodes.VectorDisplay) or not initial.items or accumulator is None:
        return None
    part, taken = body.bindings[0]
    count = len(initial.items)
    if count_taken(part, taken, accumulator) != count:
        return None
    target = object()
    variables: dict[int, nodes.Binding] = {}
    bindings = _without_pieces(e, body.bindings[1:], part, variables)
    again = _again(body.body, target, count)
    if again is None:
        return None
    rest = nodes.Let(body.at, bindings, again) if bindings else again
    if mentions(rest, part) or mentions(rest, accumulator):
        return None
    every = [variables.get(index) or _variable(e) for index in range(count)]
    return nodes.Loop(node.at, target, every, initial.items, rest, False)


def _variable(e: Emitter) -> nodes.Binding:
    return nodes.Binding("", e.names.temporary(), None, object())


def _without_pieces(
    e: Emitter,
    bindings: list[tuple[nodes.Binding, nodes.Node]],
    part: nodes.Binding,
    variables: dict[int, nodes.Binding],
) -> list[tuple[nodes.Binding, nodes.Node]]:
    """Bindings of a pattern without those of the elements of `part`, which become `variables`."""
    kept: list[tuple[nodes.Binding, nodes.Node]] = []
    for binding, value in bindings:
        index = _piece(value, part)
        if index is not None and binding.definitions <= 1 and index not in variables:
            variables[index] = binding
            continue
        if isinstance(value, nodes.Primitive) and value.operation in TAKING:
            index = _piece(value.arguments[0], part)
            if index is not None:
                held = variables.setdefault(index, _variable(e))
                value = nodes.Primitive(value.at, value.operation, [nodes.Local(value.at, held), *value.arguments[1:]])
        kept.append((binding, value))
    return kept


def _piece(node: nodes.Node, part: nodes.Binding) -> int | None:
    """Which element of `part` a node is."""
    if not isinstance(node, nodes.Primitive) or node.operation != "unpacked":
        return None
    source, index = node.arguments
    if isinstance(source, nodes.Local) and source.binding is part and isinstance(index, nodes.Const):
        return index.value  # type: ignore[no-any-return]
    return None


def _again(node: nodes.Node, target: object, count: int) -> nodes.Node | None:
    """A round with a `recur` for each vector that it returns; None if it may return anything else."""
    if isinstance(node, nodes.VectorDisplay):
        return nodes.Recur(node.at, target, node.items) if len(node.items) == count else None
    if isinstance(node, nodes.If):
        then = _again(node.then, target, count)
        orelse = None if then is None else _again(node.orelse, target, count)
        return None if then is None or orelse is None else nodes.If(node.at, node.test, then, orelse)
    if isinstance(node, nodes.Let):
        body = _again(node.body, target, count)
        return None if body is None else nodes.Let(node.at, node.bindings, body)
    if isinstance(node, nodes.Do):
        last = _again(node.body[-1], target, count)
        return None if last is None else nodes.Do(node.at, [*node.body[:-1], last])
    return None


def emit_fold(e: Emitter, node: nodes.Each, loop: nodes.Loop) -> list[str]:
    """Emit a `reduce` as its loop; the variables that hold the last values."""
    from rtfs.compiler.codegen.emit_each import cursor_of, go_through, iterable

    line = node.at + 1
    owned = _owned(loop)
    kinds = loop_kinds(loop, e.known)
    values: list[ast.expr] = []
    for index, value in enumerate(loop.values):
        found: tuple[ast.expr, Kinds] = fresh_value(e, value, line) if owned.get(index, ANY) != ANY else e.value(value)
        held = e.names.temporary()
        e.block.append(py.assign(held, found[0], line))
        values.append(py.name(held, line))
    source = iterable(e, node)
    e.block.append(py.assign_all([one.python for one in loop.variables], values, line))
    node.item.kinds = e.known[node.item] = source.kinds
    e.form.owned[loop.target] = owned
    for index, kind in owned.items():
        e.form.lent.add(loop.variables[index])
        if kind == ANY:
            begin_any(e, loop.variables[index], line)
    for variable in counters(loop):
        variable.short = True
    for variable, known in zip(loop.variables, kinds, strict=True):
        e.stores.add(variable.python)
        variable.kinds = e.known[variable] = known
    e.stores.add(node.item.python)
    e.form.loops[loop.target] = loop
    e.own.add(loop.target)
    cursor = cursor_of(e, source)
    blocks = 3 if source.lazy else 2
    e.blocks += blocks
    body = e.nested(e.into, loop.body, Destination("exit", e.names.temporary()))  # where nothing ever comes to
    e.blocks -= blocks
    go_through(e, source, node.item.python, body, cursor, line)
    e.loads.update([one.python for one in loop.variables])
    return [one.python for one in loop.variables]


def _owned(loop: nodes.Loop) -> dict[int, str]:
    """The variables that may be changed in place (see `emit_loops`)."""
    owned: dict[int, str] = {}
    for index, value in enumerate(loop.values):
        for kind in (fresh_kind(value), ANY):
            if kind is not None and changes(loop, index, kind) and loop_updates(loop.body, loop, index, kind):
                owned[index] = kind
                break
    return owned
