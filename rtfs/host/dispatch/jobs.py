"""`exchange`: tells the queue which jobs have ended and takes as many as are wanted, in one statement.

Must not know plans or threads. Invariants: a job that was passed on to another registration is not ended; of the jobs
of one run, one is taken at a time.

Procrastinate's own function for it takes one job, and looks through all that wait unless the table was analysed since
there are many: half a second for a thousand that were just submitted. This statement follows the index of priorities.
"""

from __future__ import annotations

from rtfs.host.postgres.arrays import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, LiteralString

    from procrastinate.manager import JobManager

IN_ORDER = "-c plan_cache_mode=force_generic_plan -c enable_sort=off -c enable_seqscan=off"
"""Settings of a connection with which the statement is planned once, and follows the index whatever the server knows of
the table: the statistics of one that is empty most of the time are of no use when it is full."""
_EXCHANGE: LiteralString = (
    "WITH ended AS (DELETE FROM procrastinate_jobs WHERE id = ANY(%(ended)s::bigint[]) AND status = 'doing'"
    " AND worker_id IS NOT DISTINCT FROM %(worker)s RETURNING id),"
    " candidate AS (SELECT id FROM procrastinate_jobs AS jobs WHERE status = 'todo'"
    " AND queue_name = ANY(%(queues)s::text[]) AND (scheduled_at IS NULL OR scheduled_at <= now())"
    " AND NOT EXISTS (SELECT FROM procrastinate_jobs AS other WHERE other.lock = jobs.lock AND other.status = 'doing'"
    " AND other.id NOT IN (SELECT id FROM ended))"
    " ORDER BY priority DESC, id LIMIT %(wanted)s FOR UPDATE SKIP LOCKED),"
    " taken AS (UPDATE procrastinate_jobs SET status = 'doing', worker_id = %(worker)s"
    " WHERE id = ANY(ARRAY(SELECT id FROM candidate)) AND (SELECT count(*) FROM ended) >= 0"
    " RETURNING id, lock AS run, attempts)"
    " SELECT id, run, attempts FROM taken UNION ALL SELECT id, NULL, 0 FROM ended"
)
"""The count has what has ended deleted before the next job of the same run is taken: two at a time have one key. With
`=`, what has ended would be looked for among all that the registration ever had; with a join, what is taken among all
jobs."""


class Job:
    """A job that was taken. run: the id of the run that is to be advanced. attempts: how often that has failed."""

    __slots__ = ("attempts", "id", "run")

    def __init__(self, id: int, run: str, attempts: int) -> None:
        self.id = id
        self.run = run
        self.attempts = attempts


async def exchange(
    manager: JobManager, worker: int, queues: Sequence[str], ended: Sequence[int], wanted: int
) -> tuple[list[Job], set[int]]:
    """The jobs that were taken, and the ids of those that have ended and were not this registration's any more. worker:
    the registration. queues: that jobs are taken from. ended: ids. wanted: how many to take at most. Raises
    procrastinate's ConnectorException."""
    rows: list[Any] = await manager.connector.execute_query_all_async(
        _EXCHANGE, ended=array(ended), worker=worker, queues=array(queues), wanted=wanted
    )
    taken = [Job(row["id"], row["run"], row["attempts"]) for row in rows if row["run"] is not None]
    return taken, set(ended) - {row["id"] for row in rows if row["run"] is None}
