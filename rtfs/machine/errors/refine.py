"""The last step for an error before it leaves a run: finds the wrong argument of the call in the text.

Must not know how programs run. Reading a text is slow, so errors that the program handles itself do not come here.
Invariant: an argument is marked only if the call is in the text as it was made.
"""

from __future__ import annotations

from rtfs.source import Source, Span
from rtfs.values import Keyword, List, Map, Symbol, TypeMismatch, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 20_000
"""Characters of the largest form that is looked into."""

_OPERATORS = frozenset(("+", "-", "*", "/", "<", ">", "<=", ">=", "=", "!=", "==", "and", "or", "mod"))
_THREADING = ("->", "->>")
_SHOWN = 60


def refine_error(error: UserError) -> None:
    """Make the place of an error more exact and its hint more helpful. Harmless when repeated."""
    if error.span is None or not 0 < error.span.end - error.span.start <= LONGEST:
        return
    if error.code == "type/not-callable":
        _miswritten_call(error, error.span)
    elif isinstance(error, TypeMismatch) and (error.pointer is not None or _about_input(error)):
        _wrong_argument(error, error.span)


def _read(span: Span) -> Any:
    """The form at a place, or None."""
    from rtfs.syntax.reader import read_forms

    try:
        forms = read_forms(Source(span.text, span.source.name))
    except UserError:
        return None
    return forms[0] if len(forms) == 1 and forms[0].__class__ is List else None


def _child(form: Any, index: int, around: Span) -> Span | None:
    """The place of a child of a form that was read from `around`."""
    from rtfs.syntax.spans import child_span

    span = child_span(form, index)
    return None if span is None else Span(around.source, around.start + span.start, around.start + span.end)


# ---------------------------------------------------------------------- what is not a function
def _miswritten_call(error: UserError, span: Span) -> None:
    """Errors such as `(1 + 2)` and `println("hi")`: a call in another language's syntax."""
    text, start = span.source.text, span.start
    form = _read(span)
    if form is None or not len(form):
        return
    before = start
    while before > 0 and text[before - 1] not in " \t\r\n,()[]{}\"'`~@^;":
        before -= 1
    if before < start:
        name = text[before:start]
        inner = span.text[1:].lstrip()
        if name[-1] not in "#:" and len(inner) <= _SHOWN and "\n" not in inner:
            error.hint = f"the parenthesis comes before the name: ({name} {inner}"
        return
    if len(form) >= 3 and form[1].__class__ is Symbol and form[1].name in _OPERATORS:
        parts = [_child(form, index, span) for index in range(len(form))]
        rest = [parts[0], *parts[2:]] if len(form) == 3 else []
        shown = " ".join(part.text for part in rest if part is not None) or "a b"
        operator = "=" if form[1].name == "==" else form[1].name
        error.hint = f"operators come first: ({operator} {shown})" if len(shown) <= _SHOWN else "operators come first"
    elif form[0].__class__ is Symbol and "/" not in form[0].name and "->" not in form[0].name:
        from rtfs.compiler.analysis.analyser import HIGHER_ORDER

        signature = _signature(form[0].name) if form[0].name in HIGHER_ORDER else None
        if signature is not None:
            error.hint = f"write {signature}; functions, keywords, maps and vectors can be called"
        else:
            kind = error.message.removesuffix(" cannot be called")
            error.hint = f"`{form[0]}` is {kind} here; without the parentheses it is its value"


def _signature(name: str) -> str | None:
    """The signature of a standard function."""
    from rtfs.builtins import CORE
    from rtfs.builtins.declare import REGISTRY

    declared = REGISTRY.get(getattr(CORE.get(name), "__name__", ""))
    return declared.signature if declared is not None else None


# ---------------------------------------------------------------------- arguments of the wrong kind
def _about_input(error: TypeMismatch) -> bool:
    return error.capability is not None and error.message.startswith("the input of ")


def _wrong_argument(error: UserError, span: Span) -> None:
    form = _read(span)
    if form is None or not len(form) or form[0].__class__ is not Symbol:
        return
    if form[0].name in _THREADING:
        _threaded(error)
        return
    if error.pointer is None:
        _wrong_input(error, form, span)
        return
    names, given, index, path = error.pointer
    error.pointer = None
    if form[0].name in names and len(form) == given + 1:
        _narrow(error, form, index + 1, path, span)
    if error.hint is None and " as " in error.message:
        signature = _signature(names[0])
        error.hint = None if signature is None else f"write {signature}"


def _threaded(error: UserError) -> None:
    """Improve the error of a call that a threading macro makes: the call is not in the text as it is made."""
    names = error.pointer[0] if error.pointer is not None else ()
    signature = _signature(names[0]) if names else None
    if error.hint is None and signature is not None and " as " in error.message:
        error.hint = f"write {signature}; `->` puts the value first, `->>` last"


def _wrong_input(error: UserError, form: Any, span: Span) -> None:
    """The input of a capability: one argument, a vector of several, or a map of the keyword arguments."""
    path = error.data.get(Keyword("path"))
    if form[0].name != "call" or len(form) < 3 or path is None:
        return
    path = path.to_list()
    arguments = form.to_list()[2:]
    if len(arguments) == 1:
        _narrow(error, form, 2, path, span)
        return
    keyword = next((number for number, one in enumerate(arguments) if one.__class__ is Keyword), len(arguments))
    if keyword == 0:
        keys = arguments[::2]
        if path and path[0] in keys:
            _narrow(error, form, 2 * keys.index(path[0]) + 3, path[1:], span)
        elif path:
            _missing_key(error, path[0], keys)
    elif keyword == len(arguments) and path and path[0].__class__ is int and path[0] < keyword:
        _narrow(error, form, path[0] + 2, path[1:], span)


def _narrow(error: UserError, form: Any, index: int, path: list[Any], span: Span) -> None:
    """Point at a child of a form, or at the part of it that a path through its literals leads to."""
    found = _child(form, index, span)
    if index < len(form):
        part = form[index]
        for key in path:
            if part.__class__ is Map:
                keys = list(part)
                if key not in part:
                    _missing_key(error, key, keys)
                    break
                found = _child(part, 2 * keys.index(key) + 1, span) or found
                part = part.get(key)
            elif part.__class__ is Vector and key.__class__ is int and 0 <= key < len(part):
                found = _child(part, key, span) or found
                part = part[key]
            else:
                break
        else:
            _nothing_there(error, part)
    if found is not None:
        error.span = found


def _missing_key(error: UserError, key: Any, keys: list[Any]) -> None:
    from rtfs.syntax.printer import to_text
    from rtfs.syntax.suggest import did_you_mean

    if error.hint is None and key.__class__ in (Keyword, str):
        near = did_you_mean(to_text(key), [to_text(one) for one in keys if one.__class__ is key.__class__])
        if near is not None:
            error.hint = f"there is a {near}; did you mean {to_text(key)}?"


def _nothing_there(error: UserError, part: Any) -> None:
    """Improve the error about a nil that a look-up returned."""
    if error.hint is None and error.culprit == (None,) and part.__class__ is List and len(part):
        head = part[0]
        if head.__class__ is Keyword:
            error.hint = f"the map has no {head}, so ({head} …) is nil; ({head} … default) gives something else"
        elif head.__class__ is Symbol and head.name in ("if", "when", "if-let", "when-let", "when-not", "if-not"):
            error.hint = f"without an else branch, ({head} …) is nil"
        elif head == Symbol("deref"):
            error.hint = f"nothing gave @{part[1]} a value; `rtfs run` takes it from --context, a Runtime from context="
        elif head == Symbol("get") or head == Symbol("get-in"):
            error.hint = f"nothing is there, so ({head} …) is nil; a default can be given as its last argument"
