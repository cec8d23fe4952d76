"""Ten times the work: what it costs, as a multiple."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import rtfs
from benchmarks.measure import Row, interleaved
from benchmarks.reading import text_of

GROUP = "growth"
GOAL = 11.0


def run() -> Iterator[Row]:
    """Each row: the time of the larger job over that of the smaller, in one run."""
    small, large = text_of(20_000), text_of(200_000)
    yield _row("source size, reading", lambda: rtfs.read(small), lambda: rtfs.read(large))
    programs = [
        "".join(f"(defn f{i} [a b] (if (> a b) [a {{:k b}}] (+ a b {i})))\n" for i in range(n)) for n in (60, 600)
    ]
    yield _row("source size, compiling", lambda: rtfs.compile(programs[0]), lambda: rtfs.compile(programs[1]))
    with rtfs.Runtime() as runtime:
        runtime.register("bench.echo", lambda value: value)
        runtime.run(
            "(defn build-vector [n] (count (reduce conj [] (range n))))"
            "(defn build-map [n] (count (reduce (fn [m i] (assoc m i i)) {} (range n))))"
            "(defn update-vector [n] (count (reduce (fn [v i] (assoc v i 0)) (range n) (range n))))"
            "(defn recursion [n] (if (= n 0) 0 (+ 1 (recursion (- n 1)))))"
            '(defn calls [n] (loop [i 0] (if (< i n) (do (call "bench.echo" i) (recur (+ i 1))) i)))'
        )
        for name, function, n in (
            ("conj", "build-vector", 10_000),
            ("assoc on a map", "build-map", 10_000),
            ("assoc on a vector", "update-vector", 10_000),
            ("recursion", "recursion", 5_000),
            ("host calls", "calls", 1_000),
        ):
            yield _row(
                f"{name}, {n:,} to {n * 10:,}",
                lambda f=function, k=n: runtime.run(f"({f} {k})"),
                lambda f=function, k=n: runtime.run(f"({f} {k * 10})"),
            )
        yield _row(
            "(a list of Python's, 10,000 to 100,000)", lambda: _python_list(10_000), lambda: _python_list(100_000), None
        )
        yield _sessions()
        branches = [f"(step-parallel {' '.join(['(+ 1 1)'] * n)})" for n in (100, 1000)]
        yield _row(
            "parallel branches, 100 to 1,000", lambda: runtime.run(branches[0]), lambda: runtime.run(branches[1])
        )


def _python_list(count: int) -> list[int]:
    """The same as "conj": what memory that was not used yet costs."""
    made: list[int] = []
    for number in range(count):
        made.append(number)
    return made


def _sessions() -> Row:
    """A session and a call for each of 100 principals, and of 1,000."""
    import asyncio

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.limits import PoolLimits
    from rtfs.capabilities.sessions.mcp import McpHandler
    from rtfs.capabilities.sessions.pool import SessionPool
    from rtfs.values import Keyword, Map
    from tests.servers.running import ROOT, serve

    with serve(ROOT / "tests" / "servers" / "light.py", "--json") as server:
        metadata = {"mcp_server_url": server.url, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}
        arguments = Map([(Keyword("n"), 1)])

        async def open_many(count: int) -> None:
            pool = SessionPool({"mcp": McpHandler()}, limits=PoolLimits(sessions_total=count))
            for n in range(count):
                call = SessionCall("mcp.bench.echo", metadata, arguments, principal=f"p{n}")
                await pool.execute_with_session("mcp", call)
            await pool.aclose()

        return _row(
            "sessions, 100 to 1,000", lambda: asyncio.run(open_many(100)), lambda: asyncio.run(open_many(1_000))
        )


def _row(name: str, small: Callable[[], object], large: Callable[[], object], goal: float | None = GOAL) -> Row:
    samples = interleaved([large, small])
    ours, base = (statistics.median(each) * 1e3 for each in samples)
    return Row(GROUP, name, ours, "ms", base, ours / base, goal, samples={"large": samples[0], "small": samples[1]})
