"""The handler for MCP servers: what the pool asks, in terms of targets, channels and sessions.

Must not know grants or terminals. Invariants: a credential goes to the address that the capability's metadata name and
nowhere else; a call is put on the wire once; whatever fails while a session is opened is cleaned up.

Metadata, flattened under the handler's name: `mcp_server_url` (or `_server_endpoint`, `_url`), `_server_name`,
`_tool_name`, `_requires_session`, `_auth_env_var`, `_server_url_override_env`, `_protocol_version`, `_tool_hash`,
`_command`, `_args`, `_env_NAME`, `_cwd`, `_operation` (`resources/read`, …) instead of a tool, `_session_scope`.
"""

from __future__ import annotations

import asyncio
import os
import re
from time import monotonic
from weakref import WeakValueDictionary

from rtfs.capabilities.sessions.handler import MaybeSent, NotSent, SessionError, SessionExpired, one_line
from rtfs.capabilities.sessions.mcp import operations, tasks
from rtfs.capabilities.sessions.mcp.authorization import authorized, login_of
from rtfs.capabilities.sessions.mcp.changes import changed
from rtfs.capabilities.sessions.mcp.client import Client
from rtfs.capabilities.sessions.mcp.lifecycle import Modern, discover, handshake, negotiate
from rtfs.capabilities.sessions.mcp.limits import WireLimits
from rtfs.capabilities.sessions.mcp.pins import Pins
from rtfs.capabilities.sessions.mcp.protocol import HANDSHAKE_VERSIONS
from rtfs.capabilities.sessions.mcp.results import result_value
from rtfs.capabilities.sessions.mcp.session import McpSession
from rtfs.capabilities.sessions.mcp.target import Target, text
from rtfs.capabilities.sessions.mcp.tool_call import call_tool, responder
from rtfs.capabilities.sessions.mcp.tool_declarations import offered_operation
from rtfs.capabilities.sessions.mcp.tools import Toolbox, can_be_repeated, is_unchanged, list_tools
from rtfs.capabilities.sessions.mcp.undeclared_tools import metadata_of, pin, pinned, server_of
from rtfs.capabilities.sessions.wire.arguments import encode_checked, plain_arguments
from rtfs.capabilities.sessions.wire.http import WebClient, authorization

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.capabilities.sessions.handler import Session, SessionCall, SessionKey
    from rtfs.capabilities.sessions.sampling import Sample

_HANDSHAKE = "handshake"
_SESSIONLESS = "sessionless"
_TWO_ENDPOINTS = "two-endpoints"
_TWO_ENDPOINTS_SECONDS = 3.0
"""For a server that knows no POST to say that it is one of the old kind."""
_BACK_CHANNEL = 'this server asks back in the way of the handshake: give it :protocol_version "2025-11-25"'
_ADDRESSES = frozenset(("server_url", "server_endpoint", "url", "command"))
_WORD = re.compile(r"[^A-Za-z0-9]+")


class McpHandler:
    """name: what prefixes the metadata keys. servers: configured servers by name (`url` or `command` `args` `env`,
    `headers`), for capabilities that name one. environ: where override variables and the environment of started servers
    come from. limits: see `WireLimits`. sample: answers what servers ask of a language model (`SamplingRequest` → text
    or dict), or None where that is not offered. eras: what is known of servers, by identity.
    """

    named_arguments = True
    """Calls take one map; the host refuses arguments by position before a session is made."""

    def __init__(
        self,
        *,
        name: str = "mcp",
        servers: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
        limits: WireLimits | None = None,
        sample: Sample | None = None,
    ) -> None:
        self.name = name
        self.sample = sample
        self.servers: Mapping[str, Mapping[str, Any]] = {} if servers is None else servers
        self.pins = Pins()
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.limits = limits or WireLimits()
        self.client = WebClient(self.limits.connect_seconds)
        self.eras: dict[str, str] = {}
        self._prefix = name + "_"
        self._targets: dict[str, tuple[Any, str | None, Target]] = {}
        self._numbers: dict[str, int] = {}
        self._toolboxes: WeakValueDictionary[SessionKey, Toolbox] = WeakValueDictionary()
        self.on_secret: Callable[[str], object] | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    def session_key(self, call: SessionCall) -> SessionKey:
        """Server, credential, principal. Raises SessionError (`session/target`) for metadata that name no server."""
        return self.target(call.capability_id, call.metadata).key(call.secret, call.principal, call.logins)

    def credential_env(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The environment variables that may hold the credential, the first that is set wins."""
        named = text(metadata.get(self._prefix + "auth_env_var"))
        if named is not None:
            return (named,)
        server = text(metadata.get(self._prefix + "server_name"))
        generic = (f"{self.name}_AUTH_TOKEN".upper(),)
        if server is None:
            return generic
        if "authorization" in map(str.lower, self._own_headers(metadata, server)):
            return (_token_name(server, self.name),)
        return (_token_name(server, self.name), *generic)

    def session_scope(self, call: SessionCall) -> str | None:
        """The owner of the server's sessions: `principal`, `run` or `call`; None if it is not configured."""
        return self.target(call.capability_id, call.metadata).scope

    def session_restorable(self, call: SessionCall) -> bool:
        """Whether a resumed run may continue in a new session with the server."""
        return self.target(call.capability_id, call.metadata).restorable

    def requirements(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The grants that calling an untrusted declaration needs. Raises SessionError for unusable metadata."""
        needed = []
        target = self.target("", metadata)
        needed.append(f"net:{target.url.host}" if target.url is not None else f"exec:{target.command}")
        for key in ("auth_env_var", "server_url_override_env"):
            name = text(metadata.get(self._prefix + key))
            if name is not None:
                needed.append(f"env:{name}")
        if target.name is not None and self._own_headers(metadata, target.name):
            needed.append(f"env:{_token_name(target.name, self.name)}")
        return tuple(needed)

    def _own_headers(self, metadata: Mapping[str, Any], server: str) -> Mapping[str, str]:
        """The configured headers of a server, if the metadata leave its address to the configuration."""
        if server not in self.servers or any(self._prefix + key in metadata for key in _ADDRESSES):
            return {}
        entry = self.servers[server]
        headers = {"authorization": ""} if entry.get("oauth") else entry.get("headers")
        return headers if isinstance(headers, dict) else {}

    async def initialize_session(self, call: SessionCall) -> Session:
        """Connect, find out the era if it is not known yet, open the session."""
        target = self.target(call.capability_id, call.metadata)
        if target.url is None:
            return await self._start(target, call)
        from rtfs.capabilities.sessions.mcp.transport.streamable_http import HttpChannel

        headers = [
            (b"Accept", b"application/json, text/event-stream"),
            (b"Accept-Encoding", b"gzip, deflate"),
            (b"Content-Type", b"application/json"),
            (b"User-Agent", b"rtfs"),
        ]
        headers += [(key.encode("ascii"), value.encode("latin-1")) for key, value in target.headers.items()]
        held = call.credential
        if held is not None:
            headers = [pair for pair in headers if pair[0].lower() != b"authorization"]
            headers.append((b"Authorization", authorization(held).encode("ascii")))
        client: Any = self.client
        if held is None:
            client = authorized(target, call, client, self._clients, self.environ, self.on_secret)
            held = getattr(client, "tokens", None)
        channel = HttpChannel(client, target.url, headers, held, self.limits)
        try:
            session = await self._open(channel, target, call, over_http=True)
        except BaseException:
            await asyncio.shield(channel.settle(1.0))
            raise
        if target.requires == "true" and getattr(session.channel, "session_id", None) is None:
            raise SessionError(f"{target.label} gives no session, and the capability requires one", code="session/none")
        return session

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        """`tools/call`; the answer as an RTFS value (see `results.result_value`)."""
        assert isinstance(session, McpSession)
        target = self.target(call.capability_id, call.metadata)
        operation = text(call.metadata.get(self._prefix + "operation"))
        if operation is not None:
            return await operations.perform(session, operation, call, self.limits)
        tool = self._tool(call)
        arguments = plain_arguments(call.arguments, call.optional_keys)
        pinned = text(call.metadata.get(self._prefix + "tool_hash"))
        if pinned is not None:
            await self._check_unchanged(session, tool, pinned, call)
        encoded = encode_checked(arguments)
        if tasks.offered(session):
            described = (await session.toolbox.tools_or_cached(session, self.limits.pages)).get(tool)
            if tasks.wanted(described, call):
                return result_value(await tasks.call_as_task(session, tool, encoded, call))
        if session.sessionless and tasks.remembered(call) is not None:
            respond = responder(session, tool, call)
            return result_value(await tasks.call_of_extension(session, None, tool, call, respond))
        try:
            result = await call_tool(session, tool, encoded, arguments, call, self.limits)
        except SessionExpired:
            if session.sessionless:
                self.eras.pop(target.identity, None)
            raise
        return result_value(result, _BACK_CHANNEL if session.sessionless else None)

    async def terminate_session(self, session: Session) -> None:
        """HTTP DELETE, or the end of the process; nothing for an expired session or a sessionless server."""
        assert isinstance(session, McpSession)
        channel: Any = session.channel
        await session.unwatch()
        await channel.settle(0.5)
        stop = getattr(channel, "stop", None)
        if stop is not None:
            await stop()
        elif channel.session_id is not None and not session.expired:
            await channel.delete(channel.session_id)
        await channel.settle(0.5)

    async def idempotent(self, session: Session, call: SessionCall) -> bool:
        """Whether the server describes the call's tool as read-only or idempotent; all else only reads."""
        assert isinstance(session, McpSession)
        if self._prefix + "operation" in call.metadata:
            return True
        if not session.usable:
            return False
        found = (await session.toolbox.known(session, self.limits.pages)).get(self._tool(call))
        return found is not None and can_be_repeated(found)

    async def list_tools(self, session: Session, call: SessionCall) -> list[dict[str, Any]]:
        """Every tool of the server, as JSON objects; for `pool.with_session(name, call, handler.list_tools)`."""
        assert isinstance(session, McpSession)
        return (await list_tools(session, self.limits.pages))[0]

    def undeclared(self, id: str) -> dict[str, Any] | None:
        """The flat metadata of a tool that is not declared; None if no configured server's tools have such ids."""
        server = server_of(id, self.servers, self.name)
        return None if server is None else metadata_of(server, self.name)

    def known(self, id: str) -> Fields | None:
        """The declaration of what servers offer beside tools (`mcp.NAME.resources/list` …), which is the same for every
        configured server; None for other ids."""
        server = server_of(id, self.servers, self.name)
        return None if server is None else offered_operation(id, server)

    def configured(self) -> list[dict[str, Any]]:
        """The flat metadata of every configured server's tools."""
        return [metadata_of(server, self.name) for server in self.servers]

    def remembered(self, metadata: Mapping[str, Any], principal: str) -> list[Fields]:
        """The declarations of a configured server's tools, as far as they are pinned. Raises HostError `config/…`,
        `session/target`."""
        server = metadata[self._prefix + "server_name"]
        return pinned(self.pins, server, self.target("", metadata), principal)

    async def offers(self, session: Session, call: SessionCall) -> tuple[list[Fields], str]:
        """The declarations of a configured server's tools, pinned if they are new, and a remark for people, "" for
        none; for `pool.with_session(name, call, handler.offers)`. A list that lacks the call's id is requested
        again."""
        assert isinstance(session, McpSession)
        server, target = call.metadata[self._prefix + "server_name"], self.target("", call.metadata)
        for _ in range(2):
            tools = await session.toolbox.known(session, self.limits.pages)
            found, remark = pin(self.pins, server, target, call.principal, list(tools.values()))
            if any(fields.id == call.capability_id for fields in found):
                break
            session.toolbox.forget()
        return found, remark

    def login(self, metadata: Mapping[str, Any], principal: str) -> str | None:
        """The remaining lifetime of the principal's stored login at the server, in words; None without a login."""
        return login_of(self.target("", metadata), principal)

    async def close(self) -> None:
        """Close every connection."""
        for authorized_client in list(self._clients.values()):
            await authorized_client.source.settle()
        await self.client.aclose()

    def target(self, capability_id: str, metadata: Mapping[str, Any]) -> Target:
        """The server that metadata name. Raises SessionError `session/target`, HostError `config/…`."""
        override = None
        variable = metadata.get(self._prefix + "server_url_override_env")
        if variable is not None:
            override = text(self.environ.get(str(variable)))
        known = self._targets.get(capability_id)
        if known is not None and known[0] is metadata and known[1] == override:
            return known[2]
        size = len(self._prefix)
        fields = {key[size:]: value for key, value in metadata.items() if key.startswith(self._prefix)}
        server = text(fields.get("server_name"))
        configured = self.servers.get(server) if server is not None else None
        named = configured is not None and not _ADDRESSES.intersection(fields)
        if configured is not None and named:
            fields = {**fields, **configured}
        target = Target(fields, override, configured=named)
        if len(self._targets) > 10_000:
            self._targets.clear()
        self._targets[capability_id] = (metadata, override, target)
        return target

    def _tool(self, call: SessionCall) -> str:
        return text(call.metadata.get(self._prefix + "tool_name")) or re.split(r"[./]", call.capability_id)[-1]

    def _label(self, target: Target) -> str:
        word = target.name or (target.url.host if target.url is not None else os.path.basename(target.command or ""))
        number = self._numbers[word] = self._numbers.get(word, 0) + 1
        return one_line(f"{word}#{number}", 60)

    async def _open(self, channel: Any, target: Target, call: SessionCall, *, over_http: bool) -> McpSession:
        session = await self._session(channel, target, call, over_http=over_http)
        if over_http and session.channel is not channel:
            self.eras[target.identity] = _TWO_ENDPOINTS
        else:
            self.eras[target.identity] = _SESSIONLESS if session.sessionless else _HANDSHAKE
        session.label, session.asker = self._label(target), _asker(target)
        if session.sessionless:
            session.toolbox = self._toolboxes.setdefault(self.session_key(call), session.toolbox)
        return session

    async def _session(self, channel: Any, target: Target, call: SessionCall, *, over_http: bool) -> McpSession:
        """A session of the era that the server is known for, else of the one that it turns out to be of."""
        client = Client(call.ask is not None, target.roots, self.sample)
        era = self.eras.get(target.identity)
        if target.version is not None:
            era = _HANDSHAKE if target.version in HANDSHAKE_VERSIONS else _SESSIONLESS
        elif target.requires == "true" and era != _TWO_ENDPOINTS:
            era = _HANDSHAKE
        if target.transport == "sse" or era == _TWO_ENDPOINTS:
            found = await self._over_two_endpoints(channel, target, client, None)
            if found is None:
                self.eras.pop(target.identity, None)
                message = f"{target.label} does not speak the HTTP+SSE transport of 2024-11-05"
                raise SessionError(message, code="session/version", hint="configure it without a type, or as http")
            return found
        try:
            if era is None and not over_http:
                return await negotiate(channel, target.label, self.limits.probe_seconds, client=client)
            if era != _HANDSHAKE:
                seconds = self.limits.probe_seconds if era is None else None
                found = await discover(channel, target.label, seconds, over_http=over_http, client=client)
                if found is not None:
                    return found
                if target.version is not None:
                    raise SessionError(f"{target.label} does not speak {target.version}", code="session/version")
            return await handshake(channel, target.label, target.version, over_http=over_http, client=client)
        except Modern as error:
            self.eras.pop(target.identity, None)
            if era is None and over_http:  # it was only slow to say so
                found = await discover(channel, target.label, None, over_http=True, client=client)
                if found is not None:
                    return found
            named = ", ".join(one_line(one, 30) for one in error.supported) or "the sessionless era"
            code = "session/none" if target.requires == "true" else "session/version"
            raise SessionError(f"{target.label} gives no sessions: it speaks {named} only", code=code) from None
        except SessionError as error:
            if over_http and error.code in ("session/unavailable", "session/protocol"):
                found = await self._over_two_endpoints(channel, target, client, _TWO_ENDPOINTS_SECONDS)
                if found is not None:
                    return found
            raise

    async def _over_two_endpoints(
        self, channel: Any, target: Target, client: Client, seconds: float | None
    ) -> McpSession | None:
        """A session over the transport of 2024-11-05; None for a server that does not speak it. seconds: for it to say
        so, None where nothing else is tried."""
        from rtfs.capabilities.sessions.mcp.transport.legacy_sse import TwoEndpointChannel

        try:
            other = await TwoEndpointChannel.connect(channel, seconds)
        except (SessionError, MaybeSent, NotSent):
            if seconds is None:
                raise
            return None
        if other is None:
            return None
        try:
            return await handshake(other, target.label, target.version, over_http=False, client=client)
        except BaseException:
            await asyncio.shield(other.stop())
            raise

    async def _start(self, target: Target, call: SessionCall) -> Session:
        from rtfs.capabilities.sessions.mcp.transport.stdio import StdioChannel

        variable = text(call.metadata.get(self._prefix + "auth_env_var"))
        given = {variable: call.secret} if variable is not None and call.secret is not None else {}
        unknown = target.identity not in self.eras and target.version is None and target.requires != "true"
        begun = monotonic()
        while True:
            channel = await StdioChannel.start(target, self.environ, given, self.limits)
            try:
                session = await self._open(channel, target, call, over_http=False)
                channel.opened()
                return session
            except BaseException as error:
                await asyncio.shield(channel.stop())
                late = call.deadline is not None and monotonic() >= call.deadline
                if late and isinstance(error, asyncio.CancelledError):  # the pool has given up: say why
                    raise channel.silent(monotonic() - begun) from None
                if not unknown or not isinstance(error, (MaybeSent, SessionExpired)):
                    raise
            # An old server may die of a question it does not know: this one gets no other than the handshake.
            unknown = False
            self.eras[target.identity] = _HANDSHAKE

    async def _check_unchanged(self, session: McpSession, tool: str, pinned: str, call: SessionCall) -> None:
        found = (await session.toolbox.known(session, self.limits.pages)).get(tool)
        if found is not None and is_unchanged(found, pinned):
            return
        server = text(call.metadata.get(self._prefix + "server_name"))
        before = None
        if server is not None and server in self.servers:
            before = self.pins.tools(server, self.target("", call.metadata), call.principal).get(tool)
        raise changed(tool, server, before if before is not None and is_unchanged(before, pinned) else None, found)


def _token_name(server: str, provider: str) -> str:
    """The environment variable that holds the credential of a named server."""
    return f"{_WORD.sub('_', server).strip('_')}_{provider}_TOKEN".upper()


def _asker(target: Target) -> str:
    """The server that asks, in words for a person: its name here, and the address or command it is connected
    through."""
    return target.label if target.name is None else one_line(f"{target.name} ({target.label})", 200)
