"""SQLite files of the host (ledger, journals): made owner-only, opened in WAL mode, in one of two modes of durability.

Must not know what is stored. Invariants: a file is never readable by others, not even for a moment; what the database
says is wrong becomes a UserError of the caller's code.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KILL, POWER = "kill", "power"
MODES = {KILL: "NORMAL", POWER: "FULL"}
"""The events that a written transaction survives, and the `PRAGMA synchronous` for it. kill: the end of the process at
any point (what was written is with the operating system). power: a loss of power as well (each transaction is on the
disk before anything continues)."""

_PATIENCE = 10
"""Seconds to wait for other connections that write."""

connect: Callable[[str], Any] | None = None
"""Makes connections; None for sqlite3's own. Tests put one here that fails."""


def check_mode(mode: str) -> str:
    """The mode. Raises HostError `config/durability` for an unknown one."""
    if mode not in MODES:
        from rtfs.values import HostError

        raise HostError(f"durability is one of {', '.join(MODES)}, not {mode!r}", code="config/durability")
    return mode


def open_database(path: str, mode: str) -> Any:
    """A connection to the database at a path, made if it is not there; it may be used from any thread, one at a time.
    Raises sqlite3.Error and OSError."""
    import sqlite3

    make_private(path)
    if connect is not None:
        connection = connect(path)
    else:
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _keep_a_log(connection)
        connection.execute("PRAGMA synchronous=" + MODES[mode])
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_a_log(connection: Any) -> None:
    """Switch to WAL mode. Of several processes that do so with a new file at once, SQLite lets one do it and refuses
    the others without waiting, as each holds a lock that the others would wait for."""
    import sqlite3
    from time import monotonic, sleep

    until = monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
        sleep(0.002)


def read_database(path: str) -> Any:
    """A connection for looking only."""
    import sqlite3
    from pathlib import Path

    return sqlite3.connect(
        Path(path).absolute().as_uri() + "?mode=ro", uri=True, timeout=_PATIENCE, isolation_level=None
    )


def make_private(path: str) -> None:
    """Make the file, readable and writable by its owner only, if there is none."""
    import os

    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
    except FileExistsError:
        pass


def make_folder(path: str) -> str:
    """Make a folder that only its owner may look into, if there is none, and close one of ours that is too open. Raises
    OSError, also for a folder of another user."""
    import os

    os.makedirs(path, mode=0o700, exist_ok=True)
    found = os.stat(path)
    if found.st_uid != os.geteuid():
        raise PermissionError(13, "it belongs to another user", path)
    if found.st_mode & 0o077:
        os.chmod(path, 0o700)
    return path


def reason(error: BaseException) -> str:
    """The problem, in a few words."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
