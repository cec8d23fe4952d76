"""How a `Runtime` carries out a program: compiled, between its two ledger records, within its time, durable or not; and
how it resumes one.

Must not know how calls are performed. Invariants: a run has a beginning and an end in the ledger, whatever ends it; a
durable run starts from what was loaded, never from what other runs defined; a resumed one has the inputs that it began
with and at most the rights of both moments.
"""

from __future__ import annotations

from rtfs.host.stopping import Stop
from rtfs.host.waits import Within
from rtfs.values import LimitError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.driver import Frame, Run
    from rtfs.host.grants import Grants
    from rtfs.host.ledger import Ledger
    from rtfs.machine import Limits
    from rtfs.source import Source


class Programs:
    """What `Runtime` knows about running programs. `_loaded`: the texts it has loaded, with their origins. `_used`:
    whether a plan has been run that may have left definitions."""

    if TYPE_CHECKING:
        ledger: Ledger
        environment: Environment
        _compiling: Any
        _durability: str
        _grants: Grants
        _level: str
        _limits: Limits | None
        _loaded: list[tuple[Source, int]]
        _max_calls: int | None
        _module_path: tuple[str, ...]
        _registry: Registry
        _state: str | None
        _used: bool
        _width: int

        def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any: ...
        def _may_run(self) -> None: ...
        def _new_run(self, *arguments: Any, **named: Any) -> Run: ...
        def _frame(self, *arguments: Any) -> Frame: ...

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
        names it. accept_changes: replay although a file or a version is not what it was. limits, timeout, allow: as in
        `run`. Raises HostError `run/unknown`, `run/active`, `run/in-doubt`, `run/divergence`, `run/unwritable`,
        `run/damaged`, and what the program raises.
        """
        from rtfs.host.resuming import resumption

        self._may_run()
        found = resumption(self, run_id, _resolution(retry, assume_failed, result, call), accept_changes, allow)
        if found.ended:
            return found.outcome()
        return self._drive(found.begin(limits, timeout))

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
        from rtfs.host.resuming import resumption

        self._may_run()
        found = resumption(self, run_id, _resolution(retry, assume_failed, result, call), accept_changes, allow)
        if found.ended:
            return found.outcome()
        return await self._adrive(found.begin(limits, timeout))

    async def _adrive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        raise NotImplementedError

    # ------------------------------------------------------------------ one run
    async def _program(self, source: Source, frame: Frame, timeout: float | None) -> Any:
        running = self._recorded(self._execute(source, frame), frame)
        if timeout is None:
            return await running

        def late() -> LimitError:
            return LimitError("limit/time", f"the run took longer than {timeout:g} s")

        return await Within(timeout, running, late)

    async def _execute(self, source: Source, frame: Frame) -> Any:
        from rtfs.compiler import compile_source
        from rtfs.host.driver import drive
        from rtfs.machine import start

        run = frame.run
        environment = run.environment
        with self._compiling:
            program = compile_source(source, environment, module="user")

        def begin() -> Coroutine[Any, Any, Any]:
            return drive(start(program, run.limits, run.breathe), frame)

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
            from rtfs.host.language import new_environment

            environment = new_environment(self._module_path)
            for source, origin in self._loaded:
                run = self._new_run(registry, lambda: environment, origin, None, None, breathe=False)
                self._drive(self._program(source, self._frame(run, None, None, None, None, source), None))
        return registry, lambda: environment


def _resolution(retry: bool, assume_failed: bool, result: Any, call: str | None) -> Any:
    from rtfs.host.arguments import value_of
    from rtfs.host.durable import Resolution
    from rtfs.values import HostError

    given = [name for name, is_given in (("retry", retry), ("failed", assume_failed), ("result", result is not ...)) if is_given]
    if len(given) > 1:
        raise HostError("a call is made again, taken for failed or given a result: one of them", code="argument/invalid")
    return Resolution(given[0] if given else "ask", None if result is ... else value_of(result), call)
