"""The runs of a server: plans started, followed, paused and resumed on behalf of callers.

Must not know MCP: the person behind a run and those who follow it are given as objects. Invariants: a run is seen and
resumed by the principal who started it alone; a run that may have to wait for a person is durable; whatever ends a run,
its calls and their outcomes are told.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from time import monotonic, time

from rtfs.host.audit.events import WAITS, CallDecided, CallEnded, CallReplayed
from rtfs.host.checks.verdicts import verdicts
from rtfs.host.run.options import RunOptions
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.questions import Question
    from rtfs.host.audit.events import Event
    from rtfs.host.calls.approvals import ApprovalRequest
    from rtfs.host.checks.verdicts import Report
    from rtfs.host.durable.runs import RunState
    from rtfs.host.runtime import Runtime
    from rtfs.serve.callers import Caller
    from rtfs.source import Source

    class Follower(Protocol):
        """The client side of a run: receives its progress, and asks the person behind it. run_id: the id under which
        the run is to be kept on disk; None for any id. disposable: set for a run that is on disk for this reason
        alone."""

        run_id: str | None
        disposable: bool

        def approve(self, request: ApprovalRequest) -> Awaitable[Any]:
            """True, "run", a `Refusal`, or None if no person can be asked now."""

        def answer(self, question: Question) -> Awaitable[Any]:
            """The answers to a server's question, by name; False for no, None if no person can be asked."""

        def progress(self, count: int, text: str) -> Awaitable[None]:
            """The `count`-th call has ended."""


DONE, FAILED, REFUSED, DENIED, PAUSED = "done", "failed", "refused", "denied", "paused"
"""Outcomes of a run: it has a value; it has an error; it is provably wrong and did not begin; a call was denied; it
waits for a person."""
AT_ONCE = 32
"""Runs that advance at the same time; further ones wait in line."""
IN_LINE = 1_000
"""Runs that wait; one more is refused."""
PER_PRINCIPAL = 16
"""Runs of one principal that advance at the same time."""
TOKENS = 10_000
"""Runs of which it is known with which token they were started."""
SECONDS = 600.0
"""Time that a run may take, by default."""
LAST_NEWS = 5.0
"""Seconds that a client has to take in the progress of a run that has ended."""
OUTPUT = 4_000
"""Characters of what a run prints that are kept."""
_UNKNOWN = frozenset(("session/outcome-unknown", "capability/timeout", "capability/cancelled", "session/closed"))
"""Codes of errors after which a call may have had its effect."""


class CallTold:
    """A call of a run. outcome: `done`, `failed`, `denied`, `waiting`, or `may have happened`."""

    __slots__ = ("code", "id", "milliseconds", "outcome")

    def __init__(self, id: str, outcome: str) -> None:
        self.id = id
        self.outcome = outcome
        self.code = ""
        self.milliseconds = 0.0

    def as_data(self) -> dict[str, Any]:
        """The call as JSON data."""
        found: dict[str, Any] = {"id": self.id, "outcome": self.outcome}
        if self.code:
            found["code"] = self.code
        if self.milliseconds >= 1:
            found["ms"] = round(self.milliseconds)
        return found


class Pending:
    """The call that a paused run waits with. text: its arguments, as may be shown. hash: what an approval is given
    for. for_run: whether it may be given for the rest of the run."""

    __slots__ = ("capability", "for_run", "hash", "reason", "text")

    def __init__(self, capability: str, text: str, reason: str, hash: str, for_run: bool = False) -> None:
        self.capability = capability
        self.text = text
        self.reason = reason
        self.hash = hash
        self.for_run = for_run


class Outcome:
    """The outcome of a run. value: if it is done. error: if it is not. errors: everything that is provably wrong.
    output: what it printed. pending: what it waits for."""

    __slots__ = ("calls", "error", "errors", "output", "pending", "run_id", "status", "value")

    def __init__(self, status: str, run_id: str | None = None) -> None:
        self.status = status
        self.run_id = run_id
        self.value: Any = None
        self.error: UserError | None = None
        self.errors: list[UserError] = []
        self.calls: list[CallTold] = []
        self.output = ""
        self.pending: Pending | None = None


class Unattended:
    """Follows a run without a person to ask."""

    def __init__(self) -> None:
        self.run_id: str | None = None
        self.disposable = False

    async def approve(self, request: ApprovalRequest) -> Any:
        """No answer."""
        return None

    async def answer(self, question: Question) -> Any:
        """No answer."""
        return None

    async def progress(self, count: int, text: str) -> None:
        """Ignored."""


class Following:
    """One run that advances: its events become calls and progress; its questions go to its follower."""

    def __init__(self, caller: Caller, follower: Follower) -> None:
        self.caller = caller
        self.follower = follower
        self.calls: list[CallTold] = []
        self.asked: ApprovalRequest | None = None
        self.written: list[str] = []
        self.ended = 0
        self._by_number: dict[int, CallTold] = {}
        self._asked: dict[str, CallTold] = {}
        self._loop = asyncio.get_running_loop()
        self._news: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()

    def hear(self, event: Event) -> None:
        """Take in an event of the run; from any thread."""
        if isinstance(event, CallDecided):
            told = self._asked.pop(event.subject, None)
            if told is None:
                told = CallTold(event.subject, "")
                self.calls.append(told)
            if event.detail.startswith("ask") or event.detail.endswith("policy/approval-required"):
                told.outcome = "waiting"
                self._asked[event.subject] = told
            else:
                told.outcome = "may have happened" if event.allowed else "denied"
            self._by_number[event.number] = told
        elif isinstance(event, CallReplayed):
            told = CallTold(event.subject, "failed" if event.detail.startswith("error") else "done")
            told.code = event.detail.removeprefix("error: ") if told.outcome == "failed" else ""
            self.calls.append(told)
        elif isinstance(event, CallEnded):
            found = self._by_number.get(event.parent)
            if found is None:
                return
            found.milliseconds = event.duration / 1e6
            kind, _, code = event.detail.partition(": ")
            if kind == "ok":
                found.outcome = "done"
            elif kind == "waiting":
                found.outcome = "waiting"
            elif kind == "error" and code not in _UNKNOWN:
                found.outcome, found.code = "failed", code
            else:
                found.code = code
            self.ended += 1
            self._loop.call_soon_threadsafe(self._news.put_nowait, (self.ended, f"{found.id}: {found.outcome}"))

    def write(self, text: str) -> None:
        """Take in what the run prints."""
        if sum(map(len, self.written)) < OUTPUT:
            self.written.append(text)

    async def report(self) -> None:
        """Tell the follower of each call that has ended, until `finish`."""
        while (news := await self._news.get()) is not None:
            await self.follower.progress(*news)

    def finish(self) -> None:
        """The run has ended: what is left is told, and no more."""
        self._loop.call_soon_threadsafe(self._news.put_nowait, None)


class PlanRuns:
    """The runs of `runtime`, which is made with `approve` and `elicit` as its persons and then put here. seconds: that
    a run may take, the time that people take not counted. in_line: how many runs may wait for their turn."""

    runtime: Runtime

    def __init__(self, seconds: float = SECONDS, in_line: int = IN_LINE) -> None:
        self.seconds = seconds
        self.in_line = in_line
        self._active: dict[str, Following] = {}
        self._free = asyncio.Semaphore(AT_ONCE)
        self._own: dict[str, asyncio.Semaphore] = {}
        self._present: dict[str, int] = {}
        self._started: dict[str, deque[float]] = {}
        self._waiting = 0
        self._tokens: OrderedDict[str, str] = OrderedDict()

    def token_of(self, run_id: str) -> str | None:
        """The digest of the token that a run was started with, "" for none; None for a run that is not known here."""
        return self._tokens.get(run_id)

    @property
    def at_work(self) -> int:
        """The number of runs that advance now."""
        return len(self._active)

    @property
    def in_line_now(self) -> int:
        """The number of runs that wait for their turn now."""
        return self._waiting

    # ------------------------------------------------------------------ the persons of the runtime
    async def approve(self, request: ApprovalRequest) -> Any:
        """Ask those who follow the run that wants to make a call."""
        following = self._active.get(request.run_id)
        if following is None:
            return None
        answer = await following.follower.approve(request)
        if answer is None:
            following.asked = request
        return answer

    async def elicit(self, question: Question) -> Any:
        """Ask those who follow the run whose server wants to know something."""
        following = self._active.get(question.run_id)
        return None if following is None else await following.follower.answer(question)

    # ------------------------------------------------------------------ runs
    def look(self, source: Source, caller: Caller) -> Report:
        """The analysis of a plan before it runs, and the policy's decisions about its calls."""
        return verdicts(self.runtime, source, caller.allow)

    async def run(
        self,
        source: Source,
        caller: Caller,
        follower: Follower | None = None,
        *,
        params: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        report: Report | None = None,
        author: str = "plan",
    ) -> Outcome:
        """Run a plan to its end, or until it waits for a person. A plan that is provably wrong does not begin. report:
        what `look` gave. author: of its text, `plan` for a served file or `model`; what it is given is a model's."""
        follower = follower or Unattended()
        report = report or self.look(source, caller)
        error = report.analysis.error()
        if error is not None:
            refused = Outcome(REFUSED)
            refused.error, refused.errors = error, [error, *error.others]
            return refused
        run_id = follower.run_id or os.urandom(6).hex()
        self._tokens[run_id] = caller.token
        if len(self._tokens) > TOKENS:
            self._tokens.popitem(last=False)
        following = Following(caller, follower)
        waits = self.may_wait(report)
        follower.disposable = not waits
        options = RunOptions(
            params=params,
            context=context,
            author=author,
            inputs="model",
            principal=caller.principal,
            allow=caller.allow,
            name=source.name,
            run_id=run_id,
            timeout=self.seconds,
            durable=waits or follower.run_id is not None,
            output=following.write,
            check=False,  # that was just done
        )
        return await self._follow(run_id, following, lambda: self.runtime.arun(source, options))

    async def resume(self, run_id: str, caller: Caller, follower: Follower) -> Outcome:
        """Continue a paused run. Raises HostError `run/unknown` for one that is not this caller's."""
        self._check_own(run_id, caller)
        following = Following(caller, follower)
        return await self._follow(
            run_id, following, lambda: self.runtime.aresume(run_id, timeout=self.seconds, allow=caller.allow)
        )

    def state(self, run_id: str, caller: Caller) -> RunState:
        """A durable run of a caller. Raises HostError `run/unknown`."""
        self._check_own(run_id, caller)
        from rtfs.host.durable.runs import RunState

        return RunState(self.runtime._executor.store.look(run_id))

    def may_go_on(self, run_id: str) -> bool:
        """Whether resuming a durable run is worthwhile: it has received an answer since it began to wait, or its
        wake-up time has come, or it has ended."""
        from rtfs.host.durable.runs import RunState

        store = self.runtime._executor.store
        state = RunState(store.look(run_id))
        if state.state == "running":
            return False
        if state.state not in ("waiting", "sleeping"):
            return True
        woken = state.wakes is not None and state.wakes <= time()
        return woken or any(not answer.used for answer in store.answers(run_id))

    def status(self, run_id: str, caller: Caller) -> dict[str, Any]:
        """The status of a durable run, or of one that advances now. Raises HostError `run/unknown`."""
        following = self._active.get(run_id)
        if following is not None and following.caller.principal == caller.principal:
            return {"run": run_id, "status": "running", "calls": [one.as_data() for one in following.calls]}
        state = self.state(run_id, caller)
        found: dict[str, Any] = {"run": run_id, "status": state.state, "calls": state.calls}
        if state.note:
            found["note"] = state.note
        if state.asked:
            found["pending"] = state.asked
        return found

    async def _follow(
        self, run_id: str, following: Following, begin: Callable[[], Coroutine[Any, Any, Any]]
    ) -> Outcome:
        if self._waiting >= self.in_line:
            raise HostError(
                "too many plans wait to be run", code="serve/busy", hint="try again in a few seconds; nothing was done"
            )
        self._count(following.caller)
        async with self._turn(following.caller.principal):
            return await self._advance(run_id, following, begin)

    def _count(self, caller: Caller) -> None:
        """Count a run of a caller. Raises HostError `serve/quota` if it is one too many."""
        most = caller.runs_per_minute
        if most is None:
            return
        now = monotonic()
        for principal, times in list(self._started.items()):
            while times and times[0] < now - 60:
                times.popleft()
            if not times:
                del self._started[principal]
        times = self._started.setdefault(caller.principal, deque())
        if len(times) >= most:
            wait = times[0] + 60 - now
            raise HostError(
                f"{most} runs a minute are used up",
                code="serve/quota",
                hint=f"try again in {wait:.0f} seconds; nothing was done",
            )
        times.append(now)

    @asynccontextmanager
    async def _turn(self, principal: str) -> AsyncIterator[None]:
        """A place among the runs that advance: first come, first served, but for those who have many already."""
        own = self._own.setdefault(principal, asyncio.Semaphore(PER_PRINCIPAL))
        self._present[principal] = self._present.get(principal, 0) + 1
        self._waiting += 1
        waiting = True
        try:
            async with own, self._free:
                self._waiting -= 1
                waiting = False
                yield
        finally:
            self._waiting -= waiting
            self._present[principal] -= 1
            if not self._present[principal]:
                del self._present[principal], self._own[principal]

    async def _advance(
        self, run_id: str, following: Following, begin: Callable[[], Coroutine[Any, Any, Any]]
    ) -> Outcome:
        unsubscribe = self.runtime.events.subscribe(
            lambda event: following.hear(event) if event.run == run_id else None
        )
        self._active[run_id] = following
        reporting = asyncio.create_task(following.report())
        outcome = Outcome(DONE, run_id)
        try:
            outcome.value = await begin()
        except UserError as error:
            outcome.error = error
            outcome.status = _status(error)
            if outcome.status == PAUSED:
                outcome.pending = _pending(following.asked, error)
        except BaseException:
            reporting.cancel()
            raise
        finally:
            unsubscribe()
            self._active.pop(run_id, None)
        following.finish()
        await asyncio.wait([reporting], timeout=LAST_NEWS)
        reporting.cancel()
        outcome.calls = following.calls
        outcome.output = "".join(following.written)[:OUTPUT]
        return outcome

    def may_wait(self, report: Report) -> bool:
        """Whether a person may be asked about a call of the plan, or it waits for a signal."""
        if any(call.id == "ccos.run.await-signal" for call in report.calls):
            return True
        asks = any(rule.decide == "approve" for rule in self.runtime._executor.rules.rules)
        may_ask = ("ask", "depends", "declared") if asks or self.runtime._pipeline.guard is not None else ("ask",)
        return any(call.decision in may_ask for call in report.calls)

    def _check_own(self, run_id: str, caller: Caller) -> None:
        from json import loads

        view = self.runtime._executor.store.look(run_id)
        if loads(view.facts.get("principal", "null")) != caller.principal:
            raise HostError(f"there is no run {run_id}", code="run/unknown")


def _status(error: UserError) -> str:
    if error.code in WAITS:
        return PAUSED
    return DENIED if error.code.startswith("policy/") else FAILED


def _pending(asked: ApprovalRequest | None, error: UserError) -> Pending:
    if asked is None:
        return Pending(error.capability or "", "", error.message, str(error.data or ""))
    return Pending(asked.capability, asked.text, asked.reason, asked.hash, asked.for_run)
