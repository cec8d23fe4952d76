"""The journal of one run in a file: everything that resuming it needs, whole values; only its owner may read it.

Must not know machines or calls: it keeps events, in order, and facts about the run. Invariants: a transaction is one
line with a checksum, there whole or not at all; the file is locked by the process that has the run open, through its
one descriptor; after a failed write nothing but outcomes is ever written again.

A line is the CRC-32 of the rest in eight hexadecimal digits, a space, and `[events, facts]` in JSON; an event is
`[kind, path, subject, value, note]`. Facts of a later line replace those of earlier ones. The first line has the fact
`format`. A last line that is cut off or damaged was never written: the process or the machine ended meanwhile.
"""

from __future__ import annotations

from _thread import allocate_lock
from json import dumps, loads
from time import time
from zlib import crc32

from rtfs.host.durable.errors import unwritable
from rtfs.host.durable.folder_inbox import taken_fact
from rtfs.host.durable.store import Event, without_announcements
from rtfs.host.sqlite import reason
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rtfs.host.durable.folder_inbox import Told
    from rtfs.host.durable.folder_store import FolderRunStore
    from rtfs.host.durable.renewal import Renewal
    from rtfs.host.durable.store import Added, Answer

FORMAT = "2"
"""The version of this format. 1 was a SQLite database."""


class Journal:
    """An open journal. descriptor: of its locked file. size: how much of that is good. durable: each transaction is on
    the disk before anything continues. told: what the run is told from outside. store: makes the run as which it
    continues."""

    __slots__ = (
        "_broken", "_descriptor", "_durable", "_guard", "_pending", "_size", "_store", "_taken", "_told", "events",
        "facts", "owner", "run_id",
    )  # fmt: skip
    resumes = True

    def __init__(
        self,
        run_id: str,
        descriptor: int,
        size: int,
        facts: dict[str, str],
        events: list[Event],
        durable: bool,
        told: Told,
        store: FolderRunStore,
    ) -> None:
        self._store = store
        self.run_id = run_id
        self.facts = facts
        self.events = events
        self.owner = int(facts.get("owner", "0")) + 1
        self._descriptor = descriptor
        self._size = size
        self._durable = durable
        self._pending: list[Added] = []
        self._broken: str | None = None
        self._guard = allocate_lock()
        self._told = told
        self._taken: dict[str, str] = {}

    @property
    def stop_asked(self) -> str | None:
        """See `JournalStore`."""
        return self._told.stop_asked()

    def now(self) -> float:
        """See `JournalStore`."""
        return time()

    def take(self, question: str) -> Answer | None:
        """See `JournalStore`."""
        known = {**self.facts, **self._taken}
        found = next((one for one in self._told.answers(known) if one.question == question and not one.used), None)
        if found is not None:
            self._taken[taken_fact(found)] = repr(time())
        return found

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Have an event written with the next `commit`."""
        self._pending.append((kind, path, subject, value, note))

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self._pending)

    def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
        """Write what was added, and facts, in one transaction; from any thread, while nothing is added. Raises Stop
        `run/unwritable`."""
        with self._guard:
            self._write({**self._taken, **dict(facts)})
            self.facts.update(self._taken)
            self._taken.clear()

    def continue_as(self, renewal: Renewal) -> None:
        """See `JournalStore`: the new run is made first, so that a run that has ended has one."""
        try:
            self._store.renew(renewal, [one for one in self._told.answers(self.facts) if not one.used])
        except HostError as error:
            raise stop(error.code, error.message, hint=error.hint) from None
        self.commit(renewal.ending.items())

    def _write(self, facts: Mapping[str, str]) -> None:
        try:
            if self._broken is not None:
                raise OSError(self._broken)
            self._size += self.append(encode_line(self._pending, facts))
        except Exception as error:
            self._broken = self._broken or reason(error)
            raise unwritable(self.run_id, reason(error)) from None
        self._pending.clear()

    def append(self, line: bytes) -> int:
        """Write a line behind what is good; its length. What a failed attempt left there is written over."""
        import os

        written = 0
        while written < len(line):
            written += os.pwrite(self._descriptor, line[written:], self._size + written)
        if self._durable:
            os.fsync(self._descriptor)
        return written

    def abandon(self) -> None:
        """Forget announcements that are not written: what they announce was not made, and will not be."""
        self._pending = without_announcements(self._pending)

    def close(self) -> None:
        """Write what outcomes are left, and let go of the run. Harmless when repeated."""
        import os

        with self._guard:  # a thread may be writing for a run that is given up
            if self._descriptor < 0:
                return
            self.abandon()
            if self._pending:
                self._broken = None  # a failed write may work now, and what was done was done
                try:
                    self._write(self._taken)
                except BaseException:  # it was said before, or will be when the run is resumed
                    pass
            self._broken = "it is closed"
            os.close(self._descriptor)
            self._descriptor = -1


def encode_line(events: Iterable[Added], facts: Mapping[str, str]) -> bytes:
    """One transaction as a line."""
    text = dumps([list(events), dict(facts)], separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (crc32(text), text)


def read_lines(data: bytes) -> tuple[int, dict[str, str], list[Event]]:
    """The contents of a journal: the number of intact bytes, facts, events. Raises ValueError for a damaged journal."""
    facts: dict[str, str] = {}
    events: list[Event] = []
    size = 0
    while size < len(data):
        end = data.find(b"\n", size)
        line = data[size : len(data) if end < 0 else end]
        if end < 0 or len(line) < 10 or line[:9] != b"%08x " % crc32(line[9:]):
            if b"\n" in data[size:-1] and _has_good_line(data[end + 1 :]):
                raise ValueError(f"the line at byte {size} was changed")
            break
        found, more = loads(line[9:])
        events += [Event(*event) for event in found]
        facts.update(more)
        size = end + 1
    return size, facts, events


def _has_good_line(rest: bytes) -> bool:
    """Whether anything was written behind a bad line, so that it is not the last one."""
    return any(line[:9] == b"%08x " % crc32(line[9:]) for line in rest.split(b"\n") if len(line) > 9)
