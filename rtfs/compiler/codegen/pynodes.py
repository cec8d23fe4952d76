"""Nodes of Python's AST that are cheap to make and to compile.

CPython's own classes keep their fields in a dict, which a slow constructor fills by name and `compile` looks through
again. Here what differs between nodes of a class is in slots, and what does not belongs to the class. Such a node is
made by `new` and then given its fields, all of which have to be set. Knows nothing of what the nodes mean. Invariant:
to everything that reads Python's AST they are nodes of Python's own classes.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

new = ast.AST.__new__

LOAD = ast.Load()
STORE = ast.Store()

_EMPTY: list[Any] = []
"""The list of what no node of ours has; nothing may put anything into it."""

UNTOLD: Any = None
"""What `__class__` of a node is. CPython finds the class of a node by asking `isinstance` for up to 27 classes in turn,
which looks up `__class__` each time the answer is no; this takes least (compiling a tree −13 %)."""


# ---------------------------------------------------------------------- expressions
class Name(ast.Name):
    __slots__ = ("id", "lineno")
    __class__ = UNTOLD
    ctx = LOAD
    col_offset = 0


class StoredName(ast.Name):
    __slots__ = ("id", "lineno")
    __class__ = UNTOLD
    ctx = STORE
    col_offset = 0


class Constant(ast.Constant):
    __slots__ = ("lineno", "value")
    __class__ = UNTOLD
    col_offset = 0


class Call(ast.Call):
    __slots__ = ("args", "func", "lineno")
    __class__ = UNTOLD
    keywords = _EMPTY
    col_offset = 0


class NamedExpr(ast.NamedExpr):
    __slots__ = ("lineno", "target", "value")
    __class__ = UNTOLD
    col_offset = 0


class Attribute(ast.Attribute):
    __slots__ = ("attr", "lineno", "value")
    __class__ = UNTOLD
    ctx = LOAD
    col_offset = 0


class Subscript(ast.Subscript):
    __slots__ = ("lineno", "slice", "value")
    __class__ = UNTOLD
    ctx = LOAD
    col_offset = 0


class Compare(ast.Compare):
    __slots__ = ("comparators", "left", "lineno", "ops")
    __class__ = UNTOLD
    col_offset = 0


class BinOp(ast.BinOp):
    __slots__ = ("left", "lineno", "op", "right")
    __class__ = UNTOLD
    col_offset = 0


class UnaryOp(ast.UnaryOp):
    __slots__ = ("lineno", "op", "operand")
    __class__ = UNTOLD
    col_offset = 0


class BoolOp(ast.BoolOp):
    __slots__ = ("lineno", "op", "values")
    __class__ = UNTOLD
    col_offset = 0


class IfExp(ast.IfExp):
    __slots__ = ("body", "lineno", "orelse", "test")
    __class__ = UNTOLD
    col_offset = 0


class List(ast.List):
    __slots__ = ("elts", "lineno")
    __class__ = UNTOLD
    ctx = LOAD
    col_offset = 0


class Tuple(ast.Tuple):
    __slots__ = ("elts", "lineno")
    __class__ = UNTOLD
    ctx = LOAD
    col_offset = 0


class StoredTuple(ast.Tuple):
    __slots__ = ("elts", "lineno")
    __class__ = UNTOLD
    ctx = STORE
    col_offset = 0


class FormattedValue(ast.FormattedValue):
    __slots__ = ("lineno", "value")
    __class__ = UNTOLD
    conversion = -1
    format_spec = None
    col_offset = 0


# ---------------------------------------------------------------------- statements
class Assign(ast.Assign):
    __slots__ = ("lineno", "targets", "value")
    __class__ = UNTOLD
    col_offset = 0


class Expr(ast.Expr):
    __slots__ = ("lineno", "value")
    __class__ = UNTOLD
    col_offset = 0


class Return(ast.Return):
    __slots__ = ("lineno", "value")
    __class__ = UNTOLD
    col_offset = 0


class If(ast.If):
    __slots__ = ("body", "lineno", "orelse", "test")
    __class__ = UNTOLD
    col_offset = 0


class For(ast.For):
    __slots__ = ("body", "iter", "lineno", "orelse", "target")
    __class__ = UNTOLD
    col_offset = 0


# ---------------------------------------------------------------------- functions
class Parameter(ast.arg):
    __slots__ = ("arg", "lineno")
    __class__ = UNTOLD
    annotation = None
    col_offset = 0


class Parameters(ast.arguments):
    __slots__ = ("defaults", "posonlyargs", "vararg")
    __class__ = UNTOLD
    args = _EMPTY
    kwonlyargs = _EMPTY
    kw_defaults = _EMPTY
    kwarg = None


class FunctionDef(ast.FunctionDef):
    __slots__ = ("args", "body", "lineno", "name")
    __class__ = UNTOLD
    decorator_list = _EMPTY
    returns = None
    type_params = _EMPTY  # from Python 3.12 on
    col_offset = 0
