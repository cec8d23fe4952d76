"""The ledger (causal chain), in memory: append-only, hash-chained records of runs, steps, decisions, outcomes,
sessions.

Must not know how calls are made, and never holds a value: arguments and results appear as keyed hashes only.
Invariant: each record's hash covers its content and the hash before it, so a changed, removed or reordered record
shows; records are never changed. The record format is what later stores (SQLite) keep.
"""

from __future__ import annotations

from os import urandom
from time import time_ns

try:
    from _blake2 import blake2b
except ImportError:  # hashlib loads OpenSSL, which costs more than a whole short run
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterator
    from typing import Any
else:
    from _collections import deque  # `collections` costs a millisecond

GENESIS = "0" * 64
FIELDS = ("seq", "time", "kind", "run", "parent", "subject", "principal", "detail", "arguments", "result", "duration")
"""What a record's hash covers, in this order: number from 1; time in ns since 1970; kind (`run`, `end`, `step`,
`leave`, `branch`, `declare`, `decision`, `outcome`, `session`, `question`, `hint`, `resume`, `replay`); run id; number
of the record it belongs to or 0; capability id, step name, number of a branch or session key; principal; what happened,
in words; keyed hashes of arguments and result or ""; duration in ns."""

_PATTERN = "%s\0%d\0%d\0%s\0%s\0%d\0%s\0%s\0%s\0%s\0%s\0%d"

_EMPTY = blake2b(digest_size=32)


class Record:
    """One record; the attributes are `FIELDS`, `previous` and `hash` (hex)."""

    __slots__ = (*FIELDS, "hash", "previous")

    seq: int
    time: int
    kind: str
    run: str
    parent: int
    subject: str
    principal: str
    detail: str
    arguments: str
    result: str
    duration: int
    previous: str
    hash: str

    def __init__(self, content: tuple[Any, ...], previous: str, hash: str) -> None:
        for name, value in zip(FIELDS, content, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "previous", previous)
        object.__setattr__(self, "hash", hash)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a ledger record cannot be changed")

    def content(self) -> tuple[Any, ...]:
        """The values of `FIELDS`."""
        return tuple(getattr(self, name) for name in FIELDS)

    def __repr__(self) -> str:
        return f"Record({self.seq} {self.kind} {self.subject} {self.detail})"


class Ledger:
    """keep: how many records stay in memory; older ones go, their hash stays the anchor of the chain.

    `listener(record)` is told of every record as it is written (for `-v`). Safe to append to from several threads.
    """

    __slots__ = ("_anchor", "_head", "_keyed", "_lock", "_records", "_seq", "listener")

    def __init__(self, keep: int = 100_000, key: bytes | None = None) -> None:
        from _thread import allocate_lock

        self._records: deque[tuple[tuple[Any, ...], str]] = deque(maxlen=keep)
        self._keyed = blake2b(digest_size=16, key=urandom(32) if key is None else key)
        self._head = GENESIS
        self._anchor = GENESIS
        self._seq = 0
        self._lock = allocate_lock()
        self.listener: Callable[[Record], None] | None = None

    def append(
        self,
        kind: str,
        run: str,
        parent: int,
        subject: str,
        principal: str,
        detail: str = "",
        arguments: str = "",
        result: str = "",
        duration: int = 0,
    ) -> int:
        """Write one record; its number."""
        with self._lock:
            seq = self._seq = self._seq + 1
            content = (seq, time_ns(), kind, run, parent, subject, principal, detail, arguments, result, duration)
            records = self._records
            if len(records) == records.maxlen:
                self._anchor = records[0][1]
            previous = self._head
            self._head = digest = chain(previous, content)
            records.append((content, digest))
        if self.listener is not None:
            self.listener(Record(content, previous, digest))
        return seq

    def fingerprint(self, text: str) -> str:
        """The keyed hash that stands for a value's text: equal values match, nobody can guess a value from it."""
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last record: what an anchor outside has to keep."""
        return self._seq, self._head

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            records, previous = list(self._records), self._anchor
        for content, digest in records:
            yield Record(content, previous, digest)
            previous = digest

    def close(self) -> None:
        """Nothing to do: it goes with the process."""

    def verify(self) -> int | None:
        """None if the chain holds, else the number of the first record that does not fit."""
        return verify(list(self), self._anchor, self.head)


def chain(previous: str, content: tuple[Any, ...]) -> str:
    """The hash of a record: BLAKE2b-256 over the hash before it and every field, in UTF-8, with NULs between.

    Texts that hold a NUL themselves are written with `\\0` for it and `\\\\` for a backslash, after the mark `escaped`.
    """
    text = _PATTERN % (previous, *content)
    if text.count("\0") != len(FIELDS):
        plain = [part.replace("\\", "\\\\").replace("\0", "\\0") if part.__class__ is str else part for part in content]
        text = "escaped\0" + _PATTERN % (previous, *plain)
    hash = _EMPTY.copy()  # cheaper than making one
    hash.update(text.encode("utf-8", "surrogatepass"))
    return hash.hexdigest()


def verify(records: list[Record], anchor: str, head: tuple[int, str]) -> int | None:
    """None if records form an unbroken chain from `anchor` to `head`, else the number of the first that does not
    fit."""
    previous = anchor
    last = 0
    for record in records:
        expected = record.seq if last == 0 else last + 1
        if record.seq != expected or record.previous != previous or chain(previous, record.content()) != record.hash:
            return record.seq
        previous, last = record.hash, record.seq
    return None if (last, previous) == head or (not records and head[1] == anchor) else last + 1
