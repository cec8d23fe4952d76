"""Where durable runs are kept: `RunStore` and `JournalStore`, the seam for another engine, and what is kept.

Must not know machines, calls or files. Invariants, of every store: events written by `commit` are there whole or not at
all, in the order of `add`; a run is open in one place at a time; looking at a run touches nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

CALL, SAFE, WHOLE, ENTER = "call", "safe", "whole", "enter"
AGAIN, RESOLVED, OUTCOME, ERROR, FAIL, NOTED = "again", "resolved", "outcome", "error", "fail", "noted"
"""Kinds of events. call: allowed and about to be made. safe: likewise, and it may be made twice. whole: likewise, with
hints around an implementation in RTFS. enter: an implementation in RTFS begins, whose own calls are recorded. again: a
call of unknown outcome is made once more. resolved: the user has said what became of such a call. outcome, error: what
a call gave. fail: a parallel branch ended with an error. noted: what a provider wants to know of a call that is under
way when it is taken up again, such as the id of a task."""
ANNOUNCEMENTS = (CALL, SAFE, WHOLE, AGAIN, NOTED)
RUNNING, DONE, FAILED, WAITING = "running", "done", "failed", "waiting"
"""States of a run, its fact `state`."""


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


class RunView:
    """What can be seen of a run from outside: its facts and events, and whether a process is running it."""

    __slots__ = ("busy", "events", "facts", "run_id")

    def __init__(self, run_id: str, facts: dict[str, str], events: list[Event], busy: bool) -> None:
        self.run_id = run_id
        self.facts = facts
        self.events = events
        self.busy = busy


if TYPE_CHECKING:

    class JournalStore(Protocol):
        """The journal of one run, open. Its methods may wait for a disk, but for `add` and `abandon`."""

        @property
        def run_id(self) -> str:
            """The run's id."""

        @property
        def owner(self) -> int:
            """The number of this opening, from 1: a later one has a higher number."""

        @property
        def resumes(self) -> bool:
            """Whether the run can be resumed."""

        @property
        def facts(self) -> Mapping[str, str]:
            """The facts about the run, as they were when it was opened."""

        @property
        def events(self) -> list[Event]:
            """The events, in order, as they were when it was opened."""

        @property
        def pending(self) -> bool:
            """Whether there is something to write."""

        def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
            """Have an event written with the next `commit`."""

        def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
            """Write what was added, and facts, in one transaction; from any thread, while nobody adds. Raises Stop
            `run/unwritable`."""

        def abandon(self) -> None:
            """Forget announcements that are not written: what they announce was not made, and will not be."""

        def close(self) -> None:
            """Write what outcomes are left, and let go of the run. Harmless when repeated."""

    class RunStore(Protocol):
        """The journals of many runs."""

        def create(self, run_id: str, facts: Mapping[str, str]) -> JournalStore:
            """The journal of a new run. Raises HostError `run/exists`, `run/unwritable`, `argument/run-id`."""

        def open(self, run_id: str) -> JournalStore:
            """The journal of a run, to continue it. Raises HostError `run/unknown`, `run/active`, `run/damaged`,
            `run/unwritable`, `argument/run-id`."""

        def look(self, run_id: str) -> RunView:
            """A run from outside. Raises HostError `run/unknown` or `run/damaged`."""

        def list(self) -> list[str]:
            """The ids of all runs, oldest first."""

        def delete(self, run_id: str) -> None:
            """Delete a run with all its values. Raises HostError `run/unknown` or `run/active`."""
