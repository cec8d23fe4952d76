"""The schema `rtfs` of a database: its migrations, and whether it is the one that this rtfs works with.

Must not know what the tables are used for. Invariants: a migration is applied once and whole, one process at a time;
nothing works with a schema that is older or newer than it knows.
"""

from __future__ import annotations

from functools import cache

from rtfs.host.postgres.link import Link, driver, in_words, shown
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from psycopg import Connection

    T = TypeVar("T")

_LOCK = 7_283_001
"""Of migrating, among the advisory locks of the database."""
_KNOWN = (
    "CREATE SCHEMA IF NOT EXISTS rtfs; CREATE TABLE IF NOT EXISTS rtfs.migration"
    " (number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
)


@cache
def migrations() -> list[tuple[int, str, str]]:
    """Number, name and SQL of each migration, in order; read once, as each new connection looks at them."""
    from importlib.resources import files

    found = []
    for file in files("rtfs.host.postgres").joinpath("migrations").iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append((int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(url: str) -> list[str]:
    """Apply the migrations that a database has not; their names. Raises HostError `database/…`."""

    def apply(connection: Connection[Any]) -> list[str]:
        connection.execute(_KNOWN)
        there = {number for (number,) in connection.execute("SELECT number FROM rtfs.migration")}
        known = migrations()
        _refuse_newer(max(there, default=0), known, shown(url))
        left = [one for one in known if one[0] not in there]
        for number, name, sql in left:
            connection.execute(sql.encode())
            connection.execute("INSERT INTO rtfs.migration (number, name) VALUES (%s, %s)", (number, name))
        return [f"{number:04} {name}" for number, name, _ in left]

    return one_at_a_time(url, _LOCK, "the tables of rtfs", apply)


def one_at_a_time(url: str, lock: int, what: str, make: Callable[[Connection[Any]], T]) -> T:
    """The result of `make(connection)`, run in one transaction and in one process at a time. lock: number of the
    advisory lock. what: the thing to make, for the error. Raises HostError `database/…`, `config/missing`."""
    psycopg = driver()

    def work(connection: Connection[Any], again: bool) -> T:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            return make(connection)

    link = Link(url, lambda connection: None, answers=False)
    try:
        return link.work(work)
    except psycopg.Error as error:
        raise HostError(f"cannot make {what} in {shown(url)}: {in_words(error)}", code="database/schema") from None
    finally:
        link.close()


def check_schema(connection: Connection[Any], where: str) -> None:
    """Raise HostError `database/schema` for a database without the tables, or with older or newer ones."""
    psycopg = driver()
    known = migrations()
    try:
        row = connection.execute("SELECT max(number) FROM rtfs.migration").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        row = None
    there = row[0] if row is not None and row[0] is not None else 0
    _refuse_newer(there, known, where)
    if there < known[-1][0]:
        what, how = "no tables of rtfs", "makes"
        if there:
            what, how = f"the tables of an older rtfs (schema {there}, not {known[-1][0]})", "upgrades"
        raise HostError(f"{where} has {what}", code="database/schema", hint=f"rtfs runs migrate {how} them")


def _refuse_newer(there: int, known: list[tuple[int, str, str]], where: str) -> None:
    if there > known[-1][0]:
        raise HostError(
            f"{where} has the tables of a newer rtfs (schema {there}, this one knows {known[-1][0]})",
            code="database/schema",
            hint="update rtfs here: pip install -U 'rtfs-host[workers]'",
        )
