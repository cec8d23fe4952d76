"""What the gate costs: looking at a text beside compiling it, and a text that was looked at before beside no gate.

The texts are the plans of `benchmarks/plans` and one of 1,000 lines. Looking and compiling are timed apart within the
same compilation, so that both see the same load; goal 1 says that looking costs less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import rtfs
from benchmarks.editing import ISSUES, text
from benchmarks.fresh import PLANS, runtime
from benchmarks.measure import Row, compare
from rtfs.host.checks import gate as gates

GROUP = "gate"
ROUNDS = 15


class Timed:
    """A gate that notes how long it looks."""

    def __init__(self, gate: Any) -> None:
        self.gate = gate
        self.seconds = 0.0

    def inspect(self, *arguments: Any) -> Any:
        started = time.process_time()
        try:
            return self.gate.inspect(*arguments)
        finally:
            self.seconds = time.process_time() - started

    def holds(self, kept: Any) -> bool:
        return bool(self.gate.holds(kept))


def costs(rt: rtfs.Runtime, written: str, name: str) -> tuple[float, float]:
    """Milliseconds of looking, and of compiling without it: medians of texts that are new each time."""
    from rtfs.compiler import compile_source

    numbers = count()
    looking, compiling = [], []
    for _ in range(ROUNDS):
        gate = Timed(gates.RegistryGate(rt._registry, True))
        environment = rt.environment.snapshot()
        source = rtfs.Source(f"{written}; {next(numbers)}\n", name)
        started = time.process_time()
        compile_source(source, environment, gate=gate)
        whole = time.process_time() - started
        looking.append(1e3 * gate.seconds)
        compiling.append(1e3 * (whole - gate.seconds))
    return statistics.median(looking), statistics.median(compiling)


def run() -> Iterator[Row]:
    """The rows: plans and a long text, as closures (a text without a file) and as code, then texts that are known."""
    plans = [path.read_text(encoding="utf-8") for path in PLANS]
    with runtime() as rt:
        rt.load(ISSUES, "issues.rtfs")
        for name, kind in (("<plan>", "closures"), ("plan.rtfs", "code")):
            for label, texts in (("plans", plans), ("1,000 lines", [text()])):
                found = [costs(rt, one, name) for one in texts]
                look, made = (sum(column) / len(found) for column in zip(*found, strict=True))
                yield Row(GROUP, f"{label}, beside compiling to {kind}", look, "ms", made, look / made, goal=1.0)
        known = plans[0]
        yield compare(
            GROUP,
            "a text that was looked at before",
            lambda: rt.run(known),
            lambda: rt.run(known, check=False),
            goal=1.05,
            rounds=ROUNDS,
        )
