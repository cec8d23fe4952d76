"""Arithmetic: `+ - * / mod rem quot inc dec max min abs`.

The two-argument functions (`add2`, `mul2`, …) are what compiled code falls back to when its inline guard fails; the
n-ary ones build on them. Must not know how compiled code guards. Invariants: booleans are no numbers; ints stay exact
and below `MAX_BITS`, which is checked before the work where the work could be large (steps cannot meter one big
multiplication); a zero divisor of either kind is `arithmetic/div-by-zero`.
"""

from __future__ import annotations

from math import fmod

from rtfs.builtins.argument_errors import shown
from rtfs.builtins.declare import builtin
from rtfs.values import EvalError, LimitError, List, TypeMismatch, Vector
from rtfs.values.step_account import PART, look, paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BITS = 1 << 20
"""Bits in the largest integer. One division of that size takes a third of a second, and nothing can interrupt it."""

CAP = 1 << MAX_BITS
"""The first integer that is too large."""

FLOOR = -CAP
CAP_DIVIDED = 1 << 16_384
"""The first negative one."""

CHARGED = 32_768
"""Bits of an integer from which on arithmetic pays by size."""

OPERATOR_HINTS = {
    "+": "str puts strings together, concat sequences",
    "max": "the largest of a collection's numbers is (apply max coll)",
    "min": "the smallest of a collection's numbers is (apply min coll)",
}


def not_number(function: str, *values: Any) -> TypeMismatch:
    """`type/mismatch` naming the first of `values` that is not a number."""
    for value in values:
        if value.__class__ is not int and value.__class__ is not float:
            break
    hint = OPERATOR_HINTS.get(function) if isinstance(value, (str, Vector, List)) else None
    error = TypeMismatch("type/mismatch", f"({function} …) needs numbers, but got {shown(value)}", hint=hint)
    error.culprit = (value,)
    return error


def too_large() -> LimitError:
    """`limit/integer`: the result would have more than `MAX_BITS` bits."""
    return LimitError("limit/integer", f"the result would be an integer of more than {MAX_BITS:,} bits")


def overflow(function: str) -> EvalError:
    """`arithmetic/overflow`: an integer is too large to become a float."""
    return EvalError("arithmetic/overflow", f"({function} …): the integer is too large for a float")


def zero_divisor(function: str) -> EvalError:
    """`arithmetic/div-by-zero`."""
    return EvalError("arithmetic/div-by-zero", f"({function} …): division by zero")


def need_number(function: str, value: Any) -> Any:
    """`value`, if it is an int or a float; else TypeMismatch."""
    if value.__class__ is int or value.__class__ is float:
        return value
    raise not_number(function, value)


def checked(result: int) -> int:
    """`result`, if it is below the size cap; else LimitError `limit/integer`."""
    if FLOOR < result < CAP:
        return result
    raise too_large()


def charge_product(bits: int) -> None:
    """Pay for a multiplication whose result has so many bits, which is faster than by the square of them."""
    spend(int((bits / 30) ** 1.6) >> 4)


LONG_DIVISION = 16_384
"""Bits of quotient and divisor from which on a division is done in pieces."""


def divided(a: int, b: int) -> tuple[int, int]:
    """Quotient and remainder as from `divmod`, computed in pieces of some milliseconds that are charged to the run."""
    quotient_bits = a.bit_length() - b.bit_length()
    if quotient_bits < LONG_DIVISION or b.bit_length() < LONG_DIVISION:
        if a.bit_length() > LONG_DIVISION:
            spend((a.bit_length() >> 5) * (min(abs(quotient_bits), b.bit_length()) + 31 >> 5) >> 4)
        return divmod(a, b)
    negative, dividend, divisor = (a < 0) is not (b < 0), abs(a), abs(b)
    bits = max(PIECE // divisor.bit_length(), 1024)
    pieces = -(-dividend.bit_length() // bits)
    mask = (1 << bits) - 1
    quotient = rest = 0
    for piece in range(pieces - 1, -1, -1):
        spend((bits >> 5) * (divisor.bit_length() >> 5) >> 4)
        part, rest = divmod((rest << bits) | ((dividend >> (piece * bits)) & mask), divisor)
        quotient = (quotient << bits) | part
    if negative:
        quotient, rest = (-quotient - 1, divisor - rest) if rest else (-quotient, 0)
    return quotient, -rest if b < 0 else rest


PIECE = 1 << 31
"""Bits of divisor times bits of quotient of one piece: a few milliseconds."""


def add2(a: Any, b: Any, /) -> Any:
    """`(+ a b)`."""
    ca = a.__class__
    cb = b.__class__
    if ca is int and cb is int:
        result = a + b
        if FLOOR < result < CAP:
            return result
        raise too_large()
    if (ca is float or ca is int) and (cb is float or cb is int):
        try:
            return a + b
        except OverflowError:
            raise overflow("+") from None
    raise not_number("+", a, b)


def sub2(a: Any, b: Any, /) -> Any:
    """`(- a b)`."""
    ca = a.__class__
    cb = b.__class__
    if ca is int and cb is int:
        result = a - b
        if FLOOR < result < CAP:
            return result
        raise too_large()
    if (ca is float or ca is int) and (cb is float or cb is int):
        try:
            return a - b
        except OverflowError:
            raise overflow("-") from None
    raise not_number("-", a, b)


def bounded(product: Any) -> Any:
    """A product that may be large: paid for, or LimitError `limit/integer`. Floats have no size."""
    if product.__class__ is int:
        bits = product.bit_length()
        if bits > MAX_BITS:
            raise too_large()
        if bits > CHARGED:
            charge_product(bits)
    return product


LONG_PRODUCT = 1 << 18
"""Bits of a product that takes CPython some milliseconds."""


def long_product(a: int, b: int) -> int:
    """`a * b`, with looks at the clock in between: as CPython does it, three products of halves."""
    bits = max(a.bit_length(), b.bit_length())
    if a.bit_length() + b.bit_length() <= LONG_PRODUCT:
        return a * b
    look()
    half = bits >> 1
    high, low = a >> half, a & ((1 << half) - 1)
    if a is b:
        first, last = long_product(high, high), long_product(low, low)
        both = high + low
        return (((first << half) + (long_product(both, both) - first - last)) << half) + last
    if b.bit_length() <= half:
        return (long_product(high, b) << half) + long_product(low, b)
    other_high, other_low = b >> half, b & ((1 << half) - 1)
    if a.bit_length() <= half:
        return (long_product(a, other_high) << half) + long_product(a, other_low)
    first, last = long_product(high, other_high), long_product(low, other_low)
    middle = long_product(high + low, other_high + other_low) - first - last
    return (((first << half) + middle) << half) + last


def mul2(a: Any, b: Any, /) -> Any:
    """`(* a b)`."""
    ca = a.__class__
    cb = b.__class__
    if ca is int and cb is int:
        if a.bit_length() + b.bit_length() <= CHARGED:
            return a * b
        if a.bit_length() + b.bit_length() > MAX_BITS + 1 and a and b:
            raise too_large()
        return bounded(long_product(a, b))
    if (ca is float or ca is int) and (cb is float or cb is int):
        try:
            return a * b
        except OverflowError:
            raise overflow("*") from None
    raise not_number("*", a, b)


def div2(a: Any, b: Any, /) -> Any:
    """`(/ a b)`: of ints an int if exact, else a float."""
    ca = a.__class__
    cb = b.__class__
    if (ca is float or ca is int) and (cb is float or cb is int):
        try:
            if ca is int and cb is int:
                if a > CAP_DIVIDED or a < -CAP_DIVIDED:
                    quotient, rest = divided(a, b)
                    return a / b if rest else quotient
                quotient = a // b
                return quotient if quotient * b == a else a / b
            return a / b
        except ZeroDivisionError:
            raise zero_divisor("/") from None
        except OverflowError:
            raise overflow("/") from None
    raise not_number("/", a, b)


def _float_remainder(a: float, b: float) -> float:
    """The remainder of `a` after division by `b`, computed exactly as Clojure does, to the last digit."""
    quotient = a / b
    if -_LONG < quotient < _LONG:
        return a - int(quotient) * b
    return fmod(a, b) if a - a == 0 else a - a  # of an infinity or NaN: NaN


_LONG = 2.0**63
_ONLY_INTS = {int}


def mod2(a: Any, b: Any, /) -> Any:
    """`(mod a b)`: floors, so the result has the sign of `b`."""
    ca = a.__class__
    cb = b.__class__
    if (ca is float or ca is int) and (cb is float or cb is int):
        try:
            if ca is int and cb is int:
                return divided(a, b)[1] if a > CAP_DIVIDED or a < -CAP_DIVIDED else a % b
            rest = _float_remainder(float(a), float(b))
            return rest if rest == 0 or (a > 0) is (b > 0) else rest + b
        except ZeroDivisionError:
            raise zero_divisor("mod") from None
        except OverflowError:
            raise overflow("mod") from None
    raise not_number("mod", a, b)


def rem2(a: Any, b: Any, /) -> Any:
    """`(rem a b)`: truncates, so the result has the sign of `a`."""
    ca = a.__class__
    cb = b.__class__
    if (ca is float or ca is int) and (cb is float or cb is int):
        if b == 0:
            raise zero_divisor("rem")
        if ca is int and cb is int:
            result = divided(a, b)[1] if a > CAP_DIVIDED or a < -CAP_DIVIDED else a % b
            return result - b if result and (a < 0) is not (b < 0) else result
        try:
            return _float_remainder(float(a), float(b))
        except OverflowError:
            raise overflow("rem") from None
    raise not_number("rem", a, b)


def quot2(a: Any, b: Any, /) -> Any:
    """`(quot a b)`: the quotient truncated towards zero; a float if one argument is."""
    ca = a.__class__
    cb = b.__class__
    if (ca is float or ca is int) and (cb is float or cb is int):
        if b == 0:
            raise zero_divisor("quot")
        if ca is int and cb is int:
            quotient = divided(a, b)[0] if a > CAP_DIVIDED or a < -CAP_DIVIDED else a // b
            return quotient + 1 if quotient < 0 and quotient * b != a else quotient
        try:
            ratio = a / b
        except OverflowError:
            raise overflow("quot") from None
        return float(int(ratio)) if ratio - ratio == 0 else ratio
    raise not_number("quot", a, b)


def inc1(a: Any, /) -> Any:
    """`(inc a)`."""
    if a.__class__ is int:
        return checked(a + 1)
    if a.__class__ is float:
        return a + 1.0
    raise not_number("inc", a)


def dec1(a: Any, /) -> Any:
    """`(dec a)`."""
    if a.__class__ is int:
        return checked(a - 1)
    if a.__class__ is float:
        return a - 1.0
    raise not_number("dec", a)


def neg1(a: Any, /) -> Any:
    """`(- a)`."""
    if a.__class__ is int or a.__class__ is float:
        return -a
    raise not_number("-", a)


@builtin(
    "+", "(+ & numbers)", "The sum; 0 of nothing; a float as soon as one number is.", "(+ 1 2 3)", "6", aliases=("+'",)
)
def add(*numbers: Any) -> Any:
    if len(numbers) == 2:
        return add2(numbers[0], numbers[1])
    if len(numbers) == 1:
        return need_number("+", numbers[0])
    total: Any = 0
    if len(numbers) <= PART and set(map(type, numbers)) == _ONLY_INTS:
        return checked(sum(numbers))
    for number in paced(numbers):
        total = add2(total, number)
    return total


@builtin(
    "-",
    "(- number & more)",
    "The difference; of one number its negative.",
    "(- 10 3 2)",
    "5",
    "(- 5)",
    "-5",
    aliases=("-'",),
)
def subtract(number: Any, /, *more: Any) -> Any:
    if not more:
        return neg1(number)
    for other in paced(more):
        number = sub2(number, other)
    return number


@builtin(
    "*",
    "(* & numbers)",
    "The product; 1 of nothing; a float as soon as one number is.",
    "(* 2 3 4)",
    "24",
    aliases=("*'",),
)
def multiply(*numbers: Any) -> Any:
    if len(numbers) == 2:
        return mul2(numbers[0], numbers[1])
    if len(numbers) == 1:
        return need_number("*", numbers[0])
    product: Any = 1
    for number in paced(numbers):
        product = mul2(product, number)
    return product


@builtin(
    "/",
    "(/ number & more)",
    "The quotient: of ints an int if exact, else a float; one number is given back.",
    "(/ 6 2)",
    "3",
    "(/ 7 2)",
    "3.5",
)
def divide(number: Any, /, *more: Any) -> Any:
    if not more:
        return need_number("/", number)
    for other in paced(more):
        number = div2(number, other)
    return number


builtin("mod", "(mod a b)", "The remainder of flooring division, with the sign of b.", "(mod -7 3)", "2")(mod2)
builtin("rem", "(rem a b)", "The remainder of truncating division, with the sign of a.", "(rem -7 3)", "-1")(rem2)
builtin("quot", "(quot a b)", "The quotient, truncated towards zero.", "(quot -7 2)", "-3")(quot2)
builtin("inc", "(inc a)", "The number plus one.", "(inc 41)", "42", aliases=("inc'",))(inc1)
builtin("dec", "(dec a)", "The number minus one.", "(dec 43)", "42", aliases=("dec'",))(dec1)


@builtin("max", "(max number & more)", "The largest of the numbers; NaN if one of them is.", "(max 1 5 3)", "5")
def largest(number: Any, /, *more: Any) -> Any:
    best = need_number("max", number)
    if best.__class__ is int and 1 < len(more) <= PART and set(map(type, more)) == _ONLY_INTS:
        return max(best, *more)
    for other in paced(more):
        if need_number("max", other) >= best or other != other:
            best = other
    return best


@builtin("min", "(min number & more)", "The smallest of the numbers; NaN if one of them is.", "(min 4 2 8)", "2")
def smallest(number: Any, /, *more: Any) -> Any:
    best = need_number("min", number)
    if best.__class__ is int and 1 < len(more) <= PART and set(map(type, more)) == _ONLY_INTS:
        return min(best, *more)
    for other in paced(more):
        if need_number("min", other) <= best or other != other:
            best = other
    return best


@builtin("abs", "(abs number)", "The number without its sign.", "(abs -5)", "5")
def absolute(number: Any, /) -> Any:
    return abs(need_number("abs", number))
