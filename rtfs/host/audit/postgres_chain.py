"""A chain of the ledger in PostgreSQL, as one process writes to it.

Must not know runs, nor how rows are written. Invariants: no record is ever written without the one before it; where
another process has written to the chain meanwhile (an answer to a run, its submission), what is not written yet comes
after that, and the numbers that were told of it stay good here.
"""

from __future__ import annotations

from _thread import allocate_lock
from time import time_ns

from rtfs.host.audit.ledger import Record, chain
from rtfs.host.audit.postgres_records import seal
from rtfs.host.postgres.texts import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    End = tuple[int, int, str]

KEPT = 64
"""Records of a chain that subscribers to events can still ask for."""


class Chain:
    """The chain of one run, or of one process for what belongs to no run. find: reads the number of the chain, and
    number and hash of its last record. key: of its seal. dropped: the run is another process's, and so is its chain.
    seq, head: of the last record from here.

    What is taken to be written is written, or back, before more is taken."""

    __slots__ = (
        "_find", "_first", "_guard", "_key", "_moved", "_of_run", "_rows", "_taken", "_writing", "dropped", "head",
        "last", "name", "number", "seq",
    )  # fmt: skip

    def __init__(self, name: str, of_run: bool, find: Callable[[], End], key: bytes) -> None:
        self.name = name
        self.number, self.seq, self.head = find()
        self.last: list[Record] = []
        self.dropped = False
        self._rows: list[Record] = []
        self._taken: list[Record] = []
        self._moved: list[tuple[int, int]] = []
        """From which of the numbers that were told on records have moved, and by how much."""
        self._first = self.seq == 0
        self._find = find
        self._of_run = of_run
        self._key = key
        self._guard = allocate_lock()
        self._writing = allocate_lock()

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self._rows)

    def add(self, kind: str, run: str, parent: int, texts: tuple[str, ...], duration: int) -> int:
        """Append a record, to be written; its number, as it is told here. parent: such a number, or 0."""
        with self._guard:
            self._append((self.seq + 1, time_ns(), kind, run, self._real(parent), *texts, duration))
            return self.seq - (self._moved[-1][1] if self._moved else 0)

    def record(self, number: int) -> Record | None:
        """A late record, by the number that was told of it."""
        with self._guard:
            number = self._real(number)
            return next((one for one in reversed(self.last) if one.seq == number), None)

    def told(self, number: int, parent: int) -> Record:
        """A record that was just added, with the numbers that were told of it and of its parent."""
        record = self.record(number)
        assert record is not None
        if (record.seq, record.parent) == (number, parent):
            return record
        _, time, kind, run, _, *rest = record.content()
        return Record((number, time, kind, run, parent, *rest), record.previous, record.hash)

    def take(self) -> tuple[list[tuple[Any, ...]], tuple[Any, ...] | None]:
        """See `Rider`."""
        self._writing.acquire()
        with self._guard:
            self._taken, self._rows = self._rows, []
        if not self._taken:
            self._writing.release()
            return [], None
        last = self._taken[-1]
        sealed = seal(self._key, self.name, last.seq, bytes.fromhex(last.hash))
        head = self.number, packed(self.name), self._of_run, last.seq, sealed, self._first
        return [self._row(one) for one in self._taken], head

    def settle(self, rows: list[tuple[Any, ...]], written: bool) -> None:
        """See `Rider`."""
        if rows:
            with self._guard:
                if written:
                    self._first = False
                elif not self.dropped:
                    self._rows[:0] = self._taken
                self._taken = []
            self._writing.release()

    def follow(self) -> None:
        """See `Rider`."""
        self._writing.acquire()
        try:
            end = self._find()
            with self._guard:
                self._move_behind(end)
        finally:
            self._writing.release()

    def drop(self) -> None:
        """See `Rider`."""
        with self._guard:
            self.dropped, self._rows = True, []

    def _append(self, content: tuple[Any, ...]) -> Record:
        record = Record(content, self.head, chain(self.head, content))
        self.seq, self.head = record.seq, record.hash
        if not self.dropped:
            self._rows.append(record)
        self.last = [*self.last[1 - KEPT :], record]
        return record

    def _real(self, number: int) -> int:
        for first, shift in reversed(self._moved):
            if number >= first:
                return number + shift
        return number

    def _move_behind(self, end: End) -> None:
        """Have what is not written follow the chain's end as it is now."""
        left, self._rows = self._rows, []
        first = left[0].seq if left else self.seq + 1
        by = end[1] + 1 - first
        self.last = [one for one in self.last if one.seq < first]
        self.number, self.seq, self.head = end
        self._first = self.seq == 0
        before = self._moved[-1][1] if self._moved else 0
        self._moved.append((first - before, before + by))
        for one in left:
            _, time, kind, run, parent, *rest = one.content()
            self._append((self.seq + 1, time, kind, run, parent + by if parent >= first else parent, *rest))

    def _row(self, record: Record) -> tuple[Any, ...]:
        return (
            self.number, record.seq, record.time, record.duration, record.parent, packed(record.kind),
            packed(record.subject), packed(record.principal), packed(record.detail), bytes.fromhex(record.arguments),
            bytes.fromhex(record.result), bytes.fromhex(record.hash),
        )  # fmt: skip
