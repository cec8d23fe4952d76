"""Code generation of expressions: names, constants, calls, displays, casts, host requests.

Knows nothing of control flow (see emit_control.py). Invariant: user text yields names, constants and calls, never an
attribute: the slots read here are those of our own value classes.
"""

from __future__ import annotations

import ast

from rtfs.builtins.fixed_arity import EXACT, PATHS
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import GETS, OPERATORS, PUTS
from rtfs.compiler.analysis.kinds import BOOL, INT, KIND_OF_CLASS, NOT_CALLABLE, Kinds, core_kinds
from rtfs.compiler.analysis.literals import constant_vector
from rtfs.compiler.analysis.ownership import display_of, is_new
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.accumulators import lent
from rtfs.compiler.codegen.emit_functions import FUNCTION
from rtfs.compiler.codegen.emitter import Emitter, evaluates, once
from rtfs.compiler.codegen.operators import FOLDED, equal, is_keyword, look_up
from rtfs.compiler.codegen.primitives import (
    PREDICATE_PRIMITIVES,
    PRIMITIVES,
    is_plain_key,
    is_surely_plain,
    map_lookup,
    vector_of,
)
from rtfs.compiler.codegen.sequences import element_at
from rtfs.compiler.codegen.tails import asked
from rtfs.compiler.codegen.vector_keys import lookup_key
from rtfs.compiler.mangling import global_name
from rtfs.values import Keyword, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.codegen.operators import Inliner

LONGEST_PATH = 3
"""Keys of a path that is followed in the code itself, at most."""


@evaluates(nodes.Const)
def evaluate_const(e: Emitter, node: nodes.Const) -> tuple[ast.expr, Kinds]:
    return e.form.constant(node.value, node.at + 1), KIND_OF_CLASS.get(node.value.__class__)


@evaluates(nodes.Local)
def evaluate_local(e: Emitter, node: nodes.Local) -> tuple[ast.expr, Kinds]:
    binding = node.binding
    e.loads.add(binding.python)
    return py.name(binding.python, node.at + 1), e.known.get(binding, binding.kinds)


@evaluates(nodes.Global)
def evaluate_global(e: Emitter, node: nodes.Global) -> tuple[ast.expr, Kinds]:
    return py.name(global_name(node.name), node.at + 1), FUNCTION if node.core else None


# ---------------------------------------------------------------------- calls
@evaluates(nodes.Invoke)
def evaluate_invoke(e: Emitter, node: nodes.Invoke) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    function = node.function
    count = len(node.arguments)
    if isinstance(function, nodes.Global) and function.core:
        found = asked(e, function.name, node.arguments, line) if e.tails else None
        if found is not None:
            return found
        inliner: Inliner | None = OPERATORS.get((function.name, count))
        if inliner is not None or (function.name in FOLDED and count > 2):
            operands = [
                (value, kinds, part.binding if isinstance(part, nodes.Local) else None)
                for part, (value, kinds) in zip(node.arguments, e.values(node.arguments), strict=True)
            ]
            if inliner is not None:
                return inliner(e, operands, line)
            if count < 12:
                return _fold(e, function.name, operands, line)
            return py.call(function.name, [value for value, _, _ in operands], line), None
        made = display_of(node)
        if made is not None:
            return evaluate_vector(e, made)
        keys = _path(node.arguments)
        if function.name == "get-in" and count == 2 and _leads_through_maps(keys):
            return _follow(e, node.arguments[0], keys, line), None
        if (function.name, count, len(keys)) in PATHS:
            parts = [node.arguments[0], *keys, *node.arguments[2:]]
            return py.call(f" {function.name}/{count}/{len(keys)}", [value for value, _ in e.values(parts)], line), None
        values = e.values(node.arguments)
        arguments = [value for value, _ in values]
        if function.name == "assoc" and count in (3, 5, 7) and is_new(node.arguments[0]):
            return put_into_new("assoc", values, line), core_kinds(function.name, node.arguments, e.known)
        if function.name == "assoc" and count == 3 and is_surely_plain(*values[1]):
            return py.call(" assoc/plain", arguments, line), core_kinds(function.name, node.arguments, e.known)
        exact = (function.name, count) in EXACT
        name = f" {function.name}/{count}" if exact else global_name(function.name)
        return py.call(name, arguments, line), core_kinds(function.name, node.arguments, e.known)
    (target, kinds), *rest = e.values([function, *node.arguments])
    if isinstance(target, ast.Constant) or (kinds is not None and kinds <= NOT_CALLABLE):
        return py.call(" not_callable", [target, *[value for value, _ in rest]], line), None
    if isinstance(function, nodes.Global) and function.data and count == 1:
        return _ask_data(e, target, rest[0][0], line), None
    if isinstance(function, nodes.Local) and count == 1 and isinstance(target, ast.Name):
        return _ask_local(e, target, rest[0], line), None
    return py.call(target, lent(e, node, [value for value, _ in rest], line), line), None


def _ask_local(e: Emitter, target: ast.expr, key: tuple[ast.expr, Kinds], line: int) -> ast.expr:
    """`(held key)`: of a map or set with a dict of its own, or a vector, straight from that, else by a call."""
    given, kinds = key
    call = py.call(target, [given], line)
    keys = None if e.plain else lookup_key(e, given, line, after=target)
    if e.plain or (keys is None and not isinstance(given, (ast.Name, ast.Constant))):
        return call
    kind, entries = e.names.temporary(), e.names.temporary()

    def has_own(name: str, owner: ast.expr, first: ast.expr) -> ast.expr:
        own = py.walrus(entries, py.attribute(owner, "_d", line), line)
        is_kind = py.compare(first, py.IS, py.name(name, line), line)
        return py.both(py.AND, [is_kind, py.compare(own, py.IS_NOT, py.const(None, line), line)], line)

    held, again = py.walrus(kind, py.call(" type", [target], line), line), py.name(kind, line)
    in_map = has_own(" Map", target, held)
    in_set = has_own(" Set", py.attribute(target, "_map", line), again)
    test = py.both(py.OR, [in_map, in_set], line)
    if keys is not None:
        return _look_up_or_call(entries, [*keys[0], test], keys[1], target, keys[2], line)
    plain = is_surely_plain(given, kinds)
    if not plain:
        test = py.both(py.AND, [test, is_plain_key(e, given, line)], line)
    otherwise = call
    if isinstance(given, ast.Name) and not is_keyword(given) and (kinds is None or kinds == INT):
        element = element_at(again, again, target, given, call, line)
        otherwise = element if kinds == INT else py.choose(py.is_class(given, " int", line), element, call, line)
    return py.choose(test, py.call(py.attribute(py.name(entries, line), "get", line), [given], line), otherwise, line)


def _ask_data(e: Emitter, target: ast.expr, key: ast.expr, line: int) -> ast.expr:
    """`(table key)`: of a map or set with a dict of its own straight from that, else by a call. The table is looked up
    before the key is evaluated."""
    if e.plain:
        return py.call(target, [key], line)
    kind, entries = e.names.temporary(), e.names.temporary()
    first, again = once(e, key, line)

    def is_kind(name: str) -> ast.expr:
        return py.compare(py.name(kind, line), py.IS, py.name(name, line), line)

    def has_own(owner: ast.expr) -> ast.expr:
        own = py.walrus(entries, py.attribute(owner, "_d", line), line)
        return py.compare(own, py.IS_NOT, py.const(None, line), line)

    held = py.walrus(kind, py.class_of(target, line), line)
    in_set = py.both(py.AND, [is_kind(" Set"), has_own(py.attribute(target, "_map", line))], line)
    keys = lookup_key(e, key, line)
    if keys is not None:
        looked_up = py.compare(held, py.IS_NOT, py.const(None, line), line)
        in_map = py.both(py.AND, [is_kind(" Map"), has_own(target)], line)
        tests = [looked_up, *keys[0], py.both(py.OR, [in_map, in_set], line)]
        return _look_up_or_call(entries, tests, keys[1], target, keys[2], line)
    if first is again:  # the key may be looked at or not
        is_map = py.compare(held, py.IS, py.name(" Map", line), line)
        in_map = py.both(py.AND, [is_map, has_own(target)], line)
        test = py.both(py.OR, [in_map, in_set], line)
        if not is_keyword(first):
            test = py.both(py.AND, [test, is_plain_key(e, first, line)], line)
    else:
        looked_up = py.compare(held, py.IS_NOT, py.const(None, line), line)
        in_map = py.both(py.AND, [is_kind(" Map"), has_own(target)], line)
        in_any = py.both(py.OR, [in_map, in_set], line)
        test = py.both(py.AND, [looked_up, is_plain_key(e, first, line), in_any], line)
    fast = py.call(py.attribute(py.name(entries, line), "get", line), [again], line)
    return py.choose(test, fast, py.call(target, [again], line), line)


def _look_up_or_call(
    entries: str, tests: list[ast.expr], key: ast.expr, target: ast.expr, vector: ast.expr, line: int
) -> ast.expr:
    """The value of a vector that is spelled out in the dict that is held, if the tests hold, else by a call."""
    fast = py.call(py.attribute(py.name(entries, line), "get", line), [key], line)
    return py.choose(py.both(py.AND, tests, line), fast, py.call(target, [vector], line), line)


def _path(arguments: list[nodes.Node]) -> list[nodes.Node]:
    """The keys of a path that is written out as the second argument."""
    path = arguments[1] if len(arguments) > 1 else None
    if isinstance(path, nodes.VectorDisplay):
        return path.items
    if isinstance(path, nodes.Const) and path.value.__class__ is Vector:
        return [nodes.Const(path.at, key) for key in path.value]
    return []


def _leads_through_maps(keys: list[nodes.Node]) -> bool:
    """True for a path that begins in a map, or has one key: all keys are evaluated without effect."""
    if not 0 < len(keys) <= LONGEST_PATH or not all(isinstance(key, (nodes.Const, nodes.Local)) for key in keys):
        return False
    return len(keys) == 1 or (isinstance(keys[0], nodes.Const) and keys[0].value.__class__ in (Keyword, str))


def _follow(e: Emitter, collection: nodes.Node, keys: list[nodes.Node], line: int) -> ast.expr:
    """The value at the end of a path."""
    found, kinds = e.value(collection)
    for key in keys:
        value, key_kinds = e.value(key)
        found = look_up(e, [(found, kinds, None), (value, key_kinds, None)], " get-in/2/1", line)
        kinds = None
    return found


def put_into_new(function: str, arguments: list[tuple[ast.expr, Kinds]], line: int) -> ast.expr:
    """Change entries of a collection whose earlier state nothing else can see."""
    (made, _), *operands = arguments
    for (key, kinds), (value, _) in zip(operands[::2], operands[1::2], strict=True):
        plain = " plain" if is_surely_plain(key, kinds) else ""
        made = py.call(f" {function}/new{plain}", [made, key, value], line)
    return made


def _fold(
    e: Emitter, name: str, operands: list[tuple[ast.expr, Kinds, nodes.Binding | None]], line: int
) -> tuple[ast.expr, Kinds]:
    """(+ a b c) as ((a + b) + c), each operand computed before the next is added."""
    inliner = OPERATORS[name, 2]
    if not all(isinstance(value, (ast.Name, ast.Constant)) for value, _, _ in operands[2:]):
        exact = (name, len(operands)) in EXACT
        values = [value for value, _, _ in operands]
        return py.call(f" {name}/{len(operands)}" if exact else name, values, line), None
    left = operands[0]
    for right in operands[1:]:
        value, kinds = inliner(e, [left, right], line)
        left = (value, kinds, None)
    return left[0], left[1]


@evaluates(nodes.Primitive)
def evaluate_primitive(e: Emitter, node: nodes.Primitive) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    operands = e.values(node.arguments)
    if node.operation == "equals":
        return equal(e, [(*operands[0], None), (*operands[1], None)], line)
    build = PRIMITIVES.get(node.operation)
    arguments = [value for value, _ in operands]
    if node.entry is not None:
        return _put_before(e, node, node.entry, operands, line)
    if node.operation in GETS and isinstance(arguments[1], ast.Name) and is_surely_plain(*operands[1]):
        return map_lookup(e, arguments[0], arguments[1], [], " " + node.operation, [], line), None
    if build is not None:
        return build(e, arguments, line), BOOL if node.operation in PREDICATE_PRIMITIVES else None
    if node.operation in PUTS and is_new(node.arguments[0]):
        return put_into_new(node.operation.partition("/")[0], operands, line), None
    if node.operation in PUTS and is_surely_plain(*operands[1]):
        return py.call(f" {node.operation.partition('/')[0]}/plain", arguments, line), None
    kinds = BOOL if node.operation in PREDICATE_PRIMITIVES else None
    return py.call(" " + node.operation, arguments, line), kinds


def _put_before(
    e: Emitter, node: nodes.Primitive, entry: nodes.Node, operands: list[tuple[ast.expr, Kinds]], line: int
) -> tuple[ast.expr, Kinds]:
    """What was put where a primitive looks; only a key that is not a number is found nowhere."""
    value, kinds = e.value(entry)
    if isinstance(node.arguments[1], nodes.Const) or is_surely_plain(*operands[1]):
        return value, kinds
    arguments = [one for one, _ in operands]
    is_float = py.is_class(arguments[1], " float", line)
    return py.choose(is_float, py.call(f" {node.operation}", arguments, line), value, line), None


@evaluates(nodes.HostRequest)
def evaluate_request(e: Emitter, node: nodes.HostRequest) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    hints = [node.hints] if node.hints is not None else []
    id, *rest = [value for value, _ in e.values([node.id, *node.arguments, *hints])]
    arguments = rest[: len(node.arguments)]
    given = [py.const(node.kind, line), id, py.pack(arguments, line)]
    given += rest[len(node.arguments) :] or [py.const(None, line)]
    place = [py.const(e.form.unit.filename, line), py.const(node.at, line)]
    return py.call(" placed_request", given + place, line), None


# ---------------------------------------------------------------------- displays
@evaluates(nodes.VectorDisplay)
def evaluate_vector(e: Emitter, node: nodes.VectorDisplay) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    constant = constant_vector(node)
    if constant is not None:
        return e.form.constant(constant, line), KIND_OF_CLASS[Vector]
    items = [value for value, _ in e.values(node.items)]
    return vector_of(items, line), KIND_OF_CLASS[Vector]


@evaluates(nodes.MapDisplay)
def evaluate_map(e: Emitter, node: nodes.MapDisplay) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    items = [value for value, _ in e.values(node.items)]
    keys = node.items[::2]
    if all(isinstance(key, nodes.Const) and key.value.__class__ in (Keyword, str, int) for key in keys):
        plain = ast.Dict([*items[::2]], items[1::2], lineno=line, col_offset=0)
        return py.call(" plain_map", [plain], line), KIND_OF_CLASS[Map]
    return py.call(" map_of", items, line), KIND_OF_CLASS[Map]


# ---------------------------------------------------------------------- types
_GUARDS = {int: " int", float: " float", str: " str", bool: " bool"}


@evaluates(nodes.Cast)
def evaluate_cast(e: Emitter, node: nodes.Cast) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    value, kinds = e.value(node.value)
    type_name = e.form.type_constant(node.type, line)
    classes = e.form.classes_of(node.type)
    wanted: Kinds = None
    if classes:
        found = [KIND_OF_CLASS.get(one) for one in classes]
        if None not in found:
            wanted = frozenset().union(*found)  # type: ignore[arg-type]
    if wanted is not None and kinds is not None and kinds <= wanted and e.form.type_of(node.type).called is None:
        return value, kinds
    what = py.const(node.what, line)
    if classes and len(classes) == 1 and classes[0] in _GUARDS:
        first, again = once(e, value, line)
        check = py.call(" cast", [type_name, again, what], line)
        return py.choose(py.is_class(first, _GUARDS[classes[0]], line), again, check, line), wanted
    return py.call(" cast", [type_name, value, what], line), wanted


@evaluates(nodes.TypeTest)
def evaluate_type_test(e: Emitter, node: nodes.TypeTest) -> tuple[ast.expr, Kinds]:
    line = node.at + 1
    value, _ = e.value(node.value)
    return py.call(" accepts", [e.form.type_constant(node.type, line), value], line), BOOL
