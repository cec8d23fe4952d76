"""`keyword symbol name namespace`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.builtins import CORE
from rtfs.builtins.names import reads_as_keyword, reads_as_symbol
from rtfs.source import Source
from rtfs.syntax.reader import read_forms
from rtfs.values import EvalError, Keyword, Symbol, TypeMismatch

WORDS = st.text(alphabet="ab1/:-+.#'%é ", min_size=1, max_size=6) | st.text(max_size=5)


@given(WORDS)
def test_what_is_said_to_read_back_reads_back(text: str) -> None:
    if reads_as_keyword(text):
        assert list(read_forms(Source(":" + text))) == [Keyword(text)]
    if reads_as_symbol(text):
        assert list(read_forms(Source(text))) == [Symbol(text)]


@pytest.mark.parametrize("text", ["a", "ns/a", "com.acme:v1.0/x", "größe", "+", "a'b", "1a"])
def test_keywords_of_usual_names(text: str) -> None:
    assert CORE["keyword"](text) is Keyword(text)


@pytest.mark.parametrize("text", ["", "a b", "a:", ":a", "a)", 'a"', "a\n", "a::b", "#a"])
def test_no_keyword_is_made_that_would_not_read_back(text: str) -> None:
    with pytest.raises(EvalError) as caught:
        CORE["keyword"](text)
    assert caught.value.code == "argument/invalid"


@pytest.mark.parametrize("text", ["", "nil", "true", "12", "1a", ":a", "a b", "2023-12-25T10:30:45Z", "resource://a"])
def test_no_symbol_is_made_that_would_not_read_back(text: str) -> None:
    with pytest.raises(EvalError):
        CORE["symbol"](text)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", Keyword("ns/a"), "a"),
        ("name", Symbol("/"), "/"),
        ("name", "s/t", "s/t"),
        ("namespace", Keyword("com.acme:v1/x"), "com.acme:v1"),
        ("namespace", Symbol("y"), None),
        ("symbol", Keyword("a"), Symbol("a")),
        ("keyword", Symbol("a"), Keyword("a")),
        ("symbol", Symbol("x"), Symbol("x")),
    ],
)
def test_values(name: str, value: Any, expected: Any) -> None:
    assert CORE[name](value) == expected


@pytest.mark.parametrize(("name", "value"), [("name", 5), ("namespace", "a/b"), ("keyword", 1), ("symbol", None)])
def test_wrong_kinds(name: str, value: Any) -> None:
    with pytest.raises(TypeMismatch):
        CORE[name](value)
