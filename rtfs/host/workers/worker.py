"""`Worker`: a process that advances runs until it is told to stop, whatever happens to the database meanwhile.

Must not know plans, nor any queue's name. Invariants: it ends only when it is told to, and then finishes the calls that
are under way and hands its runs back; while the database is away it tries again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from time import monotonic

from rtfs.host.dispatch.place import database_of_workers
from rtfs.host.dispatch.queues import queues_of
from rtfs.host.postgres.link import in_words
from rtfs.host.workers.advancing import Advancing
from rtfs.host.workers.housekeeping import Housekeeping
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rtfs.host.dispatch.dispatch import Dispatch
    from rtfs.host.executor import Executor

GRACE = 60.0
"""Seconds that calls under way may take once the worker is told to stop."""
BEAT, TICK = 5.0, 1.0
"""Seconds between two signs of life, and between two looks at what is due."""
SWITCH = 0.0005
"""Seconds that a thread computes while others wait for their turn. With Python's 5 ms, a run whose commit is done waits
that long for each of the runs that compute."""
_AGAIN = ("run/active", "run/fenced", "run/unwritable", "run/crashed", "database/", "ledger/", "runtime/")
"""Codes of errors after which a run is advanced again: they are none of the run's."""
log = logging.getLogger("rtfs.worker")


def work(
    executor: Executor,
    *,
    runs: int = 8,
    labels: Iterable[str] = (),
    keep: float | None = None,
    lease: float = 15.0,
    grace: float = GRACE,
) -> None:
    """Advance the runs of a runtime's database until SIGTERM or SIGINT. As `Runtime.work`; grace: seconds that calls
    under way may take then. Raises HostError `config/state`, `database/…`, `argument/invalid`."""
    from rtfs.host.dispatch.procrastinate import Procrastinate

    url = database_of_workers(executor.options.state)
    if lease < 1:
        raise HostError(f"a lease is a second at least, not {lease}", code="argument/invalid")
    executor.lease = lease
    Worker(executor, Procrastinate(url, lease), runs=runs, labels=labels, keep=keep, grace=grace).run()


class Worker:
    """executor: of the runtime with which runs are advanced. dispatch: the queue. runs: how many at once. labels: that
    runs may ask for. keep: seconds that ended runs are kept, None for ever."""

    def __init__(
        self,
        executor: Executor,
        dispatch: Dispatch,
        *,
        runs: int = 8,
        labels: Iterable[str] = (),
        keep: float | None = None,
        grace: float = GRACE,
    ) -> None:
        from rtfs.host.durable.postgres.store import PostgresRunStore

        labels = sorted(set(labels))
        if runs < 1:
            raise HostError(f"a worker advances at least one run at a time, not {runs}", code="argument/invalid")
        store = executor.store
        assert isinstance(store, PostgresRunStore)
        self._queues = queues_of(labels)
        self._advancing = Advancing(executor)
        self._dispatch = dispatch
        self._runs = runs
        self._grace = grace
        self._house = Housekeeping(store, labels, runs, keep)
        self._stopping = asyncio.Event()

    def run(self) -> None:
        """Advance runs until SIGTERM or SIGINT; a second one ends the process at once. Raises HostError `database/…`
        where the database cannot be used from the beginning."""
        self._house.beat()
        before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        try:
            asyncio.run(self._supervise())
        finally:
            sys.setswitchinterval(before)

    async def _supervise(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._runs + 4, "rtfs-run"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        house = asyncio.create_task(self._keep_house())
        pause = 0.1
        try:
            while not self._stopping.is_set():
                began = monotonic()
                try:
                    await self._dispatch.work(self._advance, self._queues, self._runs)
                    why = "its connection was lost"
                except Exception as error:  # whatever a queue raises when its database goes away
                    why = in_words(error.__cause__ or error)
                if self._stopping.is_set():
                    break
                log.warning("the queue is away, and tried again: %s", why)
                pause = 0.1 if monotonic() - began > 30 else min(pause * 2, 5.0)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stopping.wait()
        finally:
            house.cancel()
            await asyncio.gather(house, return_exceptions=True)
            try:
                self._house.leave()
            except Exception:  # the database is away; the others notice
                pass

    def _stop(self) -> None:
        """The process is told to stop: nothing new is begun, and what is advanced is handed back."""
        if self._stopping.is_set():
            os._exit(1)
        log.info("stopping: calls under way are finished, and runs handed back")
        self._stopping.set()
        self._advancing.drain()
        self._dispatch.stop()
        asyncio.get_running_loop().call_later(self._grace, os._exit, 1)

    def _advance(self, run_id: str) -> None:
        """Advance a run, in a thread. Raises what is not a fault of the run, so that it is advanced again."""
        try:
            self._advancing.advance(run_id)
        except UserError as error:
            if error.code.startswith(_AGAIN):
                log.info("run %s is advanced again: %s", run_id, error)
                raise
            log.info("run %s: %s", run_id, error)
        else:
            log.info("run %s has ended", run_id)

    async def _keep_house(self) -> None:
        """Do what is to be done now and then, until cancelled."""
        turns: list[tuple[float, Callable[[], object]]] = [
            (BEAT, self._house.beat),
            (TICK, self._house.submit_due),
            (BEAT, self._house.find_forgotten),
            (60.0, self._house.prune),
        ]
        due = [0.0] * len(turns)
        while True:
            for place, (pause, work) in enumerate(turns):
                if monotonic() < due[place]:
                    continue
                due[place] = monotonic() + pause
                try:
                    await asyncio.to_thread(work)
                except Exception as error:  # the database is away, or full: the next turn tries again
                    log.info("keeping house: %s", error)
            await asyncio.sleep(TICK)
