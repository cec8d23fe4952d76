"""An event loop has its turn at least every quarter of a second, whatever a plan does on it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import thread_time

import pytest

from rtfs.machine import Complete, Limits, start
from rtfs.values import UserError
from tests.machine.support import program

MOST = 0.25
"""Seconds of processor time between two turns of the loop."""

BIG = "(def x (pow 3 660000))"
MAP = "(zipmap (range 300000) (range 300000))"
HELD = {
    "a product by a small number": f"{BIG} (loop [i 0] (if (< i 40000) (do (* x 3) (recur (inc i))) i))",
    "expensive steps after cheap ones": f"{BIG} (loop [i 0] (if (< i 300000) (recur (inc i))"
    " (loop [j 0] (if (< j 20000) (do (* x 3) (recur (inc j))) j))))",
    "endless recursion": "(defn f [n] (+ 1 (f n))) (f 1)",
    "a sort": "(count (sort (mapv (fn [i] (mod (* i 7919) 1000003)) (range 2500000))))",
    "a sort by keys": "(count (sort-by (fn [i] (mod (* i 7919) 1000003)) (range 900000)))",
    "entries of a map": f"(let [m {MAP}] (loop [i 0] (if (< i 8) (do (rest m) (recur (inc i))) i)))",
    "keys put into a map": "(count (apply assoc {} (range 1200000)))",
    "keys taken from a map": f"(count (apply dissoc {MAP} (concat (range 300000) (range 300000))))",
    "keys selected from a map": f"(let [m {MAP}] (count (select-keys m (vec (concat (range 600000) (range 600000))))))",
    "pairs put into a map": "(let [v (mapv (fn [i] [i i]) (range 1200000))] (count (into {} v)))",
    "many collections joined": "(let [v (mapv (fn [i] [i]) (range 800000))] (count (apply concat v)))",
    "groups of neighbours": "(count (partition-by odd? (range 1200000)))",
    "nested vectors flattened": "(let [v (mapv (fn [i] [i]) (range 1200000))] (count (flatten v)))",
    "a sum of many": "(let [v (vec (range 3000000))] (apply + v))",
    "the hash of a long vector": "(let [v (vec (range 6000000))] (count (hash-map v 1)))",
    "lines": '(let [s (join "" (repeat 1500000 "a\\n"))] (count (clojure.string/split-lines s)))',
    "a long text that is read": '(let [s (str "[" (join " " (range 200000)) "]")] (count (read-string s)))',
    "long texts compared": """(let [a (join "" (repeat 3000000 "a")) b (str a "b") c (str a "b")]
        (loop [i 0] (if (< i 8000) (do (= b c) (if (= 0 (mod i 1000)) (compare a b)) (recur (inc i))) i)))""",
}


def stretches(text: str) -> list[float]:
    """Seconds of processor time between the moments at which a program gives the event loop back, the last one
    included."""
    found: list[float] = []
    compiled = program(text)
    begun = thread_time()
    with suppress(UserError):
        outcome = start(compiled, Limits(seconds=20.0), breathe=True)
        while not isinstance(outcome, Complete):
            assert outcome.call.kind == "breathe"
            found.append(thread_time() - begun)
            begun = thread_time()
            outcome = outcome.resume(None)
    found.append(thread_time() - begun)
    return found


@pytest.fixture(scope="module")
def longest() -> dict[str, float]:
    """The longest stretch of each program, in a fresh process: what the collector looks through in that of the tests
    is the tests' own."""
    root = Path(__file__).parents[2]
    program = "import json; from tests.trust import test_event_loop as it; print(json.dumps(it.all_longest()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=600
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def all_longest() -> dict[str, float]:
    """The longest stretch of each program."""
    return {name: max(stretches(text)) for name, text in HELD.items()}


@pytest.mark.parametrize("name", HELD)
def test_the_loop_has_its_turn(name: str, longest: dict[str, float]) -> None:
    assert longest[name] < MOST
