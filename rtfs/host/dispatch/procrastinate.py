"""`Procrastinate`: the queue of that name as a `Dispatch`, with its tables in the schema `rtfs_queue`.

Must not know plans or journals. Invariants: a job is deleted only when its run was advanced as far as it goes; one that
failed, or whose worker gave no sign of life, is there again; one job a run waits at a time.

Source: https://procrastinate.readthedocs.io (MIT).
"""

from __future__ import annotations

from rtfs.host.dispatch.dispatch import place
from rtfs.host.dispatch.jobs import IN_ORDER
from rtfs.host.dispatch.taking import Taking
from rtfs.host.postgres.answering import answering
from rtfs.host.postgres.link import LIVELINESS
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from procrastinate import App
    from psycopg import AsyncConnection, Connection

SCHEMA = "rtfs_queue"
TASK = "rtfs.advance"
CLASS = 50_000_000
"""The distance between the queue's priorities for two adjacent priorities of ours; the values between them order the
turns."""
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
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    options |= {"check": None, "configure": _commit_each, "connection_class": answering(AsyncConnection)}
    return AsyncConnectionPool(**options)


async def _commit_each(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


class Procrastinate:
    """url: of the database. lease: seconds without a sign of life after which a worker's jobs go to others."""

    __slots__ = ("_app", "_stopping", "_taking", "lease", "url")

    def __init__(self, url: str, lease: float) -> None:
        self.url = url
        self.lease = lease
        self._app: App | None = None
        self._taking: Taking | None = None
        self._stopping = False

    @property
    def app(self) -> App:
        """The queue's own object, made when it is first needed. Raises HostError `config/missing`."""
        if self._app is None:
            self._app = self._made()
        return self._app

    def _made(self) -> App:
        procrastinate = queue()
        app: App = procrastinate.App(connector=self._connector())

        @app.task(name=TASK)
        def advance(run: str) -> None:
            """The name of what is queued; `Taking` carries it out."""

        return app

    def _connector(self) -> Any:
        return queue().PsycopgConnector(
            pool_factory=_pool, conninfo=self.url, kwargs=self._options(), min_size=1, max_size=4
        )

    def _options(self) -> dict[str, str]:
        """The settings of the worker's connections."""
        options = f"-c search_path={SCHEMA},public -c idle_in_transaction_session_timeout={max(int(self.lease), 2)}s"
        options += f" {IN_ORDER}"
        options += " -c synchronous_commit=off"  # a job that a crash has back is looked at again, and found to be done
        return {**LIVELINESS, "options": options, "application_name": "rtfs worker"}

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
        """See `Dispatch`. Called again after it failed, it counts the runs that are still advanced."""
        from procrastinate.manager import JobManager
        from psycopg import AsyncConnection

        if self._taking is None:
            self._taking = Taking(advance, queues, runs, self.lease)
        options: Any = self._options()
        async with await AsyncConnection.connect(self.url, **options):
            pass  # a pool would not say why it cannot connect, and try for half a minute
        connector = self._connector()  # a new one each time: one that failed keeps its connections
        try:
            await connector.open_async()
            if not self._stopping:  # told so while the connections were opened
                await self._taking.take(JobManager(connector))
        finally:
            await connector.close_async()

    def stop(self) -> None:
        """See `Dispatch`."""
        self._stopping = True
        if self._taking is not None:
            self._taking.stop()
