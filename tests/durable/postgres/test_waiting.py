"""`Runtime.wait` hears of the end of a run, and looks at one small row meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.codec import encode
from rtfs.host.durable.postgres.store import PostgresRunStore
from rtfs.host.durable.store import DONE, FAILED, QUEUED, STUCK
from rtfs.host.workers import submitting

FACTS = {"state": QUEUED, "nonce": "n", "began": "1.0"}
LISTENING = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN rtfs_run' AND datname = current_database()"
LONG = 600.0


@pytest.fixture
def runtime(database: str) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(state=database) as found:
        yield found


@pytest.fixture
def another(database: str) -> Iterator[PostgresRunStore]:
    store = PostgresRunStore(database)
    yield store
    store.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears nothing waits for longer than the test may take."""
    monkeypatch.setattr(submitting, "SHORTEST", LONG)
    monkeypatch.setattr(submitting, "LONGEST", LONG)


def finish(store: PostgresRunStore, run_id: str, **facts: str) -> None:
    journal = store.open(run_id)
    try:
        journal.commit(facts.items())
    finally:
        journal.close()


async def waited(runtime: rtfs.Runtime, listens: Callable[[], bool], then: Callable[[], None], run_id: str) -> Any:
    """What a waiting process gets of a run with which something is done once it listens."""
    waiting = asyncio.create_task(runtime.wait(run_id, LONG / 2))
    while not await asyncio.to_thread(listens):
        await asyncio.sleep(0.01)
    await asyncio.to_thread(then)
    return await waiting


def test_a_process_that_waits_is_told_when_another_ends_the_run(
    runtime: rtfs.Runtime, another: PostgresRunStore, sql: Any, patient: None
):
    another.create("r", FACTS).close()
    ended = {"state": DONE, "ended": "2.0", "result": encode(42)}
    is_marked = lambda: bool(sql(LISTENING)) and sql("SELECT waited FROM rtfs.run") == [(True,)]  # noqa: E731
    found = asyncio.run(waited(runtime, is_marked, lambda: finish(another, "r", **ended), "r"))
    assert found == 42
    assert runtime._executor.store.look("r").facts["state"] == DONE


def test_it_is_told_of_a_run_that_is_stuck(runtime: rtfs.Runtime, another: PostgresRunStore, sql: Any, patient: None):
    another.create("r", FACTS).close()
    stuck = {"state": STUCK, "note": "nothing can be done"}
    with pytest.raises(rtfs.HostError, match="nothing can be done") as caught:
        asyncio.run(waited(runtime, lambda: bool(sql(LISTENING)), lambda: finish(another, "r", **stuck), "r"))
    assert caught.value.code == "run/stuck"


def test_a_connection_that_is_lost_is_made_again_and_nothing_is_missed(
    runtime: rtfs.Runtime, another: PostgresRunStore, sql: Any, patient: None
):
    another.create("r", FACTS).close()

    def lose() -> None:
        sql("SELECT pg_terminate_backend(%s, 5000)", *sql(LISTENING)[0])
        finish(another, "r", state=DONE, ended="2.0", result=encode(1))

    assert asyncio.run(waited(runtime, lambda: bool(sql(LISTENING)), lose, "r")) == 1


def test_one_connection_listens_for_all_that_wait_and_goes_with_them(
    runtime: rtfs.Runtime, another: PostgresRunStore, sql: Any, patient: None
):
    runs = [f"r{number}" for number in range(8)]
    for run_id in runs:
        another.create(run_id, FACTS).close()

    async def all_of_them() -> list[Any]:
        waiting = [asyncio.create_task(runtime.wait(run_id, LONG / 2)) for run_id in runs]
        while await asyncio.to_thread(sql, "SELECT count(*) FROM rtfs.run WHERE waited") != [(8,)]:
            await asyncio.sleep(0.01)
        assert len(await asyncio.to_thread(sql, LISTENING)) <= 1
        for number, run_id in enumerate(runs):
            await asyncio.to_thread(finish, another, run_id, state=DONE, ended="2.0", result=encode(number))
        return await asyncio.gather(*waiting)

    assert asyncio.run(all_of_them()) == list(range(8))
    ends = time.monotonic() + 60
    while sql(LISTENING):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_without_a_notification_it_looks_now_and_then(
    runtime: rtfs.Runtime, another: PostgresRunStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(PostgresRunStore, "listen", lambda self, run_id, wake: lambda: None)
    another.create("r", FACTS).close()

    async def both() -> Any:
        waiting = asyncio.create_task(runtime.wait("r", LONG))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(finish, another, "r", state=FAILED, ended="2.0", result=encode(7))
        return await waiting

    assert asyncio.run(both()) == 7


def test_the_state_of_a_run_that_goes_on_is_one_small_row(another: PostgresRunStore):
    journal = another.create("r", {**FACTS, "state": "running", "text": '"' + "x" * 100_000 + '"'})
    journal.add("call", "1", "pay", "[1]")
    journal.commit()
    assert another.state_of("r") == {"state": "running"}
    journal.commit([("state", DONE), ("ended", "2.0"), ("result", encode(5))])
    journal.close()
    assert another.state_of("r") == {"state": DONE, "ended": "2.0", "result": encode(5)}
    with pytest.raises(rtfs.HostError) as caught:
        another.state_of("nobody")
    assert caught.value.code == "run/unknown"
