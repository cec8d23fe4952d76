"""Functions on one number, and numbers from text: `sqrt pow factorial floor ceil round even? … int float parse-int`.

Must not know the four operations' callers in compiled code. Invariants: `floor ceil round int` return ints, so
infinities and NaN are `arithmetic/not-finite`; ints stay below the size cap, which is checked before computing.
"""

from __future__ import annotations

from math import factorial, lgamma, sqrt

from rtfs.builtins.argument_errors import argument_error, need_int, need_string, shown, type_error
from rtfs.builtins.declare import builtin
from rtfs.builtins.deferred import number_text
from rtfs.builtins.numbers import (
    LONG_PRODUCT,
    MAX_BITS,
    charge_product,
    checked,
    long_product,
    need_number,
    overflow,
    too_large,
    zero_divisor,
)
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOG_2 = 0.6931471805599453


@builtin("sqrt", "(sqrt number)", "The square root, a float.", "(sqrt 9)", "3.0")
def square_root(number: Any, /) -> float:
    if need_number("sqrt", number) < 0:
        raise argument_error("sqrt", f"has no value for a negative number, got {shown(number)}")
    try:
        return sqrt(number)
    except OverflowError:
        raise overflow("sqrt") from None


@builtin(
    "pow",
    "(pow base exponent)",
    "base to the power of exponent: of ints an int unless the exponent is negative.",
    "(pow 2 10)",
    "1024",
    "(pow 2 -1)",
    "0.5",
)
def power(base: Any, exponent: Any, /) -> Any:
    need_number("pow", base)
    need_number("pow", exponent)
    if base.__class__ is int and exponent.__class__ is int and exponent >= 0:
        bits = max(base.bit_length() - 1, 0) * exponent
        if bits > MAX_BITS:
            raise too_large()
        charge_product(bits)
        return checked(_power(base, exponent, bits))
    try:
        a = float(base)
        b = float(exponent)
    except OverflowError:
        raise overflow("pow") from None
    if a < 0 and b - b == 0 and b % 1:
        raise argument_error("pow", f"has no value for a negative base with a fractional exponent, got {shown(base)}")
    try:
        return a**b
    except ZeroDivisionError:
        raise zero_divisor("pow") from None
    except OverflowError:
        return float("-inf") if a < 0 and b % 2 else float("inf")


def _power(base: int, exponent: int, bits: int) -> int:
    """`base ** exponent`, with looks at the clock in between. bits: of the result, about."""
    if bits <= LONG_PRODUCT:
        return int(base**exponent)
    root = _power(base, exponent >> 1, bits >> 1)
    square = long_product(root, root)
    return long_product(square, base) if exponent & 1 else square


@builtin("factorial", "(factorial n)", "The product of the integers from 1 to n.", "(factorial 5)", "120")
def factorial_of(n: Any, /) -> int:
    if need_int("factorial", "n", n) < 0:
        raise argument_error("factorial", f"takes an integer from 0, got {shown(n)}")
    if n > MAX_BITS or lgamma(n + 1) / LOG_2 > MAX_BITS:
        raise too_large()
    charge_product(int(lgamma(n + 1) / LOG_2))
    return factorial(n)


def not_finite(function: str, value: Any) -> EvalError:
    """`arithmetic/not-finite`: an infinity or NaN has no integer near it."""
    return EvalError("arithmetic/not-finite", f"({function} …) returns an integer, and {shown(value)} has none")


def finite(function: str, number: Any) -> Any:
    """`number`, if it is an int or a finite float; else TypeMismatch or `arithmetic/not-finite`."""
    if number.__class__ is float:
        if number - number == 0:
            return number
        raise not_finite(function, number)
    return need_number(function, number)


@builtin("floor", "(floor number)", "The largest integer that is not above the number.", "(floor -1.2)", "-2")
def floor(number: Any, /) -> int:
    result: int = finite("floor", number).__floor__()
    return result


@builtin("ceil", "(ceil number)", "The smallest integer that is not below the number.", "(ceil 1.2)", "2")
def ceil(number: Any, /) -> int:
    result: int = finite("ceil", number).__ceil__()
    return result


@builtin(
    "round", "(round number)", "The nearest integer, halves away from zero.", "(round 2.5)", "3", "(round -2.5)", "-3"
)
def round_away(number: Any, /) -> int:
    if finite("round", number).__class__ is int:
        return number  # type: ignore[no-any-return]
    magnitude = abs(number)
    nearest: int = magnitude.__floor__()
    if magnitude - nearest >= 0.5:
        nearest += 1
    return -nearest if number < 0 else nearest


@builtin("even?", "(even? n)", "Is the integer a multiple of two?", "(even? 4)", "true")
def is_even(n: Any, /) -> bool:
    return not need_int("even?", "n", n) & 1


@builtin("odd?", "(odd? n)", "Is the integer no multiple of two?", "(odd? -3)", "true")
def is_odd(n: Any, /) -> bool:
    return bool(need_int("odd?", "n", n) & 1)


@builtin("zero?", "(zero? number)", "Is the number zero?", "(zero? 0.0)", "true")
def is_zero(number: Any, /) -> bool:
    return bool(need_number("zero?", number) == 0)


@builtin("pos?", "(pos? number)", "Is the number above zero?", "(pos? 0)", "false")
def is_positive(number: Any, /) -> bool:
    return bool(need_number("pos?", number) > 0)


@builtin("neg?", "(neg? number)", "Is the number below zero?", "(neg? -0.5)", "true")
def is_negative(number: Any, /) -> bool:
    return bool(need_number("neg?", number) < 0)


def _number_from(function: str, value: Any) -> Any:
    if value.__class__ is str:
        number = number_text.read_number(value)
        if number is None:
            raise argument_error(function, f"needs text that reads as a number, got {shown(value)}")
        return number
    if value.__class__ is int or value.__class__ is float:
        return value
    raise type_error(function, "its argument", "a number or a string", value)


@builtin(
    "int",
    "(int value)",
    "The number without its fraction as an integer; of a text the number that it reads as, of a letter its code.",
    "(int -2.9)",
    "-2",
    '(int "42")',
    "42",
    '(int "a")',
    "97",
)
def to_int(value: Any, /) -> int:
    kind = value.__class__
    if kind is int:
        return value  # type: ignore[no-any-return]
    if kind is float and value - value == 0:
        return int(value)
    if kind is str and len(value) == 1 and not value.isdigit():
        return ord(value)
    return int(finite("int", _number_from("int", value)))


@builtin(
    "float",
    "(float value)",
    "The number as a float; a string must read as a number.",
    "(float 42)",
    "42.0",
    '(float "1.5")',
    "1.5",
)
def to_float(value: Any, /) -> float:
    try:
        return float(_number_from("float", value))
    except OverflowError:
        raise overflow("float") from None


@builtin(
    "parse-int",
    "(parse-int text)",
    "The integer that the trimmed decimal text denotes, or nil.",
    '(parse-int " 42 ")',
    "42",
    '(parse-int "4x")',
    "nil",
)
def parse_int(text: Any, /) -> int | None:
    if text.__class__ is str and len(text) < 19 and text.isascii() and text.isdigit():
        return int(text)
    return number_text.read_int(need_string("parse-int", "text", text))


@builtin(
    "parse-float",
    "(parse-float text)",
    "The float that the trimmed text denotes, or nil.",
    '(parse-float "-1.5e2")',
    "-150.0",
    '(parse-float "x")',
    "nil",
)
def parse_float(text: Any, /) -> float | None:
    return number_text.read_float(need_string("parse-float", "text", text))
