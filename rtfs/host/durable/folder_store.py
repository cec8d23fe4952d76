"""`FolderRunStore`: durable runs in a folder that only its owner may look into, a file a run.

Must not know what is in a journal. Invariants: a run is open in one process at a time, which holds the lock on its
file; a file in which nothing was written whole counts as no run; files of an earlier format are converted when they
are opened.
"""

from __future__ import annotations

from json import loads
from os.path import abspath

from rtfs.host.durable.errors import damaged, exists, in_use, unknown, unusable
from rtfs.host.durable.folder_inbox import ANSWERS, STOP, Told
from rtfs.host.durable.journal import FORMAT, Journal, encode_line, read_lines
from rtfs.host.durable.renewal import CONTINUES
from rtfs.host.durable.store import DONE, Event, RunView, check_run_id
from rtfs.host.sqlite import KILL, POWER, check_mode, make_folder, reason
from rtfs.paths import state_folder
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rtfs.host.durable.bundle import Bundle
    from rtfs.host.durable.renewal import Renewal
    from rtfs.host.durable.store import Answer

_END = ".journal"
_OLD = (".db", ".db-wal", ".db-shm", ".db-journal", ".lock")
"""Of format 1, a SQLite database with a lock beside it."""
_PROGRAMS = "programs"


class FolderRunStore:
    """folder: made when the first run is; None for the usual one. mode: what a commit survives, `kill` or `power`; a
    resumed run keeps the mode that it began with."""

    __slots__ = ("folder", "mode")

    def __init__(self, folder: str | None = None, mode: str = KILL) -> None:
        self.folder = abspath(state_folder("runs") if folder is None else folder)
        self.mode = check_mode(mode)

    def create(self, run_id: str, facts: Mapping[str, str]) -> Journal:
        """See `RunStore`."""
        import os

        path = self._path(run_id)
        try:
            make_folder(self.folder)
            if os.path.exists(_stem(path) + ".db"):
                raise exists(run_id)
            descriptor = _locked(path, run_id, os.O_CREAT)
        except OSError as error:
            raise unusable(run_id, reason(error)) from None
        try:
            if read_lines(_read(descriptor))[0]:
                raise exists(run_id)
            facts = {"format": FORMAT, **facts, "durability": self.mode, "owner": "1"}
            for end in (ANSWERS, STOP):
                _unlink(_stem(path) + end)
            journal = Journal(run_id, descriptor, 0, dict(facts), [], self.mode == POWER, Told(_stem(path)), self)
            journal.owner = 1
            journal.commit(facts.items())
            os.ftruncate(descriptor, len(encode_line((), facts)))
            if self.mode == POWER:
                _sync(self.folder)
        except ValueError:
            os.close(descriptor)
            raise exists(run_id) from None
        except OSError as error:
            os.close(descriptor)
            _remove(path)
            raise unusable(run_id, reason(error)) from None
        except BaseException as error:
            os.close(descriptor)
            if getattr(getattr(error, "error", None), "code", "") == "run/unwritable":
                _remove(path)
            raise
        return journal

    def open(self, run_id: str) -> Journal:
        """See `RunStore`."""
        import os

        path = self._path(run_id)
        try:
            self._convert(path, run_id)
            descriptor = _locked(path, run_id, 0)
        except FileNotFoundError:
            raise self._unknown(run_id) from None
        except OSError as error:
            raise unusable(run_id, reason(error)) from None
        try:
            size, facts, events = _parse(_read(descriptor), run_id)
            durable = facts.get("durability") == POWER
            return Journal(run_id, descriptor, size, facts, events, durable, Told(_stem(path)), self)
        except (OSError, ValueError) as error:
            os.close(descriptor)
            raise damaged(run_id, reason(error)) from None
        except BaseException:
            os.close(descriptor)
            raise

    def renew(self, renewal: Renewal, answers: Iterable[Answer]) -> None:
        """Make the run as which another continues, and tell it what that has not taken, unless it is there from an
        earlier attempt. Raises HostError `run/exists`, `run/unwritable`."""
        try:
            self.create(renewal.run_id, renewal.facts).close()
        except HostError as error:
            if error.code != "run/exists":
                raise
            known = self.look(renewal.run_id).facts
            if known.get(CONTINUES) != renewal.facts[CONTINUES]:
                raise
            if self.answers(renewal.run_id):
                return
        for one in answers:
            self.answer(renewal.run_id, one.question, one.answer, one.by)

    def look(self, run_id: str) -> RunView:
        """See `RunStore`."""
        import os

        path = self._path(run_id)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if os.path.exists(_stem(path) + ".db"):
                facts, events = _read_old(path, run_id)
                return RunView(run_id, facts, events, False)
            raise self._unknown(run_id) from None
        except OSError as error:
            raise damaged(run_id, reason(error)) from None
        try:
            _, facts, events = _parse(_read(descriptor), run_id)
            asked = Told(_stem(path)).stop_asked()
            return RunView(run_id, facts, events, not _lock(descriptor, shared=True), asked)
        except OSError as error:
            raise damaged(run_id, reason(error)) from None
        finally:
            os.close(descriptor)

    def state_of(self, run_id: str) -> dict[str, str]:
        """See `RunStore`."""
        return self.look(run_id).facts

    def listen(self, run_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See `RunStore`: a folder tells of nothing."""
        return lambda: None

    def list(
        self,
        *,
        state: str | None = None,
        principal: str | None = None,
        before: float | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """See `RunStore`. Journals that cannot be read are listed, unless they would have to be chosen by."""
        import os

        found = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    for end in (_END, ".db"):
                        if entry.name.endswith(end):
                            found[entry.name.removesuffix(end)] = entry.stat().st_mtime
        except FileNotFoundError:
            return []
        runs = sorted(found, key=lambda run_id: (found[run_id], run_id))
        if state is not None or principal is not None or before is not None:
            runs = [run_id for run_id in runs if self._is_chosen(run_id, state, principal, before)]
        return runs if limit is None else runs[max(len(runs) - limit, 0) :]

    def _is_chosen(self, run_id: str, state: str | None, principal: str | None, before: float | None) -> bool:
        try:
            facts = self.look(run_id).facts
            return (
                (state is None or facts["state"] == state)
                and (principal is None or loads(facts["principal"]) == principal)
                and (before is None or float(facts["began"]) < before)
            )
        except (HostError, KeyError, ValueError):
            return False

    def ask_to_stop(self, run_id: str, why: str) -> None:
        """See `RunStore`."""
        try:
            self._told(run_id).ask_to_stop(why)
        except OSError as error:
            raise unusable(run_id, reason(error)) from None

    def answer(self, run_id: str, question: str, answer: str, by: str) -> None:
        """See `RunStore`."""
        try:
            self._told(run_id).answer(question, answer, by)
        except OSError as error:
            raise unusable(run_id, reason(error)) from None

    def answers(self, run_id: str) -> Sequence[Answer]:
        """See `RunStore`."""
        facts = self.look(run_id).facts
        try:
            return self._told(run_id).answers(facts)
        except OSError as error:
            raise damaged(run_id, reason(error)) from None

    def keep(self, bundle: Bundle) -> str:
        """See `RunStore`."""
        import os

        digest = bundle.digest
        folder = os.path.join(self.folder, _PROGRAMS)
        path = os.path.join(folder, digest)
        made = f"{path}.{os.getpid()}"
        try:
            make_folder(self.folder)
            make_folder(folder)
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                file.write(bundle.text)
                file.flush()
                os.fsync(file.fileno())
            os.rename(made, path)
        except OSError as error:
            raise HostError(f"cannot keep a program in {folder}: {reason(error)}", code="run/unwritable") from None
        return digest

    def program(self, digest: str) -> Bundle:
        """See `RunStore`."""
        import os

        from rtfs.host.durable.bundle import read_bundle

        if not digest.isalnum():
            raise HostError(f"{digest!r} is not the digest of a program", code="run/unknown")
        try:
            with open(os.path.join(self.folder, _PROGRAMS, digest), encoding="ascii") as file:
                return read_bundle(file.read(), digest)
        except FileNotFoundError:
            raise HostError(f"there is no program {digest} in {self.folder}", code="run/unknown") from None
        except (OSError, ValueError) as error:
            what = reason(error) if isinstance(error, OSError) else error
            raise HostError(f"the program {digest} cannot be read: {what}", code="run/damaged") from None

    def prune(self, before: float | None = None, states: Iterable[str] = (DONE,)) -> int:
        """See `RunStore`. Runs that cannot be read, or are in use, are left."""
        count = 0
        wanted = tuple(states)
        for run_id in self.list():
            try:
                facts = self.look(run_id).facts
                if facts["state"] in wanted and (before is None or float(facts["ended"]) < before):
                    self.delete(run_id)
                    count += 1
            except (HostError, KeyError, ValueError):
                continue
        return count

    def close(self) -> None:
        """Nothing is held."""

    def delete(self, run_id: str) -> None:
        """See `RunStore`."""
        import os

        path = self._path(run_id)
        old = _stem(path) + ".db"
        if not os.path.exists(path) and not os.path.exists(old):
            raise self._unknown(run_id)
        try:
            descriptor = _locked(path, run_id, 0) if os.path.exists(path) else -1
            _remove(path)
            if descriptor >= 0:
                os.close(descriptor)
        except OSError as error:
            raise unusable(run_id, reason(error)) from None

    def _told(self, run_id: str) -> Told:
        """Raises HostError `run/unknown`, `argument/run-id`."""
        import os

        path = self._path(run_id)
        if not os.path.exists(path) and not os.path.exists(_stem(path) + ".db"):
            raise self._unknown(run_id)
        return Told(_stem(path))

    def _convert(self, path: str, run_id: str) -> None:
        """Make a journal of format 1 one of this format. Raises OSError and HostError."""
        import os

        old = _stem(path) + ".db"
        if os.path.exists(path) or not os.path.exists(old):
            return
        facts, events = _read_old(path, run_id)
        lines = [
            tuple(getattr(event, name) for name in ("kind", "path", "subject", "value", "note")) for event in events
        ]
        made = f"{path}.{os.getpid()}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(encode_line(lines, {"format": FORMAT, **facts}))
                file.flush()
                os.fsync(file.fileno())
            os.rename(made, path)
        except BaseException:
            os.unlink(made)
            raise
        for end in _OLD:
            _unlink(_stem(path) + end)

    def _path(self, run_id: str) -> str:
        import os

        check_run_id(run_id)
        return os.path.join(self.folder, run_id + _END)

    def _unknown(self, run_id: str) -> HostError:
        return unknown(run_id, self.folder)


def _stem(path: str) -> str:
    return path[: -len(_END)]


def _parse(data: bytes, run_id: str) -> tuple[int, dict[str, str], list[Event]]:
    """The contents of a journal. Raises HostError `run/damaged`."""
    try:
        size, facts, events = read_lines(data)
    except (ValueError, TypeError) as error:
        raise damaged(run_id, error) from None
    if not size:
        raise _never_begun(run_id)
    known = facts.get("format")
    if known != FORMAT:
        raise HostError(
            f"the journal of run {run_id} has the format {known}; this rtfs knows {FORMAT}",
            code="run/damaged",
            hint="finish it with the rtfs that began it, or delete it: rtfs runs delete " + run_id,
        )
    return size, facts, events


def _locked(path: str, run_id: str, create: int) -> int:
    """A descriptor of the file at a path, locked. Raises OSError, and HostError `run/active`."""
    import os

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | create, 0o600)
        if not _lock(descriptor):
            os.close(descriptor)
            raise in_use(run_id)
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)  # it was deleted between the two


def _lock(descriptor: int, shared: bool = False) -> bool:
    """Take the lock on a file, which ends with its descriptor; False if a process holds it."""
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> bytes:
    import os

    parts = []
    at = 0
    while part := os.pread(descriptor, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _read_old(path: str, run_id: str) -> tuple[dict[str, str], list[Event]]:
    """Facts and events of a journal of format 1. Raises HostError `run/damaged`."""
    import sqlite3

    from rtfs.host.sqlite import read_database

    try:
        connection = read_database(_stem(path) + ".db")
        try:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone() is None:
                raise _never_begun(run_id)
            facts = dict(connection.execute("SELECT name, value FROM facts"))
            rows = connection.execute("SELECT kind, path, subject, value, note FROM events ORDER BY seq")
            return facts, [Event(*row) for row in rows]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise damaged(run_id, reason(error)) from None


def _remove(path: str) -> None:
    """Remove everything that belongs to the journal at a path."""
    _unlink(path)
    for end in (*_OLD, ANSWERS, STOP):
        _unlink(_stem(path) + end)


def _unlink(path: str) -> None:
    import os

    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _sync(folder: str) -> None:
    """Have a new file of a folder survive a loss of power."""
    import os

    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _never_begun(run_id: str) -> HostError:
    return HostError(
        f"the journal of run {run_id} is empty: the run ended before anything of it was done, or its file was emptied",
        code="run/damaged",
        hint="if nothing was done, start it again with the same id",
    )
