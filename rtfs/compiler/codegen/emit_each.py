"""Code generation of inlined higher-order calls: map, filter, reduce, every? and their like.

Knows nothing of forms. Invariant: an inlined call computes what the standard function would, in the same order.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import AT_ONCE, CHOOSING, DECIDING, LAZILY, SELECTING
from rtfs.compiler.analysis.kinds import BOOL, INT, KIND_OF_CLASS, NUMBER, STRING, Kinds, is_short_int, join, kinds_of
from rtfs.compiler.analysis.laziness import is_small, may_be_lazy, may_be_reduced
from rtfs.compiler.analysis.literals import constant_vector
from rtfs.compiler.analysis.nodes import walk
from rtfs.compiler.analysis.ownership import (
    ANY,
    TAIL,
    changed,
    core_name,
    display_of,
    fresh_kind,
    hands_over,
    is_read_first,
    never_asked,
    only_asked,
    updates,
)
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import begin_any, call_in_place, change, fresh_value, steady
from rtfs.compiler.codegen.emit_control import bind_locals
from rtfs.compiler.codegen.emitter import Emitter, evaluates, once
from rtfs.compiler.codegen.folds import emit_fold, fold_of
from rtfs.compiler.codegen.parts import takes_tuples
from rtfs.compiler.codegen.primitives import is_short, vector_of
from rtfs.compiler.codegen.tails import advance
from rtfs.values import Vector
from rtfs.values.short_vector import SHORT

GIVES_STRINGS = frozenset(("split", "re-split", "re-seq"))


class Source:
    """The source of a loop's elements.

    value: an expression for a sized iterable, or, if `lazy`, a variable that holds one or a lazy sequence.

    kinds: those of its items.

    like: the collection whose kind a result has; None for a vector.

    in_parts: the value gives parts, between which the machine looks at the clock, or a lazy sequence itself; of a call
    that is not given the rest of a collection before it needs that, such parts and a cursor.

    few: there are so few elements that nothing needs to look at the clock between them.
    """

    __slots__ = ("few", "in_parts", "kinds", "lazy", "like", "value")

    def __init__(
        self,
        value: ast.expr,
        kinds: Kinds,
        like: ast.expr | None,
        lazy: bool,
        in_parts: bool = False,
        few: bool = False,
    ) -> None:
        self.in_parts = in_parts
        self.few = few
        self.value = value
        self.kinds = kinds
        self.like = like
        self.lazy = lazy


@evaluates(nodes.Each)
def evaluate_each(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    """An inlined call as a value."""
    if e.crowded():
        return e.held(node)
    if node.operation == "reduce":
        return _reduce(e, node)
    if node.operation == "sum":
        return _sum(e, node)
    if node.operation in DECIDING:
        return _decide(e, node)
    source = _collect(e, node)
    line = node.at + 1
    if source.like is None:
        return py.call(" vector", [source.value], line), KIND_OF_CLASS[Vector]
    if not source.lazy:
        return py.call(" like", [source.like, source.value], line), None
    gathered = py.call(" gathered", [source.like, source.value], line)
    if e.plain:
        return gathered, None
    short = py.call(" short", [source.value], line)
    return py.choose(is_short(source.like, line), short, gathered, line), None


# ---------------------------------------------------------------------- map, filter and their like
def _collect(e: Emitter, node: nodes.Each) -> Source:
    """A Python list of the results, or, of a lazy source, a lazy sequence that calls the body as a function."""
    line = node.at + 1
    source = iterable(e, node)
    variables = _variables(e, node)
    out = e.names.temporary()
    if not source.lazy:
        node.item.kinds = e.known[node.item] = source.kinds
        function = _round_function(e, node, variables) if node.closes else None
        like = None if node.operation in AT_ONCE else source.like
        return Source(py.name(out, line), _collected(e, node, source, out, function), like, False)
    node.item.kinds = e.known[node.item] = None
    lazily: list[ast.stmt] = []
    shared = node.closes or not is_small(node.body)
    if shared:
        function = _round_function(e, node, variables)
    else:
        function = e.names.temporary()
        lazily.append(e.form.function(e, node.body, variables, function, line, by_value=True, plain=True))
    arguments = [py.name(function, line), source.value]
    if node.operation in CHOOSING:
        arguments.append(py.const(node.operation == "filter", line))
    step = py.call(LAZILY.get(node.operation, " lazy_filter"), arguments, line)
    lazily.append(py.assign(out, step, line))
    node.item.kinds = e.known[node.item] = source.kinds
    kinds: Kinds = None

    def at_once() -> None:
        nonlocal kinds
        kinds = _collected(e, node, source, out, function if shared else None)

    whole = e.nested(at_once)
    e.block.append(py.when(py.is_class(source.value, " LazySeq", line), lazily, whole, line))
    return Source(py.name(out, line), kinds, source.like, True)


def _variables(e: Emitter, node: nodes.Each) -> list[str]:
    """The names of what a round of an inlined call gets: the element, of `map-indexed` the index before it."""
    if node.accumulator is None:
        return [node.item.python]
    node.accumulator.kinds = e.known[node.accumulator] = INT
    return [node.accumulator.python, node.item.python]


def _collected(e: Emitter, node: nodes.Each, source: Source, out: str, function: str | None) -> Kinds:
    """Emit the list of the results into the variable `out`; their kinds. function: the body, if it is one already."""
    line = node.at + 1
    variables = _variables(e, node)
    iterable = source.value if node.accumulator is None else py.call(" indexed", [source.value], line)
    in_parts = source.in_parts or node.accumulator is not None
    chooses = node.operation in CHOOSING
    if function is not None:
        value = py.call(function, [py.name(one, line) for one in variables], line)
        fits, given = _selection(e, node, value, None, line)
        gathered = py.comprehension(given, variables, iterable, fits, line, in_parts=in_parts, few=source.few)
        e.block.append(py.assign(out, gathered, line))
        return source.kinds if chooses else None
    e.stores.update(variables)
    body: list[ast.stmt] = []
    kinds: Kinds = None
    test: ast.expr | None = None
    result: ast.expr = py.const(None, line)

    def compute() -> None:
        nonlocal kinds, test, result
        made = display_of(node.body) if node in e.form.tuples else None
        if made is not None:
            value, kinds = py.pack([item for item, _ in e.values(made.items)], line), None
        else:
            value, kinds = e.value(node.body)
        test, result = _selection(e, node, value, kinds, line)
        body.extend(e.block)

    e.blocks += 2
    e.nested(compute)
    e.blocks -= 2
    if chooses:
        kinds = source.kinds
    if not body:
        gathered = py.comprehension(result, variables, iterable, test, line, in_parts=in_parts, few=source.few)
        e.block.append(py.assign(out, gathered, line))
        return kinds
    push = e.names.temporary()
    e.block.append(py.assign(out, py.display([], line), line))
    e.block.append(py.assign(push, py.attribute(py.name(out, line), "append", line), line))
    add: ast.stmt = py.statement(py.call(push, [result], line), line)
    if test is not None:
        add = py.when(test, [add], [], line)
    e.block.append(py.each_of(variables, iterable, [*body, add], line, in_parts=in_parts, few=source.few))
    return kinds


def _selection(
    e: Emitter, node: nodes.Each, value: ast.expr, kinds: Kinds, line: int
) -> tuple[ast.expr | None, ast.expr]:
    """(test, result) of one round: map returns the value, filter and remove the item if the value says so."""
    if node.operation == "keep":
        first, again = once(e, value, line)
        return py.compare(first, py.IS_NOT, py.const(None, line), line), again
    if node.operation not in CHOOSING:
        return None, value
    test = e.truth(value, kinds, line)
    if node.operation == "remove":
        test = py.negate(test, line)
    return test, py.name(node.item.python, line)


def iterable(e: Emitter, node: nodes.Each) -> Source:
    """The iterable of an inlined call."""
    line = node.at + 1
    source = node.collection
    if isinstance(source, nodes.Invoke) and core_name(source) == "for-source*":
        source = source.arguments[0] if isinstance(source.arguments[0], nodes.VectorDisplay) else source
    node.item.short = _is_short_range(source)
    if isinstance(source, nodes.Each) and source.operation in SELECTING and not e.crowded():
        if takes_tuples(node, source):
            e.form.tuples.update((source, node.item))
        found = _collect(e, source)
        if not (found.lazy and node.operation in AT_ONCE):
            return found
        return Source(
            py.call(" at_once", [py.const(node.operation, line), found.value], line), found.kinds, None, False
        )
    if core_name(source) == "range" and isinstance(source, nodes.Invoke) and 1 <= len(source.arguments) <= 2:
        operands = e.values(source.arguments)
        kinds = INT if all(kinds == INT for _, kinds in operands) else None
        return Source(py.call(" range_items", [value for value, _ in operands], line), kinds, None, False)
    if isinstance(source, nodes.VectorDisplay) and len(source.items) <= SHORT:
        return Source(_few(e, node, source, line), None, None, False, few=node.operation != "map-indexed")
    value, known = e.value(source)
    if not isinstance(value, ast.Name):
        value = _hold(e, value, line)
    kinds = _kinds_of_items(e, source)
    arguments = [py.const(node.operation, line), value]
    if known is not None or node.operation in AT_ONCE or not may_be_lazy(source, e.known):
        if node.operation in DECIDING:
            return Source(py.call(" asked", arguments, line), kinds, value, False, True)
        return Source(py.call(" items", arguments, line), kinds, value, False)
    begin = " begin_asking" if node.operation in DECIDING else " begin" if node.operation == "reduce" else None
    if begin is not None:
        return Source(py.call(begin, arguments, line), kinds, value, True, True)
    in_parts = node.operation in SELECTING and node.accumulator is None
    whole = " parts_or_lazy" if in_parts else " whole_or_lazy"
    return Source(_hold(e, py.call(whole, arguments, line), line), kinds, value, True, in_parts)


def _few(e: Emitter, node: nodes.Each, source: nodes.VectorDisplay, line: int) -> ast.expr:
    """The elements of a vector that is written where it is gone through. They are accounted for unless what is done
    with each is no more than the text of the call could have spelled out."""
    constant = constant_vector(source)
    if constant is not None:
        elements = e.form.constant(constant, line)
    else:
        # what is gone through in a comprehension may assign nothing
        elements = _hold(e, py.pack([value for value, _ in e.values(source.items)], line), line)
    spelled = all(
        part.__class__ in _SPELLED or core_name(part) is not None or (isinstance(part, nodes.Global) and part.core)
        for part in walk(node.body)
    )
    return elements if spelled else py.call(" few", [elements], line)


_SPELLED = frozenset(
    (
        *(nodes.Const, nodes.Local, nodes.If, nodes.Let, nodes.Do, nodes.Logic, nodes.VectorDisplay),
        *(nodes.MapDisplay, nodes.Primitive),
    )
)
"""Nodes that take a time in proportion to their text."""


def _is_short_range(source: nodes.Node) -> bool:
    """Whether the elements are surely short ints."""
    origin = source.binding.value if isinstance(source, nodes.Local) else source
    if not isinstance(origin, nodes.Invoke) or core_name(origin) != "range":
        return False
    return 1 <= len(origin.arguments) <= 3 and all(is_short_int(one) for one in origin.arguments)


def _kinds_of_items(e: Emitter, source: nodes.Node) -> Kinds:
    """The kinds of the elements of a collection, as far as the text tells."""
    origin = source.binding.value if isinstance(source, nodes.Local) else source
    name = core_name(origin) if origin is not None else None
    if name in GIVES_STRINGS:
        return STRING
    if name == "range" and isinstance(origin, nodes.Invoke) and origin.arguments:
        return INT if all(kinds_of(one, e.known) == INT for one in origin.arguments) else None
    return None


def _hold(e: Emitter, value: ast.expr, line: int) -> ast.expr:
    """A value in a temporary."""
    held = e.names.temporary()
    e.block.append(py.assign(held, value, line))
    return py.name(held, line)


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
        initial = _hold(e, initial, line)
    source = iterable(e, node)
    if kinds == INT and source.kinds == INT and not source.lazy:
        return py.call(" sum_ints", [initial, source.value], line), INT
    # of no items the sum is the initial value, whatever that is
    return py.call(" sum_items", [initial, source.value], line), join(kinds, NUMBER)


def _reduce(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    loop = fold_of(e, node)
    if loop is not None:
        return vector_of([py.name(one, line) for one in emit_fold(e, node, loop)], line), KIND_OF_CLASS[Vector]
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
    source = iterable(e, node)
    node.item.kinds = source.kinds
    e.known[node.item] = source.kinds
    if not in_place and initial_kinds is not None:
        inner = {**e.known, accumulator: initial_kinds}
        if kinds_of(node.body, inner) == initial_kinds:
            kinds = initial_kinds
    accumulator.kinds = kinds
    e.known[accumulator] = kinds
    if bare:
        _bare_rounds(e, node, source)
    elif not in_place and _is_changed(node, accumulator):
        begin_any(e, accumulator, line)
        _rounds(e, node, source, ANY)
    else:
        _rounds(e, node, source, kind if in_place else None)
    return py.name(accumulator.python, line), kinds


def _is_changed(node: nodes.Each, accumulator: nodes.Binding) -> bool:
    """True if a reduce only changes entries of its accumulator, whatever that is."""
    return (
        not node.closes
        and any(changed(part, ANY) is not None for part in walk(node.body))
        and updates(node.body, accumulator, ANY)
    )


def _rounds(e: Emitter, node: nodes.Each, source: Source, kind: str | None) -> None:
    """The loop of a reduce; `kind`: the accumulator is changed in place."""
    line = node.at + 1
    accumulator = node.accumulator
    assert accumulator is not None
    item = node.item.python
    e.stores.add(item)
    blocks = 3 if source.lazy else 2
    if node.closes:
        function = _round_function(e, node, [accumulator.python, item])
        arguments = [py.name(accumulator.python, line), py.name(item, line)]
        body = [py.assign(accumulator.python, py.call(function, arguments, line), line)]
    else:
        e.blocks += blocks
        if kind is not None:
            e.form.lent.add(accumulator)
            body = e.nested(update, e, node.body, accumulator, kind)
        else:
            body = e.nested(e.store, node.body, accumulator.python)
        e.blocks -= blocks
    cursor = cursor_of(e, source)
    plain = kind is None or any(hands_over(part) for part in walk(node.body))
    if plain and may_be_reduced(node.body, accumulator):
        value = py.name(accumulator.python, line)
        leave = [py.assign(accumulator.python, py.attribute(value, "value", line), line), *_leave(cursor, line)]
        body = [*body, py.when(py.is_class(value, " Reduced", line), leave, [], line)]
    go_through(e, source, item, body, cursor, line)


def cursor_of(e: Emitter, source: Source) -> str | None:
    """The variable that says where in a lazy sequence a loop is; None where there can be none."""
    return e.names.temporary() if source.lazy else None


def _leave(cursor: str | None, line: int) -> list[ast.stmt]:
    """Leave the loop of `go_through`."""
    return [*([] if cursor is None else [py.assign(cursor, py.const(None, line), line)]), py.leave(line)]


def go_through(e: Emitter, source: Source, item: str, body: list[ast.stmt], cursor: str | None, line: int) -> None:
    """The loop of a call that is not given the rest of a collection before it needs that."""
    body = body or [py.statement(py.const(None, line), line)]
    if cursor is None:
        e.block.append(py.each_of([item], source.value, body, line, in_parts=source.in_parts, few=source.few))
        return
    # all of a whole collection at first; of a lazy one what is computed, again and again
    parts = e.names.temporary()
    begun = source.value if source.in_parts else py.call(" begin_gathered", [source.value], line)
    rounds = [
        py.each_of([item], py.name(parts, line), body, line, in_parts=True),
        py.when(py.compare(py.name(cursor, line), py.IS, py.const(None, line), line), [py.leave(line)], [], line),
        py.unpack([parts, cursor], py.call(" go_on", [py.name(cursor, line)], line), line),
    ]
    e.block.append(py.unpack([parts, cursor], begun, line))
    e.block.append(py.forever(rounds, line))


def _decide(e: Emitter, node: nodes.Each) -> tuple[ast.expr, Kinds]:
    """`every?`, `some` and their like: the answer of the first round that decides, or that of none."""
    line = node.at + 1
    otherwise, by_truth, answer = DECIDING[node.operation]
    source = iterable(e, node)
    node.item.kinds = e.known[node.item] = source.kinds
    out, item = e.names.temporary(), node.item.python
    e.block.append(py.assign(out, py.const(otherwise, line), line))
    cursor = cursor_of(e, source)
    function = _round_function(e, node, [item]) if node.closes else None

    def one_round() -> None:
        if function is None:
            value, kinds = e.value(node.body)
        else:
            value, kinds = py.call(function, [py.name(item, line)], line), None
        if answer is ...:
            first, given = once(e, value, line)
            test = e.truth(first, kinds, line) if first is value else _is_true(first, given, line)
        else:
            test, given = e.truth(value, kinds, line), py.const(answer, line)
        if not by_truth:
            test = py.negate(test, line)
        e.block.append(py.when(test, [py.assign(out, given, line), *_leave(cursor, line)], [], line))

    e.stores.add(item)
    blocks = 3 if source.lazy else 2
    e.blocks += blocks
    body = e.nested(one_round)
    e.blocks -= blocks
    go_through(e, source, item, body, cursor, line)
    return py.name(out, line), None if answer is ... else BOOL


def _is_true(first: ast.expr, again: ast.expr, line: int) -> ast.expr:
    """Whether a value, which `first` computes, is neither nil nor false."""
    some = py.compare(first, py.IS_NOT, py.const(None, line), line)
    return py.both(py.AND, [some, py.compare(again, py.IS_NOT, py.const(False, line), line)], line)


def _bare_rounds(e: Emitter, node: nodes.Each, source: Source) -> None:
    """The loop of a reduce that only appends: to the vector's own list, whose length is noted at the end."""
    line = node.at + 1
    accumulator = node.accumulator
    assert accumulator is not None
    push = e.names.temporary()
    items = py.attribute(py.name(accumulator.python, line), "_items", line)
    e.block.append(py.assign(push, py.attribute(items, "append", line), line))
    e.pushing[accumulator] = push
    _rounds(e, node, source, "vector")
    del e.pushing[accumulator]
    e.block.append(py.statement(py.call(" settle", [py.name(accumulator.python, line)], line), line))


def update(e: Emitter, node: nodes.Node, accumulator: nodes.Binding, kind: str) -> None:
    """Emit an update of an accumulator, in place."""
    line = node.at + 1
    if isinstance(node, nodes.If):
        test = e.test(node.test)
        then = e.nested(update, e, node.then, accumulator, kind)
        orelse = e.nested(update, e, node.orelse, accumulator, kind)
        if not then and orelse:
            then, orelse, test = orelse, [], py.negate(test, line)
        e.block.append(py.when(test, then, orelse, line))
    elif isinstance(node, nodes.Let):
        _update_named(e, node, accumulator, kind)
    elif isinstance(node, nodes.Do):
        for part in node.body[:-1]:
            e.drop(part)
        update(e, node.body[-1], accumulator, kind)
    elif isinstance(node, nodes.Each):
        assert node.accumulator is not None
        source = iterable(e, node)
        _pass_on(e, accumulator, node.accumulator, line)
        node.item.kinds = source.kinds
        e.known[node.item] = source.kinds
        _rounds(e, node, source, kind)
        if accumulator in e.debts:
            e.block.append(py.assign(accumulator.python, py.name(node.accumulator.python, line), line))
    elif isinstance(node, nodes.Loop):
        from rtfs.compiler.codegen.emit_loops import continue_in_loop

        continue_in_loop(e, node, accumulator, kind)
    elif not isinstance(node, nodes.Local):
        change_ = changed(node, kind)
        assert change_ is not None
        inner, operands = change_
        if not isinstance(inner, nodes.Local):
            update(e, inner, accumulator, kind)
        if kind == TAIL:
            advance(e, accumulator, core_name(node), line)
            return
        if hands_over(node):
            call_in_place(e, accumulator, node, steady(e, operands), line)
            return
        name = node.operation.partition("/")[0] if isinstance(node, nodes.Primitive) else core_name(node)
        assert name is not None
        # those of one change are computed right where they are used
        found = steady(e, operands) if accumulator in e.debts or len(operands) > 2 else e.values(operands)
        change(e, accumulator, name, found, line)


def _update_named(e: Emitter, node: nodes.Let, accumulator: nodes.Binding, kind: str) -> None:
    """An update after which, or in the course of which, locals are bound."""
    line = node.at + 1
    for place, (binding, value) in enumerate(node.bindings):
        if only_asked(value, accumulator) or is_read_first(node, place, accumulator):
            continue
        # the accumulator itself, updated, under a new name
        bind_locals(e, nodes.Let(node.at, node.bindings[:place], node.body))
        update(e, value, accumulator, kind)
        _pass_on(e, accumulator, binding, line)
        update(e, nodes.Let(node.at, node.bindings[place + 1 :], node.body), binding, kind)
        e.block.append(py.assign(accumulator.python, py.name(binding.python, line), line))
        return
    bind_locals(e, node)
    update(e, node.body, accumulator, kind)


def _pass_on(e: Emitter, accumulator: nodes.Binding, to: nodes.Binding, line: int) -> None:
    """Continue an accumulator under another name."""
    e.stores.add(to.python)
    e.loads.add(accumulator.python)
    e.block.append(py.assign(to.python, py.name(accumulator.python, line), line))
    to.kinds = e.known[to] = e.known.get(accumulator)
    e.form.lent.add(to)
    if accumulator in e.pushing:
        e.pushing[to] = e.pushing[accumulator]
    if accumulator in e.debts:
        e.debts[to] = e.debts[accumulator]
    if accumulator in e.tails:
        e.tails[to] = e.tails[accumulator]
