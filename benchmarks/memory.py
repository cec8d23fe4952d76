"""Memory: large values against Python's own, and idle MCP sessions. Each figure is taken in a process of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import ROUNDS, Row

GROUP = "memory"
VALUES = {
    "a vector of 10^6": (
        'kept = runtime.run("(reduce conj [] (range 1000000))")',
        "kept = []\nfor i in range(1_000_000): kept.append(i)",
    ),
    "a map of 10^6": (
        'kept = runtime.run("(reduce (fn [m i] (assoc m i i)) {} (range 1000000))")',
        "kept = {}\nfor i in range(1_000_000): kept[i] = i",
    ),
}
GROWN = """
import rtfs
from benchmarks.memory import resident
runtime = rtfs.Runtime()
runtime.run("(reduce conj [] (range 1000))")
before = resident()
{job}
print(resident() - before)
"""
SESSIONS = """
import asyncio
from benchmarks.memory import resident
from rtfs.capabilities.sessions.handler import SessionCall
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.capabilities.sessions.mcp import McpHandler
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.values import Keyword, Map

async def main():
    pool = SessionPool({{"mcp": McpHandler()}}, limits=PoolLimits(sessions_total=2_000))
    metadata = {{"mcp_server_url": {url!r}, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}}
    async def call(n):
        answer = Map([(Keyword("n"), n)])
        await pool.execute_with_session("mcp", SessionCall("mcp.bench.echo", metadata, answer, principal=f"p{{n}}"))
    await call(0)
    before = resident()
    for start in range(1, 1_001, 50):
        await asyncio.gather(*(call(n) for n in range(start, start + 50)))
    print(resident() - before)
    await pool.aclose()

asyncio.run(main())
"""


def resident() -> float:
    """The resident set of this process in MB."""
    import gc

    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def run() -> Iterator[Row]:
    """MB of each, where the system says what a process holds (Linux)."""
    for name, jobs in VALUES.items():
        ours, base = ([_grown(GROWN.format(job=job)) for _ in range(ROUNDS)] for job in jobs)
        value, other = statistics.median(ours), statistics.median(base)
        yield Row(GROUP, name, value, "MB", other, value / other, 1.5, samples={"ours": ours, "base": base})
    from tests.servers.running import ROOT, serve

    with serve(ROOT / "tests" / "servers" / "light.py", "--json") as server:
        ours = [_grown(SESSIONS.format(url=server.url)) for _ in range(ROUNDS)]
    yield Row(GROUP, "1,000 idle MCP sessions", statistics.median(ours), "MB", goal=60, samples={"ours": ours})


def _grown(script: str) -> float:
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)
