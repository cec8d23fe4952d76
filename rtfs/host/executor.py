"""How a `Runtime` carries out a program: compiled, between its two ledger records, within its time, durable or not; and
how it resumes one.

Must not know how calls are performed. Invariants: a run has a beginning and an end in the ledger, whatever ends it; a
durable run starts from what was loaded, never from what other runs defined.
"""

from __future__ import annotations

from rtfs.capabilities.providers.state import InMemory
from rtfs.host.audit.ledger import Ledger
from rtfs.host.policy.protected_files import OwnFiles
from rtfs.host.scheduler.suspensions import Within
from rtfs.host.sqlite import check_mode
from rtfs.host.stop import Stop
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from rtfs.capabilities.providers.state import Values
    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.policy.grants import Grants
    from rtfs.host.run.driver import Frame, Run
    from rtfs.machine import Limits
    from rtfs.source import Source


def open_ledger(path: str | Path | None, durability: str) -> Ledger:
    """The ledger in a file, or in memory for None. Raises HostError `ledger/…`, `config/durability`."""
    check_mode(durability)
    if path is None:
        return Ledger()
    from rtfs.host.audit.sqlite_ledger import StoredLedger

    return StoredLedger(str(path), durability)


def _stored(path: str, durability: str) -> Values:
    """The values of the key-value store, in a file."""
    from rtfs.host.bundled.kv_file import InFile

    return InFile(path, durability)


class Programs:
    """What `Runtime` knows about running programs. `_loaded`: the texts it has loaded, with their origins. `_used`:
    whether a plan has been run that may have left definitions."""

    ledger: Ledger

    if TYPE_CHECKING:
        _compiling: Any
        _grants: Grants
        _level: str
        _on_warning: Callable[[str, Any], None] | None
        _module_path: tuple[str, ...]
        _principal: str
        _registry: Registry
        _used: bool

        @property
        def environment(self) -> Environment: ...
        def _adrive(self, coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]: ...
        def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any: ...
        def _may_run(self) -> None: ...
        def _new_run(
            self,
            registry: Registry,
            language: Callable[[], Environment],
            origin: int,
            limits: Limits | Mapping[str, Any] | None,
            timeout: float | None,
            breathe: bool,
        ) -> Run: ...
        def _frame(
            self,
            run: Run,
            context: Mapping[str, Any] | None,
            principal: str | None,
            run_id: str | None,
            allow: Iterable[str] | None,
            source: Source | None,
        ) -> Frame: ...

    def resume(
        self,
        run_id: str,
        *,
        retry: bool = False,
        assume_failed: bool = False,
        result: Any = ...,
        call: str | None = None,
        accept_changes: bool = False,
        limits: Limits | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | None = None,
    ) -> Any:
        """Go on with a durable run; its value. What was recorded is answered from the record; a run that had ended
        gives its value or raises its error again.

        retry, assume_failed, result: what to do about a call whose outcome nobody knows; call: which one, as the error
        names it, where there are several. accept_changes: replay although a file or a version is not what it was.
        limits, timeout, allow: as in `run`. Raises HostError `run/unknown`, `run/active`, `run/in-doubt`,
        `run/divergence`, `run/unwritable`, `run/damaged`, and what the program raises.
        """
        from rtfs.host.durable.resume import Resumption, resolution

        self._may_run()
        how = resolution(retry, assume_failed, result, call)
        found = Resumption(self, run_id, how, accept_changes, allow)
        return found.outcome() if found.ended else self._drive(found.begin(limits, timeout))

    async def aresume(
        self,
        run_id: str,
        *,
        retry: bool = False,
        assume_failed: bool = False,
        result: Any = ...,
        call: str | None = None,
        accept_changes: bool = False,
        limits: Limits | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        allow: Iterable[str] | None = None,
    ) -> Any:
        """`resume`, within the running event loop."""
        from rtfs.host.durable.resume import Resumption, resolution

        self._may_run()
        how = resolution(retry, assume_failed, result, call)
        found = Resumption(self, run_id, how, accept_changes, allow)
        return found.outcome() if found.ended else await self._adrive(found.begin(limits, timeout))

    def _remember(self, state: str | Path | None, durability: str, kv: str | Path | None) -> None:
        """Where durable runs and the key-value store are kept, and what they survive; and that nothing has been loaded
        yet."""
        self._kv: Values = InMemory() if kv is None else _stored(str(kv), durability)
        self.warnings: list[tuple[str, Any]] = []
        files = [str(file) for file in (kv, getattr(self.ledger, "path", None)) if file is not None]
        self._state = None if state is None else str(state)
        self._own = OwnFiles(files, self._state)
        self._durability = durability
        self._loaded: list[tuple[Source, int]] = []
        self._used = False
        self.shell: dict[str, Any] = {}
        """What a command line needs to set up such a runtime again; kept with durable runs."""

    def _warn(self, message: str, span: Any) -> None:
        if len(self.warnings) < 1000:
            self.warnings.append((message, span))
        if self._on_warning is not None:
            self._on_warning(message, span)

    def _note(self, source: Source, origin: int) -> None:
        if origin == 0:
            self._used = True
        else:
            source.library = True
            self._loaded.append((source, origin))

    def _durably(
        self,
        source: Source,
        context: Mapping[str, Any] | None,
        principal: str | None,
        limits: Limits | Mapping[str, Any] | None,
        run_id: str | None,
        timeout: float | None,
        allow: Iterable[str] | None,
        record: str | Path | None,
        replay: str | Path | None,
    ) -> Coroutine[Any, Any, Any]:
        """A durable, recorded or replayed run, ready to be driven."""
        from rtfs.host.durable.resume import beginning, recorded

        self._may_run()
        registry, language = self._fresh()
        run = self._new_run(registry, language, 0, limits, timeout, breathe=True)
        frame = self._frame(run, context, principal, run_id, allow, source)
        if record is None and replay is None:
            run.journal = beginning(self, source, frame)
        else:
            files = (None if path is None else str(path) for path in (record, replay))
            run.journal = recorded(source, frame, *files)
        return self._program(source, frame)

    # ------------------------------------------------------------------ one run
    async def _program(self, source: Source, frame: Frame) -> Any:
        running = self._recorded(self._execute(source, frame), frame)
        budget = frame.run.budget
        seconds = budget.remaining()
        if seconds is None:
            return await running
        return await Within(max(seconds, 0.0), running, budget.late, budget.remaining)

    async def _execute(self, source: Source, frame: Frame) -> Any:
        from rtfs.compiler import compile_source
        from rtfs.host.run.driver import drive
        from rtfs.machine import start

        run = frame.run
        environment = run.environment
        with self._compiling:
            program = compile_source(source, environment, module="user")

        async def begin() -> Any:
            try:
                return await drive(start(program, run.limits, run.breathe, run.budget), frame)
            except UserError as error:
                from rtfs.machine.errors.refine import point

                point(error)
                raise

        return await (begin() if run.journal is None else run.journal.carry_out(begin, environment))

    async def _recorded(self, running: Any, frame: Frame) -> Any:
        """A run between its two ledger records."""
        context, ledger = frame.context, self.ledger
        status = "cancelled"
        try:
            value = await running
            status = "ok"
            return value
        except UserError as error:
            status = f"error: {error.code}"
            raise
        except Stop as stopped:
            status = f"stopped: {stopped.error.code}"
            raise
        finally:
            ledger.append("end", context.run_id, frame.parent, "", context.principal, status)

    def _fresh(self) -> tuple[Registry, Callable[[], Environment]]:
        """What a durable run starts from: the definitions and declarations that were loaded."""
        registry = self._registry.snapshot()
        if not self._used:
            environment = self.environment.snapshot()
        else:
            from rtfs.host.bundled.prelude import new_environment

            environment = new_environment(self._module_path)
            for source, origin in self._loaded:
                run = self._new_run(registry, lambda: environment, origin, None, None, breathe=False)
                self._drive(self._program(source, self._frame(run, None, None, None, None, source)))
        return registry, lambda: environment
