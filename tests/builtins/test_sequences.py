"""Elements by place, counts and stretches of sequences."""

from __future__ import annotations

import pytest

from rtfs.builtins import CORE
from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, Keyword, List, Map, TypeMismatch, Vector

A, B, D = Keyword("a"), Keyword("b"), Keyword("d")
VEC, LIST, MAP = Vector([1, 2, 3]), List([1, 2, 3]), Map({A: 1, B: 2})


def run(name, *args):
    return to_text(CORE[name](*args))


@pytest.mark.parametrize(
    ("name", "on_vector", "on_list", "on_string", "on_map", "on_nil"),
    [
        ("first", "1", "1", '"x"', "[:a 1]", "nil"),
        ("second", "2", "2", '"y"', "[:b 2]", "nil"),
        ("last", "3", "3", '"y"', "[:b 2]", "nil"),
        ("rest", "[2 3]", "(2 3)", '["y"]', "[[:b 2]]", "[]"),
        ("next", "[2 3]", "(2 3)", '["y"]', "[[:b 2]]", "nil"),
        ("reverse", "[3 2 1]", "(3 2 1)", '["y" "x"]', "[[:b 2] [:a 1]]", "[]"),
        ("count", "3", "3", "2", "2", "0"),
        ("length", "3", "3", "2", "2", "0"),
        ("empty?", "false", "false", "false", "false", "true"),
        ("not-empty", "[1 2 3]", "(1 2 3)", '"xy"', "{:a 1 :b 2}", "nil"),
    ],
)
def test_every_sequence_is_taken(name, on_vector, on_list, on_string, on_map, on_nil):
    expected = [on_vector, on_list, on_string, on_map, on_nil]
    assert [run(name, coll) for coll in (VEC, LIST, "xy", MAP, None)] == expected


@pytest.mark.parametrize("empty", [Vector(), List(), "", Map(), None])
def test_nothing_is_found_in_what_is_empty(empty):
    assert [CORE[name](empty) for name in ("first", "second", "last", "next", "not-empty")] == [None] * 5
    assert CORE["empty?"](empty) is True
    assert len(CORE["rest"](empty)) == 0


@pytest.mark.parametrize("name", ["first", "second", "last", "rest", "next", "reverse", "count", "empty?", "not-empty"])
@pytest.mark.parametrize("value", [5, True, A])
def test_what_is_no_sequence_is_a_type_error(name, value):
    with pytest.raises(TypeMismatch):
        CORE[name](value)


def test_nth_counts_from_zero_in_every_sequence():
    assert [run("nth", coll, 1) for coll in (VEC, LIST, "xy", MAP)] == ["2", "2", '"y"', "[:b 2]"]


@pytest.mark.parametrize("index", [-1, 3, 10**30])
def test_nth_outside_is_an_index_error_or_the_default(index):
    with pytest.raises(EvalError) as caught:
        CORE["nth"](VEC, index)
    assert caught.value.code.startswith("index")
    assert CORE["nth"](VEC, index, D) is D
    assert CORE["nth"](VEC, index, None) is None


def test_nth_of_nil_is_the_default_or_nil():
    assert CORE["nth"](None, 0) is None
    assert CORE["nth"](None, 0, D) is D


@pytest.mark.parametrize("index", ["a", 1.0, True, None])
def test_nth_needs_an_integer(index):
    with pytest.raises(TypeMismatch):
        CORE["nth"](VEC, index)


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("take", (2, VEC), "[1 2]"),
        ("take", (2, LIST), "(1 2)"),
        ("take", (9, VEC), "[1 2 3]"),
        ("take", (-1, VEC), "[]"),
        ("take", (1, MAP), "[[:a 1]]"),
        ("take", (2, "abc"), '["a" "b"]'),
        ("take", (2, None), "[]"),
        ("take", (10**30, MAP), "[[:a 1] [:b 2]]"),
        ("drop", (1, LIST), "(2 3)"),
        ("drop", (-1, VEC), "[1 2 3]"),
        ("drop", (-1, "ab"), '["a" "b"]'),
        ("drop", (10**30, VEC), "[]"),
        ("drop", (1, "ab"), '["b"]'),
        ("subvec", (VEC, 1), "[2 3]"),
        ("subvec", (VEC, 1, 2), "[2]"),
        ("subvec", (VEC, 3), "[]"),
        ("subvec", (LIST, 0, 2), "(1 2)"),
        ("split-at", (2, VEC), "[[1 2] [3]]"),
        ("split-at", (1, LIST), "[(1) (2 3)]"),
        ("split-at", (9, None), "[[] []]"),
        ("split-at", (-1, VEC), "[[] [1 2 3]]"),
        ("partition", (2, VEC), "[[1 2]]"),
        ("partition", (2, LIST), "((1 2))"),
        ("partition", (1, "ab"), '[["a"] ["b"]]'),
        ("partition", (2, None), "[]"),
        ("partition", (2, 1, VEC), "[[1 2] [2 3]]"),
        ("partition", (1, 2, VEC), "[[1] [3]]"),
    ],
)
def test_stretches_of_a_sequence(name, args, printed):
    assert run(name, *args) == printed


def test_take_while_and_drop_while_meet_at_the_first_that_does_not_fit():
    def small(x):
        return x < 2 or None

    assert (run("take-while", small, VEC), run("drop-while", small, VEC)) == ("[1]", "[2 3]")
    assert (run("take-while", small, List([1, 5, 0])), run("drop-while", small, List([1, 5, 0]))) == ("(1)", "(5 0)")
    assert run("drop-while", small, None) == "[]"
    assert run("take-while", lambda c: c != "c", "abcd") == '["a" "b"]'


@pytest.mark.parametrize("args", [(VEC, -1), (VEC, 4), (VEC, 1, 5), (VEC, 2, 1), (None, 1)])
def test_subvec_outside_is_an_index_error(args):
    with pytest.raises(EvalError) as caught:
        CORE["subvec"](*args)
    assert caught.value.code.startswith("index")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("take", ("a", VEC)),
        ("take", (1.5, VEC)),
        ("drop", (True, VEC)),
        ("split-at", (None, VEC)),
        ("subvec", (VEC, "a")),
        ("partition", (0, VEC)),
        ("partition", ("2", VEC)),
        ("partition", (1, 0, VEC)),
        ("take", (1, 5)),
        ("drop", (1, 5)),
    ],
)
def test_counts_must_be_integers_and_collections_sequences(name, args):
    with pytest.raises(TypeMismatch):
        CORE[name](*args)


def test_rest_shares_so_that_walking_a_large_vector_is_linear():
    coll = Vector(range(100_000))
    total = 0
    while not CORE["empty?"](coll):
        total += CORE["first"](coll)
        coll = CORE["rest"](coll)
    assert total == sum(range(100_000))
