"""`Link`: a connection to PostgreSQL that comes back after the database was away, and what is wrong with one in words.

Must not know tables. Invariants: one thread at a time works on it; work is repeated only where the connection was lost
or the database undid it, and the work is told so; a password is in no message.
"""

from __future__ import annotations

from _thread import allocate_lock
from contextlib import contextmanager
from time import monotonic, sleep

from rtfs.host.postgres.answering import answering
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from psycopg import Connection

    T = TypeVar("T")

PATIENCE = 120.0
"""Seconds that work waits for a database that went away."""
LIVELINESS = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "rtfs",
}
"""The settings by which a connection notices that its peer is gone, unless its address says otherwise."""


def check_url(url: str) -> dict[str, str]:
    """The parameters of an address. Raises HostError `database/url`, `config/missing` without psycopg."""
    psycopg = driver()
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise HostError(
            f"this is not the address of a PostgreSQL database: {in_words(error)}",
            code="database/url",
            hint="postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ) from None


def driver() -> Any:
    """The package psycopg. Raises HostError `config/missing`."""
    try:
        import psycopg
    except ImportError:
        raise HostError(
            "state in PostgreSQL needs the package `psycopg`",
            code="config/missing",
            hint="pip install 'rtfs-host[workers]'",
        ) from None
    return psycopg


def shown(url: str) -> str:
    """An address as messages show it: host, port and database."""
    found = check_url(url)
    return f"{found.get('host', 'localhost')}:{found.get('port', '5432')}/{found.get('dbname', found.get('user', ''))}"


def in_words(error: BaseException) -> str:
    """The database's message, on one line."""
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join((said or str(error) or type(error).__name__).split())


@contextmanager
def at_once(connection: Connection[Any]) -> Iterator[None]:
    """A transaction whose statements are sent without waiting for each other; it is waited for where a result is
    fetched, and at the end. What is fetched behind the end came with it. Raises psycopg.Error."""
    with connection.pipeline(), connection.transaction():
        yield


class Reached:
    """What the links of a database know of it. ever: whether it was ever reached; only then is it waited for. lost: the
    last time at which a connection was lost. Those from before are not used again: they may be lost as well, and each
    would wait for an answer before that shows."""

    __slots__ = ("ever", "lost")

    def __init__(self) -> None:
        self.ever = False
        self.lost = 0.0


class Link:
    """url: of the database. ready: looks at each new connection, before it is used, and again when a statement did not
    fit the tables; raises what is wrong. patience: seconds to wait for a
    database that went away. reached: shared by the links of one database. answers: whether each statement has an answer
    soon; a connection on which one has not counts as lost."""

    __slots__ = ("_answers", "_closed", "_connection", "_lock", "_made", "_reached", "_ready", "patience", "url")

    def __init__(
        self,
        url: str,
        ready: Callable[[Connection[Any]], None],
        patience: float = PATIENCE,
        reached: Reached | None = None,
        answers: bool = True,
    ) -> None:
        self.url = url
        self._answers = answers
        self.patience = patience
        self._ready = ready
        self._connection: Connection[Any] | None = None
        self._lock = allocate_lock()
        self._closed = False
        self._made = 0.0
        self._reached = reached or Reached()

    def work(self, do: Callable[[Connection[Any], bool], T], patience: float | None = None) -> T:
        """The result of `do(connection, again)`. again: whether an earlier attempt may have been committed. If the
        first connection fails, it does not wait: it raises HostError `database/unreachable`. Raises psycopg.Error."""
        psycopg = driver()
        patience = self.patience if patience is None else patience
        with self._lock:
            again, since, pause = False, monotonic(), 0.05
            while True:
                try:
                    return do(self._connected(), again)
                except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                    continue
                except psycopg.ProgrammingError:
                    self._look_again()
                    raise
                except psycopg.OperationalError as error:
                    if not self._is_lost(error):
                        raise
                    if self._connection is not None:
                        again, self._reached.lost = True, monotonic()
                        self._drop()
                    if not self._reached.ever or self._closed or monotonic() - since + pause > patience:
                        raise self._unreachable(error) from None
                sleep(pause)
                pause = min(pause * 2, 1.0)

    def close(self) -> None:
        """Close the connection. Harmless when repeated."""
        self._closed = True
        with self._lock:
            self._drop()

    def _connected(self) -> Connection[Any]:
        if self._made < self._reached.lost:
            self._drop()
        if self._connection is None:
            psycopg = driver()
            if self._closed:
                raise psycopg.OperationalError("it is closed")
            kind = answering(psycopg.Connection) if self._answers else psycopg.Connection
            connection = kind.connect(**{**LIVELINESS, **check_url(self.url)}, autocommit=True)
            try:
                self._ready(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._reached.ever = connection, True
            self._made = monotonic()
        return self._connection

    def _look_again(self) -> None:
        """A statement did not fit the tables: say so where they were changed since the connection was made."""
        from psycopg.pq import TransactionStatus

        connection = self._connection
        if connection is not None and connection.info.transaction_status == TransactionStatus.IDLE:
            self._ready(connection)

    def _is_lost(self, error: BaseException) -> bool:
        connection = self._connection
        state = getattr(error, "sqlstate", None) or ""
        return connection is None or connection.broken or connection.closed or state.startswith(("08", "57P"))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _unreachable(self, error: BaseException) -> HostError:
        return HostError(
            f"cannot reach the database {shown(self.url)}: {in_words(error)}",
            code="database/unreachable",
            hint="is the server up, and are host, port, user, password and database right?",
        )
