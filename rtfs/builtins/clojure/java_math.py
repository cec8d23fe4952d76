"""Java's `Math`: its functions of numbers, with Java's kinds of results.

Must not know `clojure.math`, which builds on it. Invariants: `abs max min round floorDiv floorMod` and the `…Exact`
functions keep ints, everything else returns a float; values that are not numbers in Java are not numbers here.
"""

from __future__ import annotations

import math

from rtfs.builtins.argument_errors import need_int, type_error
from rtfs.builtins.declare import builtin, constant
from rtfs.builtins.numbers import add2, checked, mul2, need_number, sub2, zero_divisor
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NAN = float("nan")
INFINITY = float("inf")

constant("Math/PI", math.pi, "The ratio of a circle's circumference to its diameter.")
constant("Math/E", math.e, "The base of the natural logarithm.")


def as_float(function: str, value: Any) -> float:
    """The number as a float; an int beyond all floats is an infinity, as in Java."""
    number = need_number(function, value)
    try:
        return float(number)
    except OverflowError:
        return INFINITY if number > 0 else -INFINITY


def guarded(compute: Callable[..., float], *numbers: float) -> float:
    """The result that Java computes: NaN outside of the domain, an infinity beyond the largest float."""
    try:
        return compute(*numbers)
    except ValueError:
        return NAN
    except OverflowError:
        return INFINITY


def _unary(name: str, doc: str, expression: str, printed: str, compute: Callable[[float], float]) -> None:
    full = f"Math/{name}"

    @builtin(full, f"({full} x)", doc, expression, printed)
    def function(x: Any, /) -> float:
        return guarded(compute, as_float(full, x))


def logarithm(compute: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: -INFINITY if x == 0 else compute(x)


def whole(compute: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding function as Java has it: of a float a float, which keeps the sign of a zero."""
    return lambda x: x if x != x or abs(x) >= 2**53 else math.copysign(float(compute(x)), x)


def cube_root(x: float) -> float:
    """The real cube root, exact for cubes of ints."""
    if x != x or x in (INFINITY, -INFINITY, 0.0):
        return x
    root = math.copysign(abs(x) ** (1 / 3), x)
    nearest = float(round(root))
    return nearest if nearest**3 == x else root


def rounded(function: str, x: Any) -> int:
    """The nearest int, halves up, as Java's `Math.round`; NaN is 0."""
    number = need_number(function, x)
    if number.__class__ is int:
        return number
    if number != number:
        return 0
    if number in (INFINITY, -INFINITY):
        return 2**63 - 1 if number > 0 else -(2**63)
    whole = math.floor(number)
    return int(whole + 1 if number - whole >= 0.5 else whole)


def to_even(x: float) -> float:
    """The nearest whole number as a float, halves to the even one."""
    return x if x != x or abs(x) >= 2**53 else math.copysign(float(round(x)), x)


_unary("sqrt", "The square root, a float; NaN of a negative number.", "(Math/sqrt 16)", "4.0", math.sqrt)
_unary("cbrt", "The cube root, a float.", "(Math/cbrt 27)", "3.0", cube_root)
_unary("exp", "The number e to the power of x.", "(Math/exp 0)", "1.0", math.exp)
_unary("log", "The natural logarithm.", "(Math/log 1)", "0.0", logarithm(math.log))
_unary("log10", "The logarithm to the base 10.", "(Math/log10 1000)", "3.0", logarithm(math.log10))
_unary("sin", "The sine of an angle in radians.", "(Math/sin 0)", "0.0", math.sin)
_unary("cos", "The cosine of an angle in radians.", "(Math/cos 0)", "1.0", math.cos)
_unary("tan", "The tangent of an angle in radians.", "(Math/tan 0)", "0.0", math.tan)
_unary("asin", "The angle of a sine.", "(Math/asin 0)", "0.0", math.asin)
_unary("acos", "The angle of a cosine.", "(Math/acos 1)", "0.0", math.acos)
_unary("atan", "The angle of a tangent.", "(Math/atan 0)", "0.0", math.atan)
_unary("toRadians", "Degrees as radians.", "(Math/toRadians 0)", "0.0", math.radians)
_unary("toDegrees", "Radians as degrees.", "(Math/toDegrees 0)", "0.0", math.degrees)
_unary(
    "floor",
    "The largest whole number that is not above x, as a float.",
    "(Math/floor 2.7)",
    "2.0",
    whole(math.floor),
)
_unary(
    "ceil",
    "The smallest whole number that is not below x, as a float.",
    "(Math/ceil 2.1)",
    "3.0",
    whole(math.ceil),
)
_unary("rint", "The nearest whole number as a float, halves to the even one.", "(Math/rint 2.5)", "2.0", to_even)
_unary(
    "signum",
    "-1.0, 0.0 or 1.0: the sign of x.",
    "(Math/signum -2)",
    "-1.0",
    lambda x: x if x == 0 or x != x else math.copysign(1.0, x),
)


def power(x: float, y: float) -> float:
    """Java's `pow`: no errors, NaN for a root of a negative number."""
    if y == 0:
        return 1.0
    if x != x or y != y or (abs(x) == 1 and abs(y) == INFINITY):
        return NAN
    if x == 0 and y < 0:
        return math.copysign(INFINITY, x) if y % 2 == 1 else INFINITY
    return _signed_overflow(x, y)


def _signed_overflow(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -INFINITY if x < 0 and y % 2 == 1 else INFINITY


@builtin("Math/pow", "(Math/pow x y)", "x to the power of y, a float.", "(Math/pow 2 3)", "8.0")
def pow_(x: Any, y: Any, /) -> float:
    return guarded(power, as_float("Math/pow", x), as_float("Math/pow", y))


@builtin("Math/atan2", "(Math/atan2 y x)", "The angle of the point (x, y).", "(Math/atan2 0 1)", "0.0")
def atan2(y: Any, x: Any, /) -> float:
    return math.atan2(as_float("Math/atan2", y), as_float("Math/atan2", x))


@builtin("Math/hypot", "(Math/hypot x y)", "The length of the vector (x, y).", "(Math/hypot 3 4)", "5.0")
def hypot(x: Any, y: Any, /) -> float:
    return math.hypot(as_float("Math/hypot", x), as_float("Math/hypot", y))


@builtin("Math/abs", "(Math/abs x)", "The number without its sign, of the same kind.", "(Math/abs -3)", "3")
def absolute(x: Any, /) -> int | float:
    number: int | float = abs(need_number("Math/abs", x))
    return number


@builtin("Math/round", "(Math/round x)", "The nearest int, halves up.", "(Math/round 2.5)", "3")
def round_(x: Any, /) -> int:
    return rounded("Math/round", x)


@builtin("Math/max", "(Math/max a b)", "The larger number; a float if one of them is.", "(Math/max 3 7)", "7")
def max_(a: Any, b: Any, /) -> int | float:
    return _chosen("Math/max", a, b, larger=True)


@builtin("Math/min", "(Math/min a b)", "The smaller number; a float if one of them is.", "(Math/min 3 7)", "3")
def min_(a: Any, b: Any, /) -> int | float:
    return _chosen("Math/min", a, b, larger=False)


def _chosen(name: str, a: Any, b: Any, larger: bool) -> int | float:
    need_number(name, a)
    need_number(name, b)
    if a.__class__ is not b.__class__:
        a, b = as_float(name, a), as_float(name, b)
    if a != a or b != b:
        return NAN
    chosen: int | float = (a if a >= b else b) if larger else (a if a <= b else b)
    return chosen


@builtin("Math/floorDiv", "(Math/floorDiv a b)", "The quotient, rounded down.", "(Math/floorDiv -7 2)", "-4")
def floor_div(a: Any, b: Any, /) -> int:
    return _divided("Math/floorDiv", a, b)[0]


@builtin("Math/floorMod", "(Math/floorMod a b)", "What floorDiv leaves.", "(Math/floorMod -7 2)", "1")
def floor_mod(a: Any, b: Any, /) -> int:
    return _divided("Math/floorMod", a, b)[1]


def _divided(name: str, a: Any, b: Any) -> tuple[int, int]:
    need_int(name, "the dividend", a)
    if need_int(name, "the divisor", b) == 0:
        raise zero_divisor(name)
    quotient, rest = divmod(a, b)
    return int(quotient), int(rest)


def exact(name: str, doc: str, expression: str, printed: str, operation: Callable[[Any, Any], Any]) -> None:
    """Declare an operation on two ints that stays exact."""

    @builtin(name, f"({name} a b)", doc, expression, printed)
    def function(a: Any, b: Any, /) -> Any:
        need_int(name, "a", a)
        need_int(name, "b", b)
        return operation(a, b)


exact("Math/addExact", "The sum of two ints.", "(Math/addExact 1 2)", "3", add2)
exact("Math/subtractExact", "The difference of two ints.", "(Math/subtractExact 1 2)", "-1", sub2)
exact("Math/multiplyExact", "The product of two ints.", "(Math/multiplyExact 3 2)", "6", mul2)


@builtin("Math/negateExact", "(Math/negateExact x)", "The int with the other sign.", "(Math/negateExact 3)", "-3")
def negate(x: Any, /) -> int:
    return checked(-need_int("Math/negateExact", "x", x))


@builtin("Math/toIntExact", "(Math/toIntExact x)", "The int, if 32 bits hold it.", "(Math/toIntExact 3)", "3")
def to_int_exact(x: Any, /) -> int:
    if x.__class__ is not int:
        raise type_error("Math/toIntExact", "x", "an integer", x)
    if not -(2**31) <= x < 2**31:
        raise EvalError("arithmetic/overflow", "(Math/toIntExact …): 32 bits do not hold the integer")
    return x
