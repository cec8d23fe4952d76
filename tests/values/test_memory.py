"""Large collections cost little more than Python's, however they were made, and versions share."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from rtfs.values import List, Map, Vector

N = 100_000
NUMBERS = list(range(N))


def size_of(make: Callable[[], Any]) -> int:
    """The least of three: what other tests left running in a thread allocates as well."""
    sizes = []
    for _ in range(3):
        tracemalloc.start()
        made = make()
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del made
    return min(sizes)


def by_conj() -> Any:
    v = Vector()
    for n in NUMBERS:
        v = v.conj(n)
    return v


def by_cons() -> Any:
    v = List()
    for n in NUMBERS:
        v = v.cons(n)
    return v


def by_vector_assoc() -> Any:
    v = Vector(NUMBERS)
    for n in NUMBERS:
        v = v.assoc(n, None)
    return v


def by_map_assoc() -> Any:
    m = Map()
    for n in NUMBERS:
        m = m.assoc(n, n)
    return m


def by_overwriting() -> Any:
    m = Map.of_plain(dict.fromkeys(NUMBERS))
    for n in NUMBERS:
        m = m.assoc(n, n)
    return m


@pytest.mark.parametrize("make", [by_conj, by_cons, by_vector_assoc])
def test_vectors_and_lists(make: Callable[[], Any]) -> None:
    assert size_of(make) <= 1.5 * size_of(lambda: list(iter(NUMBERS)))


@pytest.mark.parametrize("make", [by_map_assoc, by_overwriting])
def test_maps(make: Callable[[], Any]) -> None:
    assert size_of(make) <= 1.5 * size_of(lambda: {n: n for n in NUMBERS})


def test_a_thousand_forks_share_what_they_come_from() -> None:
    m, v = by_map_assoc(), by_conj()
    assert size_of(lambda: [m.assoc(k, "x").assoc("y", k).dissoc(k + 1) for k in range(1000)]) < 2_500_000
    assert size_of(lambda: [v.assoc(k, "x").conj(k).cons(k) for k in range(1000)]) < 2_500_000
