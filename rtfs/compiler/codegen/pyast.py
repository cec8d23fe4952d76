"""Short builders for Python's AST.

Knows nothing of RTFS nodes. Invariant: the line number of a Python node is one more than an index into the unit's span
table, so a traceback leads to RTFS text at no cost while running.
"""

from __future__ import annotations

import ast

from rtfs.compiler.codegen import pynodes
from rtfs.compiler.codegen.pynodes import STORE, new

AND, OR = ast.And(), ast.Or()
NOT, NEGATIVE = ast.Not(), ast.USub()
IS, IS_NOT, IN = ast.Is(), ast.IsNot(), ast.In()
EQ, LT, GT, LT_E, GT_E = ast.Eq(), ast.Lt(), ast.Gt(), ast.LtE(), ast.GtE()
ADD, SUB, MULT, DIV, FLOOR_DIV, MOD = ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.FloorDiv(), ast.Mod()
BIT_AND = ast.BitAnd()
BIT_OR = ast.BitOr()
BIT_XOR = ast.BitXor()


def name(id: str, line: int) -> ast.expr:
    made = new(pynodes.Name)
    made.id = id
    made.lineno = line
    return made


def store(id: str, line: int) -> ast.expr:
    made = new(pynodes.StoredName)
    made.id = id
    made.lineno = line
    return made


def const(value: bool | int | float | str | None, line: int) -> ast.expr:
    made = new(pynodes.Constant)
    made.value = value
    made.lineno = line
    return made


# CPython's compiler packs the arguments of larger calls, and such a call eats C stack on 3.11.
MOST_ARGUMENTS = 30


def call(function: str | ast.expr, arguments: list[ast.expr], line: int) -> ast.expr:
    target = name(function, line) if isinstance(function, str) else function
    if len(arguments) > MOST_ARGUMENTS:
        return call(" call_many", [target, display(arguments, line)], line)
    made = new(pynodes.Call)
    made.func = target
    made.args = arguments
    made.lineno = line
    return made


def walrus(id: str, value: ast.expr, line: int) -> ast.expr:
    made = new(pynodes.NamedExpr)
    made.target = store(id, line)  # type: ignore[assignment]
    made.value = value
    made.lineno = line
    return made


def class_of(value: ast.expr, line: int) -> ast.expr:
    return attribute(value, "__class__", line)


def attribute(value: ast.expr, slot: str, line: int) -> ast.expr:
    """Read a slot of our value classes, or a method of a list of ours. `slot` is always a constant of the compiler."""
    made = new(pynodes.Attribute)
    made.value = value
    made.attr = slot
    made.lineno = line
    return made


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, line: int) -> ast.expr:
    if operator is IS or operator is IS_NOT:
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            return const((left.value is right.value) == (operator is IS), line)
        left, right = _unfolded(left), _unfolded(right)
    return chain(left, [operator], [right], line)


def _unfolded(value: ast.expr) -> ast.expr:
    """The same value, but hidden from CPython: it would put the result in the place of constant arithmetic, and then
    warn of an `is` with a literal."""
    part = value
    while isinstance(part, ast.BinOp):
        part = part.left
    if part is value or not isinstance(part, ast.Constant):
        return value
    return both(AND, [const(True, value.lineno), value], value.lineno)


def chain(left: ast.expr, operators: list[ast.cmpop], rights: list[ast.expr], line: int) -> ast.expr:
    made = new(pynodes.Compare)
    made.left = left
    made.ops = operators
    made.comparators = rights
    made.lineno = line
    return made


def is_class(value: ast.expr, class_name: str, line: int) -> ast.expr:
    return chain(class_of(value, line), [IS], [name(class_name, line)], line)


def binary(left: ast.expr, operator: ast.operator, right: ast.expr, line: int) -> ast.expr:
    made = new(pynodes.BinOp)
    made.left = left
    made.op = operator
    made.right = right
    made.lineno = line
    return made


def choose(test: ast.expr, then: ast.expr, orelse: ast.expr, line: int) -> ast.expr:
    made = new(pynodes.IfExp)
    made.test = test
    made.body = then
    made.orelse = orelse
    made.lineno = line
    return made


def both(operator: ast.boolop, values: list[ast.expr], line: int) -> ast.expr:
    if len(values) == 1:
        return values[0]
    made = new(pynodes.BoolOp)
    made.op = operator
    made.values = values
    made.lineno = line
    return made


def negate(value: ast.expr, line: int) -> ast.expr:
    return unary(NOT, value, line)


def unary(operator: ast.unaryop, value: ast.expr, line: int) -> ast.expr:
    made = new(pynodes.UnaryOp)
    made.op = operator
    made.operand = value
    made.lineno = line
    return made


def display(items: list[ast.expr], line: int) -> ast.expr:
    made = new(pynodes.List)
    made.elts = items
    made.lineno = line
    return made


def pack(items: list[ast.expr], line: int) -> ast.expr:
    made = new(pynodes.Tuple)
    made.elts = items
    made.lineno = line
    return made


def item(value: ast.expr, index: int, line: int) -> ast.expr:
    return subscript(value, const(index, line), line)


def subscript(value: ast.expr, index: ast.expr, line: int) -> ast.expr:
    made = new(pynodes.Subscript)
    made.value = value
    made.slice = index
    made.lineno = line
    return made


def assign(id: str, value: ast.expr, line: int) -> ast.stmt:
    return _assign(store(id, line), value, line)


def _assign(target: ast.expr, value: ast.expr, line: int) -> ast.stmt:
    made = new(pynodes.Assign)
    made.targets = [target]
    made.value = value
    made.lineno = line
    return made


def assign_all(ids: list[str], values: list[ast.expr], line: int) -> ast.stmt:
    """Parallel assignment."""
    if len(ids) == 1:
        return assign(ids[0], values[0], line)
    return unpack(ids, pack(values, line), line)


def unpack(ids: list[str], value: ast.expr, line: int) -> ast.stmt:
    return _assign(_stored(ids, line), value, line)


def _stored(ids: list[str], line: int) -> ast.expr:
    made = new(pynodes.StoredTuple)
    made.elts = [store(id, line) for id in ids]
    made.lineno = line
    return made


def statement(value: ast.expr, line: int) -> ast.stmt:
    made = new(pynodes.Expr)
    made.value = value
    made.lineno = line
    return made


def give(value: ast.expr, line: int) -> ast.stmt:
    made = new(pynodes.Return)
    made.value = value
    made.lineno = line
    return made


def when(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt], line: int) -> ast.stmt:
    made = new(pynodes.If)
    made.test = test
    made.body = then or [ast.Pass(lineno=line, col_offset=0)]
    made.orelse = orelse
    made.lineno = line
    return made


def forever(body: list[ast.stmt], line: int) -> ast.stmt:
    return ast.While(const(True, line), body, [], lineno=line, col_offset=0)


def leave(line: int) -> ast.stmt:
    return ast.Break(lineno=line, col_offset=0)


def again(line: int) -> ast.stmt:
    return ast.Continue(lineno=line, col_offset=0)


def _each(target: ast.expr, iterable: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], line: int) -> ast.stmt:
    made = new(pynodes.For)
    made.target = target
    made.iter = iterable
    made.body = body
    made.orelse = orelse
    made.lineno = line
    return made


def each_tick(body: list[ast.stmt], orelse: list[ast.stmt], line: int) -> ast.stmt:
    """A `for` over the machine's shared iterator of steps: each round costs one."""
    return _each(store(" _", line), name(" ticks", line), body, orelse, line)


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
    arguments = new(pynodes.Parameters)
    arguments.posonlyargs = [_parameter(one, line) for one in parameters]
    arguments.vararg = None if rest is None else _parameter(rest, line)
    arguments.defaults = defaults
    made = new(pynodes.FunctionDef)
    made.name = id
    made.args = arguments
    made.body = body
    made.lineno = line
    return made


def _parameter(id: str, line: int) -> ast.arg:
    made = new(pynodes.Parameter)
    made.arg = id
    made.lineno = line
    return made


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
    return _stored(targets, line)


def each_of(
    targets: list[str],
    iterable: ast.expr,
    body: list[ast.stmt],
    line: int,
    *,
    in_parts: bool = False,
    few: bool = False,
) -> ast.stmt:
    """for part in portions(iterable): for targets in part: body; a `break` in the body leaves both. in_parts: the
    iterable already yields portions. few: it needs none."""
    if few:
        return _each(_target(targets, line), iterable, body, [], line)
    part = targets[-1] + "_"
    each = _each(_target(targets, line), name(part, line), body, [again(line)], line)
    parts = iterable if in_parts else _portions(iterable, line)
    return _each(store(part, line), parts, [each, leave(line)], [], line)


def comprehension(
    result: ast.expr,
    targets: list[str],
    iterable: ast.expr,
    test: ast.expr | None,
    line: int,
    *,
    in_parts: bool = False,
    few: bool = False,
) -> ast.expr:
    """[result for part in portions(iterable) for targets in part if test]. in_parts: the iterable gives portions
    already. few: it needs none."""
    tests = [] if test is None else [test]
    if few:
        only = ast.comprehension(_target(targets, line), iterable, tests, 0)
        return ast.ListComp(result, [only], lineno=line, col_offset=0)
    part = targets[-1] + "_"
    parts = iterable if in_parts else _portions(iterable, line)
    portions = ast.comprehension(store(part, line), parts, [], 0)
    each = ast.comprehension(_target(targets, line), name(part, line), tests, 0)
    return ast.ListComp(result, [portions, each], lineno=line, col_offset=0)


def shown(value: ast.expr, line: int) -> ast.expr:
    """f"{value}" """
    return shown_together([value], line)


def shown_together(texts: list[ast.expr], line: int) -> ast.expr:
    """f"{text}{text}…" """
    return ast.JoinedStr([_shown(text, line) for text in texts], lineno=line, col_offset=0)


def _shown(value: ast.expr, line: int) -> ast.expr:
    if isinstance(value, ast.Constant) and value.value.__class__ is str:
        return value
    made = new(pynodes.FormattedValue)
    made.value = value
    made.lineno = line
    return made


def put(container: ast.expr, key: ast.expr, value: ast.expr, line: int) -> ast.stmt:
    """container[key] = value"""
    return _assign(ast.Subscript(container, key, STORE, lineno=line, col_offset=0), value, line)
