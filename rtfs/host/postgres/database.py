"""`Database`: one PostgreSQL database as a host works with it: connections for commits, one for changes that a crash of
the server may take back, one for everything else.

Must not know journals and ledgers. Invariants: nothing connects before it is needed; a connection is used only if the
schema fits, and in mode `power` only if a commit survives a loss of power.
"""

from __future__ import annotations

from rtfs.host.postgres.commits import ENDS, Commits
from rtfs.host.postgres.link import PATIENCE, Link, Reached, check_url, in_words, shown
from rtfs.host.postgres.notices import Notices
from rtfs.host.sqlite import KILL, POWER, check_mode
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from psycopg import Connection

    T = TypeVar("T")

    class Rider(Protocol):
        """A ledger's chain whose records are written together with the events of its run."""

        def take(self) -> tuple[list[tuple[Any, ...]], tuple[Any, ...] | None]:
            """Rows of the records that are not written, and of the chain's head after them. Waits until what was taken
            before is settled."""

        def settle(self, rows: list[tuple[Any, ...]], written: bool) -> None:
            """Whether the rows that were taken are written; if not, they are taken again."""

        def follow(self) -> None:
            """Another process has written to the chain: what was not written comes after that."""

        def drop(self) -> None:
            """The chain goes on in another process: nothing is written to it from here any more."""


WRITERS = 4
"""Connections for commits and other changes at most: the server writes to its disk once for those that commit at the
same time."""
_IDLE = "SET idle_in_transaction_session_timeout = '10s'"
"""A process that stops within a transaction holds its locks no longer than this."""
_PLANNED_ONCE = "SET plan_cache_mode = force_generic_plan"
"""The server takes an array for ten elements where it has not seen it, and so would rather plan each commit of one run
anew, which takes it longer than to carry it out."""


class Database:
    """url: `postgresql://…`. mode: `kill` takes the server's `synchronous_commit` as it is; `power` refuses one that
    may forget what was committed. patience: seconds to wait for a database that went away. Raises HostError
    `database/url`, `config/missing`.

    riders: the chains of runs that have records from here, by run id. journaled: number and owner of the runs whose
    journals are open here, in this database: their chains are written with their events. ends: tells of runs that are
    waited for.
    """

    __slots__ = ("_light", "commits", "ends", "journaled", "mode", "reader", "riders", "url", "writers")

    def __init__(self, url: str, mode: str = KILL, patience: float = PATIENCE) -> None:
        check_url(url)
        self.url = url
        self.mode = check_mode(mode)
        reached = Reached()
        self.writers = [Link(url, self._check_writer, patience, reached) for _ in range(WRITERS)]
        self.reader = Link(url, self.check, patience, reached)
        self._light = Link(url, self._check_light, patience, reached)
        self.commits = Commits(self.writers)
        self.ends = Notices(url, ENDS)
        self.riders: dict[str, Rider] = {}
        self.journaled: dict[str, tuple[int, int]] = {}

    def read(self, do: Callable[[Connection[Any]], T]) -> T:
        """The result of `do(connection)`, which may be done twice. Raises HostError `database/…`, psycopg.Error."""
        return self.reader.work(lambda connection, again: do(connection))

    def change(self, do: Callable[[Connection[Any]], T]) -> T:
        """As `read`, for what is committed and so waits for the disk: several are done at once."""
        return self.commits.work(do)

    def change_lightly(self, do: Callable[[Connection[Any]], T]) -> T:
        """As `change`, without waiting for the disk: a crash of the server may take the change back, but not if a later
        commit of any connection that waits has outlasted it."""
        return self._light.work(lambda connection, again: do(connection))

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self.ends.close()
        for link in self.writers:
            link.close()
        self.reader.close()
        self._light.close()

    def _check_writer(self, connection: Connection[Any]) -> None:
        self.check(connection)
        connection.execute(_PLANNED_ONCE)

    def _check_light(self, connection: Connection[Any]) -> None:
        self._check_writer(connection)
        connection.execute("SET synchronous_commit = off")

    def check(self, connection: Connection[Any]) -> None:
        """Look at a new connection. Raises HostError `database/schema`, `config/durability`."""
        from rtfs.host.postgres.schema import check_schema

        check_schema(connection, shown(self.url))
        connection.execute(_IDLE)
        if self.mode == POWER:
            for name in ("synchronous_commit", "fsync"):
                row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
                if row is not None and row[0] == "off":
                    raise HostError(
                        f"{shown(self.url)} has {name}=off: it may forget what it has committed",
                        code="config/durability",
                        hint=f"set {name}=on there, or use durability kill",
                    )


def saying(error: Exception) -> str:
    """The problem with a database, for the caller's error message."""
    return error.message if isinstance(error, HostError) else in_words(error)
