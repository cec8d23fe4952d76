"""Reading for the tests of types: type expressions and values from text."""

from __future__ import annotations

from typing import Any

from rtfs.source import Source
from rtfs.syntax.reader import read_forms
from rtfs.types import Type, parse_type
from rtfs.values import List, Symbol


def form(text: str) -> Any:
    (only,) = read_forms(Source(text, "test"))
    return only


def typed(text: str, resolve: Any = None) -> Type:
    return parse_type(form(text), resolve)


def value(text: str) -> Any:
    """A literal value; a symbol means a function, a quoted form itself."""
    made = form(text)
    if made.__class__ is Symbol:
        return lambda *args: args
    if made.__class__ is List and len(made) and made[0] == Symbol("quote"):
        return made[1]
    return made
