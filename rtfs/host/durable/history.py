"""The history of a durable run, call by call: from its journal and, if it has one, its ledger.

Must not know stores, nor resume anything. Invariants: nothing is touched; values are shown without known secrets; the
journal knows what was called with what and what came of it, the ledger when it was decided how, and how long it took.
"""

from __future__ import annotations

from rtfs.host.durable.codec import decode
from rtfs.host.durable.errors import damaged
from rtfs.host.durable.store import CALL, ENTER, ERROR, OUTCOME, SAFE, WHOLE
from rtfs.host.redaction import redact
from rtfs.syntax.printer import to_text
from rtfs.values import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.host.audit.ledger import Record
    from rtfs.host.durable.store import Event, RunView

UNKNOWN = "no outcome recorded"
"""The outcome of a call that has none in the journal: it is still running, or its outcome is unknown."""
FUNCTION = Symbol("#function")
"""Text shown for a function among the arguments of a call."""
NOT_MADE = "not made"
"""The journal's note of an error for which its call was never made."""


class JournaledOutcome:
    """A call in a journal. path: `3`, or `3.1` within the third. capability: its id. arguments: as text. decision:
    `allow`, or `not made`. outcome: `ok`, `error: CODE`, or `UNKNOWN`. result: what it gave, as text, or the error's
    message; "" while there is no outcome. place: where in the program, or ""."""

    __slots__ = ("arguments", "capability", "decision", "outcome", "path", "place", "result")

    def __init__(self, event: Event) -> None:
        self.path = event.path
        self.capability = event.subject
        arguments = decode(event.value, functions=lambda _: FUNCTION)
        self.arguments = redact(" ".join(to_text(value) for value in arguments))
        self.decision = "allow"
        self.outcome = UNKNOWN
        self.result = ""
        self.place = event.note.strip()

    def end(self, event: Event) -> None:
        """Take in what the call gave."""
        value = decode(event.value)
        if event.kind == ERROR:
            self.outcome = f"error: {value.code}"
            self.result = redact(value.message)
            if event.note == NOT_MADE:
                self.decision = NOT_MADE
        else:
            self.outcome = "ok"
            self.result = redact(to_text(value))

    def as_data(self) -> dict[str, str]:
        """The call as JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


def journaled_calls(view: RunView) -> list[JournaledOutcome]:
    """The calls of a run's journal, in the order in which they were announced. Raises HostError `run/damaged`."""
    calls: dict[str, JournaledOutcome] = {}
    try:
        for event in view.events:
            if event.kind in (CALL, SAFE, WHOLE, ENTER):
                calls[event.path] = JournaledOutcome(event)
            elif event.kind in (OUTCOME, ERROR):
                calls[event.path].end(event)
    except (ValueError, KeyError, AttributeError) as error:
        raise damaged(view.run_id, error) from None
    return list(calls.values())


class TimelineEntry:
    """Something a ledger says of a run. time: nanoseconds since 1970. kind: `run`, `call`, `replay`, `resume`, `end` …
    subject: capability id or name. decision: of a call, in words, else "". outcome: in words. duration: nanoseconds."""

    __slots__ = ("decision", "duration", "kind", "outcome", "subject", "time")

    def __init__(self, record: Record) -> None:
        decided = record.kind == "decision"
        self.time = record.time
        self.kind = "call" if decided else record.kind
        self.subject = record.subject
        self.decision = record.detail if decided else ""
        self.outcome = "" if decided else record.detail
        self.duration = record.duration

    def as_data(self) -> dict[str, Any]:
        """The entry as JSON data, without what is empty."""
        found = {name: getattr(self, name) for name in ("time", "kind", "subject", "decision", "outcome", "duration")}
        return {name: value for name, value in found.items() if value not in ("", 0)}


def timeline(records: Iterable[Record]) -> list[TimelineEntry]:
    """The records of one run's id as a timeline: a call's decision and outcome are one entry. Of several runs with the
    id, which there are when one was deleted, it is the last."""
    entries: list[TimelineEntry] = []
    begins: list[int] = [0]
    by_number: dict[int, TimelineEntry] = {}
    for record in records:
        if record.kind == "run":
            begins.append(len(entries))
        elif record.kind == "resume" and len(begins) > 1:  # it follows the `run` record of an attempt
            begins.pop()
        call = by_number.get(record.parent)
        if record.kind == "outcome" and call is not None:
            call.outcome, call.duration = record.detail, record.duration
            continue
        entry = TimelineEntry(record)
        if record.kind == "decision":
            by_number[record.seq] = entry
        entries.append(entry)
    return entries[begins[-1] :]
