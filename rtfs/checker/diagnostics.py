"""Diagnostics as data: what is wrong, where, and what to write instead.

Knows nothing of how they are found or shown. Invariant: `to_json` returns plain JSON values, lines and columns from 1.
"""

from __future__ import annotations

from rtfs.values.error import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Span

ERROR, WARNING = "error", "warning"


class Fix:
    """A replacement that is certain to be meant.

    span   the text that is replaced
    text   what to write there
    """

    __slots__ = ("span", "text")

    def __init__(self, span: Span, text: str) -> None:
        self.span = span
        self.text = text

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, **_place(self.span)}


class Diagnostic:
    """One finding about a program.

    code       the code of the error that a run would raise, or `lint/…` for a warning that no run raises
    severity   `error` for what fails in every run that gets there, `warning` for the rest
    message    what is wrong
    span       where, or None if the text has no place for it
    hint       what to write instead, or None
    fix        the replacement, where one is certain
    capability the capability that the place calls, or None
    related    notes with a place: pairs (text, Span or None)
    """

    __slots__ = ("capability", "code", "fix", "hint", "message", "related", "severity", "span")

    def __init__(
        self,
        code: str,
        severity: str,
        message: str,
        span: Span | None,
        hint: str | None = None,
        fix: Fix | None = None,
        related: tuple[tuple[str, Span | None], ...] = (),
        capability: str | None = None,
    ) -> None:
        self.capability = capability
        self.code = code
        self.severity = severity
        self.message = message
        self.span = span
        self.hint = hint
        self.fix = fix
        self.related = related

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    @property
    def end(self) -> int | None:
        """Offset just after the place, in characters of the text."""
        return None if self.span is None else self.span.end

    def to_json(self) -> dict[str, Any]:
        """The diagnostic as JSON: code, severity, message; where there is one, file, line, column, end_line and
        end_column, hint, fix, related."""
        found: dict[str, Any] = {"code": self.code, "severity": self.severity, "message": self.message}
        found.update(_place(self.span))
        if self.capability is not None:
            found["capability"] = self.capability
        if self.hint is not None:
            found["hint"] = self.hint
        if self.fix is not None:
            found["fix"] = self.fix.to_json()
        if self.related:
            found["related"] = [{"message": text, **_place(span)} for text, span in self.related]
        return found

    def __repr__(self) -> str:
        return f"<{self.severity} {self.code}: {self.message}>"


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def of_error(error: UserError, severity: str = ERROR) -> Diagnostic:
    """The diagnostic of an error that reading or compiling raised."""
    return Diagnostic(error.code, severity, error.message, error.span, error.hint, related=tuple(error.notes))
