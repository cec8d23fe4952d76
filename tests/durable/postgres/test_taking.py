"""Taking jobs from the queue, and from one that fails in ways that no real server is made to fail in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from rtfs.host.dispatch import jobs
from rtfs.host.dispatch.procrastinate import SCHEMA, Procrastinate
from rtfs.host.dispatch.taking import Taking

Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(database: str) -> Sql:
    """`sql(query, *values)`: the rows of a query, in the schema of the queue."""

    def run(query: str, *values: object) -> list[Any]:
        with psycopg.connect(database, autocommit=True, options=f"-c search_path={SCHEMA}") as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run


class Connector:
    async def execute_query_one_async(self, query: str) -> dict[str, float]:
        return {"now": 0.0}

    async def execute_query_all_async(self, query: str, **values: Any) -> list[Any]:
        await asyncio.sleep(0.01)
        raise ConnectorException("the registration was taken back")


class Manager:
    """A queue whose first query for a job fails, and whose listener loses the first cancellation: `wait_for` does so up
    to Python 3.11, when a notification comes in that moment."""

    connector = Connector()

    async def prune_stalled_workers(self, seconds: float) -> None:
        pass

    async def register_worker(self) -> int:
        return 1

    async def update_heartbeat(self, number: int) -> None:
        pass

    async def get_stalled_jobs(self, **options: Any) -> list[Any]:
        return []

    async def listen_for_jobs(self, **options: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)


def test_a_listener_that_loses_a_cancellation_does_not_keep_a_worker_from_its_next_registration():
    async def main() -> None:
        taking = Taking(lambda run_id: None, ["queue"], runs=1, lease=10.0)
        manager: Any = Manager()
        with pytest.raises(ConnectorException):
            async with asyncio.timeout(60):
                await taking.take(manager)

    asyncio.run(main())


# ---------------------------------------------------------------------- the statement
class Registered:
    """A registration of the queue: `exchange` under it."""

    def __init__(self, manager: JobManager, worker: int) -> None:
        self.manager = manager
        self.worker = worker

    async def __call__(self, ended: list[int], wanted: int) -> tuple[list[jobs.Job], set[int]]:
        return await jobs.exchange(self.manager, self.worker, ["q"], ended, wanted)


def with_the_queue(database: str, work: Callable[[Registered, Registered], Awaitable[None]]) -> None:
    """Call `work` with two registrations of the queue, over connections as a worker's."""

    async def main() -> None:
        connector = Procrastinate(database, 15.0)._connector()
        await connector.open_async()
        try:
            manager = JobManager(connector)
            one, other = await manager.register_worker(), await manager.register_worker()
            await work(Registered(manager, one), Registered(manager, other))
        finally:
            await connector.close_async()

    asyncio.run(main())


def queue(sql: Sql, run: str, priority: int = 0, name: str = "q", at: str = "NULL") -> int:
    """Queue a run; the number of its job."""
    insert = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, scheduled_at)"
        f" VALUES (%s, 'rtfs.advance', %s, %s, %s, {at}) RETURNING id"
    )
    return int(sql(insert, name, priority, run, run)[0][0])


def names(taken: list[jobs.Job]) -> list[str]:
    return sorted(one.run for one in taken)


def test_jobs_are_taken_by_priority_then_in_order_and_only_from_the_queues_that_are_served(database: str, sql: Sql):
    async def work(one: Registered, other: Registered) -> None:
        queue(sql, "first")
        queue(sql, "elsewhere", 9, "another queue")
        queue(sql, "later", 9, at="now() + interval '1 hour'")
        queue(sql, "second")
        queue(sql, "urgent", 5)
        taken, _ = await one([], 2)
        assert names(taken) == ["first", "urgent"]
        assert await one([], 0) == ([], set())
        taken, _ = await other([], 5)
        assert names(taken) == ["second"]
        assert (await other([], 5))[0] == []

    with_the_queue(database, work)


def test_the_next_job_of_a_run_is_taken_only_when_the_one_before_has_ended_and_then_at_once(database: str, sql: Sql):
    async def work(one: Registered, other: Registered) -> None:
        queue(sql, "r")
        ((first,), _) = await one([], 5)
        queue(sql, "r")
        assert (await one([], 5), await other([], 5)) == (([], set()), ([], set()))
        ((second,), lost) = await one([first.id], 5)
        assert (second.run, lost) == ("r", set())
        assert second.id != first.id
        assert await one([second.id], 5) == ([], set())
        assert sql("SELECT count(*) FROM procrastinate_jobs") == [(0,)]

    with_the_queue(database, work)


def test_a_job_that_was_passed_on_is_not_ended_by_the_registration_that_had_it(database: str, sql: Sql):
    async def work(one: Registered, other: Registered) -> None:
        queue(sql, "r")
        ((job,), _) = await one([], 1)
        await one.manager.retry_job_by_id_async(job.id, None)  # type: ignore[arg-type]
        ((again,), _) = await other([], 1)
        assert (again.id, again.attempts) == (job.id, 1)
        queue(sql, "r")
        assert await one([job.id], 5) == ([], {job.id})
        assert sql("SELECT status::text FROM procrastinate_jobs ORDER BY id") == [("doing",), ("todo",)]

    with_the_queue(database, work)


def test_taking_a_job_looks_at_few_of_the_thousand_that_wait_though_the_statement_was_planned_without_any(
    database: str, sql: Sql
):
    """The server takes a table for as full as it was when it was analysed last."""
    insert = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock)"
        " SELECT 'q', 'rtfs.advance', n::text, n::text FROM generate_series(1, 1000) AS n RETURNING 1"
    )
    statement = jobs._EXCHANGE
    for at, name in enumerate(("ended", "worker", "queues", "wanted"), 1):
        statement = statement.replace(f"%({name})s", f"${at}")
    ((worker,),) = sql("SELECT worker_id FROM procrastinate_register_worker_v1()")
    options: Any = Procrastinate(database, 15.0)._options()
    with psycopg.connect(database, autocommit=True, **options) as connection:
        connection.execute("ANALYZE procrastinate_jobs")
        connection.execute(f"PREPARE exchange (text, bigint, text, integer) AS {statement}".encode())
        execute = f"EXECUTE exchange ('{{}}', {worker}, '{{q}}', 8)"
        for _ in range(10):
            connection.execute(execute.encode())
        sql(insert)
        (plan,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {execute}".encode()).fetchone() or ()
        assert 8 <= rows_read(plan[0]["Plan"]) < 100


def rows_read(node: dict[str, Any]) -> float:
    """The rows that a part of a plan has read from tables and indexes."""
    here = node["Actual Rows"] * node["Actual Loops"] if "Relation Name" in node or "Index Name" in node else 0
    here += node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
    return here + sum(rows_read(part) for part in node.get("Plans", []))
