"""The machine: runs compiled code in a greenlet, which stops for the host and continues.

Knows nothing of asyncio, network or files. Invariant: guest code runs only between `_enter` and the switch back, with
its own step iterator and recursion limit in place; pure code pays nothing for being able to stop.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from itertools import repeat
from time import monotonic

from greenlet import GreenletExit, getcurrent  # type: ignore[import-untyped,unused-ignore]

from rtfs.builtins.calling import call_with
from rtfs.builtins.collection_support import fresh_list
from rtfs.compiler.closures.frames import FILES
from rtfs.compiler.compile import Program
from rtfs.compiler.environment import Environment
from rtfs.compiler.module import CORE_MODULE, function_of
from rtfs.compiler.recursion_limit import raise_limit, restore_limit
from rtfs.machine import memory, remains
from rtfs.machine.errors.deep import is_crowded, is_deep
from rtfs.machine.errors.ending import ended_with
from rtfs.machine.errors.translate import too_deep, translate
from rtfs.machine.guest import ENDED, Guest, guest_for, leave
from rtfs.machine.guest_lock import end_turn, take_turn, yield_turn
from rtfs.machine.limits import DEFAULT_LIMITS, EXPANSION_LIMITS, Budget, Limits
from rtfs.machine.outcome import Complete, HostCall, Outcome, RequiresHost
from rtfs.syntax.collector import CollectorPaused
from rtfs.values.error import UNCATCHABLE, InternalError, LimitError, UserError, uncatchable
from rtfs.values.lazy import hooks, needs_itself, realised
from rtfs.values.step_account import account, paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.units.unit import Unit
    from rtfs.flow.state import FlowState
    from rtfs.values.lazy import Segment

# Steps between two looks at the clock: a millisecond or two, whatever a step costs. The first slices are short, since
# the cost is not known yet; a program of cheap steps has the longest from its ninth look on.
SLICE = 10_000
FIRST_SLICE = 64
SLICE_TIME = 0.002
CAUTION = 32
"""How many times as long as the slices of expensive steps those of cheap ones may be in the same machine: the next
expensive steps come without a warning."""
LARGE = 500_000
"""The charge of a standard function for a result so large that steps which use it are expensive: an integer of some
hundred thousand bits, which generated code adds and multiplies without a charge."""
FEW = 16
"""Machines of a run that are looked through, at most, for what takes long to free."""
BREATH = 0.005
"""Seconds after which a machine that shares its thread lets others have their turn."""

# Python frames that one level of RTFS recursion may take (`map` and the function it is given: two; more in chains).
FRAMES_PER_LEVEL = 4
FRAMES_OF_OURS = 400

# Machines started within machines (macros that expand macros, capabilities written in RTFS) are nested on the C stack.
MAX_NESTED = 250


PAUSED = CollectorPaused()
"""Python's collector while a program is deep in calls. Should they end with an error, there are hundreds of thousands
of frames at once, and it would look through them again and again; and what it finalizes runs on top of the calls: where
there is no room for one more, CPython ends the process."""


class Machine:
    """One run of a program or function: of `main` with `arguments`."""

    __slots__ = (
        "arguments",
        "breathe",
        "budget",
        "core",
        "deep",
        "environment",
        "flow",
        "frames",
        "guest",
        "limits",
        "longest",
        "main",
        "nesting",
        "slice",
        "sliced",
        "spent",
        "thread",
        "ticks",
    )

    def __init__(
        self,
        environment: Environment,
        main: Callable[..., Any],
        arguments: tuple[Any, ...],
        limits: Limits | None,
        breathe: bool,
        budget: Budget | None = None,
        flow: FlowState | None = None,
    ) -> None:
        self.environment = environment
        self.flow = flow
        self.core = environment.core
        self.limits = limits = limits or DEFAULT_LIMITS
        self.frames = limits.depth * FRAMES_PER_LEVEL + FRAMES_OF_OURS
        self.main = main
        self.arguments = arguments
        self.breathe = breathe
        self.budget = budget or Budget(limits)
        self.ticks: Any = repeat(None, 0)
        self.guest: Guest | None = None
        self.nesting = 0
        self.deep = False
        self.slice = FIRST_SLICE
        self.longest = SLICE
        self.sliced = 0.0
        self.spent = 0
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
        take_turn()
        try:
            self._next_slice()
        finally:
            end_turn()
        guest = self.guest = guest_for(self)
        return self._switch(guest.switch, None)

    def resume(self, value: Any) -> Outcome:
        assert self.guest is not None
        self.guest.parent = getcurrent()
        return self._switch(self.guest.switch, value)

    def throw(self, error: BaseException, call: HostCall) -> Outcome:
        """Go on with an error of `call`."""
        assert self.guest is not None
        if isinstance(error, UserError):
            error.arrival = (call, error.__traceback__, error.trace)
        self.guest.parent = getcurrent()
        try:
            return self._switch(self.guest.throw, error)
        finally:
            del error  # its traceback has this call

    def close(self, later: bool = False) -> None:
        """Give up the program. later: whether what it held is freed when the caller goes through `remains.pending`."""
        guest, self.guest = self.guest, None
        if guest is not None and not guest.dead:
            take_turn()
            if self.deep:
                PAUSED.__enter__()
            try:
                self._leave()
                if self._holds_much():
                    remains.keep(remains.of_frames(guest.gr_frame))
                guest.parent = getcurrent()
                guest.throw()
            finally:
                if self.deep:
                    PAUSED.__exit__()
                end_turn()
            if not later:
                for _ in remains.pending():
                    pass

    def _switch(self, switch: Any, given: Any) -> Outcome:
        """Run the guest until it asks for something or ends. switch: of the guest, to be called with `given`."""
        core = self.core
        take_turn()
        outside, outside_spent = core.get(" ticks"), account.spent
        raise_limit(self.frames + self.environment.cold_frames)
        outside_owner = hooks.owner
        if self.deep:
            PAUSED.__enter__()
        try:
            core[" ticks"] = self.ticks
            account.spent = self.spent
            hooks.owner = self
            result = switch(given)
            if result is ENDED:
                self._leave()
        except BaseException:
            self._leave()
            self.guest = None
            del switch, given  # the error, and its traceback has this call
            raise
        finally:
            if self.deep:
                PAUSED.__exit__()
            core[" ticks"] = outside
            hooks.owner = outside_owner
            self.spent, account.spent = account.spent, outside_spent
            restore_limit()
            end_turn()
        if result is not ENDED:
            return RequiresHost(result, self)
        guest, self.guest = self.guest, None
        assert guest is not None
        return Complete(leave(guest))

    def run_main(self) -> Any:
        """Run the machine's program, within its guest, and return its value."""
        try:
            try:
                return realised(self.main(*self.arguments))
            except UserError as error:
                error.data = realised(error.data)
                raise
        except (GreenletExit, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            raise self._failure(error) from error.__cause__

    def _failure(self, error: BaseException) -> BaseException:
        """The error that the machine ends with, for an error that ended its program. Others have their turn meanwhile:
        a deep program leaves hundreds of thousands of frames."""
        if self.deep:
            memory.freeze()
        return ended_with(error, self.environment.units, self._holds_much(), self._rest)

    def _holds_much(self) -> bool:
        """Whether what the program holds takes long to free; not that of one that is deep in calls, or of one of many
        that hold it together."""
        budget = self.budget
        return budget.held > remains.MUCH and not self.deep and len(budget.machines) <= FEW

    # ------------------------------------------------------------------ steps
    def _next_slice(self) -> Any:
        """An iterator of the next steps."""
        budget = self.budget
        size = budget.take(self.slice)
        budget.machines.add(self)
        self.ticks = repeat(None, size)
        return self.ticks

    def _leave(self) -> None:
        """Nothing runs in this machine any more: return the unused steps."""
        budget = self.budget
        if self in budget.machines:
            budget.machines.discard(self)
            if not budget.machines:
                memory.computed()
            if budget.left is not None:
                budget.left += self.ticks.__length_hint__()
            self.ticks = repeat(None, 0)

    def refill(self) -> None:
        """Called by guest code whose step iterator is used up."""
        if self.core[" ticks"].__length_hint__() > 0:
            return  # an outer loop still held the iterator of an earlier slice
        now = self.budget.look()
        took, self.sliced = now - self.sliced, now
        if took < SLICE_TIME:
            self.slice = min(self.slice * 2, self.longest)
        elif took > SLICE_TIME * 4 and self.slice > FIRST_SLICE:
            self.slice = max(int(self.slice * SLICE_TIME / took), FIRST_SLICE)
            self.longest = min(self.longest, self.slice * CAUTION)
        self._pause(now)
        if (self.slice > FIRST_SLICE and is_deep()) is not self.deep:
            self.deep = not self.deep
            (PAUSED.__enter__ if self.deep else PAUSED.__exit__)()
        if self.deep and is_crowded(self.limits.depth):
            raise too_deep()
        self.core[" ticks"] = self._next_slice()

    def pay(self, elements: int) -> None:
        """Called by standard functions: each element they go through is a step."""
        if elements:
            if elements > LARGE:
                self.longest = min(self.longest, FIRST_SLICE * CAUTION)
            self.budget.pay(elements, self.core[" ticks"].__length_hint__())
        self._pause(monotonic())  # what was paid for may have taken long, and so may the look at the memory
        self._pause(self.budget.look())

    def _rest(self) -> None:
        """Let others have their turn, even if the program has met its limits."""
        try:
            self._pause(monotonic())
        except LimitError:  # the host has looked at them meanwhile
            pass

    def _pause(self, now: float) -> None:
        """Let other threads and the driver have their turn, at `now` of time.monotonic()."""
        budget = self.budget
        yield_turn()
        if self.breathe and now - budget.breathed >= BREATH:
            assert self.guest is not None
            budget.breathed = now
            self.guest.parent.switch(HostCall("breathe", ""))
            self.sliced = monotonic()


# ---------------------------------------------------------------------- what generated code calls
def _machine() -> Machine:
    current = getcurrent()
    if current.__class__ is not Guest:
        raise InternalError("guest code runs outside of a machine")
    machine: Machine = current.machine
    return machine


def refill() -> None:
    _machine().refill()


def pay(elements: int) -> None:
    """Charge the cost of standard functions. Outside a machine nothing is counted."""
    current = getcurrent()
    if current.__class__ is Guest:
        current.machine.pay(elements)


account.pay = pay


def wait_for_segment(segment: Segment) -> None:
    """Wait until a segment of a lazy sequence, which is being computed, may be free."""
    current = getcurrent()
    if current.__class__ is not Guest or segment.busy is current.machine:
        raise needs_itself()
    request("wait", "", (segment,))


hooks.wait = wait_for_segment


def parallel(functions: Any, /) -> Any:
    """Stop and have the host call functions of no arguments concurrently."""
    return request("parallel", "", tuple(fresh_list("parallel*", functions)), depth=2)


def request(kind: str, id: str, args: tuple[Any, ...], hints: Any = None, depth: int = 1) -> Any:
    """Stop and hand the host a call; its answer is the value. depth: frames up to the generated code that asks."""
    current = getcurrent()
    if current.__class__ is not Guest:
        raise InternalError("a host call outside of a machine")
    frame = sys._getframe(depth)
    units = current.machine.environment.units
    unit, line = _place_in(frame, units)
    if unit is not None and unit.source.library:
        unit, line = _asked_from(frame, units) or (unit, line)
    if hooks.made and kind != "wait":
        args = tuple([realised(argument) for argument in args])
        hints = realised(hints)
    return current.parent.switch(HostCall(kind, id, args, hints, unit, line - 1))


def placed_request(kind: str, id: str, args: tuple[Any, ...], hints: Any, filename: str, index: int) -> Any:
    """`request` by code that knows its place, so that no frame is looked at. filename, index: the place."""
    current = getcurrent()
    if current.__class__ is not Guest:
        raise InternalError("a host call outside of a machine")
    unit, index = _placed(current.machine.environment.units, filename, index)
    if hooks.made:
        args = tuple([realised(argument) for argument in args])
        hints = realised(hints)
    return current.parent.switch(HostCall(kind, id, args, hints, unit, index))


def labelled_call(kind: str, id: str, args: tuple[Any, ...], hints: Any, filename: str, index: int) -> HostCall:
    """The request that labelled code is about to make. filename, index: its place."""
    unit, at = _placed(_machine().environment.units, filename, index)
    call = HostCall(kind, id, args, realised(hints), unit, at)
    call.where = (filename, index)
    return call


def _placed(units: dict[str, Unit], filename: str, index: int) -> tuple[Unit | None, int]:
    """The unit of a place and its index there; for a place in the library, that of the user's call if it is near."""
    unit = units.get(filename)
    if unit is not None and unit.source.library:
        found = _asked_from(sys._getframe(2), units)
        if found is not None:
            return found[0], found[1] - 1
    return unit, index


def switch(call: HostCall) -> Any:
    """Stop and hand the host a call; its answer is the value."""
    return getcurrent().parent.switch(call)


def _place_in(frame: Any, units: dict[str, Unit]) -> tuple[Unit | None, int]:
    """The unit that a frame's code is of, and the line in it: one more than the index of the place."""
    unit = units.get(frame.f_code.co_filename)
    if unit is not None or frame.f_code.co_filename not in FILES:
        return unit, frame.f_lineno
    index = frame.f_locals.get("at")
    while unit is None and frame is not None:
        frame = frame.f_back
        unit = units.get(frame.f_code.co_filename) if frame is not None else None
    return unit, (index or 0) + 1


FAR = 50
"""Frames that are looked through for the user's own text."""


def _asked_from(frame: Any, units: dict[str, Unit]) -> tuple[Unit, int] | None:
    """The place in the user's own text from which the library was called, if it is near."""
    index: int | None = None
    for _ in range(FAR):
        frame = frame.f_back
        if frame is None:
            return None
        code = frame.f_code
        unit = units.get(code.co_filename)
        if unit is not None:
            if not unit.source.library:
                return unit, frame.f_lineno if index is None else index + 1
            index = None
        elif index is None and code.co_filename in FILES:
            index = frame.f_locals.get("at")
    return None


def caught(error: BaseException) -> UserError:
    """The error as a `catch` sees it; raises an error that no program may catch."""
    if isinstance(error, UserError) and not isinstance(error, UNCATCHABLE):
        return error
    if isinstance(error, GreenletExit) or not isinstance(error, Exception):
        raise error
    found = translate(error, _machine().environment.units)
    if uncatchable(found) or not isinstance(found, UserError):
        raise found
    return found


def macroexpand(module: str, form: Any, /) -> Any:
    return _machine().environment.macroexpand(module, form)


def module_value(module: str, name: str, /) -> Any:
    return _machine().environment.module_value(module, name)


HOOKS: dict[str, Any] = {
    " refill": refill,
    " placed_request": placed_request,
    " labelled_call": labelled_call,
    " switch": switch,
    " parallel": parallel,
    " caught": caught,
    " macroexpand": macroexpand,
    " module_value": module_value,
    " ticks": repeat(None, 0),
}


# ---------------------------------------------------------------------- programs
def run_unit(unit: Unit, environment: Environment) -> Any:
    """Run the steps of a unit in order, within a guest; the value of the last."""
    if unit.tacit:
        return _run_steps(unit, environment)
    environment.edition += 1
    environment.defining += 1
    try:
        return _run_steps(unit, environment)
    finally:
        environment.defining -= 1
        environment.edition += 1


def _run_steps(unit: Unit, environment: Environment) -> Any:
    value: Any = None
    for step in paced(unit.steps):
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


def start(
    program: Program,
    limits: Limits | None = None,
    breathe: bool = False,
    budget: Budget | None = None,
    flow: FlowState | None = None,
) -> Outcome:
    """Run a program until it ends or asks the host for something.

    limits: steps, depth, seconds; the defaults if None. breathe: return control (a "breathe" call) at each slice of
    steps. budget: shared with other machines; a new one if None. flow: the state that holds its labels, if its code
    carries labels. Raises UserError with place and trace if the program ends with an error.
    """
    environment, unit = program.environment, program.unit
    return Machine(environment, run_unit, (unit, environment), limits, breathe, budget, flow).start()


def start_call(
    environment: Environment,
    function: Any,
    args: list[Any] | tuple[Any, ...] = (),
    limits: Limits | None = None,
    breathe: bool = False,
    budget: Budget | None = None,
    flow: FlowState | None = None,
) -> Outcome:
    """Run a call of an RTFS function in a new machine."""
    return Machine(environment, call_with, (function, args), limits, breathe, budget, flow).start()


def start_work(
    environment: Environment,
    work: Callable[..., Any],
    args: tuple[Any, ...],
    own: Limits,
    breathe: bool,
    budget: Budget,
) -> Outcome:
    """Call a function of the host, such as the compiler; the outcome's value is its result. It has the time and the
    memory of the run whose `budget` this is, and steps of its own."""
    return Machine(environment, work, args, budget.limits, breathe, budget.beside(own)).start()


def run_expansion(environment: Environment, function: Any, args: list[Any]) -> Any:
    """Call a macro's function: purely, within limits. Raises CompileError `macro/expansion` if it asks the host."""
    current = getcurrent()
    outer = current.machine if current.__class__ is Guest else None
    if _is_standard(function):
        return _expand_standard(environment, function, args, outer)
    if outer is not None:
        budget = outer.budget
    else:
        budget = environment.expansions
        if budget is None:
            budget = environment.expansions = Budget(EXPANSION_LIMITS)
    breathe = outer is not None and outer.breathe
    outcome = start_call(environment, function, args, EXPANSION_LIMITS, breathe, budget)
    while breathe and isinstance(outcome, RequiresHost) and outcome.call.kind == "breathe":
        current.parent.switch(outcome.call)
        outcome = outcome.resume(None)
    if isinstance(outcome, Complete):
        return outcome.value
    what = outcome.call.id or outcome.call.kind
    outcome.close()
    from rtfs.values.error import CompileError

    raise CompileError("macro/expansion", f"a macro is pure, but its expansion asked the host for `{what}`")


def _is_standard(function: Any) -> bool:
    """True for the function of a macro of stdlib/core.rtfs."""
    module = getattr(getattr(function, "__globals__", None), "module", None)
    return module is not None and module.name == CORE_MODULE


def _expand_standard(environment: Environment, function: Any, args: list[Any], outer: Machine | None) -> Any:
    """An expansion by a macro of the standard library, which ends and makes no host call, so it needs no machine.
    Within the machine `outer` it uses that machine's steps, otherwise none."""
    core = environment.core
    ticks = core[" ticks"]
    if outer is None:
        core[" ticks"] = repeat(None)
    try:
        return call_with(function, args)
    except Exception as error:
        raise translate(error, environment.units, leaving=True) from None
    finally:
        if outer is None:
            core[" ticks"] = ticks


def new_environment(path: tuple[str, ...] = ()) -> Environment:
    """An environment whose macros run in machines."""
    return Environment(run_expansion, path, HOOKS)
