"""Errors as JSON data, for programs: what `--json` prints and `rtfs.error_data` gives.

Must not know where the data goes. Invariant: everything that a report shows of an error is in it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Span
    from rtfs.values import UserError


def error_data(error: UserError) -> dict[str, Any]:
    """Everything that a report shows of an error, as JSON data: code, message, place (file, line, column, end), notes,
    hint, capability, the RTFS calls (innermost first) and, of a text that cannot be read, the further errors. What an
    error does not have is left out."""
    fields: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        **_place(error.span),
        "notes": [{"message": text, **_place(span)} for text, span in error.notes],
        "hint": error.hint,
        "capability": error.capability,
        "trace": [{"name": name, **_place(span)} for name, span in error.trace],
        "others": [error_data(other) for other in error.others],
    }
    return {key: value for key, value in fields.items() if value not in (None, [])}


def _place(span: Span | None) -> dict[str, Any]:
    """The start of a span of text, and the position after its end: lines and columns from 1."""
    if span is None:
        return {}
    line, column = span.last
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end": {"line": line, "column": column},
    }
