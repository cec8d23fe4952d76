"""Sorting: total order, comparators, stability."""

from __future__ import annotations

import random

import pytest

from rtfs.builtins import CORE
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, List, Map, TypeMismatch, Vector

A, B, N = Keyword("a"), Keyword("b"), Keyword("n")


def run(name, *args):
    return to_text(CORE[name](*args))


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        (
            "sort",
            (Vector([2, "a", None, True, A, 1.5, Vector([1]), Map({A: 1}), False]),),
            '[nil false true 1.5 2 "a" :a [1] {:a 1}]',
        ),
        ("sort", (List([3, 1, 2]),), "(1 2 3)"),
        ("sort", ("hello",), '["e" "h" "l" "l" "o"]'),
        ("sort", (Map({B: 1, A: 2}),), "[[:a 2] [:b 1]]"),
        ("sort", (None,), "[]"),
        ("sort", (CORE[">"], Vector([3, 1, 2])), "[3 2 1]"),
        ("sort", (CORE["<"], List([3, 1.5, 2])), "(1.5 2 3)"),
        ("sort", (CORE[">"], "abc"), '["c" "b" "a"]'),
        ("sort", (lambda a, b: a > b, Vector([1, 3, 2])), "[3 2 1]"),
        ("sort", (lambda a, b: b - a, Vector([1, 3, 2])), "[3 2 1]"),
        ("sort", (lambda a, b: None, Vector([1, 3, 2])), "[1 3 2]"),
        ("sort", (CORE[">"], None), "[]"),
        ("sort-by", (N, Vector([Map({N: "a"}), Map({N: 2}), Map()])), '[{} {:n 2} {:n "a"}]'),
        ("sort-by", (lambda x: -x, List([1, 3, 2])), "(3 2 1)"),
        ("sort-by", (lambda s: s, CORE[">"], Vector([1, 3, 2])), "[3 2 1]"),
        ("sort-by", (lambda e: e[1], Map({A: 2, B: 1})), "[[:b 1] [:a 2]]"),
        ("sort-by", (lambda x: x, None), "[]"),
    ],
)
def test_order(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("comparator", [lambda a, b: a[0] < b[0], lambda a, b: a[0] - b[0]])
def test_sorting_with_a_comparator_is_stable_and_complete(size, comparator):
    chance = random.Random(size)
    pairs = [(chance.randrange(10), i) for i in range(size)]
    coll = Vector([Vector(pair) for pair in pairs])
    result = [tuple(pair.to_list()) for pair in CORE["sort"](comparator, coll)]
    assert result == sorted(pairs, key=lambda pair: pair[0])


def test_builtin_comparators_are_stable_too():
    pairs = Vector([Vector([i % 3, i]) for i in range(30)])
    descending = CORE["sort-by"](lambda pair: pair[0], CORE[">"], pairs).to_list()
    assert [pair.to_list() for pair in descending] == sorted([[i % 3, i] for i in range(30)], key=lambda p: -p[0])


def test_sort_by_calls_the_function_once_for_each_element_in_order():
    seen = []

    def key(x):
        seen.append(x)
        return -x

    CORE["sort-by"](key, Vector([1, 3, 2]))
    assert seen == [1, 3, 2]


def test_a_comparator_must_answer_a_boolean_or_a_number():
    with pytest.raises(TypeMismatch):
        CORE["sort"](lambda a, b: "yes", Vector([1, 2]))


def test_what_is_no_sequence_is_a_type_error():
    for args in ((5,), (CORE["<"], 5)):
        with pytest.raises(TypeMismatch):
            CORE["sort"](*args)
    with pytest.raises(TypeMismatch):
        CORE["sort-by"](lambda x: x, 5)


def test_mixed_kinds_with_less_than_are_a_type_error():
    with pytest.raises(TypeMismatch):
        CORE["sort"](CORE["<"], Vector([1, "a"]))
