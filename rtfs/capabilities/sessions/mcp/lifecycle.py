"""The start of a session: the handshake of the older revisions, or the discovery of the sessionless ones.

Must not know pools or tools. Invariants: a server that was asked the wrong question is left without a session (one
that it opened by mistake is ended); a session half opened is ended; a started server may take as long as its caller
waits for its first answer, and a late answer to `server/discover` counts, whatever was asked meanwhile.

Source: MCP specification, basic/lifecycle (2024-11-05 to 2025-11-25), basic/versioning, server/discover (2026-07-28).
"""

from __future__ import annotations

import asyncio
import logging

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.capabilities.sessions.mcp.client import Client
from rtfs.capabilities.sessions.mcp.protocol import (
    CLIENT_NAME,
    HANDSHAKE_VERSIONS,
    HEADER_SINCE,
    INVALID_PARAMS,
    META_CAPABILITIES,
    META_CLIENT,
    META_LOG_LEVEL,
    META_SERVER,
    META_VERSION,
    MODERN_CODES,
    SESSIONLESS_VERSIONS,
    UNSUPPORTED_VERSION,
    error_of,
)
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.mcp.session import McpSession, messages
from rtfs.capabilities.sessions.mcp.tasks import EXTENSION
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.transport.streamable_http import HttpChannel

CLIENT = {"name": CLIENT_NAME, "version": "0.1.0"}


def meta_members(version: str, client: Client) -> bytes:
    """The `_meta` members of every request of the sessionless era; the server's log messages are asked for where
    anybody looks at them."""
    capabilities = {**client.declared(), "extensions": {EXTENSION: {}}}
    members = {META_VERSION: version, META_CLIENT: CLIENT, META_CAPABILITIES: capabilities}
    level = log_level()
    if level is not None:
        members[META_LOG_LEVEL] = level
    return encode(members)[1:-1]


def log_level() -> str | None:
    """The lowest level of the server's messages that is used; None if none is."""
    if messages.isEnabledFor(logging.DEBUG):
        return "debug"
    return "info" if messages.isEnabledFor(logging.INFO) else None


class Modern(Exception):
    """The server speaks the sessionless era only. supported: the revisions it names."""

    def __init__(self, supported: list[str]) -> None:
        self.supported = supported
        super().__init__(supported)


async def discover(
    channel: Any, label: str, seconds: float | None, *, over_http: bool, client: Client
) -> McpSession | None:
    """Ask the server for its revisions in the way of the sessionless era; None if it is of the handshake era, or does
    not answer in time. seconds: to wait, None for as long as the caller does. client: what is offered to the server.

    Raises SessionError, NotSent or MaybeSent if the server is not there or refuses the caller, or has no revision in
    common with us.
    """
    version = SESSIONLESS_VERSIONS[0]
    for _ in range(2):
        session = _sessionless(channel, version, label, over_http, client)
        if over_http:
            channel.learn(version_header(version))
            channel.resumable = False
        reply = await _ask(session, seconds)
        if over_http:
            await _end_strays(channel)
        named = _revision(reply, label, version)
        if named == version:
            if over_http:
                channel.learn(version_header(version))
            session.server = _self_description(reply["result"])
            return session
        if named is None:
            break
        version = named
    if over_http:
        channel.learn([])
        channel.resumable = True
    return None


async def negotiate(channel: Any, label: str, seconds: float, *, client: Client) -> McpSession:
    """Find out the era of a started server by waiting for what it says, and open the session. seconds: after which a
    server that has said nothing gets a handshake too, for some ignore what they do not know.

    Raises SessionError, NotSent, MaybeSent, SessionExpired; Modern if the server has no session to give.
    """
    session = _sessionless(channel, SESSIONLESS_VERSIONS[0], label, False, client)
    loop = asyncio.get_running_loop()
    first = loop.create_task(_ask(session, None))
    discovery: asyncio.Task[dict[str, Any]] | None = first
    greeting: asyncio.Task[McpSession] | None = None
    tasks: list[asyncio.Task[Any]] = [first]
    try:
        await asyncio.wait(tasks, timeout=seconds)
        while True:
            if discovery is not None and discovery.done():
                reply, discovery = discovery.result(), None
                if _revision(reply, label, session.version) == session.version:
                    session.server = _self_description(reply["result"])
                    return session
            if greeting is None:
                greeting = loop.create_task(handshake(channel, label, None, over_http=False, client=client))
                tasks.append(greeting)
            if greeting.done():
                try:
                    return greeting.result()
                except Modern:
                    if discovery is None:
                        raise
                    await asyncio.wait((discovery,))  # it is being answered: the server is in that era already
                    continue
            pending = [task for task in (discovery, greeting) if task is not None]
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen


def _sessionless(channel: Any, version: str, label: str, over_http: bool, client: Client) -> McpSession:
    meta = meta_members(version, client)
    return McpSession(channel, version, label, sessionless=True, meta=meta, over_http=over_http, client=client)


def _revision(reply: dict[str, Any], label: str, version: str) -> str | None:
    """The revision to speak, given the reply to `server/discover`: the one that was asked for, if that is spoken;
    another to ask again with; None for a server of the handshake era. Raises SessionError for one that has nothing in
    common with us."""
    error = error_of(reply)
    if error is None:
        result = reply.get("result") if reply else None
        supported = _versions(result, "supportedVersions")
        if version in supported:
            return version
    elif error["code"] == UNSUPPORTED_VERSION:
        supported = _versions(error.get("data"), "supported")
    elif error["code"] in MODERN_CODES:
        raise reply_error(error, "server/discover")
    else:
        supported = []
    mutual = [known for known in SESSIONLESS_VERSIONS if known in supported]
    if error is not None and version in mutual:
        return None  # refused again, though it is named
    if supported and not mutual and not any(known in supported for known in HANDSHAKE_VERSIONS):
        raise _nothing_in_common(label, supported)
    return mutual[0] if mutual else None


async def _ask(session: McpSession, seconds: float | None) -> dict[str, Any]:
    """The reply to `server/discover`; {} for a server that refuses or ignores it without saying anything modern. One
    that refuses the revision and names it among those that it speaks is asked once more."""
    try:
        async with asyncio.timeout(seconds):
            reply = await session.request("server/discover", b"")
            error = error_of(reply)
            if error is None or error["code"] != UNSUPPORTED_VERSION:
                return reply
            if session.version not in _versions(error.get("data"), "supported"):
                return reply
            return await session.request("server/discover", b"")
    except TimeoutError:
        return {}
    except NotSent:
        raise
    except MaybeSent as signal:
        if signal.error.code == "session/unavailable" and not session.usable:
            raise
        return {}
    except SessionError as error:
        if error.code in ("session/unauthorized", "session/forbidden"):
            raise
        return {}


async def _end_strays(channel: HttpChannel) -> None:
    """A server that opens a session for any request has opened one for the question: end it, in its own words (it knows
    no header that names our revision)."""
    stray = channel.new_session_id
    if stray is not None:
        channel.new_session_id = None
        channel.learn([])
        try:
            await channel.delete(stray)
        except (SessionError, NotSent, MaybeSent):
            pass


async def handshake(channel: Any, label: str, version: str | None, *, over_http: bool, client: Client) -> McpSession:
    """Open a session with `initialize` and `notifications/initialized`. version: to insist on, or None. client: what is
    offered to the server.

    Raises SessionError, NotSent, MaybeSent; Modern if the server turns out to know no handshake.
    """
    offer, offered = version or HANDSHAKE_VERSIONS[0], client.declared()
    for _ in range(2):
        session = McpSession(channel, offer, label, sessionless=False, over_http=over_http, client=client)
        members = encode({"protocolVersion": offer, "capabilities": offered, "clientInfo": CLIENT})[1:-1]
        reply = await session.request("initialize", members)
        error = error_of(reply)
        if error is None:
            break
        supported = _versions(error.get("data"), "supported")
        if error["code"] in MODERN_CODES and not any(known in supported for known in HANDSHAKE_VERSIONS):
            raise Modern(supported)
        mutual = [known for known in HANDSHAKE_VERSIONS if known in supported]
        if version is None and mutual and mutual[0] != offer and error["code"] in (INVALID_PARAMS, UNSUPPORTED_VERSION):
            offer = mutual[0]
            continue
        failure = reply_error(error, "initialize")
        raise SessionError(f"{label} refuses to open a session: {one_line(failure.message)}", data=failure.data)
    else:
        raise SessionError(f"{label} refuses every revision it names itself")
    session_id = _session_id(channel, label) if over_http else None
    if session_id is not None:
        channel.session_id = session_id
    try:
        result = reply.get("result")
        result = result if isinstance(result, dict) else {}
        agreed = result.get("protocolVersion")
        if agreed not in HANDSHAKE_VERSIONS or (version is not None and agreed != version):
            raise _nothing_in_common(label, [agreed] if isinstance(agreed, str) else [])
        session.version = agreed
        session.server = _self_description(result)
        if over_http:
            extra = version_header(agreed) if agreed >= HEADER_SINCE else []
            if session_id is not None:
                extra = [*extra, (b"Mcp-Session-Id", session_id.encode("ascii"))]
            channel.learn(extra)
        await session.notify("notifications/initialized")
        # A server with a session may speak outside of our requests, also to a client that offers it nothing.
        if over_http and (session_id is not None or offered):
            await channel.listen(session.unasked)
        await _choose_log_level(session)
    except BaseException:
        if session_id is not None:
            channel.spawn(channel.delete(session_id))
        raise
    return session


async def _choose_log_level(session: McpSession) -> None:
    """Ask the server for its log messages, where anybody looks at them; not that it matters if it refuses."""
    level = log_level()
    if level is not None and session.offers("logging"):
        try:
            await session.request("logging/setLevel", b'"level":' + encode(level))
        except SessionError as error:
            messages.debug("%s takes no log level: %s", session.label, error.message)


def version_header(version: str) -> list[tuple[bytes, bytes]]:
    """The header that names the revision."""
    return [(b"MCP-Protocol-Version", version.encode("ascii"))]


def _session_id(channel: HttpChannel, label: str) -> str | None:
    given = channel.new_session_id
    if not given:
        return None
    if not all("!" <= c <= "~" for c in given):
        raise SessionError(f"{label} gives a session id with characters that are not allowed")
    return given


def _versions(data: Any, key: str) -> list[str]:
    found = data.get(key) if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _self_description(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: result[key] for key in ("serverInfo", "capabilities", "instructions") if key in result
    }
    meta = result.get("_meta")
    if "serverInfo" not in found and isinstance(meta, dict) and META_SERVER in meta:
        found["serverInfo"] = meta[META_SERVER]
    return found


def _nothing_in_common(label: str, supported: list[str]) -> SessionError:
    named = ", ".join(one_line(one, 30) for one in supported[:8]) or "no revision"
    ours = ", ".join(SESSIONLESS_VERSIONS + HANDSHAKE_VERSIONS)
    return SessionError(f"{label} speaks {named}; supported here are {ours}", code="session/version")
