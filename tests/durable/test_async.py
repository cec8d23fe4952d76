"""Durable runs within an embedder's event loop: waiting for the disk does not block the loop."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.journal import Journal
from rtfs.host.durable.runs import RunState

PLAN = (
    '(step-parallel (do (call "count" 1) (call "count" 2)) (loop [i 0] (if (< i 200000) (recur (inc i)) i))) '
    '(try (call "count" 3) (catch e nil)) (call "ccos.state.kv.put" "k" 1) (call "count" 4)'
)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads in which anything was written."""
    found: list[int] = []

    append = Journal.append

    def slow(self: Journal, line: bytes) -> int:
        found.append(threading.get_ident())
        time.sleep(0.01)  # the disk
        return append(self, line)

    monkeypatch.setattr(Journal, "append", slow)
    return found


def runtime(state: Path, made: list[Any], **options: Any) -> rtfs.Runtime:
    made_by = rtfs.Runtime(state=state, **options)
    made_by.register("count", lambda n: made.append((n, threading.get_ident())))
    return made_by


@pytest.mark.parametrize("mode", ["kill", "power"])
def test_the_disk_is_waited_for_outside_of_the_loop(state: Path, writers: list[int], mode: str) -> None:
    made: list[Any] = []
    turns: list[int] = []

    async def tick() -> None:
        while True:
            turns.append(len(writers))
            await asyncio.sleep(0.001)

    async def main() -> None:
        with runtime(state, made, durability=mode) as rt:
            ticking = asyncio.create_task(tick())
            await rt.arun(PLAN, durable=True, run_id="r")
            ticking.cancel()

    asyncio.run(main())
    here = threading.get_ident()
    assert len(writers) > 5
    assert here not in writers
    assert len(turns) > len(writers), "the loop had its turns meanwhile"
    assert [n for n, _ in made] == [1, 2, 3, 4]
    assert {thread for _, thread in made} == {here}, "capabilities run where they always do"
    assert RunState(FolderRunStore(str(state)).look("r")).state == "done"


def test_a_run_that_is_given_up_while_it_writes_can_be_resumed(state: Path, writers: list[int]) -> None:
    made: list[Any] = []

    async def main() -> None:
        with runtime(state, made, durability="power") as rt:
            task = asyncio.create_task(rt.arun(PLAN, durable=True, run_id="r"))
            while len(writers) < 4:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with runtime(state, made, durability="power") as rt:
            await rt.aresume("r", retry=True)

    asyncio.run(main())
    assert sorted({n for n, _ in made}) == [1, 2, 3, 4]
    assert RunState(FolderRunStore(str(state)).look("r")).state == "done"


@pytest.mark.parametrize("mode", ["kill", "power"])
def test_a_disk_that_is_full_ends_the_run_wherever_it_is_written(
    state: Path, mode: str, faulty_journal: Callable[..., None]
) -> None:
    faulty_journal(lambda number: OSError(errno.ENOSPC, "No space left on device") if number == 4 else None)
    made: list[Any] = []

    async def main() -> None:
        with runtime(state, made, durability=mode) as rt:
            with pytest.raises(rtfs.UserError) as caught:
                await rt.arun(PLAN, durable=True, run_id="r")
            assert caught.value.code == "run/unwritable"
            await rt.aresume("r", retry=True)

    asyncio.run(main())
    assert sorted({n for n, _ in made}) == [1, 2, 3, 4]
