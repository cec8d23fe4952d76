"""`Run` and `Frame`: what the machines of one run share, and what each of them is.

Must not know how calls are performed or journaled: a run holds a `Performer` and a `Durability`. Invariant: the path
of a call is the same in every replay of its run.
"""

from __future__ import annotations

from rtfs.host.run.durability import NOT_DURABLE
from rtfs.machine import DEFAULT_LIMITS
from rtfs.machine.limits import Budget
from rtfs.values import LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Protocol

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.compiler.gate import Gate
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Tag
    from rtfs.host.audit.events import Events
    from rtfs.host.flow.control import RunControl
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.run.durability import Durability
    from rtfs.machine import HostCall, Limits

    class Noting(Protocol):
        """A journaled call, as the code that performs it sees it."""

        @property
        def remembered(self) -> str | None:
            """The note that an earlier attempt has left, or None."""

        async def remember(self, text: str) -> None:
            """Leave a note; returns when it is written."""

    class Performer(Protocol):
        """The interface that answers the capability calls and declarations of a run."""

        def perform(self, call: HostCall, frame: Frame) -> Coroutine[Any, Any, Any]:
            """The value of a call; raises UserError."""

        def at_once(self, call: HostCall, frame: Frame) -> Any:
            """The value of a call that waits for nothing, else a coroutine of it; raises UserError."""

        def facts(self, call: HostCall, frame: Frame, key: str | None) -> str:
            """The facts about a call's arguments that its record keeps. key: the key under which the call may be
            repeated."""

        def declare(self, call: HostCall, frame: Frame) -> str:
            """Register a `(capability …)` form; its id."""

    class Guest(Protocol):
        """The machines of a run, in another process."""

        types: Callable[[str], Any]

        @property
        def grace(self) -> float:
            """Seconds that they may have beyond the run's time."""

        def line(self, filename: str, at: int) -> int | None:
            """The line of a place that a value went through, or None."""

        async def call_function(self, function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
            """Call a function in a new machine."""

        async def parallel(self, functions: tuple[Any, ...], frame: Frame) -> Any:
            """Call functions concurrently; a Vector of their values."""


NESTING = 64
"""How deep implementations and parallel branches may nest."""
WIDTH = 16
"""How many branches of one `step-parallel` run at the same time."""


_NONE: Any = []
"""The list of a frame that has none of its own yet; never changed. A thousand plans may wait with nothing in theirs."""


_NOTHING_REPLAYED: frozenset[str] = frozenset()


class Run:
    """State that all machines of one run share.

    `performer`: answers its calls. `durability`: journals them. `events`: is told what happens.

    `registry`, `environment`: what the run sees and declares in; the environment is made when the first function runs.

    `budget`: what its machines may use up together, of `limits`.

    `origin`: whose declarations its `(capability …)` forms are.

    `output`: takes the text that it prints and logs; None: standard output and error.

    `breathe`: whether its machines let others have their turn now and then.

    `gate`: looks at the program before its first step, or None.

    `flow`: the flow rules and labels of the run, or None.

    `width`: how many branches of one `step-parallel` run at the same time.

    `guest`: the talk with the worker process that its machines are in, or None where they are in this one. `guests`:
    the workers of which it gets one, None for those of its runtime.

    `keep`: whether its definitions are there in later runs. `key`: of a loaded text, by which workers know its
    declarations; else "".

    `files`: finds and reads the files of its modules, or None: they are on this machine.

    `shares`: whether its environment is shared with other runs, so that nothing may be defined there.

    `replayed`: ids of the capabilities whose calls were answered from the record and not made in this process.
    """

    __slots__ = (
        "_language",
        "breathe",
        "budget",
        "durability",
        "events",
        "files",
        "flow",
        "gate",
        "guest",
        "guests",
        "keep",
        "key",
        "limits",
        "origin",
        "output",
        "performer",
        "registry",
        "replayed",
        "shares",
        "warn",
        "width",
    )

    def __init__(
        self,
        performer: Performer,
        events: Events,
        registry: Registry,
        language: Callable[[], Environment],
        limits: Limits | None,
        *,
        origin: int,
        warn: Callable[[str, Any], None],
        breathe: bool = False,
        width: int = WIDTH,
        gate: Gate | None = None,
    ) -> None:
        self.gate = gate
        self.performer = performer
        self.events = events
        self.registry = registry
        self._language = language
        self.limits = limits
        self.budget = Budget(limits or DEFAULT_LIMITS)
        self.origin = origin
        self.durability: Durability = NOT_DURABLE
        self.output: Callable[[str], object] | None = None
        self.warn = warn
        self.breathe = breathe
        self.width = width
        self.files: Any = None
        self.replayed = _NOTHING_REPLAYED
        self.flow: RunControl | None = None
        self.guest: Guest | None = None
        self.guests: Any = None
        self.keep = False
        self.shares = False
        self.key = ""

    @property
    def deadline(self) -> float | None:
        """The time at which the run must end, as of time.monotonic(), or None."""
        return self.budget.deadline

    @property
    def environment(self) -> Environment:
        """The environment in which functions run."""
        return self._language()

    def part(self) -> None:
        """Make later definitions of the run in a new environment, which starts as a copy of the shared one."""
        own = self._language().snapshot()
        self._language = lambda: own
        self.shares = False

    @property
    def types(self) -> Callable[[str], Any]:
        """Finds the program's own types by their names."""
        if self.guest is not None:
            return self.guest.types
        return self.environment.resolve_type(self.environment.module("user"))


class Frame:
    """One machine of a run.

    `context`: on whose behalf and with which rights it makes calls.

    `parent`: number of the ledger record that its records belong to.

    `depth`: how deep it is nested.

    `path`: its place in the run: that of the call that started it with the number of the machine, "" for the program.

    `steps`: the open steps, as (parent before, name).

    `contexts`: what `context` was before each open `with-context`.

    `idempotency_key`: of the call it is making, in a durable run; else None. `journaled`: that call as the journal sees
    it, likewise.

    `outer`: the frame that started it, or None.

    `machine`: what is driven, once it has asked for something.

    Under flow rules: `flow`: the labels of its machine. `argument_tags`: of the call it is making. `implemented`: the
    tags of what machines did for that call, each with whether it is that of the answer. `looks_up`: whether a flow rule
    makes its calls, which are not decided about by others.
    """

    __slots__ = (
        *(
            "_calls",
            "_machines",
            "argument_tags",
            "context",
            "contexts",
            "depth",
            "flow",
            "idempotency_key",
            "implemented",
            "journaled",
            "looks_up",
            "machine",
            "outer",
            "parent",
            "path",
            "run",
        ),
        "steps",
    )

    def __init__(
        self, run: Run, context: RuntimeContext, parent: int, depth: int = 0, path: str = "", outer: Frame | None = None
    ) -> None:
        self.run = run
        self.context = context
        self.parent = parent
        self.depth = depth
        self.path = path
        self.idempotency_key: str | None = None
        self.journaled: Noting | None = None
        self.outer = outer
        self.machine: Any = None
        self.steps: list[tuple[int, str]] = _NONE
        self.contexts: list[RuntimeContext] = _NONE
        self._calls = 0
        self._machines = 0
        self.flow: FlowState | None = None
        self.argument_tags: list[Tag] = _NONE if run.flow is None else []
        self.implemented: list[tuple[Tag, bool]] = _NONE if run.flow is None else []
        self.looks_up = False

    def enter_step(self, name: str, number: int) -> None:
        """A step begins. number: of its record."""
        if not self.steps:
            self.steps = []
        self.steps.append((self.parent, name))
        self.parent = number

    def enter_context(self, context: RuntimeContext) -> None:
        """A `with-context` begins, with this context."""
        if not self.contexts:
            self.contexts = []
        self.contexts.append(self.context)
        self.context = context

    def inner(self, parent: int | None = None) -> Frame:
        """The frame of a machine that this one starts. Raises LimitError `limit/nesting`."""
        if self.depth >= NESTING:
            raise LimitError("limit/nesting", f"implementations and branches are nested deeper than {NESTING}")
        self._machines += 1
        path = self.path if not self._calls else f"{self.path}.{self._calls}" if self.path else str(self._calls)
        above = self.parent if parent is None else parent
        made = Frame(self.run, self.context, above, self.depth + 1, f"{path}.{self._machines}", self)
        if self.flow is not None and self.run.flow is not None:
            made.flow = self.run.flow.inner(self.flow)
            made.looks_up = self.looks_up
        return made

    def next_path(self) -> str:
        """The path of the next call (or group of branches) of this machine: `3`, `3.1.2`."""
        self._calls += 1
        self._machines = 0
        return f"{self.path}.{self._calls}" if self.path else str(self._calls)
