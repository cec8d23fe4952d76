"""Short cuts for the tests of reading and printing."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.source import Source
from rtfs.syntax.reader import Forms, read_forms
from rtfs.values import ReaderError


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
