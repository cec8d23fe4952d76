"""`Runtime`: what an embedder holds. It wires compiler, machine, registry, pipeline, sessions and ledger, and hands
runs to its `Executor`.

Must not know terminals. Invariants: nothing heavy (asyncio, pydantic, httpx) is imported before a call needs it; after
`close` no thread and no session of the runtime is left.
"""

from __future__ import annotations

from rtfs.capabilities.providers.state import InMemory
from rtfs.capabilities.registry import CONFIG, FILE, Capabilities, Registry
from rtfs.capabilities.sessions.bundled_handlers import HANDLERS
from rtfs.host.audit.events import Events
from rtfs.host.audit.ledger import Ledger
from rtfs.host.bundled import capabilities
from rtfs.host.calls.approvals import Approvals
from rtfs.host.calls.pipeline import Pipeline
from rtfs.host.calls.session_calls import Sessions
from rtfs.host.calls.undeclared import Undeclared
from rtfs.host.executor import Executor
from rtfs.host.policy.policy import Guard
from rtfs.host.policy.protected_files import OwnFiles
from rtfs.host.policy.rules import Rules
from rtfs.host.run.options import PLAIN, RunOptions, environ, resume_options, run_options, value_of
from rtfs.host.runtime_options import runtime_options
from rtfs.host.scheduler.loop_thread import Engine
from rtfs.paths import is_url
from rtfs.source import Source
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self, TypeVar, Unpack, overload

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from rtfs.capabilities.providers.state import Values
    from rtfs.compiler import Environment
    from rtfs.host.audit.events import Event
    from rtfs.host.audit.ledger import Record
    from rtfs.host.handle import RunHandle
    from rtfs.host.policy.grants import Grants
    from rtfs.host.postgres.database import Database
    from rtfs.host.run.options import ResumeKeywords, ResumeOptions, RunKeywords
    from rtfs.host.runtime_options import RuntimeKeywords, RuntimeOptions
    from rtfs.host.servers import Servers

    F = TypeVar("F", bound=Callable[..., Any])


class Runtime:
    """Runs programs, with the capabilities and rights that it was given.

    allow: grants, `mcp.github.*`, `net:HOST`, `env:NAME`, `fs:read:PATH`, `fs:write:PATH`, `exec:COMMAND`. options:
    `RuntimeOptions`; its fields are keywords here as well, and win. Raises HostError `config/…`.
    """

    def __init__(
        self,
        allow: Iterable[str] | Grants | None = None,
        *,
        options: RuntimeOptions | None = None,
        **keywords: Unpack[RuntimeKeywords],
    ) -> None:
        options = runtime_options(options, keywords if allow is None else {"allow": allow, **keywords})
        self.options = options
        self._databases: dict[str, Database] = {}
        if is_url(options.state):
            self._database(str(options.state))
        self.ledger = _open_ledger(options, self._database)
        self.events = Events(self.ledger, self._warn_of_subscriber)
        if options.on_event is not None:
            self.events.subscribe(_telling_records(options.on_event, self.ledger))
        self._kv = _open_values(options, self._database)
        self._registry = Registry()
        capabilities.install(self._registry, self._kv)
        self._engine = Engine()
        self._sessions = Sessions(self._engine, self.events, HANDLERS, environ)
        self._sessions.configure(options.pool_limits, options.handlers)
        self._sessions.ask_with(options.elicit)
        self._sessions.sample = options.sample
        files = [file for file in (options.kv, options.ledger) if file is not None and not is_url(file)]
        self._protected = OwnFiles(files, None if is_url(options.state) else options.state)
        rules = Rules(options.rules, options.quotas)
        self._pipeline = Pipeline(self.events, self._sessions, options.hint_limits)
        self._pipeline.stub = options.stub
        self._pipeline.strict_arguments = options.strict_arguments
        self._pipeline.approvals = Approvals(options.approve)
        self._pipeline.own = self._protected
        self._pipeline.rules = rules if rules.rules else None
        if options.sequence is not None:
            from rtfs.host.sequence.control import SequenceControl

            self._pipeline.sequence = SequenceControl(options.sequence, self.ledger)
        if options.policy is not None:
            from rtfs.host.bundled.declarations import bundled

            bundled()  # the manifests that a policy looks at are read now, not within its time
            self._pipeline.guard = Guard(options.policy, options.policy_seconds)
        self._executor = Executor(options, self._registry, self._pipeline, self._engine, self.events, rules)
        if options.flow is not None:
            from rtfs.host.flow.kept import KeptLabels

            self._executor.kept_labels = KeptLabels(
                getattr(self._kv, "labels", None), own=isinstance(self._kv, InMemory)
            )
        self._executor.database = self._database
        undeclared = Undeclared(self._sessions, self._registry, options.principal, self._executor.warn)
        self._registry.suggest, self._registry.recall = undeclared.suggest, undeclared.recall
        self._registry.offered = lambda id: undeclared.server_of(id) is not None
        self._pipeline.undeclared = undeclared

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
                runtime._executor.run(source, PLAIN, CONFIG)
        except BaseException:
            runtime.close()
            raise
        return runtime

    # ------------------------------------------------------------------ what it knows
    @property
    def capabilities(self) -> Capabilities:
        """id → CapabilityManifest of everything registered."""
        return Capabilities(self._registry)

    @property
    def environment(self) -> Environment:
        """Names, macros, types and modules of this runtime, with the prelude; made at the first use."""
        return self._executor.environment

    @property
    def warnings(self) -> list[tuple[str, Any]]:
        """The warnings until now, message and `Span` or None; the first thousand are kept."""
        return self._executor.warnings

    @property
    def shell(self) -> dict[str, Any]:
        """The options with which a command line can set up the same runtime again; stored with durable runs."""
        return self._executor.shell

    def workers(self) -> list[int]:
        """The process ids of the workers in which runs of this runtime are now (`isolation="process"`)."""
        return self._executor.worker_pids()

    @property
    def metrics(self) -> dict[tuple[str, str, str], dict[str, float]]:
        """The counts of the metrics hint: (principal, capability, label) → calls, errors, total_ns, longest_ns."""
        return self._pipeline.hints.metrics

    if TYPE_CHECKING:

        @overload
        def register(
            self, id: str, *, blocking: bool = ..., replace: bool = ..., **manifest: Any
        ) -> Callable[[F], F]: ...

        @overload
        def register(
            self, id: str, function: F, *, blocking: bool = ..., replace: bool = ..., **manifest: Any
        ) -> F: ...

    def register(
        self, id: str, function: Any = None, *, blocking: bool = False, replace: bool = False, **manifest: Any
    ) -> Any:
        """Make a Python function a capability; without `function`, a decorator.

        The function gets the call's arguments as RTFS values and answers one (dicts and lists are converted). A plain
        function runs inline, with `blocking=True` in a thread; an async one on the loop that is running now, else on
        that of `arun`, or the runtime's own under `run`. manifest: `description="…"`, `input_schema="{:a :int}"` … as
        in a declaration. replace: also over a different earlier registration. Raises HostError `capability/invalid` or
        `capability/conflict`.
        """
        from rtfs.host.python_capabilities import python_entry

        if function is None:

            def decorate(decorated: Any) -> Any:
                self.register(id, decorated, blocking=blocking, replace=replace, **manifest)
                return decorated

            return decorate
        self._registry.declare(python_entry(id, function, blocking, manifest, self._executor.warn), replace)
        return function

    def add_server(self, name: str, *, url: str | None = None, command: str | None = None, **fields: Any) -> None:
        """Name an MCP server: its tools are callable as `mcp.NAME.TOOL`, listed when a call needs one, and pinned at
        first use. url: its address. command: what to start, with `args`, `env` and `cwd`. fields: as in `mcp_servers:`
        (`headers`, `oauth`, `scope` …). Raises HostError `config/invalid`."""
        from rtfs.host.servers import add_server

        given = {"url": url, "command": command}
        add_server(self, name, {**fields, **{key: value for key, value in given.items() if value is not None}})

    @property
    def servers(self) -> Servers:
        """name → `ServerInfo` of every configured or added server."""
        from rtfs.host.servers import Servers

        return Servers(self)

    def register_session_handler(self, name: str, handler: Any) -> None:
        """Have a `SessionHandler` serve the capabilities whose `:metadata` has its name as a key."""
        self._sessions.register(name, handler)

    def protect(self, *paths: str | Path) -> None:
        """Have no program write these files, or in these folders, whatever is granted: the host trusts them."""
        for path in paths:
            self._protected.keep(str(path))

    # ------------------------------------------------------------------ runs
    def load(self, text: str, name: str = "<string>") -> Any:
        """Run a file of declarations and definitions: it is trusted more than a plan. The value of its last form."""
        return self._executor.run(Source(text, name), PLAIN, FILE)

    def run(
        self,
        source: str | Source,
        options: RunOptions | Mapping[str, Any] | None = None,
        **keywords: Unpack[RunKeywords],
    ) -> Any:
        """Run a program; the value of its last form. Definitions stay for the next run.

        options: `RunOptions`; their fields are keywords here as well, and win. A mapping in their place is the
        `context`: values for `@name`. Raises UserError.
        """
        chosen = run_options(options, keywords)
        return self._executor.run(_source(source, chosen), chosen)

    async def arun(
        self,
        source: str | Source,
        options: RunOptions | Mapping[str, Any] | None = None,
        **keywords: Unpack[RunKeywords],
    ) -> Any:
        """Run a program within the running event loop, which has its turn meanwhile; as `run`. The run starts from a
        snapshot of the definitions and declarations and keeps its own to itself, unless `keep`."""
        chosen = run_options(options, keywords)
        return await self._executor.arun(_source(source, chosen), chosen)

    def start_run(
        self,
        source: str | Source,
        options: RunOptions | Mapping[str, Any] | None = None,
        **keywords: Unpack[RunKeywords],
    ) -> RunHandle:
        """Start a program, which advances by itself: on the running event loop if there is one, else in a thread. As
        `arun`, it starts from a snapshot and keeps its definitions to itself, unless `keep`. `await handle` or
        `handle.result()` returns its value."""
        chosen = run_options(options, keywords)
        return self._executor.start_run(_source(source, chosen), chosen)

    def call(self, id: str, *arguments: Any, principal: str | None = None) -> Any:
        """Call one capability, through the whole pipeline, and return its value. Python arguments are converted. Raises
        UserError."""
        options = PLAIN if principal is None else RunOptions(principal=principal)
        return self._executor.call(id, tuple(value_of(argument) for argument in arguments), options)

    def resume(self, run_id: str, options: ResumeOptions | None = None, **keywords: Unpack[ResumeKeywords]) -> Any:
        """Continue a durable run and return its value. Recorded calls are answered from the record; a run that has
        ended returns its value or raises its error again.

        options: `ResumeOptions`; their fields are keywords here as well. Raises HostError `run/unknown`, `run/active`,
        `run/in-doubt`, `run/divergence`, `run/unwritable`, `run/damaged`, and what the program raises.
        """
        return self._executor.resume(run_id, resume_options(options, keywords))

    async def aresume(
        self, run_id: str, options: ResumeOptions | None = None, **keywords: Unpack[ResumeKeywords]
    ) -> Any:
        """`resume`, within the running event loop."""
        return await self._executor.aresume(run_id, resume_options(options, keywords))

    def submit(
        self,
        source: str | Source,
        options: RunOptions | Mapping[str, Any] | None = None,
        *,
        at: float | None = None,
        cron: str | None = None,
        priority: int = 0,
        labels: Iterable[str] = (),
        key: str | None = None,
        **keywords: Unpack[RunKeywords],
    ) -> str:
        """Have workers run a program, on whatever machine; the id of the run. Needs `state="postgresql://…"`.

        at: not before this time, in seconds since 1970. cron: when to run it, again and again, in UTC; the id is that
        of the schedule then. priority: from -20 to 20, higher ones first. labels: that its worker must have. key: a
        second submission with it is the first. Others: as of `run`. Raises HostError `config/state`, `run/exists`,
        `run/key-used`, `argument/invalid`, `database/…`, and what is provably wrong with the program.
        """
        from rtfs.host.workers.submitting import submit

        chosen = run_options(options, keywords)
        return submit(
            self._executor, _source(source, chosen), chosen, at=at, cron=cron, priority=priority, labels=labels, key=key
        )

    async def wait(self, run_id: str, timeout: float | None = None) -> Any:
        """The value of a durable run, once a worker has brought it to its end. timeout: seconds. Raises what the
        program raised, HostError `run/unknown`, `run/stuck`, `run/in-doubt`, and TimeoutError."""
        from rtfs.host.workers.submitting import wait

        return await wait(self._executor.store, run_id, timeout)

    def work(
        self, *, runs: int = 8, labels: Iterable[str] = (), keep: float | None = None, lease: float = 15.0
    ) -> None:
        """Advance the runs of this runtime's database, so many at once, until SIGTERM or SIGINT; from the main thread.
        labels: that runs may ask for. keep: seconds that ended runs are kept, None for ever. lease: seconds after which
        a silent worker loses its runs; the same for all. Raises HostError `config/state`,
        `database/…`."""
        from rtfs.host.workers.worker import work

        work(self._executor, runs=runs, labels=labels, keep=keep, lease=lease)

    def answer(self, run_id: str, question: str, answer: Any, *, by: str | None = None) -> None:
        """Tell a durable run something, whichever process or machine it is in; it has it from then on, whatever dies.

        question: `approval:PATH`, `resolution:PATH` or `signal:NAME`, as `rtfs runs show` names it. answer: to the
        first True, `{"approve": "run"}` (for the rest of the run), False or the reason of a no; to the second `{"how":
        "retry"}`, `{"how": "failed"}` or `{"how": "result", "value": …}`; to the third any value. Python values are
        converted. by: who says so; None: the runtime's principal. Raises HostError `run/unknown`, `run/ended`,
        `run/no-question`, `argument/invalid`.
        """
        from rtfs.host.durable.answers import answer as tell

        value = answer if answer.__class__ is bool else value_of(answer)
        tell(self._executor.store, self.events, run_id, question, value, by or self.options.principal)

    def signal(self, run_id: str, name: str, value: Any = None, *, by: str | None = None) -> None:
        """Send a signal to a durable run: its `(await-signal name)` returns the value. Otherwise like `answer`."""
        self.answer(run_id, f"signal:{name}", value, by=by)

    def cancel(self, run_id: str, why: str = "", *, by: str | None = None) -> None:
        """Have a durable run end, wherever it is; it is `cancelled` then. Raises HostError `run/unknown`,
        `run/ended`."""
        from rtfs.host.durable.answers import cancel

        cancel(self._executor.store, self.events, run_id, why, by or self.options.principal)

    def _database(self, url: str) -> Database:
        """The database at an address, one for all that is kept there. Raises HostError `database/url`,
        `config/missing`."""
        from rtfs.host.postgres.database import Database

        if url not in self._databases:
            self._databases[url] = Database(url, self.options.durability)
        return self._databases[url]

    def instrument(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        values: bool = False,
    ) -> Callable[[], None]:
        """Have the runs traced and counted by OpenTelemetry from now on; the answer ends that.

        Providers: the global ones where none are given. values: arguments and results as attributes of calls, without
        known secrets. Raises HostError `usage` without the extra `otel`.
        """
        try:
            from rtfs.host.audit.telemetry import instrument
        except ImportError:
            raise HostError("tracing needs OpenTelemetry", code="usage", hint="pip install 'rtfs-host[otel]'") from None
        return instrument(self, tracer_provider=tracer_provider, meter_provider=meter_provider, values=values)

    # ------------------------------------------------------------------ the end
    def _warn_of_subscriber(self, message: str) -> None:
        self._executor.warn(message, None)

    def close(self) -> None:
        """End every session and thread of the runtime. Harmless when repeated. Raises HostError `runtime/deadlock` on
        the event loop of `async with`: use `aclose` there."""
        self._engine.check_closable()
        self._executor.close()
        self._engine.close()
        if self._pipeline.guard is not None:
            self._pipeline.guard.close()
        self.ledger.close()
        self._kv.close()
        for database in self._databases.values():
            database.close()

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
        """Sessions and whatever else awaits use the running event loop from here on, without a thread between; programs
        that call them have to be run with `arun`, or from another thread."""
        import asyncio

        self._engine.adopt(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _source(source: str | Source, options: RunOptions) -> Source:
    return Source(source, options.name, options.incremental) if isinstance(source, str) else source


def _telling_records(on_event: Callable[[Record], None], ledger: Ledger) -> Callable[[Event], None]:
    """A subscriber that tells `on_event` of ledger records."""

    def tell(event: Event) -> None:
        if event.recorded and event.number:
            on_event(ledger.record_of(event))

    return tell


def _open_ledger(options: RuntimeOptions, database: Callable[[str], Database]) -> Ledger:
    """The ledger in its file or database, or in memory. Raises HostError `ledger/…`."""
    if options.ledger is None:
        return Ledger()
    from rtfs.host.audit.ledger_stores import open_ledger

    return open_ledger(options.ledger, options.durability, options.ledger_key, database)


def _open_values(options: RuntimeOptions, database: Callable[[str], Database]) -> Values:
    """The values of `ccos.state.kv.*`, in their file or database, or in memory."""
    if options.kv is None:
        return InMemory()
    if is_url(options.kv):
        from rtfs.host.bundled.kv_postgres import InDatabase

        return InDatabase(database(options.kv))
    from rtfs.host.bundled.kv_file import InFile

    return InFile(options.kv, options.durability)
