"""The errors that a program can meet: one hierarchy, stable codes, made for people.

A `UserError` is both the Python exception that unwinds guest code and the RTFS value that `catch` binds: it answers
`:code :message :data :capability`. `InternalError` is our own bug and is never shown as the user's. Knows nothing of
text or programs; code that knows a place sets `span` and `trace`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Span


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CODE = frozenset(_LETTERS + "-_.*+!?<>=$&%/")
_LONGEST_CODE = 200


def _code_name(code: str) -> str:
    """A code as a keyword can have it: other characters become `-`, what is too long is cut."""
    made = [c if c in _CODE or (c > "\x7f" and c.isalnum()) else "-" for c in code[:_LONGEST_CODE]]
    return "".join(made) or "error"


class RtfsError(Exception):
    """Root of everything this package raises on purpose."""


class InternalError(RtfsError):
    """A bug of this package. Never the user's fault, never catchable by a program."""


class UserError(RtfsError):
    """An error of the program, its input or its surroundings.

    code: stable, `area/detail` (`type/mismatch`) or a bare area (`arity`); see docs/errors. What reads as no keyword is
    made to.
    message: what happened, one sentence, no trailing newline.
    span: where, if known. hint: what to try. data: an RTFS value that the program can read.
    capability: id of the capability that failed, if one did. cause: the error that led to it, where a program says so.
    trace: RTFS calls, innermost first, as (name, span).
    notes: what else to look at, as (text, span): where a parameter is declared, what went wrong inside of a library.
    others: further errors of the same text, in order.
    """

    others: tuple[UserError, ...] = ()
    cause: UserError | None = None

    arrival: Any = None
    """How the error came into the machine that it is in now from another one; kept by the machine."""
    culprit: Any = None
    """(value,) that is of the wrong kind, where the code that raised the error knows it."""
    pointer: Any = None
    """The argument of the call at `span` that is wrong, until it is looked up in the text."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        span: Span | None = None,
        hint: str | None = None,
        data: Any = None,
        capability: str | None = None,
        trace: tuple[tuple[str, Span | None], ...] = (),
        notes: tuple[tuple[str, Span | None], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code if _CODE.issuperset(code) and 0 < len(code) <= _LONGEST_CODE else _code_name(code)
        self.message = message
        self.span = span
        self.hint = hint
        self.data = data
        self.capability = capability
        self.trace = trace
        self.notes = notes

    def __reduce__(self) -> Any:
        """For `pickle`: everything but `data` that cannot be pickled, such as a function."""
        import pickle

        try:
            data = pickle.dumps(self.data)
        except Exception:  # whatever a foreign object does when it is asked to be pickled
            data = pickle.dumps(None)
        shown = (self.code, self.message, self.span, self.hint, self.capability, self.trace, self.notes)
        return _unpickled, (self.__class__, shown, data, self.others, self.cause)

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span is not None else ""
        return f"{where}{self.code}: {self.message}"


def _unpickled(
    kind: type[UserError], shown: tuple[Any, ...], data: bytes, others: tuple[UserError, ...], cause: UserError | None
) -> UserError:
    import pickle

    code, message, span, hint, capability, trace, notes = shown
    made = kind.__new__(kind)
    UserError.__init__(
        made,
        code,
        message,
        span=span,
        hint=hint,
        data=pickle.loads(data),
        capability=capability,
        trace=trace,
        notes=notes,
    )
    made.others, made.cause = others, cause
    return made


class ReaderError(UserError):
    """Text that is not a form."""

    def __init__(self, code: str, message: str, *, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(code, message, span=span, hint=hint)


class CompileError(UserError):
    """A form that is not a program: `form/shape`, `recur/…`, `macro/…`, `type/unknown`."""


class EvalError(UserError):
    """An error of running code: type, arity, undefined, arithmetic, index, match, argument, regex, json, user."""


class TypeMismatch(EvalError):
    """A value of the wrong kind. Code `type/mismatch`."""


class LimitError(UserError):
    """A limit of the machine was reached (`limit/steps` …). A program cannot catch it."""


class Cancelled(UserError):
    """The run was cancelled from outside. A program cannot catch it. Code `cancelled`."""

    def __init__(self, message: str = "the run was cancelled", **fields: Any) -> None:
        super().__init__("cancelled", message, **fields)


class HostError(UserError):
    """The host could not or would not perform a call: capability, policy, session.

    `HostError("text")` alone means `capability/failed`: that is what a Python capability raises.
    """

    def __init__(self, message: str, *, code: str = "capability/failed", **fields: Any) -> None:
        super().__init__(code, message, **fields)


UNCATCHABLE = (LimitError, Cancelled)
"""The errors of a program that it may not catch. `try` lets them pass without a look: there may be one at each of a
hundred thousand calls."""


def uncatchable(error: BaseException) -> bool:
    """True for what no program may catch: limits, cancellation, our own bugs."""
    return isinstance(error, UNCATCHABLE) or not isinstance(error, Exception)
