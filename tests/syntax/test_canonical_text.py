"""The text of values in one order: the short way writes what the long way does."""

from __future__ import annotations

from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.syntax.canonical_text import canonical_text
from rtfs.syntax.collector import CollectorPaused
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, LimitError, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.canonical import canonical
from rtfs.values.step_account import account
from tests.syntax.support import one_by_one

NAMES = st.text("ab!-/", min_size=1, max_size=3).filter(lambda name: "/" not in name or name == "a/b")
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    NAMES.map(Keyword),
    st.sampled_from((Symbol("a"), Regex("a+"))),
)


def collections(inner: Any) -> Any:
    items = st.lists(inner, max_size=4)
    keys = st.one_of(NAMES.map(Keyword), st.text('a! "\\', max_size=3), inner)
    pairs = st.one_of(
        st.lists(st.tuples(NAMES.map(Keyword), inner), max_size=5),
        st.lists(st.tuples(st.text('a! "\\', max_size=3), inner), max_size=5),
        st.lists(st.tuples(keys, inner), max_size=4),
    )
    return st.one_of(items.map(Vector), items.map(List), items.map(Set), pairs.map(Map))


@settings(max_examples=500, deadline=None)
@given(st.recursive(LEAVES, collections, max_leaves=20))
def test_it_is_the_text_of_the_canonical_value(value: Any) -> None:
    assert canonical_text(value) == to_text(canonical(value))


def nested(depth: int) -> Any:
    value: Any = Map([(Keyword("b"), 1), (Keyword("a"), 2)])
    for _ in range(depth):
        value = Vector([value, value]) if depth < 20 else Vector([value])
    return value


ROWS = Vector([Map([("b", n), ("a", Vector([n, Set([2, 1])])), ("c", {}.get)]) for n in range(700)])


MIXED = Vector(
    [Map([(key, n)]) for n in range(400) for key in ("a", Keyword("a"), Vector([1]), List([1]), 1, 1.0, True)]
)
KEYED = Map([(Keyword(f"k{n}"), n) for n in range(900)])


@pytest.mark.parametrize(
    "value", [ROWS, Map([(str(n), n) for n in range(900)]), List([ROWS]), Map([("rows", ROWS)]), KEYED, MIXED]
)
def test_many_rows_are_written_one_by_one(value: Any) -> None:
    assert canonical_text(value) == one_by_one(canonical(value))


def test_what_is_too_long_to_print_has_no_text_either() -> None:
    shared = Vector(["x" * 1_000_000] * 300)
    with pytest.raises(LimitError) as caught:
        canonical_text(Vector([shared] * 300))
    assert caught.value.code == "limit/size"


@pytest.mark.parametrize("value", [nested(5), nested(10), nested(1000), Vector(range(1000)), Vector([len, {}.get])])
def test_large_and_deep_values_and_functions_are_written_too(value: Any) -> None:
    assert canonical_text(value) == to_text(canonical(value))


CELLS = [
    st.integers(),
    st.sampled_from([10**520, -(10**600), 7]),
    st.floats(),
    st.text('ab"\\ \n\u200b', max_size=3),
    st.booleans(),
    st.none(),
    NAMES.map(Keyword),
    LEAVES,
    st.lists(st.integers(), max_size=3).map(Vector),
    st.lists(LEAVES, min_size=2, max_size=2).map(lambda pair: Map(zip("ab", pair, strict=True))),
    st.lists(st.lists(st.text("a%", max_size=2), min_size=2, max_size=2).map(Vector), max_size=2).map(Vector),
]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(st.sampled_from(range(len(CELLS))), max_size=4), st.booleans())
def test_rows_with_the_same_keys_are_written_by_columns(data: st.DataObject, kinds: list[int], keywords: bool) -> None:
    names: list[Any] = [Keyword(f"k%{n}") if keywords else f"k%{9 - n}" for n in range(len(kinds))]
    rows = data.draw(st.lists(st.tuples(*[CELLS[kind] for kind in kinds]), min_size=1, max_size=5))
    value = Vector([Map(zip(names, row, strict=True)) for row in rows] * (300 // len(rows)))
    assert canonical_text(value) == one_by_one(canonical(value))


@pytest.mark.parametrize(
    "rows",
    [
        [Map([("a", n)] if n % 2 else [("b", n)]) for n in range(600)],
        [Map([("a", n), ("b", n)] if n % 2 else [("b", n), ("a", n)]) for n in range(600)],
        [Map([("a", "x" * 10_000)])] * 600,
        [Map([("a", Vector(range(300)))])] * 600,
        [Map()] * 600,
        [Vector()] * 600,
        [List([n]) for n in range(600)],
        [Vector([Set([2, 1])])] * 600,
    ],
    ids=["other keys", "other order", "long strings", "many parts", "no keys", "no elements", "lists", "sets"],
)
def test_rows_without_common_columns_are_written_one_by_one(rows: list[Any]) -> None:
    assert canonical_text(Vector(rows)) == one_by_one(canonical(Vector(rows)))


@pytest.mark.parametrize(
    "value",
    [
        Set(range(400_000)),
        Map([(n, n) for n in range(400_000)]),
        Map([(str(n), n) for n in range(400_000)]),
    ],
    ids=["a set", "a map of numbers", "a map of strings"],
)
def test_many_keys_are_sorted_in_parts(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = last = thread_time()
    stretches: list[float] = []

    def pay(elements: int) -> None:
        nonlocal last
        now = thread_time()
        stretches.append(now - last)
        last = now

    monkeypatch.setattr(account, "pay", pay)
    with CollectorPaused():
        canonical_text(value)
    pay(0)
    assert max(stretches) < (last - begun) / 2
