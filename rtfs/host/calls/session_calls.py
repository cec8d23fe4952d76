"""Connects the pipeline to the session pool: selects the handler, the credential and the event loop for a call.

Must not know any provider's name: handlers come from code, from the bundled table that the runtime hands in, or from
the entry-point group. Invariants: nothing of this is imported before a call needs a session; a secret goes into the
`SessionCall` and nowhere else; an environment variable that a plan's own declaration names is read only under a grant.
"""

from __future__ import annotations

from os import getpid

from rtfs.capabilities.metadata import candidates, prefixes
from rtfs.capabilities.registry import PLAN, SESSION
from rtfs.host.audit.events import CallProgressed, SessionChanged
from rtfs.host.redaction import know, redact
from rtfs.host.scheduler.suspensions import OnLoop
from rtfs.values import HostError, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.capabilities.sessions.handler import RequestTrace, SessionCall
    from rtfs.capabilities.sessions.limits import PoolLimits
    from rtfs.capabilities.sessions.pool import SessionPool
    from rtfs.capabilities.sessions.questions import Question
    from rtfs.capabilities.sessions.session_events import PoolEvent
    from rtfs.host.audit.events import Events
    from rtfs.host.calls.questions import Questions
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.run.frame import Frame
    from rtfs.host.scheduler.loop_thread import Engine

GROUP = "rtfs.session_handlers"
"""The entry-point group under which packages offer session handlers."""


class _Note:
    """A note that a handler keeps about a call in progress."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Sessions:
    """bundled: name → "module:attribute" of the handlers that come with this package, imported when first used.
    limits: of the pool, or None. environ: where credentials are looked up."""

    __slots__ = (
        "_bundled", "_engine", "_events", "_handlers", "_inherited", "_installed", "_limits", "_made", "_options",
        "_pid", "_pool", "_providers", "_runs", "environ", "questions", "sample", "trace",
    )  # fmt: skip

    def __init__(
        self, engine: Engine, events: Events, bundled: Mapping[str, str], environ: Callable[[str], str | None]
    ) -> None:
        self._engine = engine
        self._events = events
        self._bundled = dict(bundled)
        self._handlers: dict[str, Any] = {}
        self._installed: dict[str, Any] | None = None
        self._limits: PoolLimits | None = None
        self._options: dict[str, dict[str, Any]] = {}
        self._pool: SessionPool | None = None
        self._made: set[str] = set()
        self._pid = getpid()
        self._inherited: list[Any] = []
        self._providers: dict[Entry, str] = {}
        self._runs: set[str] = set()
        self.environ = environ
        self.questions: Questions | None = None
        self.sample: Callable[[Any], Any] | None = None
        """Answers what servers ask of a language model; given to handlers that have the attribute `sample`."""
        self.trace: Callable[[int], RequestTrace] | None = None
        """Returns the tracing of a call's requests, for the number of its decision."""

    def register(self, name: str, handler: Any) -> None:
        """Have `handler` (a SessionHandler, or a class or function that makes one) serve metadata prefixed by
        `name`."""
        if not isinstance(name, str) or not name.isidentifier():
            raise HostError(f"a session handler's name is an identifier, not {name!r}", code="session/handler")
        self._handlers[name] = _made(handler, name, {})
        self._made.discard(name)
        self._providers.clear()

    def configure(self, limits: PoolLimits | None, options: Mapping[str, dict[str, Any]] | None = None) -> None:
        """Set the pool's limits and, by handler name, the keyword arguments that handlers are made with; before the
        first use."""
        self._limits = limits
        self._options = dict(options or {})

    def ask_with(self, elicit: Callable[[Question], Any] | None) -> None:
        """Have `elicit(question)` asked what servers want to know of a person; None: no person is available."""
        if elicit is None:
            self.questions = None
            return
        from rtfs.host.calls.questions import Questions

        self.questions = Questions(elicit)

    async def ask_person(self, entry: Entry, arguments: tuple[Any, ...], frame: Frame, number: int) -> Any:
        """Ask the person a question of the program itself, and return the answer. Raises HostError
        `session/input-required` if there is no answer and the call has no default."""
        from rtfs.host.calls.questions import ask_for_text

        return await ask_for_text(self.questions, entry, arguments, frame, number, self._events)

    def names(self) -> list[str]:
        """All handler names: registered, bundled and installed."""
        return sorted({*self._handlers, *self._bundled, *self._entry_points()})

    def provider(self, entry: Entry) -> str:
        """The name of the one handler that serves a capability. Raises HostError `session/handler` for none or
        several."""
        known = self._providers.get(entry)
        if known is not None:
            return known
        flat = entry.fields.flat_metadata
        found = candidates(flat, self.names())
        if len(found) != 1:
            wanted = ", ".join(prefixes(flat))
            if found:
                message = f'"{entry.id}" fits several session handlers: {", ".join(found)}'
            else:
                message = f'no session handler serves "{entry.id}": its metadata asks for {wanted}'
            registered = ", ".join(self.names()) or "none"
            raise HostError(
                message, code="session/handler", hint=f"registered handlers: {registered}", capability=entry.id
            )
        self._providers[entry] = found[0]
        return found[0]

    def handler(self, name: str) -> Any:
        """The handler of a name, made at its first use."""
        if self._pid != getpid():
            self._begin_anew()
        handler = self._handlers.get(name)
        if handler is None:
            where = self._bundled.get(name)
            made = _load(where) if where is not None else self._entry_points()[name].load()
            handler = self._handlers[name] = _made(made, name, self._options.get(name, {}))
            if self.sample is not None and hasattr(handler, "sample"):
                handler.sample = self.sample
            self._made.add(name)
        return handler

    def _begin_anew(self) -> None:
        """In a forked process: sessions, connections and loop are the parent's. They are kept, for taking them apart
        here would disturb them there, and not used."""
        self._inherited.append((self._pool, self._handlers))
        self._handlers = {name: one for name, one in self._handlers.items() if name not in self._made}
        self._made, self._pool, self._pid = set(), None, getpid()

    def requirements(self, entry: Entry) -> list[str]:
        """The resources that the capability's handler says its metadata reaches."""
        ask = getattr(self.handler(self.provider(entry)), "requirements", None)
        return [] if ask is None else list(ask(entry.fields.flat_metadata))

    async def perform(self, entry: Entry, value: Any, frame: Frame, number: int) -> Any:
        """Perform a call through a session; its value. number: of its decision in the ledger."""
        from rtfs.capabilities.optional import optional_names
        from rtfs.capabilities.sessions.handler import RUN, SessionCall, scope_of

        name = self.provider(entry)
        handler = self.handler(name)
        if getattr(handler, "named_arguments", False) and value.__class__ is not Map and value is not None:
            from rtfs.capabilities.sessions.wire.arguments import by_position

            raise by_position(entry.id)
        fields, context = entry.fields, frame.context

        def progressed(done: float, total: float | None, said: str | None) -> None:
            self._events.emit(CallProgressed(context, number, entry.id, done, total, said and redact(said)))

        call = SessionCall(
            entry.id,
            fields.flat_metadata,
            value,
            principal=context.principal,
            credential=self._credential(handler, entry, context),
            deadline=frame.run.deadline,
            idempotent=entry.is_idempotent((value,)),
            idempotency_key=frame.idempotency_key or f"{context.run_id}-{number}",
            progress=progressed if self._events.observed else None,
            optional_keys=optional_names(fields.input_schema),
            logins=self._may_use_login(handler, entry, context),
            run_id=context.run_id,
            scope=fields.session_scope,
        )
        if self.trace is not None:
            call.trace = self.trace(number)
        if scope_of(handler, call) == RUN:
            self._runs.add(context.run_id)
            if frame.run.replayed:
                self._check_restorable(handler, call, entry, frame)
        asked, journaled = self.questions, frame.journaled
        if asked is None and journaled is None:
            return await OnLoop(lambda: self._through_pool(name, call))
        from rtfs.host.scheduler.exchange import Exchange

        def work(ask: Any) -> Any:
            made = call if asked is None else call.asking(ask)
            if journaled is not None:
                made = made.remembering(lambda text: ask(_Note(text)), journaled.remembered)
            return self._through_pool(name, made)

        async def answer(said: Any) -> Any:
            if said.__class__ is _Note:
                assert journaled is not None
                return await journaled.remember(said.text)
            assert asked is not None
            return await asked.settle(said, entry, frame, number, self._events)

        return await Exchange(work, answer)

    def _check_restorable(self, handler: Any, call: Any, entry: Entry, frame: Frame) -> None:
        """Raise `session/state-lost` for the first call of a resumed run to a server that kept the run's state in a
        session: that session went with the process."""
        from rtfs.capabilities.sessions.handler import SessionCall, SessionError, is_restorable

        if entry.fields.session_restorable or is_restorable(handler, call):
            return
        key, name = handler.session_key(call), self.provider(entry)
        for id in sorted(frame.run.replayed):
            other = frame.run.registry.find(id)
            if other is None or other.route != SESSION or self.provider(other) != name:
                continue
            context = frame.context
            made = SessionCall(
                id,
                other.fields.flat_metadata,
                None,
                principal=context.principal,
                credential=self._credential(handler, other, context),
                logins=self._may_use_login(handler, other, context),
            )
            if handler.session_key(made) == key:
                raise SessionError(
                    f"the session of this run with {key.server} ended with the process that held it, "
                    f'after a call of "{id}"',
                    code="session/state-lost",
                    hint="start a new run, or declare :session-restorable true if a new session is enough",
                    capability=entry.id,
                )

    def end_run(self, run_id: str) -> None:
        """A run is over: end its own sessions, on the engine's loop, without waiting."""
        if run_id not in self._runs:
            return
        self._runs.discard(run_id)
        pool = self._pool
        if pool is not None and self._engine.in_use:
            import asyncio

            loop = self._engine.loop()
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(pool.end_run(run_id), loop)

    def servers(self, provider: str) -> Any:
        """The servers that are configured for a handler, by name; None if there are none."""
        given = self._options.get(provider, {}).get("servers")
        return getattr(self._handlers.get(provider), "servers", None) if given is None else given

    def set_servers(self, provider: str, servers: Any) -> None:
        """Have a handler, also one that is made already, know these servers."""
        self._options[provider] = {**self._options.get(provider, {}), "servers": servers}
        if provider in self._handlers:
            self._handlers[provider].servers = servers

    def with_servers(self) -> list[str]:
        """The handlers that servers are configured for."""
        return [name for name in {**self._options, **self._handlers} if self.servers(name)]

    def call_for(self, entry: Entry, value: Any, frame: Frame) -> SessionCall:
        """A call to the server of a capability that is not the capability's own (listing tools, say)."""
        from rtfs.capabilities.sessions.handler import SessionCall

        handler, context = self.handler(self.provider(entry)), frame.context
        return SessionCall(
            entry.id,
            entry.fields.flat_metadata,
            value,
            principal=context.principal,
            credential=self._credential(handler, entry, context),
            deadline=frame.run.deadline,
            logins=self._may_use_login(handler, entry, context),
            run_id=context.run_id,
        )

    async def with_session(self, entry: Entry, call: SessionCall, operation: Any, frame: Frame, number: int) -> Any:
        """Run an operation of a handler with a session, as a call is: its server may ask the person behind it."""
        name, asked = self.provider(entry), self.questions
        if asked is None:
            return await OnLoop(lambda: self.pool().with_session(name, call, operation))
        from rtfs.host.scheduler.exchange import Exchange

        async def begin(ask: Any) -> Any:
            return await self.pool().with_session(name, call.asking(ask), operation)

        return await Exchange(begin, lambda question: asked.settle(question, entry, frame, number, self._events))

    def _credential(self, handler: Any, entry: Entry, context: RuntimeContext) -> Any:
        """The credential that the handler's names lead to, if any: the first environment variable that is set, and,
        for a plan's own declaration, granted."""
        from rtfs.capabilities.sessions.handler import Credential

        ask = getattr(handler, "credential_env", None)
        for name in () if ask is None else ask(entry.fields.flat_metadata):
            if entry.origin == PLAN and not context.grants_resource("env:" + name):
                continue
            secret = self.environ(name)
            if secret:
                know(secret)
                return Credential(secret, name)
        return None

    def _may_use_login(self, handler: Any, entry: Entry, context: RuntimeContext) -> bool:
        """Whether a stored login may replace a credential: for a plan's own declaration, only if the credential itself
        could be read."""
        if entry.origin != PLAN:
            return True
        ask = getattr(handler, "credential_env", None)
        names = () if ask is None else ask(entry.fields.flat_metadata)
        return any(context.grants_resource("env:" + name) for name in names)

    async def _through_pool(self, name: str, call: Any) -> Any:
        return await self.pool().execute_with_session(name, call)

    def pool(self) -> SessionPool:
        """The pool; made at its first use, which has to be on the engine's loop. It closes with the engine."""
        if self._pool is None:
            from rtfs.capabilities.sessions.pool import SessionPool

            self._pool = SessionPool(self._handlers, limits=self._limits, on_event=self._event)
            self._engine.on_close(self._pool.aclose)
        return self._pool

    def _event(self, event: PoolEvent) -> None:
        self._events.emit(SessionChanged(redact(event.key), redact(str(event))))

    def _entry_points(self) -> dict[str, Any]:
        if self._installed is None:
            from importlib.metadata import entry_points

            self._installed = {point.name: point for point in entry_points(group=GROUP)}
        return self._installed


def _load(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return getattr(__import__(module, fromlist=(attribute,)), attribute)


def _made(handler: Any, name: str, options: dict[str, Any]) -> Any:
    """A handler, or what a class or function makes of the options."""
    if isinstance(handler, type) or not hasattr(handler, "session_key"):
        try:
            handler = handler(**options)
        except TypeError as error:
            raise HostError(f"the session handler {name!r} cannot be made: {error}", code="session/handler") from error
    missing = [
        method
        for method in ("session_key", "initialize_session", "execute_with_session", "terminate_session")
        if not callable(getattr(handler, method, None))
    ]
    if missing:
        raise HostError(f"the session handler {name!r} lacks {', '.join(missing)}", code="session/handler")
    if hasattr(handler, "on_secret"):
        handler.on_secret = know
    return handler
