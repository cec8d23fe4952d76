"""Waiting for what comes from outside a durable run: a moment, or a signal. A run that waits for nothing else needs no
process.

Must not know how calls are carried out or where journals are. Invariants: a signal is taken in the transaction that
records its value, so that it is delivered once, whatever dies; a run is suspended only while none of its calls is under
way; one that is told to stop or to hand back makes no further call.
"""

from __future__ import annotations

from time import monotonic, time

from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.store import CANCELLED, QUEUED, RUNNING, SLEEPING, TOLD, WAITING
from rtfs.host.run.durability import no_signal
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.host.stop import Stop, stop
from rtfs.values import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.providers.waiting import Wait
    from rtfs.host.durable.journaled_call import JournaledCall
    from rtfs.host.durable.store import JournalStore
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler

POLL = 0.25
"""Seconds after which a process looks again for signals and requests to stop."""
LONGEST = 60.0
"""Seconds of one sleep in the process: the clock may be set meanwhile."""
BRIEF = 5.0
"""Seconds that a process waits itself rather than have the run taken up again."""


class Waits:
    """The waits of one run. hands_over: whether a worker takes the run up at its moment, so that no process has to
    sleep. draining: makes no further call, so that another process may continue."""

    __slots__ = ("_journal", "_outside", "_watching", "draining", "hands_over", "under_way")

    def __init__(self, hands_over: bool) -> None:
        self._journal: JournalStore | None = None
        self._outside: set[Outside] = set()
        self._watching = False
        self.hands_over = hands_over
        self.draining = False
        self.under_way = 0
        """Calls that were begun and have not ended, those waiting for what is outside included; not those whose
        implementation is in RTFS, whose own calls are counted."""

    def begin(self, journal: JournalStore) -> None:
        """The run's journal is open."""
        self._journal = journal

    @property
    def journal(self) -> JournalStore:
        """The run's journal."""
        assert self._journal is not None
        return self._journal

    async def wait(self, wait: Wait, call: JournaledCall) -> Any:
        """The value of a call that waits. Raises HostError `run/not-durable` for a signal to a recording."""
        if wait.signal is not None and not self.journal.resumes:
            raise no_signal(wait.signal)
        if call.remembered is not None:  # it was delivered, and the process died before the call had ended
            return decode(call.remembered)
        outside = Outside(self, wait, call)
        found = outside.look()
        return found[0] if found is not None else await outside

    def add(self, outside: Outside) -> None:
        """A call waits."""
        self._outside.add(outside)

    def remove(self, outside: Outside) -> None:
        """A call does not wait any more. Harmless when repeated."""
        self._outside.discard(outside)

    # ------------------------------------------------------------------ when nothing can go on by itself
    def idle(self, announcing: int) -> None:
        """Nothing can go on by itself, and nothing is to be written but announcements. announcing: calls that are begun
        and not announced. Raises Stop where the run needs no process now."""
        if not self.journal.resumes:
            return
        if self.draining and self.under_way == len(self._outside) + announcing:
            raise handed_back(self.journal.run_id, self.hands_over)
        if not announcing and self._outside and self.under_way == len(self._outside):
            self._suspend()

    def _suspend(self) -> None:
        """Every call under way waits for what is outside: raise Stop, unless this process has to sleep."""
        moments = [one.wait.until for one in self._outside if one.wait.until is not None]
        if moments and (not self.hands_over or min(moments) - self.journal.now() < BRIEF):
            return
        signals = sorted(one.wait.signal for one in self._outside if one.wait.signal is not None)
        question = f"signal:{signals[0]}" if signals else ""
        raise suspension(self.journal.run_id, question, min(moments, default=None))

    # ------------------------------------------------------------------ requests to stop
    def watch(self, scheduler: Scheduler) -> None:
        """Look now and then whether the run is asked to stop."""
        if self._watching or not self.journal.resumes:
            return
        self._watching = True

        def look() -> None:
            self.check()
            scheduler.at(monotonic() + POLL, look)

        scheduler.at(monotonic() + POLL, look)

    def check(self) -> None:
        """Raise Stop `cancelled` if the run was asked to stop."""
        why = self.journal.stop_asked
        if why is not None:
            raise cancelled(why)


class Outside(Suspension):
    """A call waits for a moment or a signal; its value."""

    __slots__ = ("_call", "_timer", "_waits", "wait")

    def __init__(self, waits: Waits, wait: Wait, call: JournaledCall) -> None:
        self._waits = waits
        self._call = call
        self._timer: Any = None
        self.wait = wait

    def look(self) -> tuple[Any] | None:
        """The value, once it is there."""
        wait = self.wait
        if wait.signal is not None:
            answer = self._waits.journal.take(f"signal:{wait.signal}")
            if answer is not None:
                self._call.tell(TOLD, answer.answer)
                return (decode(answer.answer),)
        if wait.until is not None and self._waits.journal.now() >= wait.until:
            return (wait.default,)
        return None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        self._waits.add(self)
        self._sleep(scheduler, fiber)

    def _sleep(self, scheduler: Scheduler, fiber: Fiber) -> None:
        def over() -> None:
            if fiber.waiting is not self:
                return
            self._waits.check()
            found = self.look()
            if found is None:
                self._sleep(scheduler, fiber)
            else:
                self._waits.remove(self)
                scheduler.wake(fiber, found[0])

        seconds = LONGEST if self.wait.until is None else max(self.wait.until - self._waits.journal.now(), 0.0)
        most = LONGEST if self.wait.signal is None else POLL
        self._timer = scheduler.at(monotonic() + min(seconds, most), over)

    def cancel(self, scheduler: Scheduler) -> None:
        scheduler.forget(self._timer)
        self._waits.remove(self)


def suspension(run_id: str, question: str, until: float | None) -> Stop:
    """The end of a process's work on a run that waits for what is outside. question: for what, `signal:NAME`, or "".
    until: the moment at which it continues by itself, in seconds since 1970, or None."""
    name = question.removeprefix("signal:")
    words = [f"the signal {name!r}"] if name else []
    hint = None
    if until is not None:
        from datetime import UTC, datetime

        words.append(datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if name:
        from shlex import quote

        hint = f"rtfs signal {run_id} {quote(name)} JSON sends it; then rtfs resume {run_id} continues"
    found = stop("run/waiting", f"run {run_id} waits for {' or '.join(words)}", hint=hint)
    found.state, found.question, found.wake_at = WAITING if until is None else SLEEPING, question, until
    return found


def handed_back(run_id: str, queued: bool) -> Stop:
    """The end of a process's work on a run that another is to continue. queued: whether one will by itself."""
    found = stop("run/waiting", f"run {run_id} waits for another process", hint=f"rtfs resume {run_id} continues it")
    found.state = QUEUED if queued else RUNNING
    return found


def cancelled(why: str) -> Stop:
    """The end of a run that was asked to stop."""
    found = Stop(Cancelled(f"the run was cancelled: {why}" if why else "the run was cancelled"))
    found.state = CANCELLED
    return found


def facts_of_cancelled(stopped: Stop) -> list[tuple[str, str]]:
    """The journal facts of a run that ended as `cancelled` says."""
    return [("state", CANCELLED), ("ended", repr(time())), ("result", encode(stopped.error))]
