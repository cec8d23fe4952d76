"""`rtfs.fix` makes the corrections that are certain, and no others."""

from __future__ import annotations

import pytest

import rtfs
from tests.checker.programs import new_runtime

FIXED = [
    ("(prinln 1)", "(println 1)"),
    ("(let [total 1] (+ totl 1))", "(let [total 1] (+ total 1))"),
    ("(len [1])", "(count [1])"),
    ("(if None 1 null)", "(if nil 1 nil)"),
    ('(str/joinn "," ["a"])', '(str/join "," ["a"])'),
    ("(map inc [1 2))", "(map inc [1 2])"),
    ("(inc 1))", "(inc 1)"),
    ("(defn f [x :strng] x) 1", "(defn f [x :string] x) 1"),
    ('(call "test.tikets" {:query "x"})', '(call "test.tickets" {:query "x"})'),
    ('(call :test.tikets {:query "x"})', '(call :test.tickets {:query "x"})'),
    ('(call "test.tickets" {:qurey "x"})', '(call "test.tickets" {:query "x"})'),
    ('(call "test.tickets" {:query "x" :limti 3})', '(call "test.tickets" {:query "x" :limit 3})'),
    (
        '(let [n 3] (call "test.tickets" {:query "x" :limti n}))',
        '(let [n 3] (call "test.tickets" {:query "x" :limit n}))',
    ),
    ('(call "test.tickets" {:query "x" :state "opne"})', '(call "test.tickets" {:query "x" :state "open"})'),
    ('(call "test.save" {:item {:nmae "x"}})', '(call "test.save" {:item {:name "x"}})'),
    ('(call "test.tikets" {:qurey "x"})', '(call "test.tickets" {:query "x"})'),
    ("(let [m {:title 1}] (inc (:titel m)))", "(let [m {:title 1}] (inc (:title m)))"),
]

LEFT = [
    '(+ 1 "a")',
    "(+ 1 2",
    "(append [1] 2)",
    "(len [1] 2)",
    "(xyzzy 1)",
    '(call "test.tickets" {:query 1})',
    '(call "test.nothing.like.it" {})',
]


@pytest.mark.parametrize(("text", "wanted"), FIXED, ids=[text for text, _ in FIXED])
def test_what_is_certain_is_corrected(text: str, wanted: str):
    with new_runtime([]) as runtime:
        found = rtfs.fix(text, runtime=runtime)
    assert found.text == wanted
    assert found.made
    assert found.analysis.errors == []


@pytest.mark.parametrize("text", LEFT)
def test_what_is_not_certain_is_left_and_reported(text: str):
    with new_runtime([]) as runtime:
        found = rtfs.fix(text, runtime=runtime)
    assert found.text == text
    assert found.analysis.errors


def test_a_word_that_stands_twice_in_the_place_is_left():
    text = '(call "test.tickets" {:query (str :limti) :limti 3})'
    with new_runtime([]) as runtime:
        assert rtfs.fix(text, runtime=runtime).text == text


def test_fixing_a_fixed_text_changes_nothing():
    with new_runtime([]) as runtime:
        for text, wanted in FIXED:
            assert rtfs.fix(wanted, runtime=runtime).text == wanted, text
