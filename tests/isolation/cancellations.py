"""Runs in workers that are cancelled at random moments: `python -m tests.isolation.cancellations --count 500 --seed 0`.
The exit status is 1 if one did not end, a later run was affected, or a worker was left."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import rtfs

PLANS = (
    "(loop [n 0] (recur (inc n)))",
    '(loop [n 0] (do (call "demo.quick" n) (recur (inc n))))',
    '(step-parallel (call "demo.slow" 1) (loop [n 0] (recur (inc n))) (call "demo.slow" 2))',
    '(mapv (fn [n] (call "demo.slow" n)) (range 1000))',
    '(reduce + (map (fn [n] (call "demo.quick" n)) (range 100000)))',
    '(try (call "demo.slow" 1) (catch e (call "demo.slow" 2)) (finally (call "demo.quick" 3)))',
    '(do (defmacro twice [x] `(do ~x ~x)) (twice (call "demo.slow" 1)) (sort (vec (range 300000))))',
    '(capability "own" :implementation (fn [x] (call "demo.slow" x))) (mapv (fn [n] (call "own" n)) (range 50))',
    "(+ 1 2)",
)
PATIENCE = 60.0
"""Seconds within which a cancelled run has to end, on a machine that is busy."""


def cancelled(runtime: rtfs.Runtime, source: random.Random) -> str:
    """Start a plan, cancel it after a while; how it ended. Raises AssertionError if it did not, or not as it may."""
    handle = runtime.start_run(source.choice(PLANS))
    time.sleep(source.random() * source.choice((0.002, 0.02, 0.1)))
    handle.cancel("enough")
    try:
        handle.result(PATIENCE)
    except TimeoutError:
        raise AssertionError("it did not end") from None
    except rtfs.UserError as error:
        if error.code != "cancelled":
            raise AssertionError(f"it ended with {error}") from error
        return error.code
    return "ended before"


def run(count: int, seed: int, isolation: str | None = "process") -> Counter[str]:
    """Cancel so many runs; how often they ended how. Raises AssertionError."""
    source = random.Random(seed)
    outcomes: Counter[str] = Counter()
    with rtfs.Runtime(isolation=isolation, limits={"seconds": 120}) as runtime:
        runtime.register("demo.quick", lambda given: given, effects=[])
        runtime.register("demo.slow", _slow, effects=[], blocking=True)
        for number in range(count):
            outcomes[cancelled(runtime, source)] += 1
            if number % 10 == 0:
                assert runtime.run("(+ 1 2)") == 3
        left = runtime.workers()
        assert len(left) <= 1, f"workers that are left: {left}"
    for pid in left:
        assert not Path(f"/proc/{pid}").exists() or _is_dead(pid)
    return outcomes


def _slow(given: Any) -> Any:
    time.sleep(0.01)
    return given


def _is_dead(pid: int) -> bool:
    """Whether a process is gone, or about to be."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description="cancel runs in worker processes")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        outcomes = run(arguments.count, arguments.seed)
    except AssertionError as error:
        print(f"seed {arguments.seed}: {error}")
        return 1
    print(f"{outcomes.total()} runs:", dict(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
