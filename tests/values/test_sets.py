"""Sets and regular expressions as values: equality, hash, order, canonical order, conversion, the journal's text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.compiler.units import constants
from rtfs.host.durable import codec
from rtfs.syntax.printer import to_text
from rtfs.values import (
    EvalError,
    Keyword,
    List,
    Map,
    Regex,
    Set,
    Vector,
    compare,
    equal,
    from_python,
    hash_of,
    sorted_values,
    to_python,
)
from rtfs.values.canonical import canonical

ATOMS: Any = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, -2.5]), st.sampled_from(["", "a", "b"]),
    st.sampled_from([Keyword("a"), Keyword("b/c")]), st.just(Regex("a+")),
)  # fmt: skip
VALUES: Any = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(Vector),
        st.lists(inner, max_size=4).map(List),
        st.lists(inner, max_size=4).map(Set),
        st.lists(st.tuples(inner, inner), max_size=3).map(Map),
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=6))
def test_a_set_is_equal_to_itself_in_any_order_with_one_hash(elements: list[Any]) -> None:
    one, other = Set(elements), Set(elements[::-1])
    assert equal(one, other)
    assert hash_of(one) == hash_of(other)
    assert compare(one, other) == 0


@given(st.lists(VALUES, max_size=5), VALUES)
def test_a_set_does_what_a_list_without_equal_elements_does(elements: list[Any], value: Any) -> None:
    model: list[Any] = []
    for element in elements:
        if not any(equal(element, there) for there in model):
            model.append(element)
    made = Set()
    for element in elements:
        made = made.conj(element)
    assert [to_text(one) for one in made] == [to_text(one) for one in model]
    assert len(made) == len(model)
    assert (value in made) is any(equal(value, there) for there in model)
    left = [to_text(one) for one in model if not equal(one, value)]
    assert [to_text(one) for one in made.disj(value)] == left
    assert [to_text(one) for one in Set().union(elements)] == [to_text(one) for one in model]


@given(VALUES)
def test_what_is_written_to_the_journal_or_a_unit_comes_back(value: Any) -> None:
    assert to_text(codec.decode(codec.encode(value))) == to_text(value)
    assert to_text(constants.decode(constants.encode(value))) == to_text(value)


@given(VALUES)
def test_equal_values_have_one_canonical_text(value: Any) -> None:
    def turned(one: Any) -> Any:
        if isinstance(one, Set):
            return Set([turned(part) for part in one][::-1])
        if isinstance(one, Map):
            return Map([(turned(key), turned(item)) for key, item in one.items()][::-1])
        return one.__class__([turned(part) for part in one]) if isinstance(one, (Vector, List)) else one

    other = turned(value)
    assert equal(value, other)
    assert equal(canonical(value), value)
    assert to_text(canonical(value)) == to_text(canonical(other))
    assert canonical(canonical(value)) is canonical(canonical(value)) or isinstance(value, (Map, Set, Vector, List))


def test_canonical_gives_back_what_is_in_order() -> None:
    for value in (5, Map(), Map([(Keyword("a"), 1), (Keyword("b"), Vector([Set([1, 2])]))]), Set([len])):
        assert canonical(value) is value


def test_large_sets_share_their_versions() -> None:
    big = Set(range(10_000))
    more, less = big.conj(-1), big.disj(5)
    assert (len(big), len(more), len(less)) == (10_000, 10_001, 9_999)
    assert [5 in more, 5 in less, -1 in big] == [True, False, False]
    assert list(big.union([5, -7]))[-1] == -7


def test_sets_nested_a_hundred_thousand_deep_are_values_like_others() -> None:
    one = other = Set()
    for _ in range(100_000):
        one, other = Set([one]), Set([other])
    assert equal(one, other)
    assert compare(one, other) == 0
    assert len(to_text(one)) == 300_003


def test_sets_come_before_regular_expressions_and_after_maps() -> None:
    ordered = [Map(), Set(), Set([5]), Set([1, 2]), Regex("a"), Regex("b")]
    assert [to_text(one) for one in sorted_values(ordered[::-1])] == [to_text(one) for one in ordered]


def test_a_set_is_called_with_one_argument() -> None:
    assert Set([Vector([1])])(List([1])) == Vector([1])
    assert Set([1])(2) is None
    with pytest.raises(EvalError):
        Set([1])(1, 2)


def test_pythons_sets_become_sets_in_one_order_and_go_back() -> None:
    assert to_text(from_python({"b", "a", 3, (2, 1)})) == '#{3 "a" "b" [2 1]}'
    assert to_text(from_python({"k": frozenset({1})})) == '{"k" #{1}}'
    assert to_python(Set([1, Set([2])])) == frozenset({1, frozenset({2})})
    assert to_python(Set([Vector([1]), 2])) == [[1], 2]
    assert to_python(Set([1, 1.0])) == [1, 1.0]
    assert to_python(Map([(Set([1]), 2)])) == {frozenset({1}): 2}
    assert to_python(Regex("a")) == Regex("a")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\d", r'#"\d"'), ('a"b', r'#"a\"b"'), (r"a\"b", r'#"a\"b"'), ("a\nb", '#"a\nb"'), ("\0", r'#"\x{0}"'),
        (r"\Q" + '"' + r"\E", r'#"\Q\E\"\Q\E"'), ("\\\\", r'#"\\"'),
    ],
)  # fmt: skip
def test_the_text_of_a_regular_expression_reads_back(pattern: str, text: str) -> None:
    import rtfs

    made = Regex(pattern)
    assert to_text(made) == text
    assert rtfs.read_value(text) == made
