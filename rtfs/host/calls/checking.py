"""What is looked at in the arguments of a call that is allowed, and in its result.

Must not know decisions, nor how a call is carried out. Invariants: a function is no argument, except of the one
capability that takes functions; a result fits its schema, is text throughout, and has no secret that a server echoes.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BRANCHES, SESSION
from rtfs.host.calls.marshal import one_value, read_shown, refuse_functions, whole_texts
from rtfs.host.redaction import knows_any, redact
from rtfs.syntax.canonical_text import canonical_text
from rtfs.syntax.printer import to_text
from rtfs.values import Map, Vector
from rtfs.values.info import result_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.run.frame import Frame


def check_arguments(entry: Entry, arguments: tuple[Any, ...], text: str, frame: Frame, strict: bool) -> None:
    """Raise for output that is too much, for functions and for what the input schema does not take. strict: also for
    keys that it does not name."""
    if entry.prints:
        frame.run.budget.print(text)
    if "#<function" in text and entry.route != BRANCHES:
        refuse_functions(entry, arguments)
    if entry.check_input is not None:
        check = entry.check_input if strict or entry.fields.input_type is None else entry.fields.input_type.check
        check(one_value(arguments), f'the input of "{entry.id}"')


def checked_result(entry: Entry, value: Any) -> tuple[Any, str]:
    """The result of a call, with its text: checked against the output schema, and without secrets that a server may
    have included."""
    if entry.check_output is not None:
        value = entry.check_output(value, f'the output of "{entry.id}"')
    result = canonical_text(value)
    if "\\ud" in result:
        value = whole_texts(entry, value)
        result = canonical_text(value)
    if entry.route != SESSION:
        return value, result
    note = result_info(value)
    if knows_any() and redact(result) != result:
        value = read_shown(entry, redact(to_text(value)))
        result = canonical_text(value)
    if note is not None and (value.__class__ is Map or value.__class__ is Vector):
        cleaned = note.cleaned(redact) if knows_any() else note
        if value.info is not cleaned:
            value = value.with_info(cleaned)
    return value, result
