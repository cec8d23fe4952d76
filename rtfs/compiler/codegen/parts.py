"""Code generation of values that are taken apart where they are made: no vector is made of the parts.

`(let [[x y] (if … [a b] [c d])] …)` assigns the parts on each way; a function of the program that returns such vectors
on every way, as `[value state]`, is compiled a second time, as a version that returns Python's tuple, which the caller
unpacks. Knows nothing of forms. Invariant: a version is called only as long as the name means the function it was made
of; what any other function returns is taken apart as ever.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.destructure import count_taken
from rtfs.compiler.analysis.inlined import CHOOSING
from rtfs.compiler.analysis.ownership import display_of
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import lent
from rtfs.compiler.codegen.emitter import Destination, Emitter, FormGenerator, parts_of
from rtfs.compiler.codegen.folds import emit_fold, fold_of
from rtfs.compiler.mangling import global_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

_STATEMENTS = (nodes.If, nodes.Match, nodes.Loop, nodes.Let, nodes.Do)


def take_parts(e: Emitter, node: nodes.Node, names: list[str], line: int) -> None:
    """Emit a node whose elements go to the variables `names`."""
    if isinstance(node, nodes.VectorDisplay) and len(node.items) == len(names):
        e.block.append(py.assign_all(names, [value for value, _ in e.values(node.items)], line))
    elif isinstance(node, _STATEMENTS):
        e.into(node, Destination("set", "", names))
    elif isinstance(node, nodes.Each):
        loop = None if e.crowded() else fold_of(e, node)
        if loop is not None and len(loop.variables) == len(names):
            values: list[ast.expr] = [py.name(one, line) for one in emit_fold(e, node, loop)]
            e.block.append(py.assign_all(names, values, line))
        else:
            _assign(e, e.value(node)[0], names, line)
    elif isinstance(node, nodes.Invoke):
        _call(e, node, names, line)
    elif isinstance(node, nodes.Local) and node.binding in e.form.tuples:
        e.block.append(py.unpack(names, e.value(node)[0], line))
    else:
        _assign(e, e.value(node)[0], names, line)


def takes_tuples(node: nodes.Each, source: nodes.Each) -> bool:
    """True if an inlined call takes each vector that the inlined `map` before it makes apart, and does nothing else
    with it: then that may make tuples."""
    body, made = node.body, display_of(source.body)
    if node.operation in CHOOSING or source.operation in CHOOSING or made is None:
        return False
    if not isinstance(body, nodes.Let) or not body.bindings:
        return False
    if count_taken(*body.bindings[0], node.item) != len(made.items):
        return False
    return sum(isinstance(part, nodes.Local) and part.binding is node.item for part in nodes.walk(body)) == 1


def _assign(e: Emitter, value: ast.expr, names: list[str], line: int) -> None:
    e.block.append(py.unpack(names, parts_of(e, value, len(names), line), line))


def _call(e: Emitter, node: nodes.Invoke, names: list[str], line: int) -> None:
    """A call, of a version if there is one."""
    traits = _traits(e, node, len(names))
    if traits is None:
        _assign(e, e.value(node)[0], names, line)
        return
    assert isinstance(node.function, nodes.Global)
    arguments = []
    for part, (value, _) in zip(node.arguments, e.values(node.arguments), strict=True):
        if not isinstance(part, (nodes.Const, nodes.Local)):
            held = e.names.temporary()
            e.block.append(py.assign(held, value, line))
            value = py.name(held, line)
        arguments.append(value)
    function = py.name(global_name(node.function.name), line)
    version = py.call(_version(e.form, traits), arguments, line)
    plain = py.call(function, lent(e, node, list(arguments), line), line)
    e.block.append(
        py.when(
            py.compare(function, py.IS, py.name(traits.plain, line), line),
            [py.unpack(names, version, line)],
            [py.unpack(names, parts_of(e, plain, len(names), line), line)],
            line,
        )
    )


def _traits(e: Emitter, node: nodes.Invoke, width: int) -> nodes.Traits | None:
    """What is known of a function that returns a vector of `width` elements; of the one that is being defined, too."""
    function, defined = node.function, e.form.defined
    if not isinstance(function, nodes.Global) or function.core:
        return None
    traits = function.traits
    if traits is None and defined is not None and defined.name == function.name:
        traits = e.form.unit.traits.get((e.form.module, function.name))
        if traits is not None and traits.fn is not defined.value:
            return None
    if traits is None or traits.width != width or len(traits.fn.arities[0].params) != len(node.arguments):
        return None
    return traits


def _version(form: FormGenerator, traits: nodes.Traits) -> str:
    """The global that holds the version of a function that returns its parts as Python's tuple."""
    return form.version(form.in_parts, traits, _define)


def _define(form: FormGenerator, traits: nodes.Traits, name: str) -> None:
    fn, line = traits.fn, traits.fn.at + 1
    arity = fn.arities[0]
    form.lent.update(arity.params[place] for place in traits.asked)
    ticks = fn.ticks and not isinstance(arity.body, nodes.Loop)
    parameters = [one.python for one in arity.params]
    to = Destination("return", "", [""] * traits.width)
    child = form.function_body(arity.body, parameters, line, None, ticks, {}, to=to)
    form.definitions.append(py.define(name, parameters, None, [], child.block, line))
