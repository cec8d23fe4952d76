"""The driver: runs machines and answers their host calls, as fibers of one scheduler.

Must not know what a capability is: a `call` goes to the run's performer. Invariants: every host call of a machine is
answered exactly once; a machine that is given up is closed; steps are recorded where they begin and where they end,
also when an error or a cancellation ends them.
"""

from __future__ import annotations

from time import monotonic

from rtfs.host.audit.events import BranchStarted, StepEntered, StepLeft
from rtfs.host.redaction import named
from rtfs.host.scheduler.suspensions import Gather, Turn
from rtfs.machine import RequiresHost, start_call
from rtfs.values import HostError, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.flow.tag import Tag
    from rtfs.host.run.frame import Frame
    from rtfs.machine import Complete, HostCall

BREATH = 0.01
"""Seconds of calls that complete at once, after which a run on an event loop lets others have their turn."""


async def _coroutine() -> Any:
    """For its class."""


_made = _coroutine()
COROUTINE = type(_made)  # `types` is one more file to find
_made.close()


async def drive(outcome: Complete | RequiresHost, frame: Frame) -> Any:
    """Run a machine to its end; its value. Raises what the program raised (UserError)."""
    run = frame.run
    performer, budget = run.performer, run.budget
    failure: UserError | None = None
    try:
        if outcome.__class__ is RequiresHost:
            frame.machine = outcome.machine
        while outcome.__class__ is RequiresHost:
            call = outcome.call
            failure = None
            value: Any = None
            try:
                # a machine that gives others their turn looks at the limits itself, or frees what a dead program held
                if call.kind != "breathe" and budget.look() - budget.breathed > BREATH and run.breathe:
                    budget.breathed = monotonic()
                    await Turn()
                if call.kind == "call":
                    value = performer.at_once(call, frame)
                    if value.__class__ is COROUTINE:
                        value = await value
                else:
                    value = await handle_control_call(call, frame)
            except UserError as error:
                failure = error
            except BaseException:
                outcome.close(later=True)
                raise
            if failure is None:
                outcome = outcome.resume(value)
            else:
                outcome = outcome.throw(failure)
        return outcome.value  # type: ignore[union-attr]
    finally:
        failure = None  # its traceback has this call
        if frame.steps:
            abandon_steps(frame)


async def call_function(function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
    """Call an RTFS function in a new machine, under `frame`'s context."""
    run = frame.run
    if run.guest is not None:
        return await run.guest.call_function(function, arguments, frame)
    if frame.flow is not None:
        return await _labelled(function, arguments, frame)
    return await drive(start_call(run.environment, function, arguments, run.limits, run.breathe, run.budget), frame)


async def _labelled(function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
    """The result of a function that is a whole machine under flow rules; its labels go to the call that started it."""
    run, flow, outer = frame.run, frame.flow, frame.outer
    assert run.flow is not None
    assert flow is not None
    assert outer is not None
    try:
        started = start_call(run.environment, function, arguments, run.limits, run.breathe, run.budget, flow)
        value = await drive(started, frame)
    except UserError:
        tried = flow.trying
        if tried is not None:
            outer.implemented.append((tried.tag(), False))
        raise
    outer.implemented.append((run.flow.answer_of(function, flow), True))
    return value


async def parallel(thunks: tuple[Any, ...], frame: Frame, grouped: bool = True, call: HostCall | None = None) -> Any:
    """Call functions of no arguments concurrently, each in a new machine; return a Vector of their values in order.
    grouped: whether this counts among the calls of `frame`. call: the request, which gets the labels of the values."""
    run = frame.run
    if grouped:
        frame.next_path()
    if run.guest is not None:
        return await run.guest.parallel(thunks, frame)
    frames: dict[int, Frame] = {}

    def maker(number: int, thunk: Any) -> Callable[[], Coroutine[Any, Any, Any]]:
        def begin() -> Coroutine[Any, Any, Any]:
            frames[number] = inner = frame.inner()
            if inner.flow is not None and run.flow is not None:
                run.flow.give(inner.flow, thunk, [])
            return _branch(number, thunk, inner)

        return begin

    failed = True
    try:
        values = await Gather([maker(number, thunk) for number, thunk in enumerate(thunks, 1)], run.width)
        failed = False
        return Vector(values)
    finally:
        if run.flow is not None and frame.flow is not None:
            flows = {number: one.flow for number, one in frames.items() if one.flow is not None}
            _leave_labels(run.flow.gathered(thunks, flows, failed), frame, call)


def _leave_labels(tag: Tag, frame: Frame, call: HostCall | None) -> None:
    """The tag of branches' values goes to the request that started them, or to the capability that `frame` performs."""
    if call is None:
        if frame.outer is not None:
            frame.outer.implemented.append((tag, True))
        return
    call.answer_tag = tag
    if call.labels is None and frame.run.flow is not None:
        frame.run.flow.leave(frame.flow, tag)


async def _branch(number: int, thunk: Any, frame: Frame) -> Any:
    """All records of a branch are under a record of the branch: how branches mix is a matter of time, what is in each
    is not."""
    run, context = frame.run, frame.context
    frame.parent = run.events.emit(BranchStarted(context, frame.parent, number))
    try:
        return await drive(start_call(run.environment, thunk, (), run.limits, True, run.budget, frame.flow), frame)
    except UserError as error:
        await run.durability.branch_failed(frame, error)
        raise


async def handle_control_call(call: HostCall, frame: Frame) -> Any:
    """Everything that a machine asks for besides capability calls."""
    kind = call.kind
    run = frame.run
    if kind == "breathe":
        await run.durability.flush()
        await Turn()
        run.budget.breathed = monotonic()
        return None
    if kind == "context":
        values = frame.context.values
        if call.args and call.id not in values:
            meant = f"; the name of the program is written {call.id}, without `@`" if call.args[0] == "own" else ""
            frame.run.warn(f"the run's context has no `{call.id}`: `@{call.id}` is nil{meant}", call.span)
        return values.get(call.id)
    if kind == "context-enter":
        frame.enter_context(frame.context.narrow(values={**frame.context.values, **context_values(call.args[0])}))
        return None
    if kind == "context-leave":
        frame.context = frame.contexts.pop()
        return None
    if kind == "step-enter":
        context = frame.context
        detail = named(_step_detail(call.args[0] if call.args else None))
        name = named(call.id)
        frame.enter_step(name, run.events.emit(StepEntered(context, frame.parent, name, detail)))
        return None
    if kind == "step-leave":
        _leave_step(frame, call.args[0] if call.args else "ok")
        return None
    if kind == "parallel":
        return await parallel(call.args, frame, call=call)
    if kind == "wait":
        from rtfs.host.run.lazy_waits import wait_for_segment

        await wait_for_segment(call.args[0], frame)
        return None
    if kind == "capability":
        return run.performer.declare(call, frame)
    raise HostError(f"the host does not know the request {kind!r}", code="capability/unknown")


def _leave_step(frame: Frame, status: str) -> None:
    if frame.steps:
        parent, name = frame.steps.pop()
        frame.run.events.emit(StepLeft(frame.context, frame.parent, name, status))
        frame.parent = parent


def context_values(given: Any) -> dict[str, Any]:
    """The values of a `with-context`, by name. Raises TypeMismatch."""
    from rtfs.values import Keyword, Map, Symbol, TypeMismatch

    if given.__class__ is not Map:
        raise TypeMismatch("type/mismatch", "(with-context …) takes a map of values")
    return {key.name if key.__class__ in (Keyword, Symbol) else str(key): value for key, value in given.items()}


def abandon_steps(frame: Frame) -> None:
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
