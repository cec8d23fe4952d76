"""Primitives that become Python expressions instead of calls into support.py.

Knows nothing of nodes. Invariant: each gives exactly what the support function of its name gives.
"""

from __future__ import annotations

import ast

from rtfs.compiler import pyast as py

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.expressions import Expressions

    Build = Callable[[Expressions, list[ast.expr], int], ast.expr]

PRIMITIVES: dict[str, Build] = {}

# primitives that answer true or false
PREDICATE_PRIMITIVES = frozenset(("fits_exactly", "fits_at_least", "is_map", "pattern_has"))


def primitive(name: str) -> Callable[[Build], Build]:
    def declare(build: Build) -> Build:
        PRIMITIVES[name] = build
        return build

    return declare


@primitive("list_of")
def _list_of(e: Expressions, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.call(" list", [py.display(arguments, line)], line)


@primitive("vector_of")
def _vector_of(e: Expressions, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.call(" vector", [py.display(arguments, line)], line)


@primitive("is_map")
def _is_map(e: Expressions, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.is_class(arguments[0], " Map", line)


@primitive("keyword_get")
def _keyword_get(e: Expressions, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.call(" keyword_get", arguments, line)
