"""Warnings about calls that are seldom meant as they are written, each beside one that is fine."""

from __future__ import annotations

import pytest

import rtfs
from tests.checker.programs import new_runtime

NOTE = '(let [r (call "test.save" {:item {:name "x"}})]'

DOUBTFUL = [
    ("lint/pattern", '(split "a1b" "\\\\d")', '(split "a1b" #"\\\\d")'),
    ("lint/pattern", '(str/replace "a b" "[a-z]+" "x")', '(str/replace "a b" "[a" "x")'),
    ("lint/pattern", '(split "a.b" ".+")', '(split "a.b" ".")'),
    ("lint/may-be-nil", f"{NOTE} (upper (:note r)))", f'{NOTE} (upper (or (:note r) "")))'),
    ("lint/may-be-nil", f"{NOTE} (upper (:note r)))", f'{NOTE} (if (:note r) (upper (:note r)) ""))'),
    ("lint/may-be-nil", f"{NOTE} (upper (:note r)))", f"{NOTE} (str (:note r)))"),
    (
        "lint/may-be-nil",
        f"{NOTE} (upper (:note r)))",
        '(upper (:title (first (call "test.tickets" {:query "x"}))))',
    ),
    ("lint/unreachable", "(defn g [x] (if true (str x) (inc x)))", "(defn g [x] (if x (str x) (inc 1)))"),
    ("lint/unreachable", "(defn g [x] (if nil (str x) (inc x)))", "(defn g [x] (when true (inc x)))"),
]
"""Code, a program with the warning, one without."""


def warnings(text: str) -> list[str]:
    with new_runtime([]) as runtime:
        return [one.code for one in rtfs.analyse(text, runtime=runtime).diagnostics if not one.is_error]


@pytest.mark.parametrize(("code", "doubtful", "fine"), DOUBTFUL, ids=[f"{one[1]} {one[2]}" for one in DOUBTFUL])
def test_what_is_doubtful_is_warned_about_and_what_is_not_is_not(code: str, doubtful: str, fine: str):
    assert warnings(doubtful) == [code]
    assert warnings(fine) == []


def test_what_macros_make_is_not_warned_about():
    text = "(dotimes [i 3] (println i)) (case 1 1 :a 2) (assert true) (for [x [1] :when true] x) (doseq [x [1]] x)"
    assert warnings(text) == []
