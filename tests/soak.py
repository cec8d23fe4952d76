"""`python -m tests.soak --minutes N`: many plans at once against a server that fails and is killed, for a long time.

The server (tests/servers/soaking.py, a process of its own) writes down every call it executes; 5 % of the calls go
wrong in one of six ways, and every so often the server is killed and restarted. A quarter of the plans have a
session of the run's own, another quarter's calls are tasks. What must hold: no call is executed twice; none that a plan
was told is done was not executed, and none that it was told is certainly not done was; no session of a run's own serves
another run; in the end no session, task, thread, socket or process is left; memory is flat over the last 80 % of the
time. Prints the figures, exits with 1 if one of these does not hold. Not part of the test run; modest in CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rtfs.host.runtime import Runtime
from rtfs.values import Keyword

SERVER = Path(__file__).resolve().parent / "servers" / "soaking.py"
CALLS = 4
LEDGER = 10_000
PLAN = """
(map (fn [n]
       (do (call "ccos.system.sleep-ms" @pause)
           (try (if (= (:n (call @tool {:n n :run @base})) n) :done :wrong)
                (catch e (:code e)))))
     [(+ @base 0) (+ @base 1) (+ @base 2) (+ @base 3)])
"""
TOOLS = ("echo", "own", "long", "echo")
"""Which plans call which tool, in turns."""
DECLARED = """
(capability "mcp.soak.echo" :name "echo" :provider "MCP"
  :metadata {:mcp {:server_url "URL" :tool_name "echo" :requires_session "auto"}})
(capability "mcp.soak.own" :name "own" :provider "MCP"
  :metadata {:mcp {:server_url "URL" :tool_name "own" :requires_session "auto" :session_scope "run"}})
(capability "mcp.soak.long" :name "long" :provider "MCP"
  :metadata {:mcp {:server_url "URL" :tool_name "long" :requires_session "auto"}})
"""
CERTAINLY_NOT = {"session/unavailable", "session/expired", "session/rate-limited", "session/closed"}
"""Outcomes that say the server has not acted on the call."""


class Server:
    """The counterpart, restarted on the same port after each kill."""

    def __init__(self, share: float, path: str) -> None:
        self.share, self.path = share, path
        self.port, self.lives = 0, 0
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        self.lives += 1
        command = [sys.executable, str(SERVER), str(self.port), str(self.share), str(self.lives), self.path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rpartition(":")[2].partition("/")[0])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> dict[str, int]:
        """What it still held."""
        assert self.process is not None
        self.process.terminate()
        _, err = self.process.communicate(timeout=10)
        held: dict[str, int] = json.loads(err.strip().splitlines()[-1])
        return held


class Outcomes:
    """What each call came to, one byte a call, so that the soak's own notes do not look like a leak."""

    def __init__(self) -> None:
        self._names: list[str] = [""]
        self._of = bytearray()

    def put(self, number: int, name: str) -> None:
        if name not in self._names:
            self._names.append(name)
        if number >= len(self._of):
            self._of.extend(bytes(number + 1 - len(self._of)))
        self._of[number] = self._names.index(name)

    def items(self) -> Iterator[tuple[int, str]]:
        return ((number, self._names[code]) for number, code in enumerate(self._of) if code)


def rss() -> float:
    """Resident memory in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def left() -> dict[str, int]:
    """What this process holds now."""
    targets = []
    for name in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            pass
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {
        "sockets": sum(target.startswith("socket:") for target in targets),
        "threads": threading.active_count(),
        "processes": len(children),
    }


def slope(samples: list[tuple[float, float]]) -> float:
    """Least squares, in MB a minute, over the last 80 % of the time."""
    used = [(at / 60, size) for at, size in samples if at >= samples[-1][0] * 0.2]
    mean_x = sum(x for x, _ in used) / len(used)
    mean_y = sum(y for _, y in used) / len(used)
    spread = sum((x - mean_x) ** 2 for x, _ in used)
    return sum((x - mean_x) * (y - mean_y) for x, y in used) / spread if spread else 0.0


async def soak(options: argparse.Namespace, server: Server, runtime: Runtime) -> dict[str, Any]:
    """Run the plans until the time is up; outcomes by call number and memory over time."""
    rng = random.Random(options.seed)
    end = time.monotonic() + options.minutes * 60
    outcomes = Outcomes()
    base = iter(range(0, 10**9, CALLS))
    samples: list[tuple[float, float]] = []
    began = time.monotonic()

    async def plans(number: int) -> None:
        await asyncio.sleep(rng.random() * options.pause)
        while time.monotonic() < end:
            first = next(base)
            pause = int(options.pause * 1000 * (0.5 + rng.random()))
            given = {"base": first, "pause": pause, "tool": "mcp.soak." + TOOLS[number % len(TOOLS)]}
            found = await runtime.arun(PLAN, given, principal=f"p{number % 8}")
            for offset, outcome in enumerate(found):
                outcomes.put(first + offset, outcome.name if outcome.__class__ is Keyword else str(outcome))

    async def watch() -> None:
        while time.monotonic() < end:
            gc.collect()
            samples.append((time.monotonic() - began, rss()))
            await asyncio.sleep(5)

    async def restarts() -> None:
        while True:
            await asyncio.sleep(options.restart)
            if time.monotonic() > end - 5:
                return
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(server.start)

    others = [asyncio.create_task(watch()), asyncio.create_task(restarts())]
    try:
        await asyncio.gather(*(plans(number) for number in range(options.plans)))
    finally:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    tasks = len(asyncio.all_tasks()) - 1
    return {"outcomes": outcomes, "samples": samples, "tasks": tasks}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--plans", type=int, default=200, help="that run at once")
    parser.add_argument("--pause", type=float, default=3.0, help="mean seconds between two calls of a plan")
    parser.add_argument("--faults", type=float, default=0.05, help="share of the calls")
    parser.add_argument("--restart", type=float, default=45.0, help="seconds between two kills of the server")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    before = left()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "executed")
        server = Server(options.faults, path)
        server.start()
        cpu = time.process_time()
        runtime = Runtime(allow=["mcp.soak.*"])
        # The ledger keeps its last 100,000 records in memory; here fewer, so that it is full before the memory counts.
        runtime.ledger._keep = LEDGER
        try:
            runtime.load(DECLARED.replace("URL", server.url))
            found = asyncio.run(soak(options, server, runtime))
            stats = runtime._sessions.pool().stats()
        finally:
            runtime.close()
        cpu = time.process_time() - cpu
        held = server.stop()
        executed = collections.Counter(int(line) for line in Path(path).read_text().split())
        runs_of: dict[str, set[str]] = collections.defaultdict(set)
        for line in Path(path + ".own").read_text().splitlines():
            session, run = line.split()
            runs_of[session].add(run)
    gc.collect()
    after = left()
    outcomes = dict(found["outcomes"].items())
    done = [number for number, outcome in outcomes.items() if outcome == "done"]
    trend = slope(found["samples"]) if len(found["samples"]) > 2 else 0.0
    wrong = {
        "calls executed twice": sum(count > 1 for count in executed.values()),
        "calls told as done that were not": sum(number not in executed for number in done),
        "calls told as not done that were": sum(
            outcome in CERTAINLY_NOT and number in executed for number, outcome in outcomes.items()
        ),
        "sessions of a run's own that served another": sum(len(runs) > 1 for runs in runs_of.values()),
        "wrong answers": sum(outcome == "wrong" for outcome in outcomes.values()),
        "sessions left in the pool": stats["in_flight"] + stats["waiting"] + stats["opening"],
        "sessions left on the server": held["sessions"],
        "connections left on the server": held["connections"],
        "tasks left": found["tasks"],
        **{f"{name} left": max(0, after[name] - before[name]) for name in before},
        "MB a minute beyond 1": max(0.0, round(trend - 1.0, 2)),
    }
    shown = dict(collections.Counter(outcomes.values()).most_common())
    size = f"{options.minutes:g} minutes, {options.plans} plans at once, {len(outcomes)} calls"
    print(f"{size}, {server.lives - 1} restarts")
    print(f"outcomes: {shown}")
    print(f"sessions of a run's own: {len(runs_of)}")
    print(f"pool: { {name: value for name, value in stats.items() if name != 'keys'} }")
    sizes = [size for _, size in found["samples"]]
    print(
        f"memory in MB: {sizes[0]:.1f} at first, {max(sizes):.1f} at most, {sizes[-1]:.1f} last; {trend:+.2f} a minute"
    )
    print(f"CPU: {cpu:.1f} s")
    for name, count in wrong.items():
        print(f"{'' if not count else 'WRONG '}{name}: {count}")
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
