"""Long calls as tasks: the server answers at once with a task's id, and is asked for the result until there is one.

Must not know journals or pools. Invariants: the id is remembered before anything waits for the task; a call that is
resumed, in this process or another, asks for the same task and does not begin a second one; a task that will not be
asked for again is cancelled.

In 2025-11-25 the client says which call is a task; in the extension of 2026-07-28 the server does, if the client knows
tasks, and this one always does.

Source: MCP specification 2025-11-25, basic/utilities/tasks; server/tools, `execution.taskSupport`; extension
io.modelcontextprotocol/tasks (SEP-2663).
"""

from __future__ import annotations

import asyncio
import json

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.capabilities.sessions.mcp.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, error_of
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.mcp.tools import describe, header_value
from rtfs.capabilities.sessions.wire.json import encode
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp.session import McpSession
    from rtfs.capabilities.sessions.wire.http import Headers

    Respond = Callable[[Any], Awaitable[dict[str, Any]]]

EXTENSION = "io.modelcontextprotocol/tasks"
"""The extension that a client of 2026-07-28 declares if it knows tasks."""
_TTL_MS = 24 * 3600 * 1000
"""How long the server is asked to keep a task and its result: a run may be resumed the next morning."""
_POLL_SECONDS = (0.05, 30.0)
"""The least and the longest pause between two questions, whatever the server asks for; one second if it asks for
none."""
_OVER = ("completed", "failed", "cancelled")


def offered(session: McpSession) -> bool:
    """Whether the server takes tool calls as tasks."""
    found: Any = session.server.get("capabilities")
    for key in ("tasks", "requests", "tools", "call"):
        found = found.get(key) if isinstance(found, dict) else None
    return isinstance(found, dict) and not session.sessionless


def wanted(tool: dict[str, Any] | None, call: SessionCall) -> bool:
    """Whether a call is to be a task: it was one before, or the tool requires it, or allows it and the call is one that
    outlives us."""
    if call.remembered is not None:
        return True
    execution = tool.get("execution") if tool is not None else None
    support = execution.get("taskSupport") if isinstance(execution, dict) else None
    return support == "required" or (support == "optional" and call.remember is not None)


async def call_as_task(session: McpSession, tool: str, encoded: bytes, call: SessionCall) -> Any:
    """The result of a tool that is called as a task. encoded: the arguments as JSON.

    Raises what requests raise; HostError for an error reply and for a task that was cancelled;
    `session/outcome-unknown` for one that the server does not know any more.
    """
    if call.take_time is not None:
        call.take_time()
    task = remembered(call)
    if task is None:
        members = b'"name":' + encode(tool) + b',"arguments":' + encoded + b',"task":{"ttl":%d}' % _TTL_MS
        reply = await session.request("tools/call", members, progress=call.progress, call=call)
        error = error_of(reply)
        if error is not None:
            raise reply_error(error, describe(tool), known=True)
        result = reply.get("result")
        made = result.get("task") if isinstance(result, dict) else None
        if not isinstance(made, dict) or not isinstance(made.get("taskId"), str):
            return result  # a server may answer at once
        task = made["taskId"]
        await _remember(call, task)
    return await _followed(session, task, tool, call, _result(session, task, tool, call), [])


async def call_of_extension(
    session: McpSession, made: dict[str, Any] | None, tool: str, call: SessionCall, respond: Respond
) -> Any:
    """Return the result of a call that the server has answered with a task, or that was a task before. made: the
    server's answer; None: the call remembers its task. respond: answers the server's questions in the meantime.
    Raises as `call_as_task`."""
    if call.take_time is not None:
        call.take_time()
    task = remembered(call) if made is None else made.get("taskId")
    if not isinstance(task, str):
        raise SessionError(f"{describe(tool)} is answered with a task that has no id")
    if made is not None:
        await _remember(call, task)
    headers = [(b"Mcp-Name", header_value(task))] if session.over_http else []
    result = _result_of_extension(session, task, tool, call, respond, headers)
    return await _followed(session, task, tool, call, result, headers)


async def _remember(call: SessionCall, task: str) -> None:
    call.remembered = json.dumps({"task": task})
    if call.remember is not None:
        await call.remember(call.remembered)


async def _followed(
    session: McpSession, task: str, tool: str, call: SessionCall, result: Coroutine[Any, Any, Any], headers: Headers
) -> Any:
    """The result of a task that has begun: that it cannot be asked about does not mean that nothing was done."""
    try:
        return await result
    except (MaybeSent, NotSent) as signal:  # asking again begins nothing, but the task has begun
        why = signal.error
        message = f"{describe(tool)} has begun as a task, and what became of it cannot be asked: {why.message}"
        unknown = SessionError(message, code="session/outcome-unknown", hint=why.hint)
        raise NotSent(unknown, retry_after=signal.retry_after) from signal
    except asyncio.CancelledError:
        if call.remember is None:
            session.channel.spawn(session.request("tasks/cancel", b'"taskId":' + encode(task), extra=headers))
        raise


def remembered(call: SessionCall) -> str | None:
    """The id of the task that this call has begun before."""
    if call.remembered is None:
        return None
    try:
        found = json.loads(call.remembered)["task"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


async def _result(session: McpSession, task: str, tool: str, call: SessionCall) -> Any:
    members = b'"taskId":' + encode(task)
    said = None
    while True:
        state = await _ask(session, "tasks/get", members, task, tool, None)
        status, words = state.get("status"), state.get("statusMessage")
        if status == "cancelled":
            raise _cancelled(tool, words)
        if status in _OVER or status == "input_required":
            # in the middle of a task, this is also how the server gets to ask something
            return await _ask(session, "tasks/result", members, task, tool, call)
        if call.progress is not None and isinstance(words, str) and words != said:
            said = words
            call.progress(0, None, one_line(words))
        await asyncio.sleep(_pause(state.get("pollInterval")))


async def _result_of_extension(
    session: McpSession, task: str, tool: str, call: SessionCall, respond: Respond, headers: Headers
) -> Any:
    members = b'"taskId":' + encode(task)
    said, answered = None, set()
    while True:
        state = await _ask(session, "tasks/get", members, task, tool, None, headers)
        status, words = state.get("status"), state.get("statusMessage")
        if status == "completed" and isinstance(state.get("result"), dict):
            return state["result"]
        if status == "cancelled":
            raise _cancelled(tool, words)
        if status in _OVER:
            error = error_of(state)
            raise (
                HostError(f"{describe(tool)}: its task failed")
                if error is None
                else reply_error(error, describe(tool), known=True)
            )
        wanted = state.get("inputRequests") if status == "input_required" else None
        asked = {key: one for key, one in wanted.items() if key not in answered} if isinstance(wanted, dict) else {}
        if asked:
            answered |= set(asked)
            try:
                given = await respond(asked)
            except SessionError:
                session.channel.spawn(session.request("tasks/cancel", members, extra=headers))
                raise
            replies = members + b',"inputResponses":' + encode(given)
            await _ask(session, "tasks/update", replies, task, tool, None, headers)
            continue
        if call.progress is not None and isinstance(words, str) and words != said:
            said = words
            call.progress(0, None, one_line(words))
        await asyncio.sleep(_pause(state.get("pollIntervalMs")))


def _cancelled(tool: str, words: Any) -> HostError:
    return HostError(f"{describe(tool)}: its task was cancelled" + (f": {one_line(words)}" if words else ""))


def _pause(milliseconds: Any) -> float:
    """Seconds until the server is asked again, which says after how many milliseconds."""
    known = isinstance(milliseconds, (int, float)) and not isinstance(milliseconds, bool)
    return min(max(milliseconds / 1000 if known else 1.0, _POLL_SECONDS[0]), _POLL_SECONDS[1])


async def _ask(
    session: McpSession,
    method: str,
    members: bytes,
    task: str,
    tool: str,
    call: SessionCall | None,
    headers: Headers | None = None,
) -> dict[str, Any]:
    reply = await session.request(method, members, call=call, extra=headers)
    error = error_of(reply)
    if error is not None and error["code"] in (INVALID_PARAMS, METHOD_NOT_FOUND):
        raise SessionError(
            f"{describe(tool)}: {session.asker} does not know its task {one_line(task, 60)} any more",
            code="session/outcome-unknown",
        )
    if error is not None:
        raise reply_error(error, describe(tool), known=True)
    result = reply.get("result")
    if not isinstance(result, dict):
        raise SessionError(f"{session.label} answers {method} with something else than an object")
    return result
