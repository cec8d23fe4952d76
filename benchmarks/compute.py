"""Compute kernels, in RTFS with default limits and in CPython as one would write it by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import rtfs
from benchmarks.measure import Row, compare, geometric_mean

GROUP = "compute"


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def loop() -> int:
    i = total = 0
    while i < 1_000_000:
        i, total = i + 1, total + i
    return total


def pipeline() -> int:
    total = 0
    for x in [x * 3 for x in range(200_000) if (x * 3) % 2 == 0]:
        total += x
    return total


def assoc() -> int:
    made = {}
    for i in range(100_000):
        made[i] = i * 2
    return len(made)


def conj() -> int:
    made = []
    for i in range(100_000):
        made.append(i * 2)
    return len(made)


def join() -> int:
    return len(",".join([str(i) for i in range(50_000)]))


def word_count(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in text.split(" "):
        counts[word] = counts.get(word, 0) + 1
    return counts


def records(rows: list[dict[str, Any]]) -> list[list[Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["age"] > 30:
            groups.setdefault(row["city"], []).append(row)
    totals = [[city, sum([row["pay"] for row in group])] for city, group in groups.items()]
    return sorted(totals, key=lambda pair: pair[1])


SOURCES = {
    "fib(25)": "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (defn job [] (fib 25))",
    "loop 1M": "(defn job [] (loop [i 0 total 0] (if (< i 1000000) (recur (+ i 1) (+ total i)) total)))",
    "map/filter/reduce 200k": (
        "(defn job [] (reduce + 0 (filter (fn [x] (= (mod x 2) 0)) (map (fn [x] (* x 3)) (range 200000)))))"
    ),
    "assoc 100k": "(defn job [] (count (reduce (fn [m i] (assoc m i (* i 2))) {} (range 100000))))",
    "conj 100k": "(defn job [] (count (reduce (fn [v i] (conj v (* i 2))) [] (range 100000))))",
    "join 50k": '(defn job [] (count (join "," (map (fn [i] (str i)) (range 50000)))))',
    "word count 1 MB": '(defn job [] (reduce (fn [m w] (assoc m w (inc (get m w 0)))) {} (split text " ")))',
    "20k records filter/group/sort": (
        "(defn job [] (->> rows (filter (fn [r] (> (:age r) 30))) (group-by :city)"
        " (map (fn [[city group]] [city (reduce + 0 (map :pay group))])) (sort-by second)))"
    ),
}


def run() -> Iterator[Row]:
    """One row a kernel, then their geometric mean."""
    chance = random.Random(7)
    vocabulary = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5000)]
    text = " ".join(chance.choices(vocabulary, k=155_000))
    cities = [f"city{i}" for i in range(40)]
    rows = [
        {"city": chance.choice(cities), "age": chance.randint(18, 80), "pay": chance.randint(1000, 9000)}
        for _ in range(20_000)
    ]
    by_hand: dict[str, Callable[[], Any]] = {
        "fib(25)": lambda: fib(25),
        "loop 1M": loop,
        "map/filter/reduce 200k": pipeline,
        "assoc 100k": assoc,
        "conj 100k": conj,
        "join 50k": join,
        "word count 1 MB": lambda: word_count(text),
        "20k records filter/group/sort": lambda: records(rows),
    }
    inputs = {"text": text, "rows": rtfs.from_python(rows, keywords=True)}
    ratios = []
    for name, source in SOURCES.items():
        with rtfs.Runtime() as runtime:
            for key, value in inputs.items():
                runtime.register(f"bench.{key}", _giver(value))
            for key in inputs:
                if re.search(rf"\b{key}\b", source):
                    runtime.run(f'(def {key} (call "bench.{key}" {{}}))')
            runtime.run(source)
            ours, theirs = runtime.run("(job)"), by_hand[name]()
            if not rtfs.equal(ours, rtfs.from_python(theirs)):
                raise AssertionError(
                    f"{name}: {rtfs.to_text(ours)[:100]} is not what CPython gives: {str(theirs)[:100]}"
                )
            row = compare(
                GROUP, name, lambda rt=runtime: rt.run("(job)"), by_hand[name], goal=4 if "assoc" in name else 3
            )
        ratios.append(row.ratio or 1)
        yield row
    mean = geometric_mean(ratios)
    yield Row(GROUP, "geometric mean", mean, "x", 1.0, mean, 1.5)


def _giver(value: Any) -> Callable[..., Any]:
    return lambda *_: value
