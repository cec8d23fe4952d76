"""`Procrastinate`: the queue of that name as a `Dispatch`, with its tables in the schema `rtfs_queue`.

Must not know plans or journals. Invariants: a job is deleted only when its run was advanced as far as it goes; one that
failed, or whose worker gave no sign of life, is there again; one job a run waits at a time.

Source: https://procrastinate.readthedocs.io (MIT).
"""

from __future__ import annotations

import logging
from typing import cast

from rtfs.host.dispatch.dispatch import place
from rtfs.host.postgres.link import LIVELINESS
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from procrastinate import App
    from procrastinate.worker import Worker
    from psycopg import AsyncConnection, Connection

SCHEMA = "rtfs_queue"
TASK = "rtfs.advance"
CLASS = 50_000_000
"""The distance between the queue's priorities for two adjacent priorities of ours; the values between them order the
turns."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts."""
_SEARCH = f"SET LOCAL search_path TO {SCHEMA}, public"
_DROP = f"DELETE FROM {SCHEMA}.procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'"


def queue() -> Any:
    """The package procrastinate. Raises HostError `config/missing`."""
    try:
        import procrastinate
    except ImportError:
        raise HostError(
            "workers need the package `procrastinate`",
            code="config/missing",
            hint="pip install 'rtfs-host[workers]'",
        ) from None
    return procrastinate


def make_tables(connection: Connection[Any]) -> bool:
    """Make the queue's tables, within the connection's transaction; False where they are there already. Raises
    psycopg.Error and HostError `config/missing`."""
    row = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",)).fetchone()
    if row is not None and row[0] is not None:
        return False
    queue()
    from procrastinate.schema import SchemaManager

    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
    connection.execute(_SEARCH.encode())
    connection.execute(SchemaManager.get_schema())
    connection.execute("RESET search_path")
    return True


def _pool(**options: Any) -> Any:
    """Connections of a worker. One that is lost is noticed when it is used: asking each before costs as much as the
    use. Each statement of the queue is a transaction of its own."""
    from psycopg_pool import AsyncConnectionPool

    return AsyncConnectionPool(**{**options, "check": None, "configure": _commit_each})


async def _commit_each(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


class Procrastinate:
    """url: of the database. lease: seconds without a sign of life after which a worker's jobs go to others."""

    __slots__ = ("_app", "_stopping", "_worker", "advance", "lease", "url")

    def __init__(self, url: str, lease: float) -> None:
        self.url = url
        self.lease = lease
        self._app: App | None = None
        self._worker: Worker | None = None
        self._stopping = False
        self.advance: Callable[[str], None] | None = None

    @property
    def app(self) -> App:
        """The queue's own object, made when it is first needed. Raises HostError `config/missing`."""
        if self._app is None:
            self._app = self._made()
        return self._app

    def _made(self) -> App:
        procrastinate = queue()
        from procrastinate.retry import BaseRetryStrategy, RetryDecision

        class Again(BaseRetryStrategy):
            def get_retry_decision(self, *, exception: BaseException, job: Any) -> Any:
                return RetryDecision(retry_in={"seconds": min(2 ** min(job.attempts, 8), LONGEST_PAUSE)})

        options = f"-c search_path={SCHEMA},public -c idle_in_transaction_session_timeout={max(int(self.lease), 2)}s"
        options += " -c synchronous_commit=off"  # a job that a crash has back is looked at again, and found to be done
        connector = procrastinate.PsycopgConnector(
            pool_factory=_pool,
            conninfo=self.url,
            kwargs={**LIVELINESS, "options": options, "application_name": "rtfs worker"},
            min_size=1,
            max_size=4,
        )
        app: App = procrastinate.App(connector=connector)

        @app.task(name=TASK, retry=Again())
        def advance(run: str) -> None:
            assert self.advance is not None
            self.advance(run)

        return app

    def enqueue(self, connection: Connection[Any], run_id: str, at: float | None) -> bool:
        """See `Dispatch`. What waits for an earlier time or turn is replaced."""
        found = place(connection, run_id, at)
        if found is None:
            return False
        from datetime import UTC, datetime

        connection.execute(_SEARCH.encode())
        connection.execute(_DROP.encode(), (run_id,))
        moment = None if at is None else datetime.fromtimestamp(at, UTC)
        self.app.tasks[TASK].configure(
            queue=found.queue,
            lock=run_id,
            queueing_lock=run_id,
            priority=found.priority * CLASS - min(found.turn or 0, CLASS - 1),
            schedule_at=moment,
            connection=connection,
        ).defer(run=run_id)
        connection.execute("RESET search_path")
        return True

    async def work(self, advance: Callable[[str], None], queues: Sequence[str], runs: int) -> None:
        """See `Dispatch`."""
        import asyncio

        from procrastinate.worker import Worker

        self.advance = advance
        async with self.app.open_async():
            if self._stopping:  # told so while the connections were opened
                return
            self._worker = Worker(
                self.app,
                queues=queues,
                name=None,
                concurrency=runs,
                delete_jobs="always",
                install_signal_handlers=False,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=self.lease / 5,
                stalled_worker_timeout=self.lease,
            )
            watching = asyncio.create_task(self._watch())
            try:
                await cast("Any", self._worker).run()
            finally:
                self._worker = None
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    def stop(self) -> None:
        """See `Dispatch`."""
        self._stopping = True
        worker: Any = self._worker
        if worker is not None:
            worker.stop()

    async def _watch(self) -> None:
        """Pass the jobs of silent workers to others."""
        import asyncio

        from procrastinate.exceptions import ProcrastinateException, UniqueViolation

        manager = self.app.job_manager
        while True:
            await asyncio.sleep(min(self.lease / 5, 2.0))
            try:
                await manager.prune_stalled_workers(self.lease)
                for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self.lease):
                    try:
                        await manager.retry_job(job)
                    except UniqueViolation:  # another job of the run waits
                        await self._forget(job)
                    except ProcrastinateException:  # another worker was faster
                        continue
            except ProcrastinateException as error:
                logging.getLogger("rtfs.worker").info("looking for stalled jobs: %s", error)

    async def _forget(self, job: Any) -> None:
        """Delete a stalled job whose run has another one."""
        from procrastinate.exceptions import ProcrastinateException
        from procrastinate.jobs import Status

        try:
            await self.app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        except ProcrastinateException:
            pass
