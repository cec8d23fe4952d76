"""`Commits`: what many runs have to write, over a few connections: those that wait for one share the next transaction.

Must not know journals and ledgers, only their rows. Invariants: what one run wants written is there whole or not at
all; a run that another process has taken over, or that was deleted, writes nothing more; after a lost connection it is
found out whether a transaction was committed.

A transaction is one statement and one round trip. Its announcement of a call is fenced by the key of the event itself:
taking a run over appends an event, so that the next one of the earlier owner has a number that is there already. The
first batch of an opening is written only if that event is there: taking over does not wait for the disk.
"""

from __future__ import annotations

from _thread import allocate_lock
from functools import cache

from rtfs.host.postgres.arrays import array
from rtfs.host.postgres.link import driver
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from psycopg import Connection

    from rtfs.host.postgres.link import Link
    from rtfs.host.stop import Stop

    T = TypeVar("T")

EVENT = ("run bigint", "seq bigint", "kind text", "path text", "subject text", "value text", "note text")
RECORD = (
    "chain bigint", "seq bigint", "time bigint", "duration bigint", "parent bigint", "kind text", "subject text",
    "principal text", "detail text", "arguments bytea", "result bytea", "hash bytea",
)  # fmt: skip
HEAD = ("chain bigint", "name text", "of_run boolean", "seq bigint", "seal bytea")
STATE = (
    "run bigint", "owner integer", "state text", "changed text", "wake_at double precision",
    "ended double precision", "released boolean",
)  # fmt: skip
TAKEN = ("run bigint", "number integer")
OPENING = ("run bigint", "seq bigint", "note text")
"""The columns of the rows of a batch, with their types."""


ENDS = "rtfs_run"
"""The channel that tells which run was let go of, if it is waited for."""


class Fenced(Exception):
    """Another process has taken the run over, or it was deleted; nothing more of it may be written here."""


class Overtaken(Exception):
    """Another process has written to the chain of the records meanwhile; nothing was written."""


def overtaken(error: BaseException) -> bool:
    """Whether a statement has failed since another process has written to the chain of its records meanwhile."""
    return isinstance(error, driver().errors.UniqueViolation) and error.diag.table_name in _OF_CHAINS


TAKEN_OVER = "another process has taken the run over, or it was deleted"


def not_ours(run_id: str) -> Stop:
    """The end of a run here that another process has taken over."""
    return stop(
        "run/fenced",
        f"run {run_id} is not this process's any more: {TAKEN_OVER}",
        hint="nothing is lost that was done before; rtfs runs shows where it is",
    )


class Waiter:
    """A thread that needs a connection. link: the one that it has. ready: free as soon as it has one, or needs it no
    more."""

    __slots__ = ("link", "ready")

    def __init__(self) -> None:
        self.link: Link | None = None
        self.ready = allocate_lock()


class Batch(Waiter):
    """The writes of one run for one transaction. run, owner: number and opening of the run, 0 for records of a ledger
    alone. events, records: rows. head: row of the head of the records' chain, and whether it is its first. state: row
    of the run's new state. taken: numbers of answers that the run has taken. then: further work in the transaction.
    opening: row of the event with which the run was taken over, which has to be there; None if that is known.

    `stop_asked`: told by the database when it is written. `error`: what went wrong, or None."""

    __slots__ = (
        "done", "error", "events", "head", "opening", "owner", "records", "run", "state", "stop_asked", "taken", "then",
    )  # fmt: skip

    def __init__(
        self,
        run: int,
        owner: int,
        events: Sequence[tuple[Any, ...]] = (),
        records: Sequence[tuple[Any, ...]] = (),
        head: tuple[Any, ...] | None = None,
        state: tuple[Any, ...] | None = None,
        taken: Sequence[int] = (),
        then: Callable[[Connection[Any]], None] | None = None,
        opening: tuple[int, int, str] | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        self.owner = owner
        self.events = events
        self.records = records
        self.head = head
        self.state = state
        self.taken = taken
        self.then = then
        self.opening = opening
        self.stop_asked: str | None = None
        self.error: BaseException | None = None
        self.done = False


class Commits:
    """links: the connections that are written over. A caller that finds one free writes; others wait, and
    the first of them to get one writes for all that wait."""

    __slots__ = ("_free", "_guard", "_queue")

    def __init__(self, links: Sequence[Link]) -> None:
        self._guard = allocate_lock()
        self._free = list(links)
        self._queue: list[Waiter] = []

    def write(self, batch: Batch, patience: float | None = None) -> None:
        """Write a batch; returns when it is committed. Raises Fenced, Overtaken, HostError `database/…`,
        psycopg.Error."""
        self._wait(batch)
        if not batch.done:
            assert batch.link is not None
            group = [batch]
            with self._guard:
                group += [one for one in self._queue if isinstance(one, Batch)]
                self._queue = [one for one in self._queue if not isinstance(one, Batch)]
            try:
                self._write(batch.link, group, patience)
            finally:
                for one in group[1:]:
                    one.ready.release()
                self.release(batch.link)
        if batch.error is not None:
            raise batch.error

    def work(self, do: Callable[[Connection[Any]], T]) -> T:
        """The result of `do(connection)`, which may be done twice, over a connection that no commit uses meanwhile.
        Raises HostError `database/…`, psycopg.Error."""
        waiter = Waiter()
        self._wait(waiter)
        assert waiter.link is not None
        try:
            return waiter.link.work(lambda connection, again: do(connection))
        finally:
            self.release(waiter.link)

    def _wait(self, waiter: Waiter) -> None:
        """Returns when the waiter has a connection, or another thread has written its batch."""
        with self._guard:
            if self._free:
                waiter.link = self._free.pop()
                return
            waiter.ready.acquire()
            self._queue.append(waiter)
        try:
            with waiter.ready:
                pass
        except BaseException:  # Ctrl-C: the others wait for the connection that it was to have
            with self._guard:
                if waiter in self._queue:
                    self._queue.remove(waiter)
            if waiter.link is not None:
                self.release(waiter.link)
            raise

    def release(self, link: Link) -> None:
        """A connection is free: the first that waits for one has it."""
        with self._guard:
            if self._queue:
                first = self._queue.pop(0)
                first.link = link
                first.ready.release()
            else:
                self._free.append(link)

    def _write(self, link: Link, group: list[Batch], patience: float | None) -> None:
        together = [batch for batch in group if batch.then is None]
        try:
            if len(together) > 1 and self._are_written(link, together, patience):
                together = []
            for batch in (*together, *(batch for batch in group if batch.then is not None)):
                try:
                    self._are_written(link, [batch], patience)
                except Exception as error:
                    batch.error, batch.done = error, True
        except HostError as error:
            for batch in group:
                batch.error = error
        finally:
            for batch in group:
                if not batch.done and batch.error is None:  # Ctrl-C in this thread, and the others do not write
                    batch.error = InterruptedError("the write was interrupted")
                batch.done = True

    def _are_written(self, link: Link, group: list[Batch], patience: float | None) -> bool:
        """Write batches in one transaction; False if one is in the way of the others. Raises what is wrong with one
        that is alone, and HostError `database/…`."""
        psycopg = driver()
        statement, values = statement_of(group)
        runs = [batch.run for batch in group]

        def write(connection: Connection[Any], again: bool) -> list[tuple[Any, ...]]:
            then = group[0].then
            try:
                if then is None:
                    return connection.execute(statement, values).fetchall()
                with connection.transaction():
                    found = connection.execute(statement, values).fetchall()
                    then(connection)
                    return found
            except psycopg.errors.UniqueViolation:
                if not again or not all(_is_there(connection, batch) for batch in group):
                    raise
                return connection.execute(_LOOK, (array(runs), "{}")).fetchall()

        try:
            rows = {number: (owner, why) for number, owner, why in link.work(write, patience)}
        except psycopg.Error as error:
            if len(group) > 1:
                return False
            if isinstance(error, psycopg.errors.UniqueViolation):
                raise (Overtaken if overtaken(error) else Fenced) from None
            if isinstance(error, psycopg.errors.DivisionByZero):
                raise Fenced from None
            raise
        for batch in group:
            owner, batch.stop_asked = rows.get(batch.run, (0, None))
            if owner != batch.owner:
                batch.error = Fenced()
                _clean(link, batch.run)
            batch.done = True
        return True


_OF_CHAINS = ("chain", "ledger", "ledger_head")
_LOOK = (
    "SELECT number, owner, stop_asked FROM rtfs.run WHERE number = ANY(%s::bigint[]) AND number <> ALL(%s::bigint[])"
)
_ORPHANS = "DELETE FROM rtfs.event WHERE run = %s AND NOT EXISTS (SELECT FROM rtfs.run WHERE number = %s)"


def _clean(link: Link, run: int) -> None:
    """Remove what was written for a run that is deleted."""
    link.work(lambda connection, again: connection.execute(_ORPHANS, (run, run)))


def statement_of(group: list[Batch]) -> tuple[bytes, list[str]]:
    """The one statement that writes batches and looks at their runs, and its values."""
    events = [row for batch in group for row in batch.events]
    records = [row for batch in group for row in batch.records]
    heads = [batch.head for batch in group if batch.head is not None]
    first, later = [head[:-1] for head in heads if head[-1]], [head[:-1] for head in heads if not head[-1]]
    taken = [(batch.run, number) for batch in group for number in batch.taken]
    states = [batch.state for batch in group if batch.state is not None]
    openings = [batch.opening for batch in group if batch.opening is not None]
    kinds = (events, records, first, later, taken, states, openings)
    values = [array(column) for rows in kinds for column in zip(*rows, strict=True)]
    values += [array([batch.run for batch in group]), array([state[0] for state in states])]
    if openings:
        values.append(str(len(openings)))
    return _statement(*map(bool, kinds)), values


def _names(columns: Sequence[str]) -> str:
    return ", ".join(column.partition(" ")[0] for column in columns)


def _rows(columns: Sequence[str]) -> str:
    types = [column.partition(" ")[2] for column in columns]
    return f"SELECT * FROM unnest({', '.join(f'%s::{type}[]' for type in types)})"


_EVENTS = f"e AS (INSERT INTO rtfs.event ({_names(EVENT)}) {_rows(EVENT)})"
_RECORDS = (
    "l AS (INSERT INTO rtfs.ledger (chain, seq, records) SELECT x.chain, min(x.seq), array_agg(ROW("
    f"{', '.join('x.' + column.partition(' ')[0] for column in RECORD[2:])})::rtfs.ledger_record ORDER BY x.seq)"
    f" FROM ({_rows(RECORD)}) AS x ({_names(RECORD)}) GROUP BY x.chain)"
)
"""A block of records for each chain."""
_FIRST_HEADS = (
    f"n AS (SELECT * FROM ({_rows(HEAD)}) AS x ({_names(HEAD)})),"
    " c AS (INSERT INTO rtfs.chain (number, name, of_run) SELECT chain, name, of_run FROM n),"
    " f AS (INSERT INTO rtfs.ledger_head (chain, seq, seal) SELECT chain, seq, seal FROM n)"
)
_HEADS = (
    f"h AS (UPDATE rtfs.ledger_head SET seq = x.seq, seal = x.seal FROM ({_rows(HEAD)}) AS x ({_names(HEAD)})"
    " WHERE ledger_head.chain = x.chain AND ledger_head.seq < x.seq)"
)
"""ON CONFLICT DO UPDATE would do for both, and lock the row first: 54 bytes of the server's log a call."""
_TAKEN = (
    f"a AS (UPDATE rtfs.answer SET used = true FROM ({_rows(TAKEN)}) AS x (run, number)"
    " WHERE answer.run = x.run AND answer.number = x.number)"
)
_STATES = (
    "u AS (UPDATE rtfs.run SET state = x.state, changed = x.changed, wake_at = to_timestamp(x.wake_at),"
    " ended = x.ended, worker = CASE WHEN x.released THEN NULL ELSE worker END,"
    " attempts = CASE WHEN x.released AND x.state <> 'running' THEN 0 ELSE attempts END"
    f" FROM ({_rows(STATE)}) AS x ({_names(STATE)}) WHERE run.number = x.run AND run.owner = x.owner"
    " RETURNING run.number, run.owner, run.stop_asked,"
    f" CASE WHEN run.waited AND x.released THEN pg_notify('{ENDS}', run.id)::text END)"
)
_OPENINGS = (
    f"o AS (SELECT count(*) AS found FROM ({_rows(OPENING)}) AS x ({_names(OPENING)})"
    " JOIN rtfs.event USING (run, seq) WHERE event.note = x.note)"
)
_ALL_OPENED = " UNION ALL SELECT 0, 0, NULL FROM o WHERE 1 / (found = %s::integer)::integer = 0"
"""Divides by zero if one is missing, so that nothing is written."""


@cache
def _statement(
    events: bool, records: bool, first: bool, heads: bool, taken: bool, states: bool, openings: bool
) -> bytes:
    """The statement that writes rows of these kinds. first: heads of chains that have none."""
    known = (
        (events, _EVENTS), (records, _RECORDS), (first, _FIRST_HEADS), (heads, _HEADS), (taken, _TAKEN),
        (states, _STATES), (openings, _OPENINGS),
    )  # fmt: skip
    parts = [part for wanted, part in known if wanted]
    text = f"WITH {', '.join(parts)} {_LOOK}" if parts else _LOOK
    if states:  # what another process took over meanwhile was not changed, and is not among these
        text += " UNION ALL SELECT number, owner, stop_asked FROM u"
    if openings:
        text += _ALL_OPENED
    return text.encode()


def _is_there(connection: Connection[Any], batch: Batch) -> bool:
    """Whether a batch was committed although the connection was lost before that was told."""
    if batch.events:
        first = batch.events[0]
        query = "SELECT kind, path, value FROM rtfs.event WHERE run = %s AND seq = %s"
        return connection.execute(query, first[:2]).fetchone() == (first[2], first[3], first[5])
    if batch.records:
        first = batch.records[0]
        query = "SELECT records[1].hash FROM rtfs.ledger WHERE chain = %s AND seq = %s"
        row = connection.execute(query, first[:2]).fetchone()
        return row is not None and bytes(row[0]) == first[-1]
    return True  # a new state, which may be written twice
