"""A thousand plans in one event loop, each with five calls of an async function, beside the same as bare coroutines."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import rtfs
from benchmarks import measure
from benchmarks.measure import ROUNDS, Row
from benchmarks.memory import resident

GROUP = "one event loop"
PLANS = 1_000
SUSPENDED = 1_000
PLAN = '(let [a (call "b.f" 1) b (call "b.f" a) c (call "b.f" b) d (call "b.f" c)] (call "b.f" d))'


async def step(x: int) -> int:
    """What each call does."""
    await asyncio.sleep(0.001)
    return x + 1


async def bare() -> int:
    """The plan in Python."""
    found = 1
    for _ in range(5):
        found = await step(found)
    return found


async def _seconds(start: Callable[[], Coroutine[Any, Any, Any]]) -> float:
    began = measure.clock()
    found = await asyncio.gather(*(start() for _ in range(PLANS)))
    assert found == [6] * PLANS
    return measure.clock() - began


async def _speed(rt: rtfs.Runtime) -> tuple[list[float], list[float], list[float]]:
    """Seconds of ours and of the bare coroutines, and for how long the loop had no turn while ours ran."""
    ours, base, gaps = [], [], []

    async def watch() -> None:
        clock = time.process_time if measure.counts_processor_time() else time.monotonic
        last = clock()
        while True:
            await asyncio.sleep(0)
            now = clock()
            gaps.append(now - last)
            last = now

    await rt.arun(PLAN)
    for _ in range(ROUNDS):
        base.append(await _seconds(bare))
        ours.append(await _seconds(lambda: rt.arun(PLAN)))
    watching = asyncio.create_task(watch())
    await _seconds(lambda: rt.arun(PLAN))
    watching.cancel()
    return ours, base, gaps


async def _memory(rt: rtfs.Runtime) -> float:
    """KiB by which the process grows for a plan that waits."""
    go = asyncio.Event()

    waits = 0

    async def wait(x: Any) -> Any:
        nonlocal waits
        waits += 1
        await go.wait()
        return x

    async def all_wait() -> None:
        while waits < len(waiting) and not any(one.done() for one in waiting):
            await asyncio.sleep(0.01)

    rt.register("b.wait", wait)
    plan = '(let [a (call "b.wait" {:id 1})] (str a))'
    waiting = [asyncio.create_task(rt.arun(plan)) for _ in range(100)]
    await all_wait()
    before = resident()
    waiting += [asyncio.create_task(rt.arun(plan)) for _ in range(SUSPENDED)]
    await all_wait()
    grown = resident() - before
    go.set()
    await asyncio.gather(*waiting)
    return grown * 1e6 / 1024 / SUSPENDED


def run() -> Iterator[Row]:
    """Plans a second, stalls, and memory of a suspended plan."""

    async def measured() -> list[Row]:
        async with rtfs.Runtime() as rt:
            rt.register("b.f", step)
            ours, base, gaps = await _speed(rt)
            samples = {"ours": ours, "base": base}
            value, other = PLANS / statistics.median(ours), PLANS / statistics.median(base)
            gaps.sort()
            return [
                Row(GROUP, "plans of 5 async calls", value, "/s", goal=4_000, better="more", samples=samples),
                Row(GROUP, "the same, beside coroutines", value, "/s", other, other / value, 6, samples=samples),
                Row(GROUP, "longest stall of the loop", gaps[-1] * 1e3, "ms", goal=250),
                Row(GROUP, "stall of the loop, p99", gaps[int(len(gaps) * 0.99)] * 1e3, "ms", goal=50),
                Row(GROUP, "a suspended plan", await _memory(rt), "KiB", goal=40),
            ]

    yield from asyncio.run(measured())
