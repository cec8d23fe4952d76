"""Short cuts for the tests of reading and printing."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.source import Source
from rtfs.syntax.printer import to_text
from rtfs.syntax.reader import Forms, read_forms
from rtfs.values import List, Map, ReaderError, Vector


def forms(text: str) -> Forms:
    return read_forms(Source(text, "test.rtfs"))


def one(text: str) -> Any:
    (form,) = forms(text)
    return form


def errors(text: str) -> list[ReaderError]:
    """All errors of `text`, which must have some."""
    with pytest.raises(ReaderError) as caught:
        forms(text)
    return [caught.value, *caught.value.others]


def found(text: str) -> list[tuple[str, int, int]]:
    """(code, line, column) of each error of `text`."""
    return [(error.code, error.span.line, error.span.column) for error in errors(text) if error.span is not None]


def one_by_one(value: Any) -> str:
    """What a value prints as, each element by itself."""
    kind = value.__class__
    if kind is Map:
        return "{" + " ".join(f"{one_by_one(key)} {one_by_one(item)}" for key, item in value.items()) + "}"
    if kind is Vector or kind is List:
        inside = " ".join(map(one_by_one, value))
        return f"[{inside}]" if kind is Vector else f"({inside})"
    return to_text(value)
