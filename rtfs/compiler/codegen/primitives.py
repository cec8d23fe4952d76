"""Primitives that become Python expressions instead of calls into support.py.

Knows nothing of nodes. Invariant: each returns exactly what the support function of its name returns.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis.inlined import CHANGING
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import once
from rtfs.values.short_vector import SHORT, element_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.analysis.kinds import Kinds
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
    return vector_of(arguments, line)


def vector_of(items: list[ast.expr], line: int) -> ast.expr:
    """The vector of some elements."""
    if len(items) <= SHORT:
        return py.call(" short", [py.pack(items, line)], line)
    return py.call(" growing", [py.display(items, line)], line)


@primitive("unpacked")
def _unpacked(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    source, index = arguments
    if isinstance(source, ast.Name) and isinstance(index, ast.Constant):
        names = e.form.unpacked.get(source.id)
        if names is not None:
            name = names[index.value]  # type: ignore[index]
            e.loads.add(name)
            return py.name(name, line)
    return py.subscript(source, index, line)


def is_short(value: ast.expr, line: int) -> ast.expr:
    """Whether a value is a short vector."""
    return py.compare(py.call(" type", [value], line), py.IS, py.name(" short", line), line)


def has_more_than(value: ast.expr, count: int, line: int) -> ast.expr:
    """Whether a short vector has more than `count` elements."""
    if not count:
        return value
    return py.compare(py.call(" len", [value], line), py.GT, py.const(count, line), line)


@primitive("pattern_sequence")
def _pattern_sequence(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    """A vector is taken apart as it is."""
    first, value = once(e, arguments[0], line)
    return py.choose(py.is_class(first, " Vector", line), value, py.call(" pattern_sequence", [value], line), line)


@primitive("pattern_item")
def _pattern_item(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    """The element of a short vector at once."""
    source, index = arguments
    place = index.value if isinstance(index, ast.Constant) else None
    slow = py.call(" pattern_item", [source, index], line)
    if place.__class__ is not int or place >= SHORT:
        return slow
    fits = py.both(py.AND, [is_short(source, line), has_more_than(source, place, line)], line)
    return py.choose(fits, py.attribute(source, element_slot(place), line), slow, line)


@primitive("pattern_record")
def _pattern_record(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    """A map's own dict, if it has one, else the map: both are read in the same way."""
    first, value = once(e, arguments[0], line)
    held = e.names.temporary()
    own = py.compare(py.walrus(held, py.attribute(value, "_d", line), line), py.IS_NOT, py.const(None, line), line)
    test = py.both(py.AND, [py.is_class(first, " Map", line), own], line)
    return py.choose(test, py.name(held, line), py.call(" pattern_map", [value], line), line)


@primitive("pattern_get")
def _pattern_get(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    source, key = arguments
    return py.call(py.attribute(source, "get", line), [key], line)


@primitive("pattern_has")
def _pattern_has(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    source, key = arguments
    return py.compare(key, py.IN, source, line)


@primitive("is_map")
def _is_map(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    return py.is_class(arguments[0], " Map", line)


@primitive("keyword_get")
def _keyword_get(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
    keyword, collection, *default = arguments
    if e.plain or (default and not isinstance(default[0], (ast.Name, ast.Constant))):
        return py.call(" keyword_get", arguments, line)
    return map_lookup(e, collection, keyword, default, " keyword_get", [keyword], line)


def _level(name: str) -> None:
    """The value at a key of what `update` and its kin change."""

    @primitive(f"{name}/get")
    def build(e: Emitter, arguments: list[ast.expr], line: int) -> ast.expr:
        collection, key = arguments
        if is_surely_plain(key, None):
            return map_lookup(e, collection, key, [], f" {name}/get", [], line)
        if isinstance(key, ast.Name):
            return map_lookup(e, collection, key, [], f" {name}/get", [], line, is_plain=False)
        return py.call(f" {name}/get", arguments, line)


for one in CHANGING:
    _level(one)


PLAIN_KEYS = frozenset(("int", "str", "keyword", "nil"))


def is_surely_plain(key: ast.expr, kinds: Kinds) -> bool:
    """True if a key is known to be in dicts as itself."""
    if isinstance(key, ast.Constant):
        return key.value.__class__ not in (float, bool)
    return (kinds is not None and kinds <= PLAIN_KEYS) or (isinstance(key, ast.Name) and key.id[0] == ":")


def is_plain_key(e: Emitter, key: ast.expr, line: int) -> ast.expr:
    """Whether the class of a key says that it is in dicts as itself."""
    held = e.names.temporary()
    kind = py.walrus(held, py.class_of(key, line), line)
    tests: list[ast.expr] = [
        py.compare(kind, py.IS_NOT, py.name(" float", line), line),
        py.compare(py.name(held, line), py.IS_NOT, py.name(" bool", line), line),
    ]
    return py.both(py.AND, tests, line)


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
    is_plain: bool = True,
) -> ast.expr:
    """The value of a key: from the map's own dict if it has one and the key is in dicts as itself, else by the function
    `slow`, called with `before`, the collection and the remaining arguments. is_map, is_plain: what is known of the
    collection and of the key, a name or constant."""
    first, collection = once(e, collection, line)
    held = e.names.temporary()
    dictionary = py.attribute(first if is_map else collection, "_d", line)
    tests: list[ast.expr] = [] if is_map else [py.is_class(first, " Map", line)]
    tests.append(py.compare(py.walrus(held, dictionary, line), py.IS_NOT, py.const(None, line), line))
    if not is_plain:
        tests.append(is_plain_key(e, key, line))
    fast = py.call(py.attribute(py.name(held, line), "get", line), [key, *default], line)
    after = [] if before else [key]
    return py.choose(
        py.both(py.AND, tests, line), fast, py.call(slow, [*before, collection, *after, *default], line), line
    )
