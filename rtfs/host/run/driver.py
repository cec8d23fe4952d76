"""The driver: runs machines and answers their host calls, as fibers of one scheduler.

Must not know what a capability is: `call` goes to the pipeline. Invariants: every host call of a machine is answered
exactly once; a machine that is given up is closed; steps are recorded where they begin and where they end, also when an
error or a cancellation ends them.
"""

from __future__ import annotations

from rtfs.host.redaction import named
from rtfs.host.scheduler.suspensions import Gather, Turn
from rtfs.machine import DEFAULT_LIMITS, RequiresHost, start_call
from rtfs.machine.limits import Budget
from rtfs.values import HostError, LimitError, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.audit.ledger import Ledger
    from rtfs.host.calls.pipeline import Pipeline
    from rtfs.host.durable.execution import Durable
    from rtfs.host.held import HeldCall
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.machine import Complete, HostCall, Limits

NESTING = 64
"""How deep implementations and parallel branches may nest."""
WIDTH = 16
"""How many branches of one `step-parallel` run at the same time."""


class Run:
    """What all machines of one run share; `budget`: what they may use up together. language: answers the
    environment. origin: whose declarations its `(capability …)` forms are. breathe: whether machines let others
    have their turn now and then."""

    __slots__ = (
        "_language",
        "breathe",
        "budget",
        "journal",
        "ledger",
        "limits",
        "origin",
        "pipeline",
        "registry",
        "warn",
        "width",
    )

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        registry: Registry,
        language: Callable[[], Environment],
        limits: Limits | None,
        *,
        origin: int,
        warn: Callable[[str, Any], None],
        breathe: bool = False,
        width: int = WIDTH,
    ) -> None:
        self.pipeline = pipeline
        self.ledger = ledger
        self.registry = registry
        self._language = language
        self.limits = limits
        self.budget = Budget(limits or DEFAULT_LIMITS)
        self.origin = origin
        self.journal: Durable | None = None
        self.warn = warn
        self.breathe = breathe
        self.width = width

    @property
    def deadline(self) -> float | None:
        """When the run's time is over, of time.monotonic(), or None."""
        return self.budget.deadline

    @property
    def environment(self) -> Environment:
        """Where functions run; made when the first one does."""
        return self._language()


class Frame:
    """One machine of a run: its context, the ledger number it stands under, how deep it is nested, and its place in the
    run: `path` is that of the call that started it with the number of the machine, "" for the program itself; it is
    the same in every replay. held: the call under way, in a durable run."""

    __slots__ = ("_calls", "_machines", "context", "depth", "held", "parent", "path", "run", "steps")

    def __init__(self, run: Run, context: RuntimeContext, parent: int, depth: int = 0, path: str = "") -> None:
        self.run = run
        self.context = context
        self.parent = parent
        self.depth = depth
        self.path = path
        self.held: HeldCall | None = None
        self.steps: list[tuple[int, str]] = []
        self._calls = 0
        self._machines = 0

    def inner(self, parent: int | None = None) -> Frame:
        """The frame of a machine that this one starts. Raises LimitError `limit/nesting`."""
        if self.depth >= NESTING:
            raise LimitError("limit/nesting", f"implementations and branches are nested deeper than {NESTING}")
        self._machines += 1
        path = self.path if not self._calls else f"{self.path}.{self._calls}" if self.path else str(self._calls)
        above = self.parent if parent is None else parent
        return Frame(self.run, self.context, above, self.depth + 1, f"{path}.{self._machines}")

    def next_path(self) -> str:
        """The path of the next call (or group of branches) of this machine: `3`, `3.1.2`."""
        self._calls += 1
        self._machines = 0
        return f"{self.path}.{self._calls}" if self.path else str(self._calls)


async def drive(outcome: Complete | RequiresHost, frame: Frame) -> Any:
    """Run a machine to its end; its value. Raises what the program raised (UserError)."""
    perform = frame.run.pipeline.perform
    try:
        while outcome.__class__ is RequiresHost:
            call = outcome.call
            failure: UserError | None = None
            value: Any = None
            try:
                value = await (perform(call, frame) if call.kind == "call" else _other(call, frame))
            except UserError as error:
                failure = error
            except BaseException:
                outcome.close()
                raise
            if failure is None:
                outcome = outcome.resume(value)
            else:
                outcome = outcome.throw(failure)
        return outcome.value  # type: ignore[union-attr]
    finally:
        if frame.steps:
            _abandon_steps(frame)


async def call_function(function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
    """Call an RTFS function in a machine of its own, under `frame`'s context."""
    run = frame.run
    return await drive(start_call(run.environment, function, arguments, run.limits, run.breathe, run.budget), frame)


async def parallel(thunks: tuple[Any, ...], frame: Frame, grouped: bool = True) -> Any:
    """Call functions of no arguments concurrently, each in a machine of its own; a Vector of their values in order.
    grouped: whether this counts among the calls of `frame`."""
    run = frame.run
    if grouped and run.journal is not None:
        frame.next_path()

    def maker(number: int, thunk: Any) -> Callable[[], Coroutine[Any, Any, Any]]:
        return lambda: _branch(number, thunk, frame.inner())

    return Vector(await Gather([maker(number, thunk) for number, thunk in enumerate(thunks, 1)], run.width))


async def _branch(number: int, thunk: Any, frame: Frame) -> Any:
    """Whatever is recorded of a branch stands under a record of its own: how branches mix is a matter of time, what is
    in each is not."""
    run, context = frame.run, frame.context
    frame.parent = run.ledger.append("branch", context.run_id, frame.parent, str(number), context.principal, "")
    try:
        return await drive(start_call(run.environment, thunk, (), run.limits, True, run.budget), frame)
    except UserError as error:
        if run.journal is not None:
            await run.journal.branch_failed(frame, error)
        raise


async def _other(call: HostCall, frame: Frame) -> Any:
    """Everything that a machine asks for besides capability calls."""
    kind = call.kind
    run = frame.run
    if kind == "breathe":
        if run.journal is not None:
            await run.journal.breathe()
        await Turn()
        return None
    if kind == "context":
        return frame.context.values.get(call.id)
    if kind == "step-enter":
        context = frame.context
        detail = named(_step_detail(call.args[0] if call.args else None))
        name = named(call.id)
        seq = run.ledger.append("step", context.run_id, frame.parent, name, context.principal, detail)
        frame.steps.append((frame.parent, name))
        frame.parent = seq
        return None
    if kind == "step-leave":
        _leave_step(frame, call.args[0] if call.args else "ok")
        return None
    if kind == "parallel":
        return await parallel(call.args, frame)
    if kind == "capability":
        return run.pipeline.declare(call, frame)
    raise HostError(f"the host does not know the request {kind!r}", code="capability/unknown")


def _leave_step(frame: Frame, status: str) -> None:
    if frame.steps:
        parent, name = frame.steps.pop()
        context = frame.context
        frame.run.ledger.append("leave", context.run_id, frame.parent, name, context.principal, status)
        frame.parent = parent


def _abandon_steps(frame: Frame) -> None:
    while frame.steps:
        _leave_step(frame, "abandoned")


def _step_detail(options: Any) -> str:
    """The names of a step's parameters and its context options; never their values."""
    if options is None or not len(options):
        return ""
    from rtfs.values import Keyword, Map

    parts = []
    for key, value in options.items():
        name = key.name if key.__class__ is Keyword else str(key)
        if value.__class__ is Map:
            parts.append(name + "=" + ",".join(k.name if k.__class__ is Keyword else str(k) for k in value))
        elif value is True or value is False:
            parts.append(f"{name}={'true' if value else 'false'}")
        else:
            parts.append(name)
    return " ".join(parts)
