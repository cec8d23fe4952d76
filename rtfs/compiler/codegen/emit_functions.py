"""Code generation of functions, and of definitions that may hold them.

Knows nothing of forms or of control flow. Invariant: a function is defined under the name by which it calls itself.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import Kinds
from rtfs.compiler.analysis.laziness import may_be_lazy
from rtfs.compiler.analysis.ownership import traits_of
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import Destination, Emitter, emits, evaluates
from rtfs.compiler.codegen.pynodes import LOAD
from rtfs.compiler.mangling import global_name, plain_name

FUNCTION: frozenset[str] = frozenset(("function",))


@evaluates(nodes.Fn)
def evaluate_fn(e: Emitter, node: nodes.Fn) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    name = e.names.temporary()
    if node.binding is not None:
        name = node.binding.python
        e.stores.add(name)
    define_function(e, node, name)
    e.loads.add(name)
    return py.name(name, line), FUNCTION


@evaluates(nodes.Def)
def evaluate_def(e: Emitter, node: nodes.Def) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    name = global_name(node.name)
    e.globals.add(name)
    if isinstance(node.value, nodes.Fn) and node.value.binding is None:
        if e.form.defined is node:
            _define_with_traits(e, node.value, name, line)
        else:
            define_function(e, node.value, name)
        return py.name(name, line), FUNCTION
    value, kinds = e.value(node.value)
    e.block.append(py.assign(name, value, line))
    return py.name(name, line), kinds


def _define_with_traits(e: Emitter, node: nodes.Fn, name: str, line: int) -> None:
    """Define a function of the program and let later forms rely on its traits: they compare its name with a second
    one."""
    form = e.form
    called = form.unit.calls(node.name)
    traits = traits_of(node, f" ={form.unit.number}.{form.unit.generate()}") if called else None
    if traits is None:
        define_function(e, node, name)
        return
    form.unit.traits[form.module, node.name] = traits
    form.lent.update(node.arities[0].params[place] for place in traits.asked)
    define_function(e, node, name)
    e.globals.add(traits.plain)
    e.block.append(py.assign(traits.plain, py.name(name, line), line))


@emits(nodes.Def)
def emit_def(e: Emitter, node: nodes.Def, to: Destination) -> None:
    """A definition does not compute a lazy sequence, although the value of a program is computed."""
    value, kinds = evaluate_def(e, node)
    line = node.at + 1
    if to.how == "return" and may_be_lazy(node.value, e.known):
        value, kinds = py.call(" defined", [value], line), None
    e.finish(value, kinds, to, line)


def define_function(e: Emitter, node: nodes.Fn, name: str) -> None:
    """Emit a function definition, bound to the Python name."""
    line = node.at + 1
    if len(node.arities) == 1:
        e.block.append(_arity(e, node, node.arities[0], name, line))
        return
    parts: list[str] = []
    for arity in node.arities:
        part = f"{plain_name(name) or node.name} /{len(arity.params)}{e.names.temporary()}"
        e.block.append(_arity(e, node, arity, part, line, pack_rest=True))
        parts.append(part)
    e.block.append(dispatcher(node, name, parts, line))


def _arity(e: Emitter, node: nodes.Fn, arity: nodes.Arity, name: str, line: int, pack_rest: bool = False) -> ast.stmt:
    parameters = [one.python for one in arity.params]
    rest = arity.rest.python if arity.rest is not None else None
    ticks = node.ticks and not isinstance(arity.body, nodes.Loop)
    if pack_rest and rest is not None:
        parameters.append(rest)
        rest = None
    return e.form.function(e, arity.body, parameters, name, line, rest, ticks)


def dispatcher(node: nodes.Fn, name: str, parts: list[str], line: int) -> ast.stmt:
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
        # without a place: the error belongs to the call
        return py.give(py.call(" wrong_arity", arguments, 1), 1)

    def chosen(count: int, extra: ast.expr | None) -> ast.stmt:
        given = [py.name(one, line) for one in parameters[:count]]
        if count in by_count and extra is None:
            return py.give(py.call(parts[by_count[count]], given, line), line)
        if variadic is not None and count >= least:
            fixed, left = given[:least], given[least:]
            items: list[ast.expr] = list(left)
            if extra is not None:
                items.append(ast.Starred(extra, LOAD, lineno=line, col_offset=0))
            packed = py.call(" rest_list", [py.display(items, line)], line)
            return py.give(py.call(parts[variadic], [*fixed, packed], line), line)
        return wrong(count)

    for count in range(most):
        missing = py.compare(py.name(parameters[count], line), py.IS, py.name(" missing", line), line)
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
