"""Code generation of inlined higher-order calls, and of accumulators that are built in place.

Knows nothing of forms. Invariant: a value that is changed in place was made by this code and is visible to nothing else
until the loop around it has ended (see ownership.py).
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import INT, KIND_OF_CLASS, NUMBER, STRING, Kinds, join, kinds_of
from rtfs.compiler.analysis.ownership import core_name, fresh_kind, never_asked, updates
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emit_expressions import Expressions
from rtfs.values import Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SELECTING = frozenset(("map", "filter", "remove"))
PLAIN_KEYS = frozenset(("int", "str", "keyword", "nil"))
GIVES_STRINGS = frozenset(("split", "re-split", "re-seq"))


class Looping(Expressions):
    """Emits `Each` nodes."""

    blocks: int

    def each(self, node: nodes.Each) -> tuple[ast.expr, Kinds]:
        """An inlined call as a value."""
        if node.operation == "reduce":
            return self._reduce(node)
        if node.operation == "sum":
            return self._sum(node)
        items, _, like = self._collect(node)
        line = node.at + 1
        if like is None:
            return py.call(" vector", [items], line), KIND_OF_CLASS[Vector]
        return py.call(" like", [like, items], line), None

    # ------------------------------------------------------------------ map, filter, remove
    def _collect(self, node: nodes.Each) -> tuple[ast.expr, Kinds, ast.expr | None]:
        """A Python list of the results, their kinds, and the collection whose kind the result has (None: a vector)."""
        line = node.at + 1
        iterable, item_kinds, like = self._iterable(node)
        item = node.item.python
        node.item.kinds = item_kinds
        self.known[node.item] = item_kinds
        self.stores.add(item)
        out = self.names.temporary()
        kinds: Kinds = None
        if node.closes:
            function = self._round_function(node, [item])
            value: ast.expr = py.call(function, [py.name(item, line)], line)
            test, result = self._selection(node, value, None, line)
            comprehended = True
        else:
            body: list[ast.stmt] = []

            def compute() -> None:
                nonlocal kinds, test, result
                value, kinds = self.value(node.body)
                test, result = self._selection(node, value, kinds, line)
                body.extend(self.block)

            test, result = None, py.const(None, line)
            self.blocks += 1
            self.nested(compute)
            self.blocks -= 1
            comprehended = not body
            kinds = kinds if node.operation == "map" else item_kinds
        if comprehended:
            self.block.append(py.assign(out, py.comprehension(result, item, iterable, test, line), line))
            return py.name(out, line), kinds, like
        push = self.names.temporary()
        self.block.append(py.assign(out, py.display([], line), line))
        self.block.append(py.assign(push, py.attribute(py.name(out, line), "append", line), line))
        add: ast.stmt = py.statement(py.call(push, [result], line), line)
        if test is not None:
            add = py.when(test, [add], [], line)
        self.block.append(py.each_of(item, iterable, [*body, add], line))
        return py.name(out, line), kinds, like

    def _selection(
        self, node: nodes.Each, value: ast.expr, kinds: Kinds, line: int
    ) -> tuple[ast.expr | None, ast.expr]:
        """(test, result) of one round: map gives the value, filter and remove the item if the value says so."""
        if node.operation == "map":
            return None, value
        test = self.truth(value, kinds, line)
        if node.operation == "remove":
            test = py.negate(test, line)
        return test, py.name(node.item.python, line)

    def _iterable(self, node: nodes.Each) -> tuple[ast.expr, Kinds, ast.expr | None]:
        """What to iterate, the kinds of its items, and the collection whose kind a result has."""
        line = node.at + 1
        source = node.collection
        if isinstance(source, nodes.Each) and source.operation in SELECTING and not self.crowded():
            return self._collect(source)
        if core_name(source) == "range" and isinstance(source, nodes.Invoke) and 1 <= len(source.arguments) <= 2:
            operands = self.values(source.arguments)
            kinds = INT if all(kinds == INT for _, kinds in operands) else None
            return py.call(" range_items", [value for value, _ in operands], line), kinds, None
        value, _ = self.value(source)
        if not isinstance(value, ast.Name):
            held = self.names.temporary()
            self.block.append(py.assign(held, value, line))
            value = py.name(held, line)
        kinds = STRING if core_name(source) in GIVES_STRINGS else None
        return py.call(" items", [py.const(node.operation, line), value], line), kinds, value

    def _round_function(self, node: nodes.Each, parameters: list[str]) -> str:
        """The body as a function, so that closures in it have variables of their own each round."""
        name = self.names.temporary()
        definition, _ = self.child(node.body, parameters, name, node.at + 1)
        self.block.append(definition)
        return name

    # ------------------------------------------------------------------ reduce
    def _sum(self, node: nodes.Each) -> tuple[ast.expr, Kinds]:
        """(reduce + initial collection): Python's sum where everything is an int."""
        line = node.at + 1
        assert node.initial is not None
        initial, kinds = self.value(node.initial)
        if not isinstance(initial, (ast.Name, ast.Constant)):
            held = self.names.temporary()
            self.block.append(py.assign(held, initial, line))
            initial = py.name(held, line)
        iterable, item_kinds, _ = self._iterable(node)
        ints = kinds == INT and item_kinds == INT
        if ints:
            return py.call(" sum_ints", [initial, iterable], line), INT
        # of no items the sum is the initial value, whatever that is
        return py.call(" sum_items", [initial, iterable], line), join(kinds, NUMBER)

    def _reduce(self, node: nodes.Each) -> tuple[ast.expr, Kinds]:
        line = node.at + 1
        accumulator = node.accumulator
        assert accumulator is not None
        assert node.initial is not None
        kind = fresh_kind(node.initial)
        # a vector that the body never asks is a plain Python list until the loop ends
        bare = kind == "vector" and not node.closes and updates(node.body, accumulator, kind, never_asked)
        in_place = kind is not None and not node.closes and updates(node.body, accumulator, kind)
        initial, initial_kinds = self._fresh(node.initial, line) if in_place else self.value(node.initial)
        self.stores.add(accumulator.python)
        self.block.append(py.assign(accumulator.python, initial, line))
        kinds = initial_kinds if in_place else None
        iterable, item_kinds, _ = self._iterable(node)
        node.item.kinds = item_kinds
        self.known[node.item] = item_kinds
        if not in_place and initial_kinds is not None:
            inner = {**self.known, accumulator: initial_kinds}
            if kinds_of(node.body, inner) == initial_kinds:
                kinds = initial_kinds
        accumulator.kinds = kinds
        self.known[accumulator] = kinds
        if bare:
            self._bare_rounds(node, iterable)
        else:
            self._rounds(node, iterable, kind if in_place else None)
        return py.name(accumulator.python, line), kinds

    def _rounds(self, node: nodes.Each, iterable: ast.expr, kind: str | None) -> None:
        """The loop of a reduce; `kind`: the accumulator is changed in place."""
        line = node.at + 1
        accumulator = node.accumulator
        assert accumulator is not None
        item = node.item.python
        self.stores.add(item)
        if node.closes:
            function = self._round_function(node, [accumulator.python, item])
            arguments = [py.name(accumulator.python, line), py.name(item, line)]
            body = [py.assign(accumulator.python, py.call(function, arguments, line), line)]
        else:
            self.blocks += 1
            if kind is not None:
                body = self.nested(self.update, node.body, accumulator, kind)
            else:
                body = self.nested(self.store, node.body, accumulator.python)
            self.blocks -= 1
        self.block.append(py.each_of(item, iterable, body or [py.statement(py.const(None, line), line)], line))

    def _bare_rounds(self, node: nodes.Each, iterable: ast.expr) -> None:
        """The loop of a reduce that only appends: to the vector's own list, whose length is noted at the end."""
        line = node.at + 1
        accumulator = node.accumulator
        assert accumulator is not None
        push = self.names.temporary()
        items = py.attribute(py.name(accumulator.python, line), "_items", line)
        self.block.append(py.assign(push, py.attribute(items, "append", line), line))
        self.pushing[accumulator] = push
        self._rounds(node, iterable, "vector")
        del self.pushing[accumulator]
        self.block.append(py.statement(py.call(" settle", [py.name(accumulator.python, line)], line), line))

    # ------------------------------------------------------------------ in place
    def _fresh(self, node: nodes.Node, line: int) -> tuple[ast.expr, Kinds]:
        """A map or vector that nobody else has."""
        if isinstance(node, nodes.Const):
            if node.value.__class__ is Map:
                empty: ast.expr = ast.Dict([], [], lineno=line, col_offset=0)
                return py.call(" plain_map", [empty], line), KIND_OF_CLASS[Map]
            return py.call(" vector", [py.display([], line)], line), KIND_OF_CLASS[Vector]
        return self.value(node)

    def update(self, node: nodes.Node, accumulator: nodes.Binding, kind: str) -> None:
        """Emit an update of an accumulator, in place."""
        line = node.at + 1
        if isinstance(node, nodes.If):
            test = self.test(node.test)
            then = self.nested(self.update, node.then, accumulator, kind)
            orelse = self.nested(self.update, node.orelse, accumulator, kind)
            self.block.append(py.when(test, then, orelse, line))
        elif isinstance(node, nodes.Let):
            self.bind(node)
            self.update(node.body, accumulator, kind)
        elif isinstance(node, nodes.Do):
            for part in node.body[:-1]:
                self.drop(part)
            self.update(node.body[-1], accumulator, kind)
        elif isinstance(node, nodes.Each):
            assert node.accumulator is not None
            iterable, item_kinds, _ = self._iterable(node)
            self.stores.add(node.accumulator.python)
            self.block.append(py.assign(node.accumulator.python, py.name(accumulator.python, line), line))
            node.item.kinds = item_kinds
            self.known[node.item] = item_kinds
            self.known[node.accumulator] = self.known.get(accumulator)
            if accumulator in self.pushing:
                self.pushing[node.accumulator] = self.pushing[accumulator]
            self._rounds(node, iterable, kind)
        elif isinstance(node, nodes.Invoke):
            if isinstance(node.arguments[0], nodes.Local):
                # one change: its operands are computed right where they are used
                self.change(accumulator, [self.values(node.arguments[1:])], line)
            else:
                self.change(accumulator, self.change_of(node, accumulator, kind), line)

    def change_of(self, node: nodes.Node, accumulator: nodes.Binding, kind: str) -> list[list[tuple[ast.expr, Kinds]]]:
        """The operands of an update, computed but not applied: a list for each assoc or conj, the innermost first."""
        if isinstance(node, nodes.Local):
            return []
        assert isinstance(node, nodes.Invoke)
        inner = self.change_of(node.arguments[0], accumulator, kind)
        return [*inner, self.steady(node.arguments[1:])]

    def steady(self, parts: list[nodes.Node]) -> list[tuple[ast.expr, Kinds]]:
        """Operands as names and constants: computed now, used later."""
        found: list[tuple[ast.expr, Kinds]] = []
        for part in parts:
            value, kinds = self.value(part)
            if not isinstance(part, (nodes.Const, nodes.Local)):
                held = self.names.temporary()
                self.block.append(py.assign(held, value, part.at + 1))
                value = py.name(held, part.at + 1)
            found.append((value, kinds))
        return found

    def change(self, accumulator: nodes.Binding, changes: list[list[tuple[ast.expr, Kinds]]], line: int) -> None:
        """Apply computed operands to an accumulator."""
        target = py.name(accumulator.python, line)
        self.loads.add(accumulator.python)
        for operands in changes:
            if len(operands) == 1:
                push = self.pushing.get(accumulator)
                call = (
                    py.call(push, [operands[0][0]], line) if push else py.call(" push", [target, operands[0][0]], line)
                )
                self.block.append(py.statement(call, line))
                continue
            (key, key_kinds), (value, _) = operands
            if key_kinds is not None and key_kinds <= PLAIN_KEYS:
                slot = py.attribute(target, "_d", line)
                self.block.append(py.put(slot, key, value, line))
            else:
                self.block.append(py.statement(py.call(" put", [target, key, value], line), line))

    # implemented by the emitter
    def nested(self, emit: Callable[..., None], *arguments: object) -> list[ast.stmt]:
        raise AssertionError

    def store(self, node: nodes.Node, variable: str) -> None:
        raise AssertionError

    def crowded(self) -> bool:
        raise AssertionError
