"""`Turns`: calls that rules over a history are about are decided one at a time, on all machines of a database.

Must not know rules, nor how calls are made. Invariants: the holder of the turn sees every call that was allowed before;
its own decision is written in the transaction that ends the turn; a process that is stopped meanwhile loses its turn
after ten seconds, and its decision with it.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident

from rtfs.host.audit.postgres_records import BLOCK, FIELDS, read_record
from rtfs.host.postgres.arrays import array
from rtfs.host.postgres.commits import Batch, Overtaken, statement_of
from rtfs.host.postgres.link import Link, driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

    from rtfs.host.audit.ledger import Record
    from rtfs.host.postgres.database import Database

_LOCK = 7_283_003
"""Of turns, among the advisory locks of the database."""
_NEW = (
    f"SELECT place, o.chain, name, of_run, o.seq, {FIELDS} FROM rtfs.occurrence AS o"
    f" JOIN rtfs.chain ON number = o.chain CROSS JOIN LATERAL ({BLOCK.format(chain='o.chain', seq='o.seq')}) AS b"
    " CROSS JOIN LATERAL (SELECT (b.records[o.seq - b.seq + 1]).*) AS r"
    " WHERE place > %s AND by <> %s AND o.time >= %s ORDER BY place"
).encode()
_OUTCOMES = (
    f"SELECT l.chain, name, of_run, l.seq + r.at - 1, {FIELDS}"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS x (chain, seq)"
    " JOIN rtfs.chain ON number = x.chain JOIN rtfs.ledger AS l ON l.chain = x.chain AND l.seq > x.seq"
    " CROSS JOIN LATERAL unnest(l.records) WITH ORDINALITY AS r"
    " (time, duration, parent, kind, subject, principal, detail, arguments, result, hash, at)"
    " WHERE r.kind = 'outcome' AND r.parent = x.seq"
).encode()
"""An outcome is in a later block: the turn ends with the block of the decision."""
_POINT = "INSERT INTO rtfs.occurrence (chain, seq, time, by) VALUES (%s, %s, %s, %s)"
_END = "SELECT seq FROM rtfs.ledger_head WHERE chain = %s FOR UPDATE"
_OWNER = "SELECT owner FROM rtfs.run WHERE number = %s FOR KEY SHARE"


class Turns:
    """database: of the ledger. own: the name of this process in it. outcomes: whether it counts how calls ended."""

    __slots__ = (
        "_connection",
        "_database",
        "_guard",
        "_link",
        "_open",
        "_own",
        "_seen",
        "_thread",
        "_written",
        "outcomes",
    )

    def __init__(self, database: Database, own: str) -> None:
        self._database = database
        self._link = Link(database.url, database.check)
        self._own = own
        self._guard = allocate_lock()
        self._thread = 0
        self._connection: Connection[Any] | None = None
        self._written = False
        self._seen = 0
        self._open: dict[tuple[int, int], None] = {}
        self.outcomes = False

    @property
    def mine(self) -> bool:
        """Whether this thread has the turn."""
        return self._thread == get_ident()

    def begin(self) -> None:
        """Wait for the turn. Raises HostError `database/…`, psycopg.Error."""
        self._guard.acquire()
        try:
            self._connection = self._link.work(_begin, self._database.reader.patience)
        except BaseException:
            self._guard.release()
            raise
        self._thread, self._written = get_ident(), False

    def news(self, moment: int) -> list[Record]:
        """Calls that other processes were allowed to make since the last time, and how earlier ones ended. moment: for
        the first time, only those from then on, in ns since 1970. Raises psycopg.Error."""
        connection = self._connection
        assert connection is not None
        found: list[Record] = []
        values = (self._seen, self._own, 0 if self._seen else moment)
        for place, chain, name, of_run, seq, *fields in connection.execute(_NEW, values):
            self._seen = max(self._seen, place)
            found.append(read_record(name, of_run, seq, fields))
            if self.outcomes:
                self._open[chain, seq] = None
        if self._open:
            chains, numbers = zip(*self._open, strict=True)
            for chain, name, of_run, seq, *fields in connection.execute(_OUTCOMES, (array(chains), array(numbers))):
                found.append(read_record(name, of_run, seq, fields))
                self._open.pop((chain, found[-1].parent), None)
        return found

    def write(self, rows: list[tuple[Any, ...]], head: tuple[Any, ...], run: tuple[int, int] | None) -> bool:
        """Write records, the last of which is of a call that is allowed, with the head of their chain; False where the
        run is another process's now. run: its number and owner, None for one that is not in the database. Raises
        `Overtaken`, psycopg.Error."""
        connection = self._connection
        assert connection is not None
        if run is not None and connection.execute(_OWNER, run[:1]).fetchone() != run[1:]:
            return False
        end = connection.execute(_END, head[:1]).fetchone()
        if (0 if end is None else end[0]) != rows[0][1] - 1:
            raise Overtaken
        connection.execute(*statement_of([Batch(0, 0, records=rows, head=head)]))
        connection.execute(_POINT, (*rows[-1][:3], self._own))
        connection.execute("COMMIT")
        self._written = True
        return True

    def end(self) -> None:
        """Let others have the turn. Harmless for a thread that does not have it."""
        if not self.mine:
            return
        connection, self._connection, self._thread = self._connection, None, 0
        try:
            if not self._written and connection is not None:
                connection.execute("ROLLBACK")
        except driver().Error:  # it is lost, and the turn with it
            pass
        finally:
            self._guard.release()

    def close(self) -> None:
        """Close the connection. Harmless when repeated."""
        self._link.close()


def _begin(connection: Connection[Any], again: bool) -> Connection[Any]:
    with connection.pipeline():
        connection.execute("BEGIN")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    return connection
