"""Ledgers by the place where they are kept: a SQLite file, or a PostgreSQL database.

Must not know how calls are made. Invariant: nothing of the other kind is imported.
"""

from __future__ import annotations

import os

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
        from rtfs.host.audit import postgres_ledger
        from rtfs.host.postgres.database import Database

        database = Database(place)
        try:
            yield from postgres_ledger.records(database, run)
        finally:
            database.close()
    else:
        from rtfs.host.audit import sqlite_ledger

        yield from sqlite_ledger.records(place, run)


def inspect(place: str, key: str | None) -> str | None:
    """What is wrong with the ledger at a place; None if it is whole. key: file with the key of a ledger in a database;
    None for the usual one. Raises HostError `ledger/…`, `database/…`."""
    if is_url(place):
        from rtfs.host.audit import postgres_ledger
        from rtfs.host.postgres.database import Database

        path = key or usual_key()
        if not os.path.exists(path):  # `read_key` would make one
            raise HostError(
                f"there is no key {path} to check the seals of the ledger with",
                code="ledger/key",
                hint="--ledger-key FILE names it; it is on the machines that write to the ledger",
            )
        database = Database(place)
        try:
            found = postgres_ledger.inspect(database, postgres_ledger.read_key(path))
        finally:
            database.close()
        return None if found is None else found[2]
    from rtfs.host.audit import sqlite_ledger

    wrong = sqlite_ledger.inspect(place)
    return None if wrong is None else wrong[1]


def usual_key() -> str:
    """The file with the key of ledgers in databases."""
    return state_folder("ledger.key")
