"""The ledger in a SQLite file: the same records and the same chain as in memory, kept.

Must not know how calls are made. Invariants: a record is written when `append` returns, else `append` raises and
nothing may continue; each record costs the same, however many there are; number and hash of the last record are also
outside the database (`FILE.anchor`), so that a cut tail is noticed; several processes may append, one at a time (the
lock is on the anchor).
"""

from __future__ import annotations

from fcntl import LOCK_EX, LOCK_UN, flock
from time import time_ns

try:
    from _blake2 import blake2b
except ImportError:  # as in rtfs.host.audit.ledger
    from hashlib import blake2b

from rtfs.host.audit.ledger import FIELDS, GENESIS, Ledger, Record, chain
from rtfs.host.sqlite import KILL, POWER, open_database, read_database, reason
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


_TABLE = (
    "CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL,"
    " run TEXT NOT NULL, parent INTEGER NOT NULL, subject TEXT NOT NULL, principal TEXT NOT NULL,"
    " detail TEXT NOT NULL, arguments TEXT NOT NULL, result TEXT NOT NULL, duration INTEGER NOT NULL,"
    " previous BLOB NOT NULL, hash BLOB NOT NULL)"
)
_COLUMNS = ", ".join((*FIELDS, "previous", "hash"))
_INSERT = f"INSERT INTO records ({_COLUMNS}) VALUES ({', '.join('?' * (len(FIELDS) + 2))})"
_LAST = "SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1"
_ANCHOR = "%020d %s %020d %s\n"
_ANCHOR_SIZE = 2 * (20 + 1 + 64 + 1)


CHECKED = 1_000
"""Records at the end that are looked through before anything is added; `rtfs audit verify` looks at all."""


class StoredLedger(Ledger):
    """The ledger in the file `path`. mode: `kill` or `power`, see rtfs.host.sqlite.

    Fingerprints are keyed by `FILE.key`, made with the ledger. Raises HostError `ledger/unwritable` where the file
    cannot be used and `ledger/damaged` where its end is not what the anchor says.
    """

    __slots__ = ("_broken", "_connection", "_damaged", "_ends", "_own", "_sync", "path")

    def __init__(self, path: str, mode: str = KILL) -> None:
        import os
        import sqlite3
        from _thread import allocate_lock

        self.path = path
        self._lock = allocate_lock()
        self._broken: str | None = None
        self._damaged = False
        self._own: tuple[int, str] | None = None
        """Number and hash of the last record that was written here."""
        self._sync = mode == POWER
        self._ends = -1
        try:
            self._keyed = blake2b(digest_size=16, key=key_of(path + ".key"))
            self._ends = os.open(path + ".anchor", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            flock(self._ends, LOCK_EX)
            try:
                self._connection = open_database(path, mode)
                self._connection.execute(_TABLE)
                self._check_anchor(self._last())
            finally:
                flock(self._ends, LOCK_UN)
        except (sqlite3.Error, OSError) as error:
            if _shows_damage(error):
                raise _damaged(path, error) from None
            raise HostError(f"cannot use the ledger {path}: {reason(error)}", code="ledger/unwritable") from None

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
        """Write a record; its number. Raises Stop `ledger/unwritable` or `ledger/damaged` (for the beginning of a run
        HostError); then the ledger takes nothing more."""
        hashes = self.fingerprint(arguments), self.fingerprint(result)
        texts = (_clean(subject), _clean(principal), _clean(detail), *hashes)
        with self._lock:
            connection = self._connection
            try:
                if self._broken is not None:
                    raise OSError(self._broken)
                flock(self._ends, LOCK_EX)
                connection.execute("BEGIN IMMEDIATE")
                before, previous = self._last()
                if self._own is not None and before == self._own[0] and previous != self._own[1]:
                    raise self._changed(before)
                seq = before + 1
                content = (seq, time_ns(), kind, run, parent, *texts, duration)
                digest = chain(previous, content)
                connection.execute(_INSERT, (*content, bytes.fromhex(previous), bytes.fromhex(digest)))
                self._write_anchor(before, previous, seq, digest)
                connection.execute("COMMIT")
                self._own = seq, digest
                self._write_anchor(seq, digest, seq, digest, last=True)
                flock(self._ends, LOCK_UN)
            except Exception as error:
                self._give_up(error)
                if kind == "session":  # told by the pool, outside of any call: the next record of the run raises
                    return 0
                what = f"cannot write to the ledger {self.path}: {self._broken}"
                code = "ledger/damaged" if self._damaged else "ledger/unwritable"
                hint = self._hint() if self._damaged else None
                if kind in ("run", "resume"):  # nothing runs yet that would have to be stopped
                    raise HostError(what, code=code, hint=hint) from None
                raise stop(code, what, hint=hint) from None
        return seq

    def record(self, number: int) -> Record:
        """The record of a number. Raises KeyError for one that there is not."""
        with self._lock:
            row = self._connection.execute(f"SELECT {_COLUMNS} FROM records WHERE seq = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return Record(row[:-2], *(_hex(part) for part in row[-2:]))

    def since(self, number: int, moment: int | None = None, run: str | None = None) -> list[Record]:
        """The records behind a number, oldest first. moment: only those from then on, in ns since 1970. run: only those
        of a run."""
        query = f"SELECT {_COLUMNS} FROM records WHERE seq > ?"
        values: list[Any] = [number]
        if moment is not None:
            query, values = query + " AND time >= ?", [*values, moment]
        if run is not None:
            query, values = query + " AND run = ?", [*values, run]
        with self._lock:
            rows = self._connection.execute(query + " ORDER BY seq", values).fetchall()
        return [Record(row[:-2], *(_hex(part) for part in row[-2:])) for row in rows]

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last record."""
        with self._lock:
            return self._last()

    def __len__(self) -> int:
        return self.head[0]

    def __iter__(self) -> Iterator[Record]:
        return records(self.path)

    def verify(self) -> int | None:
        """None if the chain holds and ends where the anchor says, else the number of the first record that does not
        fit."""
        with self._lock:
            found = inspect(self.path)
        return None if found is None else found[0]

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        import os

        with self._lock:
            self._broken = self._broken or "it is closed"
            self._connection.close()
            if self._ends >= 0:
                os.close(self._ends)
                self._ends = -1

    def _last(self) -> tuple[int, str]:
        row = self._connection.execute(_LAST).fetchone()
        if row is None:
            return 0, GENESIS
        if not isinstance(row[1], bytes):
            raise self._changed(row[0])
        return row[0], row[1].hex()

    def _changed(self, seq: int) -> HostError:
        return HostError(
            f"the ledger {self.path} is not what was written: record {seq} was changed, removed or inserted",
            code="ledger/damaged",
            hint=self._hint(),
        )

    def _hint(self) -> str:
        return f"rtfs audit verify {self.path} says more; move it and its anchor away to start a new one"

    def _give_up(self, error: Exception) -> None:
        if self._broken is None:
            self._broken = error.message if isinstance(error, HostError) else reason(error)
            self._damaged = isinstance(error, HostError) or _shows_damage(error)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            flock(self._ends, LOCK_UN)
        except Exception:  # it is broken already
            pass

    def _write_anchor(self, seq: int, digest: str, to: int, to_digest: str, last: bool = False) -> None:
        """While a record is being written two ends are right, before and after it one."""
        import os

        os.pwrite(self._ends, (_ANCHOR % (seq, digest, to, to_digest)).encode(), 0)
        if self._sync and not last:  # the current contents cover the next end as well
            os.fsync(self._ends)

    def _check_anchor(self, last: tuple[int, str]) -> None:
        import os

        ends = _ends(os.pread(self._ends, _ANCHOR_SIZE + 1, 0))
        if ends is None and last == (0, GENESIS):
            ends = (last,)
        if ends is None or last not in ends:
            raise HostError(
                f"the ledger {self.path} does not end where its anchor says it does",
                code="ledger/damaged",
                hint=self._hint(),
            )
        self._check_end(last[0])
        self._write_anchor(*last, *last)

    def _check_end(self, last: int) -> None:
        """Raise HostError `ledger/damaged` where one of the last records was changed, removed or inserted: nothing is
        added to a ledger that is known to be damaged."""
        query = f"SELECT {_COLUMNS} FROM records WHERE seq > ? ORDER BY seq"
        before = max(last - CHECKED, 0)
        previous, seq = None, before
        for row in self._connection.execute(query, (before,)):
            record = Record(row[:-2], *(_hex(part) for part in row[-2:]))
            seq += 1
            try:
                fits = record.seq == seq and chain(record.previous, record.content()) == record.hash
            except TypeError:
                fits = False
            if not fits or previous not in (None, record.previous):
                raise self._changed(seq)
            previous = record.hash


def records(path: str, run: str | None = None) -> Iterator[Record]:
    """The records of a ledger file in order, of one run or of all. Raises HostError `ledger/missing`, and
    `ledger/damaged` if the file is not a ledger."""
    import sqlite3

    connection = _look(path)
    where, values = ("", ()) if run is None else (" WHERE run = ?", (run,))
    try:
        for row in connection.execute(f"SELECT {_COLUMNS} FROM records{where} ORDER BY seq", values):
            yield Record(row[:-2], *(_hex(part) for part in row[-2:]))
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    finally:
        connection.close()


def latest(path: str, fits: Callable[[Record], bool], limit: int, before: int | None = None) -> list[Record]:
    """At most `limit` records that fit, the newest first, all with numbers below `before`. Raises as `records`."""
    import sqlite3

    connection = _look(path)
    found: list[Record] = []
    where, values = ("", ()) if before is None else (" WHERE seq < ?", (before,))
    try:
        for row in connection.execute(f"SELECT {_COLUMNS} FROM records{where} ORDER BY seq DESC", values):
            record = Record(row[:-2], *(_hex(part) for part in row[-2:]))
            if fits(record):
                found.append(record)
                if len(found) >= limit:
                    break
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    finally:
        connection.close()
    return found


def last_record(path: str) -> tuple[int, str]:
    """Number and hash of a ledger file's last record. Raises as `records`."""
    for number, digest in _rows(path, _LAST, ()):
        return number, _hex(digest)
    return 0, GENESIS


def hash_of_record(path: str, number: int) -> str | None:
    """The hash of a record, None where there is none of that number. Raises as `records`."""
    for (digest,) in _rows(path, "SELECT hash FROM records WHERE seq = ?", (number,)):
        return _hex(digest)
    return None


def _rows(path: str, query: str, values: tuple[Any, ...]) -> list[Any]:
    import sqlite3

    connection = _look(path)
    try:
        found: list[Any] = connection.execute(query, values).fetchall()
        return found
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    finally:
        connection.close()


def inspect(path: str) -> tuple[int, str] | None:
    """None if a ledger file is whole, else number of the first record that does not fit, and what is wrong with it.
    Raises as `records`."""
    import sqlite3

    connection = _look(path)
    try:
        try:
            with open(path + ".anchor", "rb") as anchor:
                flock(anchor, LOCK_EX)  # no process writes between the two looks
                connection.execute("BEGIN")
                connection.execute(_LAST).fetchone()
                ends = _ends(anchor.read(_ANCHOR_SIZE + 1))
        except OSError as error:
            return 1, f"the anchor {path}.anchor cannot be read: {reason(error)}"
        rows = connection.execute(f"SELECT {_COLUMNS} FROM records ORDER BY seq")
        return _first_misfit((Record(row[:-2], *(_hex(part) for part in row[-2:])) for row in rows), ends, path)
    except sqlite3.Error as error:
        raise _damaged(path, error) from None
    finally:
        connection.close()


def _first_misfit(
    found: Iterator[Record], ends: tuple[tuple[int, str], ...] | None, path: str
) -> tuple[int, str] | None:
    previous, last = GENESIS, 0
    for record in found:
        seq = record.seq
        if seq != last + 1:
            gone = f"record {last + 1} is" if seq == last + 2 else f"records {last + 1} to {seq - 1} are"
            return last + 1, f"{gone} missing"
        try:
            own = chain(record.previous, record.content()) == record.hash
        except TypeError:
            own = False
        if not own:
            return seq, f"record {seq} was changed"
        if record.previous != previous:
            return seq, f"record {seq} does not follow record {last}: one was changed, removed or inserted there"
        previous, last = record.hash, seq
    if ends is None:
        return last + 1, f"the anchor {path}.anchor was changed"
    if (last, previous) in ends:
        return None
    end = ends[-1][0]
    if end > last:
        return last + 1, f"the end was cut off: the last record is {last}, the anchor says {end}"
    if end < last:
        return end + 1, f"record {end + 1} was inserted behind the end that the anchor knows"
    return last, f"record {last} is not the one that the anchor knows"


def _look(path: str) -> Any:
    import os
    import sqlite3

    if not os.path.isfile(path):
        raise HostError(f"there is no ledger {path}", code="ledger/missing")
    try:
        return read_database(path)
    except sqlite3.Error as error:
        raise _damaged(path, error) from None


def _shows_damage(error: Exception) -> bool:
    """True if SQLite says that what it read is not what it wrote, or not a database: no matter of rights or room."""
    import sqlite3

    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", None)  # the errors of Python's module itself have none
    if code is None:
        return str(error).startswith("Could not decode to UTF-8")
    return (code & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _damaged(path: str, error: Exception) -> HostError:
    return HostError(f"{path} is not a ledger, or a broken one: {reason(error)}", code="ledger/damaged")


def _hex(part: Any) -> str:
    return part.hex() if isinstance(part, bytes) else str(part)


def _ends(data: bytes) -> tuple[tuple[int, str], ...] | None:
    """The ends that an anchor allows."""
    try:
        seq, digest, to, to_digest = data.decode("ascii").split()
        return (int(seq), digest), (int(to), to_digest)
    except ValueError:
        return None


def _clean(text: str) -> str:
    """A text as SQLite can hold it: no lone surrogates, no NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def key_of(path: str) -> bytes:
    """The secret of a ledger's fingerprints, made at its first use."""
    import os

    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        with open(path, "rb") as file:
            key = file.read()
        if len(key) != 32:
            raise OSError(f"{path} holds no key") from None
        return key
    try:
        key = os.urandom(32)
        os.write(descriptor, key)
        os.fsync(descriptor)
        return key
    finally:
        os.close(descriptor)
