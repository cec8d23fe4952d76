"""Vectors and lists behave like immutable Python lists, however versions branch and whatever is made of others."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.values import List, Vector

OPERATIONS = ("conj", "conj", "cons", "cons", "assoc", "assoc", "slice", "rest", "pop", "popped conj", "rest cons")


def step(v: Any, model: list[Any], operation: str, n: int, value: Any) -> tuple[Any, list[Any]]:
    size = len(model)
    if operation == "conj":
        return v.conj(value), [*model, value]
    if operation == "cons":
        return v.cons(value), [value, *model]
    if operation == "assoc":
        i = n % (size + 1)
        return v.assoc(i, value), [*model[:i], value, *model[i + 1 :]]
    if operation == "slice":
        a = n % (size + 1)
        b = a + (n // 7) % (size + 1 - a)
        return v.slice(a, b), model[a:b]
    if not size:
        return v, model
    if operation == "rest":
        return v.slice(1, size), model[1:]
    if operation == "pop":
        return v.slice(0, size - 1), model[:-1]
    if operation == "popped conj":
        return v.slice(0, size - 1).conj(value), [*model[:-1], value]
    return v.slice(1, size).cons(value), [value, *model[1:]]


def same(v: Any, model: list[Any]) -> None:
    assert len(v) == len(model)
    assert v.to_list() == model
    assert list(v) == model
    for i in {0, 1, len(model) // 2, len(model) - 1}:
        if 0 <= i < len(model):
            assert v[i] == model[i]
            assert v[i - len(model)] == model[i]
    with pytest.raises(IndexError):
        v[len(model)]
    with pytest.raises(IndexError):
        v[-len(model) - 1]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from((0, 3, 30, 63, 64, 65, 200, 511, 513, 1500)),
    st.sampled_from((Vector, List)),
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(OPERATIONS), st.integers(0, 10**6), st.integers(1, 90)),
        max_size=40,
    ),
)
def test_branching_versions_stay_what_they_are(size: int, kind: Any, steps: list[Any]) -> None:
    versions = [(kind.of(list(range(size))), list(range(size)))]
    label = 0
    for which, operation, n, times in steps:
        v, model = versions[which % len(versions)]
        for k in range(times):
            label += 1
            v, model = step(v, model, operation, n + k * 7919, -label)
        versions.append((v, model))
    for v, model in versions:
        assert v.__class__ is kind
        same(v, model)


@pytest.mark.parametrize("size", [10, 70, 600, 3000])
@pytest.mark.parametrize("seed", range(4))
def test_long_histories_with_random_parents(size: int, seed: int) -> None:
    rng = random.Random(f"{size} {seed}")
    versions = [(Vector(range(size)), list(range(size)))]
    for k in range(1500):
        first = max(0, len(versions) - 3) if rng.random() < 0.9 else 0
        i = rng.randrange(first, len(versions))
        v, model = step(*versions[i], rng.choice(OPERATIONS[:6] + OPERATIONS[7:]), rng.randrange(10**6), -k)
        if len(versions) > 40:
            versions[rng.randrange(40)] = (v, model)
        else:
            versions.append((v, model))
    for v, model in versions:
        same(v, model)


def test_every_version_of_a_long_chain_of_assocs_is_kept() -> None:
    versions = [Vector(range(1000))]
    for k in range(3000):
        versions.append(versions[-1].assoc(k * 37 % 1000, -k))
    model = list(range(1000))
    for k, v in enumerate(versions):
        if k:
            model[(k - 1) * 37 % 1000] = -(k - 1)
        assert v[k * 11 % 1000] == model[k * 11 % 1000]
        if k % 100 == 0:
            assert v.to_list() == model


def test_iteration_ends_where_the_sequence_ends() -> None:
    v = Vector(range(100))
    seen = []
    grown = v
    for x in v:
        seen.append(x)
        grown = grown.conj(x)
    assert seen == list(range(100))
    assert len(grown) == 200


def test_index_errors_and_python_slices() -> None:
    v = Vector([1, 2, 3])
    for bad in (3, -4):
        with pytest.raises(IndexError):
            v[bad]
    for index in (-1, 4):
        with pytest.raises(IndexError):
            v.assoc(index, 0)
    for a, b in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(IndexError):
            v.slice(a, b)
    assert v[1:] == Vector([2, 3])
    assert v[::-1] == List([3, 2, 1])
    assert list(reversed(v)) == [3, 2, 1]
    assert v.index(2) == 1
    assert 1.0 not in v
    assert v.count(True) == 0


def test_a_small_view_does_not_keep_a_large_sequence_alive() -> None:
    import weakref

    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    v = Vector([held, *range(1000)])
    part = v.slice(600, 1001)
    rest = v.slice(1, 1001)
    for _ in range(600):
        rest = rest.slice(1, len(rest))
    consed = List(range(10))
    for _ in range(100):
        consed = consed.cons(held)
    tail = consed.slice(101, 110)
    del v, held, consed
    assert alive() is None
    assert (len(part), len(rest), len(tail)) == (401, 400, 9)


def test_replaced_values_are_let_go() -> None:
    import weakref

    class Held:
        pass

    alive = weakref.WeakSet()
    v = Vector([None] * 100)
    for k in range(10_000):
        held = Held()
        alive.add(held)
        v = v.assoc(k % 100, held)
    assert len(v) == 100
    assert len(alive) <= 250


def test_they_are_python_sequences() -> None:
    from collections.abc import Sequence

    assert isinstance(Vector(), Sequence)
    assert isinstance(List(), Sequence)
    assert repr(Vector([1, List(["a"])])) == "Vector([1, List(['a'])])"


def test_info_is_kept_beside_and_ignored() -> None:
    from rtfs.source import Source
    from rtfs.values import FormInfo

    info = FormInfo(Source("[1]"), 0, 3)
    v = Vector([1])
    noted = v.with_info(info)
    assert noted.info is info
    assert v.info is None
    assert noted == v
    assert noted.conj(2).info is None
