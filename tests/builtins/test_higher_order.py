"""map, filter, reduce and their kin: kinds of results, truth, and calls that never go through C."""

from __future__ import annotations

import sys

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.argument_errors import MAX_ITEMS
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, LimitError, List, Map, TypeMismatch, Vector
from rtfs.values.step_account import LONGEST_PART, account

A, B = Keyword("a"), Keyword("b")


def run(name, *args):
    return to_text(CORE[name](*args))


def add(x, y=1, z=0, w=0):
    return x + y + z + w


def odd(x):
    return x % 2 == 1


def identity(x):
    return x


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("map", (add, Vector([1, 2])), "[2 3]"),
        ("map", (add, List([1, 2])), "(2 3)"),
        ("map", (identity, "ab"), '["a" "b"]'),
        ("map", (identity, Map({A: 1})), "[[:a 1]]"),
        ("map", (add, None), "[]"),
        ("map", (add, Vector([1, 2, 3]), Vector([10, 20])), "[11 22]"),
        ("map", (add, List([1]), Vector([2]), Vector([3])), "(6)"),
        ("map", (add, Vector([1]), Vector([2]), Vector([3]), Vector([4])), "[10]"),
        ("map", (A, Vector([Map({A: 1}), Map(), None])), "[1 nil nil]"),
        ("map", (Map({A: 1}), Vector([A, B])), "[1 nil]"),
        ("map", (Vector([10, 20]), Vector([1, 0])), "[20 10]"),
        ("map-indexed", (add, Vector([10, 20])), "[10 21]"),
        ("map-indexed", (add, List([5])), "(5)"),
        ("map-indexed", (add, None), "[]"),
        ("mapcat", (lambda x: List([x, x]), Vector([1, 2])), "[1 1 2 2]"),
        ("mapcat", (lambda x: Vector([x]) if odd(x) else None, Vector([1, 2, 3])), "[1 3]"),
        ("mapcat", (lambda x, y: Vector([x, y]), List([1, 2]), Vector([A, B])), "(1 :a 2 :b)"),
        ("filter", (odd, List([1, 2, 3])), "(1 3)"),
        ("filter", (identity, Vector([0, "", False, None, Vector(), True])), '[0 "" [] true]'),
        ("filter", (odd, None), "[]"),
        ("filter", (lambda entry: entry[1] > 1, Map({A: 1, B: 2})), "[[:b 2]]"),
        ("filter", (A, Vector([Map({A: True}), Map({A: None})])), "[{:a true}]"),
        ("remove", (identity, Vector([0, "", False, None])), "[false nil]"),
        ("remove", (odd, List([1, 2])), "(2)"),
        ("keep", (identity, Vector([None, False, 0])), "[false 0]"),
        ("keep", (A, Vector([Map({A: 1}), Map()])), "[1]"),
        ("reduce", (add, Vector([1, 2, 3])), "6"),
        ("reduce", (add, 10, List([1, 2])), "13"),
        ("reduce", (add, 10, None), "10"),
        ("reduce", (add, Vector(["alone"])), '"alone"'),
        ("reduce", (lambda: A, Vector()), ":a"),
        ("reduce", (lambda a, b: b + a, "abc"), '"cba"'),
        ("reduce", (CORE["+"], Vector([1, 2, 3])), "6"),
        ("reduce", (CORE["+"], 1, Vector([1, 2.5])), "4.5"),
        ("reduce", (CORE["+"], Vector()), "0"),
        ("reduce-kv", (lambda a, k, v: CORE["conj"](a, k, v), Vector(), Map({A: 1, B: 2})), "[:a 1 :b 2]"),
        ("reduce-kv", (lambda a, i, v: a + i * v, 0, Vector([5, 7])), "7"),
        ("reduce-kv", (add, 3, None), "3"),
    ],
)
def test_value_kind_and_truth(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize("name", ["map", "map-indexed", "mapcat", "filter", "remove", "keep", "reduce"])
def test_what_is_no_sequence_is_a_type_error(name):
    with pytest.raises(TypeMismatch):
        CORE[name](identity, 5)


def test_reduce_kv_needs_entries():
    with pytest.raises(TypeMismatch):
        CORE["reduce-kv"](add, 0, "abc")


def test_the_quick_sum_of_integers_lets_no_boolean_pass():
    with pytest.raises(TypeMismatch):
        CORE["reduce"](CORE["+"], Vector([1, True]))
    with pytest.raises(TypeMismatch):
        CORE["reduce"](CORE["+"], 0, Vector([1, True]))


def test_float_sums_add_from_the_left():
    numbers = Vector([0.1] * 10)
    total = 0.0
    for x in numbers:
        total = total + x
    assert CORE["reduce"](CORE["+"], numbers) == total


def test_a_function_that_cannot_be_called_is_pythons_type_error():
    with pytest.raises(TypeError):
        CORE["map"](5, Vector([1]))


def test_mapcat_is_capped_while_it_grows():
    part = CORE["repeat"](MAX_ITEMS // 2, 0)
    calls = []

    def give(x):
        calls.append(x)
        return part

    with pytest.raises(LimitError):
        CORE["mapcat"](give, Vector([1, 2, 3]))


def test_appending_to_the_collection_being_walked_does_not_show():
    coll = Vector([1, 2])
    grown = []

    def f(x):
        grown.append(coll.conj(x))
        return x

    assert run("map", f, coll) == "[1 2]"


@pytest.mark.parametrize(
    "nest",
    [
        lambda f: CORE["map"](f, Vector([1])),
        lambda f: CORE["map"](lambda x, y: f(x), Vector([1]), Vector([2])),
        lambda f: CORE["map-indexed"](lambda i, x: f(x), Vector([1])),
        lambda f: CORE["mapcat"](f, Vector([1])),
        lambda f: CORE["filter"](f, Vector([1])),
        lambda f: CORE["remove"](f, Vector([1])),
        lambda f: CORE["keep"](f, Vector([1])),
        lambda f: CORE["reduce"](lambda a, x: f(x), 0, Vector([1])),
        lambda f: CORE["reduce-kv"](lambda a, k, v: f(v), 0, Map({A: 1})),
        lambda f: CORE["every?"](f, Vector([1])),
        lambda f: CORE["some"](f, Vector([1])),
        lambda f: CORE["take-while"](f, Vector([1])),
        lambda f: CORE["sort-by"](f, Vector([1])),
        lambda f: CORE["sort"](lambda a, b: f(a) is None, Vector([2, 1])),
        lambda f: CORE["group-by"](f, Vector([1])),
        lambda f: CORE["partition-by"](f, Vector([1])),
        lambda f: CORE["max-by"](f, Vector([1])),
        lambda f: CORE["update"](Map({A: 1}), A, f),
        lambda f: CORE["update-in"](Map({A: 1}), Vector([A]), f),
        lambda f: CORE["merge-with"](lambda x, y: f(x), Map({A: 1}), Map({A: 2})),
    ],
)
def test_recursion_through_a_function_argument_takes_no_c_stack(nest):
    deepest = 50_000

    def descend(level):
        def f(x):
            if level < deepest:
                descend(level + 1)
            return Vector()

        try:
            nest(f)
        except TypeMismatch:
            pass

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        descend(0)
    finally:
        sys.setrecursionlimit(limit)


MANY = 10 * LONGEST_PART
LONG_WORK = {
    "map-indexed": (lambda i, x: x,),
    "keep-indexed": (lambda i, x: x,),
    "for*": (lambda x: Vector([x]),),
    "dedupe": (),
    "max-by": (identity,),
    "min-by": (identity,),
    "sum": (),
}


@pytest.mark.parametrize("name", LONG_WORK)
def test_the_machine_looks_at_the_clock_while_many_elements_are_gone_through(name, monkeypatch):
    looks = []
    monkeypatch.setattr(account, "pay", lambda steps: looks.append(steps) if not steps else None)
    CORE[name](*LONG_WORK[name], Vector([*range(MANY)]))
    assert len(looks) >= 10


def test_the_machine_looks_at_the_clock_while_a_keyword_is_looked_up_in_many_elements(monkeypatch):
    looks = []
    monkeypatch.setattr(account, "pay", lambda steps: looks.append(steps) if not steps else None)
    CORE["map"](A, Vector([None] * MANY))
    assert len(looks) >= 10
