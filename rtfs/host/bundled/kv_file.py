"""The values of `ccos.state.kv.*` in a SQLite file: kept across runs and processes, separate for each principal.

Must not know the operations. Invariants: an operation is complete or absent, and processes take turns; a call of a
durable run that is repeated because its outcome was unknown is answered with its first result.
"""

from __future__ import annotations

from rtfs.capabilities.providers.state import ABSENT
from rtfs.host.durable.codec import decode, encode
from rtfs.host.sqlite import open_database, reason
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.permit import Permit
    from rtfs.capabilities.providers.state import Make

_TABLES = (
    "CREATE TABLE IF NOT EXISTS kv (principal TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (principal, key))"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS done (run TEXT, machine TEXT, call INTEGER NOT NULL, result TEXT NOT NULL,"
    " day INTEGER NOT NULL, PRIMARY KEY (run, machine)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS labels (place TEXT, digest TEXT, labels TEXT NOT NULL, day INTEGER NOT NULL,"
    " PRIMARY KEY (place, digest)) WITHOUT ROWID",
)
"""done: the last operation of each machine of each durable run. When a machine makes a call, the outcomes of its
earlier ones are in the run's journal, so that only the last can be in doubt. labels: of the value with a digest at a
place (a key, or a file), under flow rules."""
_DAYS = 400
"""The number of days after which a run is not resumed any more."""


class InFile:
    """Values in the file `path`, opened at the first use. mode: see rtfs.host.sqlite."""

    __slots__ = ("_connection", "_lock", "mode", "path")

    def __init__(self, path: str, mode: str) -> None:
        from _thread import allocate_lock

        self.path = path
        self.mode = mode
        self._connection: Any = None
        self._lock = allocate_lock()

    def read(self, permit: Permit, key: str) -> Any:
        """The value of a key, or ABSENT. Raises HostError `capability/failed`."""
        return self._work(lambda connection: self._value(connection, permit.principal, _text(key)))

    def change(self, permit: Permit, key: str, make: Make) -> Any:
        """See `Values`. Raises HostError `capability/failed`, and what `make` raises."""
        principal, key = permit.principal, _text(key)

        def work(connection: Any) -> Any:
            connection.execute("BEGIN IMMEDIATE")
            if permit.key is not None:
                run, _, path = permit.key.rpartition("-")
                machine, _, call = path.rpartition(".")
                known = connection.execute(
                    "SELECT result FROM done WHERE run = ? AND machine = ? AND call = ?", (run, machine, int(call))
                ).fetchone()
                if known is not None:
                    connection.execute("ROLLBACK")
                    return decode(known[0])
            value, result = make(lambda: self._value(connection, principal, key))
            if value is ABSENT:
                connection.execute("DELETE FROM kv WHERE principal = ? AND key = ?", (principal, key))
            else:
                connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?, ?)", (principal, key, encode(value)))
            if permit.key is not None:
                row = (run, machine, int(call), encode(result), _today())
                connection.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", row)
            connection.execute("COMMIT")
            return result

        return self._work(work)

    @property
    def labels(self) -> InFile:
        """The store of the values' labels: this one."""
        return self

    def remember_labels(self, place: str, digest: str, labels: str) -> None:
        """Keep the labels of the value with this digest. Raises HostError `capability/failed`."""
        row = (_text(place), digest, labels, _today())
        self._work(lambda connection: connection.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", row))

    def recall_labels(self, place: str, digest: str) -> str | None:
        """The labels of the value with this digest, or None. Raises HostError `capability/failed`."""
        query = "SELECT labels FROM labels WHERE place = ? AND digest = ?"
        row = self._work(lambda connection: connection.execute(query, (_text(place), digest)).fetchone())
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _work(self, work: Callable[[Any], Any]) -> Any:
        import sqlite3

        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._opened()
                return work(self._connection)
            except (sqlite3.Error, OSError, ValueError) as error:
                raise HostError(
                    f"cannot use the store {self.path}: {reason(error)}", code="capability/failed"
                ) from None
            finally:
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _opened(self) -> Any:
        connection = open_database(self.path, self.mode)
        try:
            for table in _TABLES:
                connection.execute(table)
            connection.execute("DELETE FROM done WHERE day < ?", (_today() - _DAYS,))
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _value(connection: Any, principal: str, key: str) -> Any:
        row = connection.execute("SELECT value FROM kv WHERE principal = ? AND key = ?", (principal, key)).fetchone()
        return ABSENT if row is None else decode(row[0])


def _today() -> int:
    from time import time

    return int(time()) // 86_400


def _text(key: str) -> str:
    """A key as SQLite can hold it: lone surrogates and NULs spelled out."""
    return key if key.isascii() and "\0" not in key else encode(key)
