"""Closures of names, constants, and of what steers: if, do, let, and, or, match, try.

Knows nothing of calls. Invariant: the value of a closure in tail position is passed on as it is, so that a `recur`
(a tuple, which no RTFS value is) reaches its loop.
"""

from __future__ import annotations

from operator import itemgetter

from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.frames import UNSET, distance
from rtfs.compiler.closures.maker import Maker, makes
from rtfs.compiler.codegen.support import error_catches
from rtfs.compiler.mangling import global_name
from rtfs.values.error import UNCATCHABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.closures.maker import Closure, Frame


@makes(nodes.Const)
def make_const(m: Maker, node: nodes.Const) -> Closure:
    return constant(node.value)


def constant(value: Any) -> Closure:
    """The closure of a value that is known now."""

    def known(f: Frame, value: Any = value) -> Any:
        return value

    return known


NIL = constant(None)
OWN = [itemgetter(index) for index in range(64)]
"""The closures of locals of the current function, by index: all of them are alike."""


@makes(nodes.Local)
def make_local(m: Maker, node: nodes.Local) -> Closure:
    binding = node.binding
    place = m.places.get(binding.python)
    if place is None or binding.definitions:
        return _late_local(m, node)
    layout, index = place
    if layout is m.layout:
        return OWN[index] if index < len(OWN) else itemgetter(index)
    steps = distance(m.layout, layout)
    if steps == 1:

        def local_of_enclosing(f: Frame, index: int = index) -> Any:
            return f[1][index]

        return local_of_enclosing

    def outer_local(f: Frame, steps: int = steps, index: int = index) -> Any:
        for _ in range(steps):
            f = f[1]
        return f[index]

    return outer_local


def _late_local(m: Maker, node: nodes.Local) -> Closure:
    """A local that may be read before it has a value: a definition in a body, a function of the same `let`."""
    name, places, layout = node.binding.python, m.places, m.layout

    def late_local(f: Frame, at: int = node.at) -> Any:
        place = places.get(name)
        if place is None:
            raise unset(name)
        for _ in range(distance(layout, place[0])):
            f = f[1]
        value = f[place[1]]
        if value is UNSET:
            raise unset(name)
        return value

    return late_local


def unset(name: str) -> UnboundLocalError:
    """The exception that Python raises for a local without a value."""
    return UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")


@makes(nodes.Global)
def make_global(m: Maker, node: nodes.Global) -> Closure:
    if node.core:
        return constant(m.core[node.name])

    def global_(f: Frame, at: int = node.at, key: str = global_name(node.name)) -> Any:
        try:
            return f[0][key]
        except KeyError:
            return global_value(f[0], key)

    return global_


def global_value(namespace: Any, key: str) -> Any:
    """The value of a name that the module does not define. Raises NameError, as Python does."""
    try:
        return namespace["__builtins__"][key]
    except KeyError:
        raise NameError(f"name '{key}' is not defined", name=key) from None


@makes(nodes.If)
def make_if(m: Maker, node: nodes.If) -> Closure:
    if node.orelse.__class__ is nodes.If:
        return _make_chain(m, node)
    test, then, orelse = m.make(node.test), m.make(node.then), m.make(node.orelse)

    def if_(f: Frame, test: Closure = test, then: Closure = then, orelse: Closure = orelse) -> Any:
        value = test(f)
        return orelse(f) if value is None or value is False else then(f)

    return if_


def _make_chain(m: Maker, node: nodes.Node) -> Closure:
    clauses = []
    while isinstance(node, nodes.If):
        clauses.append((m.make(node.test), m.make(node.then)))
        node = node.orelse
    orelse = m.make(node)

    def chain(f: Frame, clauses: list[tuple[Closure, Closure]] = clauses, orelse: Closure = orelse) -> Any:
        for test, then in clauses:
            value = test(f)
            if value is not None and value is not False:
                return then(f)
        return orelse(f)

    return chain


@makes(nodes.Logic)
def make_logic(m: Maker, node: nodes.Logic) -> Closure:
    *operands, last = m.make_all(node.operands)
    if node.operator == "and":

        def and_(f: Frame, operands: list[Closure] = operands, last: Closure = last) -> Any:
            for operand in operands:
                value = operand(f)
                if value is None or value is False:
                    return value
            return last(f)

        return and_

    def or_(f: Frame, operands: list[Closure] = operands, last: Closure = last) -> Any:
        for operand in operands:
            value = operand(f)
            if value is not None and value is not False:
                return value
        return last(f)

    return or_


@makes(nodes.Do)
def make_do(m: Maker, node: nodes.Do) -> Closure:
    *parts, last = m.make_all(node.body)

    def do(f: Frame, parts: list[Closure] = parts, last: Closure = last) -> Any:
        for part in parts:
            part(f)
        return last(f)

    return do


@makes(nodes.Let)
def make_let(m: Maker, node: nodes.Let) -> Closure:
    bound = []
    for binding, value in node.bindings:
        made = m.make(value)
        binding.value = value if binding.definitions <= 1 else None
        bound.append((m.slot(binding), made))
    body = m.make(node.body)
    if len(bound) == 1:
        ((index, only),) = bound

        def let_one(f: Frame, index: int = index, only: Closure = only, body: Closure = body) -> Any:
            f[index] = only(f)
            return body(f)

        return let_one

    def let(f: Frame, bound: list[tuple[int, Closure]] = bound, body: Closure = body) -> Any:
        for index, value in bound:
            f[index] = value(f)
        return body(f)

    return let


def clauses_of(m: Maker, node: nodes.Match) -> list[tuple[list[tuple[int, Any]], Any]]:
    """The clauses: steps (slot of the local that is bound, 0 for a test; closure), and the closure of the body."""
    clauses = []
    for clause in node.clauses:
        steps = [
            (m.slot(step[0]), m.make(step[1])) if isinstance(step, tuple) else (0, m.make(step))
            for step in clause.steps
        ]
        clauses.append((steps, m.make(clause.body)))
    return clauses


@makes(nodes.Match)
def make_match(m: Maker, node: nodes.Match) -> Closure:
    clauses = clauses_of(m, node)
    otherwise = m.make(node.otherwise)

    def match(f: Frame, clauses: list[Any] = clauses, otherwise: Closure = otherwise) -> Any:
        for steps, body in clauses:
            for index, step in steps:
                value = step(f)
                if index:
                    f[index] = value
                elif value is None or value is False:
                    break
            else:
                return body(f)
        return otherwise(f)

    return match


@makes(nodes.Try)
def make_try(m: Maker, node: nodes.Try) -> Closure:
    """Handlers and cleanup run outside of Python's `except`, as in generated code."""
    if node.cleanup is not None:
        return _make_finally(m, node, node.cleanup)
    caught = m.core[" caught"]
    body = m.make(node.body)
    handlers = [(one.pattern, m.slot(one.binding), m.make(one.body)) for one in node.handlers]

    def try_(f: Frame, at: int = node.at) -> Any:
        try:
            return body(f)
        except UNCATCHABLE:
            raise
        except BaseException as raised:
            error = caught(raised)
        for pattern, index, handler in handlers:
            if pattern is None or error_catches(error, pattern[0], pattern[1]):
                f[index] = error
                return handler(f)
        raise error

    return try_


def _make_finally(m: Maker, node: nodes.Try, cleanup_node: nodes.Node) -> Closure:
    caught = m.core[" caught"]
    body = m.make(nodes.Try(node.at, node.body, node.handlers, None) if node.handlers else node.body)
    cleanup = m.make(cleanup_node)

    def finally_(f: Frame, at: int = node.at) -> Any:
        pending = value = None
        try:
            value = body(f)
        except UNCATCHABLE:
            raise
        except BaseException as raised:
            pending = caught(raised)
        cleanup(f)
        if pending is not None:
            raise pending
        return value

    return finally_
