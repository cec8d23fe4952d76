"""`Executor`: compiles, starts, drives and resumes the runs of one `Runtime`, each from its text to its value.

Must not know how calls are performed. Invariants: a run has a beginning and an end in the ledger, whatever ends it;
`run` and `arun` are one driver; a durable run starts from what was loaded, never from what other runs defined.
"""

from __future__ import annotations

from os import urandom

from rtfs.capabilities.registry import EMBEDDER, PLAN
from rtfs.deferred import Deferred
from rtfs.host.audit.events import RunResumed, RunStarted
from rtfs.host.hint_wording import Worded, reword
from rtfs.host.policy.context import RuntimeContext
from rtfs.host.run.end import record_end
from rtfs.host.run.frame import Frame, Run
from rtfs.host.run.options import PLAIN, PROCESS, text_of, within_seconds
from rtfs.host.scheduler.scheduler import Scheduler
from rtfs.host.scheduler.suspensions import Within
from rtfs.host.stop import Stop
from rtfs.values import Cancelled, HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import ContextVar
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.audit.events import Event, Events
    from rtfs.host.calls.pipeline import Pipeline
    from rtfs.host.checks import gate as gates
    from rtfs.host.durable.resume import Resumption
    from rtfs.host.durable.store import RunStore
    from rtfs.host.flow.kept import KeptLabels
    from rtfs.host.handle import RunHandle
    from rtfs.host.isolation.guests import Guests
    from rtfs.host.policy.rules import Rules
    from rtfs.host.postgres.database import Database
    from rtfs.host.run import compiling
    from rtfs.host.run.options import ResumeOptions, RunOptions
    from rtfs.host.runtime_options import RuntimeOptions
    from rtfs.host.scheduler.loop_thread import Engine
    from rtfs.source import Source
else:
    from _contextvars import ContextVar  # `contextvars` is one more file to find

    compiling = Deferred("rtfs.host.run.compiling")
    gates = Deferred("rtfs.host.checks.gate")

_active: ContextVar[tuple[Any, ...]] = ContextVar("rtfs_active", default=())
"""The executors that are running a program in this context: a capability must not use them again."""
_WARNINGS = 1000
"""Warnings that are kept."""


class Executor:
    """One runtime's runs.

    `grants`: of the runs that start from now on; a shell may change them.

    `loaded`: the texts that were loaded, with their origins: what a durable run starts from.

    `shell`: what a command line needs to set up such a runtime again; kept with durable runs.

    `warnings`: the first thousand, as (message, span).

    `started`: the handles of the runs that advance by themselves.

    `kept_labels`: under flow rules, the labels of what is kept outside of runs.

    `compiling`: the lock of the one environment that all plain runs define in.

    `database(url)`: the PostgreSQL database at an address. `lease`: seconds after which a process that is
    silent loses its runs in the database; None: the default.
    """

    __slots__ = (
        "_clean", "_environment", "_guests", "_layers", "_ran_plans", "_shared", "_store", "_warn", "closed",
        "compiling", "database", "engine", "events", "flow", "grants", "kept_labels", "lease", "loaded", "options",
        "pipeline", "registry", "rules", "shell", "started", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        options: RuntimeOptions,
        registry: Registry,
        pipeline: Pipeline,
        engine: Engine,
        events: Events,
        rules: Rules,
    ) -> None:
        from _thread import allocate_lock

        self.options = options
        self.registry = registry
        self.pipeline = pipeline
        self.engine = engine
        self.events = events
        self.rules = rules
        self.flow = options.flow
        self.kept_labels: KeptLabels | None = None
        self.grants = options.allow
        self._layers = (self.grants,)  # one tuple for all runs
        self.loaded: list[tuple[Source, int]] = []
        self.shell: dict[str, Any] = {}
        self.warnings: list[tuple[str, Any]] = []
        self._store: RunStore | None = None
        self.database: Callable[[str], Database] | None = None
        self.lease: float | None = None
        self.started: set[RunHandle] = set()
        self.closed = False
        self.compiling = allocate_lock()
        self._environment: Environment | None = None
        self._guests: Guests | None = None
        if options.isolation == PROCESS:
            from rtfs.host.isolation.guests import Guests

            self._guests = Guests(options.module_path, options.strict_arguments, self.warn, self.loaded)
        self._warn = self.warn  # one for all runs
        self._shared: tuple[Environment | None, Callable[[], Environment]] = None, lambda: self.environment
        """The environment that runs without definitions share, and the function that returns it."""
        self._ran_plans = False
        self._clean: tuple[Environment | None, int] = None, 0
        """The last result of `_without_plans`, or the environment before the first plan; how many texts are in it."""

    @property
    def environment(self) -> Environment:
        """Names, macros, types and modules of the runtime, with the prelude; made at the first use."""
        if self._environment is None:
            with self.compiling:
                if self._environment is None:
                    from rtfs.host.bundled.prelude import new_environment

                    self._environment = new_environment(self.options.module_path)
        return self._environment

    def worker_pids(self) -> list[int]:
        """The process ids of the workers that isolated runs are in."""
        return [] if self._guests is None else self._guests.pids()

    @property
    def isolated(self) -> bool:
        """Whether plans run in processes of their own."""
        return self._guests is not None

    @property
    def store(self) -> RunStore:
        """The store of durable runs."""
        if self._store is None:
            from rtfs.host.dispatch.place import chosen_store

            self._store = chosen_store(self.options.state, self.options.durability, self.database, self.lease)
        return self._store

    def warn(self, message: str, span: Any) -> None:
        """Keep a warning, and tell those who asked to be told."""
        if len(self.warnings) < _WARNINGS:
            self.warnings.append((message, span))
        if self.options.on_warning is not None:
            self.options.on_warning(message, span)

    # ------------------------------------------------------------------ ways to run
    def run(self, source: Source, options: RunOptions, origin: int = PLAN) -> Any:
        """Run a program in this thread; its value. origin: whose declarations its `(capability …)` forms are. Raises
        UserError."""
        self.check_usable()
        with Worded(self.options.wording):
            frame = self.begin(source, options, options.keep is not False, origin, options.timeout is not None)
            return self.drive(self.execute(source, frame))

    def arun(self, source: Source, options: RunOptions) -> Coroutine[Any, Any, Any]:
        """Run a program within the running event loop, which has its turn meanwhile; its value. Raises UserError."""
        self.check_usable()
        return self.adrive(self._begun(source, options))

    async def _begun(self, source: Source, options: RunOptions) -> Any:
        """A run that begins when it has its turn, for a thousand may be started at once."""
        return await self.execute(source, self.begin(source, options, options.keep is True, PLAN, True))

    def start_run(self, source: Source, options: RunOptions) -> RunHandle:
        """Start a program, which then advances by itself. Raises UserError for a runtime that runs nothing now."""
        from rtfs.host.handle import RunHandle

        self.check_usable()
        told: list[Event] = []
        unsubscribe = self.events.subscribe(told.append)  # how the run begins, until its handle is there
        try:
            with Worded(self.options.wording):
                frame = self.begin(source, options, options.keep is True, PLAN, True)
            scheduler = Scheduler(self.engine)
            handle = RunHandle(frame.context.run_id, frame.run, scheduler)
            for event in told:
                handle.hear(event)
        finally:
            unsubscribe()
        unsubscribe = self.events.subscribe(handle.hear)
        self.started.add(handle)

        def end(value: Any, error: BaseException | None) -> None:
            unsubscribe()
            self.started.discard(handle)
            handle.end(value, error)

        def drive() -> None:
            try:
                with Worded(self.options.wording):
                    value = self.drive(self.execute(source, frame), scheduler)
            except BaseException as error:
                end(None, error)
            else:
                end(value, None)

        async def adrive() -> None:
            try:
                value = await self.adrive(self.execute(source, frame), scheduler)
            except BaseException as error:
                end(None, _as_cancelled(error))
            else:
                end(value, None)

        handle.begin(drive, adrive)
        return handle

    def call(self, id: str, arguments: tuple[Any, ...], options: RunOptions) -> Any:
        """Call one capability, through the whole pipeline; its value. Raises UserError."""
        from rtfs.machine import HostCall

        self.check_usable()
        run = self.new_run(options, self.registry, lambda: self.environment, EMBEDDER, False)
        frame = self.new_frame(run, options, None)
        call = HostCall("call", id, arguments)
        if run.flow is not None:
            call.labels = run.flow.inputs(len(arguments))

        async def perform() -> Any:
            return await self.pipeline.perform(call, frame)

        with Worded(self.options.wording):
            return self.drive(self.recorded(perform(), frame))

    def aside(self, work: Callable[[Frame], Coroutine[Any, Any, Any]]) -> Any:
        """Do a shell's work on the host between runs, in a new frame, and return its result. Raises UserError."""
        self.check_usable()
        run = self.new_run(PLAIN, self.registry, lambda: self.environment, EMBEDDER, False)
        frame = self.new_frame(run, PLAIN, None)
        return self.drive(self.recorded(work(frame), frame))

    def resume(self, run_id: str, options: ResumeOptions) -> Any:
        """Continue a durable run; its value. Raises HostError `run/…`, and what the program raises."""
        from rtfs.host.durable.resume import Resumption

        self.check_usable()
        with Worded(self.options.wording):
            found = Resumption(self.store, run_id, options, self.loaded)
            if found.continued_as:
                return self.resume(found.continued_as, options)
            if found.ended:
                return found.outcome()
            try:
                return self.drive(self.continued(found))
            finally:
                found.close()

    async def aresume(self, run_id: str, options: ResumeOptions) -> Any:
        """`resume`, within the running event loop."""
        import asyncio

        from rtfs.host.durable.resume import Resumption

        self.check_usable()
        with Worded(self.options.wording):
            found = await asyncio.to_thread(Resumption, self.store, run_id, options, self.loaded)
            if found.continued_as:
                return await self.aresume(found.continued_as, options)
            if found.ended:
                return found.outcome()
            try:
                return await self.adrive(self.continued(found))
            finally:
                found.close()

    def continued(
        self,
        found: Resumption,
        base: tuple[Registry, Callable[[], Environment]] | None = None,
        guests: Guests | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """A resumed run, ready to be driven. base: what it starts from; None: from what was loaded. guests: the workers
        that have loaded the same, where the runtime is isolated; None: its own."""
        from rtfs.compiler.forms.plan import GIVEN
        from rtfs.host.run.parameters import UNFITTED, parameters_for

        options = found.options
        registry, language = base or self.fresh()
        run = self.new_run(options, registry, language, PLAN, True)
        run.width, run.files, run.guests = found.width, found.files, guests
        frame = self.new_frame(run, options, found.source)
        found.narrow(frame.context)
        if self._guests is None and UNFITTED in frame.context.values:  # it began where plans are in other processes
            given = frame.context.values.pop(UNFITTED)
            frame.context.values[GIVEN] = parameters_for(found.source, run.environment, given)
        self.events.emit(RunResumed(frame.context, frame.parent, found.source.name, found.continues))
        if self.pipeline.sequence is not None:
            self.pipeline.sequence.history.reopen(frame.context.run_id)
        run.durability = found.durability()
        return self.execute(found.source, frame)

    def close(self) -> None:
        """Start nothing any more, and cancel what advances by itself."""
        self.closed = True
        for handle in list(self.started):
            handle.cancel("the runtime was closed")
            handle.join(5)
        if self._guests is not None:
            self._guests.close()
        if self._store is not None:
            self._store.close()

    def check_usable(self) -> None:
        """Raise HostError for a runtime that is closed, or is performing a call of this thread."""
        if self.closed:
            raise HostError("the runtime is closed", code="runtime/closed")
        if self in _active.get() or self.engine.here():
            raise HostError(
                "a capability cannot run programs of the runtime that is performing it",
                code="runtime/reentrant",
                hint="use another Runtime, or declare the capability in RTFS with :implementation",
            )

    def drive(self, coroutine: Coroutine[Any, Any, Any], scheduler: Scheduler | None = None) -> Any:
        """Drive a run in this thread, and return its result; if it continues as a new run, the result of that."""
        token = _active.set((*_active.get(), self))
        try:
            while True:
                try:
                    return (scheduler or Scheduler(self.engine)).run(coroutine)
                except Stop as stopped:
                    if scheduler is not None or stopped.renewal is None or stopped.renewal.by_workers:
                        raise stopped.error from None
                    coroutine = self._renewed(self._resumption(stopped.renewal.run_id))
        finally:
            _active.reset(token)

    async def adrive(self, coroutine: Coroutine[Any, Any, Any], scheduler: Scheduler | None = None) -> Any:
        """Drive a run on the running event loop, and return its result."""
        import asyncio

        token = _active.set((*_active.get(), self))
        try:
            while True:
                one = scheduler or Scheduler(self.engine)
                one.home = asyncio.get_running_loop()
                try:
                    return await one.drive(coroutine)
                except Stop as stopped:
                    if scheduler is not None or stopped.renewal is None or stopped.renewal.by_workers:
                        raise stopped.error from None
                    coroutine = self._renewed(await asyncio.to_thread(self._resumption, stopped.renewal.run_id))
        except UserError as error:
            reword(error, self.options.wording)
            raise
        finally:
            _active.reset(token)

    def _resumption(self, run_id: str) -> Resumption:
        from rtfs.host.durable.resume import Resumption
        from rtfs.host.run.options import ResumeOptions

        return Resumption(self.store, run_id, ResumeOptions(), self.loaded)

    async def _renewed(self, found: Resumption) -> Any:
        """A run that continues another."""
        try:
            return await self.continued(found)
        finally:
            found.close()

    # ------------------------------------------------------------------ what a run consists of
    def new_run(
        self,
        options: RunOptions,
        registry: Registry,
        language: Callable[[], Environment],
        origin: int,
        breathe: bool,
    ) -> Run:
        """A run with these options. registry, language: what it sees and defines in. breathe: whether it lets others
        have their turn now and then."""
        limits = self.options.limits if options.limits is None else options.limits
        gate = None
        if origin == PLAN and options.check and options.replay is None:  # a replay needs no capability to be there
            gate = gates.RegistryGate(registry, self.options.strict_arguments)
        if options.timeout is not None:
            limits = within_seconds(limits, options.timeout)
        run = Run(
            self.pipeline,
            self.events,
            registry,
            language,
            limits,
            origin=origin,
            warn=self._warn,
            breathe=breathe,
            width=self.options.width,
            gate=gate,
        )
        if self.options.sequence is not None and origin == PLAN:
            self.options.sequence.check(registry)
        if self.flow is not None:
            from rtfs.host.flow.control import RunControl

            if origin == PLAN:  # what is loaded may declare what a rule is about
                self.flow.check(registry)
            assert self.kept_labels is not None
            run.flow = RunControl(self.flow, self.kept_labels, options.author, options.inputs)
        run.output = options.output or self.options.output
        return run

    def new_frame(self, run: Run, options: RunOptions, source: Source | None) -> Frame:
        """The frame of a run's program, and the run's beginning in the ledger."""
        own = self.options
        if self._layers[0] is not self.grants:
            self._layers = (self.grants,)
        values = {**own.context, **options.context} if options.context else own.context
        context = RuntimeContext(
            principal=options.principal or own.principal,
            plan_id=text_of(values, "plan-id"),
            intent_id=text_of(values, "intent-id"),
            grants=self._layers if options.allow is None else (*self._layers, options.allow),
            level=own.level,
            values=values,
            quota=self.rules.quota(own.max_calls),
            run_id=options.run_id or urandom(6).hex(),
        )
        name = "" if source is None else source.name
        flow = None if run.flow is None else run.flow.program()
        detail = "" if source is None else "source " + self.events.ledger.fingerprint(source.text)
        frame = Frame(run, context, self.events.emit(RunStarted(context, name, detail, run.origin != PLAN)))
        frame.flow = flow
        return frame

    def fresh(self) -> tuple[Registry, Callable[[], Environment]]:
        """The starting environment of a durable run: the loaded declarations and definitions."""
        if self._guests is not None:
            return self.registry.snapshot(), lambda: self.environment
        environment = self._without_plans().snapshot()
        return self.registry.snapshot(), lambda: environment

    def _without_plans(self) -> Environment:
        """The environment with what was loaded, and nothing that plans defined."""
        if not self._ran_plans:
            return self._with_macros(self.environment)
        clean, count = self._clean
        if clean is None:
            from rtfs.host.bundled.prelude import new_environment

            clean = new_environment(self.options.module_path)
        for source, origin in self.loaded[count:]:
            run = self.new_run(PLAIN, self.registry.snapshot(), lambda: clean, origin, False)
            self.drive(self.execute(source, self.new_frame(run, PLAIN, source)))
        self._clean = self._with_macros(clean), len(self.loaded)
        return clean

    def _with_macros(self, environment: Environment) -> Environment:
        """The same, with the standard macros: they are shared by its snapshots then."""
        with self.compiling:
            environment.core_macros()
        return environment

    def _for_snapshots(self, shared: bool) -> Callable[[], Environment]:
        """The environment as it is now, for a run that keeps its definitions to itself. shared: until it makes one, it
        may share it with others."""
        environment = self.environment
        with self.compiling:
            environment.core_macros()  # snapshots share them
            made = environment.shared_snapshot()
        if not shared:
            own = made.snapshot()
            return lambda: own
        if self._shared[0] is not made:
            self._shared = made, lambda: made
        return self._shared[1]

    def _note_plan(self) -> None:
        """A plan is about to define names in the environment of plain runs: remember what was there before."""
        if not self._ran_plans:
            if self.loaded:
                self._clean = self.environment.snapshot(), len(self.loaded)
            self._ran_plans = True

    def begin(self, source: Source, options: RunOptions, keep: bool, origin: int, breathe: bool) -> Frame:
        """The frame of a program's run, which begins. keep: whether its definitions are there in later runs."""
        if options.journaled:
            registry, language = self.fresh()
        elif self._guests is not None:
            registry, language = self.registry if keep else self.registry.snapshot(), lambda: self.environment
            if origin != PLAN and keep:
                source.library = True
                self.loaded.append((source, origin))
        elif not keep:
            registry, language = self.registry.snapshot(), self._for_snapshots(self.flow is None)
        else:
            registry, language = self.registry, lambda: self.environment
            if origin == PLAN:
                self._note_plan()
            else:
                source.library = True
                self.loaded.append((source, origin))
        run = self.new_run(options, registry, language, origin, breathe or options.journaled or not keep)
        run.shares = language is self._shared[1]
        if options.params is not None:
            from rtfs.compiler.forms.plan import GIVEN
            from rtfs.host.run.parameters import UNFITTED, parameters_for

            if self._guests is None:
                given = {GIVEN: parameters_for(source, run.environment, options.params)}
            else:
                given = {UNFITTED: options.params}  # its worker looks at the program
            options = options.replace(params=None, context={**options.context, **given})
        run.keep = keep and not options.journaled
        if origin != PLAN and run.keep and self._guests is not None:
            from rtfs.host.isolation.guests import key_of_load

            run.key = key_of_load(len(self.loaded) - 1)
        frame = self.new_frame(run, options, source)
        if options.journaled:
            from rtfs.host.durable.execution import Durable
            from rtfs.host.durable.resume import opening, recorded

            if options.durable:
                made = opening(self.store, source, frame, options, self.rules, self.loaded, self.shell)
                run.durability = Durable(made)
            else:
                run.durability = recorded(source, frame, options.record, options.replay)
        return frame

    # ------------------------------------------------------------------ one run
    def execute(self, source: Source, frame: Frame) -> Coroutine[Any, Any, Any]:
        """Compile and run a program, within its time; awaited, its value. Raises UserError and Stop."""
        timeless = frame.run.budget.deadline is None
        return self.compile_and_run(source, frame) if timeless else self._in_time(source, frame)

    async def _in_time(self, source: Source, frame: Frame) -> Any:
        run = frame.run
        seconds = run.budget.remaining() or 0.0

        def remaining() -> float:
            left = run.budget.remaining()
            return (left or 0.0) + (0.0 if run.guest is None else run.guest.grace)

        return await Within(max(seconds, 0.0), self.compile_and_run(source, frame), run.budget.late, remaining)

    async def compile_and_run(self, source: Source, frame: Frame) -> Any:
        """Compile a program, and have its journaling carry it out; in a worker process where the runtime is
        isolated."""
        run = frame.run
        program = None
        try:
            if self._guests is not None:
                from rtfs.host.isolation.running import run_apart

                value = await run_apart(self, run.guests or self._guests, source, frame)
            else:
                program = compiling.known_program(source, run, self.compiling)
                if program is None:
                    program = await compiling.compile_program(source, run, self.compiling)
                value = await compiling.carried_out(program, frame)
        except BaseException as error:
            if program is not None and isinstance(error, UserError):
                from rtfs.machine.errors.refine import refine_error

                refine_error(error)
            record_end(frame, self.pipeline.sessions, error)
            raise
        record_end(frame, self.pipeline.sessions, None)
        return value

    async def recorded(self, running: Any, frame: Frame) -> Any:
        """Await something as a run between its two ledger records."""
        try:
            value = await running
        except BaseException as error:
            record_end(frame, self.pipeline.sessions, error)
            raise
        record_end(frame, self.pipeline.sessions, None)
        return value


def _as_cancelled(error: BaseException) -> BaseException:
    """A task that was cancelled ends its run like `RunHandle.cancel`."""
    from asyncio import CancelledError

    return Cancelled() if isinstance(error, CancelledError) else error
