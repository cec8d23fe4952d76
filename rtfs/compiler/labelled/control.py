"""Labelled closures of names, constants and control flow: if, do, let, and, or, match, try.

Knows nothing of calls. Invariant: the test that chose a branch decides about the branch's value and its effects.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.control import clauses_of, global_value, unset
from rtfs.compiler.closures.frames import UNSET, distance
from rtfs.compiler.codegen.support import error_catches
from rtfs.compiler.labelled.maker import LabelledMaker, decided, labels, under
from rtfs.compiler.mangling import global_name, tag_name
from rtfs.flow.label import NOTHING, join
from rtfs.flow.state import Gathering
from rtfs.flow.tag import NO_TAG, UNKNOWN_TAG, Tag
from rtfs.values.error import UNCATCHABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.labelled.maker import Frame, Labelled
    from rtfs.flow.state import FlowState


# ---------------------------------------------------------------------- names and constants
@labels(nodes.Const)
def label_const(m: LabelledMaker, node: nodes.Const) -> Labelled:
    pair = (node.value, m.constant)
    return lambda f, s: pair


@labels(nodes.Local)
def label_local(m: LabelledMaker, node: nodes.Local) -> Labelled:
    binding = node.binding
    place = m.places.get(binding.python)
    if place is None or binding.definitions:
        return _late_local(m, node)
    steps, index = distance(m.layout, place[0]), place[1]
    if steps == 0:
        return lambda f, s: f[index]
    if steps == 1:
        return lambda f, s: f[1][index]

    def outer_local(f: Frame, s: FlowState) -> Any:
        for _ in range(steps):
            f = f[1]
        return f[index]

    return outer_local


def _late_local(m: LabelledMaker, node: nodes.Local) -> Labelled:
    """A local that may be read before it has a value."""
    name, places, layout = node.binding.python, m.places, m.layout
    again = node.binding.definitions > 1  # the code that defines it again may have run, or not

    def late_local(f: Frame, s: FlowState, at: int = node.at) -> Any:
        place = places.get(name)
        if place is None:
            raise unset(name)
        for _ in range(distance(layout, place[0])):
            f = f[1]
        pair = f[place[1]]
        if pair is UNSET:
            raise unset(name)
        if again:
            return pair[0], pair[1].decided(s.run.branched)
        return pair

    return late_local


@labels(nodes.Global)
def label_global(m: LabelledMaker, node: nodes.Global) -> Labelled:
    if node.core:
        core = (m.core[node.name], NO_TAG)
        return lambda f, s: core
    key = global_name(node.name)

    def global_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        return global_pair(f[0], key)

    return global_


def global_pair(namespace: Any, key: str) -> Any:
    """The value of a name of a module, with its tag; `unknown` for what was defined where no labels were kept."""
    try:
        value = namespace[key]
    except KeyError:
        return global_value(namespace, key), NO_TAG
    return value, namespace.get(tag_name(key), UNKNOWN_TAG)


def redefining(m: LabelledMaker, node: nodes.Node) -> Callable[[Labelled], Labelled]:
    """Makes the closure of code of which only a part runs. Names that any part of it defines have what decided which
    part: they may have kept their value."""
    names = [global_name(one.name) for one in nodes.walk(node) if isinstance(one, nodes.Def)] if m.defines else []

    def around(closure: Labelled) -> Labelled:
        if not names:
            return closure

        def defines(f: Frame, s: FlowState) -> Any:
            try:
                return closure(f, s)
            finally:
                for name in map(tag_name, names):
                    if name in f[0]:
                        f[0][name] = f[0][name].decided(s.run.branched)

        return defines

    return around


# ---------------------------------------------------------------------- if, and, or
@labels(nodes.If)
def label_if(m: LabelledMaker, node: nodes.If) -> Labelled:
    clauses = []
    rest: nodes.Node = node
    while isinstance(rest, nodes.If):
        clauses.append((m.make(rest.test), m.make(rest.then)))
        rest = rest.orelse
    orelse = m.make(rest)

    if len(clauses) == 1:
        return redefining(m, node)(_if_of_one(*clauses[0], orelse))

    @redefining(m, node)
    def if_(f: Frame, s: FlowState) -> Any:
        outer, by = s.pc, NOTHING
        try:
            for test, then in clauses:
                value, tag = test(f, s)
                more = tag.everything()
                if more is not NOTHING:
                    by = join(by, more)
                    s.pc = join(s.pc, more)
                    s.run.branch(more)
                if value is not None and value is not False:
                    return decided(then(f, s), by)
            return decided(orelse(f, s), by)
        finally:
            s.pc = outer

    return if_


def _if_of_one(test: Labelled, then: Labelled, orelse: Labelled) -> Labelled:
    def if_(f: Frame, s: FlowState) -> Any:
        value, tag = test(f, s)
        chosen = orelse if value is None or value is False else then
        by = tag.everything()
        if by is NOTHING:
            return chosen(f, s)
        outer = s.pc
        s.pc = join(outer, by)
        s.run.branch(by)
        try:
            return decided(chosen(f, s), by)
        finally:
            s.pc = outer

    return if_


@labels(nodes.Logic)
def label_logic(m: LabelledMaker, node: nodes.Logic) -> Labelled:
    *operands, last = m.make_all(node.operands)
    stops = node.operator == "or"

    @redefining(m, node)
    def logic(f: Frame, s: FlowState) -> Any:
        outer, by = s.pc, NOTHING
        try:
            for operand in operands:
                value, tag = operand(f, s)
                if (value is not None and value is not False) is stops:
                    s.run.branch(tag.everything())
                    return value, tag.decided(by)
                by = join(by, tag.everything())
                s.pc = join(outer, by)
                s.run.branch(by)
            return decided(last(f, s), by)
        finally:
            s.pc = outer

    return logic


# ---------------------------------------------------------------------- do, let
@labels(nodes.Do)
def label_do(m: LabelledMaker, node: nodes.Do) -> Labelled:
    *parts, last = m.make_all(node.body)

    def do(f: Frame, s: FlowState) -> Any:
        for part in parts:
            part(f, s)
        return last(f, s)

    return do


@labels(nodes.Let)
def label_let(m: LabelledMaker, node: nodes.Let) -> Labelled:
    bound = []
    defines = False
    for binding, value in node.bindings:
        made = m.make(value)
        binding.value = value if binding.definitions <= 1 else None
        bound.append((m.slot(binding), made))
        defines = defines or binding.definitions > 0
    body = m.make(node.body)
    if defines:
        return _local_definition(bound, body)

    def let(f: Frame, s: FlowState) -> Any:
        for index, value in bound:
            f[index] = value(f, s)
        return body(f, s)

    return let


def _local_definition(bound: list[tuple[int, Labelled]], body: Labelled) -> Labelled:
    """A `def` inside of other code: whether it is reached, is decided by what chose that code."""

    def define(f: Frame, s: FlowState) -> Any:
        for index, value in bound:
            made, tag = value(f, s)
            f[index] = made, tag.decided(s.pc)
        return body(f, s)

    return define


# ---------------------------------------------------------------------- match
@labels(nodes.Match)
def label_match(m: LabelledMaker, node: nodes.Match) -> Labelled:
    clauses = clauses_of(m, node)
    otherwise = m.make(node.otherwise)

    @redefining(m, node)
    def match(f: Frame, s: FlowState) -> Any:
        by = NOTHING
        for steps, body in clauses:
            for index, step in steps:
                pair = step(f, s)
                if index:
                    f[index] = pair
                else:
                    value, tag = pair
                    by = join(by, tag.everything())
                    if value is None or value is False:
                        break
            else:
                return under(by, body, f, s)
        return under(by, otherwise, f, s)

    return match


# ---------------------------------------------------------------------- try
@labels(nodes.Try)
def label_try(m: LabelledMaker, node: nodes.Try) -> Labelled:
    """Label a `try`: everything that could have failed in the body decides the body's value, and also a handler's
    value."""
    if node.cleanup is not None:
        return _label_finally(m, node, node.cleanup)
    caught = m.core[" caught"]
    body = m.make(node.body)
    handlers = [(one.pattern, m.slot(one.binding), m.make(one.body)) for one in node.handlers]
    passes_on = len(node.handlers) == 1 and _rethrows(node.handlers[0])

    @redefining(m, node)
    def try_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        outer, pc, around = s.trying, s.pc, s.around
        tried = Gathering()
        if not passes_on:
            s.trying = tried
        try:
            result = body(f, s)
        except UNCATCHABLE:
            raise
        except BaseException as raised:
            error = caught(raised)
        else:
            by = join(tried.data, tried.control)
            s.run.branch(by)
            return decided(result, by)
        finally:
            s.trying, s.pc, s.around, s.passed = outer, pc, around, None
            if outer is not None:
                outer.add(tried.data, tried.control)
        by = join(tried.data, tried.control)
        for pattern, index, handler in handlers:
            if pattern is None or error_catches(error, pattern[0], pattern[1]):
                f[index] = (error, Tag(tried.data, tried.control))
                return under(by, handler, f, s)
        raise error

    return try_


def _rethrows(handler: nodes.Handler) -> bool:
    """True for a handler whose value never is one: it ends with throwing what it caught."""
    last = handler.body
    while isinstance(last, nodes.Do):
        last = last.body[-1]
    return handler.pattern is None and isinstance(last, nodes.Primitive) and last.operation == "throw"


def _label_finally(m: LabelledMaker, node: nodes.Try, cleanup_node: nodes.Node) -> Labelled:
    caught = m.core[" caught"]
    body = m.make(nodes.Try(node.at, node.body, node.handlers, None) if node.handlers else node.body)
    cleanup = m.make(cleanup_node)

    def finally_(f: Frame, s: FlowState, at: int = node.at) -> Any:
        pending = result = None
        pc, around, trying = s.pc, s.around, s.trying
        tried = s.trying = Gathering()
        try:
            result = body(f, s)
        except UNCATCHABLE:
            raise
        except BaseException as raised:
            pending = caught(raised)
        finally:
            s.pc, s.around, s.passed, s.trying = pc, around, None, trying
            if trying is not None:
                trying.add(tried.data, tried.control)
        under(join(tried.data, tried.control), cleanup, f, s)
        if pending is not None:
            raise pending
        return result

    return finally_
