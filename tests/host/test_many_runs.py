"""What many runs hold that wait on an event loop is set aside from Python's collector while they wait."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import rtfs
from rtfs.machine import memory

PLAN = '(let [a (call "t.f" 1)] (call "t.f" a))'


@pytest.fixture(autouse=True)
def nothing_set_aside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "_theirs", False)
    gc.unfreeze()
    yield
    gc.unfreeze()


class Held:
    """In a cycle, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


async def waiting(rt: rtfs.Runtime, many: int, gate: asyncio.Event) -> list[Any]:
    """So many runs that wait for the gate."""
    count = 0

    async def f(x: int) -> int:
        nonlocal count
        count += 1
        await gate.wait()
        return x

    rt.register("t.f", f, replace=True)
    runs = [asyncio.create_task(rt.arun(PLAN)) for _ in range(many)]
    while count < many:
        await asyncio.sleep(0.001)
    return runs


def frozen_while(many: int) -> tuple[int, int]:
    """How many objects were set aside while so many runs waited, and afterwards."""

    async def main() -> tuple[int, int]:
        gate = asyncio.Event()
        async with rtfs.Runtime() as rt:
            runs = await waiting(rt, many, gate)
            during = gc.get_freeze_count()
            gate.set()
            assert await asyncio.gather(*runs) == [1] * many
            return during, gc.get_freeze_count()

    return asyncio.run(main())


def test_what_many_runs_hold_is_set_aside_until_they_are_over() -> None:
    during, after = frozen_while(600)
    assert during > 600 * 30
    assert after == 0


def test_few_runs_set_nothing_aside() -> None:
    assert frozen_while(60) == (0, 0)


def test_cancelled_runs_are_over_too() -> None:
    async def main() -> int:
        async with rtfs.Runtime() as rt:
            runs = await waiting(rt, 400, asyncio.Event())
            assert gc.get_freeze_count() > 0
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
            return gc.get_freeze_count()

    assert asyncio.run(main()) == 0


def test_garbage_made_while_runs_wait_is_collected() -> None:
    async def main() -> tuple[bool, bool]:
        gate = asyncio.Event()
        async with rtfs.Runtime() as rt:
            before = weakref.ref(Held())
            runs = await waiting(rt, 400, gate)
            made = weakref.ref(Held())
            gc.collect()
            while_waiting = made() is None
            gate.set()
            await asyncio.gather(*runs)
            gc.collect()
            return while_waiting, before() is None

    assert asyncio.run(main()) == (True, True)


def test_what_the_embedder_has_set_aside_stays_so() -> None:
    gc.collect()
    gc.freeze()
    mine = gc.get_freeze_count()
    during, after = frozen_while(400)
    assert during <= mine
    assert 0 < after <= mine
