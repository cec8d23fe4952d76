"""clojure.math: the functions of Clojure's namespace, on floats as Java's `Math` computes them.

Must not know how Java's spellings are declared. Invariant: everything returns a float except `round`, `floor-div`,
`floor-mod`, `get-exponent` and the `…-exact` functions, which return ints; values that are not numbers in Java are not
numbers here.
"""

from __future__ import annotations

import math

from rtfs.builtins.argument_errors import need_int
from rtfs.builtins.clojure.java_math import (
    INFINITY,
    NAN,
    as_float,
    cube_root,
    exact,
    guarded,
    logarithm,
    power,
    rounded,
    to_even,
    whole,
)
from rtfs.builtins.declare import builtin, constant
from rtfs.builtins.numbers import add2, checked, mul2, sub2, zero_divisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

constant("clojure.math/PI", math.pi, "The ratio of a circle's circumference to its diameter.")
constant("clojure.math/E", math.e, "The base of the natural logarithm.")


def _unary(name: str, doc: str, expression: str, printed: str, compute: Callable[[float], float]) -> None:
    full = f"clojure.math/{name}"

    @builtin(full, f"({full} x)", doc, expression, printed)
    def function(x: Any, /) -> float:
        return guarded(compute, as_float(full, x))


def _binary(name: str, doc: str, expression: str, printed: str, compute: Callable[[float, float], float]) -> None:
    full = f"clojure.math/{name}"

    @builtin(full, f"({full} x y)", doc, expression, printed)
    def function(x: Any, y: Any, /) -> float:
        return guarded(compute, as_float(full, x), as_float(full, y))


def _sign(x: float) -> float:
    return x if x == 0 or x != x else math.copysign(1.0, x)


def _remainder(x: float, y: float) -> float:
    return NAN if x in (INFINITY, -INFINITY) or y == 0 else math.remainder(x, y)


_unary("sqrt", "The square root; NaN of a negative number.", "(math/sqrt 16)", "4.0", math.sqrt)
_unary("cbrt", "The cube root.", "(math/cbrt 27)", "3.0", cube_root)
_unary("exp", "The number e to the power of x.", "(math/exp 0)", "1.0", math.exp)
_unary("expm1", "e to the power of x, minus 1, exact near zero.", "(math/expm1 0)", "0.0", math.expm1)
_unary("log", "The natural logarithm.", "(math/log 1)", "0.0", logarithm(math.log))
_unary("log10", "The logarithm to the base 10.", "(math/log10 1000)", "3.0", logarithm(math.log10))
_unary("log1p", "The natural logarithm of x + 1, exact near zero.", "(math/log1p 0)", "0.0",
       lambda x: -INFINITY if x == -1 else math.log1p(x))  # fmt: skip
_unary("sin", "The sine of an angle in radians.", "(math/sin 0)", "0.0", math.sin)
_unary("cos", "The cosine of an angle in radians.", "(math/cos 0)", "1.0", math.cos)
_unary("tan", "The tangent of an angle in radians.", "(math/tan 0)", "0.0", math.tan)
_unary("asin", "The angle of a sine.", "(math/asin 0)", "0.0", math.asin)
_unary("acos", "The angle of a cosine.", "(math/acos 1)", "0.0", math.acos)
_unary("atan", "The angle of a tangent.", "(math/atan 0)", "0.0", math.atan)
_unary("sinh", "The hyperbolic sine.", "(math/sinh 0)", "0.0", math.sinh)
_unary("cosh", "The hyperbolic cosine.", "(math/cosh 0)", "1.0", math.cosh)
_unary("tanh", "The hyperbolic tangent.", "(math/tanh 0)", "0.0", math.tanh)
_unary("to-radians", "Degrees as radians.", "(math/to-radians 0)", "0.0", math.radians)
_unary("to-degrees", "Radians as degrees.", "(math/to-degrees 0)", "0.0", math.degrees)
_unary("floor", "The largest whole number that is not above x.", "(math/floor 2.7)", "2.0", whole(math.floor))
_unary("ceil", "The smallest whole number that is not below x.", "(math/ceil 2.1)", "3.0", whole(math.ceil))
_unary("rint", "The nearest whole number, halves to the even one.", "(math/rint 2.5)", "2.0", to_even)
_unary("signum", "-1.0, 0.0 or 1.0: the sign of x.", "(math/signum -2)", "-1.0", _sign)
_unary("ulp", "The distance to the next float.", "(math/ulp 1.0)", "2.220446049250313e-16", math.ulp)
_unary("next-up", "The next float above x.", "(math/next-up 0.0)", "5e-324", lambda x: math.nextafter(x, INFINITY))
_unary(
    "next-down", "The next float below x.", "(math/next-down 0.0)", "-5e-324", lambda x: math.nextafter(x, -INFINITY)
)
_binary("pow", "x to the power of y.", "(math/pow 2 3)", "8.0", power)
_binary("atan2", "The angle of the point (y, x).", "(math/atan2 0 1)", "0.0", math.atan2)
_binary("hypot", "The length of the vector (x, y).", "(math/hypot 3 4)", "5.0", math.hypot)
_binary("IEEE-remainder", "What the nearest multiple of y leaves of x.", "(math/IEEE-remainder 5 4)", "1.0", _remainder)
_binary("copy-sign", "x with the sign of y.", "(math/copy-sign 2 -1)", "-2.0", math.copysign)
_binary("next-after", "The next float after x towards y.", "(math/next-after 0.0 1)", "5e-324", math.nextafter)


@builtin("clojure.math/round", "(clojure.math/round x)", "The nearest int, halves up.", "(math/round 2.5)", "3")
def round_(x: Any, /) -> int:
    return rounded("clojure.math/round", x)


@builtin(
    "clojure.math/get-exponent",
    "(clojure.math/get-exponent x)",
    "The exponent of two of the float.",
    "(math/get-exponent 8.0)",
    "3",
)
def get_exponent(x: Any, /) -> int:
    number = as_float("clojure.math/get-exponent", x)
    if number - number != 0:
        return 1024
    return max(math.frexp(number)[1] - 1, -1023) if number else -1023


@builtin(
    "clojure.math/scalb",
    "(clojure.math/scalb x n)",
    "x times two to the power of n.",
    "(math/scalb 3.0 2)",
    "12.0",
)
def scalb(x: Any, n: Any, /) -> float:
    number = as_float("clojure.math/scalb", x)
    exponent = max(-5000, min(5000, need_int("clojure.math/scalb", "n", n)))
    try:
        return math.ldexp(number, exponent)
    except OverflowError:
        return math.copysign(INFINITY, number)


def _division(name: str, doc: str, expression: str, printed: str, part: int) -> None:
    full = f"clojure.math/{name}"

    @builtin(full, f"({full} a b)", doc, expression, printed)
    def function(a: Any, b: Any, /) -> int:
        need_int(full, "the dividend", a)
        if need_int(full, "the divisor", b) == 0:
            raise zero_divisor(full)
        return int(divmod(a, b)[part])


_division("floor-div", "The quotient, rounded down.", "(math/floor-div -7 2)", "-4", 0)
_division("floor-mod", "What floor-div leaves.", "(math/floor-mod -7 2)", "1", 1)
exact("clojure.math/add-exact", "The sum of two ints.", "(math/add-exact 1 2)", "3", add2)
exact("clojure.math/subtract-exact", "The difference of two ints.", "(math/subtract-exact 1 2)", "-1", sub2)
exact("clojure.math/multiply-exact", "The product of two ints.", "(math/multiply-exact 3 2)", "6", mul2)


def _exact_one(name: str, doc: str, expression: str, printed: str, operate: Callable[[int], int]) -> None:
    full = f"clojure.math/{name}"

    @builtin(full, f"({full} n)", doc, expression, printed)
    def function(n: Any, /) -> int:
        return checked(operate(need_int(full, "n", n)))


_exact_one("increment-exact", "The int plus one.", "(math/increment-exact 1)", "2", lambda n: n + 1)
_exact_one("decrement-exact", "The int minus one.", "(math/decrement-exact 1)", "0", lambda n: n - 1)
_exact_one("negate-exact", "The int with the other sign.", "(math/negate-exact 1)", "-1", lambda n: -n)
