"""Calls that ask sequences, inlined: `first`, `peek`, `nth`, `count` and their like of a short vector at once.

Most vectors that a program takes apart are short (see `rtfs.values.short_vector`). Knows nothing of statements.
Invariant: whatever else is asked goes to the function, so an inlined call answers exactly as that does.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis.kinds import BOOL, INT
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import once
from rtfs.compiler.codegen.operators import inline
from rtfs.compiler.codegen.primitives import has_more_than, is_short
from rtfs.values.short_vector import SHORT, element_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.analysis.kinds import Kinds
    from rtfs.compiler.codegen.emitter import Emitter
    from rtfs.compiler.codegen.operators import Operand, Result


def _of_short(e: Emitter, value: ast.expr, slow: str, line: int) -> tuple[ast.expr, ast.expr, ast.expr]:
    """(test whether a value is a short vector, the value, the call of the function with it)."""
    first, again = once(e, value, line)
    return is_short(first, line), again, py.call(slow, [again], line)


def _element(function: str, index: int) -> None:
    @inline(function, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        test, value, slow = _of_short(e, operands[0][0], f" {function}/1", line)
        fits = py.both(py.AND, [test, has_more_than(value, index, line)], line)
        return py.choose(fits, py.attribute(value, element_slot(index), line), slow, line), None


_element("first", 0)
_element("second", 1)


def _last(function: str) -> None:
    @inline(function, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        test, value, slow = _of_short(e, operands[0][0], f" {function}/1", line)
        fits = py.both(py.AND, [test, value], line)
        return py.choose(fits, py.call(" item", [value, py.const(-1, line)], line), slow, line), None


_last("peek")
_last("last")


@inline("nth", 2)
def _nth(e: Emitter, operands: list[Operand], line: int) -> Result:
    (collection, _, _), (index, index_kinds, _) = operands
    slow = " nth/2"
    if isinstance(index, ast.Constant) and index.value.__class__ is int and 0 <= index.value < SHORT:
        test, value, _ = _of_short(e, collection, slow, line)
        fits = py.both(py.AND, [test, has_more_than(value, index.value, line)], line)
        found = py.attribute(value, element_slot(index.value), line)
        return py.choose(fits, found, py.call(slow, [value, index], line), line), None
    if not (isinstance(collection, ast.Name) and isinstance(index, ast.Name)):
        return py.call(slow, [collection, index], line), None
    return _at(e, collection, index, index_kinds, py.call(slow, [collection, index], line), line), None


def _at(e: Emitter, value: ast.expr, index: ast.expr, kinds: Kinds, slow: ast.expr, line: int) -> ast.expr:
    """The element at an index: of a vector over a list of its own, or a short one, at once."""
    kind = e.names.temporary()
    held = py.walrus(kind, py.call(" type", [value], line), line)
    found = element_at(held, py.name(kind, line), value, index, slow, line)
    return found if kinds == INT else py.choose(py.is_class(index, " int", line), found, slow, line)


def element_at(
    first: ast.expr, kind: ast.expr, value: ast.expr, index: ast.expr, slow: ast.expr, line: int
) -> ast.expr:
    """The element of a vector at an integer, which goes to `slow` if that is not an index or the value no vector.
    first, kind: the type of the value, and that once more."""
    start = py.attribute(value, "_start", line)
    size = py.binary(py.attribute(value, "_stop", line), py.SUB, start, line)
    is_vector = py.compare(first, py.IS, py.name(" Vector", line), line)
    alone = py.compare(py.attribute(value, "_more", line), py.IS, py.const(None, line), line)
    place = py.binary(start, py.ADD, index, line)
    element = py.subscript(py.attribute(value, "_items", line), place, line)
    is_short_one = py.compare(kind, py.IS, py.name(" short", line), line)
    of_short = py.both(py.AND, [is_short_one, _within(index, py.call(" len", [value], line), line)], line)
    in_short = py.choose(of_short, py.call(" item", [value, index], line), slow, line)
    of_vector = py.both(py.AND, [is_vector, alone, _within(index, size, line)], line)
    return py.choose(of_vector, element, in_short, line)


def _within(index: ast.expr, size: ast.expr, line: int) -> ast.expr:
    """Whether an integer is an index of so many elements."""
    return py.chain(py.const(0, line), [py.LT_E, py.LT], [index, size], line)


def _size(function: str, kinds: Kinds) -> None:
    @inline(function, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        test, value, slow = _of_short(e, operands[0][0], f" {function}/1", line)
        size = py.call(" len", [value], line) if kinds == INT else py.negate(value, line)
        return py.choose(test, size, slow, line), kinds


_size("count", INT)
_size("empty?", BOOL)


@inline("conj", 2)
def _conj(e: Emitter, operands: list[Operand], line: int) -> Result:
    (collection, _, _), (element, _, _) = operands
    if not isinstance(element, (ast.Name, ast.Constant)):
        return py.call(" conj/2", [collection, element], line), None
    first, value = once(e, collection, line)
    room = py.compare(py.call(" len", [value], line), py.LT, py.const(SHORT, line), line)
    longer = py.call(" short", [py.binary(value, py.ADD, py.pack([element], line), line)], line)
    fits = py.both(py.AND, [is_short(first, line), room], line)
    return py.choose(fits, longer, py.call(" conj/2", [value, element], line), line), None
