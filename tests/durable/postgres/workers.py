"""Workers for tests: processes that advance the runs of a database, and what they did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from rtfs.host.audit.ledger_stores import inspect

ROOT = Path(__file__).resolve().parent.parent.parent.parent
LEASE = 2.0

PROGRAM = """
import asyncio, faulthandler, os, signal, sys, time, logging
import rtfs

def tell(*_):
    faulthandler.dump_traceback(all_threads=True)
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)

signal.signal(signal.SIGUSR1, tell)
url, made, labels, runs, lease = sys.argv[1], sys.argv[2], sys.argv[3].split(), int(sys.argv[4]), float(sys.argv[5])
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)

def note(what):
    out = os.open(made, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(out, (what + "\\n").encode())
    os.close(out)

def pay(n):
    note(f"pay {rtfs.idempotency_key()} {n}")
    time.sleep(0.01)
    return n

def ask(n):
    note(f"ask {rtfs.idempotency_key()} {n}")
    time.sleep(0.01)
    return n

def slow(n):
    note(f"begin {rtfs.idempotency_key()} {n}")
    time.sleep(n)
    note(f"end {rtfs.idempotency_key()} {n}")
    return n

def die(n):
    note(f"die {n}")
    os._exit(9)

key = os.path.join(os.path.dirname(made), "ledger.key")
isolation = "process" if "isolated" in labels else None
with rtfs.Runtime(state=url, ledger=url, ledger_key=key, isolation=isolation) as rt:
    rt.register("pay", pay, blocking=True)
    rt.register("ask", ask, blocking=True, idempotent=True)
    rt.register("slow", slow, blocking=True)
    rt.register("die", die, idempotent=True)
    rt.register("who", lambda: os.getpid())
    rt.work(runs=runs, labels=labels, lease=lease)
"""

_TOLD = (
    "SELECT id, state, owner, worker, clock_timestamp() - beat_at, attempts, queue, turn FROM rtfs.run",
    "SELECT * FROM rtfs_queue.procrastinate_jobs",
    "SELECT id, clock_timestamp() - last_heartbeat FROM rtfs_queue.procrastinate_workers",
    "SELECT pid, application_name, state, wait_event, clock_timestamp() - state_change, pg_blocking_pids(pid), query"
    " FROM pg_stat_activity WHERE datname = current_database()",
)
"""What the database knows of runs, jobs and connections."""


class Workers:
    """Worker processes of one database. made: the lines of what their capabilities did."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.made_file = folder / "made"
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def made(self) -> list[str]:
        """What was done, in order."""
        return self.made_file.read_text().splitlines() if self.made_file.exists() else []

    def start(
        self, *, labels: str = "", runs: int = 8, lease: float = LEASE, url: str | None = None, program: str = PROGRAM
    ) -> subprocess.Popen[bytes]:
        """Start one more."""
        words = [url or self.url, str(self.made_file), labels, str(runs), str(lease)]
        log = (self.folder / f"worker{len(self.processes)}.log").open("wb")
        one = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(one)
        return one

    def logs(self) -> str:
        """What they said."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("worker*.log")))

    def tell(self) -> str:
        """What they said, and what those that are alive do at this moment."""
        for one in self.processes:
            if one.poll() is None:
                one.send_signal(signal.SIGUSR1)
        time.sleep(1)
        with psycopg.connect(self.url) as connection:
            found = [[str(row) for row in connection.execute(query.encode())] for query in _TOLD]
        return "\n".join([self.logs(), *(line for rows in found for line in rows)])

    def end(self) -> None:
        """End all of them."""
        for one in self.processes:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.kill()
            one.wait()


@contextmanager
def workers(url: str, folder: Path) -> Iterator[Workers]:
    """Workers that end with the test. Whatever happened to them, each chain of their ledger is whole then."""
    found = Workers(url, folder)
    try:
        yield found
    finally:
        found.end()
    key = folder / "ledger.key"
    if key.exists():
        assert inspect(url, str(key)) is None


def until(true: object, seconds: float = 120.0) -> None:
    """Wait until `true()` is true. Raises AssertionError after some seconds."""
    assert callable(true)
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it does not come"
        time.sleep(0.05)
