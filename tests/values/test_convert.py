"""Python data becomes values and back; what cannot is said, never lost."""

from __future__ import annotations

import enum
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, LimitError, List, Map, Set, Symbol, UserError, Vector, equal, from_python, to_python
from rtfs.values.keyword import is_keyword_name

json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=20,
)


@given(json_like, st.booleans())
def test_json_like_data_comes_back(data: Any, keywords: bool) -> None:
    back = to_python(from_python(data, keywords=keywords))
    assert repr(back) == repr(data)


def test_each_kind() -> None:
    assert equal(
        from_python({"a": [1, 2.0, (True, None)], 1: {"b c": "d"}}),
        Map({"a": Vector([1, 2.0, Vector([True, None])]), 1: Map({"b c": "d"})}),
    )
    assert from_python({"a": 1, "b c": 2, "1": 3}, keywords=True) == Map({"a": 1, "b c": 2, "1": 3})
    assert [*from_python({"a": [1], "b c": {"d": 2}, "e": 3}, keywords=True).items()] == [
        ("a", Vector([1])),
        ("b c", Map({Keyword("d"): 2})),
        ("e", 3),
    ]
    assert from_python([{"a": 1, "b": {"b c": 2}}], keywords=True) == Vector(
        [Map({Keyword("a"): 1, Keyword("b"): Map({"b c": 2})})]
    )
    assert list(from_python({(1, (2,)): 1, True: 2, 1.5: 3})) == [Vector([1, Vector([2])]), True, 1.5]
    v = Vector([1])
    error = UserError("a", "b")
    for value in (v, List([1]), Map(), Symbol("a"), Keyword("a"), error, len.__class__ and test_each_kind):
        assert from_python(value) is value
        assert from_python([value])[0] is value


def as_values(data: Any, keywords: bool) -> Any:
    """The value of plain data, made the simple way."""
    if isinstance(data, dict):
        named = keywords and all(map(is_keyword_name, data))
        return Map((Keyword(key) if named else key, as_values(item, keywords)) for key, item in data.items())
    return Vector([as_values(item, keywords) for item in data]) if isinstance(data, (list, tuple)) else data


cells = st.integers() | st.text(max_size=3) | st.none() | st.floats(allow_nan=False) | st.booleans()
lists = st.lists(cells, max_size=3) | st.lists(st.lists(cells, max_size=2), max_size=2)
rows = st.builds(
    lambda names, rows, more: [dict(zip(names, row, strict=False)) for row in rows] * more,
    st.lists(st.sampled_from(["a", "b", "a b", "x/y", "", "1"]), unique=True, max_size=4),
    st.lists(st.lists(cells | lists | json_like, min_size=4, max_size=4), min_size=5, max_size=12),
    st.sampled_from([1, 1, 1, 60]),
)


@settings(max_examples=40, deadline=None)
@given(rows | st.lists(rows, max_size=3) | st.lists(lists, max_size=20), st.booleans(), json_like)
def test_rows_become_what_each_of_them_does_and_stay_as_they_are(data: Any, keywords: bool, last: Any) -> None:
    for whole in (data, [*data, last], {"rows": data}):
        before = repr(whole)
        made = from_python(whole, keywords=keywords)
        assert to_text(made) == to_text(as_values(whole, keywords))
        assert repr(whole) == before


def test_rows_of_which_one_is_odd() -> None:
    plain = [{"a": n, "b": [n]} for n in range(600)]
    odd: list[tuple[Any, Any]] = [
        ({"b": [1], "a": 2}, Map([("b", Vector([1])), ("a", 2)])),
        ({1: 2, "b": [1]}, Map([(1, 2), ("b", Vector([1]))])),
        (OrderedDict(a=1, b=2), Map([("a", 1), ("b", 2)])),
        ({"a": (1, 2), "b": {3}}, Map([("a", Vector([1, 2])), ("b", Set([3]))])),
        ({"a": Vector([[1]]), "b": Map()}, None),
        ((), Vector()),
        (7, 7),
    ]
    for one, value in odd:
        for place in (0, 300, 600):
            made = from_python([*plain[:place], one, *plain[place:]])
            expected = from_python(one) if value is None else value
            assert to_text(made[place]) == to_text(expected)
            assert to_text(Vector([*made][:place])) == to_text(as_values(plain[:place], False))
            assert to_text(Vector([*made][place + 1 :])) == to_text(as_values(plain[place:], False))
    for bad in (object(), {"a": object(), "b": []}, {"a": [object()], "b": []}):
        with pytest.raises(TypeError, match="object"):
            from_python([*plain, bad])
    inside: Any = [{"a": 1, "b": []} for _ in range(20)]
    inside[7]["b"].append(inside)
    with pytest.raises(ValueError, match="contains itself"):
        from_python(inside)


def test_rows_may_be_deep_and_many() -> None:
    deep: Any = 1
    for level in range(40):  # with two collections each: more than what is converted by recursion
        deep = [{"a": deep, "b": 2}] * 9 if level < 3 else [{"a": deep}]
    assert to_text(from_python(deep)) == to_text(as_values(deep, False))
    many = [{"a": n, "b": [n, n]} for n in range(60_000)]
    made = from_python(many, keywords=True)
    assert len(made) == 60_000
    assert made[59_999] == Map({Keyword("a"): 59_999, Keyword("b"): Vector([59_999, 59_999])})


def test_subclasses_become_the_plain_kind() -> None:
    class Colour(enum.IntEnum):
        RED = 3

    class Name(str):
        __slots__ = ()

    class Ratio(float):
        pass

    made = from_python(OrderedDict(a=[Colour.RED, Name("n"), Ratio(0.5)]))
    assert made == Map({"a": Vector([3, "n", 0.5])})
    assert [x.__class__ for x in made["a"]] == [int, str, float]


@pytest.mark.parametrize("bad", [b"x", Decimal(1), object(), iter([]), [1, {"a": b"x"}], {b"k": 1}])
def test_other_objects_are_a_type_error_that_names_them(bad: Any) -> None:
    with pytest.raises(TypeError, match="has no RTFS value"):
        from_python(bad)


def test_data_that_contains_itself() -> None:
    loop: list[Any] = [1]
    loop.append({"a": loop})
    with pytest.raises(ValueError, match="contains itself"):
        from_python(loop)
    twice = [1]
    assert from_python([twice, twice]) == Vector([Vector([1]), Vector([1])])


def test_an_endless_tower_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from rtfs.values import convert

    monkeypatch.setattr(convert, "_MOST", 10_000)
    data: Any = [1]
    value: Any = Vector([1])
    for _ in range(100):
        data, value = [data, data], Vector([value, value])
    with pytest.raises(LimitError):
        from_python(data)
    with pytest.raises(LimitError):
        to_python(value)


def test_keys_that_would_become_one_are_an_error() -> None:
    assert equal(from_python({"a": 1, Keyword("a"): 2}, keywords=True), Map({"a": 1, Keyword("a"): 2}))
    for value in (Map({"a": 1, Keyword("a"): 2}), Map([(1, 1), (1.0, 2)]), Map([(True, 1), (1, 2)])):
        with pytest.raises(ValueError, match="same"):
            to_python(value)


def test_to_python() -> None:
    value = Map({Keyword("a"): List([Keyword("k"), Symbol("s"), Map()]), Vector([1, List([2])]): None})
    assert to_python(value) == {"a": ["k", "s", {}], (1, (2,)): None}
    assert to_python(5) == 5
    assert to_python(Map({Map(): 1})) == {Map(): 1}
