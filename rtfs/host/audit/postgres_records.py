"""The ledger in PostgreSQL as it is read and verified: blocks of records, chain by chain, and the seals of their heads.

Must not know how records come about. Invariants: what is read is what was written, in order; a record that was changed,
removed or inserted shows, and with the key also one that was cut off at the end.

A row of the table `ledger` is a block: the records that one commit wrote to a chain, and the number of the first.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # as in rtfs.host.audit.ledger
    from hashlib import blake2b

from rtfs.host.audit.ledger import GENESIS, Record, chain
from rtfs.host.postgres.arrays import array
from rtfs.host.postgres.texts import packed, unpacked
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from psycopg import Connection

    from rtfs.host.postgres.database import Database

    Page = Callable[[bytes, dict[str, Any]], list[tuple[Any, ...]]]

PAGE = 1_000
"""Blocks that are read at a time."""
SEAL = 16
"""Bytes of a seal. Those of before schema 6 have `OLD_SEAL`."""
OLD_SEAL = 32
FIELDS = "r.time, r.duration, r.parent, r.kind, r.subject, r.principal, r.detail, r.arguments, r.result, r.hash"
"""Of a record `r` in a block, in the order that `read_record` takes."""
_BLANK = (0, 0, 0, "", "", "", "", b"", b"", b"")
BLOCK = "SELECT seq, records FROM rtfs.ledger WHERE ledger.chain = {chain} AND seq <= {seq} ORDER BY seq DESC LIMIT 1"
"""Finds the block that a record is in, if it is there."""


def read_record(name: str, of_run: bool, seq: int, fields: Sequence[Any], previous: str = GENESIS) -> Record:
    """The record in a row. name: of its chain. of_run: whether that is a run's. fields: see `FIELDS`. previous: the
    hash of the record before it."""
    if None in fields:  # of a record that was changed
        fields = [blank if part is None else part for part, blank in zip(fields, _BLANK, strict=True)]
    time, duration, parent, kind, *texts, arguments, result, digest = fields
    content = (
        seq, time, unpacked(kind), unpacked(name) if of_run else "", parent, *map(unpacked, texts),
        arguments.hex(), result.hex(), duration,
    )  # fmt: skip
    return Record(content, previous, digest.hex())


def records(database: Database, run: str | None = None) -> Iterator[Record]:
    """The records of a ledger, chain by chain, of one run or of all. Raises HostError `database/…`,
    `ledger/damaged`."""

    def page(query: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        return database.read(lambda connection: connection.execute(query, values).fetchall())

    for record, _ in _records(page, run):
        yield record


def _records(page: Page, run: str | None) -> Iterator[tuple[Record, str]]:
    """Records with the names of their chains. page: reads rows, so many blocks at a time."""
    query = (
        f"SELECT b.name, b.of_run, b.seq + r.at - 1, {FIELDS} FROM ("
        "SELECT name, of_run, l.seq, l.records FROM rtfs.chain"
        " CROSS JOIN LATERAL (SELECT seq, records FROM rtfs.ledger WHERE ledger.chain = number"
        " AND (name <> %(name)s OR seq > %(seq)s) ORDER BY seq) AS l"
        f" WHERE {'name = %(run)s' if run is not None else 'name >= %(name)s'} ORDER BY name, l.seq LIMIT {PAGE}"
        ") AS b CROSS JOIN LATERAL unnest(b.records) WITH ORDINALITY AS r"
        " (time, duration, parent, kind, subject, principal, detail, arguments, result, hash, at)"
        " ORDER BY b.name, b.seq, r.at"
    ).encode()
    at, before = ("", 0), ("", GENESIS)
    while True:
        values = {"name": at[0], "seq": at[1], "run": "" if run is None else packed(run)}
        rows = page(query, values)
        for name, of_run, seq, *fields in rows:
            record = read_record(name, of_run, seq, fields, before[1] if before[0] == name else GENESIS)
            yield record, unpacked(name)
            at, before = (name, seq), (name, record.hash)
        if not rows:
            return


def heads(database: Database) -> dict[str, tuple[int, str]]:
    """Number and hash of the last record of each chain. Raises HostError `database/…`."""
    query = (
        "SELECT name, h.seq, b.records[h.seq - b.seq + 1].hash FROM rtfs.ledger_head AS h"
        f" JOIN rtfs.chain ON number = h.chain LEFT JOIN LATERAL ({BLOCK.format(chain='h.chain', seq='h.seq')}) AS b"
        " ON true"
    )
    rows = database.read(lambda connection: connection.execute(query.encode()).fetchall())
    return {unpacked(name): (seq, GENESIS if digest is None else digest.hex()) for name, seq, digest in rows}


def hashes(database: Database, numbers: Mapping[str, int]) -> dict[str, str]:
    """The hash of one record of each chain that has it. numbers: of the records. Raises HostError `database/…`."""
    query = (
        "SELECT x.name, b.records[x.seq - b.seq + 1].hash FROM unnest(%s::text[], %s::bigint[]) AS x (name, seq)"
        " JOIN rtfs.chain ON chain.name = x.name"
        f" CROSS JOIN LATERAL ({BLOCK.format(chain='number', seq='x.seq')}) AS b"
    )
    values = array([packed(name) for name in numbers]), array([*numbers.values()])
    rows = database.read(lambda connection: connection.execute(query.encode(), values).fetchall())
    return {unpacked(name): digest.hex() for name, digest in rows if digest is not None}


def end_of(connection: Connection[Any], name: str) -> tuple[int, int, str]:
    """The number of a chain, a new one where it has none, and number and hash of its last record. Raises
    psycopg.Error."""
    query = (
        "SELECT number, h.seq, b.records[h.seq - b.seq + 1].hash FROM rtfs.chain"
        " LEFT JOIN rtfs.ledger_head AS h ON h.chain = number"
        f" LEFT JOIN LATERAL ({BLOCK.format(chain='h.chain', seq='h.seq')}) AS b ON true WHERE name = %s"
    )
    row = connection.execute(query.encode(), (packed(name),)).fetchone()
    if row is None:
        row = connection.execute("SELECT nextval(pg_get_serial_sequence('rtfs.chain', 'number')), 0, NULL").fetchone()
        assert row is not None
    number, seq, digest = row
    return number, seq or 0, GENESIS if digest is None else digest.hex()  # of one that was cut off: the gap shows


def inspect(database: Database, key: bytes | None) -> tuple[str, int, str] | None:
    """None if every chain is whole and, with a key, ends where its seal says, each as at one moment; else chain, number
    of the first record that does not fit, and what is wrong with it. Raises HostError `database/…`, `ledger/key`."""

    def look(connection: Connection[Any]) -> tuple[str, int, str] | None:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return inspect_at(connection, key)

    return database.change(look)


def inspect_at(connection: Connection[Any], key: bytes | None) -> tuple[str, int, str] | None:
    """As `inspect`, over a connection, whose transaction sees one moment."""
    rows = connection.execute("SELECT name, seq, seal FROM rtfs.ledger_head JOIN rtfs.chain ON number = chain")
    ends = {unpacked(name): (seq, sealed) for name, seq, sealed in rows.fetchall()}
    if key is not None:
        check_key(connection, key)
    at: dict[str, tuple[int, str]] = {}
    for record, name in _records(lambda query, values: connection.execute(query, values).fetchall(), None):
        last, previous = at.get(name, (0, GENESIS))
        if record.seq != last + 1:
            return name, last + 1, f"record {last + 1} of chain {name!r} is missing"
        if chain(previous, record.content()) != record.hash:
            return name, record.seq, f"record {record.seq} of chain {name!r} was changed"
        at[name] = record.seq, record.hash
    for name in sorted({*ends, *at}):
        last, digest = at.get(name, (0, GENESIS))
        seq, sealed = ends.get(name, (0, b""))
        if last != seq:
            what = "the end was cut off" if seq > last else "there are records behind the end"
            return name, min(seq, last) + 1, f"{what} of chain {name!r}: its last record is {last}, its head says {seq}"
        if key is not None and not _is_of(key, sealed, name, seq, bytes.fromhex(digest)):
            return name, seq, f"the head of chain {name!r} was changed: its seal is not of this key"
    return _without_name(connection)


def _without_name(connection: Connection[Any]) -> tuple[str, int, str] | None:
    """What belongs to a chain whose name is gone, and a name whose chain is gone."""
    query = (
        "SELECT chain FROM rtfs.ledger WHERE NOT EXISTS (SELECT FROM rtfs.chain WHERE number = ledger.chain) UNION ALL"
        " SELECT chain FROM rtfs.ledger_head WHERE NOT EXISTS (SELECT FROM rtfs.chain WHERE number = ledger_head.chain)"
        " LIMIT 1"
    )
    row = connection.execute(query.encode()).fetchone()
    if row is not None:
        return "", 1, f"the name of chain number {row[0]} was removed"
    query = (
        "SELECT name FROM rtfs.chain WHERE NOT EXISTS (SELECT FROM rtfs.ledger_head WHERE chain = number)"
        " ORDER BY name LIMIT 1"
    )
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else (unpacked(row[0]), 1, f"chain {unpacked(row[0])!r} was removed")


def _is_of(key: bytes, sealed: bytes, name: str, seq: int, digest: bytes) -> bool:
    return len(sealed) in (SEAL, OLD_SEAL) and sealed == seal(key, name, seq, digest, len(sealed))


def seal(key: bytes, name: str, seq: int, digest: bytes, size: int = SEAL) -> bytes:
    """The authentication code of a chain's head. digest: the hash of its last record. size: in bytes."""
    text = packed(name).encode() + b"\0%d\0" % seq + digest
    return blake2b(text, digest_size=size, key=key, person=b"rtfs head").digest()


def check_key(connection: Connection[Any], key: bytes) -> None:
    """Raise HostError `ledger/key` for another key than the ledger was made with."""
    row = connection.execute("SELECT print FROM rtfs.ledger_key").fetchone()
    if row is not None and bytes(row[0]) != print_of(key):
        raise HostError(
            "the ledger in this database was made with another key",
            code="ledger/key",
            hint="name the file with its key: `ledger_key:` in rtfs.yaml, Runtime(ledger_key=…)",
        )


def print_of(key: bytes) -> bytes:
    """What tells keys apart, and tells nothing about them."""
    return blake2b(b"rtfs ledger", digest_size=16, key=key, person=b"rtfs print").digest()
