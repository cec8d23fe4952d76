"""A server's features besides tools, as capabilities: resources, prompts, completion, and the server's description of
itself.

Must not know pools or policies. Invariants: each operation is declared once here, with the feature that a server must
declare for it; a server is never asked for a feature that it does not offer; at most `pages` pages of a list are kept.

Source: MCP specification, server/resources, server/prompts, server/utilities/completion (2024-11-05 to 2026-07-28);
basic/patterns/subscriptions (2026-07-28).
"""

from __future__ import annotations

import asyncio

from rtfs.capabilities.sessions.handler import SessionError, one_line
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.mcp.subscription import listen
from rtfs.capabilities.sessions.mcp.tools import header_value
from rtfs.capabilities.sessions.wire.arguments import plain_arguments
from rtfs.capabilities.sessions.wire.json import encode
from rtfs.values import Keyword, Map, Vector
from rtfs.values.convert import from_python
from rtfs.values.error import HostError
from rtfs.values.info import ResultInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.handler import SessionCall
    from rtfs.capabilities.sessions.mcp.limits import WireLimits
    from rtfs.capabilities.sessions.mcp.session import McpSession

_WAIT_SECONDS = 60.0


class Operation:
    """name: what its capability's id ends with. method: of the protocol, "" for none. feature: that the server has to
    declare, or None. about: one line. schema: of the arguments, as RTFS text. listed: the key of a list that comes in
    pages, or None. named: the argument that is repeated in the header `Mcp-Name`, or None."""

    __slots__ = ("about", "feature", "listed", "method", "name", "named", "schema")

    def __init__(
        self,
        name: str,
        method: str,
        feature: str | None,
        about: str,
        schema: str = "[:map]",
        *,
        listed: str | None = None,
        named: str | None = None,
    ) -> None:
        self.name = name
        self.method = method
        self.feature = feature
        self.about = about
        self.schema = schema
        self.listed = listed
        self.named = named


OPERATIONS = {
    one.name: one
    for one in (
        Operation(
            "resources/list", "resources/list", "resources", "The server's resources, each with its :uri and :name",
            listed="resources",
        ),
        Operation(
            "resources/templates", "resources/templates/list", "resources",
            "The server's templates of resources, each with its :uriTemplate", listed="resourceTemplates",
        ),
        Operation(
            "resources/read", "resources/read", "resources",
            "What a resource holds: {:contents [{:uri :mimeType :text or :blob}]}; (text r) are its words",
            "[:map [:uri :string]]", named="uri",
        ),
        Operation(
            "resources/wait", "", "resources",
            "Wait until a resource changes; true, or false if it did not within :seconds (60)",
            "[:map [:uri :string] [:seconds [:or :int :float] ?]]",
        ),
        Operation(
            "prompts/list", "prompts/list", "prompts", "The server's prompts, each with its :name and :arguments",
            listed="prompts",
        ),
        Operation(
            "prompts/get", "prompts/get", "prompts", "A prompt, filled in: {:description :messages}",
            "[:map [:name :string] [:arguments [:map-of :any :string] ?]]", named="name",
        ),
        Operation(
            "completion/complete", "completion/complete", "completions",
            "Values for an argument of a prompt or template, as far as it is typed: {:values :total :hasMore}",
            "[:map [:ref :any] [:argument [:map [:name :string] [:value :string]]] [:context :any ?]]",
        ),
        Operation(
            "server/info", "", None, "What the server says of itself: {:name :version :title :instructions :features}",
        ),
    )
}  # fmt: skip
"""By name. All of them only read."""


def offered_operations(session: McpSession) -> list[Operation]:
    """The operations that the server of a session offers."""
    return [one for one in OPERATIONS.values() if one.feature is None or session.offers(one.feature)]


async def perform(session: McpSession, name: str, call: SessionCall, limits: WireLimits) -> Any:
    """The value of an operation. Raises HostError: `capability/failed` for a refusal, `session/target` for an unknown
    name, `session/protocol` for an answer that cannot be read."""
    operation = OPERATIONS.get(name)
    if operation is None:
        known = ", ".join(OPERATIONS)
        raise SessionError(
            f"there is no operation {one_line(name, 60)!r}", code="session/target", hint=f"known: {known}"
        )
    if operation.feature is not None and not session.offers(operation.feature):
        raise HostError(f"{session.asker} offers no {operation.feature}")
    arguments = plain_arguments(call.arguments, call.optional_keys)
    if name == "server/info":
        return _info(session)
    if name == "resources/wait":
        return await _changed(session, arguments, call)
    if operation.listed is not None:
        return await _pages(session, operation, call, limits.pages)
    extra = None
    if operation.named is not None and session.sessionless and session.over_http:
        extra = [(b"Mcp-Name", header_value(str(arguments.get(operation.named))))]
    members = encode(arguments)[1:-1]
    reply = await session.request(operation.method, members, progress=call.progress, extra=extra, call=call)
    result = _result(reply, session, operation)
    value = result.get("completion") if name == "completion/complete" else result
    meta = value.pop("_meta", None) if isinstance(value, dict) else None
    for key in ("resultType", "ttlMs", "cacheScope"):
        if isinstance(value, dict):
            value.pop(key, None)
    found = from_python(value, keywords=True)
    return found.with_info(ResultInfo({"meta": meta})) if meta and found.__class__ is Map else found


async def _pages(session: McpSession, operation: Operation, call: SessionCall, pages: int) -> Any:
    found: list[Any] = []
    members, seen = b"", set()
    for _ in range(pages):
        result = _result(await session.request(operation.method, members, call=call), session, operation)
        items = result.get(operation.listed or "")
        if not isinstance(items, list):
            raise SessionError(f"{session.label} answers {operation.method} with something else than a list")
        found.extend(items)
        cursor = result.get("nextCursor")
        if not isinstance(cursor, str) or not cursor:
            return from_python(found, keywords=True)
        if cursor in seen:
            raise SessionError(f"{session.label} lists in a circle ({operation.method})")
        seen.add(cursor)
        members = b'"cursor":' + encode(cursor)
    raise SessionError(f"{session.label} lists on more than {pages} pages ({operation.method})")


def _result(reply: dict[str, Any], session: McpSession, operation: Operation) -> dict[str, Any]:
    error = error_of(reply)
    if error is not None:
        raise reply_error(error, operation.method, known=True)
    result = reply.get("result")
    if not isinstance(result, dict):
        raise SessionError(f"{session.label} answers {operation.method} with something else than an object")
    return result


def _info(session: McpSession) -> Any:
    said = session.server
    info = said.get("serverInfo")
    info = info if isinstance(info, dict) else {}
    features = said.get("capabilities")
    found = {key: info[key] for key in ("name", "version", "title") if isinstance(info.get(key), str)}
    if isinstance(said.get("instructions"), str):
        found["instructions"] = said["instructions"]
    pairs = [(Keyword(key), value) for key, value in found.items()]
    names = sorted(features) if isinstance(features, dict) else []
    return Map([*pairs, (Keyword("protocol"), session.version), (Keyword("features"), Vector(names))])


async def _changed(session: McpSession, arguments: dict[str, Any], call: SessionCall) -> bool:
    """Subscribe to a resource, wait for the notification that it has changed, unsubscribe."""
    uri, seconds = str(arguments.get("uri")), float(arguments.get("seconds") or _WAIT_SECONDS)
    changed = asyncio.Event()
    waiting = session.updates.setdefault(uri, set())
    waiting.add(changed)
    listening: asyncio.Task[Any] | None = None
    members = b'"uri":' + encode(uri)
    try:
        if session.sessionless:
            listening = asyncio.get_running_loop().create_task(listen(session, {"resourceSubscriptions": [uri]}))
            ended = asyncio.get_running_loop().create_task(changed.wait())
            try:
                await asyncio.wait((listening, ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended.cancel()
            if not changed.is_set() and listening.done():
                listening.result()
            return changed.is_set()
        reply = await session.request("resources/subscribe", members, call=call)
        _result(reply, session, OPERATIONS["resources/wait"])
        async with asyncio.timeout(seconds):
            await changed.wait()
        return True
    except TimeoutError:
        return False
    finally:
        waiting.discard(changed)
        if listening is not None:
            listening.cancel()
            await asyncio.wait((listening,))
        elif not waiting:
            session.channel.spawn(session.request("resources/unsubscribe", members))
        if not waiting:
            session.updates.pop(uri, None)
