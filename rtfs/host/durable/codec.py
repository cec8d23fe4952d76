"""Values as lossless text, for the journal and its checks.

Must not know what is written or where. Invariants: equal values of one kind have the same text, in every process and
for every hash seed; `decode(encode(v))` is v, with every kind kept apart (1 and 1.0, lists and vectors, keywords and
strings, NaN, lone surrogates, integers of any size); nesting may have any depth.

Additions to a call's result (`ResultInfo`) are kept, unless the writer says that only the value counts.

A value is a JSON array of steps for a stack machine, children first: a JSON atom pushes itself, an array does what its
first word says.
"""

from __future__ import annotations

from json import JSONDecodeError
from types import BuiltinFunctionType, FunctionType

from rtfs.host.durable.compact_json import read, write
from rtfs.source import Span
from rtfs.values import (
    Cancelled,
    CompileError,
    EvalError,
    HostError,
    Keyword,
    LimitError,
    List,
    Map,
    ReaderError,
    Regex,
    Set,
    Symbol,
    TypeMismatch,
    UserError,
    Vector,
)
from rtfs.values.info import ResultInfo
from rtfs.values.reduced import Reduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.source import Source

_ATOMS = frozenset((str, int, float, bool, type(None)))
_FUNCTIONS = (FunctionType, BuiltinFunctionType)
_LARGE = 1 << 62
_ERRORS: dict[str, type[UserError]] = {
    kind.__name__: kind
    for kind in (Cancelled, CompileError, EvalError, HostError, LimitError, ReaderError, TypeMismatch, UserError)
}


def encode(value: Any, functions: bool | Callable[[Any], Any] = False, results: bool = True) -> str:
    """The text of a value. functions: whether functions may occur in it, nameless (which `decode` refuses); or a
    function that returns JSON data from which `decode` restores a function, or another value without a text. results:
    whether additions to results of calls are kept. Raises TypeError for an object that is not a value, and for
    functions."""
    kind = value.__class__
    if kind in _ATOMS and (kind is not int or -_LARGE < value < _LARGE):
        return write((value,))
    steps: list[Any] = []
    pending: list[Any] = [value]
    while pending:  # backwards: a collection's step comes before its parts here, after them in the text
        one = pending.pop()
        kind = one.__class__
        if kind in _ATOMS:
            steps.append(one if kind is not int or -_LARGE < one < _LARGE else ("i", hex(one)))
        elif kind is Keyword:
            steps.append(("k", one.name))
        elif results and (kind is Map or kind is Vector) and one.info.__class__ is ResultInfo:
            steps.append(("w",))
            pending.append(one.with_info(None))
            pending.append(one.info.meta)
        elif kind is Map:
            steps.append(("m", len(one)))
            for pair in one.items():
                pending.extend(pair)
        elif kind is Vector or kind is List:
            steps.append(("v" if kind is Vector else "l", len(one)))
            pending.extend(one)
        elif kind is Set:
            steps.append(("s", len(one)))
            pending.extend(one)
        elif kind is Symbol:
            steps.append(("y", one.name))
        elif kind is Regex:
            steps.append(("r", one.pattern))
        elif isinstance(one, UserError):
            steps.append(_error_step(one))
            pending.append(one.data)
        elif functions is True and kind in _FUNCTIONS:
            steps.append(("f",))
        elif kind is Reduced and callable(functions):
            steps.append(("d",))
            pending.append(one.value)
        elif callable(functions):
            steps.append(("f", functions(one)))
        else:
            what = "function" if kind in _FUNCTIONS else f"Python {kind.__name__}"
            raise TypeError(f"a {what} cannot be written down")
    steps.reverse()
    return write(steps)


def _error_step(error: UserError) -> tuple[Any, ...]:
    name = next(kind.__name__ for kind in error.__class__.__mro__ if kind.__name__ in _ERRORS)
    return ("e", name, error.code, error.message, error.hint, error.capability, _place(error.span))


def _place(span: Span | None) -> tuple[str, int, int] | None:
    return None if span is None else (span.source.name, span.start, span.end)


def encode_calls(error: UserError) -> str:
    """The text of an error's trace and notes, which are not part of its value."""
    return write([[(text, _place(span)) for text, span in part] for part in (error.trace, error.notes)])


def decode_calls(error: UserError, text: str, sources: Mapping[str, Source]) -> None:
    """Set an error's trace and notes from a text that `encode_calls` made. sources: by name. Raises ValueError for any
    other text."""
    try:
        trace, notes = (tuple((one, _span(place, sources)) for one, place in part) for part in read(text))
    except (JSONDecodeError, LookupError, TypeError) as fault:
        raise ValueError(f"these are not calls: {fault}") from None
    error.trace, error.notes = trace, notes


def _span(place: Any, sources: Mapping[str, Source]) -> Span | None:
    return Span(sources[place[0]], place[1], place[2]) if place is not None and place[0] in sources else None


def decode(
    text: str, sources: Mapping[str, Source] | None = None, functions: Callable[[Any], Any] | None = None
) -> Any:
    """The value of a text. sources: by name, for the places of errors. functions: returns the function for the data
    that `encode` got for it, or for None if it is nameless. Raises ValueError for any other text."""
    try:
        steps = read(text)
        stack: list[Any] = []
        for step in steps:
            if step.__class__ is not list:
                stack.append(step)
                continue
            tag = step[0]
            if tag == "k":
                stack.append(Keyword(step[1]))
            elif tag == "m":
                count = 2 * step[1]
                parts = _take(stack, count)
                stack.append(Map(zip(parts[::2], parts[1::2], strict=True)))
            elif tag == "v":
                stack.append(Vector.of(_take(stack, step[1])))
            elif tag == "l":
                stack.append(List.of(_take(stack, step[1])))
            elif tag == "s":
                stack.append(Set(_take(stack, step[1])))
            elif tag == "r":
                stack.append(Regex(step[1]))
            elif tag == "y":
                stack.append(Symbol(step[1]))
            elif tag == "i":
                stack.append(int(step[1], 16))
            elif tag == "w":
                came = stack.pop()
                stack.append(stack.pop().with_info(ResultInfo(came)))
            elif tag == "e":
                stack.append(_error(step, stack.pop(), sources or {}))
            elif tag == "d" and functions is not None:
                stack.append(Reduced(stack.pop()))
            elif tag == "f" and functions is not None:
                stack.append(functions(step[1] if len(step) > 1 else None))
            else:
                raise ValueError(f"unknown step {tag!r}")
        (value,) = stack
        return value
    except (JSONDecodeError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not an encoded value: {error}") from None


def _take(stack: list[Any], count: int) -> list[Any]:
    """The last `count` values, which were pushed last first."""
    if not 0 <= count <= len(stack):
        raise ValueError("this is not an encoded value: too few parts")
    if not count:
        return []
    parts = stack[-count:]
    del stack[-count:]
    return parts


def _error(step: list[Any], data: Any, sources: Mapping[str, Source]) -> UserError:
    _, name, code, message, hint, capability, place = step
    kind = _ERRORS[name]
    error = kind.__new__(kind)
    span = _span(place, sources)
    UserError.__init__(error, code, message, hint=hint, capability=capability, data=data, span=span)
    return error
