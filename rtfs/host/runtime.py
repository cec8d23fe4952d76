"""`Runtime`: the wiring of compiler, machine, registry, pipeline, sessions and ledger, and the two faces `run` and
`arun`.

Must not know terminals. Invariants: `run` and `arun` are one driver; nothing heavy (asyncio, pydantic, httpx) is
imported before a call needs it; after `close` no thread and no session of the runtime is left.
"""

from __future__ import annotations

from contextvars import ContextVar

from rtfs.capabilities.registry import CONFIG, EMBEDDER, FILE, PLAN, Capabilities, Registry
from rtfs.capabilities.sessions.bundled import HANDLERS
from rtfs.host.approvals import ApprovalRequest, Approvals
from rtfs.host.audit.ledger import Record
from rtfs.host.bundled import capabilities
from rtfs.host.bundled.prelude import new_environment
from rtfs.host.calls.hints import HintLimits, Hints
from rtfs.host.calls.pipeline import Pipeline
from rtfs.host.calls.session_calls import Sessions
from rtfs.host.executor import Programs, open_ledger
from rtfs.host.policy.context import RuntimeContext
from rtfs.host.policy.grants import Grants
from rtfs.host.policy.policy import TIME_LIMIT, Guard, PolicyRequest
from rtfs.host.policy.rules import Rules
from rtfs.host.python_capabilities import Registering
from rtfs.host.run.driver import Frame, Run
from rtfs.host.run.options import environ, limits_of, text_of, value_of, values_of, within_seconds
from rtfs.host.scheduler.loop_thread import Engine
from rtfs.host.scheduler.scheduler import Scheduler
from rtfs.host.sqlite import KILL
from rtfs.host.stop import Stop
from rtfs.source import Source
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

    from rtfs.capabilities.sessions.limits import PoolLimits
    from rtfs.capabilities.sessions.questions import Question
    from rtfs.compiler import Environment
    from rtfs.machine import Limits

_active: ContextVar[tuple[Any, ...]] = ContextVar("rtfs_active", default=())
"""The runtimes that are running a program in this context: a capability must not run them again."""


class Runtime(Programs, Registering):
    """Runs programs, with the capabilities and rights that it was given. Raises HostError `config/…`.

    allow             grants: `mcp.github.*`, `net:HOST`, `env:NAME`, `fs:read:PATH`, `fs:write:PATH`, `exec:COMMAND`
    limits            of the machine: `Limits`, or a mapping of its fields
    context           values for `@name`, for every run
    policy            asked with a `PolicyRequest` before each call: True, False, a `Decision`, or None (as built in)
    policy_seconds    how long it may take
    level             minimal, standard or paranoid
    principal         whose sessions are used
    max_calls         host calls that a run may make
    width             branches that run at once
    hint_limits       `rtfs.host.calls.hints.HintLimits`: what hints may ask for
    pool_limits       `rtfs.capabilities.sessions.limits.PoolLimits`
    handlers          name → keyword arguments for a bundled or installed session handler
    module_path       folders where modules are found
    on_event          told of each `Record` of the ledger
    on_warning        told of each warning: message and `Span` or None; they are kept in `warnings`, too
    stub              answers the calls that would leave the process: (id, arguments) → value
    ledger, kv        files of the ledger and of `ccos.state.kv.*`; None: in memory
    state             folder of durable runs
    durability        what files survive: `kill` or `power`
    rules, quotas     see `rtfs.host.policy.rules`
    approve           asked with an `ApprovalRequest` where a rule says so: True, False, "always", None; may be async
    elicit            asked what a server wants to know, see `rtfs.host.questions`; may be async
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        limits: Limits | Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        policy: Callable[[PolicyRequest], Any] | None = None,
        policy_seconds: float = TIME_LIMIT,
        level: str = "standard",
        principal: str = "local",
        max_calls: int | None = None,
        width: int = 16,
        hint_limits: HintLimits | None = None,
        pool_limits: PoolLimits | None = None,
        handlers: Mapping[str, dict[str, Any]] | None = None,
        module_path: Iterable[str | Path] = (),
        on_event: Callable[[Record], None] | None = None,
        on_warning: Callable[[str, Any], None] | None = None,
        stub: Callable[[str, tuple[Any, ...]], Any] | None = None,
        ledger: str | Path | None = None,
        kv: str | Path | None = None,
        state: str | Path | None = None,
        durability: str = KILL,
        rules: Iterable[Any] = (),
        quotas: Iterable[Mapping[str, Any]] = (),
        approve: Callable[[ApprovalRequest], Any] | None = None,
        elicit: Callable[[Question], Any] | None = None,
    ) -> None:
        from _thread import allocate_lock

        self.ledger = open_ledger(ledger, durability)
        self._remember(state, durability, kv)
        self.ledger.listener = on_event
        self._on_warning = on_warning
        self._grants = Grants(allow)
        self._level = level
        self._principal = principal
        self._limits = limits_of(limits)
        self._values = values_of(context)
        self._max_calls = max_calls
        self._width = width
        self._module_path = tuple(str(folder) for folder in module_path)
        self._registry = Registry()
        self._registry.suggest = _suggest_import
        capabilities.install(self._registry, self._kv)
        self._engine = Engine()
        self._sessions = Sessions(self._engine, self.ledger, HANDLERS, environ)
        self._sessions.configure(pool_limits, handlers)
        self._sessions.ask_with(elicit)
        self._pipeline = Pipeline(self.ledger, self._sessions, Hints(hint_limits))
        self._pipeline.stub = stub
        self._pipeline.approvals = Approvals(approve)
        self._pipeline.own = self._own
        self._rules = Rules(rules, quotas)
        self._pipeline.rules = self._rules if self._rules.rules else None
        if policy is not None:
            self._pipeline.guard = Guard(policy, policy_seconds)
        self._environment: Environment | None = None
        self._compiling = allocate_lock()
        self._closed = False
        RuntimeContext(level=level)

    @classmethod
    def from_config(cls, path: str | Path = "rtfs.yaml", **overrides: Any) -> Self:
        """A runtime as a configuration file describes it; keyword arguments win, `allow` adds to the file's grants,
        `mcp_files` names further files of MCP servers (`.mcp.json`).

        Raises HostError `config/…` with the place in the file.
        """
        from rtfs.host.config.config import read_config

        config = read_config(path)
        mcp_files = overrides.pop("mcp_files", ())
        fields = config.runtime_fields(mcp_files)
        extra = overrides.pop("allow", ())
        fields["allow"] = [*fields["allow"], *([extra] if isinstance(extra, str) else extra)]
        fields.update(overrides)
        runtime = cls(**fields)
        runtime.protect(path, *config.files(), *mcp_files)
        try:
            for source in config.sources():
                runtime._run(source, None, origin=CONFIG)
        except BaseException:
            runtime.close()
            raise
        return runtime

    @property
    def capabilities(self) -> Capabilities:
        """id → CapabilityManifest of everything registered."""
        return Capabilities(self._registry)

    @property
    def metrics(self) -> dict[tuple[str, str, str], dict[str, float]]:
        """What the metrics hint has counted: (principal, capability, label) → calls, errors, total_ns, longest_ns."""
        return self._pipeline.hints.metrics

    def register_session_handler(self, name: str, handler: Any) -> None:
        """Have a `SessionHandler` serve the capabilities whose `:metadata` has its name as a key."""
        self._sessions.register(name, handler)

    def protect(self, *paths: str | Path) -> None:
        """Have no program write these files, or in these folders, whatever is granted: the host trusts them."""
        for path in paths:
            self._own.keep(str(path))

    def load(self, text: str, name: str = "<string>") -> Any:
        """Run a file of declarations and definitions: it is trusted more than a plan. The value of its last form."""
        return self._run(Source(text, name), None, origin=FILE)

    def run(
        self,
        source: str | Source,
        context: Mapping[str, Any] | None = None,
        *,
        principal: str | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        name: str = "<string>",
        run_id: str | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | None = None,
        durable: bool = False,
        record: str | Path | None = None,
        replay: str | Path | None = None,
    ) -> Any:
        """Run a program; the value of its last form. Definitions stay for the next run.

        context: values for `@name` in this run. allow: narrows the runtime's grants. timeout: seconds. durable: what is
        killed can be resumed. record, replay: a file of calls (`rtfs.host.durable.recording`). Raises UserError.
        """
        source = Source(source, name) if isinstance(source, str) else source
        if durable or record or replay:
            given = (source, context, principal, limits, run_id, timeout, allow, record, replay)
            return self._drive(self._durably(*given))
        return self._run(
            source, context, principal=principal, limits=limits, run_id=run_id, timeout=timeout, allow=allow
        )

    async def arun(
        self,
        source: str | Source,
        context: Mapping[str, Any] | None = None,
        *,
        principal: str | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        name: str = "<string>",
        run_id: str | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | None = None,
        keep: bool = False,
        durable: bool = False,
        record: str | Path | None = None,
        replay: str | Path | None = None,
    ) -> Any:
        """Run a program within the running event loop, which goes on meanwhile; as `run`. The run starts from a
        snapshot of the definitions and declarations and keeps its own to itself, unless `keep`."""
        self._may_run()
        source = Source(source, name) if isinstance(source, str) else source
        if durable or record or replay:
            given = (source, context, principal, limits, run_id, timeout, allow, record, replay)
            return await self._adrive(self._durably(*given))
        environment, registry = self.environment, self._registry
        if not keep:
            environment, registry = environment.snapshot(), registry.snapshot()
        run = self._new_run(registry, lambda: environment, PLAN, limits, timeout, breathe=True)
        frame = self._frame(run, context, principal, run_id, allow, source)
        self._used = self._used or keep
        return await self._adrive(self._program(source, frame))

    def call(self, id: str, *arguments: Any, principal: str | None = None) -> Any:
        """Call one capability, through the whole pipeline; its value. Python arguments are converted."""
        self._may_run()
        run = self._new_run(self._registry, lambda: self.environment, EMBEDDER, None, None, breathe=False)
        frame = self._frame(run, None, principal, None, None, None)
        from rtfs.machine import HostCall

        call = HostCall("call", id, tuple(value_of(argument) for argument in arguments))
        return self._drive(self._recorded(self._pipeline.perform(call, frame), frame))

    def close(self) -> None:
        """End every session and thread of the runtime. Harmless when repeated."""
        self._closed = True
        self._engine.close()
        if self._pipeline.guard is not None:
            self._pipeline.guard.close()
        self.ledger.close()
        self._kv.close()

    async def aclose(self) -> None:
        """`close`, without blocking the running event loop."""
        import asyncio

        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def environment(self) -> Environment:
        """Names, macros, types and modules of this runtime, with the prelude; made at the first use."""
        if self._environment is None:
            with self._compiling:
                if self._environment is None:
                    self._environment = new_environment(self._module_path)
        return self._environment

    def _run(
        self,
        source: Source,
        context: Mapping[str, Any] | None,
        *,
        origin: int = PLAN,
        principal: str | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        run_id: str | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | None = None,
    ) -> Any:
        self._may_run()
        self._note(source, origin)
        run = self._new_run(
            self._registry, lambda: self.environment, origin, limits, timeout, breathe=timeout is not None
        )
        frame = self._frame(run, context, principal, run_id, allow, source)
        return self._drive(self._program(source, frame))

    def _drive(self, coroutine: Any) -> Any:
        token = _active.set((*_active.get(), self))
        try:
            return Scheduler(self._engine).run(coroutine)
        except Stop as stopped:
            raise stopped.error from None
        finally:
            _active.reset(token)

    async def _adrive(self, coroutine: Any) -> Any:
        import asyncio

        token = _active.set((*_active.get(), self))
        try:
            return await Scheduler(self._engine, home=asyncio.get_running_loop()).drive(coroutine)
        except Stop as stopped:
            raise stopped.error from None
        finally:
            _active.reset(token)

    def _new_run(
        self,
        registry: Registry,
        language: Callable[[], Environment],
        origin: int,
        limits: Limits | Mapping[str, Any] | None,
        timeout: float | None,
        breathe: bool,
    ) -> Run:
        bounds = self._limits if limits is None else limits_of(limits)
        if timeout is not None:
            bounds = within_seconds(bounds, timeout)
        return Run(
            self._pipeline,
            self.ledger,
            registry,
            language,
            bounds,
            origin=origin,
            warn=self._warn,
            breathe=breathe,
            width=self._width,
        )

    def _frame(
        self,
        run: Run,
        context: Mapping[str, Any] | None,
        principal: str | None,
        run_id: str | None,
        allow: Iterable[str] | None,
        source: Source | None,
    ) -> Frame:
        from os import urandom

        values = self._values if not context else {**self._values, **values_of(context)}
        grants = (self._grants,) if allow is None else (self._grants, Grants(allow))
        own = RuntimeContext(
            principal=principal or self._principal,
            plan_id=text_of(values, "plan-id"),
            intent_id=text_of(values, "intent-id"),
            grants=grants,
            level=self._level,
            values=values,
            quota=self._rules.quota(self._max_calls),
            run_id=run_id or urandom(6).hex(),
        )
        name = "" if source is None else source.name
        detail = "" if source is None else "source " + self.ledger.fingerprint(source.text)
        return Frame(run, own, self.ledger.append("run", own.run_id, 0, name, own.principal, detail))

    def _may_run(self) -> None:
        if self._closed:
            raise HostError("the runtime is closed", code="runtime/closed")
        if self in _active.get() or self._engine.here():
            raise HostError(
                "a capability cannot run programs of the runtime that is performing it",
                code="runtime/reentrant",
                hint="use another Runtime, or declare the capability in RTFS with :implementation",
            )


def _suggest_import(id: str) -> str | None:
    """How to declare a capability that looks like a tool of an MCP server."""
    if not id.startswith("mcp."):
        return None
    server = id.split(".")[1] or "SERVER"
    return f"`rtfs mcp import {server} -o DIR` declares the server's tools; then load them: --load DIR"
