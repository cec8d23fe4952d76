"""Error values: `error` raises one, `Exception.` makes one, `getMessage` and `ex-data` look inside.

Must not know `try` and `throw`. Invariant: errors made by a program have the code `user/error`.
"""

from __future__ import annotations

from rtfs.builtins.checks import need_string, type_error
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
    "An error value, for `throw`.",
    '(getMessage (Exception. "boom"))',
    '"boom"',
    aliases=("ex-info",),
)
def make_error(message: Any, data: Any = None, /) -> UserError:
    return EvalError("user/error", need_string("Exception.", "the message", message), data=data)


def _need_error(function: str, value: Any) -> UserError:
    if isinstance(value, UserError):
        return value
    raise type_error(function, "its argument", "an error", value)


@builtin(
    "getMessage",
    "(getMessage error)",
    "The message of an error.",
    '(try (error "bad") (catch e (getMessage e)))',
    '"bad"',
    aliases=("ex-message",),
)
def message_of(error: Any, /) -> str:
    return _need_error("getMessage", error).message


@builtin(
    "ex-data",
    "(ex-data error)",
    "The data of an error, or nil.",
    '(ex-data (Exception. "boom" {:n 2}))',
    "{:n 2}",
)
def data_of(error: Any, /) -> Any:
    return _need_error("ex-data", error).data
