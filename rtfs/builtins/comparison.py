"""Equality and order: `= not= < > <= >= compare not`.

The two-argument functions (`lt2`, `eq2`, …) are what compiled code falls back to. Must not know how values are compared
inside (that is `rtfs.values.equality` and `order`). Invariant: `< > <= >=` look at every argument, so a wrong kind is
an error whatever the others are; numbers and strings never mix.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import shown
from rtfs.builtins.declare import builtin
from rtfs.values import Keyword, Symbol, TypeMismatch
from rtfs.values.equality import equal as eq2
from rtfs.values.order import compare as compare_values
from rtfs.values.step_account import LARGE, look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["eq2", "ge2", "gt2", "le2", "lt2", "ne2"]


def _comparable(a: Any, b: Any) -> bool:
    """True for two numbers or two strings."""
    ca = a.__class__
    cb = b.__class__
    if ca is int or ca is float:
        return cb is int or cb is float
    if ca is str and cb is str:
        if len(a) > LARGE:
            look()
        return True
    return False


def not_comparable(function: str, a: Any, b: Any) -> TypeMismatch:
    """`type/mismatch`: the two are neither both numbers nor both strings."""
    error = TypeMismatch(
        "type/mismatch",
        f"({function} …) compares numbers with numbers and strings with strings, but got {shown(a)} and {shown(b)}",
    )
    wrong = [value for value in (a, b) if not _comparable(value, value)]
    if len(wrong) == 1:
        error.culprit = (wrong[0],)
    return error


def lt2(a: Any, b: Any, /) -> bool:
    """`(< a b)`."""
    if _comparable(a, b):
        return a < b  # type: ignore[no-any-return]
    raise not_comparable("<", a, b)


def gt2(a: Any, b: Any, /) -> bool:
    """`(> a b)`."""
    if _comparable(a, b):
        return a > b  # type: ignore[no-any-return]
    raise not_comparable(">", a, b)


def le2(a: Any, b: Any, /) -> bool:
    """`(<= a b)`."""
    if _comparable(a, b):
        return a <= b  # type: ignore[no-any-return]
    raise not_comparable("<=", a, b)


def ge2(a: Any, b: Any, /) -> bool:
    """`(>= a b)`."""
    if _comparable(a, b):
        return a >= b  # type: ignore[no-any-return]
    raise not_comparable(">=", a, b)


def _chain(function: str, holds: Callable[[Any, Any], bool], first: Any, more: tuple[Any, ...]) -> bool:
    if not more and not _comparable(first, first):
        raise TypeMismatch("type/mismatch", f"({function} …) compares numbers or strings, but got {shown(first)}")
    result = True
    for other in more:
        if not holds(first, other):
            result = False
        first = other
    return result


@builtin("<", "(< value & more)", "Do the numbers (or strings) increase, each below the next?", "(< 1 2 3)", "true")
def less(value: Any, /, *more: Any) -> bool:
    if len(more) == 1:
        return lt2(value, more[0])
    return _chain("<", lt2, value, more)


@builtin(">", "(> value & more)", "Do the numbers (or strings) decrease, each above the next?", "(> 3 2 1)", "true")
def greater(value: Any, /, *more: Any) -> bool:
    if len(more) == 1:
        return gt2(value, more[0])
    return _chain(">", gt2, value, more)


@builtin("<=", "(<= value & more)", "Does no number (or string) lie above the next?", "(<= 1 1 2)", "true")
def less_or_equal(value: Any, /, *more: Any) -> bool:
    if len(more) == 1:
        return le2(value, more[0])
    return _chain("<=", le2, value, more)


@builtin(">=", "(>= value & more)", "Does no number (or string) lie below the next?", "(>= 3 3 1)", "true")
def greater_or_equal(value: Any, /, *more: Any) -> bool:
    if len(more) == 1:
        return ge2(value, more[0])
    return _chain(">=", ge2, value, more)


@builtin(
    "=",
    "(= value & more)",
    "Are all the values equal? Strict on kind, but lists and vectors compare by their elements.",
    "(= [1 2] '(1 2))",
    "true",
    "(= 1 1.0)",
    "false",
)
def equal(value: Any, /, *more: Any) -> bool:
    if len(more) == 1:
        return eq2(value, more[0])
    return all(eq2(value, other) for other in more)


@builtin("!=", "(!= a b)", "Do the two values differ?", "(!= 1 1.0)", "true")
def ne2(a: Any, b: Any, /) -> bool:
    return not eq2(a, b)


@builtin("not=", "(not= value & more)", "Is any of the values not equal to the first?", "(not= 1 1.0)", "true")
def not_equal(value: Any, /, *more: Any) -> bool:
    return not all(eq2(value, other) for other in more)


@builtin(
    "compare",
    "(compare a b)",
    "Below, at or above 0 as the first value sorts before, with or after the second, in the total order of `sort`.",
    "(compare 1 2)",
    "-1",
    '(compare "a" "c")',
    "-2",
)
def compare(a: Any, b: Any, /) -> int:
    kind = a.__class__
    if kind is b.__class__:
        if kind is str:
            return text_order(a, b)
        if kind is Keyword or kind is Symbol:
            return _name_order(a.name, b.name)
    return compare_values(a, b)


def text_order(a: str, b: str) -> int:
    """Java's order of two texts: the distance of the first characters that differ, else of the lengths."""
    if a == b:
        return 0
    if len(a) <= STRETCH:
        for one, other in zip(a, b, strict=False):
            if one != other:
                return ord(one) - ord(other)
    else:
        for start in range(0, min(len(a), len(b)), STRETCH):
            part, other_part = a[start : start + STRETCH], b[start : start + STRETCH]
            if not start & 0xFFFFF:
                look()
            if part != other_part:
                for one, other in zip(part, other_part, strict=False):
                    if one != other:
                        return ord(one) - ord(other)
    return len(a) - len(b)


STRETCH = 4096
"""Characters of texts that are compared at a time: where they differ is looked for in one of them."""


def _name_order(a: str, b: str) -> int:
    """Names without a namespace first, then by namespace and name."""
    from rtfs.builtins.names import split_name

    (space, name), (other_space, other_name) = split_name(a), split_name(b)
    if space != other_space:
        if space is None or other_space is None:
            return -1 if space is None else 1
        return text_order(space, other_space)
    return text_order(name, other_name)


@builtin(
    "comparator",
    "(comparator pred)",
    "A function of two values for `sort`: -1 if `(pred a b)`, 1 if `(pred b a)`, else 0.",
    "((comparator <) 1 2)",
    "-1",
)
def comparator(pred: Any, /) -> Any:
    def compared(a: Any, b: Any, /) -> int:
        before = pred(a, b)
        if before is not None and before is not False:
            return -1
        after = pred(b, a)
        return 0 if after is None or after is False else 1

    compared.__name__ = "comparator"
    return compared


@builtin("not", "(not value)", "true for nil and false, else false.", "(not nil)", "true", "(not 0)", "false")
def not_(value: Any, /) -> bool:
    return value is None or value is False
