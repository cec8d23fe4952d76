"""Lazy sequences whose elements are calls: branches wait for what another one computes, and replay finds the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs

PAGES = '(def pages (map (fn [n] (call "page" n)) (iterate inc 0)))'


@pytest.fixture
def rt() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as runtime:
        yield runtime


def paged(rt: rtfs.Runtime) -> list[int]:
    """Register "page", which takes a while; the list of the pages it was asked for."""
    asked: list[int] = []

    async def page(number: int) -> int:
        asked.append(number)
        await asyncio.sleep(0.01)
        return number * 10

    rt.register("page", page)
    return asked


def test_branches_share_elements_and_none_is_computed_twice(rt: rtfs.Runtime) -> None:
    asked = paged(rt)
    text = f"{PAGES} (step-parallel (nth pages 2) (first pages) (nth pages 1) (nth pages 2))"
    assert rtfs.to_text(rt.run(text)) == "[20 0 10 20]"
    assert asked == [0, 1, 2]


def test_a_branch_that_is_cancelled_leaves_its_element_to_the_others(rt: rtfs.Runtime) -> None:
    asked = paged(rt)
    text = f"""{PAGES}
        (try (step-parallel (first pages) (do (thread/sleep 2) (throw "enough"))) (catch e nil))
        (first pages)"""
    assert rt.run(text) == 0
    assert asked == [0, 0]


def test_branches_that_need_each_other_get_an_error(rt: rtfs.Runtime) -> None:
    paged(rt)
    text = """
        (def a (lazy-seq (call "page" 1) [(first b)]))
        (def b (lazy-seq (call "page" 2) [(first a)]))
        (step-parallel (first a) (first b))"""
    with pytest.raises(rtfs.UserError) as caught:
        rt.run(text)
    assert caught.value.code == "limit/depth"
    with pytest.raises(rtfs.UserError) as caught:
        rt.run("(def c (lazy-seq (step-parallel (first c) 1))) (first c)")
    assert caught.value.code == "limit/depth"


def test_pmap_calls_at_the_same_time_and_keeps_the_order(rt: rtfs.Runtime) -> None:
    open_: list[int] = []
    most: list[int] = []

    async def slow(number: int) -> int:
        open_.append(number)
        most.append(len(open_))
        await asyncio.sleep(0.02 / (number + 1))
        open_.remove(number)
        return number

    rt.register("slow", slow)
    assert rtfs.to_text(rt.run('(pmap (fn [n] (call "slow" n)) (range 4))')) == "[0 1 2 3]"
    assert max(most) == 4


def test_a_call_in_an_element_belongs_to_the_step_that_takes_it(rt: rtfs.Runtime) -> None:
    paged(rt)
    rt.run(f'{PAGES} (step "one" (first pages)) (step "two" (nth pages 1))')
    records = list(rt.ledger)
    steps = {record.seq: record.subject for record in records if record.kind == "step"}
    assert [steps.get(record.parent) for record in records if record.kind == "decision"] == ["one", "two"]


def test_a_durable_run_replays_elements_as_they_were(tmp_path: Path) -> None:
    asked: list[Any] = []
    text = f'{PAGES} (first pages) (call "stop") (take 3 pages)'

    def runtime(stop: Any) -> rtfs.Runtime:
        made = rtfs.Runtime(state=tmp_path)
        made.register("page", lambda n: (asked.append(n), n)[1], idempotent=True)
        made.register("stop", stop, idempotent=True)
        return made

    class Gone(BaseException):
        pass

    def gone() -> None:
        raise Gone

    with runtime(gone) as first, pytest.raises(Gone):
        first.run(text, durable=True, run_id="pages")
    with runtime(lambda: None) as second:
        assert rtfs.to_text(second.resume("pages")) == "(0 1 2)"
    assert asked == [0, 1, 2]
