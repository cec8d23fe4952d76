"""The interfaces of stores of durable runs, `RunStore` and `JournalStore`, and the data that they keep.

Must not know machines, calls or files. Invariants, of every store: events written by `commit` are there whole or not at
all, in the order of `add`; a run is open in one place at a time; looking at a run touches nothing.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from rtfs.host.durable.bundle import Bundle
    from rtfs.host.durable.renewal import Renewal

    Added = tuple[str, str, str, str, str]
    """The arguments of `JournalStore.add`: kind, path, subject, value and note."""

CALL, SAFE, WHOLE, ENTER = "call", "safe", "whole", "enter"
AGAIN, RESOLVED, OUTCOME, ERROR, FAIL, NOTED = "again", "resolved", "outcome", "error", "fail", "noted"
TOLD, LABELS, GRANTED = "told", "labels", "granted"
"""Kinds of events. call: allowed and about to be made. safe: likewise, and it may be made twice. whole: likewise, with
hints around an implementation in RTFS. enter: an implementation in RTFS begins, whose own calls are recorded. again: a
call of unknown outcome is made once more. resolved: the user has said what became of such a call. outcome, error: what
a call gave. fail: a parallel branch ended with an error. noted: what a provider wants to know of a call that is under
way when it is taken up again, such as the id of a task. told: the signal that a call waits for was taken; its
value. labels: where the value of such a call comes from, under flow rules. granted: a person has allowed the calls of
this capability that are asked about for the same reason, the value, for the rest of the run."""
ANNOUNCEMENTS = (CALL, SAFE, WHOLE, AGAIN, NOTED)
RUNNING, DONE, FAILED, WAITING = "running", "done", "failed", "waiting"
QUEUED, SLEEPING, CANCELLED, STUCK, IN_DOUBT = "queued", "sleeping", "cancelled", "stuck", "in doubt"
"""States of a run, its fact `state`. queued: it waits for a worker. waiting: for an answer to the question that the
fact `question` names. sleeping: until the time in the fact `wake-at`, in seconds since 1970. in doubt: it waits
to be told what became of a call, as `question` names it. stuck: it was taken up several times in vain. A run in one of
these states has no process."""
ENDED = (DONE, FAILED, CANCELLED)
"""States of runs that have ended."""


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


class Answer:
    """An answer sent to a run: an approval, a resolution of a call in doubt, a signal. number: among the run's answers,
    from 1. question: the question answered; several answers to one question are used one after the other. answer:
    encoded value. by: who answers. at: seconds since 1970. used: whether the run has taken it."""

    __slots__ = ("answer", "at", "by", "number", "question", "used")

    def __init__(self, number: int, question: str, answer: str, by: str, at: float, used: bool) -> None:
        self.number = number
        self.question = question
        self.answer = answer
        self.by = by
        self.at = at
        self.used = used


class RunView:
    """A run as seen from outside: its facts and events, whether a process is running it, and why it was asked to stop,
    or None."""

    __slots__ = ("busy", "events", "facts", "run_id", "stop_asked")

    def __init__(
        self, run_id: str, facts: dict[str, str], events: list[Event], busy: bool, stop_asked: str | None = None
    ) -> None:
        self.run_id = run_id
        self.facts = facts
        self.events = events
        self.busy = busy
        self.stop_asked = stop_asked


def check_run_id(run_id: str) -> str:
    """The id. Raises HostError `argument/run-id` for an invalid one."""
    good = run_id.isascii() and run_id.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not good or run_id.startswith((".", "-")) or len(run_id) > 100:
        raise HostError(f"{run_id!r} is not a run id: at most 100 letters, digits, - _ and .", code="argument/run-id")
    return run_id


def facts_of_running(owner: int) -> dict[str, str]:
    """The journal facts of a run that was opened again and is running: it waits for nothing. owner: the number of the
    opening."""
    return {"state": RUNNING, "owner": str(owner), "question": "", "asked": "", "wake-at": ""}


def without_announcements(events: list[Added]) -> list[Added]:
    """Events that were added, without the announcements of calls that have not ended among them."""
    ended = {path for kind, path, _, _, _ in events if kind in (OUTCOME, ERROR)}
    return [event for event in events if event[0] not in ANNOUNCEMENTS or event[1] in ended]


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

        @property
        def stop_asked(self) -> str | None:
            """Why the run is asked to stop, as far as the last commit or heartbeat noticed; else None."""

        def now(self) -> float:
            """The time by the store's clock, in seconds since 1970."""

        def take(self, question: str) -> Answer | None:
            """The oldest answer to a question that the run has not taken, or None. It counts as taken with the next
            `commit`: add first what it leads to. Raises HostError `run/…`."""

        def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
            """Have an event written with the next `commit`."""

        def commit(self, facts: Iterable[tuple[str, str]] = ()) -> None:
            """Write what was added, and facts, in one transaction; from any thread, while nothing is added. Raises Stop
            `run/unwritable`, and `run/fenced` when another process has taken the run over."""

        def continue_as(self, renewal: Renewal) -> None:
            """Write what was added, end the run and make the new one, which is told what this one has not taken. As
            `commit`."""

        def abandon(self) -> None:
            """Forget announcements that are not written: what they announce was not made, and will not be."""

        def close(self) -> None:
            """Write what outcomes are left, and let go of the run. Harmless when repeated."""

    class RunStore(Protocol):
        """The journals of many runs, the programs they run and what is told to them."""

        def create(self, run_id: str, facts: Mapping[str, str]) -> JournalStore:
            """The journal of a new run. Raises HostError `run/exists`, `run/unwritable`, `argument/run-id`."""

        def open(self, run_id: str) -> JournalStore:
            """The journal of a run, to continue it. Raises HostError `run/unknown`, `run/active`, `run/damaged`,
            `run/unwritable`, `argument/run-id`."""

        def look(self, run_id: str) -> RunView:
            """A run from outside. Raises HostError `run/unknown` or `run/damaged`."""

        def state_of(self, run_id: str) -> Mapping[str, str]:
            """The state of a run among other facts: all that are new since it began, once no process has it. Raises
            HostError `run/unknown` or `run/damaged`."""

        def listen(self, run_id: str, wake: Callable[[], None]) -> Callable[[], None]:
            """Have `wake` called, from any thread, when the store hears that `state_of` may have changed. Returns the
            function that ends this. Raises HostError `run/unwritable`."""

        def list(
            self,
            *,
            state: str | None = None,
            principal: str | None = None,
            before: float | None = None,
            limit: int | None = None,
        ) -> list[str]:
            """The ids of the runs, oldest first. state, principal: only those in this state, on this one's behalf.
            before: only those that began before this time, in seconds since 1970. limit: only so many, the newest."""

        def ask_to_stop(self, run_id: str, why: str) -> None:
            """Ask a run to stop; its process notices at the next commit or heartbeat. Raises HostError
            `run/unknown`, `run/unwritable`."""

        def answer(self, run_id: str, question: str, answer: str, by: str) -> None:
            """Tell a run something, durably, from anywhere. answer: encoded value. by: who answers. Raises HostError
            `run/unknown`, `run/unwritable`."""

        def answers(self, run_id: str) -> Sequence[Answer]:
            """The answers sent to a run, oldest first. Raises HostError `run/unknown`, `run/damaged`."""

        def keep(self, bundle: Bundle) -> str:
            """Keep a program; its digest. Raises HostError `run/unwritable`."""

        def program(self, digest: str) -> Bundle:
            """The program of a digest. Raises HostError `run/unknown`, `run/damaged`."""

        def delete(self, run_id: str) -> None:
            """Delete a run with all its values. Raises HostError `run/unknown` or `run/active`."""

        def prune(self, before: float | None = None, states: Iterable[str] = (DONE,)) -> int:
            """Delete the runs that have ended in one of these states, and before a time in seconds since 1970; how
            many there were."""

        def close(self) -> None:
            """Let go of what the store holds beside open journals. Harmless when repeated."""
