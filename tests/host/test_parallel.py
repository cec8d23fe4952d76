"""Branches of a run: at the same time, bounded, in order, under records of their own; the first error ends the rest."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rtfs


@pytest.fixture
def rt() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as runtime:
        yield runtime


def test_blocking_capabilities_run_in_threads_at_the_same_time(rt: rtfs.Runtime) -> None:
    together = threading.Barrier(3, timeout=5)
    rt.register("a", lambda n: (together.wait(), n)[1], blocking=True)
    assert rtfs.to_text(rt.run('(step-parallel (call "a" 1) (call "a" 2) (call "a" 3))')) == "[1 2 3]"


def test_however_branches_mix_the_ledger_has_each_under_a_record_of_its_own(rt: rtfs.Runtime) -> None:
    rt.register("slow", lambda: time.sleep(0.02), blocking=True)
    rt.register("fast", lambda: None, blocking=True)
    rt.run('(step-parallel (do (call "slow") (call "fast")) (do (call "fast") (call "slow")) (call "fast"))')
    records = list(rt.ledger)
    branches = {record.seq: record.subject for record in records if record.kind == "branch"}
    assert list(branches.values()) == ["1", "2", "3"]
    calls = [(branches[record.parent], record.subject) for record in records if record.kind == "decision"]
    assert [name for branch in "123" for number, name in calls if number == branch] == [
        "slow", "fast", "fast", "slow", "fast",
    ]  # fmt: skip


def test_parallel_branches_wait_at_the_same_time(rt: rtfs.Runtime) -> None:
    started = time.monotonic()
    text = "(step-parallel " + "(do (thread/sleep 100) 1) " * 8 + ")"
    assert len(rt.run(text)) == 8
    assert time.monotonic() - started < 0.6


def test_a_branch_that_only_computes_lets_others_go_on(rt: rtfs.Runtime) -> None:
    order: list[str] = []
    rt.register("note", lambda text: order.append(text))
    rt.run(
        '(step-parallel (do (loop [i 0] (when (< i 2000000) (recur (inc i)))) (call "note" "computed"))'
        ' (do (thread/sleep 1) (call "note" "slept")))'
    )
    assert order == ["slept", "computed"]


def test_the_first_error_cancels_the_other_branches(rt: rtfs.Runtime) -> None:
    called: list[str] = []
    rt.register("note", called.append)
    started = time.monotonic()
    text = '(step-parallel (do (thread/sleep 20) (/ 1 0)) (do (thread/sleep 60000) (call "note" "late")))'
    with pytest.raises(rtfs.UserError) as caught:
        rt.run(text)
    assert caught.value.code == "arithmetic/div-by-zero"
    assert time.monotonic() - started < 5
    assert called == []


def test_parallel_is_bounded_and_may_be_wide() -> None:
    running = [0, 0]

    async def busy(*_: Any) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.002)
        running[0] -= 1

    with rtfs.Runtime(width=4) as rt:
        rt.register("busy", busy)
        rt.run(f'(call "ccos.concurrent/parallel" {"(fn [] (call :busy)) " * 40})')
    assert running == [0, 4]


def test_branches_nest(rt: rtfs.Runtime) -> None:
    assert rtfs.to_text(rt.run("(step-parallel (step-parallel 1 2) (step-parallel 3 (step-parallel 4)))")) == (
        "[[1 2] [3 [4]]]"
    )
