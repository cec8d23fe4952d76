"""Clojure's predicates of numbers: `== pos-int? neg-int? nat-int? double? rational? infinite? NaN? …`.

Must not know arithmetic. Invariant: the predicates take any value, `==` numbers only; booleans are no numbers.
"""

from __future__ import annotations

from rtfs.builtins.declare import builtin
from rtfs.builtins.numbers import need_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "==",
    "(== number & more)",
    "Have the numbers one value, whatever their kind?",
    "(== 1 1.0)",
    "true",
    "(== 1 2)",
    "false",
)
def same_value(number: Any, /, *more: Any) -> bool:
    result = True
    for other in more:
        need_number("==", number)
        result = result and _same(number, need_number("==", other))
        number = other
    return result


def _same(a: Any, b: Any) -> bool:
    if a.__class__ is b.__class__:
        return bool(a == b)
    try:
        return float(a) == float(b)
    except OverflowError:  # an int beyond all floats
        return False


def _int_predicate(name: str, doc: str, expression: str, printed: str, test: Any) -> None:
    @builtin(name, f"({name} value)", doc, expression, printed)
    def function(value: Any, /) -> bool:
        return value.__class__ is int and test(value)


_int_predicate("pos-int?", "Is it an integer above zero?", "(pos-int? 1)", "true", lambda n: n > 0)
_int_predicate("neg-int?", "Is it an integer below zero?", "(neg-int? -1)", "true", lambda n: n < 0)
_int_predicate("nat-int?", "Is it an integer that is not negative?", "(nat-int? 0)", "true", lambda n: n >= 0)


@builtin("double?", "(double? value)", "Is it a float?", "(double? 1.0)", "true")
def is_double(value: Any, /) -> bool:
    return value.__class__ is float


@builtin("rational?", "(rational? value)", "Is it an integer? There are no ratios.", "(rational? 1)", "true")
def is_rational(value: Any, /) -> bool:
    return value.__class__ is int


@builtin("ratio?", "(ratio? value)", "Is it a ratio? Always false: there are no ratios.", "(ratio? 1)", "false")
def is_ratio(_: Any, /) -> bool:
    return False


@builtin(
    "decimal?",
    "(decimal? value)",
    "Is it a decimal of any length? Always false: there are none.",
    "(decimal? 1.5)",
    "false",
)
def is_decimal(_: Any, /) -> bool:
    return False


@builtin("infinite?", "(infinite? number)", "Is the number an infinity?", "(infinite? ##Inf)", "true")
def is_infinite(number: Any, /) -> bool:
    return need_number("infinite?", number) in (float("inf"), float("-inf"))


@builtin("NaN?", "(NaN? number)", "Is the number none?", "(NaN? ##NaN)", "true")
def is_nan(number: Any, /) -> bool:
    return bool(need_number("NaN?", number) != number)
