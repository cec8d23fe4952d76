"""Code generation of `try`.

Knows nothing of forms. Invariant: handlers and cleanup run outside of Python's `except`, so that errors do not pile
up as contexts and deep recursion in a handler costs no C stack.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import Destination, Emitter, emits


@emits(nodes.Try)
def emit_try(e: Emitter, node: nodes.Try, to: Destination) -> None:
    line = node.at + 1
    if node.cleanup is not None:
        _with_cleanup(e, node, to)
        return
    # a body that returns from inside `try` needs the function's own `return`; elsewhere the value is stored first
    inner = to if to.how == "return" else Destination("set", to.variable or e.names.temporary())
    error = e.names.temporary()
    e.block.append(py.assign(error, py.const(None, line), line))
    _guard(e, node.body, inner, error, line)
    for handler in node.handlers:
        _handle(e, handler, error, inner, line)
    if node.handlers[-1].pattern is not None:
        e.block.append(py.when(_pending(error, line), [py.throw(py.name(error, line), line)], [], line))
    if inner is not to:
        e.finish(py.name(inner.variable, line), inner.kinds, to, line)


def _with_cleanup(e: Emitter, node: nodes.Try, to: Destination) -> None:
    line = node.at + 1
    assert node.cleanup is not None
    pending, result = e.names.temporary(), e.names.temporary()
    inner = Destination("set", result)
    body: nodes.Node = nodes.Try(node.at, node.body, node.handlers, None) if node.handlers else node.body
    e.block.append(py.assign(pending, py.const(None, line), line))
    _guard(e, body, inner, pending, line)
    e.drop(node.cleanup)
    e.block.append(py.when(_pending(pending, line), [py.throw(py.name(pending, line), line)], [], line))
    e.finish(py.name(result, line), inner.kinds, to, line)


def _guard(e: Emitter, body: nodes.Node, to: Destination, error: str, line: int) -> None:
    caught = e.names.temporary()
    e.blocks += 1
    inside = e.nested(e.into, body, to) or [py.statement(py.const(None, line), line)]
    e.blocks -= 1
    settle = py.assign(error, py.call(" caught", [py.name(caught, line)], line), line)
    e.block.append(py.guarded(inside, caught, [settle], line))


def _handle(e: Emitter, handler: nodes.Handler, error: str, to: Destination, line: int) -> None:
    """One `catch`: takes a pending error that fits, so that later ones see none."""
    test = _pending(error, line)
    if handler.pattern is not None:
        kind, wanted = handler.pattern
        arguments = [py.name(error, line), py.const(kind, line), py.const(wanted, line)]
        test = py.both(py.AND, [test, py.call(" catches", arguments, line)], line)

    def emit() -> None:
        name = handler.binding.python
        e.stores.add(name)
        e.block.append(py.assign(name, py.name(error, line), line))
        e.block.append(py.assign(error, py.const(None, line), line))
        handler.binding.kinds = None
        e.into(handler.body, to)

    e.block.append(py.when(test, e.nested(emit), [], line))


def _pending(error: str, line: int) -> ast.expr:
    return py.compare(py.name(error, line), py.IS_NOT, py.const(None, line), line)
