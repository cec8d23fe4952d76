"""What the compiler knows of values' kinds makes code shorter, never different."""

from __future__ import annotations

import warnings

import pytest

from rtfs.compiler import compile_source
from rtfs.machine import RequiresHost, new_environment, start
from rtfs.source import Source
from rtfs.values import UserError
from tests.compiler.support import failure, printed


@pytest.mark.parametrize("head", ["1.5", "(+ 1.0 0.5)", '"a"', "(str 1)", "nil", "(= 1 2)", "(count [1])"])
def test_calling_what_is_known_to_be_no_function_is_an_error_and_no_python_warning(head: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failure(f"({head} 2)").code == "type/not-callable"


def test_the_arguments_of_what_cannot_be_called_are_computed_first():
    outcome = start(compile_source(Source('(1.5 (call "x" {}))', "test.rtfs"), new_environment()))
    assert isinstance(outcome, RequiresHost)
    with pytest.raises(UserError, match=r"1\.5 cannot be called"):
        outcome.resume(None)


@pytest.mark.parametrize("number", [0, -1, 1 << 30, -(1 << 30), (1 << 30) - 1, 10**30, -(10**30)])
def test_ints_of_any_size_become_text(number: int):
    assert printed(f"(str {number})") == f'"{number}"'
    assert printed(f"((fn [x] (str x)) {number})") == f'"{number}"'
    assert printed(f"(map (fn [x] (str (+ x {number}))) (range 1))") == f'["{number}"]'
    assert printed(f"((fn [n] (map (fn [x] (str (+ x n))) (range 1))) {number})") == f'["{number}"]'


@pytest.mark.parametrize("value", ["true", "nil", "1.0", ":a", "[1]", '"x"', "{:a 1}"])
def test_what_is_no_int_becomes_text_as_ever(value: str):
    assert printed(f"((fn [x] (str x)) {value})") == printed(f'(str {value} "")')


def test_words_are_counted_where_the_compiler_knows_them_to_be_strings():
    assert printed('(reduce (fn [m w] (assoc m w (inc (get m w 0)))) {} (split "a b a" " "))') == '{"a" 2 "b" 1}'
    assert printed('(defn split [s sep] [1.0 1 true]) (reduce (fn [m w] (assoc m w 1)) {} (split "" ""))') == (
        "{1.0 1 1 1 true 1}"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(nil? (* 2 3))", "false"),
        ("(= :a (+ 1 2))", "false"),
        ("(= nil (- 1 (+ 1 2)))", "false"),
        ("(some-> (+ 1 2) inc)", "4"),
    ],
)
def test_arithmetic_that_python_computes_beforehand_is_compared_without_a_python_warning(text: str, value: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert printed(text) == value
