"""Questions about all elements: any, every, where, greatest, sum."""

from __future__ import annotations

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.numbers import MAX_BITS
from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, Keyword, LimitError, List, Map, TypeMismatch, Vector

A, B = Keyword("a"), Keyword("b")


def run(name, *args):
    return to_text(CORE[name](*args))


def even(x):
    return x % 2 == 0


def identity(x):
    return x


@pytest.mark.parametrize(
    ("name", "on_none_fits", "on_one_fits", "on_all_fit", "on_nil"),
    [
        ("every?", "false", "false", "true", "true"),
        ("some?", "false", "true", "true", "false"),
        ("some", "nil", "true", "true", "nil"),
        ("any?", "false", "true", "true", "false"),
        ("not-any?", "true", "false", "false", "true"),
    ],
)
def test_quantifiers(name, on_none_fits, on_one_fits, on_all_fit, on_nil):
    colls = (Vector([1, 3]), List([1, 2]), Vector([2, 4]), None)
    assert [run(name, even, coll) for coll in colls] == [on_none_fits, on_one_fits, on_all_fit, on_nil]


def test_only_nil_and_false_do_not_fit():
    assert CORE["every?"](identity, Vector([0, "", Vector()])) is True
    assert CORE["some"](identity, Vector([None, False, 0])) == 0
    assert CORE["any?"](identity, Vector([None, False])) is False


def test_some_with_one_argument_asks_for_nil():
    assert [CORE["some?"](value) for value in (None, False, 0)] == [False, True, True]


def test_searching_stops_at_the_first_that_decides():
    seen = []

    def look(x):
        seen.append(x)
        return x == 2

    for name in ("some", "any?", "not-any?", "some?"):
        seen.clear()
        CORE[name](look, Vector([1, 2, 3]))
        assert seen == [1, 2]


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("max-by", (A, Vector([Map({A: 1}), Map({A: 3}), Map({A: 2})])), "{:a 3}"),
        ("max-by", (identity, Vector()), "nil"),
        ("max-by", (identity, None), "nil"),
        ("max-by", (lambda x: 0, Vector([1, 2])), "1"),
        ("min-by", (lambda x: 0, Vector([1, 2])), "1"),
        ("min-by", (abs, Vector([-3, 2, -1])), "-1"),
        ("max-by", (lambda e: e[1], Map({A: 1, B: 2})), "[:b 2]"),
        ("max-by", (identity, Vector([1, "a", None])), '"a"'),
        ("max-by", (identity, Vector([None])), "nil"),
        ("sum", (Vector([1, 2.5]),), "3.5"),
        ("sum", (None,), "0"),
        ("index-of", (Vector([1.0, True, 1]), 1), "2"),
        ("index-of", (Vector([1]), 1.0), "nil"),
        ("index-of", (List([A, B]), B), "1"),
        ("index-of", (Vector([Vector([1])]), List([1])), "0"),
        ("index-of", (Vector([0, False]), False), "1"),
        ("index-of", (Vector([1, None]), None), "1"),
        ("index-of", ("hello", "l"), "2"),
        ("index-of", ("hello", "z"), "nil"),
        ("index-of", (None, 1), "nil"),
        ("contains?", (Map({A: None}), A), "true"),
        ("contains?", (Map({1: A}), 1.0), "false"),
        ("contains?", (Vector([5, 6]), 1), "false"),
        ("contains?", (List([5, 6]), 6), "true"),
        ("contains?", ("abc", "bc"), "true"),
        ("contains?", (None, 1), "false"),
    ],
)
def test_value(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sum", (Vector(["a"]),)),
        ("sum", (Vector([True]),)),
        ("sum", (5,)),
        ("index-of", ("abc", 1)),
        ("index-of", (5, 1)),
        ("contains?", ("abc", 1)),
        ("contains?", (5, 1)),
        ("every?", (identity, 5)),
        ("some?", (identity, 5)),
        ("max-by", (identity, 5)),
    ],
)
def test_wrong_kinds_are_type_errors(name, args):
    with pytest.raises(TypeMismatch):
        CORE[name](*args)


def test_sums_keep_the_rules_of_addition():
    with pytest.raises(EvalError) as caught:
        CORE["sum"](Vector([10**400, 0.5]))
    assert caught.value.code == "arithmetic/overflow"
    largest = (1 << MAX_BITS) - 1
    for total in (CORE["sum"], lambda coll: CORE["reduce"](CORE["+"], coll)):
        with pytest.raises(LimitError):
            total(Vector([largest, largest]))
