"""One `tools/call` from request to result: its headers, their correction, and the rounds of input that a server may
require.

Must not know targets, pools or RTFS values. Invariants: a request that the server has acted on is sent again only if
the server itself asks for it; data of one call (answers, `requestState`) is never sent with another.

Source: MCP specification, server/tools; basic/transports/streamable-http and basic/patterns/mrtr (2026-07-28).
"""

from __future__ import annotations

import asyncio

from rtfs.capabilities.sessions.handler import SessionError, SessionExpired, one_line
from rtfs.capabilities.sessions.mcp.client import Refused
from rtfs.capabilities.sessions.mcp.elicitation import METHOD, MOST
from rtfs.capabilities.sessions.mcp.protocol import (
    HEADER_MISMATCH,
    UNSUPPORTED_VERSION,
    URL_ELICITATION,
    error_of,
)
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.mcp.tasks import call_of_extension
from rtfs.capabilities.sessions.mcp.tools import describe, header_value, parameter_headers
from rtfs.capabilities.sessions.questions import ACCEPT
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp.limits import WireLimits
    from rtfs.capabilities.sessions.mcp.session import McpSession
    from rtfs.capabilities.sessions.wire.http import Headers

_PAGES = 3
"""Times that a call is sent, where the server first wants a person to open a page."""
_PAGE_SECONDS = 30.0
"""For the server to say that the person is done there, before the call is sent again all the same."""


async def call_tool(
    session: McpSession, tool: str, encoded: bytes, arguments: dict[str, Any], call: SessionCall, limits: WireLimits
) -> Any:
    """The result of calling a tool. encoded: the arguments as JSON.

    Raises what requests raise, HostError for an error reply, SessionExpired if the server no longer supports the
    session's revision.
    """
    known = session.prefixes.get(tool)
    if known is None:
        extra = [(b"Mcp-Name", header_value(tool))] if session.sessionless and session.over_http else []
        known = session.prefixes[tool] = (b'"name":' + encode(tool) + b',"arguments":', extra)
    prefix, headers = known
    members = prefix + encoded
    if not session.sessionless:
        for _ in range(_PAGES):
            reply = await session.request("tools/call", members, progress=call.progress, call=call)
            error = error_of(reply)
            if error is None or error["code"] != URL_ELICITATION or call.ask is None:
                break
            if not await _opened(error.get("data"), session, call):
                break
        return _result(reply, tool, session)
    if not session.over_http:
        return await _rounds(session, tool, members, [], call, limits)
    marked = headers
    described = (session.toolbox.fresh() or await session.toolbox.tools_or_cached(session, limits.pages)).get(tool)
    if described is not None:
        marked = headers + parameter_headers(described, arguments)
    try:
        return await _rounds(session, tool, members, marked, call, limits)
    except _Mismatch as error:
        session.toolbox.forget()
        described = (await session.toolbox.known(session, limits.pages)).get(tool)
        if described is None:
            raise reply_error(error.error, describe(tool)) from None
    try:
        return await _rounds(session, tool, members, headers + parameter_headers(described, arguments), call, limits)
    except _Mismatch as error:
        raise reply_error(error.error, describe(tool)) from None


async def _opened(data: Any, session: McpSession, call: SessionCall) -> bool:
    """Whether the person behind a call is done with the pages that a server wants opened first: all of them were shown
    and agreed to, and the server has said that they are done, or some time has passed."""
    pages = data.get("elicitations") if isinstance(data, dict) else None
    if not isinstance(pages, list) or not 0 < len(pages) <= MOST or not all(isinstance(one, dict) for one in pages):
        return False
    done = [asyncio.Event() for _ in pages]
    names = [str(one.get("elicitationId")) for one in pages]
    session.pages.update(zip(names, done, strict=True))
    try:
        for one in pages:
            answer = await session.client.answer(METHOD, {**one, "mode": "url"}, call, session.asker)
            if answer["action"] != ACCEPT:
                return False
        async with asyncio.timeout(_PAGE_SECONDS):
            for event in done:
                await event.wait()
    except TimeoutError:
        pass
    except Refused:
        return False
    finally:
        for name in names:
            session.pages.pop(name, None)
    return True


class _Mismatch(Exception):
    """The server wants other headers, and has not acted on the request."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.error = error
        super().__init__(error)


def _result(reply: dict[str, Any], tool: str, session: McpSession) -> Any:
    error = error_of(reply)
    if error is not None:
        raise reply_error(error, describe(tool), known=session.offers("tools"))
    return reply.get("result")


async def _rounds(
    session: McpSession, tool: str, members: bytes, headers: Headers, call: SessionCall, limits: WireLimits
) -> Any:
    """Send the request, and repeat it with a person's answers for as long as the server requires input."""
    again, pause = members, 0.05
    for number in range(limits.rounds + 1):
        reply = await session.request("tools/call", again, progress=call.progress, extra=headers, traced_call=call)
        error = error_of(reply)
        if error is not None and error["code"] == UNSUPPORTED_VERSION:
            raise SessionExpired(SessionError(f"{session.asker} does not speak {session.version} any more"))
        if error is not None and error["code"] == HEADER_MISMATCH and number == 0 and session.over_http:
            raise _Mismatch(error)
        result = _result(reply, tool, session)
        kind = result.get("resultType", "complete") if isinstance(result, dict) else "complete"
        if kind == "complete":
            return result
        if kind == "task":
            return await call_of_extension(session, result, tool, call, responder(session, tool, call))
        if kind != "input_required":
            raise SessionError(
                f"{describe(tool)} answers with a result of the unknown type {one_line(str(kind), 40)!r}"
            )
        wanted, state = result.get("inputRequests"), result.get("requestState")
        if not wanted and not isinstance(state, str):
            raise SessionError(f"{describe(tool)} wants more input and does not say which")
        again = members
        if wanted:
            given = await _responses(wanted, session, call, describe(tool))
            again += b',"inputResponses":' + encode(given)
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        if isinstance(state, str):
            again += b',"requestState":' + encode(state)
    raise SessionError(f"{describe(tool)} did not come to an end in {limits.rounds} rounds")


def responder(session: McpSession, tool: str, call: SessionCall) -> Callable[[Any], Awaitable[dict[str, Any]]]:
    """The function that answers a server's questions during a call."""
    return lambda wanted: _responses(wanted, session, call, describe(tool))


async def _responses(wanted: Any, session: McpSession, call: SessionCall, tool: str) -> dict[str, Any]:
    """The `inputResponses` to the `inputRequests` of an unfinished result. tool: its name in messages.

    Raises SessionError `session/input-required` where a person or something else would be needed, `session/protocol`
    for requests that are not of that form.
    """
    requests = wanted if isinstance(wanted, dict) else {}
    methods = {key: str(one.get("method")) for key, one in requests.items() if isinstance(one, dict)}
    missing = sorted({method for method in methods.values() if not session.client.answers(method, call)})
    if missing or not methods or len(methods) != len(requests):
        only = missing == [METHOD]
        raise SessionError(
            f"{tool} requires {one_line(', '.join(missing)) or 'more input'}, "
            + ("and no person can be asked" if only else "which is not supported here"),
            code="session/input-required",
            hint="run it at a terminal, or give the Runtime an `elicit` function" if only else None,
        )
    found: dict[str, Any] = {}
    for key, method in methods.items():
        try:
            if len(found) >= MOST:
                found[key] = session.client.refusal(method)
            else:
                found[key] = await session.client.answer(method, requests[key].get("params"), call, session.asker)
        except Refused as no:
            raise SessionError(f"{tool} asks for something that cannot be answered: {no.message}") from no
    return found
