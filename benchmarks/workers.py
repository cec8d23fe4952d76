"""Durable runs in PostgreSQL beside those in a folder, on one worker and on two, and DBOS on the same work.

A plan makes twenty calls one after the other and then sixteen in branches, to Python capabilities that do nothing, or
that wait for 5 or 50 ms. The server is one of rtfs.testing.postgres with its usual settings: each commit is on the
disk. It shares the processors with the workers. Files are in the folder of `TMPDIR`, the server's in that of the
system, on the same disk if both are `/tmp`.

How much two workers do is counted while both are full: runs are submitted before the workers start, and those that are
first and last are not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

import rtfs
from benchmarks.measure import ROUNDS, Row
from benchmarks.peers import dbos_workflow
from rtfs.host.sqlite import KILL, POWER
from rtfs.testing.postgres import own_server

GROUP = "workers"
SEQUENTIAL, BRANCHES = 20, 16
CALLS = SEQUENTIAL + BRANCHES
CALL = '(call "bench.work" 1)'
PLAN = (
    f'(loop [i 0] (if (< i {SEQUENTIAL}) (do (call "bench.work" i) (recur (+ i 1))) i))'
    f" (step-parallel {' '.join([CALL] * BRANCHES)})"
)
WAITING = PLAN.replace("bench.work", "bench.wait")
WAIT = 0.005
"""Seconds that a call of `WAITING` takes, as one of a server nearby does."""
MANY = 32
RUNS, AT_ONCE = 4, 8
"""Runs of one sample: one after the other, and at once."""
EMPTY = 10
SUBMITTED = 100
"""Runs without calls that are submitted."""
COUNTED = {0.005: 40, 0.05: 16}
"""Runs of each worker that are counted, by the seconds that a call of them waits."""
SAMPLES = 3
WORKER = """
import sys, time
import rtfs

with rtfs.Runtime(state=sys.argv[1]) as runtime:
    runtime.register("bench.work", lambda value: time.sleep(float(sys.argv[2])), blocking=True)
    runtime.work(runs=8)
"""


def run() -> Iterator[Row]:
    """Calls a second against the folder, what a call costs the database, more workers, the peer."""
    server = own_server()  # no other process writes its log
    try:
        with tempfile.TemporaryDirectory() as folder, server.database() as url:
            yield from _all(folder, url)
    finally:
        server.stop()


def _all(folder: str, url: str) -> Iterator[Row]:
    """All rows. folder: for the runs that are compared with."""
    places: dict[str, dict[str, Any]] = {
        "postgres": {"state": url},
        POWER: {"state": Path(folder) / POWER, "durability": POWER},
        KILL: {"state": Path(folder) / KILL, "durability": KILL},
    }
    runtimes = {name: _runtime(**options) for name, options in places.items()}
    try:
        yield from _rates_of(runtimes)
        yield from _costs(folder, url)
        yield from _peer(runtimes["postgres"], url)
    finally:
        for runtime in runtimes.values():
            runtime.close()
    yield from _submitted(url)
    yield from _more_workers(url)


def _runtime(**options: Any) -> rtfs.Runtime:
    runtime = rtfs.Runtime(**options)
    runtime.register("bench.work", lambda value: value)
    runtime.register("bench.wait", lambda value: time.sleep(WAIT), blocking=True)
    return runtime


def _interleaved(works: dict[str, Callable[[], object]], count: int) -> dict[str, float]:
    """How many a second, medians of interleaved rounds."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(ROUNDS):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            found[name].append(count / (time.perf_counter() - started))
    return {name: statistics.median(samples) for name, samples in found.items()}


def _in_turn(runtime: rtfs.Runtime, plan: str = PLAN) -> Callable[[], object]:
    return lambda: [runtime.run(plan, durable=True) for _ in range(RUNS)]


def _empty(runtime: rtfs.Runtime) -> Callable[[], object]:
    return lambda: [runtime.run("1", durable=True) for _ in range(EMPTY)]


def _at_once(runtime: rtfs.Runtime, plan: str = PLAN, count: int = AT_ONCE) -> Callable[[], object]:
    def work() -> None:
        threads = [threading.Thread(target=lambda: runtime.run(plan, durable=True)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return work


def _rates_of(runtimes: dict[str, rtfs.Runtime]) -> Iterator[Row]:
    """Calls a second, beside runs in a folder."""
    in_turn = _interleaved({name: _in_turn(one) for name, one in runtimes.items()}, RUNS * CALLS)
    at_once = _interleaved({name: _at_once(one) for name, one in runtimes.items()}, AT_ONCE * CALLS)
    waiting = _interleaved({name: _in_turn(one, WAITING) for name, one in runtimes.items()}, RUNS * CALLS)
    some, many = (
        _interleaved({name: _at_once(one, WAITING, count) for name, one in runtimes.items()}, count * CALLS)
        for count in (AT_ONCE, MANY)
    )
    empty = _interleaved({name: _empty(one) for name, one in runtimes.items()}, EMPTY)
    ours, base = 1000 / empty["postgres"], 1000 / empty[POWER]
    yield Row(GROUP, "a write to the disk", 1000 * _flush(), "ms", note="what each commit waits for at least")
    yield Row(
        GROUP, "a run without calls", ours, "ms", base=base, ratio=ours / base, note=f"base: a folder, {POWER}"
    )  # fmt: skip
    calls = f"calls of {1000 * WAIT:.0f} ms"
    for name, rates, mode, goal in (
        ("one run at a time", in_turn, POWER, 0.9),
        (f"one run at a time, {calls}", waiting, POWER, 0.9),
        (f"{AT_ONCE} runs at once", at_once, POWER, None),
        (f"{AT_ONCE} runs at once", at_once, KILL, 1.0),
        (f"{AT_ONCE} runs at once, {calls}", some, KILL, 1.0),
        (f"{MANY} runs at once, {calls}", many, KILL, 1.0),
    ):
        yield Row(
            GROUP, name, rates["postgres"], "/s", base=rates[mode], ratio=rates["postgres"] / rates[mode], goal=goal,
            better="more", note=f"base: a folder that survives {mode}",
        )  # fmt: skip


def _flush() -> float:
    """Seconds that a short write takes to be on the disk of the server, median."""
    found = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(10 * ROUNDS):
            started = time.perf_counter()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            found.append(time.perf_counter() - started)
    return statistics.median(found)


def _costs(folder: str, url: str) -> Iterator[Row]:
    """What a call costs the database, without a ledger in it and with one."""
    n = 200
    plan = f'(loop [i 0] (if (< i {n}) (do (call "bench.work" i) (recur (+ i 1))) i))'
    ledgers: dict[str, dict[str, Any]] = {"": {}, ", with a ledger": {"ledger": url, "ledger_key": f"{folder}/key"}}
    for name, options in ledgers.items():
        runtime = _runtime(state=url, **options)
        with runtime, psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            runtime.run(plan, durable=True)  # the pages of the tables are in the log whole, once after a checkpoint
            before = _written(connection)
            runtime.run(plan, durable=True)
            after = _written(connection)
        yield Row(GROUP, f"log of the database, a call{name}", (after[0] - before[0]) / n, "B", goal=1024)
        yield Row(GROUP, f"transactions, a call{name}", (after[1] - before[1]) / n, "", goal=1.1)


def _written(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Bytes of the server's log, and its transactions."""
    row = connection.execute(
        "SELECT pg_current_wal_insert_lsn() - '0/0', pg_current_xact_id()::text::bigint"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _peer(runtime: rtfs.Runtime, url: str) -> Iterator[Row]:
    """DBOS, each call a step of a workflow."""
    with dbos_workflow(url, SEQUENTIAL, BRANCHES) as workflow:
        if workflow is None:
            return
        works = {"ours": _in_turn(runtime), "dbos": lambda: [workflow() for _ in range(RUNS)]}
        rates = _interleaved(works, RUNS * CALLS)
    yield Row(
        GROUP, "one run at a time", rates["ours"], "/s", base=rates["dbos"], ratio=rates["ours"] / rates["dbos"],
        better="more", note="base: DBOS",
    )  # fmt: skip


def _submitted(url: str) -> Iterator[Row]:
    """What a run without calls takes that a worker runs: one alone from its submission to its end, and many that
    wait."""
    alone: list[float] = []
    full: list[float] = []
    with rtfs.Runtime(state=url) as runtime, _workers(url, 1, 0.0):
        _wait_for(url, [runtime.submit("1") for _ in range(AT_ONCE)])
        for _ in range(SUBMITTED):
            started = time.perf_counter()
            _wait_for(url, [runtime.submit("1")])
            alone.append(time.perf_counter() - started)
    with rtfs.Runtime(state=url) as runtime:
        for _ in range(SAMPLES):
            full.append(1 / _rate(url, [runtime.submit("1") for _ in range(SUBMITTED + 2 * AT_ONCE)], 1, 0.0))
    yield Row(
        GROUP, "a submitted run without calls, alone", 1000 * statistics.median(alone), "ms",
        note="waits for the disk when it is submitted and when it ends",
    )  # fmt: skip
    yield Row(GROUP, "a submitted run without calls, of many", 1000 * statistics.median(full), "ms", goal=5)


def _more_workers(url: str) -> Iterator[Row]:
    """Runs a second of calls that wait, with one worker and with two."""
    with rtfs.Runtime(state=url) as runtime:
        runtime.register("bench.work", lambda value: None)
        for seconds, counted in COUNTED.items():
            rates: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(SAMPLES):
                for count, found in rates.items():
                    runs = [runtime.submit(PLAN) for _ in range(count * (counted + 2 * AT_ONCE))]
                    found.append(_rate(url, runs, count, seconds))
            one, two = (statistics.median(found) for found in rates.values())
            yield Row(
                GROUP, f"2 workers, calls of {1000 * seconds:.0f} ms", two, "/s", base=one, ratio=two / one, goal=1.8,
                better="more", note="base: 1 worker",
            )  # fmt: skip


@contextmanager
def _workers(url: str, count: int, seconds: float) -> Iterator[None]:
    """So many workers, whose calls wait for so long."""
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, url, str(seconds)]) for _ in range(count)]
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)


def _rate(url: str, runs: list[str], count: int, seconds: float) -> float:
    """Runs a second that so many workers end of those that wait, while all of them are full."""
    first, last = count * AT_ONCE, len(runs) - count * AT_ONCE
    with _workers(url, count, seconds):
        began, started = _wait_for(url, runs, first)
        ended, stopped = _wait_for(url, runs, last)
        _wait_for(url, runs)
    return (ended - began) / (stopped - started)


def _wait_for(url: str, runs: list[str], count: int | None = None) -> tuple[int, float]:
    """Wait until so many of these runs, or all, have ended; how many have, and when that was."""
    query = "SELECT count(*) FROM rtfs.run WHERE id = ANY(%s) AND state = 'done'"
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            row = connection.execute(query, (runs,)).fetchone()
            if row is not None and row[0] >= (len(runs) if count is None else count):
                return row[0], time.perf_counter()
            time.sleep(0.001 if len(runs) == 1 else 0.01)
