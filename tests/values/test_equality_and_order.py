"""Laws of `=`, of the hash that goes with it, and of the order of `sort`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.values import (
    Keyword,
    LimitError,
    List,
    Map,
    Symbol,
    TypeMismatch,
    UserError,
    Vector,
    compare,
    equal,
    hash_of,
    sort_key,
    sorted_by,
    sorted_values,
)

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(2**62, 2**65),
    st.sampled_from((0.0, -0.0, 1.0, 1.5, float("inf"), float("-inf"))),
    st.sampled_from(("", "a", "b")),
    st.sampled_from(("a", "b")).map(Keyword),
    st.sampled_from(("a", "b")).map(Symbol),
)


def collections(inner: Any) -> Any:
    items = st.lists(inner, max_size=3)
    return st.one_of(items.map(Vector), items.map(List), st.lists(st.tuples(inner, inner), max_size=3).map(Map))


values = st.recursive(leaves, collections, max_leaves=8)


def naive(a: Any, b: Any) -> bool:
    """`=` as the language defines it, by plain recursion."""
    if isinstance(a, (Vector, List)) and isinstance(b, (Vector, List)):
        return len(a) == len(b) and all(naive(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Map) and isinstance(b, Map):
        return len(a) == len(b) and all(
            any(naive(k, other) and naive(v, w) for other, w in b.items()) for k, v in a.items()
        )
    return type(a) is type(b) and bool(a == b)


@settings(deadline=None, max_examples=400)
@given(values, values)
def test_equality_is_what_the_language_says_and_hashes_agree(a: Any, b: Any) -> None:
    assert equal(a, b) == naive(a, b) == equal(b, a)
    assert equal(a, a)
    if equal(a, b):
        assert hash_of(a) == hash_of(b)
        assert compare(a, b) == 0
    assert (Map([(a, 1)]).get(b) == 1) == naive(a, b)


@settings(deadline=None, max_examples=300)
@given(st.lists(values, max_size=6))
def test_the_order_is_total_and_sorting_stable(items: list[Any]) -> None:
    result = sorted_values(items)
    assert sorted(map(id, result)) == sorted(map(id, items))
    for a, b in pairwise(result):
        assert compare(a, b) <= 0
        assert compare(b, a) == -compare(a, b)
    assert [id(x) for x in sorted(items, key=sort_key)] == [id(x) for x in result]
    assert [id(x) for x in sorted_by(items, items)] == [id(x) for x in result]


def test_kinds_in_order() -> None:
    in_order = [
        None,
        False,
        True,
        float("-inf"),
        -1,
        -0.5,
        0,
        2**70,
        float("inf"),
        float("nan"),
        "",
        "B",
        "a",
        Keyword("a"),
        Keyword("b"),
        Symbol("a"),
        Vector(),
        List([None]),
        Vector([1]),
        List([1, 0]),
        Vector([1, 1]),
        Vector([Vector()]),
        Vector([Map()]),
        Map(),
        Map({"a": 1}),
        Map({"a": 2}),
        Map({"b": 0}),
        Map({"b": 0, "a": 5}),
    ]
    assert [repr(x) for x in sorted_values(in_order[::-1])] == [repr(x) for x in in_order]
    assert sorted_values([Vector([1, 2]), Vector([1])]) == [Vector([1]), Vector([1, 2])]


def test_equal_numbers_of_two_kinds_are_a_tie() -> None:
    assert repr(sorted_values([1.0, 1, 0])) == "[0, 1.0, 1]"
    assert repr(sorted_values([1, 1.0, 0])) == "[0, 1, 1.0]"
    assert sorted_by(["x", "y", "z"], [1.0, 1, 0.5]) == ["z", "x", "y"]


def test_nan_stands_behind_all_numbers_whatever_the_input_order() -> None:
    nan = float("nan")
    assert repr(sorted_values([2.0, nan, 1.0, nan, 3])) == "[1.0, 2.0, 3, nan, nan]"
    assert repr(sorted_by([0, 1, 2], [nan, 1, 0.5])) == "[2, 1, 0]"


@pytest.mark.parametrize("bad", [len, lambda: 1, UserError("a", "b"), Vector([print])])
def test_functions_and_errors_have_no_order(bad: Any) -> None:
    with pytest.raises(TypeMismatch, match="have no order"):
        sorted_values([bad, bad])
    with pytest.raises(TypeMismatch):
        compare(1, bad)


def test_strictness() -> None:
    nan = float("nan")
    same = Vector([nan])
    assert not equal(1, 1.0)
    assert not equal(1, True)
    assert not equal(0, False)
    assert not equal("a", Keyword("a"))
    assert not equal("a", Symbol("a"))
    assert not equal(nan, nan)
    assert not equal(same, same)
    assert equal(0.0, -0.0)
    assert not equal(None, Vector())
    assert not equal(Vector(), Map())
    assert not equal(Vector([1]), Vector([True]))
    assert equal(Vector([1, List([2])]), List([1, Vector([2])]))
    assert equal(len, len)
    assert not equal(lambda: 1, lambda: 1)
    assert hash_of(1) != hash_of(1.0) != hash_of(True)
    assert hash(Vector([1])) == hash(List([1]))


def test_what_is_shared_is_compared_and_hashed_once() -> None:
    def tower() -> Any:
        v: Any = Vector([1])
        m: Any = Map()
        for _ in range(200):
            v = Vector([v, v])
            m = Map({"a": m, "b": m, v: 1} if _ < 3 else {"a": m, "b": m})
        return Vector([v, m])

    a, b = tower(), tower()
    assert equal(a, b)
    assert equal(a, a)
    assert hash(a) == hash(b)
    assert not equal(a, a.conj(1))


def test_sorting_an_endless_tower_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from rtfs.values import order

    monkeypatch.setattr(order, "_MOST", 10_000)
    v: Any = Vector([1])
    for _ in range(100):
        v = Vector([v, v])
    with pytest.raises(LimitError):
        sorted_values([v, v])


_CELLS = st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b", ""]), st.sampled_from([Keyword("a"), Keyword("b/a")]))


@given(st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[_CELLS] * width), min_size=1, max_size=8)))
def test_rows_of_simple_columns_sort_as_by_their_sort_keys(rows: list[tuple[Any, ...]]) -> None:
    keys = [Vector(row) for row in rows]
    places = list(range(len(keys)))
    assert sorted_by(places, keys) == sorted(places, key=lambda place: sort_key(keys[place]))


@given(st.lists(st.tuples(st.integers(-2, 2), st.sampled_from(["a", "b"])), min_size=1, max_size=8))
def test_pairs_of_a_number_and_a_text_sort_as_by_their_sort_keys(rows: list[tuple[Any, ...]]) -> None:
    keys = [Vector(row) for row in rows]
    places = list(range(len(keys)))
    assert sorted_by(places, keys) == sorted(places, key=lambda place: sort_key(keys[place]))
