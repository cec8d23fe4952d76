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
    from collections.abc import Iterator
    from typing import Any

    from rtfs.host.audit.events import Event
else:
    from _collections import deque  # `collections` costs a millisecond

GENESIS = "0" * 64
FIELDS = ("seq", "time", "kind", "run", "parent", "subject", "principal", "detail", "arguments", "result", "duration")
"""The fields that a record's hash covers, in this order: number from 1; time in ns since 1970; kind (`run`, `end`,
`step`, `leave`, `branch`, `declare`, `decision`, `outcome`, `session`, `question`, `hint`, `resume`, `replay`); run id;
number of the record it belongs to or 0; capability id, step name, number of a branch or session key; principal; what
happened, in words; keyed hashes of arguments and result or ""; duration in ns."""

HISTORY = "; history "
"""In the detail of a record, the mark before the facts about a call that sequence rules look at."""

_EMPTY = blake2b(digest_size=32)
_TEXT = "%s\0" * len(FIELDS) + "%s"
"""What a hash covers: the hash before it and the fields."""

SPARE = 256
"""Records beyond those that are kept, until they go together: one at a time costs a tenth of a host call."""


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


class RecordTemplate:
    """What records of one kind about one thing have in common: `FIELDS`, but for number, time, parent, hashes and
    duration. ends: they have the hash of a result, not of arguments. before, behind, last: their text around the
    parent, the hash and the duration; `before` is "" where it would be ambiguous."""

    __slots__ = ("before", "behind", "detail", "ends", "kind", "last", "principal", "run", "subject")

    def __init__(self, kind: str, run: str, subject: str, principal: str, detail: str, ends: bool) -> None:
        self.kind = kind
        self.run = run
        self.subject = subject
        self.principal = principal
        self.detail = detail
        self.ends = ends
        self.before = f"\0{kind}\0{run}\0"
        self.behind = f"\0{subject}\0{principal}\0{detail}\0" + ("\0" if ends else "")
        self.last = "\0" if ends else "\0\0"
        if (self.before + self.behind + self.last).count("\0") != len(FIELDS) - 2:
            self.before = ""


class Ledger:
    """keep: how many records stay in memory; older ones are dropped, and the hash of the last of them anchors the
    chain.

    Safe to append to from several threads. Hashes are computed when a record is read or dropped: until then the
    difference cannot be seen.
    """

    # _contents are chained, with a hash each in _hashes; _fresh are not yet. Each is a record as the text that its hash
    # covers, without the hash before it, or as the values of FIELDS where that text would be ambiguous.
    __slots__ = ("_anchor", "_contents", "_fresh", "_hashes", "_head", "_keep", "_keyed", "_lock", "_seq")
    ordered = True
    """Whether the numbers of records are their order, over all runs."""

    def __init__(self, keep: int = 100_000, key: bytes | None = None) -> None:
        from _thread import allocate_lock

        self._keep = keep
        self._contents: deque[str | tuple[Any, ...]] = deque()
        self._hashes: deque[str] = deque()
        self._fresh: list[str | tuple[Any, ...]] = []
        self._keyed = blake2b(digest_size=16)
        # in front of the text, where it takes no block of its own: what BLAKE2 hashes cannot be continued
        self._keyed.update(urandom(32) if key is None else key)
        self._head = GENESIS
        self._anchor = GENESIS
        self._seq = 0
        self._lock = allocate_lock()

    def append(self, event: Event) -> int:
        """Write the record of an event; its number."""
        return self.write(
            event.kind, event.run, event.parent, event.subject, event.principal, event.detail, event.arguments_text,
            event.result_text, event.duration,
        )  # fmt: skip

    def write(
        self,
        kind: str,
        run: str,
        parent: int,
        subject: str,
        principal: str,
        detail: str,
        arguments: str | None,
        result: str | None,
        duration: int,
    ) -> int:
        """Write a record of these `FIELDS`, with the texts of arguments and result; its number."""
        given = "" if arguments is None else self.fingerprint(arguments)
        found = "" if result is None else self.fingerprint(result)
        fresh = self._fresh
        ambiguous = "\0" in detail or "\0" in subject or "\0" in principal or "\0" in run
        with self._lock:
            seq = self._seq = self._seq + 1
            time = time_ns()
            fresh.append(
                (seq, time, kind, run, parent, subject, principal, detail, given, found, duration)
                if ambiguous
                else f"{seq}\0{time}\0{kind}\0{run}\0{parent}\0{subject}\0{principal}\0{detail}"
                f"\0{given}\0{found}\0{duration}"
            )
            if len(fresh) + len(self._contents) > self._keep + SPARE:
                self._seal()
        return seq

    def fill(self, template: RecordTemplate, parent: int, text: str, duration: int) -> int:
        """`write` a record by its template. text: of its arguments, or of its result."""
        before = template.before
        if not before:
            return self.write_out(template, parent, text, duration)
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        hash = keyed.hexdigest()
        fresh = self._fresh
        with self._lock:
            seq = self._seq = self._seq + 1
            fresh.append(f"{seq}\0{time_ns()}{before}{parent}{template.behind}{hash}{template.last}{duration}")
            if len(fresh) + len(self._contents) > self._keep + SPARE:
                self._seal()
        return seq

    def write_out(self, template: RecordTemplate, parent: int, text: str, duration: int) -> int:
        """`fill` by `write`."""
        given, found = (None, text) if template.ends else (text, None)
        return self.write(
            template.kind,
            template.run,
            parent,
            template.subject,
            template.principal,
            template.detail,
            given,
            found,
            duration,
        )

    def _seal(self) -> None:
        """Chain what was written since the last time, and let the oldest records go that are too many."""
        contents, hashes, head = self._contents, self._hashes, self._head
        made = [
            head := _hash(f"{head}\0{content}") if isinstance(content, str) else chain(head, content)
            for content in self._fresh
        ]
        contents.extend(self._fresh)
        hashes.extend(made)
        self._fresh.clear()
        self._head = head
        for _ in range(len(contents) - self._keep):
            contents.popleft()
            self._anchor = hashes.popleft()

    def record(self, number: int) -> Record:
        """The record of a number. Raises KeyError for one that is not kept."""
        with self._lock:
            self._seal()
            index = number - self._seq - 1
            hashes = self._hashes
            if not -len(hashes) <= index < 0:
                raise KeyError(number)
            previous = hashes[index - 1] if -index < len(hashes) else self._anchor
            return Record(_values(self._contents[index]), previous, hashes[index])

    def record_of(self, event: Event) -> Record:
        """The record of an event. Raises KeyError for one that is not kept."""
        return self.record(event.number)

    def since(self, number: int, moment: int | None = None, run: str | None = None) -> list[Record]:
        """The records behind a number, oldest first. moment: only those from then on, in ns since 1970. run: only those
        of a run."""
        found: list[Record] = []
        with self._lock:
            self._seal()
            contents, hashes = self._contents, self._hashes
            for index in range(len(contents) - 1, -1, -1):
                content = _values(contents[index])
                if content[0] <= number or (moment is not None and content[1] < moment):
                    break
                if run is None or content[3] == run:
                    found.append(Record(content, hashes[index - 1] if index else self._anchor, hashes[index]))
        found.reverse()
        return found

    def listen(self, shared: bool, outcomes: bool) -> int:
        """Have `news` tell what rules over a history look at; the number that it begins behind. shared: whether they
        look beyond the run of a call: else only what comes from now on counts. outcomes: whether they ask how calls
        ended."""
        return 0 if shared else self.head[0]

    def news(self, seen: int, moment: int | None) -> tuple[list[Record], int]:
        """The records behind a number, and the number to begin behind next. moment: only those from then on, in ns
        since 1970. Raises what reading raises."""
        found = self.since(seen, moment)
        return found, max((record.seq for record in found), default=seen) or self.head[0]

    def begin_turn(self) -> None:
        """Begin a turn: until `end_turn`, no decision about a call in another process comes in between. Raises what
        reading raises."""

    def end_turn(self) -> None:
        """End what `begin_turn` began. Harmless when repeated."""

    def fingerprint(self, text: str | None) -> str:
        """The keyed hash that replaces a value's text, "" for none: equal values match, and a value cannot be guessed
        from it."""
        if text is None:
            return ""
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last record: what an anchor outside has to keep."""
        with self._lock:
            self._seal()
            return self._seq, self._head

    def __len__(self) -> int:
        return min(len(self._contents) + len(self._fresh), self._keep)

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            self._seal()
            records, previous = list(zip(self._contents, self._hashes, strict=True)), self._anchor
        for content, digest in records:
            yield Record(_values(content), previous, digest)
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
    text = _TEXT % (previous, *content)
    if text.count("\0") != len(FIELDS):
        plain = [part.replace("\\", "\\\\").replace("\0", "\\0") if part.__class__ is str else part for part in content]
        text = "escaped\0" + _TEXT % (previous, *plain)
    return _hash(text)


def _hash(text: str) -> str:
    hash = _EMPTY.copy()  # cheaper than making one
    hash.update(text.encode("utf-8", "surrogatepass"))
    return hash.hexdigest()


def _values(content: str | tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of `FIELDS` of a record that is kept."""
    if not isinstance(content, str):
        return content
    seq, time, kind, run, parent, *words, duration = content.split("\0")
    return int(seq), int(time), kind, run, int(parent), *words, int(duration)


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
