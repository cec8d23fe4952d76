"""Maps behave like immutable ordered dicts keyed by the language's equality, however versions branch."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.values import Keyword, List, Map, Symbol, Vector, equal

OPERATIONS = ("assoc", "assoc", "assoc", "dissoc", "overwrite", "move", "bulk")
ODD = [None, True, False, 0, 0.0, 1, 1.0, "a", Keyword("a"), Symbol("a"), Vector([1]), Vector([1.0]), List([2]), Map()]
Pairs = list[tuple[Any, Any]]


def key_of(n: int) -> Any:
    return ODD[n] if n < len(ODD) else n * 8 if n % 3 else f"k{n}"


def put(model: Pairs, key: Any, value: Any) -> Pairs:
    for i, (k, _) in enumerate(model):
        if k.__class__ is key.__class__ and k == key:
            return [*model[:i], (k, value), *model[i + 1 :]]
    return [*model, (key, value)]


def take(model: Pairs, key: Any) -> Pairs:
    return [(k, v) for k, v in model if not (k.__class__ is key.__class__ and k == key)]


def step(m: Map, model: Pairs, operation: str, n: int, value: Any) -> tuple[Map, Pairs]:
    key = key_of(n)
    if model and operation in ("dissoc", "overwrite", "move"):
        key = model[n % len(model)][0]
    if operation in ("assoc", "overwrite"):
        return m.assoc(key, value), put(model, key, value)
    if operation == "dissoc":
        return m.dissoc(key), take(model, key)
    if operation == "move":
        return m.dissoc(key).assoc(key, value), [*take(model, key), (key, value)]
    pairs = [(key_of(n + i), value) for i in range(n % 9)]
    for k, v in pairs:
        model = put(model, k, v)
    return m.merge_pairs(pairs), model


def exactly(pairs: Any) -> list[Any]:
    return [(k.__class__, k, v) for k, v in pairs]


def same(m: Map, model: Pairs) -> None:
    assert len(m) == len(model)
    assert exactly(m.items()) == exactly(model)
    assert [k.__class__ for k in m] == [k.__class__ for k, _ in model]
    assert list(m.values()) == [v for _, v in model]
    held = {(k.__class__, k): v for k, v in model}
    for key in [*ODD, *(k for k, _ in model[::37]), "absent", 10**9]:
        assert m.get(key, "none") == held.get((key.__class__, key), "none")
        assert (key in m) == ((key.__class__, key) in held)


def start(size: int) -> tuple[Map, Pairs]:
    model = [(k, k) for k in range(-size, 0)]
    return Map(model), model


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from((0, 3, 31, 33, 100, 511, 513, 700)),
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(OPERATIONS), st.integers(0, 500), st.integers(1, 60)), max_size=30
    ),
)
def test_branching_versions_stay_what_they_are(size: int, steps: list[Any]) -> None:
    versions = [start(size)]
    label = 0
    for which, operation, n, times in steps:
        m, model = versions[which % len(versions)]
        for k in range(times):
            label += 1
            m, model = step(m, model, operation, n + k * 13, label)
        versions.append((m, model))
    for m, model in versions:
        same(m, model)
    for (a, _), (b, _) in pairwise(versions):
        assert equal(a, Map(a.items()))
        assert equal(a, b) == (dict(exactly_keyed(a)) == dict(exactly_keyed(b)))


def exactly_keyed(m: Map) -> list[Any]:
    return [((k.__class__, k), v) for k, v in m.items()]


@pytest.mark.parametrize("size", [10, 100, 800])
@pytest.mark.parametrize("seed", range(4))
def test_long_histories_with_random_parents(size: int, seed: int) -> None:
    rng = random.Random(f"{size} {seed}")
    versions = [start(size)]
    for k in range(1200):
        first = max(0, len(versions) - 3) if rng.random() < 0.9 else 0
        i = rng.randrange(first, len(versions))
        m, model = step(*versions[i], rng.choice(OPERATIONS), rng.randrange(400), k)
        if len(versions) > 30:
            versions[rng.randrange(30)] = (m, model)
        else:
            versions.append((m, model))
    for m, model in versions:
        same(m, model)


def test_every_version_of_a_long_chain_is_kept() -> None:
    versions = [Map()]
    for k in range(4000):
        versions.append(versions[-1].assoc(k % 1000 if k >= 2000 else k, -k))
    for k, m in enumerate(versions):
        assert len(m) == min(k, 2000)
        if k:
            last = k - 1
            assert m.get(last % 1000 if last >= 2000 else last) == -last
        assert m.get(k + 5000) is None
    assert list(versions[1500].items()) == [(k, -k) for k in range(1500)]


def test_a_key_put_back_comes_last_in_its_version_only() -> None:
    base = Map((k, k) for k in range(2000))
    for k in range(50):
        base = base.assoc(k, -k)
    moved = base.dissoc(3).assoc(3, "new")
    again = moved.dissoc(4).assoc(4, "new").assoc("x", 1).dissoc(3)
    fork = base.dissoc(7).assoc(7, "fork").assoc(8, "in place")
    assert list(base) == list(range(2000))
    assert list(moved) == [k for k in range(2000) if k != 3] + [3]
    assert list(again) == [k for k in range(2000) if k not in (3, 4)] + [4, "x"]
    assert list(fork) == [k for k in range(2000) if k != 7] + [7]
    assert (base.get(3), moved.get(3), again.get(3, "gone"), fork.get(8)) == (-3, "new", "gone", "in place")


def test_emptying_and_refilling_a_large_map() -> None:
    m = Map((k, k) for k in range(3000))
    for k in range(3000):
        m = m.dissoc(k)
    assert len(m) == 0
    assert list(m) == []
    for k in reversed(range(100)):
        m = m.assoc(k, k)
    assert list(m) == list(reversed(range(100)))


def test_replaced_values_are_let_go() -> None:
    import weakref

    class Held:
        pass

    alive: Any = weakref.WeakSet()
    m = Map()
    for k in range(20_000):
        held = Held()
        alive.add(held)
        m = m.assoc(k % 200, held)
    assert len(m) == 200
    assert len(alive) <= 450


def test_nan_is_never_found() -> None:
    nan = float("nan")
    m = Map().assoc(nan, 1).assoc(nan, 2)
    assert len(m) == 2
    assert m.get(nan) is None
    assert m.dissoc(nan) is m
    assert m != Map(m.items())
    assert not equal(m, m)


def test_constructors() -> None:
    assert list(Map({True: 1}).items()) == [(True, 1)]
    assert next(iter(Map({True: 1}))) is True
    assert list(Map([(1, "a"), (1.0, "b"), (1, "c")]).items()) == [(1, "c"), (1.0, "b")]
    d = {"a": 1}
    assert Map(d) == Map.of_plain({"a": 1})
    d["b"] = 2
    copy = Map(d)
    d["c"] = 3
    assert len(copy) == 2
    assert Map(copy) == copy
    assert len(Map(Map({1.5: 1}))) == 1
    assert list(Map(Map({1.5: 1}))) == [1.5]
    from rtfs.values.map import encode_key

    assert list(Map.of_encoded({encode_key(1.5): 1, "a": 2})) == [1.5, "a"]


def test_it_is_a_python_mapping() -> None:
    from collections.abc import Mapping

    m = Map({Keyword("a"): 1, 1.0: 2})
    assert isinstance(m, Mapping)
    assert m[1.0] == 2
    with pytest.raises(KeyError):
        m[1]
    assert m.to_dict() == {Keyword("a"): 1, 1.0: 2}
    assert repr(m) == "Map({Keyword('a'): 1, 1.0: 2})"
