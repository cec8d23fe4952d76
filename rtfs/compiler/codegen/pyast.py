"""Short builders for Python's AST.

Knows nothing of RTFS nodes. Invariant: the line number of a Python node is one more than an index into the unit's span
table, so a traceback leads to RTFS text at no cost while running.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOAD = ast.Load()
STORE = ast.Store()


def name(id: str, line: int) -> ast.expr:
    return ast.Name(id, LOAD, lineno=line, col_offset=0)


def store(id: str, line: int) -> ast.expr:
    return ast.Name(id, STORE, lineno=line, col_offset=0)


def const(value: bool | int | float | str | None, line: int) -> ast.expr:
    return ast.Constant(value, lineno=line, col_offset=0)


# CPython's compiler packs the arguments of larger calls, and such a call eats C stack on 3.11.
MOST_ARGUMENTS = 30


def call(function: str | ast.expr, arguments: list[ast.expr], line: int) -> ast.expr:
    target = name(function, line) if isinstance(function, str) else function
    if len(arguments) > MOST_ARGUMENTS:
        return call(" call_many", [target, display(arguments, line)], line)
    return ast.Call(target, arguments, [], lineno=line, col_offset=0)


def walrus(id: str, value: ast.expr, line: int) -> ast.expr:
    return ast.NamedExpr(ast.Name(id, STORE, lineno=line, col_offset=0), value, lineno=line, col_offset=0)


def class_of(value: ast.expr, line: int) -> ast.expr:
    return ast.Attribute(value, "__class__", LOAD, lineno=line, col_offset=0)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, line: int) -> ast.expr:
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant) and isinstance(operator, (ast.Is, ast.IsNot)):
        return const((left.value is right.value) == isinstance(operator, ast.Is), line)
    if isinstance(operator, (ast.Is, ast.IsNot)):
        left, right = _unfolded(left), _unfolded(right)
    return ast.Compare(left, [operator], [right], lineno=line, col_offset=0)


def _unfolded(value: ast.expr) -> ast.expr:
    """The same value, but hidden from CPython: it would put the result in the place of constant arithmetic, and then
    warn of an `is` with a literal."""
    part = value
    while isinstance(part, ast.BinOp):
        part = part.left
    if part is value or not isinstance(part, ast.Constant):
        return value
    return both(ast.And(), [const(True, value.lineno), value], value.lineno)


def chain(left: ast.expr, operators: list[ast.cmpop], rights: list[ast.expr], line: int) -> ast.expr:
    return ast.Compare(left, operators, rights, lineno=line, col_offset=0)


def is_class(value: ast.expr, class_name: str, line: int) -> ast.expr:
    return compare(class_of(value, line), ast.Is(), name(class_name, line), line)


def binary(left: ast.expr, operator: ast.operator, right: ast.expr, line: int) -> ast.expr:
    return ast.BinOp(left, operator, right, lineno=line, col_offset=0)


def choose(test: ast.expr, then: ast.expr, orelse: ast.expr, line: int) -> ast.expr:
    return ast.IfExp(test, then, orelse, lineno=line, col_offset=0)


def both(operator: ast.boolop, values: list[ast.expr], line: int) -> ast.expr:
    return ast.BoolOp(operator, values, lineno=line, col_offset=0) if len(values) > 1 else values[0]


def negate(value: ast.expr, line: int) -> ast.expr:
    return ast.UnaryOp(ast.Not(), value, lineno=line, col_offset=0)


def display(items: list[ast.expr], line: int) -> ast.expr:
    return ast.List(items, LOAD, lineno=line, col_offset=0)


def pack(items: list[ast.expr], line: int) -> ast.expr:
    return ast.Tuple(items, LOAD, lineno=line, col_offset=0)


def item(value: ast.expr, index: int, line: int) -> ast.expr:
    return ast.Subscript(value, const(index, line), LOAD, lineno=line, col_offset=0)


def assign(id: str, value: ast.expr, line: int) -> ast.stmt:
    return ast.Assign([store(id, line)], value, lineno=line, col_offset=0)


def assign_all(ids: list[str], values: list[ast.expr], line: int) -> ast.stmt:
    """Parallel assignment."""
    if len(ids) == 1:
        return assign(ids[0], values[0], line)
    targets = ast.Tuple([store(id, line) for id in ids], STORE, lineno=line, col_offset=0)
    return ast.Assign([targets], pack(values, line), lineno=line, col_offset=0)


def forget(id: str, line: int) -> ast.stmt:
    return ast.Delete([ast.Name(id, ast.Del(), lineno=line, col_offset=0)], lineno=line, col_offset=0)


def unpack(ids: list[str], value: ast.expr, line: int) -> ast.stmt:
    targets = ast.Tuple([store(id, line) for id in ids], STORE, lineno=line, col_offset=0)
    return ast.Assign([targets], value, lineno=line, col_offset=0)


def statement(value: ast.expr, line: int) -> ast.stmt:
    return ast.Expr(value, lineno=line, col_offset=0)


def give(value: ast.expr, line: int) -> ast.stmt:
    return ast.Return(value, lineno=line, col_offset=0)


def when(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt], line: int) -> ast.stmt:
    return ast.If(test, then or [ast.Pass(lineno=line, col_offset=0)], orelse, lineno=line, col_offset=0)


def forever(body: list[ast.stmt], line: int) -> ast.stmt:
    return ast.While(const(True, line), body, [], lineno=line, col_offset=0)


def leave(line: int) -> ast.stmt:
    return ast.Break(lineno=line, col_offset=0)


def again(line: int) -> ast.stmt:
    return ast.Continue(lineno=line, col_offset=0)


def each_tick(body: list[ast.stmt], orelse: list[ast.stmt], line: int) -> ast.stmt:
    """A `for` over the machine's shared iterator of steps: each round costs one."""
    return ast.For(store(" _", line), name(" ticks", line), body, orelse, lineno=line, col_offset=0)


def guarded(body: list[ast.stmt], caught: str, handler: list[ast.stmt], line: int) -> ast.stmt:
    """try: body / except UNCATCHABLE: raise / except BaseException as caught: handler"""
    passing = ast.Raise(None, None, lineno=line, col_offset=0)
    clauses = [
        ast.ExceptHandler(name(" uncatchable", line), None, [passing], lineno=line, col_offset=0),
        ast.ExceptHandler(name(" BaseException", line), caught, handler, lineno=line, col_offset=0),
    ]
    return ast.Try(body, clauses, [], [], lineno=line, col_offset=0)


def throw(value: ast.expr, line: int) -> ast.stmt:
    return ast.Raise(value, None, lineno=line, col_offset=0)


def define(
    id: str, parameters: list[str], rest: str | None, defaults: list[ast.expr], body: list[ast.stmt], line: int
) -> ast.stmt:
    """A function of positional-only parameters."""
    arguments = ast.arguments(
        posonlyargs=[ast.arg(p, None, lineno=line, col_offset=0) for p in parameters],
        args=[],
        vararg=ast.arg(rest, None, lineno=line, col_offset=0) if rest is not None else None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=None,
        defaults=defaults,
    )
    fields: dict[str, Any] = {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}
    return ast.FunctionDef(id, arguments, body, [], None, lineno=line, col_offset=0, **fields)


def declare_global(names: list[str], line: int) -> ast.stmt:
    return ast.Global(names, lineno=line, col_offset=0)


def _portions(iterable: ast.expr, line: int) -> ast.expr:
    """portions(iterable); of items(…) at once."""
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id == " items":
        return call(" parts", iterable.args, line)
    return call(" portions", [iterable], line)


def _target(targets: list[str], line: int) -> ast.expr:
    """The target of a loop's assignment: a name, or several names that unpack the element."""
    if len(targets) == 1:
        return store(targets[0], line)
    return ast.Tuple([store(one, line) for one in targets], STORE, lineno=line, col_offset=0)


def each_of(
    targets: list[str], iterable: ast.expr, body: list[ast.stmt], line: int, *, in_parts: bool = False
) -> ast.stmt:
    """for part in portions(iterable): for targets in part: body; a `break` in the body leaves both. in_parts: the
    iterable already yields portions."""
    part = targets[-1] + "_"
    went_through = ast.Continue(lineno=line, col_offset=0)
    each = ast.For(_target(targets, line), name(part, line), body, [went_through], lineno=line, col_offset=0)
    parts = iterable if in_parts else _portions(iterable, line)
    return ast.For(store(part, line), parts, [each, leave(line)], [], lineno=line, col_offset=0)


def comprehension(
    result: ast.expr,
    targets: list[str],
    iterable: ast.expr,
    test: ast.expr | None,
    line: int,
    *,
    in_parts: bool = False,
) -> ast.expr:
    """[result for part in portions(iterable) for targets in part if test]. in_parts: the iterable gives portions
    already."""
    part = targets[-1] + "_"
    parts = iterable if in_parts else _portions(iterable, line)
    portions = ast.comprehension(store(part, line), parts, [], 0)
    each = ast.comprehension(_target(targets, line), name(part, line), [] if test is None else [test], 0)
    return ast.ListComp(result, [portions, each], lineno=line, col_offset=0)


def shown(value: ast.expr, line: int) -> ast.expr:
    """f"{value}" """
    part = ast.FormattedValue(value, -1, None, lineno=line, col_offset=0)
    return ast.JoinedStr([part], lineno=line, col_offset=0)


def shown_together(texts: list[ast.expr], line: int) -> ast.expr:
    """f"{text}{text}…" """
    parts: list[ast.expr] = [ast.FormattedValue(text, -1, None, lineno=line, col_offset=0) for text in texts]
    return ast.JoinedStr(parts, lineno=line, col_offset=0)


def put(container: ast.expr, key: ast.expr, value: ast.expr, line: int) -> ast.stmt:
    """container[key] = value"""
    return ast.Assign(
        [ast.Subscript(container, key, STORE, lineno=line, col_offset=0)], value, lineno=line, col_offset=0
    )


def attribute(value: ast.expr, slot: str, line: int) -> ast.expr:
    """Read a slot of our value classes, or a method of a list of ours. `slot` is always a constant of the compiler."""
    return ast.Attribute(value, slot, LOAD, lineno=line, col_offset=0)
