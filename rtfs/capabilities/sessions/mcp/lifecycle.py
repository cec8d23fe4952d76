"""How a session begins: the handshake of the older revisions, or the discovery of the sessionless ones.

Must not know pools or tools. Invariants: a server that was asked the wrong question is left without a session (one
that it opened by mistake is ended); a session half opened is ended.

Source: MCP specification, basic/lifecycle (2024-11-05 to 2025-11-25), basic/versioning, server/discover (2026-07-28).
"""

from __future__ import annotations

import asyncio

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, one_line
from rtfs.capabilities.sessions.mcp.elicitation import capabilities
from rtfs.capabilities.sessions.mcp.protocol import (
    CLIENT_NAME,
    HANDSHAKE_VERSIONS,
    HEADER_SINCE,
    INVALID_PARAMS,
    META_CAPABILITIES,
    META_CLIENT,
    META_VERSION,
    MODERN_CODES,
    SESSIONLESS_VERSIONS,
    UNSUPPORTED_VERSION,
    error_of,
)
from rtfs.capabilities.sessions.mcp.results import reply_error
from rtfs.capabilities.sessions.mcp.session import McpSession
from rtfs.capabilities.sessions.wire.json import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.transport.http import HttpChannel

CLIENT = {"name": CLIENT_NAME, "version": "0.1.0"}


def meta_members(version: str, asks: bool) -> bytes:
    """The `_meta` members of every request of the sessionless era."""
    return encode({META_VERSION: version, META_CLIENT: CLIENT, META_CAPABILITIES: capabilities(asks)})[1:-1]


class Modern(Exception):
    """The server speaks the sessionless era only. supported: the revisions it names."""

    def __init__(self, supported: list[str]) -> None:
        self.supported = supported
        super().__init__(supported)


async def discover(channel: Any, label: str, seconds: float, *, over_http: bool, asks: bool) -> McpSession | None:
    """Ask the server for its revisions in the way of the sessionless era; None if it is of the handshake era.
    asks: a person can be asked.

    Raises SessionError, NotSent or MaybeSent if the server is not there or refuses the caller, or has no revision in
    common with us.
    """
    version = SESSIONLESS_VERSIONS[0]
    for _ in range(2):
        meta = meta_members(version, asks)
        session = McpSession(channel, version, label, sessionless=True, meta=meta, over_http=over_http)
        if over_http:
            channel.learn(version_header(version))
            channel.resumable = False
        reply = await _ask(session, seconds)
        if over_http:
            await _end_strays(channel)
        error = error_of(reply)
        if error is None:
            result = reply.get("result") if reply else None
            offered = _versions(result, "supportedVersions")
            if isinstance(result, dict) and version in offered:
                if over_http:
                    channel.learn(version_header(version))
                session.server = _self_description(result)
                return session
            supported = offered
        elif error["code"] == UNSUPPORTED_VERSION:
            supported = _versions(error.get("data"), "supported")
        elif error["code"] in MODERN_CODES:
            raise reply_error(error, "server/discover")
        else:
            supported = []
        mutual = [known for known in SESSIONLESS_VERSIONS if known in supported]
        if mutual:  # also where it is the one that was refused: servers behind a balancer may differ for a moment
            version = mutual[0]
            continue
        if supported and not any(known in supported for known in HANDSHAKE_VERSIONS):
            raise _nothing_in_common(label, supported)
        break
    if over_http:
        channel.learn([])
        channel.resumable = True
    return None


async def _ask(session: McpSession, seconds: float) -> dict[str, Any]:
    """The reply to `server/discover`; {} for a server that refuses or ignores it without saying anything modern."""
    try:
        async with asyncio.timeout(seconds):
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


async def handshake(channel: Any, label: str, version: str | None, *, over_http: bool, asks: bool) -> McpSession:
    """Open a session with `initialize` and `notifications/initialized`. version: to insist on, or None. asks: a person
    can be asked, also on a stream of the server's own.

    Raises SessionError, NotSent, MaybeSent; Modern if the server turns out to know no handshake.
    """
    offer, offered = version or HANDSHAKE_VERSIONS[0], capabilities(asks)
    for _ in range(2):
        session = McpSession(channel, offer, label, sessionless=False, over_http=over_http)
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
        if asks and over_http:
            await channel.listen(session.unasked)
    except BaseException:
        if session_id is not None:
            channel.spawn(channel.delete(session_id))
        raise
    return session


async def names_two_endpoints(channel: HttpChannel) -> bool:
    """Whether a server that knows no POST is of the two-endpoint HTTP+SSE transport of 2024-11-05: such a one answers
    a GET with a stream whose first event is `endpoint`."""
    from rtfs.capabilities.sessions.wire.http import Body, close, fields_of

    channel.learn([])
    channel.headers["accept"] = "text/event-stream"
    try:
        async with asyncio.timeout(2.0):
            response = await channel.client.send("GET", channel.url, channel.headers)
            try:
                fields = fields_of(response)
                if fields.get("content-type", "").lower().startswith("text/event-stream"):
                    body = Body(response, fields, 4096)
                    try:
                        return b"event: endpoint" in await body.next()
                    finally:
                        await body.aclose()
            finally:
                await close(response)
    except Exception:
        pass
    return False


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
    return {key: result[key] for key in ("serverInfo", "capabilities", "instructions") if key in result}


def _nothing_in_common(label: str, supported: list[str]) -> SessionError:
    named = ", ".join(one_line(one, 30) for one in supported[:8]) or "no revision"
    ours = ", ".join(SESSIONLESS_VERSIONS + HANDSHAKE_VERSIONS)
    return SessionError(f"{label} speaks {named}; spoken here are {ours}", code="session/version")
