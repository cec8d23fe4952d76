"""Using an expression twice that must be computed once."""

from __future__ import annotations

import ast

from rtfs.compiler.codegen import pyast as py

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.codegen.emit_expressions import Expressions


def once(e: Expressions, value: ast.expr, line: int) -> tuple[ast.expr, ast.expr]:
    """(first use, later use) of an expression that must be computed once."""
    if isinstance(value, (ast.Name, ast.Constant)):
        return value, value
    temporary = e.names.temporary()
    return py.walrus(temporary, value, line), py.name(temporary, line)
