"""Locates an error: its place, trace, notes and hint, read from a traceback.

Knows nothing of greenlets; runs only once something has failed. Invariant: the place is the innermost one in the user's
own text, if there is one; what happened inside of a library is a note. An error is placed once in each machine that it
leaves.
"""

from __future__ import annotations

from rtfs.compiler.closures.frames import is_closure, locals_of, place_of, template_of
from rtfs.compiler.mangling import plain_name
from rtfs.compiler.module import FORM
from rtfs.source import STANDARD
from rtfs.values.error import TypeMismatch, UserError
from rtfs.values.keyword import Keyword
from rtfs.values.map import Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from rtfs.compiler.units.unit import Unit
    from rtfs.source import Span

    Units = dict[str, Unit]
    Trace = tuple[tuple[str, Span | None], ...]

MAX_TRACE = 50
LONG_TRACE = 2_000
"""Calls of a trace that are kept at a time; of a longer one what is in the middle is let go."""
CO_VARARGS = 0x04
TOP_LEVEL = "the program"
OUTLINED = " o"
"""How functions are named that generated code has cut out of another."""


class Call:
    """A call of an RTFS function, or a top-level form. name: "" for the latter. index, place: where it is, in the spans
    of its unit. at: the entry of the traceback that knows the variables. direct: whether another call of the program
    made it, not a standard function."""

    __slots__ = ("at", "direct", "index", "name", "place")

    def __init__(self, name: str, index: int, place: Span | None, at: Any, direct: bool) -> None:
        self.name = name
        self.index = index
        self.place = place
        self.at = at
        self.direct = direct

    @property
    def code(self) -> CodeType:
        """The function's code."""
        code: CodeType = self.at.tb_frame.f_code
        return code


def locate_error(error: UserError, units: Units, rest: Callable[[], None] | None) -> None:
    """Set place, trace and notes of an error from its traceback. rest: called now and then while that is long."""
    arrival = error.arrival
    calls, innermost = _calls(error.__traceback__, units, arrival[1] if arrival is not None else None, rest)
    inner: Trace = () if arrival is None else _handed_over(arrival[2], arrival[0])
    if error.span is None and arrival is None and innermost is not None:
        calls = _blame_caller(error, calls, innermost, units)
    if error.code == "undefined" and error.hint is None and arrival is None:
        error.hint = suggestion(error.message, error.__traceback__)
    _set_span(error, calls, inner, units)
    _set_trace(error, calls, inner)


# ---------------------------------------------------------------------- reading the traceback
def _calls(traceback: Any, units: Units, stop: Any, rest: Callable[[], None] | None) -> tuple[list[Call], Any]:
    """The RTFS calls of a traceback, innermost first (of a deep one the innermost and outermost few), and its innermost
    entry of any kind."""
    found: list[tuple[Any, bool, int]] = []  # entry, direct, index of its place
    seen: dict[Any, int] = {}
    direct = switching = False
    innermost = None
    while traceback is not None and traceback is not stop:
        innermost = traceback
        frame = traceback.tb_frame
        if frame.f_code.co_filename in units:
            # an error that a function caught and threw again has passed through it twice
            before = seen.get(frame)
            if before is not None and before < len(found) and found[before][0].tb_frame is frame:
                del found[before:]
            seen[frame] = len(found)
            template = template_of(frame)
            if switching and found:  # the same call, in compiled code from here on
                direct = found.pop()[1]
            found.append(
                (traceback, direct, (traceback.tb_lineno if template is None else frame.f_code.co_firstlineno) - 1)
            )
            direct = True
            switching = template is not None
        elif is_closure(frame):
            switching = False
            before = seen.get(frame)
            if before is not None:
                del found[before:]
            seen[frame] = len(found)
            index = place_of(frame)
            if index is not None and found:
                found[-1] = (*found[-1][:2], index)
        else:
            direct = switching = False
        if len(found) > LONG_TRACE:
            del found[MAX_TRACE:-MAX_TRACE]
            seen.clear()
            if rest is not None:
                rest()
        traceback = traceback.tb_next
    found.reverse()
    if len(found) > MAX_TRACE:
        found = found[: MAX_TRACE // 2] + found[-MAX_TRACE // 2 :]
    calls: list[Call] = []
    part: Call | None = None
    for entry, is_direct, index in found:
        code = entry.tb_frame.f_code
        call = Call("", index, units[code.co_filename].span(index), entry, is_direct)
        if part is not None:  # of this call: what generated code has cut out of a function
            if part.place is not None:
                call.index, call.place = part.index, part.place
            call.direct = False
            part = None
        if code.co_name == "<listcomp>" or code.co_name.startswith(OUTLINED):
            part = call
            continue
        call.name = "" if code.co_name == FORM else plain_name(code.co_name) or "fn"
        calls.append(call)
    if part is not None:
        calls.append(part)
    return calls, innermost


def in_library(span: Span) -> bool:
    """Whether a place is not in the user's own text."""
    return span.source.library


def _handed_over(trace: Trace, call: Any) -> Trace:
    """The trace of the machine that a host call started, its outermost call named by what it is to the caller."""
    if not trace:
        return ()
    name, span = trace[-1]
    if call.kind == "parallel":
        name = "a branch of step-parallel"
    elif call.kind == "call":
        if _has_functions(call.args):
            name = f'{"a function" if name == "fn" else name}, given to "{call.id}"'
        else:
            name = f'{"" if name == "fn" else f"{name}, "}the implementation of "{call.id}"'
    return (*trace[:-1], (name, span))


def _has_functions(arguments: Any) -> bool:
    function = type(locate_error)
    return any(
        one.__class__ is function or (hasattr(one, "to_list") and any(part.__class__ is function for part in one))
        for one in arguments
    )


# ---------------------------------------------------------------------- place and trace
def _set_span(error: UserError, calls: list[Call], inner: Trace, units: Units) -> None:
    within = error.span
    if within is not None and not in_library(within):
        return
    own = next((call for call in calls if call.place is not None and not in_library(call.place)), None)
    if own is None:
        if within is None:
            error.span = next((call.place for call in calls if call.place is not None), None)
        return
    error.span = own.place
    if within is None:
        if inner:
            within = inner[0][1]
        elif calls[0] is not own:
            within = calls[0].place
    if within is not None and in_library(within) and not within.source.name.startswith(STANDARD):
        name = inner[-1][0] if inner else next((call.name for call in calls if call.name), "")
        error.notes += ((f"in {_quoted(name or 'the library')}", within),)
    error.notes += _expansions(own, units)


def _quoted(name: str) -> str:
    return name if " " in name else f"`{name}`"


def _set_trace(error: UserError, calls: list[Call], inner: Trace) -> None:
    trace = [*inner]
    trace += [
        (call.name, call.place)
        for call in calls
        if call.name and call.place is not None and not call.place.source.name.startswith(STANDARD)
    ]
    top_level = [call.place for call in calls if not call.name and call.place is not None]
    outermost = top_level[-1] if top_level else None
    if outermost is not None and not outermost.source.name.startswith(STANDARD) and (trace or outermost != error.span):
        trace.append((TOP_LEVEL, outermost))
    error.trace = tuple(trace)


def _expansions(call: Call, units: Units) -> Trace:
    """Notes about the user's macros whose expansion the place is in, innermost first."""
    unit = units[call.code.co_filename]
    return unit.expansions_at(call.index, units)


# ---------------------------------------------------------------------- whose fault it is
def _blame_caller(error: UserError, calls: list[Call], innermost: Any, units: Units) -> list[Call]:
    """An error that a function finds in its arguments is its caller's: the calls from there on; where it is declared
    becomes a note, and what is known of the wrong argument the error's pointer."""
    last = innermost.tb_frame
    if error.code == "arity" and last.f_code.co_name == "wrong_arity" and calls:
        callee = calls[0]
        error.notes += _declaration(callee, units)
        return calls[1:] or calls
    if isinstance(error, TypeMismatch) and calls:
        what = error.data.get(Keyword("what")) if error.data.__class__ is Map else None
        declared = what.__class__ is str and (what.startswith(("parameter", "rest parameter")) or what == calls[0].name)
        if declared and "value" in last.f_locals:
            return _wrong_parameter(error, calls, last.f_locals["value"], units)
        if error.culprit is not None:
            _wrong_argument(error, calls[0].at, units)
    return calls


def _declaration(callee: Call, units: Units) -> Trace:
    code = callee.code
    span = units[code.co_filename].span(code.co_firstlineno - 1)
    if span is None or span.source.name.startswith(STANDARD):
        return ()
    return ((f"`{callee.name}` is defined here" if callee.name != "fn" else "the function is written here", span),)


def _wrong_parameter(error: UserError, calls: list[Call], value: Any, units: Units) -> list[Call]:
    callee = calls[0]
    path = error.data.get(Keyword("path")).to_list()
    given = _given(callee.at.tb_frame)
    index = _index(given, value)
    if index is None:
        return calls  # a value that `recur` gave
    count = len(given)
    if callee.code.co_flags & CO_VARARGS:
        count += len(given[-1]) - 1
        if index == len(given) - 1 and path and path[0].__class__ is int:
            index, path = index + path[0], path[1:]
    if callee.place is not None and not callee.place.source.name.startswith(STANDARD):
        name = callee.place.text if error.data.get(Keyword("what")) != callee.name else callee.name
        error.notes += ((f"`{name}` is declared here", callee.place),)
    if value is None and not path:
        error.culprit = (None,)
    outer = calls[1:]
    if outer and callee.direct:
        error.pointer = ((callee.name,), count, index, path)
    return outer or calls


def _wrong_argument(error: UserError, entry: Any, units: Units) -> None:
    """Note which argument of a standard function is the culprit, if that is clear."""
    inner = entry.tb_next
    while inner is not None and (inner.tb_frame.f_code.co_filename in units or is_closure(inner.tb_frame)):
        inner = inner.tb_next  # cut out of the function
    if inner is None:
        return
    frame = inner.tb_frame
    given = [one for part in _given(frame) for one in (part if part.__class__ is tuple else (part,))]
    index = _index(given, error.culprit[0])
    if index is not None:
        error.pointer = ((error.message[1:].partition(" ")[0], frame.f_code.co_name), len(given), index, [])


def _given(frame: Any) -> list[Any]:
    """The arguments of a call of a function: without optional ones that were left out; rest arguments are a tuple at
    the end."""
    from rtfs.builtins.declare import MISSING

    code, values = frame.f_code, frame.f_locals
    count = code.co_argcount + (1 if code.co_flags & CO_VARARGS else 0)
    given = [values.get(name, MISSING) for name in code.co_varnames[:count]]
    return [one for one in given if one is not MISSING]


def _index(given: list[Any], value: Any) -> int | None:
    """The index of a value among others, if it is unambiguous."""
    found = [index for index, one in enumerate(given) if one is value]
    return found[0] if len(found) == 1 else None


# ---------------------------------------------------------------------- names that nothing defines
MOST_NAMES = 6
"""Names of a module that are listed."""


def suggestion(message: str, traceback: Any) -> str | None:
    """A hint about the name that a message quotes first: known from other languages, or like one that is known where
    the traceback ends."""
    from rtfs.compiler.analysis.undefined import in_a_namespace
    from rtfs.syntax.foreign_names import hint_for
    from rtfs.syntax.suggest import did_you_mean

    name = message.partition("`")[2].partition("`")[0]
    frame = None
    inner: dict[str, Any] = {}
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.startswith("rtfs:"):
            frame, inner = traceback.tb_frame, {}
        elif is_closure(traceback.tb_frame):
            inner = locals_of(traceback.tb_frame) or inner
        traceback = traceback.tb_next
    written = (*frame.f_globals, *frame.f_builtins, *frame.f_locals, *inner) if frame is not None else ()
    names = {plain_name(one) for one in written if one[0] not in " :_"}
    module = name.rpartition("/")[0]
    of_module = sorted(one for one in names if module and one.startswith(f"{module}/"))
    hint = hint_for(name) or in_a_namespace(name) if not of_module else None
    if hint is not None:
        return hint
    near = did_you_mean(name, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if of_module:
        more = ", …" if len(of_module) > MOST_NAMES else ""
        return f"the module gives {', '.join(f'`{one}`' for one in of_module[:MOST_NAMES])}{more}"
    return None
