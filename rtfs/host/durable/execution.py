"""A durable run: its journal wraps the stages of the pipeline around every host call.

Must not know how calls are carried out or where journals are. Invariants: a call is announced in the journal before it
is made, but for what runs in RTFS, whose own calls are announced; its outcome is written with the next announcement,
and before the run waits for anything or ends; a recorded outcome is answered, never asked for again; a call whose
outcome is unknown is made again only if that does no harm.
"""

from __future__ import annotations

from time import time

from rtfs.capabilities.permit import Permit
from rtfs.host.audit.events import CallReplayed
from rtfs.host.durable.answers import verdict_of
from rtfs.host.durable.call_identity import same_call
from rtfs.host.durable.codec import decode, encode, encode_calls
from rtfs.host.durable.doubt import Resolution, in_doubt, may_repeat, replay_of, settle
from rtfs.host.durable.errors import how_to_approve
from rtfs.host.durable.flush import Written, current_key
from rtfs.host.durable.journaled_call import JournaledCall, in_step
from rtfs.host.durable.renewal import renewing
from rtfs.host.durable.replay import Never, diverged
from rtfs.host.durable.store import (
    CALL,
    CANCELLED,
    DONE,
    ENTER,
    ERROR,
    FAIL,
    FAILED,
    GRANTED,
    IN_DOUBT,
    OUTCOME,
    STUCK,
    WAITING,
    facts_of_running,
)
from rtfs.host.durable.waits import Waits, facts_of_cancelled
from rtfs.host.policy.rules import size_of
from rtfs.host.run.durability import not_renewable
from rtfs.host.run.person import FOR_RUN
from rtfs.host.scheduler.suspensions import OffLoop
from rtfs.host.stop import Stop, stop
from rtfs.syntax.printer import to_text
from rtfs.values import Cancelled, HostError, LimitError, UserError, Vector
from rtfs.values.canonical import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.capabilities.providers.waiting import ContinueAsNew, Wait
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.durable.store import JournalStore
    from rtfs.host.policy.context import Quota
    from rtfs.host.run.durability import Asked, Loads, Stages
    from rtfs.host.run.frame import Frame
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
    from rtfs.machine import HostCall


class Durable:
    """The journaling of one run. open: makes or finds the journal when the program is compiled, given its environment.
    resolution: of calls in doubt. waits: what it waits for. No event loop waits for the journal: where one drives the
    run, it is made and written in threads."""

    __slots__ = (
        "_journal", "_on_loop", "_open", "_replay", "_resolution", "_waiting", "_written", "key", "waits", "working",
    )  # fmt: skip
    accepts = False

    def __init__(
        self, open: Callable[[Loads], JournalStore], resolution: Resolution | None = None, waits: Waits | None = None
    ) -> None:
        self._open = open
        self._on_loop = False
        self._resolution = resolution or Resolution()
        self._waiting: list[tuple[Scheduler, Fiber, Written]] = []
        self._written = 0
        """How many of those that wait, from the first, wait for nothing but their turn."""
        self.waits = waits or Waits(hands_over=False)
        self._journal: Any = None
        self._replay: Any = None
        self.working: Callable[[], bool] = _nobody_works
        """Whether another process computes for the run, which may ask for something."""
        self.key = ""
        """Prefix of the idempotency keys of its calls: no two runs share it, even if their ids are the same."""

    # ------------------------------------------------------------------ the run
    async def carry_out(self, begin: Callable[[], Coroutine[Any, Any, Any]], environment: Loads) -> Any:
        """Run a program to its end; its value. Raises what it raises, and Stop."""
        journal = self._journal = await self._off_loop(lambda: self._open(environment))
        self.waits.begin(journal)
        self.key = f"{journal.run_id}-{journal.facts.get('nonce', '')}"
        token = current_key.set(None)
        try:
            self._replay = replay_of(journal.run_id, journal.events, self._attend)
            settle(journal, self._replay, self._resolution)
            if journal.owner > 1:
                facts = facts_of_running(journal.owner)
                if any(journal.facts.get(name, "") != value for name, value in facts.items()):
                    await self._off_loop(lambda: journal.commit(facts.items()))
            try:
                value = await begin()
            except UserError as error:
                if not _from_outside(error) or self._is_last(error):
                    await self._finish(FAILED, error)
                raise
            await self._finish(DONE, value)
            return value
        except Stop as stopped:
            if journal.resumes:
                self._leave(stopped)
            raise
        finally:
            journal.close()
            try:
                current_key.reset(token)
            except ValueError:  # closed from another context
                pass

    def _is_last(self, error: UserError) -> bool:
        """Whether the run ends with an error that is not the program's, since it gets no more time."""
        return self.waits.hands_over and isinstance(error, LimitError) and self._replay.over

    def _leave(self, stopped: Stop) -> None:
        """Write in which state the run is left, which waits for a person or is not to continue. Raises Stop."""
        journal, error = self._journal, stopped.error
        journal.abandon()
        if stopped.renewal is not None:
            journal.continue_as(stopped.renewal)
            return
        if stopped.state == CANCELLED:
            journal.commit(facts_of_cancelled(stopped))
            return
        if stopped.waiting:
            stopped.state = WAITING
            if error.hint is None or "rtfs resume" not in error.hint:
                error.hint = how_to_approve(journal.run_id, stopped)
        elif error.code == "run/in-doubt":
            stopped.state = IN_DOUBT
        elif error.code in ("run/divergence", "run/damaged") and self.waits.hands_over:
            stopped.state = STUCK
        if stopped.state:
            facts = {"state": stopped.state, "note": error.message, "asked": stopped.waiting}
            facts["for-run"] = "yes" if stopped.for_run else ""
            facts |= {"question": stopped.question, "wake-at": "" if stopped.wake_at is None else repr(stopped.wake_at)}
            journal.commit(facts.items())

    async def _finish(self, state: str, result: Any) -> None:
        if not self._replay.over:
            raise self._replay.missing()
        self.waits.draining = False
        facts = [("state", state), ("ended", repr(time()))]
        try:
            facts.append(("result", encode(result)))
            if isinstance(result, UserError):
                facts.append(("calls-of-error", encode_calls(result)))
        except TypeError as error:  # a function: asked for the value again, the program runs again over its record
            if self.waits.hands_over:
                unsaid = HostError(f"the value of the run cannot be recorded: {error}", code="capability/result")
                facts = [("state", FAILED), facts[1], ("result", encode(unsaid))]
        await self._off_loop(lambda: self._journal.commit(facts))

    async def _off_loop(self, work: Callable[[], Any]) -> Any:
        """The result of `work`, which waits for the journal and so runs off the event loop. Raises Stop as well."""

        def attempt() -> tuple[Any, Stop | None]:
            try:
                return work(), None
            except Stop as stopped:
                return None, stopped

        value, stopped = await OffLoop(attempt)
        if stopped is not None:
            raise stopped
        return value

    def _attend(self, scheduler: Scheduler) -> None:
        self._on_loop = scheduler.home is not None
        scheduler.idle = self.idle
        self.waits.watch(scheduler)

    def idle(self) -> Callable[[], None] | None:
        """No fiber can advance by itself: write what there is, and wake what waits for that. An event loop gets the
        write back, has it made in a thread and asks again.

        Of the calls that are made at once when their fiber wakes, one is woken at a time: its outcome is written before
        the next is made.
        """
        journal = self._journal
        if self.waits.draining and self._replay.over and not self._written:
            self.waits.idle(sum(one.announces for _, _, one in self._waiting))
        if journal.pending:
            if self._on_loop:
                commit: Callable[[], None] = journal.commit
                return commit
            journal.commit()
        waiting, self._waiting = self._waiting, []
        if not waiting and not self.working():
            self._replay.idle()
            if self._replay.over:
                self.waits.idle(0)
        woken = False
        for scheduler, fiber, one in waiting:
            if one.at_once and woken:
                self._waiting.append((scheduler, fiber, one))
            else:
                woken = woken or one.at_once
                scheduler.wake(fiber)
        self._written = len(self._waiting)
        return None

    def attend(self, working: Callable[[], bool]) -> None:
        """Another process computes for the run."""
        self.working = working

    async def flush(self) -> None:
        """Write what is done so far, because the next operation may take long."""
        if self._journal.pending or self._waiting:
            await Written(self)

    def write_soon(self, scheduler: Scheduler, fiber: Fiber, written: Written) -> None:
        """Wake a fiber when everything is written."""
        self._attend(scheduler)
        self._waiting.append((scheduler, fiber, written))

    # ------------------------------------------------------------------ calls
    async def perform(self, stages: Stages, call: HostCall, frame: Frame) -> Any:
        """The value of a call: from the record, or from the stages of the pipeline, and then it is recorded."""
        path = frame.next_path()
        try:
            text = encode(Vector(call.args), functions=True, results=False)
        except TypeError as error:
            raise HostError(f'"{call.id}": {error}', code="argument/invalid") from None
        replay = self._replay
        known = replay.calls.get(path)
        if known is not None:
            self._compare(known, call, text, frame)
            if known.dropped:
                await Never()
            if known.outcome is not None:
                if known.ordered:
                    await replay.turn(OUTCOME, path)
                call.kept_labels = known.labels
                return self._answer(known, call, frame)
        if not replay.over and (known is None or known.kind != ENTER):
            await replay.used_up()
        self._is_new(known, path, call)
        if known is not None and known.kind == CALL and (given := self._resolve(known, call, frame)) is not None:
            return given[0]
        journaled = JournaledCall(self, path, text, call, frame, known)
        frame.idempotency_key, frame.journaled = journaled.key, journaled
        self.waits.under_way += 1
        try:
            value = await stages(call, frame, journaled)
        except UserError as error:
            if not _from_outside(error):
                journaled.failed(error)
            raise
        except Stop as stopped:
            if stopped.waiting and not stopped.question:
                stopped.question = f"approval:{path}"
            raise
        finally:
            journaled.end()
        return journaled.done(value)

    def _compare(self, known: Recorded, call: HostCall, text: str, frame: Frame) -> None:
        """Raise Stop `run/divergence` for a call that is not the recorded one."""
        if self._differs(known, call, text):
            was = f'call {known.path} was a call of "{known.subject}"{known.note}'
            now = "with other arguments" if known.subject == call.id else f'a call of "{call.id}"'
            raise diverged(f"{was}; now it is {now}{in_step(frame)}", call.span)

    def _differs(self, known: Recorded, call: HostCall, text: str) -> bool:
        return known.subject != call.id or not (known.value == text or same_call(known.value, text))

    def _is_new(self, known: Recorded | None, path: str, call: HostCall) -> None:
        """A call is about to be made that the record has no outcome of."""

    def _answered(self, known: Recorded, call: HostCall, frame: Frame) -> None:
        """A call that gave a value was answered from the record."""
        entry = frame.run.registry.find(call.id)
        if entry is not None and entry.restore is not None:
            permit = Permit((), frame.context.principal)
            entry.restore(call.args, decode(known.outcome.value), permit)  # type: ignore[union-attr]

    def _answer(self, known: Recorded, call: HostCall, frame: Frame) -> Any:
        outcome = known.outcome
        assert outcome is not None
        frame.run.replayed |= {call.id}
        context = frame.context
        if not outcome.note:
            _spend(context.quota, call)
        try:
            value = decode(outcome.value)
        except ValueError as error:
            raise stop("run/damaged", f"the outcome of call {known.path} cannot be read: {error}") from None
        failed = outcome.kind == ERROR
        result = None if failed else to_text(canonical(value))
        detail = f"error: {value.code}" if failed else "ok"
        if not outcome.note:
            detail += self._facts(known, call, frame)
        frame.run.events.emit(CallReplayed(context, frame.parent, call.id, detail, result))
        if failed:
            raise value
        spending = context.quota.spending
        if spending is not None:
            spending.end(call.id, size_of(to_text(value)), 0.0)
        self._answered(known, call, frame)
        return value

    def _facts(self, known: Recorded, call: HostCall, frame: Frame) -> str:
        """The facts about a call's arguments, from the record of a call made in an earlier process."""
        return frame.run.performer.facts(call, frame, f"{self.key}-{known.path}")

    def _resolve(self, known: Recorded, call: HostCall, frame: Frame) -> tuple[Any] | None:
        """For a call that was under way when the run was interrupted: its value as the user knows it, or None where it
        may be made again. Raises what the user says, or Stop `run/in-doubt`."""
        if known.resolution is None:
            if known.remembered is not None:
                return None
            entry = frame.run.registry.find(call.id)
            if entry is None or may_repeat(entry, call.args):  # one that is unknown is not made at all
                return None
            raise in_doubt(self._journal.run_id, known, len(self._replay.in_doubt()) > 1, call.span)
        how, value = known.resolution
        if how == "retry":
            return None
        detail = f"resolved by hand: {how}"
        if how == "result":
            detail += self._facts(known, call, frame)
        event = CallReplayed(frame.context, frame.parent, call.id, detail)
        frame.run.events.emit(event)
        if how == "result":
            self._journal.add(OUTCOME, known.path, call.id, encode(value))
            return (value,)
        error = HostError("the run was interrupted, and this call is taken for failed", capability=call.id)
        self._journal.add(ERROR, known.path, call.id, encode(error))
        raise error

    async def wait(self, wait: Wait, frame: Frame) -> Any:
        """Wait for a moment or a signal; the value of the call that does. Raises HostError `run/not-durable`."""
        call: Any = frame.journaled
        return await self.waits.wait(wait, call)

    async def renew(self, wanted: ContinueAsNew, frame: Frame) -> Any:
        """End the run, and continue it as a new one. Raises Stop, HostError `run/not-durable`, `run/busy`."""
        if not self._journal.resumes:
            raise not_renewable()
        if self.waits.under_way > 1:
            raise HostError(
                "other calls of this run are under way: it cannot be continued as a new one now",
                code="run/busy",
                hint="call continue-as-new behind the branches, not in one of them",
            )
        raise renewing(self._journal.run_id, self._journal.facts, wanted.parameters, frame.context.quota)

    def verdict(self, request: Asked, frame: Frame) -> tuple[Any, str] | None:
        """The answer to the question whether a call may be made, and who gave it; None if there is no answer."""
        journaled: Any = frame.journaled
        answer = self._journal.take(f"approval:{journaled.path}")
        if answer is not None:
            return verdict_of(answer, request)
        by = self._replay.grants.get((request.capability, request.reason)) if request.for_run else None
        return None if by is None else (FOR_RUN, by)

    def granted(self, request: Asked, by: str, frame: Frame) -> None:
        """A person has said yes for the rest of the run, which later processes of the run know as well."""
        key = (request.capability, request.reason)
        if key not in self._replay.grants:
            self._replay.grants[key] = by
            journaled: Any = frame.journaled
            self._journal.add(GRANTED, journaled.path, request.capability, encode(request.reason), by)

    async def branch_failed(self, frame: Frame, error: UserError) -> None:
        """A parallel branch ends with an error: which was the first is part of the record."""
        replay = self._replay
        if frame.path in replay.failures:
            await replay.turn(FAIL, frame.path)
            return
        await replay.used_up()
        self._journal.add(FAIL, frame.path, "", "", error.code)

    def add(self, kind: str, path: str, subject: str, value: str, note: str = "") -> None:
        """Have an event written with the next transaction."""
        self._journal.add(kind, path, subject, value, note)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self._journal.run_id)


def _nobody_works() -> bool:
    return False


def _from_outside(error: UserError) -> bool:
    """Whether an error is none of the program's: with more time, or in another worker process, it may go on."""
    if isinstance(error, HostError):
        return error.code == "run/crashed"
    return isinstance(error, Cancelled) or (isinstance(error, LimitError) and error.code == "limit/time")


def _spend(quota: Quota, call: HostCall) -> None:
    """Count a call that was made in an earlier process."""
    if quota.calls is not None:
        quota.calls -= 1
    if quota.spending is not None:
        quota.spending.begin(call.id, size_of(" ".join([to_text(argument) for argument in call.args])))
