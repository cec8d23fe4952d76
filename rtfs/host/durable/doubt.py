"""Calls in doubt: those that were under way when their run was interrupted, so that their outcome is not known.

Must not know how calls are made. Invariant: such a call is made again only if that does no harm, or if a person has it
made again.
"""

from __future__ import annotations

from rtfs.host.durable.codec import encode
from rtfs.host.durable.errors import damaged
from rtfs.host.durable.replay import Replay
from rtfs.host.durable.store import RESOLVED
from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.durable.store import Event, JournalStore, RunView
    from rtfs.host.scheduler.scheduler import Scheduler
    from rtfs.host.stop import Stop


class Resolution:
    """The resolution of calls whose outcome is not in the journal. how: "ask", "retry", "failed" or "result" (with
    `value`). call: the path of the call to resolve; None if only one is in doubt."""

    __slots__ = ("call", "how", "value")

    def __init__(self, how: str = "ask", value: Any = None, call: str | None = None) -> None:
        self.how = how
        self.value = value
        self.call = call


def settle(journal: JournalStore, replay: Replay, given: Resolution) -> None:
    """Record what the user says of a call in doubt, and what was answered about others. Raises Stop
    `run/in-doubt` where it is not clear which is meant, HostError `argument/invalid` for one that is not in doubt."""
    from rtfs.host.durable.answers import resolution_of

    for call in replay.in_doubt():
        answer = journal.take(f"resolution:{call.path}")
        if answer is not None:
            call.resolution = resolution_of(answer.answer)
            journal.add(RESOLVED, call.path, call.resolution[0], encode(call.resolution[1]))
    doubtful = replay.in_doubt()
    if given.how == "ask" or (given.call is None and not doubtful):
        return
    meant = [call for call in doubtful if given.call is None or call.path == given.call]
    if not meant:
        raise HostError(f"call {given.call} of run {journal.run_id} is not in doubt", code="argument/invalid")
    if len(meant) > 1:
        raise in_doubt(journal.run_id, meant[0], True)
    meant[0].resolution = (given.how, given.value)
    journal.add(RESOLVED, meant[0].path, given.how, encode(given.value))


def may_repeat(entry: Entry, arguments: tuple[Any, ...]) -> bool:
    """Whether a call may be made again, with its key, where its outcome is unknown."""
    return entry.keyed or entry.is_idempotent(arguments)


def replay_of(run_id: str, events: list[Event], begin: Callable[[Scheduler], None]) -> Replay:
    """The replay of a run's events. Raises HostError `run/damaged`."""
    try:
        return Replay(events, begin)
    except ValueError as error:
        raise damaged(run_id, error) from None


def calls_in_doubt(view: RunView) -> list[Recorded]:
    """The calls of a run seen from outside that were under way when it was interrupted. Raises HostError
    `run/damaged`."""
    return replay_of(view.run_id, view.events, lambda scheduler: None).in_doubt()


def in_doubt(run_id: str, known: Recorded, several: bool, span: Any = None) -> Stop:
    """The error of a run that cannot go on by itself. several: whether other calls are in doubt as well."""
    which = f" --call {known.path}" if several else ""
    found = stop(
        "run/in-doubt",
        f'call {known.path} of "{known.subject}"{known.note} was under way when the run was interrupted: whether it was'
        " done is not known",
        span=span,
        hint=f"rtfs resume {run_id}{which} --retry makes it again, --assume-failed gives the program an error,"
        " --result JSON gives it this value",
        capability=known.subject,
    )
    found.question = f"resolution:{known.path}"
    return found
