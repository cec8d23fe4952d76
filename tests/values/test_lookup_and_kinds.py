"""Lookups, collections and keywords as functions, and the names of kinds."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from rtfs.values import EvalError, Keyword, List, Map, Symbol, TypeMismatch, UserError, Vector, type_name
from rtfs.values.keyword import is_keyword_name
from rtfs.values.lookup import get, keyword_get

A, B = Keyword("a"), Keyword("b")


def test_get() -> None:
    assert get(Map({A: 1}), A) == 1
    assert get(Map({A: None}), A, 5) is None
    assert get(Map(), A, 5) == 5
    assert get(None, A, 5) == 5
    assert get(Vector([1, 2]), 1) == 2
    assert get(List([1, 2]), 2, "d") == "d"
    assert get(Vector([1, 2]), -1) is None
    assert get(Vector([1, 2]), True) is None
    assert get(Vector([1, 2]), A) is None
    assert get("abc", 1) == "b"
    for bad in (5, True, A, Symbol("s"), len):
        with pytest.raises(TypeMismatch):
            get(bad, A)


def test_errors_answer_their_fields() -> None:
    error = UserError("type/mismatch", "no", data=Vector([1]), capability="x.y")
    assert get(error, Keyword("code")) is Keyword("type/mismatch")
    assert keyword_get(Keyword("message"), error) == "no"
    assert Keyword("data")(error) == Vector([1])
    assert Keyword("capability")(error) == "x.y"
    assert Keyword("span")(error, 7) == 7


def test_keywords_are_functions_of_maps_errors_and_nil() -> None:
    m = Map({A: 1})
    assert A(m) == 1
    assert B(m) is None
    assert B(m, 2) == 2
    assert A(None) is None
    assert A(None, 3) == 3
    for bad in (Vector([1]), "a", 5):
        with pytest.raises(TypeMismatch):
            A(bad)
    for args in ((), (m, 1, 2)):
        with pytest.raises(EvalError) as caught:
            A(*args)
        assert caught.value.code == "arity"


def test_maps_and_vectors_are_functions() -> None:
    m, v = Map({A: 1, 1.0: 2}), Vector([10, 20])
    assert (m(A), m(1.0), m(1), m(B, 3), v(1)) == (1, 2, None, 3, 20)
    for callee, args, code in (
        (m, (), "arity"),
        (m, (A, 1, 2), "arity"),
        (v, (), "arity"),
        (v, (0, 1), "arity"),
        (v, (2,), "index/out-of-bounds"),
        (v, (-1,), "index/out-of-bounds"),
        (v, (True,), "type/mismatch"),
        (v, ("a",), "type/mismatch"),
    ):
        with pytest.raises(EvalError) as caught:
            callee(*args)  # type: ignore[operator]
        assert caught.value.code == code
    assert not callable(List())


def test_names_of_kinds() -> None:
    named: list[tuple[Any, str]] = [
        (None, "nil"),
        (True, "boolean"),
        (1, "integer"),
        (1.0, "float"),
        ("", "string"),
        (A, "keyword"),
        (Symbol("a"), "symbol"),
        (Vector(), "vector"),
        (List(), "list"),
        (Map(), "map"),
        (lambda: 1, "function"),
        (len, "function"),
        (EvalError("a", "b"), "error"),
        (object(), "foreign"),
    ]
    assert [type_name(value) for value, _ in named] == [name for _, name in named]


def test_keywords_are_one_object() -> None:
    assert Keyword("a") is A
    assert pickle.loads(pickle.dumps(A)) is A
    assert copy.deepcopy(A) is A
    with pytest.raises(AttributeError):
        A.name = "b"
    with pytest.raises(TypeError):
        Keyword(1)  # type: ignore[arg-type]


def test_names_that_become_keywords_read_back() -> None:
    from rtfs.source import Source
    from rtfs.syntax.reader import read_forms

    good = ["a", "a-b", "b/c", "x.y/z", "a1", "_", "$ref", "a?", "naïve", "größe", "日本", "+", "-1", "a.b", "nil"]
    bad = ["1", "1a", "a:b", ":a", "/", "a/", "/a", "a/b/c", "a/1", "@type", "a,b", "#a", "a'", "(", "^a"]
    for name in good:
        assert is_keyword_name(name), name
        assert list(read_forms(Source(f":{name} 1"))) == [Keyword(name), 1]
    for name in [*bad, "", "a b", "a\n", "\u00a0", "x\u200b"]:
        assert not is_keyword_name(name), name


def test_keywords_that_nobody_holds_are_forgotten() -> None:
    from rtfs.values import keyword

    for k in range(20_000):
        Keyword(f"forgotten {k}")
    kept = [Keyword(f"kept {k}") for k in range(3000)]
    assert len(keyword._table) < 15_000
    assert all(Keyword(f"kept {k}") is kept[k] for k in range(3000))
