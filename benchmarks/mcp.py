"""MCP calls through our pool and pipeline against the official SDK's client and fastmcp's, on loopback.

The counterpart is a light server of our own in a process of its own (`tests/servers/light.py`), so that the clients are
what is measured. All clients run in turn in this process, against the same server, each with one open session and its
connections open. What one client leaves to the garbage collector is collected before the next has its turn, and what
all of them loaded is kept out of its sight, so that no client pays for another's objects.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.measure import ROUNDS, Row

GROUP = "mcp: calls/s, against the official SDK"
CALLS = {1: 300, 16: 400, 64: 500}
"""Calls a round, by how many are made at once."""
GOALS = {1: 2.5, 16: 4.0, 64: None}

Caller = Callable[[int], Awaitable[Any]]


class Round:
    """What one round of one client took: calls/s, each call's ms, CPU ms a call."""

    def __init__(self, rate: float, times: list[float], cpu: float) -> None:
        self.rate, self.times, self.cpu = rate, times, cpu


@contextlib.asynccontextmanager
async def ours(url: str) -> AsyncIterator[Caller]:
    """The pool and the MCP handler, as the pipeline uses them."""
    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.pool import SessionPool
    from rtfs.values import Keyword, Map

    pool = SessionPool({"mcp": McpHandler()})
    metadata = {"mcp_server_url": url, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}
    key = Keyword("n")

    async def call(n: int) -> Any:
        answer = await pool.execute_with_session("mcp", SessionCall("mcp.bench.echo", metadata, Map([(key, n)])))
        assert answer.get(key) == n

    try:
        yield call
    finally:
        await pool.aclose()


@contextlib.asynccontextmanager
async def plans(url: str) -> AsyncIterator[Caller]:
    """Plans on our runtime, through the whole pipeline. Called with the number of calls that one plan makes."""
    from rtfs.host.runtime import Runtime

    async with Runtime(allow=["mcp.bench.*"]) as host:
        host.load(
            f'(capability "mcp.bench.echo" :name "echo" :provider "MCP" :metadata {{:mcp {{'
            f":server_url {json.dumps(url)} "
            ':tool_name "echo" :requires_session "auto"}})'
        )
        source = '(reduce (fn [sum n] (+ sum (:n (call "mcp.bench.echo" {:n n})))) 0 (range @calls))'

        async def call(calls: int) -> Any:
            assert await host.arun(source, {"calls": calls}) == sum(range(calls))

        yield call


@contextlib.asynccontextmanager
async def sdk(url: str) -> AsyncIterator[Caller]:
    """The official SDK's client."""
    from mcp import Client

    async with Client(url, mode="legacy") as client:

        async def call(n: int) -> Any:
            assert str(n) in str((await client.call_tool("echo", {"n": n})).content[0])

        yield call


@contextlib.asynccontextmanager
async def fast(url: str) -> AsyncIterator[Caller]:
    """fastmcp's client."""
    import fastmcp

    async with fastmcp.Client(url, mode="legacy") as client:

        async def call(n: int) -> Any:
            assert str(n) in str((await client.call_tool("echo", {"n": n})).content[0])

        yield call


def contenders() -> dict[str, Callable[[str], Any]]:
    """The clients there are; ours first, the base second."""
    found: dict[str, Callable[[str], Any]] = {"ours": ours, "sdk": sdk}
    try:
        import fastmcp  # noqa: F401
    except ImportError:
        return found
    return {**found, "fastmcp": fast}


async def one_round(call: Caller, at_once: int, calls: int) -> Round:
    """`calls` calls, `at_once` at a time."""
    numbers = iter(range(calls))
    times: list[float] = []

    async def worker() -> None:
        for n in numbers:
            started = time.perf_counter()
            await call(n)
            times.append((time.perf_counter() - started) * 1e3)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return Round(calls / took, times, used * 1e3 / calls)


async def plan_round(plan: Caller, at_once: int, calls: int) -> Round:
    """The same number of calls, made by as many plans at once."""
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(plan(calls // at_once) for _ in range(at_once)))
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return Round(calls // at_once * at_once / took, [], used * 1e3 / calls)


async def measure(url: str, form: str) -> list[Row]:
    """The rows of one form of reply."""
    rows: list[Row] = []
    clients = contenders()
    async with contextlib.AsyncExitStack() as stack:
        opened = {name: await stack.enter_async_context(made(url)) for name, made in clients.items()}
        plan = await stack.enter_async_context(plans(url))
        stack.callback(gc.unfreeze)
        for at_once, calls in CALLS.items():
            rounds: dict[str, list[Round]] = {name: [] for name in (*opened, "plans")}
            for call in opened.values():
                await one_round(call, at_once, 2 * at_once + 50)
            await plan_round(plan, at_once, 2 * at_once + 50)
            for number in range(ROUNDS):
                for name in opened if number % 2 == 0 else reversed(opened):
                    _forget_garbage()
                    rounds[name].append(await one_round(opened[name], at_once, calls))
                _forget_garbage()
                rounds["plans"].append(await plan_round(plan, at_once, calls))
            rows += rows_of(form, at_once, rounds)
    return rows


def _forget_garbage() -> None:
    gc.collect()
    gc.freeze()


def rows_of(form: str, at_once: int, rounds: dict[str, list[Round]]) -> list[Row]:
    """Calls/s of ours against each other client; p99 against p50; CPU."""

    def rate(name: str) -> float:
        return statistics.median(one.rate for one in rounds[name])

    def cpu(name: str) -> float:
        return statistics.median(one.cpu for one in rounds[name])

    def tail(name: str) -> tuple[float, float]:
        """The medians of the rounds' p50 and p99."""
        cuts = [statistics.quantiles(one.times, n=100) for one in rounds[name]]
        return statistics.median(cut[49] for cut in cuts), statistics.median(cut[98] for cut in cuts)

    where = f"{form}, {at_once} at once"
    samples = {name: [one.rate for one in taken] for name, taken in rounds.items()}
    mine, goal = rate("ours"), GOALS[at_once]
    plan = rate("plans")
    rows = [Row(GROUP, f"{where}, plans / sdk", plan, "/s", rate("sdk"), plan / rate("sdk"), goal, "more")]
    timed = [name for name in rounds if name != "plans"]
    for name in timed:
        if name != "ours":
            base = rate(name)
            rows.append(Row(GROUP, f"{where}, pool / {name}", mine, "/s", base, mine / base, None, "more", samples))
    p50, p99 = tail("ours")
    others = "; ".join(f"{name} {low:.2f}/{high:.2f}" for name in timed for low, high in (tail(name),))
    rows.append(Row(GROUP, f"{where}, p99 / p50", p99, "ms", p50, p99 / p50, 2.5, note=f"p50/p99: {others}"))
    for name in timed:
        if name != "ours":
            ratio = cpu("ours") / cpu(name)
            rows.append(Row(GROUP, f"{where}, CPU a call, {name}", cpu("ours"), "ms", cpu(name), ratio))
    return rows


async def opening(url: str) -> list[Row]:
    """Open a session, make one call, close it; CPU ms. Our pool shares its HTTP client between sessions, so it is kept
    while the sessions come and go."""
    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.pool import SessionPool
    from rtfs.values import Keyword, Map

    pool = SessionPool({"mcp": McpHandler()})
    metadata = {"mcp_server_url": url, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}

    async def mine() -> None:
        call = SessionCall("mcp.bench.echo", metadata, Map([(Keyword("n"), 1)]))
        await pool.execute_with_session("mcp", call)
        await pool.terminate_all()

    def theirs(client: Callable[[str], Any]) -> Callable[[], Awaitable[None]]:
        async def once() -> None:
            async with client(url) as call:
                await call(1)

        return once

    others = [name for name in contenders() if name != "ours"]
    jobs = {"ours": mine, **{name: theirs(contenders()[name]) for name in others}}
    samples: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        await job()
    for number in range(ROUNDS):
        for name in jobs if number % 2 == 0 else reversed(jobs):
            before = time.process_time()
            for _ in range(10):
                await jobs[name]()
            samples[name].append((time.process_time() - before) * 100)
    await pool.aclose()
    value = statistics.median(samples["ours"])
    rows = []
    for name in others:
        base = statistics.median(samples[name])
        goal = 0.2 if name == "sdk" else None
        what = f"set-up, call, tear-down; CPU, {name}"
        rows.append(Row(GROUP, what, value, "ms", base, value / base, goal, samples=samples))
    return rows


def run() -> list[Row]:
    """All rows. Raises ImportError where the official SDK is not installed."""
    from tests.servers.running import ROOT, serve

    logging.disable(logging.INFO)
    rows: list[Row] = []
    for form in ("json", "sse"):
        with serve(ROOT / "tests" / "servers" / "light.py", f"--{form}") as server:
            rows += asyncio.run(measure(server.url, form))
            if form == "json":
                rows += asyncio.run(opening(server.url))
    logging.disable(logging.NOTSET)
    return rows
