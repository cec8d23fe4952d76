"""Messages name the offending value in short, whatever its size."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.argument_errors import index_error, shown, size_error, type_error
from rtfs.values import EvalError, Keyword, List, Map, Symbol, Vector

DEEP = Vector()
for _ in range(100):
    DEEP = Vector([DEEP, DEEP])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nil"),
        (True, "the boolean true"),
        (5, "the integer 5"),
        (1 << 5000, "a very large integer"),
        ("a", 'the string "a"'),
        ("a" * 100, "a string of 100 characters"),
        (Keyword("a"), "the keyword :a"),
        (Symbol("s"), "the symbol s"),
        (Vector([1, "b"]), 'the vector [1 "b"]'),
        (List(), "the list ()"),
        (Map({Keyword("a"): 1}), "the map {:a 1}"),
        (Vector(range(9)), "a vector of 9 elements"),
        (Vector([Vector()]), "a vector of 1 element"),
        (Vector(["x" * 100]), "a vector of 1 element"),
        (Map({1: DEEP}), "a map of 1 entry"),
        (Map({i: i for i in range(9)}), "a map of 9 entries"),
        (DEEP, "a vector of 2 elements"),
        (CORE["inc"], "the function #<function inc>"),
    ],
)
def test_a_value_is_shown_in_short(value: Any, text: str) -> None:
    assert shown(value) == text


def test_an_error_is_shown_in_short() -> None:
    assert len(shown(EvalError("user/error", "x" * 1000))) < 100


def test_errors_name_function_expectation_and_value() -> None:
    assert type_error("nth", "the index", "an integer", "a").message == (
        '(nth …) needs an integer as the index, but got the string "a"'
    )
    assert index_error("nth", 5, 2).code == "index/out-of-bounds"
    assert size_error("str").code == "limit/size"
