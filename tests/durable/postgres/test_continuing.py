"""Runs that continue as new ones, over a database and on workers: tests/durable/test_continuing.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.dispatch.queued_store import queued_store
from tests.durable.postgres.workers import Workers, until, workers
from tests.durable.test_continuing import (  # noqa: F401
    PLAN,
    made,
    runtime,
    test_a_plan_does_not_get_rid_of_its_quotas,
    test_a_process_that_died_between_both_runs_is_made_up_for,
    test_a_signal_that_was_not_taken_comes_along,
    test_both_runs_and_both_parts_of_the_ledger_name_each_other,
    test_each_new_run_has_an_empty_journal_and_the_value_is_that_of_the_last,
    test_what_cannot_be_continued_is_said,
)

Sql = Callable[..., list[tuple[Any, ...]]]
PAYING = PLAN.replace('"fetch"', '"pay"')


@pytest.fixture
def place(database: str) -> str:
    return database


@pytest.fixture
def others(database: str, tmp_path: Path) -> Iterator[Workers]:
    with workers(database, tmp_path) as found:
        yield found


@pytest.mark.parametrize("labels", ["", "isolated"])
def test_workers_continue_a_run_as_new_ones_and_the_waiting_one_gets_the_last_value(
    database: str, others: Workers, sql: Sql, labels: str
) -> None:
    others.start(labels=labels)
    with rtfs.Runtime(state=database) as rt:
        rt.register("pay", lambda n: n)
        run = rt.submit(PAYING, params={"until": 5}, principal="ann", priority=3, labels=labels.split(), key="k")
        assert asyncio.run(rt.wait(run, 240)) == rtfs.Vector([1, 2, 3, 4, 5])
        assert rt.submit(PAYING, params={"until": 5}, principal="ann", priority=3, key="k") == run
    assert [line.split()[2] for line in others.made] == ["1", "2", "3", "4", "5"]
    found = sql("SELECT id, principal, priority, state, queue LIKE '%% isolated' FROM rtfs.run ORDER BY number")
    ids = [run, *(f"{run}.{number}" for number in range(2, 6))]
    assert found == [(one, "ann", 3, "done", bool(labels)) for one in ids]
    assert sql("SELECT count(*) FROM rtfs.program") == [(1,)]


def test_a_run_that_is_fenced_makes_no_new_one(database: str, sql: Sql) -> None:
    """Its present owner does."""
    store = queued_store(database)
    with rtfs.Runtime(state=database) as rt:
        taken = []

        def take(page: int) -> int:
            sql("UPDATE rtfs.run SET owner = 2 WHERE id = 'r'")
            taken.append(page)
            return page

        rt.register("take", take)
        plan = '(plan "p" {:params {:n [:int :default 1]}} (call "take" n) (continue-as-new {:n 2}))'
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(plan, durable=True, run_id="r")
    assert caught.value.code == "run/fenced"
    assert taken == [1]
    assert store.list() == ["r"]
    store.close()


def test_a_run_whose_workers_are_killed_continues_all_the_same(database: str, others: Workers) -> None:
    with rtfs.Runtime(state=database) as rt:
        rt.register("ask", lambda n: n)
        run = rt.submit(PLAN.replace('"fetch"', '"ask"'), params={"until": 25})
        for count in (5, 10, 15):
            others.start()
            until(lambda count=count: len(others.made) >= count)
            others.processes[-1].kill()
        others.start()
        assert asyncio.run(rt.wait(run, 240)) == rtfs.Vector(list(range(1, 26)))
    assert {line.split()[2] for line in others.made} == {str(number) for number in range(1, 26)}
