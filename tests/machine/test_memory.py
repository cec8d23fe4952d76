"""What a program leaves behind is given back while it runs."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs.machine import Complete, Limits, RequiresHost, memory
from rtfs.machine.errors.deep import is_deep
from tests.machine.support import begin, error

CYCLES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))
import rtfs
print(rtfs.Runtime().run('''
  (loop [i 0]
    (if (< i 80)
      (let [held (vec (range 1000000))
            f (fn [k] (if (= k 0) (count held) (g (- k 1))))
            g (fn [k] (if (= k 0) held (f (- k 1))))]
        (f 1)
        (recur (inc i)))
      i))'''))
"""


def test_functions_that_hold_each_other_and_much_more_do_not_fill_the_memory():
    """80 rounds hold 3.2 GB if nothing is given back."""
    found = subprocess.run([sys.executable, "-c", CYCLES], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("80\n", "")


def test_everything_is_looked_through_when_the_process_has_grown_and_only_then(monkeypatch: pytest.MonkeyPatch):
    megabyte = 1 << 20
    before = iter((100, 300, 357, 440, 457, 2990, 3001))
    size, after = 0, {357: 200, 457: 2000, 3001: 2900}
    collected: list[int] = []

    class Collector:
        @staticmethod
        def collect() -> None:
            nonlocal size
            collected.append(size)
            size = after[size]

    monkeypatch.setattr(memory, "gc", Collector)
    monkeypatch.setattr(memory, "resident", lambda: size * megabyte)
    monkeypatch.setattr(memory, "_allowed", 0)
    monkeypatch.setattr(memory, "_last", 0)
    for size in before:  # noqa: B007 (what `resident` says)
        memory.grown()
    assert collected == [357, 457, 3001]


def test_where_nobody_says_how_large_the_process_is_nothing_is_done(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "resident", lambda: 0)
    monkeypatch.setattr(memory, "_allowed", 0)
    monkeypatch.setattr(memory, "_last", 0)
    monkeypatch.setattr(memory, "gc", None)
    assert [memory.grown() for _ in range(3)] == [0, 0, 0]


def test_what_a_run_holds_is_not_looked_through_again_and_again_but_everything_is_after_it():
    """In a process of its own: one that has held more before grows by less."""
    program = "from tests.machine import test_memory; test_memory.set_aside_while_it_runs()"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


def set_aside_while_it_runs() -> None:
    assert gc.get_freeze_count() == 0
    outcome = begin(
        """(let [held (loop [acc [] i 0] (if (< i 300000) (recur (conj acc {:a i :b [i]}) (inc i)) acc))]
             (call "t.wait")
             (count held))"""
    )
    assert isinstance(outcome, RequiresHost)
    assert gc.get_freeze_count() > 100_000
    ended = outcome.resume(None)
    assert isinstance(ended, Complete)
    assert ended.value == 300_000
    assert gc.get_freeze_count() == 0


def test_what_an_embedder_has_set_aside_stays_so(monkeypatch: pytest.MonkeyPatch):
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        begin("(count (loop [acc [] i 0] (if (< i 300000) (recur (conj acc {:a i :b [i]}) (inc i)) acc)))")
        assert gc.get_freeze_count() >= before - 1_000
    finally:
        gc.unfreeze()
        monkeypatch.setattr(memory, "_theirs", False)


def test_nothing_is_finalized_on_top_of_deep_calls():
    """CPython ends the process where a finalizer finds no room for a call."""
    finalized: list[bool] = []

    class Garbage:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            finalized.append(is_deep())
            if len(finalized) < 10_000:
                Garbage()

    Garbage()
    thresholds = gc.get_threshold()
    gc.set_threshold(50, 1, 1)
    try:
        assert error("(defn f [n] (+ 1 (f n))) (f 1)", Limits(depth=20_000)).code == "limit/depth"
    finally:
        gc.set_threshold(*thresholds)
    assert finalized
    assert not any(finalized)
