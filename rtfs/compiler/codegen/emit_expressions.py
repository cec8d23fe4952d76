"""Code generation, expressions: AST nodes become Python expressions, functions included.

Knows nothing of control flow (see emitter.py). Invariant: user text yields names, constants and calls, never an
attribute: the slots read here are those of our own value classes.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import BOOL, KIND_OF_CLASS, NOT_CALLABLE, STRING, TRUTHY_ONLY, Kinds, Known, join
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.operators import FOLDED, INLINE
from rtfs.compiler.codegen.primitives import PREDICATE_PRIMITIVES, PRIMITIVES
from rtfs.compiler.mangling import global_name, plain_name
from rtfs.compiler.once import once
from rtfs.values import Keyword, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.codegen.emitter import Emitter
    from rtfs.compiler.codegen.generator import UnitGenerator

FUNCTION: frozenset[str] = frozenset(("function",))


class Expressions:
    """What an emitter needs to turn nodes into Python expressions."""

    def __init__(self, unit: UnitGenerator) -> None:
        self.unit = unit
        self.names = unit.names
        self.block: list[ast.stmt] = []
        self.known: Known = {}
        self.loads: set[str] = set()
        self.stores: set[str] = set()
        self.pushing: dict[nodes.Binding, str] = {}
        self.globals: set[str] = set()

    # ------------------------------------------------------------------ what is known of values
    def refine(self, binding: nodes.Binding, kinds: frozenset[str]) -> None:
        """From here on the local is known to be of these kinds."""
        before = self.known.get(binding, binding.kinds)
        self.known[binding] = kinds if before is None else before & kinds or kinds

    def truth(self, value: ast.expr, kinds: Kinds, line: int) -> ast.expr:
        """A Python condition: neither nil nor false."""
        if kinds is not None:
            if kinds == BOOL:
                return value
            if kinds <= TRUTHY_ONLY:
                return py.compare(value, ast.IsNot(), py.const(None, line), line)
        if isinstance(value, ast.Constant):
            return py.const(value.value is not None and value.value is not False, line)
        first, again = once(self, value, line)
        return py.both(
            ast.And(),
            [
                py.compare(first, ast.IsNot(), py.const(None, line), line),
                py.compare(again, ast.IsNot(), py.const(False, line), line),
            ],
            line,
        )

    def test(self, node: nodes.Node) -> ast.expr:
        """A node as a Python condition."""
        line = node.at + 1
        if node.inline and isinstance(node, nodes.Logic):
            operator: ast.boolop = ast.And() if node.operator == "and" else ast.Or()
            tests = [self.test(node.operands[0])]
            known = self.known
            self.known = dict(known)
            tests.extend(self.test(operand) for operand in node.operands[1:])
            self.known = known
            return py.both(operator, tests, line)
        value, kinds = self.value(node)
        return self.truth(value, kinds, line)

    # ------------------------------------------------------------------ values
    def value(self, node: nodes.Node) -> tuple[ast.expr, Kinds]:
        """A node as an expression; statements it needs go into the block first."""
        line = node.at + 1
        if isinstance(node, nodes.Const):
            return self.unit.constant(node.value, line), KIND_OF_CLASS.get(node.value.__class__)
        if isinstance(node, nodes.Local):
            self.loads.add(node.binding.python)
            return py.name(node.binding.python, line), self.known.get(node.binding, node.binding.kinds)
        if isinstance(node, nodes.Global):
            return py.name(global_name(node.name), line), FUNCTION if node.core else None
        if isinstance(node, nodes.Invoke):
            return self._invoke(node)
        if isinstance(node, nodes.Primitive):
            return self._primitive(node)
        if isinstance(node, nodes.If) and node.inline:
            return self._choose(node)
        if isinstance(node, nodes.Logic) and node.inline:
            return self._logic(node)
        if isinstance(node, nodes.VectorDisplay):
            items = [value for value, _ in self.values(node.items)]
            return py.call(" vector", [py.display(items, line)], line), KIND_OF_CLASS[Vector]
        if isinstance(node, nodes.MapDisplay):
            return self._map(node), KIND_OF_CLASS[Map]
        if isinstance(node, nodes.Cast):
            return self._cast(node)
        if isinstance(node, nodes.TypeTest):
            value, _ = self.value(node.value)
            return py.call(" accepts", [self.unit.type_constant(node.type, line), value], line), BOOL
        if isinstance(node, nodes.HostRequest):
            return self._request(node), None
        if isinstance(node, nodes.Fn):
            return self.named(node, self.names.temporary(), line), FUNCTION
        if isinstance(node, nodes.Each):
            return self.each(node)
        if isinstance(node, nodes.Let):
            self.bind(node)
            return self.value(node.body)
        if isinstance(node, nodes.Do):
            for part in node.body[:-1]:
                self.drop(part)
            return self.value(node.body[-1])
        if isinstance(node, nodes.Def):
            return self._define(node)
        return self.held(node)

    def values(self, parts: list[nodes.Node]) -> list[tuple[ast.expr, Kinds]]:
        """Several nodes, evaluated in order."""
        last = -1
        for index, part in enumerate(parts):
            if not part.inline:
                last = index
        found: list[tuple[ast.expr, Kinds]] = []
        for index, part in enumerate(parts):
            value, kinds = self.value(part)
            early = index < last and not isinstance(part, (nodes.Const, nodes.Local))
            if early or not (part.inline or isinstance(value, ast.Name)):
                # computed before a later part's statements; or deep already, and cut here
                temporary = self.names.temporary()
                self.block.append(py.assign(temporary, value, part.at + 1))
                value = py.name(temporary, part.at + 1)
            found.append((value, kinds))
        return found

    def _choose(self, node: nodes.If) -> tuple[ast.expr, Kinds]:
        test = self.test(node.test)
        known = self.known
        self.known = dict(known)
        then, then_kinds = self.value(node.then)
        self.known = dict(known)
        orelse, else_kinds = self.value(node.orelse)
        self.known = known
        return py.choose(test, then, orelse, node.at + 1), join(then_kinds, else_kinds)

    def _logic(self, node: nodes.Logic) -> tuple[ast.expr, Kinds]:
        """`and`/`or` as a value: from the right, (t if truthy(t := a) else rest) or the reverse."""
        line = node.at + 1
        parts = []
        known = self.known
        for operand in node.operands:
            parts.append(self.value(operand))
            self.known = dict(self.known)
        self.known = known
        value, kinds = parts[-1]
        for left, left_kinds in reversed(parts[:-1]):
            if left_kinds == BOOL and kinds == BOOL:
                value = py.both(ast.And() if node.operator == "and" else ast.Or(), [left, value], line)
                continue
            first, again = once(self, left, line)
            if left_kinds == BOOL:
                test: ast.expr = first
            else:
                test = py.both(
                    ast.And(),
                    [
                        py.compare(first, ast.IsNot(), py.const(None, line), line),
                        py.compare(again, ast.IsNot(), py.const(False, line), line),
                    ],
                    line,
                )
            value = (
                py.choose(test, value, again, line) if node.operator == "and" else py.choose(test, again, value, line)
            )
            kinds = join(kinds, left_kinds)
        return value, kinds

    # ------------------------------------------------------------------ calls
    def _invoke(self, node: nodes.Invoke) -> tuple[ast.expr, Kinds]:
        line = node.at + 1
        function = node.function
        count = len(node.arguments)
        if isinstance(function, nodes.Global) and function.core:
            inliner = INLINE.get((function.name, count))
            if inliner is not None or (function.name in FOLDED and count > 2):
                operands = [
                    (value, kinds, part.binding if isinstance(part, nodes.Local) else None)
                    for part, (value, kinds) in zip(node.arguments, self.values(node.arguments), strict=True)
                ]
                if inliner is not None:
                    return inliner(self, operands, line)  # type: ignore[arg-type]
                if count < 12:
                    return self._fold(function.name, operands, line)
                return py.call(function.name, [value for value, _, _ in operands], line), None
            arguments = [value for value, _ in self.values(node.arguments)]
            return py.call(global_name(function.name), arguments, line), STRING if function.name == "str" else None
        (target, kinds), *rest = self.values([function, *node.arguments])
        if isinstance(target, ast.Constant) or (kinds is not None and kinds <= NOT_CALLABLE):
            return py.call(" not_callable", [target, *[value for value, _ in rest]], line), None
        return py.call(target, [value for value, _ in rest], line), None

    def _fold(
        self, name: str, operands: list[tuple[ast.expr, Kinds, nodes.Binding | None]], line: int
    ) -> tuple[ast.expr, Kinds]:
        """(+ a b c) as ((a + b) + c), each operand computed before the next is added."""
        inliner = INLINE[name, 2]
        if not all(isinstance(value, (ast.Name, ast.Constant)) for value, _, _ in operands[2:]):
            return py.call(name, [value for value, _, _ in operands], line), None
        left = operands[0]
        for right in operands[1:]:
            value, kinds = inliner(self, [left, right], line)  # type: ignore[arg-type]
            left = (value, kinds, None)
        return left[0], left[1]

    def _primitive(self, node: nodes.Primitive) -> tuple[ast.expr, Kinds]:
        line = node.at + 1
        operands = self.values(node.arguments)
        if node.operation == "equals":
            return INLINE["=", 2](self, [(*operands[0], None), (*operands[1], None)], line)  # type: ignore[arg-type]
        build = PRIMITIVES.get(node.operation)
        arguments = [value for value, _ in operands]
        if build is not None:
            return build(self, arguments, line), BOOL if node.operation in PREDICATE_PRIMITIVES else None
        kinds = BOOL if node.operation in PREDICATE_PRIMITIVES else None
        return py.call(" " + node.operation, arguments, line), kinds

    def _map(self, node: nodes.MapDisplay) -> ast.expr:
        line = node.at + 1
        items = [value for value, _ in self.values(node.items)]
        keys = node.items[::2]
        if all(isinstance(key, nodes.Const) and key.value.__class__ in (Keyword, str, int) for key in keys):
            plain = ast.Dict([*items[::2]], items[1::2], lineno=line, col_offset=0)
            return py.call(" plain_map", [plain], line)
        return py.call(" map_of", items, line)

    def _request(self, node: nodes.HostRequest) -> ast.expr:
        line = node.at + 1
        hints = [node.hints] if node.hints is not None else []
        id, *rest = [value for value, _ in self.values([node.id, *node.arguments, *hints])]
        arguments = rest[: len(node.arguments)]
        request = [py.const(node.kind, line), id, py.pack(arguments, line)]
        return py.call(" request", request + rest[len(node.arguments) :], line)

    def _cast(self, node: nodes.Cast) -> tuple[ast.expr, Kinds]:
        line = node.at + 1
        value, kinds = self.value(node.value)
        type_name = self.unit.type_constant(node.type, line)
        classes = self.unit.classes_of(node.type)
        wanted: Kinds = None
        if classes:
            found = [KIND_OF_CLASS.get(one) for one in classes]
            if None not in found:
                wanted = frozenset().union(*found)  # type: ignore[arg-type]
        if wanted is not None and kinds is not None and kinds <= wanted:
            return value, kinds
        what = py.const(node.what, line)
        if classes and len(classes) == 1 and classes[0] in _GUARDS:
            first, again = once(self, value, line)
            check = py.call(" cast", [type_name, again, what], line)
            return py.choose(py.is_class(first, _GUARDS[classes[0]], line), again, check, line), wanted
        return py.call(" cast", [type_name, value, what], line), wanted

    def _define(self, node: nodes.Def) -> tuple[ast.expr, Kinds]:
        line = node.at + 1
        name = global_name(node.name)
        self.globals.add(name)
        if isinstance(node.value, nodes.Fn) and node.value.binding is None:
            self.function(node.value, name)
            return py.name(name, line), FUNCTION
        value, kinds = self.value(node.value)
        self.block.append(py.assign(name, value, line))
        return py.name(name, line), kinds

    # ------------------------------------------------------------------ functions
    def named(self, node: nodes.Fn, name: str, line: int) -> ast.expr:
        """Emit a function under the name it calls itself by, else under `name`."""
        if node.binding is not None:
            name = node.binding.python
            self.stores.add(name)
        self.function(node, name)
        self.loads.add(name)
        return py.name(name, line)

    def function(self, node: nodes.Fn, name: str) -> None:
        """Emit a function definition, bound to the Python name."""
        line = node.at + 1
        if len(node.arities) == 1:
            self.block.append(self._arity(node, node.arities[0], name, line))
            return
        parts: list[str] = []
        for arity in node.arities:
            part = f"{plain_name(name) or node.name} /{len(arity.params)}{self.names.temporary()}"
            self.block.append(self._arity(node, arity, part, line, pack_rest=True))
            parts.append(part)
        self.block.append(self._dispatcher(node, name, parts, line))

    def _arity(self, node: nodes.Fn, arity: nodes.Arity, name: str, line: int, pack_rest: bool = False) -> ast.stmt:
        parameters = [one.python for one in arity.params]
        rest = arity.rest.python if arity.rest is not None else None
        ticks = node.ticks and not isinstance(arity.body, nodes.Loop)
        if pack_rest and rest is not None:
            parameters.append(rest)
            rest = None
        definition, _ = self.child(arity.body, parameters, name, line, rest, ticks)
        return definition

    def _dispatcher(self, node: nodes.Fn, name: str, parts: list[str], line: int) -> ast.stmt:
        """Several arities: missing arguments are told from nil by a marker of our own."""
        most = max(len(arity.params) for arity in node.arities)
        variadic = next((index for index, arity in enumerate(node.arities) if arity.rest is not None), None)
        parameters = [f" p{index}" for index in range(most)]
        by_count = {len(arity.params): index for index, arity in enumerate(node.arities) if arity.rest is None}
        least = len(node.arities[variadic].params) if variadic is not None else most + 1
        counts = sorted([*by_count, *([least] if variadic is not None else [])])
        body: list[ast.stmt] = []

        rest = py.name(" more", line)

        def wrong(count: int, *further: ast.expr) -> ast.stmt:
            wanted = [py.const(one, 1) for one in counts]
            given = py.pack([py.const(count, 1), *further], 1)
            arguments = [py.const(plain_name(name), 1), given, py.const(variadic is not None, 1), *wanted]
            # no place of its own: the error belongs to the call
            return py.give(py.call(" wrong_arity", arguments, 1), 1)

        def chosen(count: int, extra: ast.expr | None) -> ast.stmt:
            given = [py.name(one, line) for one in parameters[:count]]
            if count in by_count and extra is None:
                return py.give(py.call(parts[by_count[count]], given, line), line)
            if variadic is not None and count >= least:
                fixed, left = given[:least], given[least:]
                items: list[ast.expr] = list(left)
                if extra is not None:
                    items.append(ast.Starred(extra, py.LOAD, lineno=line, col_offset=0))
                packed = py.call(" list", [py.display(items, line)], line)
                return py.give(py.call(parts[variadic], [*fixed, packed], line), line)
            return wrong(count)

        for count in range(most):
            missing = py.compare(py.name(parameters[count], line), ast.Is(), py.name(" missing", line), line)
            body.append(py.when(missing, [chosen(count, None)], [], line))
        if variadic is None:
            body.append(py.when(rest, [wrong(most, rest)], [], line))
            body.append(chosen(most, None))
        else:
            if most in by_count:
                body.append(py.when(py.negate(rest, line), [chosen(most, None)], [], line))
            body.append(chosen(most, rest))
        defaults = [py.name(" missing", line) for _ in parameters]
        return py.define(name, parameters, " more", defaults, body, line)

    def child(
        self,
        body: nodes.Node,
        parameters: list[str],
        name: str,
        line: int,
        rest: str | None = None,
        ticks: bool = False,
    ) -> tuple[ast.stmt, Emitter]:
        """A Python function around a node, as a definition, and the emitter that made its body."""
        return self.unit.function(self, body, parameters, name, line, rest, ticks)

    # implemented by the emitter: what needs statements
    def each(self, node: nodes.Each) -> tuple[ast.expr, Kinds]:
        raise AssertionError

    def bind(self, node: nodes.Let) -> None:
        raise AssertionError

    def drop(self, node: nodes.Node) -> None:
        raise AssertionError

    def held(self, node: nodes.Node) -> tuple[ast.expr, Kinds]:
        raise AssertionError


_GUARDS = {int: " int", float: " float", str: " str", bool: " bool"}
