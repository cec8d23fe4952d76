"""Values cross threads: versions made and read by several at once stay what they are."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from rtfs.values import Keyword, Map, Vector


@pytest.fixture(autouse=True)
def _switch_often() -> Any:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def together(work: Any, count: int = 4) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def body(n: int) -> None:
        try:
            barrier.wait()
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=body, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_all_go_on_from_one_vector() -> None:
    large = Vector(range(1000)).assoc(5, 5).cons(-1).slice(1, 1001)
    for base in (Vector(range(10)), Vector(range(300)).assoc(0, 0), large):
        model = list(base)

        def work(n: int, base: Any = base, model: list[int] = model) -> None:
            for k in range(300):
                v = base.conj((n, k)).cons((n, -k)).assoc(3, (n, k, "x")).conj(n)
                assert v.to_list() == [(n, -k), *model[:2], (n, k, "x"), *model[3:], (n, k), n]
                assert base.to_list() == model
                assert base[3] == model[3]

        together(work)


def test_all_go_on_from_one_map() -> None:
    for size in (10, 100, 1000):
        base = Map((k, k) for k in range(size))
        for k in range(70):
            base = base.assoc(k % size, k % size)
        model = {k: k for k in range(size)}

        def work(n: int, base: Map = base, model: dict[int, int] = model, size: int = size) -> None:
            for k in range(200):
                m = base.assoc(k % size, (n, k)).assoc((n, k), n).dissoc((k + 1) % size).assoc("last", n)
                expected = {**model, k % size: (n, k), (n, k): n, "last": n}
                del expected[(k + 1) % size]
                assert list(m.items()) == list(expected.items())
                assert list(base.items()) == list(model.items())
                assert base.get(k % size) == k % size

        together(work)


def test_one_writes_while_others_read_old_versions() -> None:
    m, v = Map((k, 0) for k in range(2000)), Vector([0] * 2000)
    for k in range(100):
        m, v = m.assoc(k, 0), v.assoc(k, 0)
    old_m, old_v = m, v

    def work(n: int) -> None:
        if n == 0:
            new_m, new_v = old_m, old_v
            for k in range(4000):
                new_m, new_v = new_m.assoc(k, 1), new_v.assoc(k % 2000, 1).conj(1)
                if k % 10 == 0:
                    new_m = new_m.dissoc(k)
        else:
            for k in range(1500):
                assert old_m.get(k) == 0
                assert old_v[k] == 0
                if k % 50 == 0:
                    assert list(old_m.items()) == [(i, 0) for i in range(2000)]
                    assert old_v.to_list() == [0] * 2000
                    assert len(old_m) == len(old_v) == 2000

    together(work)


def test_keywords_are_interned_once() -> None:
    made: list[list[Keyword]] = [[], [], [], []]

    def work(n: int) -> None:
        made[n].extend(Keyword(f"only here {k}") for k in range(300))

    together(work)
    assert all(x is y for row in made for x, y in zip(row, made[0], strict=True))
