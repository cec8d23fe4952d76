"""An event loop has its turn at least every quarter of a second, whatever a plan does on it."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import thread_time

import pytest

import rtfs
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
    "endless recursion that cleans up": "(defn f [n] (try (+ 1 (f n)) (finally 1))) (f 1)",
    "an error that passes many calls": "(defn f [n] (if (> n 99000) (throw :x) (try (+ 1 (f (inc n))) (finally n))))"
    " (f 1)",
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
    "elements numbered": "(count (map-indexed vector (vec (range 1200000))))",
    "neighbours compared": "(count (dedupe (range 3000000)))",
    "a sum of many": "(let [v (vec (range 3000000))] (apply + v))",
    "a join of numbers": '(count (join "," (range 2500000)))',
    "a set of many": "(count (into #{} (range 2000000)))",
    "equality of large maps": f"(= {MAP} {MAP} {MAP} {MAP} {MAP})",
    "running totals": "(count (reductions + (range 1500000)))",
    "vectors interleaved": "(count (interleave (range 2500000) (range 2500000)))",
    "groups": "(count (group-by odd? (vec (range 3000000))))",
    "letters counted": '(let [s (join "" (repeat 9000000 "ab"))] (count (frequencies s)))',
    "searches in a long text": '(let [s (join "" (repeat 9000000 "ab"))] (loop [i 0]'
    ' (if (< i 50) (do (clojure.string/index-of s "zz") (recur (inc i))) i)))',
    "long numbers read": "(let [s (str (pow 7 300000))] (loop [i 0]"
    " (if (< i 6) (do (parse-int s) (recur (inc i))) i)))",
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


BRANCHES = {
    "branches in branches": "(defn f [] (step-parallel (f) (f))) (f)",
    "branches beside one that fails": """(call "ccos.concurrent/parallel"
        (conj (vec (repeat 20000 (fn [] (call "ccos.system.sleep-ms" 60000)))) (fn [] (throw :x))))""",
}


MANY = range(20_000)
FORMS = {
    "a form of many definitions": f"(do {' '.join(f'(def a{i} {i})' for i in MANY)})",
    "a form of many functions": f"(do {' '.join(f'(defn f{i} [x] (+ x {i}))' for i in MANY[:5_000])})",
    "a body of many definitions": f"(let [q 1] {' '.join(f'(def a{i} (+ q {i}))' for i in MANY)})",
    "many undefined names": f"(do {' '.join(f'(undefined-{i} 1)' for i in MANY[:5_000])})",
}
"""Texts that take long to read, to analyse and to check, in one form."""


async def waits(text: str) -> list[float]:
    """Seconds of processor time between two turns of an event loop while a runtime runs a program on it."""
    runtime = rtfs.Runtime(limits={"seconds": 1.0})
    found: list[float] = []

    async def watch() -> None:
        last = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            found.append(now - last)
            last = now

    await runtime.arun("(map inc (range 10))")
    watching = asyncio.create_task(watch())
    with suppress(UserError):
        await runtime.arun(text)
    await asyncio.sleep(0.01)
    watching.cancel()
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
    found = {name: max(stretches(text)) for name, text in HELD.items()}
    for name, text in {**FORMS, **BRANCHES}.items():
        gc.collect()
        found[name] = max(asyncio.run(waits(text)))
    return found


@pytest.mark.parametrize("name", [*HELD, *FORMS, *BRANCHES])
def test_the_loop_has_its_turn(name: str, longest: dict[str, float]) -> None:
    assert longest[name] < MOST
