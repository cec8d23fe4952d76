"""`Leases`: a thread that renews the leases of the runs that are open here, and hears what they are told.

Must not know journals inside. Invariants: one statement for all runs; a run that another process has is not written to
any more; there is no thread while no run is open.
"""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from time import monotonic

from rtfs.host.postgres.link import driver
from rtfs.host.postgres.texts import unpacked
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Lock

    from rtfs.host.durable.postgres.journal import PostgresJournal
    from rtfs.host.postgres.database import Database

LEASE = 15.0
"""Seconds."""
TICK = 1.0
_ASKED = "SELECT number, stop_asked FROM rtfs.run WHERE number = ANY(%s) AND stop_asked IS NOT NULL"
_BEAT = (
    "UPDATE rtfs.run SET beat_at = clock_timestamp() FROM unnest(%s::bigint[], %s::integer[]) AS x (number, owner)"
    " WHERE run.number = x.number AND run.owner = x.owner RETURNING run.number, run.stop_asked"
)


class Leases:
    """lease: seconds that a lease holds; it is renewed three times as often, and requests to stop are looked for each
    second."""

    __slots__ = ("_database", "_ends", "_guard", "_journals", "_pause", "_renew")

    def __init__(self, database: Database, lease: float = LEASE) -> None:
        self._database = database
        self._renew = lease / 3
        self._pause = min(self._renew, TICK)
        self._guard = allocate_lock()
        self._journals: dict[int, PostgresJournal] = {}
        self._ends: Lock | None = None
        """Of the thread, if there is one: released, it ends."""

    def add(self, journal: PostgresJournal) -> None:
        """Renew a run's lease from now on."""
        with self._guard:
            self._journals[journal.number] = journal
            if self._ends is None:
                self._ends = allocate_lock()
                self._ends.acquire()
                start_new_thread(self._run, (self._ends,))  # threading would wait until it runs

    def remove(self, journal: PostgresJournal) -> None:
        """Renew it no more."""
        with self._guard:
            if self._journals.get(journal.number) is journal:
                del self._journals[journal.number]
            if not self._journals and self._ends is not None:
                self._ends.release()
                self._ends = None

    def close(self) -> None:
        """Renew nothing any more."""
        for journal in list(self._journals.values()):
            self.remove(journal)

    def _run(self, ends: Lock) -> None:
        due = monotonic() + self._renew
        while not ends.acquire(timeout=self._pause):
            with self._guard:
                journals = list(self._journals.values())
            try:
                if monotonic() >= due:
                    self._beat(journals)
                    due = monotonic() + self._renew
                else:
                    self._look(journals)
            except (HostError, driver().Error):  # the database is away: the next commit waits for it, and says so
                continue

    def _look(self, journals: list[PostgresJournal]) -> None:
        numbers = [journal.number for journal in journals]
        rows = self._database.reader.work(
            lambda connection, again: connection.execute(_ASKED, (numbers,)).fetchall(), patience=0.0
        )
        told = dict(rows)
        for journal in journals:
            if journal.number in told:
                journal.stop_asked = unpacked(told[journal.number])

    def _beat(self, journals: list[PostgresJournal]) -> None:
        values = [[journal.number for journal in journals], [journal.owner for journal in journals]]
        rows = self._database.reader.work(
            lambda connection, again: connection.execute(_BEAT, values).fetchall(), patience=self._pause
        )
        told = dict(rows)
        for journal in journals:
            if journal.number not in told:
                journal.fence()
            elif told[journal.number] is not None:
                journal.stop_asked = unpacked(told[journal.number])
