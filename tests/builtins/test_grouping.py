"""Gathering equal elements: RTFS equality, first-seen order."""

from __future__ import annotations

import pytest

from rtfs.builtins import CORE
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, List, Map, TypeMismatch, Vector

A, B = Keyword("a"), Keyword("b")
MIXED = Vector([1, 1.0, True, 1, False, 0, Vector([1]), Vector([1.0]), List([1])])


def run(name, *args):
    return to_text(CORE[name](*args))


def identity(x):
    return x


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("distinct", (MIXED,), "[1 1.0 true false 0 [1] [1.0]]"),
        ("distinct", (List([2, 2]),), "(2)"),
        ("distinct", ("aabbc",), '["a" "b" "c"]'),
        ("distinct", (None,), "[]"),
        ("distinct", (Map({A: 1}),), "[[:a 1]]"),
        ("frequencies", (MIXED,), "{1 2 1.0 1 true 1 false 1 0 1 [1] 2 [1.0] 1}"),
        ("frequencies", ("aab",), '{"a" 2 "b" 1}'),
        ("frequencies", (Vector([B, A, B, None]),), "{:b 2 :a 1 nil 1}"),
        ("frequencies", (None,), "{}"),
        ("group-by", (identity, Vector([1, 1.0, True, 1])), "{1 [1 1] 1.0 [1.0] true [true]}"),
        ("group-by", (lambda x: x > 1, List([2, 1, 3])), "{true [2 3] false [1]}"),
        ("group-by", (A, Vector([Map({A: 1}), Map()])), "{1 [{:a 1}] nil [{}]}"),
        ("group-by", (identity, None), "{}"),
        ("partition-by", (identity, Vector([1, 1, 1.0, True, 1])), "[[1 1] [1.0] [true] [1]]"),
        ("partition-by", (identity, List([1, 2])), "((1) (2))"),
        ("partition-by", (lambda x: None, "ab"), '[["a" "b"]]'),
        ("partition-by", (identity, None), "[]"),
    ],
)
def test_value_and_order(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize(
    ("name", "args"),
    [("distinct", (5,)), ("frequencies", (5,)), ("group-by", (identity, 5)), ("partition-by", (identity, 5))],
)
def test_what_is_no_sequence_is_a_type_error(name, args):
    with pytest.raises(TypeMismatch):
        CORE[name](*args)
