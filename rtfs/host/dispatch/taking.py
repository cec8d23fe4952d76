"""`Taking`: takes jobs from the queue, so many at a time, and has their runs advanced in threads.

Must not know plans or connections. Invariants: no more runs are advanced at once than was said, whatever happens to the
queue meanwhile; a job is taken under a registration, and where a query of that fails, it is given up as a whole: what
became of its jobs is not known then, so its signs of life end and other registrations get them after the lease.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from rtfs.host.dispatch.jobs import exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from procrastinate.manager import JobManager

    from rtfs.host.dispatch.jobs import Job

POLL = 2.0
"""Seconds between two looks for jobs, if no notification tells of one."""
CANCEL = 1.0
"""Seconds between two attempts to cancel a task."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts."""
log = logging.getLogger("rtfs.worker")


class Taking:
    """advance: advances a run, in a thread; what it raises has the run advanced again. queues: that jobs are taken
    from. runs: how many at once. lease: seconds without a sign of life after which jobs go to others."""

    __slots__ = ("_advance", "_free", "_lease", "_queues", "_stopping", "_under_way", "_wake")

    def __init__(self, advance: Callable[[str], None], queues: Sequence[str], runs: int, lease: float) -> None:
        self._advance = advance
        self._queues = queues
        self._free = runs
        self._lease = lease
        self._stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def stop(self) -> None:
        """Have `take` end, once what it has begun has ended. From its own thread."""
        self._stopping = True
        self._wake.set()

    async def take(self, manager: JobManager) -> None:
        """Take jobs under a new registration until it is told to stop. Raises what a query raises: procrastinate's
        ConnectorException."""
        found: Any = await manager.connector.execute_query_one_async("SELECT extract(epoch FROM now())::float8 AS now")
        await manager.prune_stalled_workers(self._lease)
        registration = _Registration(manager, await manager.register_worker(), found["now"])
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._serve(registration),
                self._beat(registration),
                self._pass_on(registration),
                manager.listen_for_jobs(on_notification=self._told, queues=self._queues),
            )
        ]
        try:
            await asyncio.wait([*tasks, registration.lost], return_when=asyncio.FIRST_COMPLETED)
            for done in (*tasks, registration.lost):
                if done.done():
                    done.result()
        finally:
            registration.lost.cancel()
            await _ended(tasks)
        await manager.unregister_worker(registration.number)

    async def _told(self, **notification: Any) -> None:
        self._wake.set()

    async def _serve(self, registration: _Registration) -> None:
        """Take jobs, and tell the queue of those that have ended; once told to stop, until no run is advanced any
        more."""
        while not self._stopping or self._under_way or registration.ended:
            self._wake.clear()
            await self._exchange(registration)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._wake.wait()

    async def _exchange(self, registration: _Registration) -> None:
        """Ask the queue once: what ends meanwhile is told the next time."""
        ended, registration.ended = registration.ended, []
        wanted = 0 if self._stopping else self._free
        if not ended and not wanted:
            return
        taken, lost = await exchange(registration.manager, registration.number, self._queues, ended, wanted)
        for number in lost:
            log.info("job %s was passed on to another worker meanwhile", number)
        self._free -= len(taken)
        for job in taken:
            task = asyncio.create_task(self._carry_out(job, registration))
            self._under_way.add(task)
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()

    async def _carry_out(self, job: Job, registration: _Registration) -> None:
        """Advance the run of a job, and have the queue told so."""
        try:
            await asyncio.to_thread(self._advance, job.run)
        except Exception:  # the worker has said what it was
            await self._give_back(job, registration)
        else:
            registration.ended.append(job.id)
        finally:
            self._free += 1

    async def _give_back(self, job: Job, registration: _Registration) -> None:
        """Have the run of a job advanced again, a little later."""
        from procrastinate.exceptions import ConnectorException
        from psycopg.errors import RaiseException

        if registration.lost.done():
            return
        pause = min(2 ** min(job.attempts, 8), LONGEST_PAUSE)
        try:
            await registration.manager.retry_job_by_id_async(job.id, registration.after(pause))
        except ConnectorException as error:
            if isinstance(error.__cause__, RaiseException):
                log.info("job %s was passed on to another worker meanwhile", job.id)
            elif not registration.lost.done():
                registration.lost.set_exception(error)

    async def _beat(self, registration: _Registration) -> None:
        """Give signs of life."""
        while True:
            await asyncio.sleep(self._lease / 5)
            await registration.manager.update_heartbeat(registration.number)

    async def _pass_on(self, registration: _Registration) -> None:
        """Pass the jobs of silent registrations to others."""
        from procrastinate.exceptions import ConnectorException, UniqueViolation
        from procrastinate.jobs import Status
        from psycopg.errors import RaiseException

        manager = registration.manager
        while True:
            await asyncio.sleep(min(self._lease / 5, POLL))
            await manager.prune_stalled_workers(self._lease)
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._lease):
                try:
                    try:
                        await manager.retry_job(job, registration.after(0.0))
                    except UniqueViolation:  # another job of the run waits
                        await manager.finish_job(job, Status.FAILED, delete_job=True)
                except ConnectorException as error:
                    if not isinstance(error.__cause__, RaiseException):  # else another worker was faster
                        raise


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait for their end. They are told again until they end: up to Python 3.11, `wait_for`, with
    which procrastinate listens, loses a cancellation that comes in the moment in which what it waits for has come."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL)
    for task in tasks:
        if not task.cancelled():
            task.exception()


class _Registration:
    """manager: of the queue. number: the registration's. now: the time of the database. ended: jobs that the queue has
    not been told of. lost: fails with it."""

    __slots__ = ("_clock", "ended", "lost", "manager", "number")

    def __init__(self, manager: JobManager, number: int, now: float) -> None:
        self.manager = manager
        self.number = number
        self.ended: list[int] = []
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clock = now - monotonic()

    def after(self, pause: float) -> datetime:
        """The time in so many seconds, by the clock of the database."""
        return datetime.fromtimestamp(self._clock + monotonic() + pause, UTC)
