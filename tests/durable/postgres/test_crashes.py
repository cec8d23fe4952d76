"""Taking a run over does not wait for the disk: what becomes of runs when a crash of the server takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from rtfs.host.durable.postgres.store import PostgresRunStore
from rtfs.host.durable.store import CALL, DONE, OUTCOME, QUEUED
from rtfs.host.stop import Stop
from rtfs.testing.postgres import Server, own_server

Crashing = tuple[Server, str]
FACTS = {"state": QUEUED, "began": "1.0"}


@pytest.fixture
def crashing() -> Iterator[Crashing]:
    """A server that writes what need not be on the disk only later, and the address of a database of it."""
    server = own_server()
    try:
        with server.database() as url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
                connection.execute("SELECT pg_reload_conf()")
            yield server, url
    finally:
        server.stop()


def crash(server: Server) -> None:
    server.kill()
    server.start()


def fenced(journal: Any) -> bool:
    with pytest.raises(Stop) as caught:
        journal.commit()
    return bool(caught.value.error.code == "run/fenced")


@pytest.mark.parametrize("announced", [False, True])
def test_of_two_that_took_a_run_over_as_a_crash_took_back_the_first_only_the_second_announces(
    crashing: Crashing, announced: bool
) -> None:
    """Both have the same number, and would announce the same call; the first finds out only after it has sent it."""
    server, url = crashing
    first, second = PostgresRunStore(url), PostgresRunStore(url)
    first.create("r", FACTS).close()
    lost = first.open("r")
    first._leases.close()  # it would notice that its connection is gone, and not send twice
    crash(server)
    there = second.open("r")
    assert (lost.owner, there.owner) == (2, 2)
    there.add(CALL, "1", "a", "[]")
    lost.add(CALL, "1", "a", "[]")
    if announced:
        there.commit()
    assert fenced(lost)
    if not announced:
        there.commit()
    lost.close()
    there.add(OUTCOME, "1", "a", "[1]")
    there.commit([("state", DONE)])
    there.close()
    assert [one.kind for one in second.look("r").events] == [CALL, OUTCOME]
    for store in (first, second):
        store.close()


def test_a_run_whose_takeover_a_crash_took_back_announces_nothing_and_can_be_taken_over(crashing: Crashing) -> None:
    server, url = crashing
    store = PostgresRunStore(url)
    store.create("r", FACTS).close()
    lost = store.open("r")
    crash(server)
    lost.add(CALL, "1", "a", "[]")
    assert fenced(lost)
    assert store.look("r").events == []
    again = store.open("r")
    again.add(CALL, "1", "a", "[]")
    again.commit()
    crash(server)
    again.add(OUTCOME, "1", "a", "[1]")
    again.commit([("state", DONE)])
    again.close()
    assert [one.kind for one in store.look("r").events] == [CALL, OUTCOME]
    store.close()


def test_a_takeover_whose_first_commit_is_sent_again_is_known_to_be_there(
    crashing: Crashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = crashing
    store = PostgresRunStore(url)
    store.create("r", FACTS).close()
    journal = store.open("r")
    journal.add(CALL, "1", "a", "[]")
    execute, cut = psycopg.Connection.execute, list[Any]()

    def cutting(self: Any, query: Any, *rest: Any, **keywords: Any) -> Any:
        found = execute(self, query, *rest, **keywords)
        if b"INSERT INTO rtfs.event (" in (query if isinstance(query, bytes) else b"") and not cut:
            cut.append(found)
            crash(server)
            execute(self, "SELECT 1")  # it is gone
        return found

    monkeypatch.setattr(psycopg.Connection, "execute", cutting)
    journal.commit()
    monkeypatch.undo()
    assert cut
    assert [one.kind for one in store.look("r").events] == [CALL]
    journal.close()
    store.close()
