"""Errors of the standard functions, made in one place so that they read alike.

Every helper returns the error for the caller to `raise`. Must not know any particular function.
Invariant: a message names the function as the program wrote it, what was expected, and the offending value in short.
"""

from __future__ import annotations

from rtfs.values import EvalError, LazySeq, LimitError, TypeMismatch
from rtfs.values.step_account import LARGE, look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHOWN = 60
"""Characters of a value shown in a message."""

MAX_TEXT = 64 * 1024 * 1024
"""Characters in the longest string that a standard function builds."""

MAX_ITEMS = 10_000_000
"""Elements in the longest sequence that a standard function builds from a number (`range`, `repeat`)."""


def shown(value: Any) -> str:
    """The value for a message: kind and, if short, text: `the integer 5`, `a vector of 200 elements`, `nil`.

    Takes little time for any value: of collections only small ones of atoms are printed.
    """
    from rtfs.values.kinds import type_name

    if value is None:
        return "nil"
    kind = type_name(value)
    if value.__class__ is LazySeq:
        return "a lazy sequence"
    if kind in ("vector", "list", "map", "set"):
        size = len(value)
        parts = () if size > 8 else [*value, *value.values()] if kind == "map" else value
        if size > 8 or not all(_small(part) for part in parts):
            noun = "entr" if kind == "map" else "element"
            plural = ("y", "ies") if kind == "map" else ("", "s")
            return f"a {kind} of {size} {noun}{plural[size != 1]}"
    elif kind == "string" and len(value) > SHOWN:
        return f"a string of {len(value)} characters"
    elif kind == "integer" and value.bit_length() > 200:
        return "a very large integer"
    from rtfs.syntax.printer import to_text

    text = to_text(value)
    if len(text) > SHOWN:
        text = text[: SHOWN - 1] + "…"
    return f"the {kind} {text}"


def _small(value: Any) -> bool:
    """True for a short string or a value without parts."""
    kind = value.__class__
    if kind is str:
        return len(value) <= SHOWN
    if kind is int:
        return bool(value.bit_length() <= 200)
    return not hasattr(kind, "__len__")


def type_error(function: str, what: str, expected: str, value: Any) -> TypeMismatch:
    """`type/mismatch`: argument `what` of `function` should have been `expected` ("a number"), but is `value`."""
    error = TypeMismatch("type/mismatch", f"({function} …) needs {expected} as {what}, but got {shown(value)}")
    error.culprit = (value,)
    return error


def argument_error(function: str, message: str, code: str = "argument/invalid") -> EvalError:
    """An argument of the right kind that the function cannot take; `message` completes `(f …)`: "takes …"."""
    return EvalError(code, f"({function} …) {message}")


def index_error(function: str, index: Any, size: int, unit: str = "elements") -> EvalError:
    """`index/out-of-bounds`: there is no `index` in something of `size` `unit`."""
    many = unit if size != 1 else unit.removesuffix("s")
    return EvalError("index/out-of-bounds", f"({function} …): index {index} is out of bounds for {size} {many}")


def size_error(function: str, what: str = "a string", limit: int = MAX_TEXT, unit: str = "characters") -> LimitError:
    """`limit/size`: the result would be larger than the machine allows; no program can catch it."""
    return LimitError("limit/size", f"({function} …) would make {what} of more than {limit:,} {unit}")


def need_string(function: str, what: str, value: Any) -> str:
    """`value`, if it is a string; else TypeMismatch. What is done with a long one takes a while."""
    if value.__class__ is str:
        if len(value) > LARGE:
            look()
        return value
    raise type_error(function, what, "a string", value)


def need_int(function: str, what: str, value: Any) -> int:
    """`value`, if it is an integer (booleans are not integers); else TypeMismatch."""
    if value.__class__ is int:
        return value
    raise type_error(function, what, "an integer", value)
