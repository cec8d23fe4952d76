"""Error values: `error` raises one, `Exception.` makes one, `getMessage` and `ex-data` look inside.

Must not know `try` and `throw`. Invariant: errors made by a program have the code `user/error`.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import need_string, type_error
from rtfs.builtins.declare import builtin
from rtfs.values import EvalError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


@builtin(
    "error",
    "(error message data?)",
    "Raises an error with a message and data of the program's choice.",
    '(try (error "bad" {:k 1}) (catch e (:data e)))',
    "{:k 1}",
)
def raise_error(message: Any, data: Any = None, /) -> NoReturn:
    raise EvalError("user/error", need_string("error", "the message", message), data=data)


@builtin(
    "Exception.",
    "(Exception. message data?)",
    "An error value, for `throw`; an error in place of the data is its cause.",
    '(getMessage (Exception. "boom"))',
    '"boom"',
)
def make_error(message: Any, data: Any = None, /) -> UserError:
    error = EvalError("user/error", need_string("Exception.", "the message", message))
    if isinstance(data, UserError):
        error.cause = data
    else:
        error.data = data
    return error


@builtin(
    "ex-info",
    "(ex-info message data? cause?)",
    "An error value with data and, if there is one, the error that led to it; for `throw`.",
    '(ex-data (ex-info "boom" {:n 2}))',
    "{:n 2}",
)
def ex_info(message: Any, data: Any = None, cause: Any = None, /) -> UserError:
    error = EvalError(
        "user/error", "" if message is None else need_string("ex-info", "the message", message), data=data
    )
    if cause is not None:
        if not isinstance(cause, UserError):
            raise type_error("ex-info", "the cause", "an error", cause)
        error.cause = cause
    return error


@builtin(
    "getMessage",
    "(getMessage error)",
    "The message of an error.",
    '(try (error "bad") (catch e (getMessage e)))',
    '"bad"',
)
def message_of(error: Any, /) -> str:
    if isinstance(error, UserError):
        return error.message
    raise type_error("getMessage", "its argument", "an error", error)


@builtin(
    "ex-message",
    "(ex-message error)",
    "The message of an error, nil if it was made without one; nil of anything else.",
    '(ex-message (ex-info "bad" {}))',
    '"bad"',
)
def ex_message(error: Any, /) -> str | None:
    return (error.message or None) if isinstance(error, UserError) else None


@builtin(
    "ex-data",
    "(ex-data error)",
    "The data of an error, or nil; nil of anything else.",
    '(ex-data (Exception. "boom" {:n 2}))',
    "{:n 2}",
)
def data_of(error: Any, /) -> Any:
    return error.data if isinstance(error, UserError) else None


@builtin(
    "ex-cause",
    "(ex-cause error)",
    "The error that led to this one, or nil; nil of anything else.",
    '(ex-message (ex-cause (ex-info "outer" {} (ex-info "inner" {}))))',
    '"inner"',
)
def cause_of(error: Any, /) -> UserError | None:
    return error.cause if isinstance(error, UserError) else None
