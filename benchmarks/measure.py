"""Taking times: interleaved rounds, medians, ratios.

Knows nothing of what is measured. Invariant: contenders of one row run in turn within a round, in alternating order, so
that a machine that slows down slows all of them.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ROUNDS = 5
LEAST_SECONDS = 0.02


@dataclass
class Row:
    """One line of the table. value, base: medians in `unit`; ratio: value / base, or None where there is no base.

    goal: the ratio (or, without a base, the value) that is aimed at, None where there is none; `better` says whether
    less or more is better.
    """

    group: str
    name: str
    value: float
    unit: str
    base: float | None = None
    ratio: float | None = None
    goal: float | None = None
    better: str = "less"
    samples: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        found = self.value if self.ratio is None else self.ratio
        return found <= self.goal if self.better == "less" else found >= self.goal

    def as_json(self) -> dict[str, Any]:
        """The row as JSON data."""
        return {**asdict(self), "met": self.met}


def seconds(job: Callable[[], object]) -> float:
    """Seconds of one call of `job`; short ones are repeated until the time is long enough to be one."""
    repeat = 1
    while True:
        gc.collect()
        gc.disable()
        started = time.perf_counter()
        for _ in range(repeat):
            job()
        taken = time.perf_counter() - started
        gc.enable()
        if taken >= LEAST_SECONDS:
            return taken / repeat
        repeat = max(repeat * 2, int(repeat * LEAST_SECONDS / max(taken, 1e-9)) + 1)


def interleaved(jobs: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[list[float]]:
    """Seconds of each job, `rounds` samples each, after one call to warm up."""
    for job in jobs:
        job()
    samples: list[list[float]] = [[] for _ in jobs]
    for number in range(rounds):
        order = range(len(jobs)) if number % 2 == 0 else reversed(range(len(jobs)))
        for index in order:
            samples[index].append(seconds(jobs[index]))
    return samples


def compare(
    group: str,
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    goal: float | None = None,
    rounds: int = ROUNDS,
    note: str = "",
) -> Row:
    """A row of two contenders, in milliseconds."""
    mine, base = interleaved([ours, theirs], rounds)
    value, other = statistics.median(mine) * 1e3, statistics.median(base) * 1e3
    return Row(group, name, value, "ms", other, value / other, goal, samples={"ours": mine, "base": base}, note=note)


def geometric_mean(numbers: Sequence[float]) -> float:
    """The geometric mean of positive numbers."""
    return statistics.geometric_mean(numbers)
