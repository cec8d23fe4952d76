"""The ledger in PostgreSQL: one chain a run, so that runs on many machines do not wait for each other.

Must not know how calls are made, nor journals. Invariants: what belongs to a run whose journal is in the same database
is written in the transaction of the journal's next commit, which comes before the call is made; everything else is
written when `write` returns, but for the beginning of a run, which is written with what follows it. The head of each
chain is sealed with a key that is outside the database, so that a record that was cut off shows.
"""

from __future__ import annotations

from _thread import allocate_lock
from functools import partial

try:
    from _blake2 import blake2b
except ImportError:  # as in rtfs.host.audit.ledger
    from hashlib import blake2b

from rtfs.host.audit.ledger import GENESIS, Ledger, Record
from rtfs.host.audit.postgres_chain import Chain
from rtfs.host.audit.postgres_records import check_key, end_of, inspect, print_of, records
from rtfs.host.audit.postgres_turns import Turns
from rtfs.host.postgres.commits import Batch, Overtaken, not_ours
from rtfs.host.postgres.database import saying
from rtfs.host.postgres.link import shown
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from psycopg import Connection

    from rtfs.host.audit.events import Event
    from rtfs.host.postgres.database import Database


class PostgresLedger(Ledger):
    """database: where it is. key: a secret of 32 bytes for fingerprints and seals, the same wherever this ledger is
    written. Raises HostError `ledger/key`, at the first record, for another key than the ledger was made with."""

    __slots__ = ("_chains", "_database", "_heard", "_own", "_secret", "_turns")
    ordered = False

    def __init__(self, database: Database, key: bytes) -> None:
        from os import urandom

        self._database = database
        self._secret = key
        self._keyed = blake2b(digest_size=16, key=key)
        self._lock = allocate_lock()
        self._chains: dict[str, Any] = database.riders
        self._own = f"process:{urandom(8).hex()}"
        self._heard: list[Record] | None = None
        self._turns: Turns | None = None

    fill = Ledger.write_out

    def write(
        self,
        kind: str,
        run: str,
        parent: int,
        subject: str,
        principal: str,
        detail: str,
        arguments: str | None,
        result: str | None,
        duration: int,
    ) -> int:
        """Write a record; its number in the chain of its run. Raises Stop `ledger/unwritable` (for the beginning of a
        run HostError)."""
        texts = (subject, principal, detail, self.fingerprint(arguments), self.fingerprint(result))
        try:
            one = self._chain(run or self._own, kind)
            seq = one.add(kind, run, parent, texts, duration)
            if self._heard is not None:
                self._heard.append(one.told(seq, parent))
            turns = self._turns
            if turns is not None and turns.mine and kind == "decision" and detail.startswith("allow"):
                self._write_in_turn(turns, one, run)
                return seq
            if kind in ("run", "resume") or run in self._database.journaled:
                return seq
            self._write(one)
        except Exception as error:
            if kind == "session":  # told by the pool, outside of any call: the next record of the run raises
                return 0
            what = f"cannot write to the ledger in {self.path}: {saying(error)}"
            if kind in ("run", "resume"):
                if isinstance(error, HostError):
                    raise
                raise HostError(what, code="ledger/unwritable") from None
            raise stop("ledger/unwritable", what) from None
        if kind == "end":
            self._forget(run)
        return seq

    @property
    def path(self) -> str:
        """The database, as messages name it."""
        return shown(self._database.url)

    def _write(self, one: Chain) -> None:
        while True:
            rows, head = one.take()
            if not rows:
                return
            written = False
            try:
                self._database.commits.write(Batch(0, 0, records=rows, head=head))
                written = True
                return
            except Overtaken:
                pass
            finally:
                one.settle(rows, written)
            one.follow()

    def _write_in_turn(self, turns: Turns, one: Chain, run: str) -> None:
        while True:
            rows, head = one.take()
            written = False
            try:
                if head is not None:  # else the run is another process's
                    written = turns.write(rows, head, self._database.journaled.get(run))
            except Overtaken:
                one.settle(rows, False)
                one.follow()
                continue
            except BaseException:
                one.settle(rows, False)
                raise
            one.settle(rows, written)
            if not written:
                raise not_ours(run)
            return

    # ------------------------------------------------------------------ for rules over a history
    def listen(self, shared: bool, outcomes: bool) -> int:
        """See `Ledger`."""
        self._heard = []
        if shared:
            self._turns = Turns(self._database, self._own)
            self._turns.outcomes = outcomes
        return 0

    def news(self, seen: int, moment: int | None) -> tuple[list[Record], int]:
        """See `Ledger`: what this process has written, and with the turn also what the others have."""
        heard, self._heard = self._heard or [], []
        turns = self._turns
        return (turns.news(moment or 0) if turns is not None and turns.mine else []) + heard, 0

    def begin_turn(self) -> None:
        """See `Ledger`. Raises HostError `database/…`, psycopg.Error."""
        if self._turns is not None:
            self._turns.begin()

    def end_turn(self) -> None:
        """See `Ledger`."""
        if self._turns is not None:
            self._turns.end()

    def _chain(self, name: str, kind: str) -> Chain:
        with self._lock:
            found = self._chains.get(name)
            if found is None or (found.dropped and kind in ("run", "resume")):
                database, key = self._database, self._secret
                find = partial(database.read, lambda connection: _begin(connection, name, key))
                found = self._chains[name] = Chain(name, name != self._own, find, key)
        return found

    def _forget(self, run: str) -> None:
        with self._lock:
            self._chains.pop(run, None)

    def record(self, number: int) -> Record:
        """Numbers are those of a chain here: see `record_of`. Raises KeyError."""
        raise KeyError(number)

    def since(self, number: int, moment: int | None = None, run: str | None = None) -> list[Record]:
        """The records of a run behind a number in its chain. Without a run there is no such order: Raises
        ValueError."""
        if run is None:
            raise ValueError("the chains of a ledger in a database have no common order")
        return [one for one in records(self._database, run) if one.seq > number and one.time >= (moment or 0)]

    def record_of(self, event: Event) -> Record:
        """The record of an event that was just written."""
        name = event.run or self._own
        found: Chain | None = self._chains.get(name)
        late = found.record(event.number) if found is not None else None
        if late is not None:
            return late
        for record in records(self._database, name):
            if record.seq == event.number:
                return record
        raise KeyError(event.number)

    @property
    def head(self) -> tuple[int, str]:
        """The number of records, and the hash of the last one that this process has written."""
        found = self._chains.get(self._own)
        return len(self), GENESIS if found is None else found.head

    def __len__(self) -> int:
        query = "SELECT coalesce(sum(seq), 0)::bigint FROM rtfs.ledger_head"
        return int(self._database.read(lambda connection: connection.execute(query).fetchall())[0][0])

    def __iter__(self) -> Iterator[Record]:
        return records(self._database)

    def verify(self) -> int | None:
        """None if every chain holds and ends where its seal says, else the number of the first record that does not
        fit, in its chain."""
        found = inspect(self._database, self._secret)
        return None if found is None else found[1]

    def close(self) -> None:
        """Write what is left."""
        if self._turns is not None:
            self._turns.close()
        with self._lock:
            chains = [one for one in self._chains.values() if one.pending]
        for one in chains:
            try:
                self._write(one)
            except Exception:  # the beginnings of runs that did nothing
                continue


def _begin(connection: Connection[Any], name: str, key: bytes) -> tuple[int, int, str]:
    """The number of a chain, and its current end. Raises HostError `ledger/key`."""
    connection.execute(
        "INSERT INTO rtfs.ledger_key (one, print) VALUES (true, %s) ON CONFLICT DO NOTHING", (print_of(key),)
    )
    check_key(connection, key)
    return end_of(connection, name)


def read_key(path: str) -> bytes:
    """The key in a file, made at its first use. Raises HostError `ledger/key`."""
    import os

    from rtfs.host.audit.sqlite_ledger import key_of

    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        return key_of(path)
    except OSError as error:
        raise HostError(f"cannot use the key {path}: {error.strerror or error}", code="ledger/key") from None
