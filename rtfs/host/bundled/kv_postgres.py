"""The values of `ccos.state.kv.*` in PostgreSQL: shared by all processes and machines, separate for each principal.

Must not know the operations. Invariants: an operation is complete or absent, and operations on one key follow
each other; a call of a durable run that is repeated because its outcome was unknown is answered with its first result.
"""

from __future__ import annotations

from rtfs.capabilities.providers.state import ABSENT
from rtfs.host.durable.codec import decode, encode
from rtfs.host.postgres.database import saying
from rtfs.host.postgres.link import driver, shown
from rtfs.host.postgres.texts import packed
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from psycopg import Connection

    from rtfs.capabilities.permit import Permit
    from rtfs.capabilities.providers.state import Make
    from rtfs.host.postgres.database import Database

    T = TypeVar("T")

_DAYS = 400
"""The number of days after which a run is not resumed any more."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7283002))"
_KNOWN = "SELECT result FROM rtfs.kv_done WHERE run = %s AND machine = %s AND call = %s"
_DONE = (
    "INSERT INTO rtfs.kv_done VALUES (%s, %s, %s, %s, now()) ON CONFLICT (run, machine)"
    " DO UPDATE SET call = excluded.call, result = excluded.result, at = excluded.at"
)
_REMEMBER = (
    "INSERT INTO rtfs.label VALUES (%s, %s, %s) ON CONFLICT (place, digest) DO UPDATE SET labels = excluded.labels"
)
_PUT = "INSERT INTO rtfs.kv VALUES (%s, %s, %s) ON CONFLICT (principal, key) DO UPDATE SET value = excluded.value"


class InDatabase:
    """database: where the values are."""

    __slots__ = ("_database", "_tidied")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tidied = False

    def read(self, permit: Permit, key: str) -> Any:
        """The value of a key, or ABSENT. Raises HostError `capability/failed`."""
        return self._work(lambda connection, again: _value(connection, permit.principal, key))

    def change(self, permit: Permit, key: str, make: Make) -> Any:
        """See `Values`. Raises HostError `capability/failed`, and what `make` raises."""
        principal = permit.principal
        run, _, path = (permit.key or "").rpartition("-")
        machine, _, call = path.rpartition(".")

        def work(connection: Connection[Any], again: bool) -> Any:
            if again and permit.key is None:
                raise self._failed("the connection was lost, so that it is not known whether it was done")
            with connection.transaction():
                connection.execute(_LOCK, (packed(f"{principal}\0{key}"),))
                if permit.key is not None:
                    known = connection.execute(_KNOWN, (run, machine, int(call))).fetchone()
                    if known is not None:
                        return decode(known[0])
                value, result = make(lambda: _value(connection, principal, key))
                if value is ABSENT:
                    where = (packed(principal), packed(key))
                    connection.execute("DELETE FROM rtfs.kv WHERE principal = %s AND key = %s", where)
                else:
                    connection.execute(_PUT, (packed(principal), packed(key), encode(value)))
                if permit.key is not None:
                    connection.execute(_DONE, (run, machine, int(call), encode(result)))
                    if not self._tidied:
                        connection.execute(
                            "DELETE FROM rtfs.kv_done WHERE at < now() - make_interval(days => %s)", (_DAYS,)
                        )
                return result

        result = self._work(work)
        self._tidied = self._tidied or permit.key is not None
        return result

    @property
    def labels(self) -> InDatabase:
        """The store of the values' labels: this one."""
        return self

    def remember_labels(self, place: str, digest: str, labels: str) -> None:
        """Keep the labels of the value with this digest. Raises HostError `capability/failed`."""
        values = (packed(place), digest, labels)
        self._work(lambda connection, again: connection.execute(_REMEMBER, values))

    def recall_labels(self, place: str, digest: str) -> str | None:
        """The labels of the value with this digest, or None. Raises HostError `capability/failed`."""
        query = "SELECT labels FROM rtfs.label WHERE place = %s AND digest = %s"
        row = self._work(lambda connection, again: connection.execute(query, (packed(place), digest)).fetchone())
        return None if row is None else str(row[0])

    def close(self) -> None:
        """The runtime that opened the database closes it."""

    def _work(self, work: Callable[[Connection[Any], bool], T]) -> T:
        try:
            return self._database.reader.work(work)
        except (driver().Error, ValueError) as error:
            what = str(error) if isinstance(error, ValueError) else saying(error)
            raise self._failed(what) from None
        except HostError as error:
            if not error.code.startswith("database/"):
                raise
            raise self._failed(error.message) from None

    def _failed(self, what: str) -> HostError:
        return HostError(f"cannot use the store in {shown(self._database.url)}: {what}", code="capability/failed")


def _value(connection: Connection[Any], principal: str, key: str) -> Any:
    query = "SELECT value FROM rtfs.kv WHERE principal = %s AND key = %s"
    row = connection.execute(query, (packed(principal), packed(key))).fetchone()
    return ABSENT if row is None else decode(row[0])
