"""Fibers finish without a loop where nothing waits, and unwind whenever they are given up."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rtfs.host.scheduler import threads
from rtfs.host.scheduler.loop_thread import Engine
from rtfs.host.scheduler.scheduler import Scheduler
from rtfs.host.scheduler.suspensions import Gather, InThread, OnLoop, Sleep, Turn, Within
from rtfs.values import HostError


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


async def after(value: Any, seconds: float = 0.0) -> Any:
    if seconds:
        await Sleep(seconds)
    return value


async def failing(seconds: float = 0.0) -> None:
    await Sleep(seconds)
    raise HostError("no")


def test_what_never_waits_needs_no_engine(engine: Engine) -> None:
    assert Scheduler(engine).run(after(5)) == 5
    assert not engine.started


def test_branches_keep_their_order_and_run_at_the_same_time(engine: Engine) -> None:
    started = time.monotonic()
    found = Scheduler(engine).run(_gather([lambda n=n: after(n, 0.05 - n / 100) for n in range(4)], 4))
    assert found == [0, 1, 2, 3]
    assert time.monotonic() - started < 0.15
    assert not engine.started


async def _gather(makers: list[Any], width: int) -> Any:
    return await Gather(makers, width)


def test_the_width_bounds_how_many_run() -> None:
    running = [0, 0]

    async def one() -> None:
        running[0] += 1
        running[1] = max(running)
        await Turn()
        running[0] -= 1

    Scheduler(None).run(_gather([one for _ in range(20)], 3))
    assert running == [0, 3]


def test_the_first_error_cancels_the_rest() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await Sleep(60)
        finally:
            ended.append("unwound")

    with pytest.raises(HostError):
        Scheduler(None).run(_gather([long, lambda: failing(0.01), long], 3))
    assert ended == ["unwound", "unwound"]


def test_no_branches_are_an_empty_list() -> None:
    assert Scheduler(None).run(_gather([], 3)) == []


def test_a_time_limit_gives_up_what_takes_longer() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await Sleep(60)
        finally:
            ended.append("unwound")

    async def limited() -> None:
        await Within(0.01, long(), lambda: HostError("late"))

    with pytest.raises(HostError, match="late"):
        Scheduler(None).run(limited())
    assert ended == ["unwound"]


def test_a_coroutine_on_the_engine_answers(engine: Engine) -> None:
    async def there() -> str:
        await asyncio.sleep(0.01)
        return threading.current_thread().name

    async def here() -> Any:
        return await OnLoop(there)

    assert Scheduler(engine).run(here()) == "rtfs-engine"


def test_giving_up_cancels_the_task_on_the_engine(engine: Engine) -> None:
    cancelled = threading.Event()

    async def there() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def here() -> None:
        await Within(0.05, _await(OnLoop(there)), lambda: HostError("late"))

    with pytest.raises(HostError, match="late"):
        Scheduler(engine).run(here())
    assert cancelled.wait(5)


async def _await(wait: Any) -> Any:
    return await wait


def test_errors_of_the_engine_and_of_threads_arrive(engine: Engine) -> None:
    async def there() -> None:
        raise ValueError("there")

    with pytest.raises(ValueError, match="there"):
        Scheduler(engine).run(_await(OnLoop(there)))
    with pytest.raises(ZeroDivisionError):
        Scheduler(engine).run(_await(InThread(lambda: 1 // 0, ())))


def test_waiting_for_the_loop_of_this_thread_is_an_error_not_a_deadlock(engine: Engine) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(HostError) as caught:
            Scheduler(engine).run(_await(OnLoop(lambda: asyncio.sleep(0), loop)))
        assert caught.value.code == "runtime/deadlock"

    asyncio.run(main())


def test_a_closed_home_loop_is_named(engine: Engine) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(HostError) as caught:
        Scheduler(engine).run(_await(OnLoop(lambda: asyncio.sleep(0), loop)))
    assert caught.value.code == "capability/unreachable"


def test_within_a_loop_others_get_their_turn(engine: Engine) -> None:
    async def main() -> None:
        ticks = 0

        async def other() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        async def guest() -> str:
            for _ in range(20):
                await Turn()
            await Sleep(0.01)
            return await OnLoop(lambda: _asyncio_value("x"), asyncio.get_running_loop())

        task = asyncio.create_task(other())
        assert await Scheduler(engine, home=asyncio.get_running_loop()).drive(guest()) == "x"
        task.cancel()
        assert ticks >= 20

    asyncio.run(main())
    assert not engine.started


async def _asyncio_value(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


def test_cancelling_the_driving_task_unwinds_the_fiber(engine: Engine) -> None:
    ended: list[str] = []

    async def guest() -> None:
        try:
            await Sleep(60)
        finally:
            ended.append("unwound")

    async def main() -> None:
        task = asyncio.create_task(Scheduler(engine, home=asyncio.get_running_loop()).drive(guest()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["unwound"]


def test_an_interrupt_unwinds_everything() -> None:
    ended: list[str] = []

    async def other() -> None:
        try:
            await Sleep(60)
        finally:
            ended.append("unwound")

    async def interrupted() -> None:
        await Turn()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scheduler(None).run(_gather([other, interrupted], 2))
    assert ended == ["unwound"]


MANY = 20_000


async def _unwinding(unwound: list[int], number: int) -> None:
    try:
        await Sleep(100)
    finally:
        unwound.append(number)


def _many(unwound: list[int], *more: Any) -> Any:
    return _gather([*(lambda n=n: _unwinding(unwound, n) for n in range(MANY)), *more], MANY + len(more))


def test_a_loop_has_its_turn_while_thousands_of_fibers_unwind(engine: Engine) -> None:
    unwound: list[int] = []
    seen: list[int] = []

    async def watch() -> None:
        while True:
            seen.append(len(unwound))
            await asyncio.sleep(0)

    async def main() -> None:
        watching = asyncio.create_task(watch())
        with pytest.raises(HostError, match="no"):
            await Scheduler(engine, asyncio.get_running_loop()).drive(_many(unwound, lambda: failing(0.2)))
        watching.cancel()

    asyncio.run(main())
    assert unwound == list(range(MANY))
    assert [count for count in seen if 0 < count < MANY]


def test_no_fiber_steps_before_those_that_an_error_ends_have_unwound(engine: Engine) -> None:
    unwound: list[int] = []

    async def other() -> int:
        while not unwound:
            await Turn()
        return len(unwound)

    async def failed() -> int:
        with pytest.raises(HostError, match="no"):
            await Gather([*(lambda n=n: _unwinding(unwound, n) for n in range(MANY)), failing], MANY + 1)
        return len(unwound)

    async def main() -> Any:
        return await Scheduler(engine, asyncio.get_running_loop()).drive(_gather([other, failed], 2))

    assert asyncio.run(main()) == [MANY, MANY]


@pytest.mark.parametrize("times", [1, 2])
def test_a_cancelled_run_has_unwound_when_its_task_is_done(engine: Engine, times: int) -> None:
    unwound: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()

        async def last() -> None:
            begun.set()
            await Sleep(100)

        task = asyncio.create_task(Scheduler(engine, loop).drive(_many(unwound, last)))
        await begun.wait()
        for _ in range(times):  # the second time while it unwinds
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(unwound) == MANY

    asyncio.run(main())


def test_branches_that_failed_leave_no_cycles(engine: Engine) -> None:
    async def tree(depth: int) -> None:
        if depth == 0:
            await failing()
        await Gather([lambda: tree(depth - 1), lambda: tree(depth - 1)], 2)

    def fail() -> None:
        with pytest.raises(HostError, match="no"):
            Scheduler(engine).run(tree(8))

    fail()
    gc.collect()
    gc.disable()
    try:
        fail()
        assert gc.collect() < 500  # those of the last error; with those of each branch they are ten thousand
    finally:
        gc.enable()


def test_timers_of_finished_work_are_forgotten() -> None:
    scheduler = Scheduler(None)

    async def many() -> None:
        for _ in range(1000):
            await Within(600, after(1), lambda: HostError("late"))

    scheduler.run(many())
    assert len(scheduler._timers) <= 202


def test_a_thread_is_used_again_and_work_never_waits_for_other_work() -> None:
    seen: list[int] = []

    async def in_turn() -> None:
        for _ in range(20):
            seen.append(await InThread(threading.get_ident, ()))
            await Sleep(0.01)  # it is free again

    Scheduler(None).run(in_turn())
    assert len(set(seen)) <= 2

    barrier = threading.Barrier(12)

    async def together() -> None:
        await Gather([lambda: _await(InThread(barrier.wait, (60,)))] * 12, 12)

    Scheduler(None).run(together())
    assert not barrier.broken


def test_a_thread_without_work_ends_and_a_forked_process_starts_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LINGER", 0.05)
    used: list[threading.Thread] = []

    async def once() -> None:
        used.append(await InThread(threading.current_thread, ()))

    Scheduler(None).run(once())
    used[0].join(60)
    assert not used[0].is_alive()
    monkeypatch.setattr(threads, "LINGER", 60.0)
    Scheduler(None).run(once())
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            Scheduler(None).run(once())
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
