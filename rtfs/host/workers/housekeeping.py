"""Housekeeping of workers: report that the worker is alive, submit scheduled runs that are due, find abandoned runs,
delete old ones.

Must not know plans. Invariants: each is done by any number of workers at once as if by one; a run that can go on and is
in no queue is put there again.
"""

from __future__ import annotations

from json import dumps, loads
from os import urandom

from rtfs.host.dispatch.procrastinate import SCHEMA
from rtfs.host.dispatch.queues import version_label
from rtfs.host.durable.store import ENDED, QUEUED, RUNNING, SLEEPING
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from psycopg import Connection

    from rtfs.host.durable.postgres.store import PostgresRunStore

_BEAT = (
    "INSERT INTO rtfs.worker (id, version, labels, runs, began, beat_at) VALUES"
    " (%s, %s, %s, %s, clock_timestamp(), clock_timestamp())"
    " ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at"
)
_GONE = "DELETE FROM rtfs.worker WHERE id = %s OR beat_at < clock_timestamp() - make_interval(secs => 3600)"
_FORGOTTEN = (
    "SELECT id, extract(epoch FROM wake_at)::float8 FROM rtfs.run WHERE queue IS NOT NULL AND ((state = ANY(%s)"
    " AND (worker IS NULL OR beat_at < clock_timestamp() - make_interval(secs => %s))) OR state = %s)"
    f" AND NOT EXISTS (SELECT FROM {SCHEMA}.procrastinate_jobs WHERE queueing_lock = run.id AND status = 'todo')"
    f" AND NOT EXISTS (SELECT FROM {SCHEMA}.procrastinate_jobs WHERE lock = run.id AND status = 'doing')"
    " ORDER BY number LIMIT 100 FOR UPDATE OF run SKIP LOCKED"
)
_DUE = (
    "SELECT id, cron, facts, extract(epoch FROM next_at)::bigint, extract(epoch FROM clock_timestamp())::float8"
    " FROM rtfs.schedule WHERE next_at <= clock_timestamp() ORDER BY next_at LIMIT 10 FOR UPDATE SKIP LOCKED"
)


class Housekeeping:
    """store: of the runs. labels, runs: of the worker. keep: seconds that runs are kept after their end, None for
    ever."""

    __slots__ = ("_keep", "_labels", "_runs", "_store")

    def __init__(self, store: PostgresRunStore, labels: Sequence[str], runs: int, keep: float | None) -> None:
        self._store = store
        self._labels = labels
        self._runs = runs
        self._keep = keep

    def beat(self) -> None:
        """Say that this worker is there."""
        values = (self._store.worker, version_label(), " ".join(self._labels), self._runs)
        self._store.database.read(lambda connection: connection.execute(_BEAT, values).rowcount)

    def leave(self) -> None:
        """Say that it is not there any more; so with those that have not said anything for an hour."""
        values = (self._store.worker,)
        self._store.database.reader.work(
            lambda connection, again: connection.execute(_GONE, values).rowcount, patience=0.0
        )

    def find_forgotten(self) -> int:
        """Put runs that can go on and are in no queue into it; how many there were."""
        enqueue = self._store.enqueue
        assert enqueue is not None
        values = ([QUEUED, RUNNING], 2 * self._store.lease, SLEEPING)

        def find(connection: Connection[Any]) -> int:
            with connection.transaction():
                rows = connection.execute(_FORGOTTEN.encode(), values).fetchall()
                for run_id, wake_at in rows:
                    enqueue(connection, run_id, wake_at)
                return len(rows)

        return self._store.database.read(find)

    def prune(self) -> int:
        """Delete the runs that ended long ago; how many there were."""
        if self._keep is None:
            return 0
        from time import time

        return self._store.prune(time() - self._keep, ENDED)

    def submit_due(self) -> int:
        """Submit what is to be submitted again and again and is due; how many runs there are now. Times that were
        missed are submitted once."""

        def submit(connection: Connection[Any]) -> list[tuple[str, dict[str, str]]]:
            with connection.transaction():
                rows = connection.execute(_DUE).fetchall()
                for id, cron, _, _, now in rows:
                    connection.execute(
                        "UPDATE rtfs.schedule SET next_at = to_timestamp(%s) WHERE id = %s", (next_time(cron, now), id)
                    )
                return [(f"{id}-{at}", {**loads(facts), "began": repr(now)}) for id, _, facts, at, now in rows]

        due = self._store.database.read(submit)
        for run_id, facts in due:
            try:
                self._store.create(run_id, {**facts, "nonce": urandom(6).hex()}).close()
            except HostError as error:
                if error.code != "run/exists":  # another worker was faster
                    raise
        return len(due)


def next_time(cron: str, after: float) -> float:
    """The next time of a cron expression (in UTC), in seconds since 1970. Raises HostError `argument/invalid`."""
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]

    try:
        return float(croniter(cron, after).get_next())
    except (CroniterError, ValueError, TypeError) as error:
        raise HostError(
            f"{cron!r} is not a cron expression: {error}",
            code="argument/invalid",
            hint="minute hour day month weekday, in UTC: '30 6 * * 1-5'",
        ) from None


def schedule(store: PostgresRunStore, id: str, cron: str, facts: Mapping[str, str], now: float) -> None:
    """Have a run submitted again and again. facts: of each of them. Raises HostError `run/exists`,
    `argument/invalid`."""
    values = (id, cron, dumps(dict(facts)), next_time(cron, now))
    insert = (
        "INSERT INTO rtfs.schedule (id, cron, facts, next_at) VALUES (%s, %s, %s, to_timestamp(%s))"
        " ON CONFLICT (id) DO NOTHING"
    )
    if not store.database.read(lambda connection: connection.execute(insert, values).rowcount):
        raise HostError(f"there is a schedule {id} already", code="run/exists", hint=f"rtfs cancel {id} ends it")


def schedules(store: PostgresRunStore) -> list[tuple[str, str, float, str]]:
    """Id, cron expression, next time and name of the program of each schedule."""
    query = "SELECT id, cron, extract(epoch FROM next_at)::float8, facts FROM rtfs.schedule ORDER BY id"
    rows = store.database.read(lambda connection: connection.execute(query).fetchall())
    return [(id, cron, next_at, loads(facts)["name"]) for id, cron, next_at, facts in rows]


def unschedule(store: PostgresRunStore, id: str) -> bool:
    """End a schedule; False where there is none. Its runs are left."""
    query = "DELETE FROM rtfs.schedule WHERE id = %s"
    return bool(store.database.read(lambda connection: connection.execute(query, (id,)).rowcount))
