"""Ledgers by the place where they are kept: a SQLite file, or a PostgreSQL database.

Must not know how calls are made. Invariant: nothing of the other kind is imported.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from rtfs.paths import is_url, state_folder
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rtfs.host.audit.ledger import Ledger, Record
    from rtfs.host.postgres.database import Database


def open_ledger(place: str, mode: str, key: str | None, database: Callable[[str], Database]) -> Ledger:
    """The ledger at a place, to append to. mode: of files, see rtfs.host.sqlite. key: file with the key of a ledger in
    a database; None for the usual one. database(url): the database at an address. Raises HostError `ledger/…`."""
    if is_url(place):
        from rtfs.host.audit.postgres_ledger import PostgresLedger, read_key

        return PostgresLedger(database(place), read_key(key or usual_key()))
    from rtfs.host.audit.sqlite_ledger import StoredLedger

    return StoredLedger(place, mode)


def records(place: str, run: str | None = None) -> Iterator[Record]:
    """The records of the ledger at a place, of one run or of all. Raises HostError `ledger/…`, `database/…`."""
    if is_url(place):
        from rtfs.host.audit import postgres_records

        with _database(place) as database:
            yield from postgres_records.records(database, run)
    else:
        from rtfs.host.audit import sqlite_ledger

        yield from sqlite_ledger.records(place, run)


def inspect(place: str, key: str | None) -> str | None:
    """The damage to the ledger at a place; None if it is intact. key: file with the key of a ledger in a database; None
    for the usual one. Raises HostError `ledger/…`, `database/…`."""
    if is_url(place):
        from rtfs.host.audit import postgres_records
        from rtfs.host.audit.postgres_ledger import read_key

        path = key or usual_key()
        if not os.path.exists(path):  # `read_key` would make one
            raise HostError(
                f"there is no key {path} to check the seals of the ledger with",
                code="ledger/key",
                hint="--ledger-key FILE names it; it is on the machines that write to the ledger",
            )
        with _database(place) as database:
            found = postgres_records.inspect(database, read_key(path))
        return None if found is None else found[2]
    from rtfs.host.audit import sqlite_ledger

    wrong = sqlite_ledger.inspect(place)
    return None if wrong is None else wrong[1]


def heads(place: str) -> dict[str, tuple[int, str]]:
    """Number and hash of the last record of each chain of the ledger at a place, by the chain's name; a file has one
    chain, "". Raises HostError `ledger/…`, `database/…`."""
    if is_url(place):
        from rtfs.host.audit import postgres_records

        with _database(place) as database:
            return postgres_records.heads(database)
    from rtfs.host.audit import sqlite_ledger

    return {"": sqlite_ledger.last_record(place)}


def hashes(place: str, numbers: dict[str, int]) -> dict[str, str]:
    """The hashes of records of the ledger at a place, by the names of their chains; those that are not there are left
    out. numbers: of the records, by chain. Raises HostError `ledger/…`, `database/…`."""
    if is_url(place):
        from rtfs.host.audit import postgres_records

        with _database(place) as database:
            return postgres_records.hashes(database, numbers)
    from rtfs.host.audit import sqlite_ledger

    found = {name: sqlite_ledger.hash_of_record(place, number) for name, number in numbers.items()}
    return {name: digest for name, digest in found.items() if digest is not None}


class RunOfLedger:
    """A ledger's summary of one run. run: its id, "" for records that belong to no run. records: their number. began,
    last: the time of the first and of the last, in ns since 1970. principal, name: of the run. end: the detail of its
    end, "" where it has not ended."""

    __slots__ = ("began", "end", "last", "name", "principal", "records", "run")

    def __init__(self, run: str, began: int) -> None:
        self.run = run
        self.records = 0
        self.began = self.last = began
        self.principal = self.name = self.end = ""

    def add(self, record: Record) -> None:
        """Take in a record of the run, in order."""
        self.records += 1
        self.last = record.time
        self.principal = self.principal or record.principal
        if record.kind in ("run", "resume"):
            self.name, self.end = self.name or record.subject, ""
        elif record.kind == "end":
            self.end = record.detail


def runs(place: str) -> list[RunOfLedger]:
    """The runs of the ledger at a place, in the order in which they began. Raises HostError `ledger/…`,
    `database/…`."""
    found: dict[str, RunOfLedger] = {}
    for record in records(place):
        if record.run not in found:
            found[record.run] = RunOfLedger(record.run, record.time)
        found[record.run].add(record)
    return sorted(found.values(), key=lambda one: one.began)


def named(place: str) -> str:
    """A ledger as messages name it: without a password."""
    if not is_url(place):
        return place
    from rtfs.host.postgres.link import shown

    return shown(place)


@contextmanager
def _database(url: str) -> Iterator[Database]:
    from rtfs.host.postgres.database import Database

    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def usual_key() -> str:
    """The file with the key of ledgers in databases."""
    return state_folder("ledger.key")
