"""The text of values in one order: the short way writes what the long way does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.syntax.canonical_text import canonical_text
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, LimitError, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.canonical import canonical

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
    assert canonical_text(value) == to_text(canonical(value))


def test_what_is_too_long_to_print_has_no_text_either() -> None:
    shared = Vector(["x" * 1_000_000] * 300)
    with pytest.raises(LimitError) as caught:
        canonical_text(Vector([shared] * 300))
    assert caught.value.code == "limit/size"


@pytest.mark.parametrize("value", [nested(5), nested(10), nested(1000), Vector(range(1000)), Vector([len, {}.get])])
def test_large_and_deep_values_and_functions_are_written_too(value: Any) -> None:
    assert canonical_text(value) == to_text(canonical(value))
