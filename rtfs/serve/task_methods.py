"""Tasks on the wire: wanted by the client (2025-11-25), or offered by the server (the extension of 2026-07-28).

Must not know how tasks advance. Invariants: a client that has not said that it knows tasks never gets one; the two
forms are not mixed: each revision has its own methods and shapes; a question to the person goes to the client only.

Source: MCP specification 2025-11-25, basic/utilities/tasks; extension io.modelcontextprotocol/tasks (SEP-2663).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from rtfs.serve.call_results import call_result
from rtfs.serve.tasks import CANCELLED, FAILED, INPUT_REQUIRED, LIFE, LOOK, PlanTask
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import CallNext, HandlerResult
    from mcp.server.lowlevel.server import Server

    from rtfs.serve.callers import Caller
    from rtfs.serve.person import ClientPerson
    from rtfs.serve.results import Told
    from rtfs.serve.server import Context
    from rtfs.serve.tasks import PlanTasks

WITH_TASKS = "2025-11-25"
"""The revision whose clients say which call is a task."""
EXTENSION = "io.modelcontextprotocol/tasks"
RELATED = "io.modelcontextprotocol/related-task"
AT_ONCE = "io.modelcontextprotocol/model-immediate-response"
POLL_MS = 1_000
"""Milliseconds after which it makes sense to ask again."""
PATIENCE = 2.0
"""Seconds that a call may take before a client of the extension gets a task instead of the result."""
CANCELLED_CODE = -32000
"""Of the error that the result of a cancelled task is."""


class UpdateParams(types.RequestParams):
    """Parameters of `tasks/update`."""

    task_id: str
    input_responses: dict[str, dict[str, Any]]


class TaskMethods:
    """The methods of tasks. caller_of: on whose behalf a request is. supported(tool): whether calls of a tool may be
    tasks."""

    def __init__(
        self, tasks: PlanTasks, caller_of: Callable[[Context], Caller], supported: Callable[[str], bool]
    ) -> None:
        self._tasks = tasks
        self._caller_of = caller_of
        self._supported = supported

    def register(self, server: Server[Any]) -> None:
        """Have a server offer them."""
        server.extensions = {**server.extensions, EXTENSION: {}}
        server.middleware.append(self._call_as_task)
        server.add_request_handler("tasks/get", types.GetTaskRequestParams, self._get)
        server.add_request_handler("tasks/result", types.GetTaskPayloadRequestParams, self._result)
        server.add_request_handler("tasks/cancel", types.CancelTaskRequestParams, self._cancel)
        server.add_request_handler("tasks/update", UpdateParams, self._update)

    # ------------------------------------------------------------------ calls
    async def _call_as_task(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Begin a task where a client of 2025-11-25 wants one; else go on."""
        wanted = ctx.method == "tools/call" and ctx.protocol_version == WITH_TASKS
        if not wanted or (ctx.params or {}).get("task") is None:
            return await call_next(ctx)
        params = types.CallToolRequestParams.model_validate(ctx.params, by_name=False)
        if not self._supported(params.name):
            raise MCPError(types.METHOD_NOT_FOUND, f"the tool {params.name!r} cannot be called as a task")
        caller = self._caller_of(ctx)
        task = await self._tasks.start(
            params.name, params.arguments or {}, caller, asked_by_form=_shows_forms(ctx), approves=_approves(caller)
        )
        token = (ctx.meta or {}).get("progress_token")
        if token is not None:
            task.person = _Progress(ctx, task, token)
        meta = {AT_ONCE: f"It runs as task {task.id}. The tool status says what it does."}
        return {"task": _state(task, modern=False), "_meta": meta}

    async def call(self, context: Context, name: str, arguments: dict[str, Any], person: ClientPerson) -> Any:
        """The answer of a tool to a client that supports the extension: its result, or a task that has begun."""
        caller = self._caller_of(context)
        task = await self._tasks.start(
            name, arguments, caller, asked_by_form=person.can_ask, approves=_approves(caller)
        )
        task.person = person
        if person.given is not None:
            task.give(*person.given)
        try:
            told = await self._at_once(task)
        except asyncio.CancelledError:
            await self._tasks.cancel(task)
            raise
        finally:
            task.person = None
        return {"resultType": "task", **_state(task, modern=True)} if told is None else told

    async def _at_once(self, task: PlanTask) -> Told | None:
        """The answer of a tool if it comes soon; None for a call that takes longer, whose run has begun."""
        assert task.job is not None
        await asyncio.wait([task.job], timeout=PATIENCE)
        while not task.job.done() and not await self._tasks.begun(task):
            await asyncio.wait([task.job], timeout=LOOK)
        if not task.job.done():
            return None
        if task.error is not None:
            raise MCPError(types.INTERNAL_ERROR, task.error)
        if task.told is not None:
            await self._tasks.hand_over(task)
        return task.told

    # ------------------------------------------------------------------ methods
    async def _get(self, context: Context, params: types.GetTaskRequestParams) -> dict[str, Any]:
        modern = _modern(context)
        return _state(await self._find(context, params.task_id), modern, whole=True)

    async def _result(self, context: Context, params: types.GetTaskPayloadRequestParams) -> dict[str, Any]:
        if _modern(context):
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found", "tasks/result")
        asked: set[str] = set()
        while not (task := await self._find(context, params.task_id)).over:
            ask = next((one for one in list(task.asks.values()) if one.key not in asked), None)
            if ask is None:
                await task.wait(LOOK)
                continue
            asked.add(ask.key)
            form = types.ElicitRequestFormParams.model_validate(
                {"message": ask.message, "requestedSchema": ask.schema, "_meta": {RELATED: {"taskId": task.id}}}
            )
            metadata = ServerMessageMetadata(related_request_id=context.request_id)
            ask.take(
                await context.session.send_request(
                    types.ElicitRequest(params=form), types.ElicitResult, metadata=metadata
                )
            )
        meta = {RELATED: {"taskId": task.id}}
        if task.status == CANCELLED:
            raise MCPError(CANCELLED_CODE, "the task was cancelled", meta)
        if task.told is None:
            raise MCPError(types.INTERNAL_ERROR, task.error or "internal error", meta)
        return {**_dumped(call_result(task.told)), "_meta": meta}

    async def _cancel(self, context: Context, params: types.CancelTaskRequestParams) -> dict[str, Any]:
        modern = _modern(context)
        task = await self._find(context, params.task_id)
        if not task.over:
            await self._tasks.cancel(task)
        elif not modern:
            raise MCPError(types.INVALID_PARAMS, f"the task {task.id} is over: {task.status}")
        return {} if modern else _state(task, modern)

    async def _update(self, context: Context, params: UpdateParams) -> dict[str, Any]:
        if not _modern(context):
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found", "tasks/update")
        task = await self._find(context, params.task_id)
        for key, reply in params.input_responses.items():
            ask = task.asks.get(key)
            if ask is not None:
                ask.take(types.ElicitResult.model_validate(reply, by_name=False))
        return {}

    async def _find(self, context: Context, id: str) -> PlanTask:
        try:
            return await self._tasks.find(id, self._caller_of(context), asked_by_form=_shows_forms(context))
        except HostError as error:
            if error.code not in ("run/unknown", "argument/run-id"):
                raise MCPError(types.INTERNAL_ERROR, error.message) from None
            raise MCPError(types.INVALID_PARAMS, f"there is no task {id!r}, or not any more") from None


class _Progress:
    """Tells a client of 2025-11-25 of the calls of a task; outside of requests, for the one that began it is over."""

    def __init__(self, context: Context, task: PlanTask, token: types.ProgressToken) -> None:
        self._session = context.session
        self._meta = {RELATED: {"taskId": task.id}}
        self._token = token

    async def progress(self, count: int, text: str) -> None:
        """Tell of a call that has ended."""
        params = types.ProgressNotificationParams.model_validate(
            {"progressToken": self._token, "progress": count, "message": text, "_meta": self._meta}
        )
        try:
            await self._session.send_notification(types.ProgressNotification(params=params))
        except (MCPError, OSError, RuntimeError):  # the client is gone: the task continues
            pass


def knows(context: Context) -> bool:
    """Whether the client of a request takes tasks of the extension."""
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    capabilities = context.session.client_capabilities
    return capabilities is not None and EXTENSION in (capabilities.extensions or {})


def handshake_capability() -> types.ServerTasksCapability:
    """The server's declaration of tasks in a handshake."""
    call = types.ServerTasksRequestsCapability(tools=types.TasksToolsCapability(call=types.TasksCallCapability()))
    return types.ServerTasksCapability(cancel=types.TasksCancelCapability(), requests=call)


def _modern(context: Context) -> bool:
    """Whether a request about a task is one of the extension. Raises MCPError for a client that does not say that it
    knows it, and for revisions without tasks."""
    if context.protocol_version == WITH_TASKS:
        return False
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(types.METHOD_NOT_FOUND, "Method not found", context.method)
    if not knows(context):
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "the client has to declare that it knows tasks",
            {"requiredCapabilities": {"extensions": {EXTENSION: {}}}},
        )
    return True


def _shows_forms(context: Context) -> bool:
    capabilities = context.session.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def _approves(caller: Caller) -> bool:
    return caller.scopes is None


def _state(task: PlanTask, modern: bool, whole: bool = False) -> dict[str, Any]:
    """The state of a task for its client. whole: with its questions, result or error, as `tasks/get` of the extension
    has it."""
    told, status = task.told, task.status
    if status == "completed" and not modern and told is not None and told.failed:
        status = FAILED
    life, poll = ("ttlMs", "pollIntervalMs") if modern else ("ttl", "pollInterval")
    found: dict[str, Any] = {"taskId": task.id, "status": status, "createdAt": _moment(task.began)}
    found |= {"lastUpdatedAt": _moment(task.changed), life: int(LIFE * 1_000), poll: POLL_MS}
    if task.message:
        found["statusMessage"] = task.message
    if not modern or not whole:
        return found
    if status == INPUT_REQUIRED:
        found["inputRequests"] = {
            ask.key: {
                "method": "elicitation/create",
                "params": {"mode": "form", "message": ask.message, "requestedSchema": ask.schema},
            }
            for ask in task.asks.values()
        }
    elif status == FAILED:
        found["error"] = {"code": types.INTERNAL_ERROR, "message": task.error or "internal error"}
    elif status == "completed" and told is not None:
        found["result"] = {**_dumped(call_result(told)), "resultType": "complete"}
    return found


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dumped(result: types.CallToolResult) -> dict[str, Any]:
    found: dict[str, Any] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return found
