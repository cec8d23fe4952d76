"""Runs on one event loop that are cancelled at random moments: `python -m tests.trust.cancellations --count 500`.
The exit status is 1 if one did not end, a later run was affected, or the process is not as it was."""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
from collections import Counter

import rtfs
from tests.isolation.cancellations import PATIENCE, PLANS

LARGE = (
    "(defn f [n] (+ 1 (f n))) (f 1)",
    "(sort (mapv (fn [i] (mod (* i 7919) 1000003)) (range 400000)))",
    "(loop [acc [] i 0] (recur (conj acc {:a i}) (inc i)))",
    "(defn f [] (step-parallel (f) (f))) (f)",
    "(let [m (zipmap (range 200000) (range 200000))] (loop [] (rest m) (recur)))",
)


async def slow(value: int) -> int:
    await asyncio.sleep(0.02)
    return value


async def cancelled(runtime: rtfs.Runtime, source: random.Random) -> str:
    """Start a plan, cancel it after a while; how it ended. Raises TimeoutError if it did not."""
    task = asyncio.ensure_future(runtime.arun(source.choice(PLANS + LARGE)))
    await asyncio.sleep(source.random() * source.choice((0.002, 0.02, 0.1, 0.4)))
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    if not done:
        raise TimeoutError("it did not end")
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if error is not None and not isinstance(error, rtfs.UserError):
        raise error
    return "ended before" if error is None else error.code


async def run(count: int, seed: int) -> Counter[str]:
    """Ways in which that many runs ended."""
    source = random.Random(seed)
    runtime = rtfs.Runtime(limits={"seconds": 20})
    runtime.register("demo.slow", slow)
    runtime.register("demo.quick", lambda value: value)
    ends: Counter[str] = Counter()
    for number in range(count):
        ends[await cancelled(runtime, source)] += 1
        if number % 50 == 0:
            assert await runtime.arun("(reduce + (range 100))") == 4950
    return ends


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500, help="runs")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    limit = sys.getrecursionlimit()
    print(f"{arguments.count} runs: {dict(asyncio.run(run(arguments.count, arguments.seed)))}")
    changed = (gc.isenabled(), gc.get_freeze_count(), sys.getrecursionlimit()) != (True, 0, limit)
    if changed:
        print("the collector or the recursion limit is not as it was")
    return int(changed)


if __name__ == "__main__":
    sys.exit(main())
