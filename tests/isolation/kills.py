"""Durable runs whose workers are killed at random moments and which are resumed until they end:
`python -m tests.isolation.kills --count 200 [--seed N]`. The exit status is 1 if one came to something else."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from typing import Any

import rtfs

PLAN = """(let [first (mapv (fn [n] (call "demo.add" n)) (range 5))
      both (step-parallel (mapv (fn [n] (call "demo.add" n)) (range 5 10))
                          (mapv (fn [n] (call "demo.add" n)) (range 10 15)))]
  (reduce + 0 (concat first (first-of both) (second both) (range 20000))))"""
MOST = 8
"""Kills of one run."""
EXPECTED = sum(range(15)) + sum(range(20000))


def kill_and_resume(seed: int, state: str) -> int:
    """Run a plan, kill its worker now and then, and resume it until it ends; how often it was killed. Raises
    AssertionError for another value, or for a call that was made again although its outcome was written."""
    source = random.Random(seed)
    name = f"run{seed}"
    answered: Counter[int] = Counter()
    killed = 0
    with rtfs.Runtime(isolation="process", state=state) as runtime:

        def add(number: Any) -> Any:
            answered[number] += 1
            time.sleep(source.random() * 0.002)
            return number

        runtime.register("demo.add", add, idempotent=True, blocking=True)
        runtime.load("(defn first-of [both] (first both))")
        over = threading.Event()

        def strike() -> None:
            while not over.wait(0.005 + source.random() * 0.06):
                for pid in runtime.workers():
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                over.wait(0.05)

        striker = threading.Thread(target=strike)
        striker.start()
        value = None
        begun = False
        try:
            while value is None:
                try:
                    if begun:
                        value = runtime.resume(name)
                    else:
                        value = runtime.run(PLAN, durable=True, run_id=name)
                except rtfs.UserError as error:
                    if error.code == "run/crashed":
                        begun = True
                        killed += 1
                    elif error.code == "run/unknown":  # it was killed before its journal was made
                        begun = False
                    else:
                        raise
                if killed >= MOST:
                    over.set()
        finally:
            over.set()
            striker.join()
    assert value == EXPECTED, value
    assert max(answered.values()) <= killed + 1, answered
    return killed


def main() -> int:
    parser = argparse.ArgumentParser(description="kill workers of durable runs")
    parser.add_argument("--count", type=int, default=200, help="kills, at least")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    killed = runs = 0
    with tempfile.TemporaryDirectory() as state:
        while killed < arguments.count:
            killed += kill_and_resume(arguments.seed + runs, state)
            runs += 1
    print(f"{runs} durable runs, {killed} kills: every one came to its value")
    return 0


if __name__ == "__main__":
    sys.exit(main())
