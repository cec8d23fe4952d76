"""Code generation, statements: AST nodes become the body of one Python function.

Knows nothing of forms or scopes. RTFS is made of expressions, Python of statements: a node is emitted into a
`Destination` (return it, store it, leave a loop with it, drop it), and only nodes marked `inline` become Python
expressions. Invariant: evaluation order is that of the text; a value computed early is held in a temporary before later
statements run.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import Kinds, loop_kinds
from rtfs.compiler.analysis.ownership import fresh_kind, loop_updates, mentions
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emit_try import Attempts
from rtfs.compiler.destination import Destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.codegen.generator import UnitGenerator

# CPython refuses 20 nested blocks and dies on deep trees of statements: past these, a subtree becomes a function.
MAX_BLOCKS = 12
MAX_NESTING = 30
LONG_CHAIN = 8


class Emitter(Attempts):
    """Emits one Python function. A recur to a loop of an enclosing function (`own` has it not) is returned as a tuple,
    which no RTFS value ever is; `returned_recur` then names the loop."""

    def __init__(self, unit: UnitGenerator) -> None:
        super().__init__(unit)
        self.own: set[object] = set()
        self.returned_recur: object = None
        self.blocks = 0
        self.nesting = 0
        self.globals: set[str] = set()

    # ------------------------------------------------------------------ blocks
    def nested(self, emit: object, *arguments: object) -> list[ast.stmt]:
        """The statements that `emit(*arguments)` emits, as a block of their own; what it learns is forgotten."""
        outer, known = self.block, self.known
        self.block, self.known = [], dict(known)
        self.nesting += 1
        try:
            emit(*arguments)  # type: ignore[operator]
            return self.block
        finally:
            self.block, self.known = outer, known
            self.nesting -= 1

    def finish(self, value: ast.expr, kinds: Kinds, to: Destination, line: int) -> None:
        """Send a computed value to its destination."""
        if to.how == "return":
            self.block.append(py.give(value, line))
        elif to.how == "drop":
            if not isinstance(value, ast.Constant):
                self.block.append(py.statement(value, line))
        else:
            self.block.append(py.assign(to.variable, value, line))
            if to.how == "exit":
                self.block.append(py.leave(line))
        to.note(kinds)

    # ------------------------------------------------------------------ nodes
    def into(self, node: nodes.Node, to: Destination) -> None:
        """Emit a node into a destination."""
        if self.crowded():
            self.outline(node, to)
            return
        line = node.at + 1
        while True:  # the tail of a chain needs no recursion of ours
            if isinstance(node, nodes.If):
                if node.inline and to.how not in ("return", "drop"):
                    break
                then_node, else_node = node.then, node.orelse
                if not to.jumps and self._chain_length(node) > LONG_CHAIN:
                    self.breakable(node, to)
                    return
                test = self.test(node.test)
                line = node.at + 1
                if to.jumps:
                    self.block.append(py.when(test, self.nested(self.into, then_node, to), [], line))
                    node = else_node
                    continue
                then = self.nested(self.into, then_node, to)
                orelse = self.nested(self.into, else_node, to)
                self.block.append(py.when(test, then, orelse, line))
                return
            if isinstance(node, nodes.Do):
                for part in node.body[:-1]:
                    self.drop(part)
                node = node.body[-1]
                continue
            if isinstance(node, nodes.Let):
                self.bind(node)
                node = node.body
                continue
            break
        if isinstance(node, nodes.Loop):
            self.loop(node, to)
        elif isinstance(node, nodes.Recur):
            self.recur(node)
        elif isinstance(node, nodes.Match):
            self.match(node, to) if to.jumps else self.breakable(node, to)
        elif isinstance(node, nodes.Try):
            self.attempt(node, to)
        elif isinstance(node, nodes.Logic) and not node.inline:
            self.logic(node, to) if to.jumps else self.breakable(node, to)
        else:
            value, kinds = self.value(node)
            self.finish(value, kinds, to, node.at + 1)

    @staticmethod
    def _chain_length(node: nodes.Node) -> int:
        count = 0
        while isinstance(node, nodes.If) and count <= LONG_CHAIN:
            count += 1
            node = node.orelse
        return count

    def drop(self, node: nodes.Node) -> None:
        self.into(node, Destination("drop"))

    def store(self, node: nodes.Node, variable: str) -> None:
        self.into(node, Destination("set", variable))

    def crowded(self) -> bool:
        return self.nesting > MAX_NESTING or self.blocks > MAX_BLOCKS

    def each(self, node: nodes.Each) -> tuple[ast.expr, Kinds]:
        return self.held(node) if self.crowded() else super().each(node)

    def held(self, node: nodes.Node) -> tuple[ast.expr, Kinds]:
        """Emit a node that needs statements; its value is in a temporary afterwards."""
        to = Destination("set", self.names.temporary())
        self.into(node, to)
        return py.name(to.variable, node.at + 1), to.kinds

    def bind(self, node: nodes.Let) -> None:
        for binding, value in node.bindings:
            self.stores.add(binding.python)
            if binding.definitions > 1:
                self._bind_again(binding, value)
                continue
            if isinstance(value, nodes.Fn) and (value.binding is None or value.binding is binding):
                self.function(value, binding.python)
                continue
            if not value.inline and isinstance(value, (nodes.If, nodes.Match, nodes.Loop, nodes.Try, nodes.Logic)):
                to = Destination("set", binding.python)
                self.into(value, to)
                kinds = to.kinds
            else:
                expression, kinds = self.value(value)
                self.block.append(py.assign(binding.python, expression, value.at + 1))
            binding.kinds = kinds
            binding.value = value
            self.known[binding] = kinds

    def _bind_again(self, binding: nodes.Binding, value: nodes.Node) -> None:
        """One of several definitions of a local: nothing is known of its value."""
        if isinstance(value, nodes.Fn) and (value.binding is None or value.binding is binding):
            self.function(value, binding.python)
        else:
            self.into(value, Destination("set", binding.python))
        binding.kinds = binding.value = None
        self.known[binding] = None

    def breakable(self, node: nodes.Node, to: Destination) -> None:
        """Emit into a loop of one round, so that each way out is a `break` and long chains stay flat."""
        variable = to.variable or self.names.temporary()
        inner = Destination("exit", variable)
        self.blocks += 1
        body = self.nested(self.into, node, inner)
        self.blocks -= 1
        self.block.append(py.forever(body, node.at + 1))
        to.note(inner.kinds)

    def logic(self, node: nodes.Logic, to: Destination) -> None:
        """`and` / `or` with statements in it, into a jumping destination."""
        for operand in node.operands[:-1]:
            line = operand.at + 1
            value, kinds = self.value(operand)
            if not isinstance(value, ast.Name):
                temporary = self.names.temporary()
                self.block.append(py.assign(temporary, value, line))
                value = py.name(temporary, line)
            test = self.truth(value, kinds, line)
            if node.operator == "and":
                test = py.negate(test, line)
            self.block.append(py.when(test, self.nested(self.finish, value, kinds, to, line), [], line))
        self.into(node.operands[-1], to)

    # ------------------------------------------------------------------ loops
    def loop(self, node: nodes.Loop, to: Destination) -> None:
        line = node.at + 1
        kinds = loop_kinds(node, self.known)
        owned = {} if node.closes else self._owned(node)
        values = [value for value, _ in self.values(node.values)]
        for index in owned:
            initial = node.values[index]
            if isinstance(initial, nodes.Local) and isinstance(initial.binding.value, nodes.Const):
                values[index], _ = self._fresh(initial.binding.value, line)
        self.unit.owned[node.target] = owned
        if node.closes:
            self._loop_of_calls(node, values, to)
            return
        if node.variables:
            self.block.append(py.assign_all([one.python for one in node.variables], values, line))
        for variable, kind in zip(node.variables, kinds, strict=True):
            self.stores.add(variable.python)
            variable.kinds = kind
            self.known[variable] = kind
        inner = to if to.how == "return" else Destination("exit", to.variable or self.names.temporary())
        self.unit.loops[node.target] = node
        self.own.add(node.target)
        self.blocks += 2
        body = self.nested(self.into, node.body, inner)
        self.blocks -= 2
        refill = py.statement(py.call(" refill", [], line), line)
        if inner is to:
            self.block.append(py.forever([py.each_tick(body, [], line), refill], line))
            return
        self.block.append(py.forever([py.each_tick(body, [refill, py.again(line)], line), py.leave(line)], line))
        self.finish(py.name(inner.variable, line), inner.kinds, to, line)

    @staticmethod
    def _owned(node: nodes.Loop) -> dict[int, str]:
        """Variables that the loop may build in place: index -> `map` or `vector`."""
        found: dict[int, str] = {}
        for index, value in enumerate(node.values):
            if isinstance(value, nodes.Local) and not value.binding.uses:
                kind = fresh_kind(value.binding.value)
                if kind is not None and loop_updates(node.body, node, index, kind):
                    found[index] = kind
        return found

    def _loop_of_calls(self, node: nodes.Loop, values: list[ast.expr], to: Destination) -> None:
        """A loop whose variables are captured: the body is a function, called anew each round."""
        line = node.at + 1
        name = self.names.temporary()
        for variable in node.variables:
            variable.kinds = None
            self.known.pop(variable, None)
        definition, _ = self.child(node.body, [one.python for one in node.variables], name, line)
        self.block.append(definition)
        state = self.names.temporary()
        self.block.append(py.assign(state, py.pack(values, line), line))
        arguments = [py.item(py.name(state, line), index, line) for index in range(len(values))]
        one_round = py.assign(state, py.call(name, arguments, line), line)
        again = py.when(py.is_class(py.name(state, line), " tuple", line), [py.again(line)], [], line)
        refill = py.statement(py.call(" refill", [], line), line)
        inside = [one_round, again, py.leave(line)]
        self.block.append(py.forever([py.each_tick(inside, [refill, py.again(line)], line), py.leave(line)], line))
        self.finish(py.name(state, line), None, to, line)

    def recur(self, node: nodes.Recur) -> None:
        line = node.at + 1
        if self.unit.owned.get(node.target) and node.target in self.own:
            self._recur_in_place(node)
            return
        values = [value for value, _ in self.values(node.arguments)]
        if node.target not in self.own:
            self.returned_recur = node.target
            self.block.append(py.give(py.pack(values, line), line))
            return
        loop = self.unit.loops[node.target]
        changed = [
            (variable.python, value)
            for variable, value in zip(loop.variables, values, strict=True)
            if not (isinstance(value, ast.Name) and value.id == variable.python)
        ]
        if changed:
            self.block.append(py.assign_all([name for name, _ in changed], [value for _, value in changed], line))
        self.block.append(py.again(line))

    def _recur_in_place(self, node: nodes.Recur) -> None:
        """A recur of a loop that owns some of its variables: those are changed, the others assigned."""
        line = node.at + 1
        loop = self.unit.loops[node.target]
        owned = self.unit.owned[node.target]
        changes = []
        others: list[tuple[str, ast.expr]] = []
        for index, argument in enumerate(node.arguments):
            variable = loop.variables[index]
            if index in owned:
                changes.append((variable, self.change_of(argument, variable, owned[index])))
                continue
            value, _ = self.value(argument)
            asks = any(mentions(argument, loop.variables[one]) for one in owned)
            if asks or (not isinstance(argument, (nodes.Const, nodes.Local)) and not argument.inline):
                held = self.names.temporary()
                self.block.append(py.assign(held, value, line))
                value = py.name(held, line)
            others.append((variable.python, value))
        for variable, operands in changes:
            self.change(variable, operands, line)
        if others:
            self.block.append(py.assign_all([name for name, _ in others], [value for _, value in others], line))
        self.block.append(py.again(line))

    # ------------------------------------------------------------------ match
    def match(self, node: nodes.Match, to: Destination) -> None:
        """Clauses one after another, each a nest of tests that ends in a jump."""
        for clause in node.clauses:
            known = dict(self.known)
            self._clause(clause, 0, to)
            self.known = known
        self.into(node.otherwise, to)

    def _clause(self, clause: nodes.Clause, index: int, to: Destination) -> None:
        steps = clause.steps
        tests: list[ast.expr] = []
        line = clause.body.at + 1
        while index < len(steps):
            step = steps[index]
            if isinstance(step, tuple):
                if tests:
                    break
                binding, value = step
                expression, kinds = self.value(value)
                self.stores.add(binding.python)
                self.block.append(py.assign(binding.python, expression, value.at + 1))
                binding.kinds = kinds
                self.known[binding] = kinds
            elif step.inline:
                line = step.at + 1
                tests.append(self.test(step))
            else:
                if tests:
                    break
                tests.append(self.test(step))
                index += 1
                break
            index += 1
        if tests:
            test = py.both(ast.And(), tests, line)
            self.block.append(py.when(test, self.nested(self._clause, clause, index, to), [], line))
        else:
            self.into(clause.body, to)

    # ------------------------------------------------------------------ outlining
    def outline(self, node: nodes.Node, to: Destination) -> None:
        """Emit a subtree as a function of its own at the unit's top level, its free locals as parameters."""
        line = node.at + 1
        name, free, child = self.unit.outline(self, node)
        value = py.call(name, [py.name(one, line) for one in free], line)
        if child.returned_recur is None:
            self.finish(value, None, to, line)
            return
        held = self.names.temporary()
        self.block.append(py.assign(held, value, line))
        self.block.append(
            py.when(
                py.is_class(py.name(held, line), " tuple", line),
                self.nested(self._go_on, child.returned_recur, held, line),
                [],
                line,
            )
        )
        self.finish(py.name(held, line), None, to, line)

    def _go_on(self, target: object, held: str, line: int) -> None:
        """Go on with the loop whose new values an outlined part gave back."""
        if target not in self.own:
            self.returned_recur = target
            self.block.append(py.give(py.name(held, line), line))
            return
        loop = self.unit.loops[target]
        if loop.variables:
            self.block.append(py.unpack([one.python for one in loop.variables], py.name(held, line), line))
        self.block.append(py.again(line))
