"""Primitives that become Python expressions instead of calls into support.py.

Knows nothing of nodes. Invariant: each gives exactly what the support function of its name gives.
"""

from __future__ import annotations

import ast

from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.codegen.emitter import Emitter

    Build = Callable[[Emitter, list[ast.expr], int], ast.expr]

PRIMITIVES: dict[str, Build] = {}

# primitives that answer true or false
PREDICATE_PRIMITIVES = frozenset(("fits_exactly", "fits_at_least", "is_map", "pattern_has", "regex_fits"))


def primitive(name: str) -> Callable[[Build], Build]:
    def declare(build: Build) -> Build:
        PRIMITIVES[name] = build
        return build

    return declare


@primitive("list_of")
def _list_of(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.call(" list", [py.display(arguments, line)], line)


@primitive("vector_of")
def _vector_of(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.call(" vector", [py.display(arguments, line)], line)


@primitive("unpacked")
def _unpacked(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    return ast.Subscript(arguments[0], arguments[1], py.LOAD, lineno=line, col_offset=0)


@primitive("is_map")
def _is_map(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.is_class(arguments[0], " Map", line)


@primitive("keyword_get")
def _keyword_get(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    keyword, collection, *default = arguments
    if default and not isinstance(default[0], (ast.Name, ast.Constant)):
        return py.call(" keyword_get", arguments, line)
    return map_lookup(e, collection, keyword, default, " keyword_get", [keyword], line)


def map_lookup(
    e: Emitter,
    collection: ast.expr,
    key: ast.expr,
    default: list[ast.expr],
    slow: str,
    before: list[ast.expr],
    line: int,
    *,
    is_map: bool = False,
) -> ast.expr:
    """The value of a plain key: of a map with a dict of its own straight from it, else by the function `slow`, called
    with `before`, the collection and what is left. is_map: it is known to be a map."""
    first, collection = once(e, collection, line)
    held = e.names.temporary()
    dictionary = py.attribute(first if is_map else collection, "_d", line)
    test = py.compare(py.walrus(held, dictionary, line), ast.IsNot(), py.const(None, line), line)
    if not is_map:
        test = py.both(ast.And(), [py.is_class(first, " Map", line), test], line)
    fast = py.call(py.attribute(py.name(held, line), "get", line), [key, *default], line)
    after = [] if before else [key]
    return py.choose(test, fast, py.call(slow, [*before, collection, *after, *default], line), line)
