"""Reading, changing and joining by key."""

from __future__ import annotations

import pytest

from rtfs.builtins import CORE
from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, Keyword, List, Map, TypeMismatch, Vector

A, B, C, X = (Keyword(name) for name in "abcx")
ONE_TWO = Map({A: 1, B: 2})


def run(name, *args):
    return to_text(CORE[name](*args))


def add(x, y=1, z=0):
    return x + y + z


def path(*keys):
    return Vector(keys)


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("get", (ONE_TWO, A), "1"),
        ("get", (ONE_TWO, X), "nil"),
        ("get", (ONE_TWO, X, 0), "0"),
        ("get", (Map({A: None}), A, 5), "nil"),
        ("get", (None, A), "nil"),
        ("get", (None, A, 5), "5"),
        ("get", (Vector([1, 2]), 1), "2"),
        ("get", (Vector([1, 2]), -1), "nil"),
        ("get", (Vector([1, 2]), 9, X), ":x"),
        ("get", (List([7]), 0), "7"),
        ("get", (Map([(1, A), (1.0, B), (True, C)]), True), ":c"),
        ("get-in", (Map({A: Vector([1, Map({B: 2})])}), path(A, 1, B)), "2"),
        ("get-in", (ONE_TWO, path(X, C), 42), "42"),
        ("get-in", (Map({A: None}), path(A), 5), "nil"),
        ("get-in", (Map({A: None}), path(A, B), 5), "5"),
        ("get-in", (ONE_TWO, path()), "{:a 1 :b 2}"),
        ("get-in", (None, path(A)), "nil"),
        ("assoc", (ONE_TWO, A, 9), "{:a 9 :b 2}"),
        ("assoc", (ONE_TWO, C, 3, A, 0), "{:a 0 :b 2 :c 3}"),
        ("assoc", (None, A, 1), "{:a 1}"),
        ("assoc", (Map({1: A}), 1.0, B), "{1 :a 1.0 :b}"),
        ("assoc", (Vector([1, 2]), 0, 9), "[9 2]"),
        ("assoc", (Vector([1, 2]), 2, 3, 3, 4), "[1 2 3 4]"),
        ("dissoc", (ONE_TWO, A, B), "{}"),
        ("dissoc", (ONE_TWO, X), "{:a 1 :b 2}"),
        ("dissoc", (ONE_TWO,), "{:a 1 :b 2}"),
        ("dissoc", (None, A), "nil"),
        ("assoc-in", (None, path(A, B), 1), "{:a {:b 1}}"),
        ("assoc-in", (Map({A: Map({C: 2})}), path(A, B), 1), "{:a {:c 2 :b 1}}"),
        ("assoc-in", (Vector([Vector([1]), Vector([2])]), path(1, 0), 9), "[[1] [9]]"),
        ("assoc-in", (Vector(), path(0, A), 1), "[{:a 1}]"),
        ("update", (ONE_TWO, A, add, 10), "{:a 11 :b 2}"),
        ("update", (ONE_TWO, A, add, 10, 5), "{:a 16 :b 2}"),
        ("update", (Vector([1, 2]), 0, add), "[2 2]"),
        ("update", (None, A, lambda x: x), "{:a nil}"),
        ("update-in", (Map({A: Map({B: 1})}), path(A, B), add, 5), "{:a {:b 6}}"),
        ("update-in", (None, path(A, B), lambda x: x), "{:a {:b nil}}"),
        ("update-in", (Map({A: Vector([1, 2])}), path(A, 1), add), "{:a [1 3]}"),
        ("select-keys", (ONE_TWO, path(B, X)), "{:b 2}"),
        ("select-keys", (Map({A: None}), List([A])), "{:a nil}"),
        ("select-keys", (None, path(A)), "{}"),
        ("select-keys", (Vector([7, 8]), path(1, 5)), "{1 8}"),
        ("rename-keys", (ONE_TWO, Map({A: X})), "{:x 1 :b 2}"),
        ("rename-keys", (ONE_TWO, Map({C: X})), "{:a 1 :b 2}"),
        ("rename-keys", (ONE_TWO, Map({A: B})), "{:b 1}"),
        ("rename-keys", (ONE_TWO, Map({B: A})), "{:a 2}"),
        ("rename-keys", (ONE_TWO, Map({A: B, B: A})), "{:b 1 :a 2}"),
        ("merge", (), "nil"),
        ("merge", (None, None), "nil"),
        ("merge", (ONE_TWO, None, Map({A: 5, C: 3})), "{:a 5 :b 2 :c 3}"),
        ("merge-with", (add, Map({A: 1}), Map({A: 2, B: 3}), None, Map({A: 4})), "{:a 7 :b 3}"),
        ("merge-with", (add, None), "nil"),
        ("keys", (Map([(X, 1), (1.0, 2), (True, 3)]),), "[:x 1.0 true]"),
        ("vals", (ONE_TWO,), "[1 2]"),
        ("keys", (None,), "nil"),
        ("vals", (None,), "nil"),
        ("key", (Vector([A, 1]),), ":a"),
        ("val", (Vector([A, 1]),), "1"),
        ("find", (Map({A: None}), A), "[:a nil]"),
        ("find", (ONE_TWO, X), "nil"),
        ("find", (None, X), "nil"),
    ],
)
def test_value_and_order(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("get-in", (ONE_TWO, A), "type"),
        ("assoc", (5, A, 1), "type"),
        ("assoc", ("abc", 0, "x"), "type"),
        ("assoc", (List([1]), 0, 2), "type"),
        ("assoc", (Vector([1]), A, 1), "type"),
        ("assoc", (Vector([1]), True, 1), "type"),
        ("assoc", (Vector([1]), -1, 1), "index"),
        ("assoc", (Vector([1]), 2, 1), "index"),
        ("assoc", (ONE_TWO, A, 1, B), "arity"),
        ("assoc-in", (ONE_TWO, path(A, B), 1), "type"),
        ("assoc-in", (ONE_TWO, A, 1), "type"),
        ("update", (5, A, add), "type"),
        ("update-in", (Map({A: "text"}), path(A, 0), add), "type"),
        ("dissoc", (Vector([1]), 0), "type"),
        ("select-keys", (List([1]), path(0)), "type"),
        ("rename-keys", (ONE_TWO, Vector()), "type"),
        ("merge", (ONE_TWO, 5), "type"),
        ("merge-with", (add, ONE_TWO, Vector()), "type"),
        ("keys", (Vector([1]),), "type"),
        ("vals", ("a",), "type"),
        ("key", (Vector([1]),), "type"),
        ("val", (5,), "type"),
        ("find", (5, A), "type"),
    ],
)
def test_errors(name, args, code):
    with pytest.raises(EvalError) as caught:
        CORE[name](*args)
    assert caught.value.code.split("/")[0] == code
    if code == "type":
        assert isinstance(caught.value, TypeMismatch)


def test_nothing_changes_its_arguments():
    inner = Map({B: 1})
    outer = Map({A: inner})
    CORE["assoc-in"](outer, path(A, B), 2)
    CORE["update-in"](outer, path(A, B), add)
    CORE["merge"](outer, Map({A: 0}))
    CORE["dissoc"](outer, A)
    assert to_text(outer) == "{:a {:b 1}}"
