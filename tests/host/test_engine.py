"""The engine starts late and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

import rtfs
from rtfs.host.scheduler.loop_thread import Engine
from rtfs.values import HostError


def test_it_starts_with_the_first_use_and_ends_with_close() -> None:
    engine = Engine()
    assert not engine.started
    assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 5), engine.loop()).result(5) == 5
    assert any(thread.name == "rtfs-engine" for thread in threading.enumerate())
    engine.close()
    engine.close()
    assert not any(thread.name == "rtfs-engine" for thread in threading.enumerate())


def test_closers_run_last_in_first_out_and_tasks_are_cancelled() -> None:
    engine = Engine()
    loop = engine.loop()
    order: list[str] = []

    async def closer(name: str) -> None:
        order.append(name)

    async def broken() -> None:
        raise ValueError

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            order.append("cancelled")

    engine.on_close(lambda: closer("first"))
    engine.on_close(broken)
    engine.on_close(lambda: closer("last"))
    asyncio.run_coroutine_threadsafe(forever(), loop)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
    engine.close()
    assert order == ["last", "first", "cancelled"]
    assert loop.is_closed()


def test_a_closed_engine_does_not_start_again() -> None:
    engine = Engine()
    engine.close()
    with pytest.raises(HostError) as caught:
        engine.loop()
    assert caught.value.code == "runtime/closed"


def test_a_task_that_tries_to_end_the_process_ends_alone() -> None:
    async def leaves() -> None:
        raise SystemExit(3)

    async def stays() -> int:
        return 7

    with rtfs.Runtime() as runtime:
        runtime.register("leaves", leaves)
        runtime.register("stays", stays)
        with pytest.raises(rtfs.UserError, match="SystemExit"):
            runtime.run('(call "leaves")')
        assert runtime.run('(call "stays")') == 7
    assert not any(thread.name == "rtfs-engine" for thread in threading.enumerate())
