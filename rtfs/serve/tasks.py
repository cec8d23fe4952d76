"""Calls of tools as tasks: runs that continue without their client, which asks about them by the run's id.

Must not know MCP. Invariants: a task is a durable run, so that it outlives the connection, and the server; it is seen
by the principal who began it alone; a status that is final never changes; what a person has to answer is asked once
under one key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import OrderedDict
from time import monotonic, time

from rtfs.serve.person import form_about, question_about, reply_to, schema_of, verdict_of
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, Protocol

    from rtfs.capabilities.sessions.questions import Question
    from rtfs.host.calls.approvals import ApprovalRequest
    from rtfs.serve.callers import Caller
    from rtfs.serve.results import Told
    from rtfs.serve.tools import Tools

    class Hears(Protocol):
        """Is told what a task does."""

        def progress(self, count: int, text: str) -> Awaitable[None]:
            """The `count`-th call has ended."""


WORKING, INPUT_REQUIRED, COMPLETED, FAILED, CANCELLED = "working", "input_required", "completed", "failed", "cancelled"
OVER = (COMPLETED, FAILED, CANCELLED)
LIFE = 24 * 3_600.0
"""Seconds that a task is kept at least, from its beginning; as long as its run is on disk it is found again anyway."""
MOST = 200
"""Tasks of one principal that are kept in memory."""
SHOWN = 200
"""Characters of a result that its task's message has."""
LOOK = 1.0
"""Seconds between two looks at a run that another process may continue."""

log = logging.getLogger(__name__)


class Ask:
    """A question of a task to its person. key: of this question. message, schema: the form. take: is called with the
    reply."""

    __slots__ = ("key", "message", "schema", "take")

    def __init__(self, key: str, message: str, schema: dict[str, Any], take: Callable[[Any], None]) -> None:
        self.key = key
        self.message = message
        self.schema = schema
        self.take = take


class PlanTask:
    """A task; it follows its own run (`Follower`). id: of the task and its run. began, changed: seconds since 1970.
    message: what it does, or waits for. told: what the tool has answered. error: of one that failed within the server.
    asks: open questions to its person, by key. person: is told of calls that have ended, or None. asked_by_form:
    whether the client shows forms. approves: whether the person may approve calls."""

    def __init__(self, id: str, caller: Caller, asked_by_form: bool, approves: bool) -> None:
        self.id = id
        self.run_id: str | None = id
        self.disposable = False
        self.caller = caller
        self.asked_by_form = asked_by_form
        self.approves = approves
        self.person: Hears | None = None
        self.began = self.changed = time()
        self.status = WORKING
        self.message = ""
        self.told: Told | None = None
        self.error: str | None = None
        self.paused = False
        self.asks: dict[str, Ask] = {}
        self.job: asyncio.Task[None] | None = None
        self.looked = 0.0
        self.put_aside = False
        self._given: tuple[str, Any] | None = None
        self._waiting: list[asyncio.Event] = []

    @property
    def over(self) -> bool:
        """Whether the status is final."""
        return self.status in OVER

    @property
    def idle(self) -> bool:
        """Whether nothing advances it here."""
        return self.job is None or self.job.done()

    def touch(self, status: str = "", message: str | None = None) -> None:
        """Note a change, and wake those who wait for one. What is over stays as it is."""
        if self.over:
            return
        if status:
            self.status = status
        if message is not None:
            self.message = message
        self.changed = time()
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a change, or for so long."""
        event = asyncio.Event()
        self._waiting.append(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.remove(event)

    # ------------------------------------------------------------------ following the run
    async def approve(self, request: ApprovalRequest) -> Any:
        """The reply that was given for this very call; else None: the run pauses, and the task asks."""
        if self._given is None or self._given[0] != request.hash:
            return None
        reply, self._given = self._given[1], None
        return verdict_of(reply, request)

    async def answer(self, question: Question) -> Any:
        """The person's reply to a server's question; waits until there is one."""
        if question.url is not None or not self.asked_by_form:
            return None
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        message = f"{question.server} asks:\n{question.message}"
        self.ask(message, schema_of(question), lambda said: None if reply.done() else reply.set_result(said))
        return reply_to(await reply)

    async def progress(self, count: int, text: str) -> None:
        """Take in that a call has ended."""
        self.touch(message=text)
        if self.person is not None:
            await self.person.progress(count, text)

    # ------------------------------------------------------------------ its person
    def ask(self, message: str, schema: dict[str, Any], take: Callable[[Any], None]) -> None:
        """Have the person asked; until the reply the task waits."""
        key = os.urandom(8).hex()

        def taken(reply: Any) -> None:
            if self.asks.pop(key, None) is None:
                return
            self.touch(INPUT_REQUIRED if self.asks else WORKING)
            take(reply)

        self.asks[key] = Ask(key, message, schema, taken)
        self.touch(INPUT_REQUIRED, message)

    def give(self, hash: str, reply: Any) -> None:
        """Have the reply to the question about a call, for when the run asks again."""
        self._given = (hash, reply)


class PlanTasks:
    """The tasks of one server, the oldest first."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._tasks: OrderedDict[str, PlanTask] = OrderedDict()

    async def start(
        self, name: str, arguments: dict[str, Any], caller: Caller, *, asked_by_form: bool, approves: bool
    ) -> PlanTask:
        """A task that calls a tool; with `resume` the task of that run, which there may be already. asked_by_form,
        approves: as of `PlanTask`."""
        if name == "resume" and isinstance(run := arguments.get("run"), str):
            try:
                return await self.find(run, caller, asked_by_form=asked_by_form)
            except HostError:  # the tool says what is wrong
                pass
        task = PlanTask(os.urandom(16).hex(), caller, asked_by_form, approves)
        self._keep(task)
        self._advance(task, lambda: self._tools.call(name, arguments, caller, task))
        return task

    async def find(self, id: str, caller: Caller, *, asked_by_form: bool) -> PlanTask:
        """The task with this id; a run of the caller's on disk that is not known here any more is continued. Raises
        HostError `run/unknown`."""
        task = self._tasks.get(id)
        if task is None:
            state = await asyncio.to_thread(self._tools.runs.state, id, caller)
            task = self._tasks.get(id)  # another request may have asked meanwhile
        if task is None:
            task = PlanTask(id, caller, asked_by_form, caller.scopes is None)
            task.began = state.began
            self._keep(task)
            self._continue(task)
        if task.caller.principal != caller.principal:
            raise HostError(f"there is no run {id}", code="run/unknown")
        task.caller, task.asked_by_form = caller, asked_by_form
        self._ask_about_pending(task)
        await self._look(task)
        return task

    async def cancel(self, task: PlanTask) -> None:
        """End a task that is not over; its run is cancelled, wherever it is."""
        task.asks.clear()
        task.touch(CANCELLED, "cancelled")
        try:
            by = task.caller.principal
            await asyncio.to_thread(self._tools.runtime.cancel, task.id, "the task was cancelled", by=by)
        except HostError as error:
            if error.code not in ("run/unknown", "run/ended"):
                raise
            if task.job is not None:  # it waits in line: there is no run yet
                task.job.cancel()

    async def begun(self, task: PlanTask) -> bool:
        """Whether the run of a task is on disk."""
        try:
            await asyncio.to_thread(self._tools.runs.state, task.id, task.caller)
        except HostError:
            return False
        return True

    async def hand_over(self, task: PlanTask) -> None:
        """Let go of a task whose client gets the result with the request: it has heard of no task. A run that is over,
        and was on disk for the task alone, is deleted."""
        self._tasks.pop(task.id, None)
        if task.status == COMPLETED and task.disposable:
            with contextlib.suppress(HostError):
                await asyncio.to_thread(self._tools.runtime._executor.store.delete, task.id)

    async def close(self) -> None:
        """Leave all tasks as they are: their runs can be continued."""
        jobs = [task.job for task in self._tasks.values() if task.job is not None]
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    # ------------------------------------------------------------------ advancing
    def _advance(self, task: PlanTask, begin: Callable[[], Awaitable[Told]]) -> None:
        task.paused = False
        task.job = asyncio.create_task(self._run(task, begin))

    def _continue(self, task: PlanTask) -> None:
        self._advance(task, lambda: self._tools.call("resume", {"run": task.id}, task.caller, task))

    async def _run(self, task: PlanTask, begin: Callable[[], Awaitable[Told]]) -> None:
        try:
            told = await begin()
        except Exception as error:  # the tool's own fault: told as an internal error, and nothing else ends
            log.exception("task %s", task.id)
            task.error = f"internal error: {type(error).__name__}"
            task.touch(FAILED, task.error)
            return
        if task.over:
            return
        if _code(told) == "run/active":
            task.paused = True
            task.touch(WORKING, "another process continues it")
            return
        task.told = told
        if _code(told) == "cancelled":
            task.touch(CANCELLED, told.text[:SHOWN])
        elif (told.data or {}).get("status") != "paused":
            task.touch(COMPLETED, told.text[:SHOWN])
        else:
            task.paused, task.put_aside = True, False
            task.touch(WORKING, told.text)
            self._ask_about_pending(task)

    def _ask_about_pending(self, task: PlanTask) -> None:
        """Have the person asked about the call that a paused run waits with, if that can be done and was not done."""
        pending = None if task.told is None else task.told.pending
        if pending is None or not task.paused or task.asks or task.put_aside:
            return
        if task.approves and task.asked_by_form:
            task.ask(
                question_about(pending), form_about(pending), lambda reply: self._replied(task, pending.hash, reply)
            )

    def _replied(self, task: PlanTask, hash: str, reply: Any) -> None:
        if reply.action == "cancel":  # left to those who answer elsewhere
            task.put_aside = True
            return
        task.give(hash, reply)
        self._continue(task)

    async def _look(self, task: PlanTask) -> None:
        """Continue a paused task whose run was answered, or has been continued elsewhere."""
        now = monotonic()
        if not task.paused or task.over or not task.idle or now - task.looked < LOOK:
            return
        task.looked = now
        if await asyncio.to_thread(self._tools.runs.may_go_on, task.id) and task.idle:
            self._continue(task)

    def _keep(self, task: PlanTask) -> None:
        self._tasks[task.id] = task
        own = [one for one in self._tasks.values() if one.caller.principal == task.caller.principal]
        left = [one for one in own if one.idle and one is not task]
        for one in left[: max(0, len(own) - MOST)]:
            del self._tasks[one.id]
        oldest = time() - LIFE
        for one in [one for one in self._tasks.values() if one.began < oldest and one.idle and one is not task]:
            del self._tasks[one.id]


def _code(told: Told) -> str:
    """The code of the error that a tool has answered, or ""."""
    error = (told.data or {}).get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
