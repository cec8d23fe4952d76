"""`PostgresRunStore`: durable runs in a database, for any number of processes and machines.

Must not know what is in a journal, nor a queue: what has to happen with a run that can go on is `enqueue`'s, in the
same transaction. Invariants: a run is open in one place, which holds a lease on it; opening appends an event, so that
its former owner writes nothing more; only the clock of the database counts.
"""

from __future__ import annotations

from json import dumps, loads

from rtfs.host.durable.bundle import FIELDS, Bundle, read_bundle
from rtfs.host.durable.errors import damaged, exists, in_use, unknown, unusable
from rtfs.host.durable.postgres.journal import ANSWER, PostgresJournal, answers_of, read_facts
from rtfs.host.durable.postgres.leases import LEASE, Leases
from rtfs.host.durable.postgres.opening import BUSY, MOST_ATTEMPTS, events_of, take_over
from rtfs.host.durable.renewal import CONTINUES
from rtfs.host.durable.store import DONE, IN_DOUBT, QUEUED, RUNNING, SLEEPING, WAITING, RunView, check_run_id
from rtfs.host.postgres.commits import Batch, Fenced, overtaken, statement_of
from rtfs.host.postgres.database import Database, saying
from rtfs.host.postgres.link import at_once, driver, shown
from rtfs.host.postgres.texts import packed, unpacked
from rtfs.host.sqlite import KILL
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from psycopg import Connection

    from rtfs.host.durable.renewal import Renewal
    from rtfs.host.durable.store import Answer
    from rtfs.host.postgres.database import Rider

    T = TypeVar("T")
    Enqueue = Callable[[Connection[Any], str, float | None], object]

_PROGRAM = (
    "INSERT INTO rtfs.program (digest, text, kept) VALUES (%s, %s, %s) ON CONFLICT (digest)"
    " DO UPDATE SET kept = true WHERE excluded.kept AND NOT program.kept"
)
_INSERT = (
    "INSERT INTO rtfs.run (id, program, principal, state, facts, queue, priority, changed, owner, worker, beat_at,"
    " attempts, taken_seq, began, ended)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', 1, %s, clock_timestamp(), 1, 0, %s, %s)"
    " ON CONFLICT (id) DO NOTHING RETURNING number"
)
_INSERT_BOTH = f"WITH p AS ({_PROGRAM}) {_INSERT}"
_UNUSED = "SELECT FROM rtfs.answer WHERE run = %s AND question = ANY(%s) AND NOT used LIMIT 1"
_OLDEST = (
    f"SELECT {ANSWER} FROM rtfs.answer WHERE run = %s AND question = %s AND NOT used AND number <> ALL(%s)"
    " ORDER BY number LIMIT 1"
)
REMOVED = 500
"""Runs that are deleted in one transaction at most."""
_WAITING = (IN_DOUBT, SLEEPING, WAITING)
"""States in which an answer may let a run continue."""


class PostgresRunStore:
    """database: a `Database`, or its address; one that is given is closed by its maker. worker: the name of this
    process. lease: seconds after which a run may be taken over if its process is silent. enqueue(connection, run_id,
    at): called for a run that can continue, at a time in seconds since 1970 or at once, within the transaction that
    makes it so; true where a worker will continue the run. Raises HostError `database/url`, `config/…`."""

    __slots__ = ("_leases", "_own", "database", "enqueue", "lease", "worker")

    def __init__(
        self,
        database: Database | str,
        mode: str = KILL,
        *,
        worker: str | None = None,
        lease: float = LEASE,
        enqueue: Enqueue | None = None,
    ) -> None:
        self._own = isinstance(database, str)
        self.database = Database(database, mode) if isinstance(database, str) else database
        self.worker = worker or this_process()
        self.lease = lease
        self.enqueue = enqueue
        self._leases = Leases(self.database, lease)

    def create(
        self, run_id: str, facts: Mapping[str, str], accepted: Callable[[], object] | None = None
    ) -> PostgresJournal:
        """See `RunStore`. A run with the state `queued` is not leased: the process that opens it begins it. accepted:
        called when such a run is in the queue, within the transaction, which also writes what the ledger is told: it is
        in the run's chain before that is another process's."""
        check_run_id(run_id)
        queued = facts.get("state") == QUEUED
        statement, values, rest = self._insertion(run_id, facts)
        told = _Told(self.database, run_id, accepted)

        def queue(connection: Connection[Any], enqueue: Enqueue) -> tuple[Any, ...] | None:
            while True:
                try:
                    with at_once(connection):
                        row = connection.execute(statement, values).fetchone()
                        if row is not None:
                            wake_at = facts.get("wake-at")
                            enqueue(connection, run_id, None if wake_at is None else float(wake_at))
                            told.write(connection)
                except BaseException as error:
                    follows = overtaken(error)
                    told.settle(False, follows=follows)
                    if not follows:
                        raise
                else:
                    told.settle(row is not None)
                    return row

        def insert(connection: Connection[Any]) -> int | None:
            if not queued or self.enqueue is None:
                row = connection.execute(statement, values).fetchone()
            else:
                row = queue(connection, self.enqueue)
            if row is not None:
                return int(row[0])
            # the connection may have been lost after an earlier attempt was committed; a worker may have the run by now
            there = connection.execute(
                "SELECT number FROM rtfs.run WHERE id = %s AND facts = %s AND (%s OR (owner = 1 AND worker = %s))",
                (run_id, rest, queued, self.worker),
            ).fetchone()
            return int(there[0]) if there is not None and "nonce" in facts else None

        number = self._write(run_id, insert)
        if number is None:
            raise exists(run_id)
        known = {**facts, "durability": self.database.mode}
        journal = PostgresJournal(self, run_id, number, 1, 0, known, {}, [], held=not queued)
        if not queued:
            self._hold(journal)
        return journal

    def _insertion(self, run_id: str, facts: Mapping[str, str]) -> tuple[bytes, tuple[Any, ...], str]:
        """The statement that makes a run, its values, and the facts that are not its program's, as its row has them.
        This process has the lease, unless the run is queued or continues another."""
        facts = {**facts, "durability": self.database.mode}
        bundle = Bundle(facts) if all(name in facts for name in FIELDS) else None
        rest = dumps({name: value for name, value in facts.items() if bundle is None or name not in FIELDS})
        state = facts.get("state", RUNNING)
        values: tuple[Any, ...] = (
            run_id, None if bundle is None else bundle.digest, _principal(facts), state, rest,
            facts.get("queue"), int(facts.get("priority", "0")),
            None if state == QUEUED or CONTINUES in facts else self.worker,
            float(facts.get("began", "0")), float(facts["ended"]) if "ended" in facts else None,
        )  # fmt: skip
        if bundle is None:
            return _INSERT.encode(), values, rest
        return _INSERT_BOTH.encode(), (bundle.digest, bundle.text, False, *values), rest

    def open(self, run_id: str) -> PostgresJournal:
        """See `RunStore`. Raises HostError `run/stuck` for a run that has been taken up several times in vain: then it
        is only opened again after that was said."""
        check_run_id(run_id)
        found = self._write(
            run_id, lambda connection: take_over(connection, run_id, self.worker, self.lease), light=True
        )
        if found is None:
            raise self._unknown(run_id)
        if found.busy:
            raise in_use(run_id)
        if found.stuck:
            raise HostError(
                f"run {run_id} was taken up {MOST_ATTEMPTS} times, and ended each time before it did anything",
                code="run/stuck",
                hint=f"when what is wrong with it is put right: rtfs resume {run_id}",
            )
        facts, changed = self._facts(run_id, found.facts, found.changed, found.program)
        journal = PostgresJournal(
            self,
            run_id,
            found.number,
            found.owner,
            found.seq,
            facts,
            changed,
            found.events,
            held=True,
            taken=found.note,
            now=found.now,
        )
        journal.stop_asked = found.stop_asked if found.stop_asked is None else unpacked(found.stop_asked)
        self._hold(journal)
        return journal

    def look(self, run_id: str) -> RunView:
        """See `RunStore`."""
        check_run_id(run_id)
        query = (
            f"SELECT number, facts, changed, program.text, {BUSY}, stop_asked FROM rtfs.run"
            " LEFT JOIN rtfs.program ON program.digest = run.program WHERE id = %s"
        )

        def read(connection: Connection[Any]) -> Any:
            row = connection.execute(query.encode(), (self.lease, run_id)).fetchone()
            return None if row is None else (*row, events_of(connection, row[0]))

        row = self.read(run_id, read)
        if row is None:
            raise self._unknown(run_id)
        _, first, changed, program, busy, asked, events = row
        facts, _ = self._facts(run_id, first, changed, program)
        return RunView(run_id, facts, events, busy, asked if asked is None else unpacked(asked))

    def state_of(self, run_id: str) -> dict[str, str]:
        """See `RunStore`: one row, which is small until the run ends."""
        check_run_id(run_id)
        query = "SELECT state, CASE WHEN state <> ALL(%s) THEN changed END FROM rtfs.run WHERE id = %s"
        values = ([QUEUED, RUNNING], run_id)
        row = self.read(run_id, lambda connection: connection.execute(query, values).fetchone())
        if row is None:
            raise self._unknown(run_id)
        return {"state": row[0]} if row[1] is None else self._facts(run_id, "{}", row[1])[0]

    def listen(self, run_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See `RunStore`."""
        check_run_id(run_id)
        ends, mark = self.database.ends, "UPDATE rtfs.run SET waited = true WHERE id = %s AND NOT waited"
        ends.add(run_id, wake)
        try:
            self._write(run_id, lambda connection: connection.execute(mark, (run_id,)).rowcount, light=True)
        except BaseException:
            ends.remove(run_id, wake)
            raise
        return lambda: ends.remove(run_id, wake)

    def list(
        self,
        *,
        state: str | None = None,
        principal: str | None = None,
        before: float | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """See `RunStore`."""
        query = (
            "SELECT id FROM rtfs.run WHERE (%(state)s::text IS NULL OR state = %(state)s)"
            " AND (%(principal)s::text IS NULL OR principal = %(principal)s)"
            " AND (%(before)s::float8 IS NULL OR began < %(before)s) ORDER BY began DESC, number DESC LIMIT %(limit)s"
        )
        principal = None if principal is None else packed(principal)
        values = {"state": state, "principal": principal, "before": before, "limit": limit}
        rows = self.read("", lambda connection: connection.execute(query.encode(), values).fetchall())
        return [run_id for (run_id,) in reversed(rows)]

    def ask_to_stop(self, run_id: str, why: str) -> None:
        """See `RunStore`."""
        check_run_id(run_id)

        def ask(connection: Connection[Any]) -> bool:
            query = "UPDATE rtfs.run SET stop_asked = %s WHERE id = %s"
            return connection.execute(query, (packed(why), run_id)).rowcount > 0

        if not self._write(run_id, ask):
            raise self._unknown(run_id)

    def answer(self, run_id: str, question: str, answer: str, by: str) -> None:
        """See `RunStore`. A run that waits for this is enqueued in the same transaction."""
        check_run_id(run_id)
        insert = (
            "INSERT INTO rtfs.answer SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, clock_timestamp(), false"
            " FROM rtfs.answer WHERE run = %s"
        )

        def tell(connection: Connection[Any]) -> bool:
            with connection.transaction():
                look = "SELECT number, state, facts, changed FROM rtfs.run WHERE id = %s FOR UPDATE"
                row = connection.execute(look, (run_id,)).fetchone()
                if row is None:
                    return False
                number, state, facts, changed = row
                connection.execute(insert, (number, packed(question), packed(answer), packed(by), number))
                waits = state in _WAITING and (
                    question.startswith("signal:") or read_facts(facts, changed)[0].get("question") == question
                )
                if waits and self.enqueue is not None and self.enqueue(connection, run_id, None):
                    new = dumps({**loads(changed), "state": QUEUED})
                    connection.execute(
                        "UPDATE rtfs.run SET state = %s, changed = %s WHERE id = %s", (QUEUED, new, run_id)
                    )
                return True

        if not self._write(run_id, tell):
            raise self._unknown(run_id)

    def answers(self, run_id: str) -> Sequence[Answer]:
        """See `RunStore`."""
        check_run_id(run_id)

        def read(connection: Connection[Any]) -> Any:
            row = connection.execute("SELECT number FROM rtfs.run WHERE id = %s", (run_id,)).fetchone()
            return None if row is None else answers_of(connection, row[0])

        found: list[Answer] | None = self.read(run_id, read)
        if found is None:
            raise self._unknown(run_id)
        return found

    def keep(self, bundle: Bundle) -> str:
        """See `RunStore`."""
        self._write("", lambda connection: connection.execute(_PROGRAM, (bundle.digest, bundle.text, True)).rowcount)
        return bundle.digest

    def program(self, digest: str) -> Bundle:
        """See `RunStore`."""
        query = "SELECT text FROM rtfs.program WHERE digest = %s"
        row = self.read("", lambda connection: connection.execute(query, (packed(digest),)).fetchone())
        if row is None:
            raise HostError(f"there is no program {digest} in {self._where}", code="run/unknown")
        try:
            return read_bundle(row[0], digest)
        except ValueError as error:
            raise HostError(f"the program {digest} cannot be read: {error}", code="run/damaged") from None

    def delete(self, run_id: str) -> None:
        """See `RunStore`."""
        check_run_id(run_id)

        def remove(connection: Connection[Any]) -> bool | None:
            look = f"SELECT number, {BUSY} FROM rtfs.run WHERE id = %s FOR UPDATE"
            with connection.transaction():
                row = connection.execute(look.encode(), (self.lease, run_id)).fetchone()
                if row is None:
                    return None
                if row[1]:
                    return False
                _remove(connection, [row[0]])
                return True

        done = self._write(run_id, remove)
        if done is None:
            raise self._unknown(run_id)
        if not done:
            raise in_use(run_id)

    def prune(self, before: float | None = None, states: Iterable[str] = (DONE,)) -> int:
        """See `RunStore`."""
        query = (
            f"SELECT number FROM rtfs.run WHERE state = ANY(%s) AND (%s::float8 IS NULL OR ended < %s)"
            f" AND NOT ({BUSY}) LIMIT {REMOVED} FOR UPDATE SKIP LOCKED"
        )
        wanted = [*states]

        def remove(connection: Connection[Any]) -> int:
            with connection.transaction():
                rows = connection.execute(query.encode(), (wanted, before, before, self.lease)).fetchall()
                _remove(connection, [number for (number,) in rows])
                return len(rows)

        count = removed = self._write("", remove)
        while removed == REMOVED:
            count += (removed := self._write("", remove))
        return count

    def close(self) -> None:
        """See `RunStore`."""
        self._leases.close()
        if self._own:
            self.database.close()

    def _hold(self, journal: PostgresJournal) -> None:
        self._leases.add(journal)
        self.database.journaled[journal.run_id] = journal.number, journal.owner

    # ------------------------------------------------------------------ for its journals
    def forget(self, journal: PostgresJournal) -> None:
        """A journal is closed: its lease is not renewed any more."""
        self._leases.remove(journal)
        if self._is_last(journal):
            del self.database.journaled[journal.run_id]

    def lose(self, journal: PostgresJournal) -> None:
        """Another process has the run, or this one has opened it again: then both openings write to its chain."""
        rider = self.database.riders.get(journal.run_id)
        if rider is not None and self._is_last(journal):
            rider.drop()

    def is_owner(self, journal: PostgresJournal) -> bool:
        """Whether the run is still the journal's. Raises HostError `database/…`, psycopg.Error."""
        query = "SELECT owner FROM rtfs.run WHERE number = %s"
        row = self.database.read(lambda connection: connection.execute(query, (journal.number,)).fetchone())
        return row is not None and row[0] == journal.owner

    def _is_last(self, journal: PostgresJournal) -> bool:
        """Whether a journal is the last of its run that was opened in this process, and is open."""
        return self.database.journaled.get(journal.run_id) == (journal.number, journal.owner)

    def follow_up(self, journal: PostgresJournal, facts: Mapping[str, str]) -> Callable[[Connection[Any]], None] | None:
        """The work that belongs to the transaction that writes these facts of a run: enqueue the run if another process
        is to continue it, if it sleeps, or if its question has been answered meanwhile."""
        enqueue, state, run_id = self.enqueue, facts.get("state"), journal.run_id
        if enqueue is None or (state != QUEUED and state not in _WAITING):
            return None
        wake_at = float(facts["wake-at"]) if state == SLEEPING else None
        questions = [packed(question) for question in {*journal.asked, facts.get("question", "")}]

        def then(connection: Connection[Any]) -> None:
            values = (journal.number, questions)
            if state == QUEUED or connection.execute(_UNUSED, values).fetchone() is not None:
                enqueue(connection, run_id, None)
            elif wake_at is not None:
                enqueue(connection, run_id, wake_at)

        return then

    def renewal(self, journal: PostgresJournal, renewal: Renewal) -> Callable[[Connection[Any]], None]:
        """The part of the transaction that ends a run which continues as a new one: create the new run, with the unused
        answers."""
        statement, values, _ = self._insertion(renewal.run_id, renewal.facts)

        def then(connection: Connection[Any]) -> None:
            look = "SELECT owner FROM rtfs.run WHERE number = %s FOR KEY SHARE"
            if connection.execute(look, (journal.number,)).fetchone() != (journal.owner,):
                raise Fenced
            row = connection.execute(statement, values).fetchone()
            if row is None:  # an earlier attempt was committed
                return
            move = "UPDATE rtfs.answer SET run = %s WHERE run = %s AND NOT used"
            connection.execute(move, (row[0], journal.number))
            if renewal.by_workers and self.enqueue is not None:
                self.enqueue(connection, renewal.run_id, None)

        return then

    def unused_answer(self, journal: PostgresJournal, question: str, but: Sequence[int]) -> tuple[Any, ...] | None:
        """The row of the oldest answer to a question that the run has not taken, but for some numbers; None where there
        is none, and while the database is away: it is asked for again."""
        values = (journal.number, packed(question), but)
        try:
            return self.database.reader.work(
                lambda connection, again: connection.execute(_OLDEST.encode(), values).fetchone(), patience=0.0
            )
        except HostError as error:
            if error.code != "database/unreachable":
                raise
            return None
        except driver().Error as error:
            raise self._damaged(journal.run_id, error) from None

    def read(self, run_id: str, do: Callable[[Connection[Any]], T]) -> T:
        """The result of `do(connection)`, which only reads. Raises HostError `run/damaged`, `database/…`."""
        try:
            return self.database.read(do)
        except driver().Error as error:
            raise self._damaged(run_id, error) from None

    def _damaged(self, run_id: str, error: Exception) -> HostError:
        if run_id:
            return damaged(run_id, saying(error))
        return HostError(f"the runs in {self._where} cannot be read: {saying(error)}", code="run/damaged")

    def _write(self, run_id: str, do: Callable[[Connection[Any]], T], *, light: bool = False) -> T:
        """The result of `do(connection)`. light: a crash of the server may take it back."""
        try:
            return self.database.change_lightly(do) if light else self.database.change(do)
        except driver().Error as error:
            if run_id:
                raise unusable(run_id, saying(error)) from None
            raise HostError(f"cannot write to {self._where}: {saying(error)}", code="run/unwritable") from None

    def _facts(self, run_id: str, *texts: str | None) -> tuple[dict[str, str], dict[str, str]]:
        try:
            return read_facts(*texts)
        except (ValueError, TypeError) as error:
            raise damaged(run_id, error) from None

    def _unknown(self, run_id: str) -> HostError:
        return unknown(run_id, self._where)

    @property
    def _where(self) -> str:
        return shown(self.database.url)


class _Told:
    """What the ledger is told of a run that is submitted. accepted: has it told, once."""

    __slots__ = ("_accepted", "_database", "_rider", "_rows", "_run_id")

    def __init__(self, database: Database, run_id: str, accepted: Callable[[], object] | None) -> None:
        self._database = database
        self._run_id = run_id
        self._accepted = accepted
        self._rider: Rider | None = None
        self._rows: list[tuple[Any, ...]] = []

    def write(self, connection: Connection[Any]) -> None:
        """Write the records, within the connection's transaction. Raises psycopg.Error."""
        accepted, self._accepted = self._accepted, None
        if accepted is not None:
            self._database.journaled[self._run_id] = 0, 0
            try:
                accepted()
            finally:
                del self._database.journaled[self._run_id]
        rider = self._rider = self._database.riders.get(self._run_id)
        if rider is not None:
            self._rows, head = rider.take()
            if self._rows:
                connection.execute(*statement_of([Batch(0, 0, records=self._rows, head=head)]))

    def settle(self, written: bool, *, follows: bool = False) -> None:
        """Whether the transaction was committed. follows: not so, as another process has written to the chain."""
        rows, self._rows = self._rows, []
        if self._rider is not None:
            if rows:
                self._rider.settle(rows, written)
            if follows:
                self._rider.follow()
            if written:
                self._database.riders.pop(self._run_id, None)


def this_process() -> str:
    """A name for this process, which no other has."""
    import os
    import socket

    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


def _principal(facts: Mapping[str, str]) -> str | None:
    return packed(str(loads(facts["principal"]))) if "principal" in facts else None


def _remove(connection: Connection[Any], runs: list[int]) -> None:
    """Delete runs, and the programs that nothing is left of."""
    connection.execute("DELETE FROM rtfs.event WHERE run = ANY(%s)", (runs,))
    gone = connection.execute("DELETE FROM rtfs.run WHERE number = ANY(%s) RETURNING program", (runs,)).fetchall()
    connection.execute(
        "DELETE FROM rtfs.program WHERE digest = ANY(%s) AND NOT kept"
        " AND NOT EXISTS (SELECT FROM rtfs.run WHERE run.program = program.digest)",
        ([digest for (digest,) in gone],),
    )
