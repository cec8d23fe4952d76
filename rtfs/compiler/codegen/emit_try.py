"""Code generation of `try`.

Knows nothing of forms. Invariant: handlers and cleanup run outside of Python's `except`, so that errors do not pile
up as contexts and deep recursion in a handler costs no C stack.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import Kinds
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emit_loops import Looping
from rtfs.compiler.destination import Destination


class Attempts(Looping):
    """Emits `Try` nodes."""

    # ------------------------------------------------------------------ try
    def attempt(self, node: nodes.Try, to: Destination) -> None:
        """Handlers and cleanup run outside of Python's `except`, so that errors do not pile up as contexts."""
        line = node.at + 1
        if node.cleanup is not None:
            self._with_cleanup(node, to)
            return
        # a body that returns from inside `try` needs the function's own `return`; elsewhere the value is stored first
        inner = to if to.how == "return" else Destination("set", to.variable or self.names.temporary())
        error = self.names.temporary()
        self.block.append(py.assign(error, py.const(None, line), line))
        self._guard(node.body, inner, error, line)
        for handler in node.handlers:
            self._handle(handler, error, inner, line)
        if node.handlers[-1].pattern is not None:
            self.block.append(py.when(self._pending(error, line), [py.throw(py.name(error, line), line)], [], line))
        if inner is not to:
            self.finish(py.name(inner.variable, line), inner.kinds, to, line)

    @staticmethod
    def _pending(error: str, line: int) -> ast.expr:
        return py.compare(py.name(error, line), ast.IsNot(), py.const(None, line), line)

    def _guard(self, body: nodes.Node, to: Destination, error: str, line: int) -> None:
        caught = self.names.temporary()
        self.blocks += 1
        inside = self.nested(self.into, body, to) or [py.statement(py.const(None, line), line)]
        self.blocks -= 1
        settle = py.assign(error, py.call(" caught", [py.name(caught, line)], line), line)
        self.block.append(py.guarded(inside, caught, [settle], line))

    def _handle(self, handler: nodes.Handler, error: str, to: Destination, line: int) -> None:
        """One `catch`: takes a pending error that fits, so that later ones see none."""
        test = self._pending(error, line)
        if handler.pattern is not None:
            kind, wanted = handler.pattern
            arguments = [py.name(error, line), py.const(kind, line), py.const(wanted, line)]
            test = py.both(ast.And(), [test, py.call(" catches", arguments, line)], line)

        def emit() -> None:
            name = handler.binding.python
            self.stores.add(name)
            self.block.append(py.assign(name, py.name(error, line), line))
            self.block.append(py.assign(error, py.const(None, line), line))
            handler.binding.kinds = None
            self.into(handler.body, to)

        self.block.append(py.when(test, self.nested(emit), [], line))

    def _with_cleanup(self, node: nodes.Try, to: Destination) -> None:
        line = node.at + 1
        assert node.cleanup is not None
        pending, result = self.names.temporary(), self.names.temporary()
        inner = Destination("set", result)
        body: nodes.Node = nodes.Try(node.at, node.body, node.handlers, None) if node.handlers else node.body
        self.block.append(py.assign(pending, py.const(None, line), line))
        self._guard(body, inner, pending, line)
        self.drop(node.cleanup)
        self.block.append(py.when(self._pending(pending, line), [py.throw(py.name(pending, line), line)], [], line))
        self.finish(py.name(result, line), inner.kinds, to, line)

    # implemented by the emitter
    def into(self, node: nodes.Node, to: Destination) -> None:
        raise AssertionError

    def finish(self, value: ast.expr, kinds: Kinds, to: Destination, line: int) -> None:
        raise AssertionError
