"""The journal of one run in PostgreSQL, open.

Must not know machines or calls. Invariants: a commit is one transaction; the former owner of the run writes nothing
more (`run/fenced`); after a failed write nothing but outcomes is ever written again.
"""

from __future__ import annotations

from _thread import allocate_lock
from json import dumps, loads
from time import monotonic, time

from rtfs.host.durable.errors import unwritable
from rtfs.host.durable.store import (
    ENDED,
    IN_DOUBT,
    QUEUED,
    RUNNING,
    SLEEPING,
    STUCK,
    WAITING,
    Answer,
    without_announcements,
)
from rtfs.host.postgres.commits import TAKEN_OVER, Batch, Fenced, Overtaken, not_ours
from rtfs.host.postgres.database import saying
from rtfs.host.postgres.texts import packed, unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from psycopg import Connection

    from rtfs.host.durable.postgres.store import PostgresRunStore
    from rtfs.host.durable.renewal import Renewal
    from rtfs.host.durable.store import Added, Event

    Then = Callable[[Connection[Any]], None]

RELEASING = (*ENDED, IN_DOUBT, QUEUED, SLEEPING, STUCK, WAITING)
"""States in which no process runs the run: the commit releases it."""
ANSWER = "number, question, answer, by, extract(epoch FROM at)::float8, used"


class PostgresJournal:
    """An open journal. number: of the run in its table. seq: of the last event. taken: the note of the event with which
    the run was taken over, which is the last one; None for a new run. changed: the facts that differ from
    those of its beginning. asked: questions that were not answered when the run looked. held: whether this process has
    a lease on the run."""

    __slots__ = (
        "_broken", "_changed", "_clock", "_closed", "_guard", "_held", "_opening", "_pending", "_seq", "_store",
        "_taken", "asked", "events", "facts", "fenced", "number", "owner", "run_id", "stop_asked",
    )  # fmt: skip
    resumes = True

    def __init__(
        self,
        store: PostgresRunStore,
        run_id: str,
        number: int,
        owner: int,
        seq: int,
        facts: dict[str, str],
        changed: dict[str, str],
        events: list[Event],
        *,
        held: bool,
        taken: str | None = None,
        now: float | None = None,
    ) -> None:
        self._clock = (time() if now is None else now) - monotonic()
        self.run_id = run_id
        self.number = number
        self.owner = owner
        self.facts = facts
        self.events = events
        self.stop_asked: str | None = None
        self.fenced = False
        self.asked: set[str] = set()
        self._store = store
        self._seq = seq
        self._opening = None if taken is None else (number, seq, taken)
        self._changed = changed
        self._pending: list[Added] = []
        self._taken: list[int] = []
        self._broken: str | None = None
        self._held = held
        self._closed = False
        self._guard = allocate_lock()

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Have an event written with the next `commit`."""
        self._pending.append((kind, path, subject, value, note))

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self._pending)

    def now(self) -> float:
        """See `JournalStore`: the time of the database when the run was opened, and what has passed since."""
        return self._clock + monotonic()

    def take(self, question: str) -> Answer | None:
        """See `JournalStore`."""
        row = self._store.unused_answer(self, question, self._taken)
        if row is None:
            self.asked.add(question)
            return None
        self._taken.append(row[0])
        return answer_of(row)

    def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        """Write what was added, and facts, in one transaction; from any thread, while nothing is added. Raises Stop
        `run/unwritable`, `run/fenced`."""
        with self._guard:
            self._write(dict(facts), dict(facts).get("state", RUNNING) in RELEASING)

    def continue_as(self, renewal: Renewal) -> None:
        """See `JournalStore`: in one transaction."""
        with self._guard:
            self._write(renewal.ending, True, then=self._store.renewal(self, renewal))

    def _write(
        self, facts: Mapping[str, str], release: bool, patience: float | None = None, then: Then | None = None
    ) -> None:
        if self.fenced:
            raise not_ours(self.run_id)
        if self._broken is not None:
            raise unwritable(self.run_id, self._broken)
        self._changed.update(facts)
        events = [(self.number, self._seq + at, *map(packed, event)) for at, event in enumerate(self._pending, 1)]
        state = self._state(release) if facts or release else None
        then = then or (self._store.follow_up(self, facts) if facts else None)
        batch = None
        try:
            while batch is None:
                batch = self._written(events, state, then, patience)
        except Fenced:
            self.fence()
            raise not_ours(self.run_id) from None
        except Exception as error:
            self._broken = saying(error)
            raise unwritable(self.run_id, self._broken) from None
        self._seq += len(self._pending)
        self._pending.clear()
        self._taken = []
        self._opening = None  # what is committed now has it on the disk too
        self._held = not release
        self.stop_asked = batch.stop_asked if batch.stop_asked is None else unpacked(batch.stop_asked)

    def _written(
        self,
        events: Sequence[tuple[Any, ...]],
        state: tuple[Any, ...] | None,
        then: Then | None,
        patience: float | None,
    ) -> Batch | None:
        """What was written, with the records of the run's chain; None where another process has written to that
        meanwhile, and it is to be tried again. Raises Fenced, HostError `database/…`, psycopg.Error."""
        rider = self._store.database.riders.get(self.run_id)
        records, head = ([], None) if rider is None else rider.take()
        batch = Batch(self.number, self.owner, events, records, head, state, self._taken, then, self._opening)
        written = False
        try:
            self._store.database.commits.write(batch, patience)
            written = True
            return batch
        except Overtaken:
            if not self._store.is_owner(self):
                raise Fenced from None
        finally:
            if rider is not None:
                rider.settle(records, written)
        if rider is not None:
            rider.follow()
        return None

    def _state(self, release: bool) -> tuple[Any, ...]:
        now = {**self.facts, **self._changed}
        wake_at = float(now["wake-at"]) if now["state"] == SLEEPING else None
        ended = float(now["ended"]) if "ended" in now else None
        return (self.number, self.owner, now["state"], dumps(self._changed), wake_at, ended, release)

    def fence(self) -> None:
        """Another process has the run now."""
        self.fenced, self._held = True, False
        self.stop_asked = TAKEN_OVER
        self._store.lose(self)

    def abandon(self) -> None:
        """Forget announcements that are not written: what they announce was not made, and will not be."""
        self._pending = without_announcements(self._pending)

    def close(self) -> None:
        """Write what outcomes are left, and let go of the run. Harmless when repeated."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._store.forget(self)
            self.abandon()
            if not self._pending:
                self._taken = []
            if (self._pending or self._held) and not self.fenced:
                self._broken = None  # a failed write may work now, and what was done was done
                try:
                    self._write({}, True, patience=0.0)
                except BaseException:  # it was said before, or will be when the run is resumed
                    pass
            self._broken = "it is closed"


def answer_of(row: tuple[Any, ...]) -> Answer:
    """The answer in a row."""
    number, question, answer, by, at, used = row
    return Answer(number, unpacked(question), unpacked(answer), unpacked(by), at, used)


def answers_of(connection: Connection[Any], number: int) -> list[Answer]:
    """All answers to a run."""
    query = f"SELECT {ANSWER} FROM rtfs.answer WHERE run = %s ORDER BY number"
    return [answer_of(row) for row in connection.execute(query.encode(), (number,))]


def read_facts(
    facts: str | None, changed: str | None, program: str | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The facts of a run and those that changed, from the texts in its row. Raises ValueError for damaged ones."""
    known = {**loads(program or "{}"), **loads(facts or "")}
    new = loads(changed or "")
    return {**known, **new}, new
