"""The machine: runs compiled code in a greenlet, which stops for the host and goes on.

Knows nothing of asyncio, network or files. Invariant: guest code runs only between `_enter` and the switch back, with
its own step iterator and recursion limit in place; pure code pays nothing for being able to stop.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from contextvars import copy_context
from itertools import repeat
from time import monotonic

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped,unused-ignore]

from rtfs.builtins.calling import call_with
from rtfs.compiler.compile import Program
from rtfs.compiler.environment import Environment
from rtfs.compiler.module import function_of
from rtfs.machine.limits import DEFAULT_LIMITS, EXPANSION_LIMITS, Limits
from rtfs.machine.outcome import Complete, HostCall, Outcome, RequiresHost
from rtfs.machine.recursion import raise_limit, restore_limit
from rtfs.machine.translate import translate
from rtfs.values.error import InternalError, LimitError, UserError, uncatchable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.unit import Unit

# Steps between two looks at the clock and at the driver: about a millisecond of plain code.
SLICE = 20_000

# Python frames that one level of RTFS recursion may take (`map` and the function it is given: two; more in chains).
FRAMES_PER_LEVEL = 4
FRAMES_OF_OURS = 400

# Machines started within machines (macros that expand macros, capabilities written in RTFS) are nested on the C stack.
MAX_NESTED = 250


class Guest(greenlet):  # type: ignore[misc,unused-ignore]
    """The greenlet of a machine. Its parent is whoever resumes it."""

    machine: Machine


class Machine:
    """One run of a program or function."""

    __slots__ = (
        "breathe",
        "core",
        "deadline",
        "environment",
        "guest",
        "left",
        "limits",
        "main",
        "nesting",
        "thread",
        "ticks",
    )

    def __init__(self, environment: Environment, main: Callable[[], Any], limits: Limits | None, breathe: bool) -> None:
        self.environment = environment
        self.core = environment.core
        self.limits = limits or DEFAULT_LIMITS
        self.main = main
        self.breathe = breathe
        self.left = self.limits.steps
        self.ticks: Any = repeat(None, 0)
        self.deadline = monotonic() + self.limits.seconds if self.limits.seconds is not None else None
        self.guest: Guest | None = None
        self.nesting = 0
        self.thread = get_ident()

    # ------------------------------------------------------------------ switching
    def start(self) -> Outcome:
        outer = getcurrent()
        if outer.__class__ is Guest:
            self.nesting = outer.machine.nesting + 1
            if self.nesting > MAX_NESTED:
                raise LimitError(
                    "limit/nesting",
                    f"more than {MAX_NESTED} programs run within each other",
                    hint="does a macro expand itself while it runs?",
                )
        guest = Guest(self._run)
        guest.machine = self
        guest.gr_context = copy_context()
        self.guest = guest
        self._next_slice()
        return self._switch(guest.switch)

    def resume(self, value: Any) -> Outcome:
        assert self.guest is not None
        self.guest.parent = getcurrent()
        return self._switch(self.guest.switch, value)

    def throw(self, error: BaseException) -> Outcome:
        assert self.guest is not None
        self.guest.parent = getcurrent()
        return self._switch(self.guest.throw, error)

    def close(self) -> None:
        guest, self.guest = self.guest, None
        if guest is not None and not guest.dead:
            guest.parent = getcurrent()
            guest.throw()

    def _switch(self, switch: Any, *arguments: Any) -> Outcome:
        """Run the guest until it asks for something or ends."""
        core = self.core
        outside = core.get(" ticks")
        core[" ticks"] = self.ticks
        raise_limit(self.limits.depth * FRAMES_PER_LEVEL + FRAMES_OF_OURS)
        try:
            result = switch(*arguments)
        except BaseException as error:
            self.guest = None
            raise self._failure(error) from error.__cause__
        finally:
            self.ticks = core[" ticks"]
            core[" ticks"] = outside
            restore_limit()
        if result.__class__ is HostCall:
            return RequiresHost(result, self)
        self.guest = None
        return Complete(result)

    def _run(self) -> Any:
        try:
            return self.main()
        except GreenletExit:
            return None

    def _failure(self, error: BaseException) -> BaseException:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            return error
        return translate(error, self.environment.units)

    # ------------------------------------------------------------------ steps
    def _next_slice(self) -> None:
        size = SLICE
        if self.left is not None:
            if self.left <= 0:
                raise LimitError(
                    "limit/steps",
                    f"the program took more than {self.limits.steps:,} steps",
                    hint="raise the limit if it is meant to run that long",
                )
            size = min(SLICE, self.left)
            self.left -= size
        self.ticks = self.core[" ticks"] = repeat(None, size)

    def refill(self) -> None:
        """Called by guest code whose step iterator is used up."""
        if self.core[" ticks"].__length_hint__() > 0:
            return  # an outer loop still held the iterator of an earlier slice
        if self.deadline is not None and monotonic() > self.deadline:
            raise LimitError("limit/time", f"the program ran longer than {self.limits.seconds:g} s")
        if self.breathe:
            assert self.guest is not None
            self.guest.parent.switch(HostCall("breathe", ""))
        self._next_slice()


# ---------------------------------------------------------------------- what generated code calls
def _machine() -> Machine:
    current = getcurrent()
    if current.__class__ is not Guest:
        raise InternalError("guest code runs outside of a machine")
    machine: Machine = current.machine
    return machine


def refill() -> None:
    _machine().refill()


def request(kind: str, id: str, args: tuple[Any, ...], hints: Any = None) -> Any:
    """Stop and hand the host a call; its answer is the value."""
    current = getcurrent()
    if current.__class__ is not Guest:
        raise InternalError("a host call outside of a machine")
    frame = sys._getframe(1)
    code, line = frame.f_code, frame.f_lineno
    units = current.machine.environment.units

    def place() -> Any:
        unit = units.get(code.co_filename)
        return unit.span(line - 1) if unit is not None else None

    return current.parent.switch(HostCall(kind, id, args, hints, place))


def caught(error: BaseException) -> UserError:
    """What a `catch` sees of an error; raises what no program may catch."""
    if isinstance(error, GreenletExit) or not isinstance(error, Exception):
        raise error
    found = translate(error, _machine().environment.units)
    if uncatchable(found) or not isinstance(found, UserError):
        raise found
    return found


HOOKS: dict[str, Any] = {" refill": refill, " request": request, " caught": caught, " ticks": repeat(None, 0)}


# ---------------------------------------------------------------------- programs
def run_unit(unit: Unit, environment: Environment) -> Any:
    """Run the steps of a unit in order, within a guest; the value of the last."""
    value: Any = None
    for step in unit.steps:
        module = environment.module(step.module)
        if step.kind == "code":
            value = function_of(step.code, module.globals)()
        elif step.kind == "import":
            name, alias, only = step.details
            target = environment.module(name)
            file = environment.files.get(name)
            if file is not None and not target.loaded:
                run_unit(file, environment)
            environment.bind_import(module, target, alias, only)
            value = None
        else:
            if step.kind == "exports":
                environment.check_exports(module)
            value = None
    return value


def start(program: Program, limits: Limits | None = None, breathe: bool = False) -> Outcome:
    """Run a program until it ends or asks the host for something.

    limits: steps, depth, seconds; the defaults if None. breathe: give control back (a "breathe" call) at each slice of
    steps. Raises UserError with place and trace if the program ends with an error.
    """
    environment, unit = program.environment, program.unit
    return Machine(environment, lambda: run_unit(unit, environment), limits, breathe).start()


def start_call(
    environment: Environment,
    function: Any,
    args: list[Any] | tuple[Any, ...] = (),
    limits: Limits | None = None,
    breathe: bool = False,
) -> Outcome:
    """Run a call of an RTFS function in a machine of its own."""
    return Machine(environment, lambda: call_with(function, args), limits, breathe).start()


def run_expansion(environment: Environment, function: Any, args: list[Any]) -> Any:
    """Call a macro's function: purely, within limits. Raises CompileError `macro/expansion` if it asks the host."""
    outcome = start_call(environment, function, args, EXPANSION_LIMITS)
    if isinstance(outcome, Complete):
        return outcome.value
    what = outcome.call.id or outcome.call.kind
    outcome.close()
    from rtfs.values.error import CompileError

    raise CompileError("macro/expansion", f"a macro is pure, but its expansion asked the host for `{what}`")


def new_environment(path: tuple[str, ...] = ()) -> Environment:
    """An environment whose macros run in machines."""
    environment = Environment(lambda function, args: run_expansion(environment, function, args), path, HOOKS)
    return environment
