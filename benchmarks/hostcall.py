"""A host call, through the whole pipeline, to a Python capability; beside Monty's."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import rtfs
from benchmarks.measure import Row, interleaved
from benchmarks.peers import monty_session

GROUP = "host call"
CALLS = 20_000
ARGUMENTS = {
    "an integer": ("i", "i"),
    "a map that is built": ('{:id i :name "x" :tags [i]}', '{"id": i, "name": "x", "tags": [i]}'),
}


def run() -> Iterator[Row]:
    """Microseconds a call, the loop with its argument taken off."""
    with rtfs.Runtime() as runtime, monty_session() as session:
        runtime.register("bench.echo", lambda value: value)
        for name, (argument, twin) in ARGUMENTS.items():
            runtime.run(
                f'(defn calls [] (loop [i 0] (if (< i {CALLS}) (do (call "bench.echo" {argument}) (recur (+ i 1))) i)))'
                f"(defn bare [] (loop [i 0] (if (< i {CALLS}) (do (identity {argument}) (recur (+ i 1))) i)))"
            )
            jobs = [lambda: runtime.run("(calls)"), lambda: runtime.run("(bare)")]
            if session is not None:
                for body in (f"echo({twin})", f"[{twin}]"):
                    text = f"for i in range({CALLS // 20}):\n    {body}\n"
                    jobs.append(lambda text=text: session.feed_run(text, external_lookup={"echo": lambda value: value}))
            taken = [statistics.median(samples) for samples in interleaved(jobs)]
            each = (taken[0] - taken[1]) / CALLS * 1e6
            yield Row(GROUP, f"argument: {name}", each, "µs", goal=8)
            if session is not None:
                other = (taken[2] - taken[3]) / (CALLS // 20) * 1e6
                yield Row(GROUP, f"argument: {name}, beside Monty", each, "µs", other, each / other)
