"""Undeclared capabilities: the tools of configured servers, asked for when a call needs one.

Must not know any provider's name: a handler whose ids begin with its name offers them (`undeclared`, `remembered`,
`offers`). Invariants: no server is started or asked for a call that the policy denies; a file of servers that was
found, not named, is used once a person trusts it; what is declared here never replaces a declaration.
"""

from __future__ import annotations

from time import perf_counter_ns

from rtfs.capabilities.declaration import Fields
from rtfs.capabilities.registry import CONFIG, SESSION, Entry, entry_for
from rtfs.host.audit.events import CallDecided, CallEnded
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.host.calls.pipeline import Pipeline
    from rtfs.host.calls.session_calls import Sessions
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall


class Undeclared:
    """registry: where they are declared. tell(message, None): told when tools are pinned. principal: whose pins
    `recall` looks at."""

    __slots__ = ("_recalled", "principal", "registry", "sessions", "tell")

    def __init__(
        self, sessions: Sessions, registry: Registry, principal: str, tell: Callable[[str, Any], None]
    ) -> None:
        self.sessions = sessions
        self.registry = registry
        self.principal = principal
        self.tell = tell
        self._recalled: set[tuple[str, str]] = set()

    # ------------------------------------------------------------------ what is known from earlier runs
    def recall(self, id: str) -> None:
        """Declare what earlier runs have pinned of the server of an id, of all servers for "". Contacts no server."""
        for provider in self._providers(id):
            servers = self.sessions.servers(provider)
            if not servers or not getattr(servers, "ready", True):
                continue
            try:
                handler = self.sessions.handler(provider)
                known = _optional(handler, "known", id) if id else None
                if known is not None:
                    self._declare([known])
                    continue
                metadata = _optional(handler, "undeclared", id)
                names = [metadata] if metadata is not None else _optional(handler, "configured") if not id else []
                for one in names or ():
                    self._remember(provider, handler, one)
            except UserError:
                continue

    def _remember(self, provider: str, handler: Any, metadata: dict[str, Any]) -> None:
        key = (provider, str(sorted(metadata.items())))
        if key in self._recalled:
            return
        self._recalled.add(key)
        try:
            known = _optional(handler, "remembered", metadata, self.principal)
        except UserError:  # a server that cannot be used: said when it is
            return
        self._declare(known or ())

    def _declare(self, found: Iterable[Fields]) -> None:
        for fields in found:
            if fields.id not in self.registry.entries:
                self.registry.entries[fields.id] = entry_for(fields, CONFIG)

    def _providers(self, id: str) -> list[str]:
        """The handlers that may know an id, all that have servers for ""."""
        if not id:
            return self.sessions.with_servers()
        provider = id.partition(".")[0]
        return [provider] if provider in self.sessions.with_servers() else []

    # ------------------------------------------------------------------ what servers say now
    async def find(self, call: HostCall, frame: Frame, pipeline: Pipeline) -> Entry | None:
        """The entry of a call's id, once its server has been asked; None if no server is configured for it. A call that
        is denied with these arguments gets an entry to be denied with, and no server hears of it.

        Raises HostError `session/…`, `config/…`."""

        def denied(entry: Entry) -> bool:
            decision = pipeline.decide(entry, call.args, frame.context)
            return not decision.allow and not decision.ask

        return await self._find(call.id, frame, denied)

    async def find_named(self, id: str, frame: Frame) -> Entry:
        """The entry of an id that a person has named, without the name of its provider if they like. Raises HostError
        `capability/unknown`, `session/…`, `config/…`."""
        meant = id
        for name in (id, *(f"{provider}.{id}" for provider in self.sessions.with_servers())):
            entry = self.registry.find(name) or await self._find(name, frame, lambda entry: False)
            if entry is not None:
                return entry
            if self.server_of(name) is not None:
                meant = name
        raise self.registry.unknown(meant)

    def stand_in(self, id: str) -> Entry | None:
        """An entry to decide about a call with, before the server of its id was asked; None if none is configured."""
        for provider in self._providers(id):
            metadata = _optional(self.sessions.handler(provider), "undeclared", id)
            if metadata is not None:
                return _stand_in(id, metadata)
        return None

    def server_of(self, id: str) -> str | None:
        """The configured server that an id's capability would be of, or None."""
        for provider in self._providers(id):
            metadata = _optional(self.sessions.handler(provider), "undeclared", id)
            if metadata is not None:
                return str(metadata[provider + "_server_name"])
        return None

    async def _find(self, id: str, frame: Frame, denied: Callable[[Entry], bool]) -> Entry | None:
        for provider in self._providers(id):
            handler = self.sessions.handler(provider)
            self.trusted(provider, id, frame)
            metadata = _optional(handler, "undeclared", id)
            if metadata is None:
                continue
            self.recall(id)
            known = self.registry.entries.get(id)
            if known is not None:
                return known
            stand_in = _stand_in(id, metadata)
            if denied(stand_in):
                return stand_in
            await self.ask(id, provider, metadata, frame)
            return self.registry.entries.get(id)
        return None

    async def ask(self, id: str, provider: str, metadata: dict[str, Any], frame: Frame) -> None:
        """Ask the server of an id for its tools, and declare them as they are pinned."""
        sessions, context = self.sessions, frame.context
        handler = sessions.handler(provider)
        entry = _stand_in(id, metadata)
        call = sessions.call_for(entry, None, frame)
        events, started = frame.run.events, perf_counter_ns()
        number = events.emit(CallDecided(context, frame.parent, id, True, "allow: its server is asked for its tools"))

        def ended(status: str) -> None:
            events.emit(CallEnded(context, number, id, status, perf_counter_ns() - started))

        try:
            fields, remark = await sessions.with_session(entry, call, handler.offers, frame, number)
        except UserError as error:
            ended(f"error: {error.code}")
            raise
        except BaseException:
            ended("cancelled")
            raise
        ended("ok")
        self._declare(fields)
        if remark:
            self.tell(remark, None)

    def trusted(self, provider: str, id: str, frame: Frame) -> None:
        """Have a person trust the file of servers that was found, if this id needs it. Raises HostError
        `config/untrusted`."""
        servers = self.sessions.servers(provider)
        if servers is None or getattr(servers, "ready", True):
            return
        handler = self.sessions.handler(provider)
        if _optional(handler, "undeclared", id) is None:
            return
        budget = frame.run.budget
        budget.park()
        try:
            servers.open()
        finally:
            budget.unpark()

    def suggest(self, id: str) -> str | None:
        """A suggestion for an id that is not declared and that no server offers."""
        server = self.server_of(id)
        if server is not None:
            return f"`rtfs mcp list {server}` lists the tools of {server}"
        for provider in self._providers(id):
            names = list(self.sessions.servers(provider) or ())
            return "no server is configured for it; there are " + ", ".join(names[:8])
        if id.partition(".")[0] in self.sessions.names():
            return "name its server in a .mcp.json here, or in a file given with --mcp-config FILE"
        return None


def _stand_in(id: str, metadata: dict[str, Any]) -> Entry:
    """An entry for decisions about a capability before its server was asked."""
    fields = Fields(id)
    fields.flat_metadata = metadata
    return entry_for(fields, CONFIG, SESSION)


def _optional(handler: Any, method: str, *arguments: Any) -> Any:
    """The result of an optional method of a handler; None if the handler does not have it."""
    found = getattr(handler, method, None)
    return None if found is None else found(*arguments)
