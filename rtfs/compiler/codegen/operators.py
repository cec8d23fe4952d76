"""Standard operators, inlined: the fast path of each is Python's own operator behind the cheapest guard there is.

Knows nothing of statements. Invariant: operands that fail the guard go to the function of rtfs.builtins, which decides
and words the error, so an inlined operator behaves exactly like the function. Each inliner gets the emitter, the
operands as (expression, kinds, binding or None), and the line; it returns (expression, kinds).
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis.inlined import OPERATORS
from rtfs.compiler.analysis.kinds import BOOL, FLOAT, INT, KIND_OF_CLASS, NUMBER, STRING, Kinds, arithmetic
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import once
from rtfs.compiler.codegen.primitives import is_plain_key, is_surely_plain, map_lookup
from rtfs.compiler.codegen.vector_keys import lookup_key
from rtfs.values import Map, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.analysis.nodes import Binding
    from rtfs.compiler.codegen.emitter import Emitter

    Operand = tuple[ast.expr, Kinds, Binding | None]
    Result = tuple[ast.expr, Kinds]
    Inliner = Callable[[Emitter, list[Operand], int], Result]

# Products of ints beyond this go through mul2, which caps their size: a big integer costs no steps.
PRODUCT_BOUND = 1 << 4096


def inline(name: str, *counts: int) -> Callable[[Inliner], Inliner]:
    def declare(inliner: Inliner) -> Inliner:
        for count in counts:
            OPERATORS[name, count] = inliner
        return inliner

    return declare


def is_number(kinds: Kinds) -> bool:
    return kinds is not None and kinds <= NUMBER


def _guarded_binary(
    e: Emitter,
    operands: list[Operand],
    line: int,
    fast: Callable[[ast.expr, ast.expr], ast.expr],
    slow: str,
    kinds: Kinds,
    floats: Callable[[ast.expr, ast.expr], ast.expr] | None = None,
) -> Result:
    """`fast` if both operands are ints or both floats, else the function `slow`. floats: what is faster for those."""
    (left, left_kinds, left_binding), (right, right_kinds, right_binding) = operands
    left_known, right_known = is_number(left_kinds), is_number(right_kinds)
    if left_known and right_known:
        return fast(left, right), kinds
    if e.plain:
        return py.call(slow, [left, right], line), kinds
    likely, other = (" float", " int") if FLOAT in (left_kinds, right_kinds) else (" int", " float")
    first_left, left = once(e, left, line)
    first_right, right = once(e, right, line)
    slow_call = py.call(slow, [left, right], line)
    known_is_stable = (left_known and first_left is left) or (right_known and first_right is right)
    if known_is_stable:
        # only the other one needs a guard, and its first use may be in it
        first, again = (first_right, right) if left_known else (first_left, left)
        test = py.is_class(first, likely, line)
        retry = py.is_class(again, other, line)
    else:
        # a.__class__ is b.__class__ is int: evaluates both operands, in order, whatever the answer
        operators: list[ast.cmpop] = [py.IS, py.IS]
        test = py.chain(
            py.class_of(first_left, line), operators, [py.class_of(first_right, line), py.name(likely, line)], line
        )
        retry = py.chain(py.class_of(left, line), operators, [py.class_of(right, line), py.name(other, line)], line)
    for binding in (left_binding, right_binding):
        if binding is not None:
            e.refine(binding, NUMBER)
    if floats is None:
        return py.choose(py.both(py.OR, [test, retry], line), fast(left, right), slow_call, line), kinds
    first_try, second_try = (fast, floats) if likely == " int" else (floats, fast)
    slower = py.choose(retry, second_try(left, right), slow_call, line)
    return py.choose(test, first_try(left, right), slower, line), kinds


def _arithmetic(symbol: str, operator: ast.operator, slow: str) -> None:
    @inline(symbol, 2)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        kinds = arithmetic(operands[0][1], operands[1][1])
        return _guarded_binary(e, operands, line, lambda a, b: py.binary(a, operator, b, line), slow, kinds)


_arithmetic("+", py.ADD, " add2")
_arithmetic("-", py.SUB, " sub2")


@inline("*", 2)
def _multiply(e: Emitter, operands: list[Operand], line: int) -> Result:
    kinds = arithmetic(operands[0][1], operands[1][1])
    small = [isinstance(one[0], ast.Constant) and _is_small(one[0].value) for one in operands]
    short = all(known or (one[2] is not None and one[2].short) for known, one in zip(small, operands, strict=True))

    def fast(left: ast.expr, right: ast.expr) -> ast.expr:
        if kinds == FLOAT or short:
            return floats(left, right)
        if any(small):
            return _by_constant(e, left, right, small[0], line)
        product = floats(left, right)
        first, again = once(e, product, line)
        tests: list[ast.expr] = []
        if all(is_number(held) for _, held, _ in operands) and kinds != INT:
            # comparing a float with a bound of ints takes longer than all the rest
            tests.append(py.is_class(first, " float", line))
            first = again
        tests.append(py.chain(py.name(" -bound", line), [py.LT, py.LT], [first, py.name(" bound", line)], line))
        return py.choose(py.both(py.OR, tests, line), again, py.call(" bounded", [again], line), line)

    def floats(left: ast.expr, right: ast.expr) -> ast.expr:
        return py.binary(left, py.MULT, right, line)

    return _guarded_binary(e, operands, line, fast, " mul2", kinds, floats)


def _by_constant(e: Emitter, left: ast.expr, right: ast.expr, first_is_constant: bool, line: int) -> ast.expr:
    """The product of a value and a small constant: nothing can become too large of what CPython compares fastest."""
    factor = right if first_is_constant else left
    first, again = once(e, factor, line)
    left, right = (left, again) if first_is_constant else (again, right)
    below = py.compare(first, py.LT, py.const(SHORT_INT, line), line)
    above = py.compare(again, py.GT, py.const(-SHORT_INT, line), line)
    # not a chain, whose first comparison CPython 3.11 does not speed up
    test = py.both(py.AND, [below, above], line)
    return py.choose(test, py.binary(left, py.MULT, right, line), py.call(" times", [left, right], line), line)


def _bounded(value: ast.expr, line: int) -> ast.expr:
    """Whether an int is so short that dividing by it takes no time to speak of, whatever is divided. What CPython
    compares fastest: from 0 to 2^30."""
    return py.chain(py.const(0, line), [py.LT, py.LT], [value, py.const(SHORT_INT, line)], line)


def _is_small(value: object) -> bool:
    return value.__class__ is int and -(1 << 31) < value < 1 << 31


@inline("/", 2)
def _divide(e: Emitter, operands: list[Operand], line: int) -> Result:
    (left, left_kinds, _), (right, right_kinds, _) = operands
    if is_number(left_kinds) and is_number(right_kinds) and FLOAT in (left_kinds, right_kinds):
        return py.binary(left, py.DIV, right, line), FLOAT
    for _, _, binding in operands:
        if binding is not None:
            e.refine(binding, NUMBER)
    if INT in (left_kinds, right_kinds):
        return py.call(" div2", [left, right], line), NUMBER
    first_left, left = once(e, left, line)
    first_right, right = once(e, right, line)
    floats = [py.class_of(first_right, line), py.name(" float", line)]
    test = py.chain(py.class_of(first_left, line), [py.IS, py.IS], floats, line)
    test = py.both(py.AND, [test, right], line)  # by zero the function divides
    slow = py.call(" div2", [left, right], line)
    return py.choose(test, py.binary(left, py.DIV, right, line), slow, line), NUMBER


def _are_both(kind: str, left: ast.expr, right: ast.expr, line: int) -> ast.expr:
    """The test whether two values are of one class. kind: its name in generated code."""
    classes = [py.class_of(right, line), py.name(kind, line)]
    return py.chain(py.class_of(left, line), [py.IS, py.IS], classes, line)


@inline("mod", 2)
def _modulo(e: Emitter, operands: list[Operand], line: int) -> Result:
    kinds = arithmetic(operands[0][1], operands[1][1])
    if FLOAT in (operands[0][1], operands[1][1]):
        return py.call(" mod2", [operands[0][0], operands[1][0]], line), kinds
    # floats go to the function: Python's % and ours differ for infinities
    (left, left_kinds, left_binding), (right, right_kinds, right_binding) = operands
    small = isinstance(right, ast.Constant) and _is_small(right.value)
    if left_kinds == INT and right_kinds == INT and (small or isinstance(left, (ast.Name, ast.Constant))):
        remainder = py.binary(left, py.MOD, right, line)
        if small:
            return remainder, INT
        first, right = once(e, right, line)
        remainder = py.binary(left, py.MOD, right, line)
        return py.choose(_bounded(first, line), remainder, py.call(" mod2", [left, right], line), line), INT
    first_left, left = once(e, left, line)
    first_right, right = once(e, right, line)
    test = _are_both(" int", first_left, first_right, line)
    if not small:
        test = py.both(py.AND, [test, _bounded(right, line)], line)
    for binding in (left_binding, right_binding):
        if binding is not None:
            e.refine(binding, NUMBER)
    return py.choose(test, py.binary(left, py.MOD, right, line), py.call(" mod2", [left, right], line), line), kinds


def _truncating(symbol: str, operator: ast.operator) -> None:
    """`quot` and `rem` of ints of which none is negative, by a short one: Python's own, which rounds down."""

    @inline(symbol, 2)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        (left, left_kinds, _), (right, right_kinds, _) = operands
        slow = f" {symbol}/2"
        kinds = INT if left_kinds == INT and right_kinds == INT else NUMBER
        constant = isinstance(right, ast.Constant)
        if constant and not (_is_small(right.value) and right.value > 0):  # type: ignore[attr-defined]
            return py.call(slow, [left, right], line), kinds
        first_left, left = once(e, left, line)
        first_right, right = once(e, right, line)
        test = _are_both(" int", first_left, first_right, line)
        positive = py.compare(left, py.GT_E, py.const(0, line), line)
        tests = [test, positive] if constant else [test, positive, _bounded(right, line)]
        fast = py.binary(left, operator, right, line)
        return py.choose(py.both(py.AND, tests, line), fast, py.call(slow, [left, right], line), line), kinds


_truncating("quot", py.FLOOR_DIV)
_truncating("rem", py.MOD)


def _of_bits(symbol: str, operator: ast.operator) -> None:
    """`bit-and` and its kin, of two ints: Python's own."""

    @inline(symbol, 2)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        (left, _, _), (right, _, _) = operands
        if e.plain:
            return py.call(symbol, [left, right], line), INT
        first_left, left = once(e, left, line)
        first_right, right = once(e, right, line)
        test = _are_both(" int", first_left, first_right, line)
        slow = py.call(symbol, [left, right], line)
        return py.choose(test, py.binary(left, operator, right, line), slow, line), INT


_of_bits("bit-and", py.BIT_AND)
_of_bits("bit-or", py.BIT_OR)
_of_bits("bit-xor", py.BIT_XOR)


@inline("inc", 1)
def _increment(e: Emitter, operands: list[Operand], line: int) -> Result:
    return _by_one(e, operands, py.ADD, " inc_slow", line)


@inline("dec", 1)
def _decrement(e: Emitter, operands: list[Operand], line: int) -> Result:
    return _by_one(e, operands, py.SUB, " dec_slow", line)


def _by_one(e: Emitter, operands: list[Operand], operator: ast.operator, slow: str, line: int) -> Result:
    kinds = arithmetic(operands[0][1], INT)
    one: Operand = (py.const(1, line), INT, None)
    return _guarded_binary(e, [operands[0], one], line, lambda a, b: py.binary(a, operator, b, line), slow, kinds)


def _comparison(symbol: str, operator: ast.cmpop, slow: str) -> None:
    @inline(symbol, 2)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        (left, left_kinds, _), (right, right_kinds, _) = operands
        if left_kinds == STRING and right_kinds == STRING:
            return py.compare(left, operator, right, line), BOOL
        if not (is_number(left_kinds) or is_number(right_kinds)):
            # strings compare too, so passing proves nothing about the operands
            operands = [(left, left_kinds, None), (right, right_kinds, None)]
        if STRING in (left_kinds, right_kinds):
            return py.call(slow, [left, right], line), BOOL
        return _guarded_binary(e, operands, line, lambda a, b: py.compare(a, operator, b, line), slow, BOOL)


_comparison("<", py.LT, " lt2")
_comparison(">", py.GT, " gt2")
_comparison("<=", py.LT_E, " le2")
_comparison(">=", py.GT_E, " ge2")


@inline("=", 2)
def equal(e: Emitter, operands: list[Operand], line: int) -> Result:
    (left, left_kinds, _), (right, right_kinds, _) = operands
    if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
        return _equals_constant(e, right, right_kinds, left, line), BOOL
    if isinstance(right, ast.Constant):
        return _equals_constant(e, left, left_kinds, right, line), BOOL
    if left_kinds is not None and left_kinds == right_kinds and len(left_kinds) == 1 and left_kinds <= NUMBER | STRING:
        return py.compare(left, py.EQ, right, line), BOOL
    if is_keyword(left) or is_keyword(right):
        return py.compare(left, py.IS, right, line), BOOL
    if e.plain:
        return py.call(" eq2", [left, right], line), BOOL
    first_left, left = once(e, left, line)
    first_right, right = once(e, right, line)
    test = _are_both(" int", first_left, first_right, line)
    texts = _are_both(" str", left, right, line)
    otherwise = py.choose(texts, py.compare(left, py.EQ, right, line), py.call(" eq2", [left, right], line), line)
    return py.choose(test, py.compare(left, py.EQ, right, line), otherwise, line), BOOL


def is_keyword(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id[0] == ":"


def _equals_constant(e: Emitter, value: ast.expr, kinds: Kinds, constant: ast.Constant, line: int) -> ast.expr:
    wanted = constant.value
    if wanted is None or wanted is True or wanted is False:
        return py.compare(value, py.IS, constant, line)
    if wanted.__class__ is str:  # to Python too, no value of another kind is equal to it
        return py.compare(value, py.EQ, constant, line)
    class_name = " int" if wanted.__class__ is int else " float"
    if kinds is not None and kinds == frozenset((class_name.strip(),)):
        return py.compare(value, py.EQ, constant, line)
    first, again = once(e, value, line)
    return py.both(py.AND, [py.is_class(first, class_name, line), py.compare(again, py.EQ, constant, line)], line)


@inline("not=", 2)
@inline("!=", 2)
def _not_equal(e: Emitter, operands: list[Operand], line: int) -> Result:
    return py.negate(equal(e, operands, line)[0], line), BOOL


@inline("not", 1)
def _not(e: Emitter, operands: list[Operand], line: int) -> Result:
    return py.negate(e.truth(operands[0][0], operands[0][1], line), line), BOOL


@inline("nil?", 1)
def _is_nil(e: Emitter, operands: list[Operand], line: int) -> Result:
    return py.compare(operands[0][0], py.IS, py.const(None, line), line), BOOL


@inline("some?", 1)
def _is_some(e: Emitter, operands: list[Operand], line: int) -> Result:
    return py.compare(operands[0][0], py.IS_NOT, py.const(None, line), line), BOOL


def _class_test(symbol: str, *classes: str) -> None:
    @inline(symbol, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        first, again = once(e, operands[0][0], line)
        tests = [py.is_class(first if not place else again, one, line) for place, one in enumerate(classes)]
        return py.both(py.OR, tests, line), BOOL


_class_test("vector?", " Vector")
_class_test("map?", " Map")
_class_test("set?", " Set")
_class_test("string?", " str")
_class_test("keyword?", " Keyword")
_class_test("int?", " int")
_class_test("integer?", " int")
_class_test("float?", " float")
_class_test("number?", " int", " float")


def _against_zero(symbol: str, operator: ast.cmpop) -> None:
    @inline(symbol, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        value, kinds, binding = operands[0]
        zero = py.const(0, line)
        if is_number(kinds):
            return py.compare(value, operator, zero, line), BOOL
        first, again = once(e, value, line)
        if binding is not None:
            e.refine(binding, NUMBER)
        fast = py.compare(again, operator, zero, line)
        return py.choose(py.is_class(first, " int", line), fast, py.call(symbol, [again], line), line), BOOL


_against_zero("zero?", py.EQ)
_against_zero("pos?", py.GT)
_against_zero("neg?", py.LT)


def _parity(symbol: str, remainder: int) -> None:
    @inline(symbol, 1)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        value, kinds, _ = operands[0]
        first, again = once(e, value, line)

        def fast(one: ast.expr) -> ast.expr:
            rest = py.binary(one, py.MOD, py.const(2, line), line)
            return py.compare(rest, py.EQ, py.const(remainder, line), line)

        if kinds == INT:
            return fast(value), BOOL
        return py.choose(py.is_class(first, " int", line), fast(again), py.call(symbol, [again], line), line), BOOL


_parity("even?", 0)
_parity("odd?", 1)


# Ints up to here CPython compares and prints without a detour; longer ones go to the function, which also prints what
# Python refuses to.
SHORT_INT = (1 << 30) - 1


FEW_TEXTS = 4
"""Texts that are put together without a call, at most."""
FREE_TEXT = 4096
"""Characters of a text that is made at no charge."""


@inline("str", 2, 3, 4, 5, 6, 7, 8)
def _concatenate(e: Emitter, operands: list[Operand], line: int) -> Result:
    parts = [_str(e, [operand], line)[0] for operand in operands]
    if len(parts) > FEW_TEXTS or e.plain:
        return py.call(" concatenated", [py.display(parts, line)], line), STRING
    size: ast.expr | None = None
    left = FREE_TEXT
    again: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant):
            left -= len(part.value)  # type: ignore[arg-type]
            again.append(part)
            continue
        first, part = once(e, part, line)
        again.append(part)
        length = py.call(" len", [first], line)
        size = length if size is None else py.binary(size, py.ADD, length, line)
    if size is None:
        return py.call(" concatenated", [py.display(parts, line)], line), STRING
    free = py.compare(size, py.LT_E, py.const(left, line), line)
    return py.choose(
        free, py.shown_together(again, line), py.call(" concatenated", [py.display(again, line)], line), line
    ), STRING


@inline("str", 1)
def _str(e: Emitter, operands: list[Operand], line: int) -> Result:
    value, kinds, _ = operands[0]
    if kinds == STRING:
        return value, STRING
    if e.plain:
        return py.call(" str1", [value], line), STRING
    first, again = once(e, value, line)
    slow = py.call(" str1", [again], line)
    if kinds is not None and "int" not in kinds:
        return py.choose(py.is_class(first, " str", line), again, slow, line), STRING
    above, below = py.const(-SHORT_INT, line), py.const(SHORT_INT, line)
    short = py.chain(above, [py.LT, py.LT], [first if kinds == INT else again, below], line)
    if kinds == INT:
        return py.choose(short, py.shown(again, line), slow, line), STRING
    may_be_text = kinds is None or kinds >= STRING
    test = py.both(py.AND, [py.is_class(again if may_be_text else first, " int", line), short], line)
    number = py.choose(test, py.shown(again, line), slow, line)
    if may_be_text:
        number = py.choose(py.is_class(first, " str", line), again, number, line)
    return number, STRING


@inline("get", 2, 3)
def _get(e: Emitter, operands: list[Operand], line: int) -> Result:
    return look_up(e, operands, "get", line), None


def look_up(e: Emitter, operands: list[Operand], slow: str, line: int) -> ast.expr:
    """The value of a key: of a map with a dict of its own straight from that, else by the function `slow`."""
    (collection, held_kinds, _), (key, key_kinds, _), *rest = operands
    default = [value for value, _, _ in rest]
    found = None if e.plain else _look_vector_up(e, collection, key, default, slow, line)
    if found is not None:
        return found
    if e.plain or not all(isinstance(one, (ast.Name, ast.Constant)) for one in (key, *default)):
        return py.call(slow, [value for value, _, _ in operands], line)
    if is_surely_plain(key, key_kinds):
        is_map = held_kinds == KIND_OF_CLASS[Map]
        return map_lookup(e, collection, key, default, slow, [], line, is_map=is_map)
    return map_lookup(e, collection, key, default, slow, [], line, is_plain=False)


def _look_vector_up(
    e: Emitter, collection: ast.expr, key: ast.expr, default: list[ast.expr], slow: str, line: int
) -> ast.expr | None:
    """`look_up` of a vector that is spelled out; None for other keys."""
    if not all(isinstance(one, (ast.Name, ast.Constant)) for one in default):
        return None
    keys = lookup_key(e, key, line, after=collection)
    if keys is None:
        return None
    tests, fast, vector = keys
    first, collection = once(e, collection, line)
    held = e.names.temporary()
    own = py.walrus(held, py.attribute(collection, "_d", line), line)
    is_map = [py.is_class(first, " Map", line), py.compare(own, py.IS_NOT, py.const(None, line), line)]
    found = py.call(py.attribute(py.name(held, line), "get", line), [fast, *default], line)
    tests = [*tests, *is_map] if first is collection else [*is_map, *tests]
    return py.choose(py.both(py.AND, tests, line), found, py.call(slow, [collection, vector, *default], line), line)


@inline("contains?", 2)
def _contains(e: Emitter, operands: list[Operand], line: int) -> Result:
    (collection, held_kinds, _), (key, key_kinds, _) = operands
    slow = " contains?/2"
    keys = None if e.plain else lookup_key(e, key, line, after=collection)
    if e.plain or (keys is None and not isinstance(key, (ast.Name, ast.Constant))):
        return py.call(slow, [collection, key], line), BOOL
    first, collection = once(e, collection, line)
    held, entries = e.names.temporary(), e.names.temporary()

    def in_own(owner: ast.expr) -> ast.expr:
        """Whether there is a dict of the collection's own, which is held."""
        own = py.walrus(entries, py.attribute(owner, "_d", line), line)
        return py.compare(own, py.IS_NOT, py.const(None, line), line)

    kind = py.walrus(held, py.class_of(first, line), line)
    is_map = py.compare(kind, py.IS, py.name(" Map", line), line)
    is_set = py.compare(py.name(held, line), py.IS, py.name(" Set", line), line)
    if held_kinds == KIND_OF_CLASS[Set]:
        dictionary = in_own(py.attribute(first, "_map", line))
    elif held_kinds == KIND_OF_CLASS[Map]:
        dictionary = in_own(first)
    else:
        dictionary = py.both(
            py.OR,
            [
                py.both(py.AND, [is_map, in_own(collection)], line),
                py.both(py.AND, [is_set, in_own(py.attribute(collection, "_map", line))], line),
            ],
            line,
        )
    looked_for = key
    if keys is not None:
        tests, looked_for, key = keys
        tests = [*tests, dictionary] if first is collection else [dictionary, *tests]
        dictionary = py.both(py.AND, tests, line)
    elif not is_surely_plain(key, key_kinds):
        dictionary = py.both(py.AND, [dictionary, is_plain_key(e, key, line)], line)
    fast = py.compare(looked_for, py.IN, py.name(entries, line), line)
    return py.choose(dictionary, fast, py.call(slow, [collection, key], line), line), BOOL


@inline("abs", 1)
def _absolute(e: Emitter, operands: list[Operand], line: int) -> Result:
    value, kinds, binding = operands[0]
    first, again = once(e, value, line)
    test = py.is_class(first, " int", line)
    if binding is not None:
        e.refine(binding, NUMBER)
    below = py.compare(again, py.LT, py.const(0, line), line)
    fast = py.choose(below, py.unary(py.NEGATIVE, again, line), again, line)
    found = py.choose(test, fast, py.call(" abs/1", [again], line), line)
    return found, arithmetic(kinds, INT) if is_number(kinds) else NUMBER


def _chain_of_three(symbol: str, operator: ast.cmpop) -> None:
    """`(< a b c)`, of ints: Python's own chain. Whatever the first two say, the third is evaluated, and looked at."""

    @inline(symbol, 3)
    def inliner(e: Emitter, operands: list[Operand], line: int) -> Result:
        held = [once(e, value, line) for value, _, _ in operands]
        again = [value for _, value in held]
        tests: ast.expr | None = None
        for (first, value), (_, kinds, _) in zip(held, operands, strict=True):
            if first is value and kinds == INT:
                continue
            test = py.is_class(first, " int", line)
            tests = test if tests is None else py.binary(tests, py.BIT_AND, test, line)
        fast = py.chain(again[0], [operator, operator], again[1:], line)
        if tests is None:
            return fast, BOOL
        return py.choose(tests, fast, py.call(symbol, again, line), line), BOOL


_chain_of_three("<", py.LT)
_chain_of_three(">", py.GT)
_chain_of_three("<=", py.LT_E)
_chain_of_three(">=", py.GT_E)
_chain_of_three("=", py.EQ)


# n-ary forms of these fold to the left, as the functions do
FOLDED = frozenset(("+", "*", "-"))
