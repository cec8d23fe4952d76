"""Calls of asynchronous functions by plans on their caller's event loop: what they cost there, and what they may do."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from math import inf
from time import process_time
from typing import Any

import pytest

import rtfs
from rtfs.host.scheduler import on_loop

FIVE = '(let [a (call "t.f" 1) b (call "t.f" a) c (call "t.f" b) d (call "t.f" c)] (call "t.f" d))'


def run(body: Any, function: Any, **options: Any) -> Any:
    """What `body(rt)` gives on a fresh loop; `t.f` is the function."""

    async def main() -> Any:
        async with rtfs.Runtime(**options) as rt:
            rt.register("t.f", function)
            return await body(rt)

    return asyncio.run(main())


class Callbacks:
    """Counts the callbacks of the running loop."""

    def __init__(self) -> None:
        self.count = 0
        self._loop: Any = asyncio.get_running_loop()
        self._real = self._loop.call_soon

    def __enter__(self) -> Callbacks:
        self._loop.call_soon = self._soon
        return self

    def __exit__(self, *error: object) -> None:
        del self._loop.call_soon

    def _soon(self, *arguments: Any, **context: Any) -> Any:
        self.count += 1
        return self._real(*arguments, **context)


@pytest.fixture
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs need not share the rounds of the loop, however busy this machine is."""
    monkeypatch.setattr(on_loop, "ROUND", inf)
    monkeypatch.setattr(on_loop, "UNCOUNTED", inf)


@pytest.mark.usefixtures("time_enough")
def test_a_call_that_does_not_wait_costs_no_callback_of_the_loop() -> None:
    async def f(x: int) -> int:
        return x + 1

    async def body(rt: rtfs.Runtime) -> int:
        await rt.arun(FIVE)
        with Callbacks() as counted:
            assert await rt.arun(FIVE) == 6
        return counted.count

    assert run(body, f) == 0


@pytest.mark.usefixtures("time_enough")
def test_a_call_that_waits_costs_the_callback_that_ends_its_wait() -> None:
    tasks: list[int] = []

    async def f(x: int) -> int:
        tasks.append(len(asyncio.all_tasks()))
        await asyncio.sleep(0)
        return x + 1

    async def body(rt: rtfs.Runtime) -> int:
        await rt.arun(FIVE)
        with Callbacks() as counted:
            assert await rt.arun(FIVE) == 6
        return counted.count

    assert run(body, f) == 5
    assert set(tasks) == {1}, "a call has no task of its own"


def test_a_variable_that_a_call_sets_is_seen_by_no_other() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)
    seen: list[int] = []

    async def f(x: int) -> int:
        seen.append(variable.get())
        variable.set(x)
        await asyncio.sleep(0)
        assert variable.get() == x
        return x + 1

    async def body(rt: rtfs.Runtime) -> int:
        variable.set(7)
        await rt.arun(FIVE)
        return variable.get()

    assert run(body, f) == 7
    assert seen == [7] * 5


def test_a_run_that_is_cancelled_ends_even_if_its_call_takes_no_notice() -> None:
    began = asyncio.Event()

    async def f(x: int) -> int:
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
        return x

    async def body(rt: rtfs.Runtime) -> None:
        task = asyncio.create_task(rt.arun(FIVE))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(body, f)


def test_a_call_that_something_else_cancels_is_an_error_that_a_plan_can_catch() -> None:
    async def f(x: int) -> int:
        other = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other
        return x

    async def body(rt: rtfs.Runtime) -> Any:
        return await rt.arun('(try (call "t.f" 1) (catch :capability/cancelled e :caught))')

    assert str(run(body, f)) == ":caught"


def test_a_call_may_use_timeouts_and_task_groups() -> None:
    async def f(x: int) -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(3600)

        async def add() -> int:
            await asyncio.sleep(0)
            return x + 1

        async with asyncio.TaskGroup() as group:
            found = group.create_task(add())
        return found.result()

    assert run(lambda rt: rt.arun(FIVE), f) == 6


def test_runs_that_start_and_go_on_at_the_same_time_share_the_rounds_of_the_loop() -> None:
    """Two hundred runs compute for some milliseconds each, before and after a call that is over for all of them at
    once: they would hold the loop for half a second each time."""
    plan = """(let [work (fn [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))
                    before (work @n)]
                (+ before (call "t.f" 1) (work @n)))"""
    gaps: list[float] = []

    async def watch() -> None:
        last = process_time()
        while True:
            await asyncio.sleep(0)
            now = process_time()
            gaps.append(now - last)
            last = now

    async def body(rt: rtfs.Runtime) -> tuple[float, float]:
        gate = asyncio.Event()
        waiting = 0

        async def f(x: int) -> int:
            nonlocal waiting
            waiting += 1
            if waiting == 200:
                gate.set()
            await gate.wait()
            return x

        rt.register("t.f", f, replace=True)
        watching = asyncio.create_task(watch())
        began = process_time()
        assert await asyncio.gather(*(rt.arun(plan, {"n": 30_000}) for _ in range(200))) == [60_001] * 200
        took = process_time() - began
        watching.cancel()
        return took, max(gaps)

    took, longest = run(body, lambda x: x)
    assert longest < took / 5
