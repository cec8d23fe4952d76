"""Bits of integers: `bit-and bit-or bit-xor bit-not bit-shift-left …`, and arithmetic that wraps at 64 bits.

Must not know the operators of compiled code. Invariants: an int has as many bits as it needs, a negative one infinitely
many ones in front; only what Clojure names `unsigned` or `unchecked` looks at 64 bits. The size cap of integers is
checked before shifting.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, need_int, shown, type_error
from rtfs.builtins.declare import builtin
from rtfs.builtins.numbers import MAX_BITS, too_large

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_WORD = 64
_MASK = (1 << _WORD) - 1


def _operation(name: str, doc: str, expression: str, printed: str, operate: Callable[[int, int], int]) -> None:
    @builtin(name, f"({name} a b & more)", doc, expression, printed)
    def function(a: Any, b: Any, /, *more: Any) -> int:
        result = operate(need_int(name, "a", a), need_int(name, "b", b))
        for other in more:
            result = operate(result, need_int(name, "a further argument", other))
        return result


_operation("bit-and", "The bits that all the integers have.", "(bit-and 12 10)", "8", lambda a, b: a & b)
_operation("bit-or", "The bits that any of the integers has.", "(bit-or 12 10)", "14", lambda a, b: a | b)
_operation("bit-xor", "The bits that an odd number of them has.", "(bit-xor 12 10)", "6", lambda a, b: a ^ b)
_operation(
    "bit-and-not", "The bits of the first that no other has.", "(bit-and-not 15 6)", "9", lambda a, b: a & ~b
)  # fmt: skip


@builtin("bit-not", "(bit-not n)", "The integer with every bit the other way.", "(bit-not 5)", "-6")
def bit_not(n: Any, /) -> int:
    return ~need_int("bit-not", "n", n)


def _place(function: str, what: str, n: Any) -> int:
    """A place of a bit, or a number of places. Raises TypeMismatch, EvalError `argument/invalid` for a negative one."""
    if need_int(function, what, n) < 0:
        raise argument_error(function, f"takes {what} from 0, got {shown(n)}")
    return int(n)


@builtin(
    "bit-shift-left", "(bit-shift-left n places)", "The bits moved up.", "(bit-shift-left 1 10)", "1024"
)  # fmt: skip
def shift_left(n: Any, places: Any, /) -> int:
    count = _place("bit-shift-left", "the number of places", places)
    if need_int("bit-shift-left", "n", n) and n.bit_length() + count > MAX_BITS:
        raise too_large()
    return int(n) << count if n else 0


@builtin(
    "bit-shift-right",
    "(bit-shift-right n places)",
    "The bits moved down; the sign stays.",
    "(bit-shift-right -8 1)",
    "-4",
)
def shift_right(n: Any, places: Any, /) -> int:
    count = _place("bit-shift-right", "the number of places", places)
    return int(need_int("bit-shift-right", "n", n)) >> count


@builtin(
    "unsigned-bit-shift-right",
    "(unsigned-bit-shift-right n places)",
    "The 64 bits of the integer moved down, zeros behind them.",
    "(unsigned-bit-shift-right -1 60)",
    "15",
)
def unsigned_shift_right(n: Any, places: Any, /) -> int:
    name = "unsigned-bit-shift-right"
    count = _place(name, "the number of places", places)
    if not -(1 << (_WORD - 1)) <= need_int(name, "n", n) <= _MASK >> 1:
        raise argument_error(name, f"looks at 64 bits, which do not hold {shown(n)}")
    return (n & _MASK) >> (count % _WORD) if count % _WORD else int(n)


@builtin("bit-test", "(bit-test n place)", "Is that bit set? The lowest is 0.", "(bit-test 5 2)", "true")
def bit_test(n: Any, place: Any, /) -> bool:
    return bool(need_int("bit-test", "n", n) >> _place("bit-test", "the place", place) & 1)


def _bit(name: str, doc: str, expression: str, printed: str, change: Callable[[int, int], int]) -> None:
    @builtin(name, f"({name} n place)", doc, expression, printed)
    def function(n: Any, place: Any, /) -> int:
        need_int(name, "n", n)
        if _place(name, "the place", place) >= MAX_BITS:
            raise too_large()
        return change(n, 1 << place)


_bit("bit-set", "The integer with that bit set.", "(bit-set 8 0)", "9", lambda n, bit: n | bit)
_bit("bit-clear", "The integer with that bit cleared.", "(bit-clear 9 3)", "1", lambda n, bit: n & ~bit)
_bit("bit-flip", "The integer with that bit the other way.", "(bit-flip 9 0)", "8", lambda n, bit: n ^ bit)


# ---------------------------------------------------------------------- 64 bits
def wrapped(number: int) -> int:
    """The integer that the lowest 64 bits are as a Java long."""
    number &= _MASK
    return number - (1 << _WORD) if number >> (_WORD - 1) else number


def _is_float(name: str, what: str, value: Any) -> bool:
    """Whether a number is a float, which has no bits to lose; raises a type error for what is not a number."""
    if value.__class__ is float:
        return True
    if value.__class__ is not int:
        raise type_error(name, what, "a number", value)
    return False


def _unchecked(
    name: str, what: str, expression: str, printed: str, operate: Callable[[Any, Any], Any]
) -> None:  # fmt: skip
    doc = f"{what} of two integers in 64 bits: what does not fit is lost; with a float, a float."

    @builtin(name, f"({name} a b)", doc, expression, printed)
    def function(a: Any, b: Any, /) -> int | float:
        floats = (_is_float(name, "a", a), _is_float(name, "b", b))
        if True in floats:
            return float(operate(float(a), float(b)))
        return wrapped(operate(wrapped(a), wrapped(b)))


_unchecked(
    "unchecked-add", "The sum", "(unchecked-add 9223372036854775807 1)", "-9223372036854775808", lambda a, b: a + b
)
_unchecked("unchecked-subtract", "The difference", "(unchecked-subtract 1 2)", "-1", lambda a, b: a - b)
_unchecked("unchecked-multiply", "The product", "(unchecked-multiply 3 4)", "12", lambda a, b: a * b)


def _unchecked_one(name: str, doc: str, expression: str, printed: str, operate: Callable[[Any], Any]) -> None:
    @builtin(name, f"({name} n)", doc, expression, printed)
    def function(n: Any, /) -> int | float:
        return float(operate(n)) if _is_float(name, "n", n) else wrapped(operate(n))


_unchecked_one("unchecked-inc", "A number plus one, an integer in 64 bits.", "(unchecked-inc 1)", "2", lambda n: n + 1)
_unchecked_one("unchecked-dec", "A number less one, an integer in 64 bits.", "(unchecked-dec 1)", "0", lambda n: n - 1)
_unchecked_one(
    "unchecked-negate",
    "A number with the other sign, an integer in 64 bits.",
    "(unchecked-negate 1)",
    "-1",
    lambda n: -n,
)


@builtin(
    "unchecked-long",
    "(unchecked-long n)",
    "The lowest 64 bits of an integer; a float without its fraction, at most the largest such integer, NaN as 0.",
    "(unchecked-long 5.9)",
    "5",
)
def unchecked_long(n: Any, /) -> int:
    if not _is_float("unchecked-long", "n", n):
        return wrapped(n)
    least, most = -(1 << (_WORD - 1)), (1 << (_WORD - 1)) - 1
    if n != n:
        return 0
    return most if n >= most else least if n <= least else int(n)
