"""Errors in type expressions, before they are worded for people with places and suggestions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Malformed(Exception):
    """code: `type/unknown` or `type/malformed`. form: the faulty part. name, known: for "did you mean"."""

    def __init__(self, code: str, message: str, form: Any, name: str = "", known: Any = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.form = form
        self.name = name
        self.known = known
