"""What a program leaves behind is given back while it runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import rtfs
from rtfs.machine import garbage

CYCLES = """
(defn spin [rounds]
  (loop [i 0]
    (if (< i rounds)
      (let [held (vec (range 100000))
            f (fn [k] (if (= k 0) (count held) (g (- k 1))))
            g (fn [k] (if (= k 0) held (f (- k 1))))]
        (f 1)
        (recur (inc i)))
      i)))
(spin 200)
"""


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Python does not collect by itself."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_functions_that_hold_each_other_and_much_more_are_collected_by_what_they_hold(
    monkeypatch: pytest.MonkeyPatch,
):
    with rtfs.Runtime() as runtime:
        assert runtime.run(CYCLES) == 200
        left = gc.collect()
        monkeypatch.setattr(garbage, "ELEMENTS", 10**12)
        assert runtime.run(CYCLES) == 200
        assert left < gc.collect() / 4


def test_looking_at_everything_is_followed_by_a_longer_time_in_which_only_the_young_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
):
    looks: list[tuple[int, ...]] = []
    clock = iter([0.0, 0.5, 1.0, 5.4, 5.6, 5.6])

    class Collector:
        @staticmethod
        def collect(*generation: int) -> None:
            looks.append(generation)

    monkeypatch.setattr(garbage, "gc", Collector)
    monkeypatch.setattr(garbage, "monotonic", lambda: next(clock))
    monkeypatch.setattr(garbage, "_whole_from", 0.0)
    monkeypatch.setattr(garbage, "_made", 0)
    for _ in range(4):
        garbage.made(garbage.ELEMENTS - 1)
        garbage.made(1)
    assert looks == [(), (1,), (1,), ()]
