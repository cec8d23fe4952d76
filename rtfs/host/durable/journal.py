"""The journal of one run: everything that resuming it needs, whole values, in a file of its own that only its owner may
read and that can be deleted.

Must not know machines or calls: it keeps events, in order, and some facts about the run. Invariants: events written by
`commit` are there whole or not at all, in the order of `add`; a run is open in one process at a time; after a failed
write nothing but outcomes is ever written again.
"""

from __future__ import annotations

from _thread import allocate_lock

from rtfs.host.sqlite import KILL, check_mode, make_folder, open_database, read_database, reason
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

CALL, SAFE, WHOLE, ENTER = "call", "safe", "whole", "enter"
AGAIN, RESOLVED, OUTCOME, ERROR, FAIL, NOTED = "again", "resolved", "outcome", "error", "fail", "noted"
"""Kinds of events. call: allowed and about to be made. safe: likewise, and it may be made twice. whole: likewise, with
hints around an implementation in RTFS. enter: an implementation in RTFS begins, whose own calls are recorded. again: a
call of unknown outcome is made once more. resolved: the user has said what became of such a call. outcome, error: what
a call gave. fail: a parallel branch ended with an error. noted: what a provider wants to know of a call that is under
way when it is taken up again, such as the id of a task."""
RUNNING, DONE, FAILED, WAITING = "running", "done", "failed", "waiting"

_TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, subject TEXT NOT NULL,"
    " value TEXT NOT NULL, note TEXT NOT NULL)",
)
_INSERT = "INSERT INTO events (kind, path, subject, value, note) VALUES (?, ?, ?, ?, ?)"
_SUFFIXES = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock")


class Event:
    """kind: see above. path: of the call, `3` or `3.1.2`. subject: capability id. value: encoded arguments or result.
    note: for people."""

    __slots__ = ("kind", "note", "path", "subject", "value")

    def __init__(self, kind: str, path: str, subject: str, value: str, note: str) -> None:
        self.kind = kind
        self.path = path
        self.subject = subject
        self.value = value
        self.note = note


class Journal:
    """An open journal; made by `create_journal` and `open_journal`."""

    __slots__ = ("_broken", "_connection", "_guard", "_lock", "_pending", "path", "run_id")
    resumes = True
    """Whether the run can be gone on with."""

    def __init__(self, run_id: str, path: str, lock: int, connection: Any) -> None:
        self.run_id = run_id
        self.path = path
        self._lock = lock
        self._connection = connection
        self._pending: list[tuple[str, str, str, str, str]] = []
        self._broken: str | None = None
        self._guard = allocate_lock()

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Have an event written with the next `commit`."""
        self._pending.append((kind, path, subject, value, note))

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self._pending)

    def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        """Write what was added, and facts, in one transaction; from any thread, while nobody adds. Raises Stop
        `run/unwritable`."""
        with self._guard:
            self._write(facts)

    def _write(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        pending = self._pending
        try:
            if self._broken is not None:
                raise OSError(self._broken)
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            for event in pending:
                connection.execute(_INSERT, event)
            for fact in facts:
                connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", fact)
            connection.execute("COMMIT")
        except Exception as error:
            self._give_up(error)
            raise stop(
                "run/unwritable",
                f"cannot write to the journal of run {self.run_id}: {reason(error)}",
                hint=f"nothing is lost that was done before; when it can be written again: rtfs resume {self.run_id}",
            ) from None
        pending.clear()

    def facts(self) -> dict[str, str]:
        """The facts about the run. Raises HostError `run/damaged`."""
        try:
            return dict(self._connection.execute("SELECT name, value FROM facts"))
        except Exception as error:
            raise _damaged(self.run_id, error) from None

    def nonce(self) -> str:
        """What tells this run from an earlier one with the same id. Raises HostError `run/damaged`."""
        return self.facts().get("nonce", "")

    def events(self) -> list[Event]:
        """All events in order. Raises HostError `run/damaged`."""
        try:
            rows = self._connection.execute("SELECT kind, path, subject, value, note FROM events ORDER BY seq")
            return [Event(*row) for row in rows]
        except Exception as error:
            raise _damaged(self.run_id, error) from None

    def abandon(self) -> None:
        """Forget announcements that are not written: what they announce was not made, and will not be."""
        told = {event[1] for event in self._pending if event[0] in (OUTCOME, ERROR)}
        self._pending = [
            event for event in self._pending if event[0] not in (CALL, SAFE, WHOLE, AGAIN, NOTED) or event[1] in told
        ]

    def close(self) -> None:
        """Write what outcomes are left, and let go of the run. Harmless when repeated."""
        import os

        with self._guard:  # a thread may be writing for a run that is given up
            if self._lock < 0:
                return
            self.abandon()
            if self._pending:
                self._broken = None  # a failed write may work now, and what was done was done
                try:
                    self._write()
                except BaseException:  # it was said before, or will be when the run is resumed
                    pass
            self._broken = "it is closed"
            self._connection.close()
            os.close(self._lock)
            self._lock = -1

    def _give_up(self, error: Exception) -> None:
        self._broken = self._broken or reason(error)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except Exception:  # it is broken already
            pass


def state_folder(folder: str | None = None) -> str:
    """The folder of the journals: the one given, else `rtfs/runs` where XDG keeps state."""
    import os

    if folder is None:
        home = os.environ.get("XDG_STATE_HOME") or ""
        if not os.path.isabs(home):
            home = os.path.join(os.path.expanduser("~"), ".local", "state")
        folder = os.path.join(home, "rtfs", "runs")
    return os.path.abspath(folder)


def create_journal(folder: str, run_id: str, facts: Mapping[str, str], mode: str = KILL) -> Journal:
    """The journal of a new run. Raises HostError `run/exists`, `run/unwritable`, `argument/run-id`."""
    import os
    import sqlite3

    check_mode(mode)
    path = _path(folder, run_id)
    try:
        make_folder(folder)
        lock = _locked(path, run_id)
    except OSError as error:
        raise _unusable(run_id, error) from None
    try:
        if os.path.exists(path) and not _hollow(path):
            raise HostError(
                f"there is a run {run_id} already", code="run/exists", hint=f"rtfs resume {run_id} goes on with it"
            )
        connection = open_database(path, mode)
        connection.execute("BEGIN")
        for table in _TABLES:
            connection.execute(table)
        connection.executemany("INSERT INTO facts VALUES (?, ?)", [*facts.items(), ("durability", mode)])
        connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        os.close(lock)
        delete_files(path)
        raise _unusable(run_id, error) from None
    except BaseException:
        os.close(lock)
        raise
    return Journal(run_id, path, lock, connection)


def open_journal(folder: str, run_id: str) -> Journal:
    """The journal of a run, to go on with it. Raises HostError `run/unknown`, `run/active`, `run/damaged`,
    `run/unwritable`, `argument/run-id`."""
    import os
    import sqlite3

    path = _path(folder, run_id)
    if not os.path.isfile(path):
        raise HostError(f"there is no run {run_id} in {folder}", code="run/unknown", hint="rtfs runs lists them")
    try:
        make_folder(folder)
        lock = _locked(path, run_id)
    except OSError as error:
        raise _unusable(run_id, error) from None
    try:
        connection = open_database(path, KILL)
        journal = Journal(run_id, path, lock, connection)
        if not _begun(connection):
            raise _never_begun(run_id)
        mode = journal.facts().get("durability", KILL)
        if mode != KILL:
            from rtfs.host.sqlite import MODES

            connection.execute("PRAGMA synchronous=" + MODES[check_mode(mode)])
        return journal
    except sqlite3.DatabaseError as error:
        os.close(lock)
        raise _damaged(run_id, error) from None
    except BaseException:
        os.close(lock)
        raise


def look(folder: str, run_id: str) -> tuple[dict[str, str], list[Event], bool]:
    """Facts and events of a run, and whether a process is at it, without touching it. Raises HostError
    `run/unknown` or `run/damaged`."""
    import os
    import sqlite3

    path = _path(folder, run_id)
    if not os.path.isfile(path):
        raise HostError(f"there is no run {run_id} in {folder}", code="run/unknown", hint="rtfs runs lists them")
    try:
        connection = read_database(path)
        try:
            if not _begun(connection):
                raise _never_begun(run_id)
            journal = Journal(run_id, path, -1, connection)
            return journal.facts(), journal.events(), _busy(path)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _damaged(run_id, error) from None


def run_ids(folder: str) -> list[str]:
    """The runs that have a journal, oldest first."""
    import os

    try:
        with os.scandir(folder) as entries:
            found = [(entry.stat().st_mtime, entry.name[:-3]) for entry in entries if entry.name.endswith(".db")]
    except FileNotFoundError:
        return []
    return [run_id for _, run_id in sorted(found)]


def delete_run(folder: str, run_id: str) -> None:
    """Delete a run's journal, with all its values. Raises HostError `run/unknown` or `run/active`."""
    import os

    path = _path(folder, run_id)
    if not os.path.isfile(path):
        raise HostError(f"there is no run {run_id} in {folder}", code="run/unknown", hint="rtfs runs lists them")
    try:
        lock = _locked(path, run_id)
        try:
            delete_files(path)
        finally:
            os.close(lock)
    except OSError as error:
        raise _unusable(run_id, error) from None


def delete_files(path: str) -> None:
    """Remove everything that belongs to the journal at a path."""
    import os

    for suffix in _SUFFIXES:
        try:
            os.unlink(path[:-3] + suffix)
        except FileNotFoundError:
            pass


def _hollow(path: str) -> bool:
    """Whether a journal was begun by a process that ended before anything was in it; then it is removed."""
    import os

    connection = read_database(path)
    try:
        if _begun(connection):
            return False
    finally:
        connection.close()
    for suffix in _SUFFIXES[:-1]:
        if os.path.exists(path[:-3] + suffix):
            os.unlink(path[:-3] + suffix)
    return True


def _begun(connection: Any) -> bool:
    """Whether a journal has anything in it: its tables and what the run was started with come all at once."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone() is not None


def _never_begun(run_id: str) -> HostError:
    return HostError(
        f"the journal of run {run_id} is empty: the run ended before anything of it was done, or somebody emptied it",
        code="run/damaged",
        hint="if nothing was done, start it again with the same id",
    )


def _path(folder: str, run_id: str) -> str:
    import os

    good = run_id.isascii() and run_id.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not good or run_id.startswith((".", "-")) or len(run_id) > 100:
        raise HostError(f"{run_id!r} is not a run id: at most 100 letters, digits, - _ and .", code="argument/run-id")
    return os.path.join(folder, run_id + ".db")


def _locked(path: str, run_id: str) -> int:
    """The descriptor of the run's lock file, locked: whoever holds it is at the run. It ends with its process."""
    import fcntl
    import os

    descriptor = os.open(path[:-3] + ".lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise HostError(f"a process is at run {run_id} already", code="run/active") from None
    return descriptor


def _busy(path: str) -> bool:
    import fcntl
    import os

    try:
        descriptor = os.open(path[:-3] + ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _unusable(run_id: str, error: BaseException) -> HostError:
    return HostError(f"cannot write the journal of run {run_id}: {reason(error)}", code="run/unwritable")


def _damaged(run_id: str, error: BaseException) -> HostError:
    return HostError(f"the journal of run {run_id} cannot be read: {reason(error)}", code="run/damaged")
