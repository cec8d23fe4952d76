"""Code generation for one top-level form: the Python module that holds it, and what the unit must provide to it.

Knows nothing of forms or scopes. Invariant: everything generated code can reach is a Python builtin of our choosing, a
support function, a pooled constant, or a name of the module.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import Emitter
from rtfs.compiler.codegen.operators import keyword_name
from rtfs.compiler.destination import Destination
from rtfs.values import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.analysis.scope import Names
    from rtfs.compiler.codegen.emit_expressions import Expressions
    from rtfs.compiler.units.unit import UnitBuilder

FORM = " form"
MOST_KNOWN = 200


class UnitGenerator:
    """Generates the functions of one top-level form."""

    def __init__(self, unit: UnitBuilder, names: Names, module: str, type_of: Callable[[Any], Any]) -> None:
        self.type_of = type_of
        self.unit = unit
        self.names = names
        self.module = module
        self.loops: dict[object, nodes.Loop] = {}
        self.owned: dict[object, dict[int, str]] = {}
        self.definitions: list[ast.stmt] = []

    def module_of(self, node: nodes.Node) -> ast.Module:
        """A Python module that defines `FORM`, a function of no arguments with the value of the node."""
        emitter = Emitter(self)
        emitter.into(node, Destination("return"))
        body = emitter.block or [ast.Pass(lineno=1, col_offset=0)]
        if emitter.globals:
            body = [py.declare_global(sorted(emitter.globals), 1), *body]
        form = py.define(FORM, [], None, [], body, 1)
        return ast.Module([*self.definitions, form], [])

    def function(
        self,
        outer: Expressions,
        body: nodes.Node,
        parameters: list[str],
        name: str,
        line: int,
        rest: str | None,
        ticks: bool,
    ) -> tuple[ast.stmt, Emitter]:
        """A function definition nested in `outer`; free locals are those of Python's closures."""
        child = Emitter(self)
        child.known = {binding: kinds for binding, kinds in outer.known.items() if binding.loop is None}
        child.stores.update(parameters)
        if rest is not None:
            child.stores.add(rest)
            child.block.append(py.assign(rest, py.call(" rest_list", [py.name(rest, line)], line), line))
        if ticks:
            child.blocks = 2
            inside = child.nested(child.into, body, Destination("return"))
            refill = py.statement(py.call(" refill", [], line), line)
            child.block.append(py.forever([py.each_tick(inside, [], line), refill], line))
        else:
            child.into(body, Destination("return"))
        if not child.block:
            child.block.append(py.give(py.const(None, line), line))
        outer.loads.update(child.loads - child.stores)
        outer.globals.update(child.globals)
        return py.define(name, parameters, rest, [], child.block, line), child

    def outline(self, outer: Emitter, node: nodes.Node) -> tuple[str, list[str], Emitter]:
        """A subtree as a function of the unit: its name, its free locals (its parameters, in order), its emitter."""
        child = Emitter(self)
        # what is known only saves guards: of very deep code, which would copy it at each level, it is forgotten
        child.known = dict(outer.known) if len(outer.known) < MOST_KNOWN else {}
        child.into(node, Destination("return"))
        free = sorted(child.loads - child.stores)
        name = f" o{self.unit.number}.{self.unit.generate()}"
        line = node.at + 1
        body = child.block
        if child.globals:
            body = [py.declare_global(sorted(child.globals), line), *body]
        self.definitions.append(py.define(name, free, None, [], body, line))
        outer.loads.update(free)
        return name, free, child

    # ------------------------------------------------------------------ pooled things
    def constant(self, value: Any, line: int) -> ast.expr:
        """An expression for a value known at compile time."""
        kind = value.__class__
        if kind is Keyword:
            self.unit.keywords.add(value.name)
            return py.name(keyword_name(value), line)
        if value is None or kind in (bool, int, float, str):
            return py.const(value, line)
        return py.name(self.unit.pool(value), line)

    def type_constant(self, form: Any, line: int) -> ast.expr:
        """An expression for the type that a type expression means in this module."""
        return py.name(self.unit.pool_type(form, self.module), line)

    def classes_of(self, form: Any) -> tuple[type, ...] | None:
        """Python classes that decide the type alone, if they do."""
        classes: tuple[type, ...] | None = self.type_of(form).classes
        return classes
