"""What flow rules cost: the fresh plans, and kernels, in a runtime under a rule beside one without.

A kernel of constants runs without labels; `of an answer` computes with what a capability gave, with labels in each
round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import rtfs
from benchmarks import fresh
from benchmarks.measure import Row, interleaved

GROUP = "flow rules"
ROUNDS = 7
RULES = [{"call": "bench.put", "from": ["plan", "bench.*"]}]
KERNELS = {
    "a loop of constants": "(loop [i 0 s 0] (if (< i 20000) (recur (inc i) (+ s (* i 2))) s))",
    "calls of a function": "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib 17)",
    "reduce of constants": "(reduce (fn [a x] (+ a (* x x))) 0 (range 20000))",
    "a loop of an answer": (
        '(let [n (count (call "bench.get" "orders"))] (loop [i 0 s 0] (if (< i 2000) (recur (inc i) (+ s n)) s)))'
    ),
}


def run() -> Iterator[Row]:
    """The rows: each plan, their mean, then the kernels."""
    with fresh.runtime() as plain, fresh.runtime(RULES) as labelled:
        numbers = count()

        def job(runtime: rtfs.Runtime, text: str) -> Callable[[], Any]:
            return lambda: runtime.run(f"{text}; {next(numbers)}\n", keep=False)

        totals = []
        for path in fresh.PLANS:
            text = path.read_text(encoding="utf-8")
            own, base = [1e6 * min(one) for one in interleaved([job(labelled, text), job(plain, text)], ROUNDS)]
            totals.append((own, base))
            yield Row(GROUP, path.stem, own, "µs", base, own / base)
        own, base = [sum(column) / len(totals) for column in zip(*totals, strict=True)]
        yield Row(GROUP, "mean of the fresh plans", own, "µs", base, own / base, goal=3.0)
        for name, text in KERNELS.items():
            own, base = [1e3 * min(one) for one in interleaved([job(labelled, text), job(plain, text)], ROUNDS)]
            yield Row(GROUP, name, own, "ms", base, own / base)
