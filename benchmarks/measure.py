"""Taking times: interleaved rounds, medians, ratios.

Knows nothing of what is measured. Invariant: contenders of one row run in turn within a round, in alternating order, so
that a machine that slows down slows all of them.
"""

from __future__ import annotations

import gc
import glob
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 5
LEAST_SECONDS = 0.02
_most_rounds = 1_000
_least_seconds = LEAST_SECONDS

clock: Callable[[], float] = time.perf_counter
"""What times are taken by: the wall clock, or `processor_time` after `count_processor_time()`."""


def count_processor_time() -> None:
    """Take times by the processor from now on: what a loaded machine disturbs least."""
    global clock
    clock = processor_time


def be_quick() -> None:
    """Take three short samples of everything from now on."""
    global _most_rounds, _least_seconds
    _most_rounds, _least_seconds = 3, 0.004


def counts_processor_time() -> bool:
    """Whether times are the processor's."""
    return clock is processor_time


_children: list[int] = []


def count_children() -> None:
    """Count what the processor does for the processes that this one, and those that it started, have now started."""
    parents: dict[int, int] = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = Path(stat).read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.split("/")[2])] = int(fields[1])
    _children[:] = [os.getpid()]
    for one in _children:
        _children.extend(child for child, parent in parents.items() if parent == one)
    del _children[0]


def processor_time() -> float:
    """Seconds that the processor has worked for this process and the children that count."""
    found = time.process_time()
    for child in _children:
        for task in glob.glob(f"/proc/{child}/task/*/schedstat"):
            found += int(Path(task).read_text(encoding="ascii").split()[0]) / 1e9
    return found


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
        if repeat == 1:
            gc.collect()
        gc.disable()
        started = clock()
        for _ in range(repeat):
            job()
        taken = clock() - started
        gc.enable()
        if taken >= _least_seconds:
            return taken / repeat
        repeat = max(repeat * 2, int(repeat * _least_seconds / max(taken, 1e-9)) + 1)


def interleaved(jobs: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[list[float]]:
    """Seconds of each job, `rounds` samples each, after one call to warm up."""
    for job in jobs:
        job()
    samples: list[list[float]] = [[] for _ in jobs]
    for number in range(min(rounds, _most_rounds)):
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
