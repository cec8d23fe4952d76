"""A host call, through the whole pipeline, to a Python capability."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import rtfs
from benchmarks.measure import Row, interleaved

GROUP = "host call"
CALLS = 20_000


def run() -> Iterator[Row]:
    """Microseconds a call, the loop around it taken off."""
    with rtfs.Runtime() as runtime:
        runtime.register("bench.echo", lambda value: value)
        runtime.run(
            f'(defn calls [] (loop [i 0] (if (< i {CALLS}) (do (call "bench.echo" i) (recur (+ i 1))) i)))'
            f"(defn bare [] (loop [i 0] (if (< i {CALLS}) (recur (+ i 1)) i)))"
        )
        calls, bare = interleaved([lambda: runtime.run("(calls)"), lambda: runtime.run("(bare)")])
    each = (statistics.median(calls) - statistics.median(bare)) / CALLS * 1e6
    yield Row(GROUP, "round trip, ledger in memory", each, "µs", goal=10, samples={"calls": calls, "bare": bare})
