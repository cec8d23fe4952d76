"""From Python exceptions to RTFS errors, and from tracebacks to RTFS places: the one boundary for both.

Knows nothing of greenlets. Invariant: what comes out is a `UserError` with place and trace, or an `InternalError`; a
program never meets a Python exception.
"""

from __future__ import annotations

from rtfs.builtins.calling import CALLABLE_HINT
from rtfs.compiler.mangling import plain_name
from rtfs.values.error import EvalError, InternalError, LimitError, RtfsError, TypeMismatch, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.units.unit import Unit

    Units = dict[str, Unit]

_ERRORS = frozenset(
    ("Cancelled", "CompileError", "EvalError", "HostError", "LimitError", "ReaderError", "TypeMismatch")
)

_KINDS = {"int": "an integer", "float": "a float", "bool": "a boolean", "str": "a string", "NoneType": "nil"}


def translate(
    error: BaseException, units: Units, leaving: bool = False, rest: Callable[[], None] | None = None
) -> BaseException:
    """The RTFS error for an exception from guest code. leaving: whether it leaves its machine: then it gets its place
    and trace, which takes longer than most programs would like to wait for an error they deal with; `rest` is called
    now and then meanwhile."""
    if isinstance(error, UserError):
        found = error
    elif isinstance(error, (RtfsError, KeyboardInterrupt, SystemExit)):
        return error
    else:
        foreign = _foreign(error, units)
        if not isinstance(foreign, UserError):
            return foreign
        found = foreign
        found.__traceback__ = error.__traceback__
    if leaving:
        from rtfs.machine.errors.locate import locate_error

        locate_error(found, units, rest)
    return found


def too_deep() -> LimitError:
    """`limit/depth`: the program's calls are nested too deeply."""
    return LimitError(
        "limit/depth",
        "the program's calls are nested too deeply",
        hint="make the recursive call the last thing the function does, or use loop/recur or reduce",
    )


def _foreign(error: BaseException, units: Units) -> BaseException:
    """An exception that Python raised while guest code ran."""
    if isinstance(error, ZeroDivisionError):
        return EvalError("arithmetic/div-by-zero", "division by zero")
    if isinstance(error, NameError):
        return _undefined(error)
    if isinstance(error, RecursionError):
        return too_deep()
    if isinstance(error, OverflowError):
        return EvalError("arithmetic/overflow", "a number is too large for a float")
    if isinstance(error, MemoryError):
        return LimitError("limit/memory", "the program needs more memory than there is")
    if isinstance(error, TypeError):
        called = _bad_call(error, units)
        if called is not None:
            return called
    internal = InternalError(f"{type(error).__name__}: {error}")
    internal.__cause__ = error
    return internal


def _undefined(error: NameError) -> EvalError:
    name = plain_name(error.name or _quoted(str(error)))
    if not name:
        return EvalError("undefined", str(error))
    if "free variable" in str(error) or isinstance(error, UnboundLocalError):
        return EvalError("undefined", f"`{name}` is used before it has a value")
    return EvalError("undefined", f"`{name}` is not defined")


def _quoted(text: str) -> str:
    """The text between the first single quotes: the name of an UnboundLocalError."""
    return text.partition("'")[2].partition("'")[0]


def _bad_call(error: TypeError, units: Units) -> UserError | None:
    """Translate CPython's error about a wrong number of arguments or a value that is not a function."""
    text = str(error)
    if text.endswith("object is not callable"):
        kind = text.split("'")[1]
        shown = _KINDS.get(kind, f"a {kind.lower()}") if kind not in _ERRORS else "an error"
        return TypeMismatch(
            "type/not-callable",
            f"{shown} cannot be called",
            hint=CALLABLE_HINT,
        )
    from rtfs.machine.errors.arity import wrong_count

    return wrong_count(error, text, units)
