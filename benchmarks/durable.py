"""Durable runs: calls a second with the journal, in both modes, beside the same run without one; the ledger in a file.

A call is to a Python capability that does nothing; sixteen concurrent are branches of one `step-parallel`. Files are in
the folder of `TMPDIR`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import rtfs
from benchmarks.measure import ROUNDS, Row
from rtfs.host.audit.events import CallEnded
from rtfs.host.audit.sqlite_ledger import StoredLedger
from rtfs.host.policy.context import RuntimeContext
from rtfs.host.sqlite import KILL, POWER

GROUP = "durable"
WIDTH = 16
CALLS = {KILL: 4_000, POWER: 480}
ROWS = 1_000_000
SEQUENTIAL = '(loop [i 0] (if (< i {n}) (do (call "bench.echo" i) (recur (+ i 1))) i))'


def run() -> Iterator[Row]:
    """Calls a second; for the ledger, microseconds a record at the beginning and after 10^6 records."""
    with tempfile.TemporaryDirectory() as folder:
        for mode in (KILL, POWER):
            yield from calls(Path(folder), mode)
        yield from rows(Path(folder))


def calls(folder: Path, mode: str) -> Iterator[Row]:
    """Calls a second in one mode, with the ledger in memory, and sequential ones with a ledger file as well."""
    n = CALLS[mode]
    branch = SEQUENTIAL.format(n=n // WIDTH)
    parallel = f"(step-parallel {' '.join([branch] * WIDTH)})"
    goals = {"sequential": 2_000, "16 concurrent": 5_000} if mode == KILL else {}
    sources = {"sequential": SEQUENTIAL.format(n=n), "16 concurrent": parallel}
    with rtfs.Runtime(state=folder / mode, durability=mode) as kept:
        kept.register("bench.echo", lambda value: value)
        for name, source in sources.items():
            with_journal, without = rates(kept, source, n)
            yield Row(
                GROUP,
                f"{name}, survives {mode}",
                with_journal,
                "/s",
                base=without,
                goal=goals.get(name),
                better="more",
                note="base: without a journal",
            )
    with rtfs.Runtime(state=folder / mode, durability=mode, ledger=folder / f"{mode}.db") as audited:
        audited.register("bench.echo", lambda value: value)
        both, _ = rates(audited, sources["sequential"], n)
        yield Row(GROUP, f"sequential, {mode}, ledger file", both, "/s", better="more")


def rates(runtime: rtfs.Runtime, source: str, n: int) -> tuple[float, float]:
    """Calls a second with and without the journal, medians of interleaved rounds."""
    samples: tuple[list[float], list[float]] = ([], [])
    runtime.run(source, durable=True)
    for _ in range(ROUNDS):
        for durable, found in zip((True, False), samples, strict=True):
            started = time.perf_counter()
            runtime.run(source, durable=durable)
            found.append(n / (time.perf_counter() - started))
    return statistics.median(samples[0]), statistics.median(samples[1])


def rows(folder: Path) -> Iterator[Row]:
    """What a record costs in a ledger with none and with 10^6."""
    ledger = StoredLedger(str(folder / "long.db"))
    context = RuntimeContext(run_id="abcdef012345")

    def block(count: int = 10_000) -> float:
        started = time.perf_counter()
        for number in range(count):
            ledger.append(CallEnded(context, number, "bench.echo", "ok", 12, "1"))
        return (time.perf_counter() - started) / count * 1e6

    first = [block() for _ in range(ROUNDS)]
    while ledger.head[0] < ROWS:
        block()
    last = [block() for _ in range(ROUNDS)]
    base, value = statistics.median(first), statistics.median(last)
    ledger.close()
    yield Row(GROUP, "record after 10^6, base: first", value, "µs", base=base, ratio=value / base, goal=1.1)
    started = time.perf_counter()
    assert checked(folder / "long.db")
    yield Row(GROUP, "verify 10^6 records", time.perf_counter() - started, "s")


def checked(path: Path) -> bool:
    """Whether the ledger is whole."""
    from rtfs.host.audit.sqlite_ledger import inspect

    return inspect(str(path)) is None
