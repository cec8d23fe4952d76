"""From Python exceptions to RTFS errors, and from tracebacks to RTFS places: the one boundary for both.

Knows nothing of greenlets. Invariant: what comes out is a `UserError` with place and trace, or an `InternalError`; a
program never meets a Python exception.
"""

from __future__ import annotations

from rtfs.compiler.module import FORM
from rtfs.compiler.spelling import REST_MARK, plain_name
from rtfs.values.error import EvalError, InternalError, LimitError, RtfsError, TypeMismatch, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.unit import Unit
    from rtfs.source import Span

    Units = dict[str, Unit]

_ERRORS = frozenset(
    ("Cancelled", "CompileError", "EvalError", "HostError", "LimitError", "ReaderError", "TypeMismatch")
)

MAX_TRACE = 50
TOP_LEVEL = "the program"
CO_VARARGS = 0x04
_KINDS = {"int": "an integer", "float": "a float", "bool": "a boolean", "str": "a string", "NoneType": "nil"}


def translate(error: BaseException, units: Units) -> BaseException:
    """The RTFS error that an exception out of guest code stands for, with its place and trace."""
    if isinstance(error, UserError):
        if error.span is None or not error.trace:
            _place(error, error, units)
        return error
    if isinstance(error, (RtfsError, KeyboardInterrupt, SystemExit)):
        return error
    found = _foreign(error)
    _place(found, error, units)
    return found


def _place(error: BaseException, raised: BaseException, units: Units) -> None:
    """Set span and trace from the traceback of what was raised."""
    if not isinstance(error, UserError):
        return
    frames = _frames(raised.__traceback__, units)
    if error.span is None:
        places = [span for _, span in frames if span is not None]
        # an error in the library is shown where the program called it
        own = (span for span in places if not span.source.name.startswith("stdlib/"))
        error.span = next(own, places[0] if places else None)
    if not error.trace:
        trace = [(name, span) for name, span in frames if name and span is not None]
        top_level = [span for name, span in frames if not name and span is not None]
        if trace and top_level:
            trace.append((TOP_LEVEL, top_level[-1]))
        error.trace = tuple(trace)


def _frames(traceback: Any, units: Units) -> list[tuple[str, Span | None]]:
    """RTFS calls of a traceback, innermost first: (function, place). Of a deep one, the innermost and outermost few."""
    found: list[tuple[str, int, str]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename in units:
            found.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    found.reverse()
    if len(found) > MAX_TRACE:
        found = found[: MAX_TRACE // 2] + found[-MAX_TRACE // 2 :]
    return [
        ("" if name in (FORM, "<listcomp>") else plain_name(name) or "fn", units[unit].span(line - 1))
        for unit, line, name in found
    ]


def _foreign(error: BaseException) -> BaseException:
    """An exception that Python raised while guest code ran."""
    if isinstance(error, ZeroDivisionError):
        return EvalError("arithmetic/div-by-zero", "division by zero")
    if isinstance(error, NameError):
        return _undefined(error)
    if isinstance(error, RecursionError):
        return LimitError(
            "limit/depth",
            "the program's calls are nested too deeply",
            hint="make the recursive call the last thing the function does, or use loop/recur or reduce",
        )
    if isinstance(error, OverflowError):
        return EvalError("arithmetic/overflow", "a number is too large for a float")
    if isinstance(error, MemoryError):
        return LimitError("limit/memory", "the program needs more memory than there is")
    if isinstance(error, TypeError):
        called = _bad_call(error)
        if called is not None:
            return called
    internal = InternalError(f"{type(error).__name__}: {error}")
    internal.__cause__ = error
    return internal


def _undefined(error: NameError) -> EvalError:
    name = plain_name(error.name or _quoted(str(error)))
    if not name:
        return EvalError("undefined", str(error))
    from rtfs.compiler.analyser import FORBIDDEN
    from rtfs.syntax.suggest import did_you_mean

    hint = FORBIDDEN.get(name)
    if hint is None:
        candidates: set[str] = set()
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename.startswith("rtfs:"):
                names = (*traceback.tb_frame.f_globals, *traceback.tb_frame.f_builtins, *traceback.tb_frame.f_locals)
                candidates = {plain_name(one) for one in names if one[0] not in " :_"}
            traceback = traceback.tb_next
        near = did_you_mean(name, candidates)
        hint = f"did you mean `{near}`?" if near is not None else None
    if "free variable" in str(error) or isinstance(error, UnboundLocalError):
        return EvalError("undefined", f"`{name}` is used before it has a value", hint=hint)
    return EvalError("undefined", f"`{name}` is not defined", hint=hint)


def _quoted(text: str) -> str:
    """What stands between the first single quotes: the name of an UnboundLocalError."""
    return text.partition("'")[2].partition("'")[0]


def _bad_call(error: TypeError) -> UserError | None:
    """CPython's words for a wrong number of arguments or a value that is no function."""
    text = str(error)
    if text.endswith("object is not callable"):
        kind = text.split("'")[1]
        shown = _KINDS.get(kind, f"a {kind.lower()}") if kind not in _ERRORS else "an error"
        return TypeMismatch(
            "type/not-callable",
            f"{shown} cannot be called",
            hint="functions, keywords, maps and vectors can; a list that is data is quoted: '(1 2)",
        )
    head, parenthesis, rest = text.partition("() ")
    if parenthesis and rest.startswith("takes "):
        # "takes 2 positional arguments but 3 were given", "takes from 1 to 2 positional arguments but 3 were given"
        wanted, _, given = rest.removeprefix("takes ").partition(" positional argument")
        least, _, most = wanted.removeprefix("from ").partition(" to ")
        return _arity(head, int(least), int(most or least), given.partition("but ")[2].split(" ", 1)[0])
    if parenthesis and rest.startswith("missing "):
        # "missing 1 required positional argument: 'y'"
        missing = int(rest.removeprefix("missing ").split(" ", 1)[0])
        count = _given(error)
        if count is None:
            few = f"{missing} argument{'' if missing == 1 else 's'}"
            return EvalError("arity", f"`{_function_name(head)}` is called with {few} too few")
        return _arity(head, count + missing, _most(head, text, count + missing), str(count))
    return None


def _arity(head: str, least: int, most: int | None, given: str) -> EvalError:
    """The error of a call with the wrong number of arguments; `most` None: the function takes any number of further
    ones."""
    if least == most:
        wanted = str(least) if least else "no"
    else:
        wanted = f"{least} or more" if most is None else f"{least} {'or' if most == least + 1 else 'to'} {most}"
    plural = "" if wanted == "1" else "s"
    return EvalError("arity", f"`{_function_name(head)}` takes {wanted} argument{plural}, got {given}")


def _function_name(head: str) -> str:
    """RTFS name of a function from Python's qualified one."""
    inner = head.rpartition(".<locals>.")[2] if "<locals>" in head else head
    return plain_name(inner) or "fn"


def _given(error: TypeError) -> int | None:
    """How many arguments the call had that raised: CPython's message tells only how many are missing, its bytecode
    has the number. None if it is not to be found."""
    traceback = error.__traceback__
    if traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    from opcode import EXTENDED_ARG, opmap

    code, at = traceback.tb_frame.f_code.co_code, traceback.tb_lasti
    if code[at] != opmap["CALL"]:
        unpacked = traceback.tb_frame.f_locals.get("args")  # see rtfs.builtins.calling
        return len(unpacked) if unpacked is not None else None
    more = code[at - 1] if at >= 2 and code[at - 2] == EXTENDED_ARG else 0
    return code[at + 1] | more << 8


def _most(head: str, text: str, least: int) -> int | None:
    """The most arguments a function takes that wants `least`. The last fixed parameter of a compiled function with a
    rest parameter ends in `&`; its other parameters have a blank in them, which those of builtins have not."""
    quoted = text[:-1]
    last = quoted[max(quoted.rfind("'"), quoted.rfind('"')) + 1 :]
    if " " in last:
        return None if last.endswith(REST_MARK) else least
    from rtfs.builtins import CORE

    function = CORE.get(head)
    if function is None:
        return least
    code = function.__code__
    return None if code.co_flags & CO_VARARGS else int(code.co_argcount)
