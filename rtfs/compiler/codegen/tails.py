"""Code generation of loop variables that are gone through: `first`, `rest` and `empty?` without a header each round.

A loop that passes on `(rest xs)` and otherwise only asks `xs` moves the start of one header instead of making a new one
each round; where it asks for nothing but the first element and the end, a place in the list of the elements. Anything
but a vector or list, and what shares a store with others, is gone through as ever; a flag beside the variable says
which. Knows nothing of forms. Invariant: the elements are only read; an error is raised where the call is.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import BOOL, Kinds
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.pynodes import STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.codegen.emitter import Emitter


class Place:
    """Where a loop is in the list of a variable's elements: names of Python variables."""

    __slots__ = ("at", "items", "stop")

    def __init__(self, e: Emitter) -> None:
        self.items = e.names.temporary()
        self.at = e.names.temporary()
        self.stop = e.names.temporary()


def begin_tail(e: Emitter, variable: nodes.Binding, line: int, *, forward: bool) -> None:
    """Give a variable a header of its own, if it can have one; forward: a place, as nothing else is asked."""
    e.tails[variable] = flag = e.names.temporary()
    name = variable.python
    if forward:
        e.places[variable] = place = Place(e)
        found = py.call(" place", [py.name(name, line)], line)
        e.block.append(py.unpack([flag, place.items, place.at, place.stop], found, line))
        return
    e.block.append(py.unpack([name, flag], py.call(" tail", [py.name(name, line)], line), line))


def name_rest(e: Emitter, binding: nodes.Binding, line: int) -> None:
    """Bind a local that holds the elements after the first, to be passed on: only a variable without a separate header
    needs them."""
    variable, function = e.rests[binding]
    e.stores.add(binding.python)
    e.known[binding] = None
    e.block.append(py.assign(binding.python, _if_shared(e, variable, function, line), line))


def _if_shared(e: Emitter, variable: nodes.Binding, function: str | None, line: int) -> ast.expr:
    """The elements after the first of a variable without a separate header."""
    rest = py.call(_callee(function), [py.name(variable.python, line)], line)
    return py.choose(py.name(e.tails[variable], line), py.const(None, line), rest, line)


def behind(e: Emitter, variable: nodes.Binding, function: str | None, line: int) -> None:
    """The elements after the first of a variable without a separate header, kept until everything else is computed."""
    e.behind[variable] = held = e.names.temporary()
    e.block.append(py.assign(held, _if_shared(e, variable, function, line), line))


def _callee(function: str | None) -> str:
    return " rest/1" if function == "rest" else "next"


def advance(
    e: Emitter, variable: nodes.Binding, function: str | None, line: int, named: nodes.Binding | None = None
) -> None:
    """Advance a variable by an element; without a separate header, to the elements that `behind` has kept, or that the
    local `named` holds."""
    flag, name = py.name(e.tails[variable], line), variable.python
    held = e.behind.pop(variable, None) if named is None else named.python
    _, start, stop = _parts(e, variable, line)
    place = e.places.get(variable)
    counted: Any = ast.Attribute(py.name(name, line), "_start", STORE, lineno=line, col_offset=0)
    if place is not None:
        counted = py.store(place.at, line)
    step = ast.AugAssign(counted, py.ADD, py.const(1, line), lineno=line, col_offset=0)
    own: ast.stmt = py.when(py.compare(start, py.LT, stop, line), [step], [], line)
    if function == "next":
        nothing = py.assign_all([name, e.tails[variable]], [py.const(None, line), py.const(False, line)], line)
        last = py.compare(py.binary(start, py.ADD, py.const(1, line), line), py.LT, stop, line)
        own = py.when(last, [step], [nothing], line)
    other = py.name(held, line) if held is not None else py.call(_callee(function), [py.name(name, line)], line)
    e.block.append(py.when(flag, [own], [py.assign(name, other, line)], line))


def _parts(e: Emitter, variable: nodes.Binding, line: int) -> tuple[ast.expr, ast.expr, ast.expr]:
    """(the list, where the elements start, where they stop)."""
    place = e.places.get(variable)
    if place is not None:
        return py.name(place.items, line), py.name(place.at, line), py.name(place.stop, line)
    name = py.name(variable.python, line)
    return py.attribute(name, "_items", line), py.attribute(name, "_start", line), py.attribute(name, "_stop", line)


def hand_over(e: Emitter, line: int) -> None:
    """Make variables with a place what is left of them, for code that knows no place, and bind names of rests."""
    for variable, place in e.places.items():
        flag, name = py.name(e.tails[variable], line), py.name(variable.python, line)
        left = py.call(" left", [name, py.name(place.at, line)], line)
        e.block.append(py.when(flag, [py.assign(variable.python, left, line)], [], line))
    for binding, (variable, function) in e.rests.items():
        if binding in e.known:
            rest = py.call(_callee(function), [py.name(variable.python, line)], line)
            e.block.append(py.when(py.name(e.tails[variable], line), [py.assign(binding.python, rest, line)], [], line))


def asked(e: Emitter, function: str, arguments: list[nodes.Node], line: int) -> tuple[ast.expr, Kinds] | None:
    """`(first xs)`, `(empty? xs)` or `(seq xs)` of a variable that is gone through; None for anything else."""
    if len(arguments) != 1 or not isinstance(arguments[0], nodes.Local):
        return None
    variable = arguments[0].binding
    flag = e.tails.get(variable)
    if flag is None or function not in ("first", "empty?", "seq"):
        return None
    e.loads.add(variable.python)
    name = py.name(variable.python, line)
    items, start, stop = _parts(e, variable, line)
    if function == "first":
        element = py.subscript(items, start, line)
        own = py.choose(py.compare(start, py.LT, stop, line), element, py.const(None, line), line)
        return py.choose(py.name(flag, line), own, py.call(" first/1", [name], line), line), None
    if function == "empty?":
        own = py.compare(start, py.EQ, stop, line)
        return py.choose(py.name(flag, line), own, py.call(" empty?/1", [name], line), line), BOOL
    own = py.choose(py.compare(start, py.LT, stop, line), py.const(True, line), py.const(None, line), line)
    return py.choose(py.name(flag, line), own, py.call("seq", [name], line), line), None
