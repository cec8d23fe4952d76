"""Plans in worker processes: what getting a worker costs, a plan, a host call, and a large value; on one processor and
across two."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator

import rtfs
from benchmarks import measure
from benchmarks.measure import Row
from rtfs.host.isolation.pool import workers

GROUP = "isolated"
CALLS = 2_000
ROUNDS = 7
LARGE = "x" * (1 << 20)


def run() -> Iterator[Row]:
    """Milliseconds of a checkout, microseconds of a call."""
    everywhere = os.sched_getaffinity(0)
    try:
        for name, processors in (("one CPU", {min(everywhere)}), ("any CPU", everywhere)):
            os.sched_setaffinity(0, processors)
            workers.close()  # the template and its workers run where it was started
            yield from _measured(name)
    finally:
        os.sched_setaffinity(0, everywhere)
        workers.close()


def _measured(where: str) -> Iterator[Row]:
    workers.take().kill()
    workers.refill()
    time.sleep(0.5)
    samples = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        worker = workers.take()
        worker.wait_ready()
        samples.append((time.perf_counter() - started) * 1e3)
        worker.kill()
        workers.refill()
        time.sleep(0.1)
    yield Row(GROUP, f"warm checkout, {where}", statistics.median(samples), "ms", goal=1, samples={"ms": samples})
    with rtfs.Runtime() as near, rtfs.Runtime(isolation="process") as apart:
        for runtime in (near, apart):
            runtime.register("bench.echo", lambda value: value)
            runtime.register("bench.large", lambda: LARGE)
            runtime.run(
                f'(defn calls [] (loop [i 0] (if (< i {CALLS}) (do (call "bench.echo" i) (recur (+ i 1))) i)))'
                f"(defn bare [] (loop [i 0] (if (< i {CALLS}) (recur (+ i 1)) i)))"
            )
        yield _row(f"plan `1`, {where}", "ms", 1e3, near, apart, "1")
        yield _row(f"1 MB text there and back, {where}", "ms", 1e3, near, apart, '(count (call "bench.large"))')
        each = []
        measure.count_children()
        for runtime in (near, apart):
            taken = _seconds(lambda runtime=runtime: runtime.run("(calls)")) - _seconds(
                lambda runtime=runtime: runtime.run("(bare)")
            )
            each.append(taken / CALLS * 1e6)
        goal = 100 if where == "one CPU" else None
        yield Row(GROUP, f"host call, {where}", each[1], "µs", goal=goal, note=f"in-process {each[0]:.1f} µs")


def _row(name: str, unit: str, scale: float, near: rtfs.Runtime, apart: rtfs.Runtime, plan: str) -> Row:
    here, there = (_seconds(lambda runtime=runtime: runtime.run(plan)) * scale for runtime in (near, apart))
    return Row(GROUP, name, there, unit, base=here, ratio=there / here)


def _seconds(job: Callable[[], object]) -> float:
    """Of a call: of both processes' processor time the least, which others on the machine disturb least; else a
    median."""
    job()
    found = []
    for _ in range(ROUNDS):
        started = measure.clock()
        job()
        found.append(measure.clock() - started)
    return min(found) if measure.counts_processor_time() else statistics.median(found)
