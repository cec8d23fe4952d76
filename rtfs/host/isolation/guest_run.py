"""One run of a program in a worker process: requests of its machines go to the host, or are answered here.

Must not know the pipe: `Worker` sends and takes in. Invariants: steps, contexts and branches are told to the host in
the order in which they happen; a machine that is given up is closed.
"""

from __future__ import annotations

from time import monotonic

from rtfs.capabilities.declaration import from_options
from rtfs.checker.capability_calls import Capability
from rtfs.compiler import compile_source
from rtfs.compiler.forms.plan import GIVEN
from rtfs.flow.label import NOTHING
from rtfs.flow.tag import NO_TAG, Tag
from rtfs.host.checks.gate import RunGate
from rtfs.host.flow.machines import MachineLabels
from rtfs.host.isolation.labels import LabelTexts
from rtfs.host.isolation.type_text import aliases_of, type_of
from rtfs.host.isolation.wire import (
    BRANCH,
    BRANCH_FAILED,
    CALL,
    CAPABILITY,
    COMPILED,
    CONTROL,
    DECLARE,
    DROP,
    LEFT,
    TIME,
    Translator,
)
from rtfs.host.run.driver import context_values
from rtfs.host.run.frame import NESTING
from rtfs.host.run.large_values import finished
from rtfs.host.run.lazy_waits import wait_for_segment
from rtfs.host.run.parameters import UNFITTED, check_parameters, parameters_for
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.host.scheduler.suspensions import Gather, Turn
from rtfs.machine import RequiresHost, start, start_call
from rtfs.machine.errors.refine import refine_error
from rtfs.machine.limits import EXPANSION_LIMITS, Budget, Limits
from rtfs.machine.machine import start_work
from rtfs.types.closed_records import closed
from rtfs.values import LimitError, Map, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.compiler import Environment
    from rtfs.flow.state import FlowState
    from rtfs.host.isolation.worker import Worker
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
    from rtfs.machine import HostCall
    from rtfs.source import Source, Span

MOST_BRANCHES = 19_000
"""Branches of one run that may be under way."""


class Frame:
    """One machine. number: by which the host knows it. depth: how deep it is nested. outer: the frame that started
    it. values: what `@name` gives, the newest last. flow: its labels, under flow rules."""

    __slots__ = ("depth", "flow", "machine", "number", "outer", "values")

    def __init__(self, number: int, depth: int, outer: Frame | None, values: dict[str, Any]) -> None:
        self.number = number
        self.depth = depth
        self.outer = outer
        self.machine: Any = None
        self.values = [values]
        self.flow: FlowState | None = None


class Request(Suspension):
    """Ask the host, and wait for its answer. labels: the text of those of the answer, or None."""

    __slots__ = ("body", "head", "kind", "labels", "number", "worker")

    def __init__(self, worker: Worker, kind: int, head: list[Any], body: str = "", number: int | None = None) -> None:
        self.worker = worker
        self.kind = kind
        self.head = head
        self.body = body
        self.labels: Any = None
        self.number = worker.request() if number is None else number

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        worker = self.worker
        worker.requests[self.number] = fiber, self
        worker.send(self.kind, [self.number, *self.head], self.body)

    def cancel(self, scheduler: Scheduler) -> None:
        if self.worker.requests.pop(self.number, None) is not None:
            self.worker.send(DROP, [self.number])


class _AskingGate(RunGate):
    """The gate of a run whose declarations the host knows."""

    __slots__ = ("_run",)

    def __init__(self, run: GuestRun) -> None:
        self._run = run

    def declared(self, id: str) -> Capability | None:
        return self._run.capability(id)

    def said(self, id: str) -> str:
        return self._run.said(id)


class GuestRun:
    """One run of a program in this process. context: values of `@name`, by name."""

    def __init__(self, worker: Worker, environment: Environment, options: dict[str, Any], context: Any) -> None:
        self.worker = worker
        self.environment = environment
        self.context: dict[str, Any] = context
        self.width = options["width"]
        self.journaled = options["journaled"]
        self.accepts = options["accepts"]
        steps, depth, seconds, most = options["steps"], options["depth"], options["seconds"], options["memory"]
        self.limits = Limits(steps, depth, options["limit"], None, most)
        self.budget = GuestBudget(self.limits, worker, seconds)
        self.gate = _AskingGate(self) if options["check"] else None
        self.labels = None if options["labels"] is None else MachineLabels(*options["labels"])
        self.texts = None if self.labels is None else LabelTexts(self.labels.labels)
        self._lines: set[tuple[str, int]] = set()
        self._known: dict[str, Any] = {}

    # ------------------------------------------------------------------ what the checker wants to know
    def _declared(self, id: str) -> Any:
        if id not in self._known:
            self._known[id] = self.worker.ask(CAPABILITY, [id])
        return self._known[id]

    def said(self, id: str) -> str:
        """The declaration of a capability, as text."""
        return str(self._declared(id)["said"])

    def capability(self, id: str) -> Capability | None:
        """The declaration of a capability, for the checker; None if it is not known before the call."""
        told = self._declared(id)
        if told["unknown"] is None:
            return None
        if told["unknown"]:
            return Capability(id, known=False, message=told["message"], hint=told["hint"])
        input = type_of(told["input"])
        return Capability(id, closed(input) if input is not None and told["strict"] else input, type_of(told["output"]))

    # ------------------------------------------------------------------ the program
    async def execute(self, source: Source) -> Any:
        """Compile and run a program; its value."""
        environment, labels = self.environment, self.labels
        environment.literal = None if labels is None else labels.literal
        known = set(environment.files)

        def compile() -> Any:
            if UNFITTED in self.context:
                self.context[GIVEN] = parameters_for(source, environment, self.context.pop(UNFITTED))
            if self.accepts:
                check_parameters(source, environment, self.context.get(GIVEN))
            return compile_source(source, environment, module="user", gate=self.gate)

        program = await finished(start_work(environment, compile, (), EXPANSION_LIMITS, True, self.budget))
        if self.journaled:
            names = [[unit.source.name, name in known] for name, unit in environment.files.items()]
            await Request(self.worker, COMPILED, [names], number=0)
        frame = Frame(0, 0, None, self.context)
        self.worker.frames[0] = frame
        frame.flow = None if labels is None else labels.program()
        try:
            return await self.drive(start(program, self.limits, True, self.budget, frame.flow), frame)
        except UserError as error:
            refine_error(error)
            raise

    def call(self, function: Any, arguments: tuple[Any, ...], frame: Frame, tags: list[Tag] | None = None) -> Any:
        """Start a call of a function in a new machine. tags: of the arguments, under flow rules."""
        if self.labels is not None and frame.flow is not None:
            self.labels.give(frame.flow, function, tags or [])
        return start_call(self.environment, function, arguments, self.limits, True, self.budget, frame.flow)

    async def drive(self, outcome: Any, frame: Frame) -> Any:
        """Run a machine to its end; its value. Raises what the program raised."""
        if outcome.__class__ is RequiresHost:
            frame.machine = outcome.machine
        while outcome.__class__ is RequiresHost:
            failure: UserError | None = None
            value: Any = None
            try:
                value = await self._answer(outcome.call, frame)
            except UserError as error:
                failure = error
            except BaseException:
                outcome.close()
                raise
            outcome = outcome.resume(value) if failure is None else outcome.throw(failure)
        return outcome.value

    def leave(self, frame: Frame) -> None:
        """A machine has ended."""
        self.worker.frames.pop(frame.number, None)
        self.worker.send(LEFT, [frame.number])

    async def _call(self, call: HostCall, frame: Frame) -> Any:
        """The value of a capability's call, which the host performs."""
        worker, texts = self.worker, self.texts
        head = [frame.number, call.id, worker.sources.place(call.span)]
        body = worker.translator.text(Vector.of([Vector(call.args), call.hints]))
        if self.labels is None or texts is None:
            return await Request(worker, CALL, head, body)
        tags = call.labels
        if tags is None:
            tags = self.labels.plain_tags(frame.flow, len(call.args))
        by = self.labels.decided_by(call.decided_by, frame.flow)
        hints = NO_TAG if call.hint_labels is None else call.hint_labels
        branched = Tag(NOTHING, self.labels.labels.branched)
        told = texts.text_of_all([*tags, hints, branched], (*call.args, call.hints, None), by)
        request = Request(worker, CALL, [*head, told, call.where, self._new_lines(texts)], body)
        try:
            return await request
        finally:
            if request.labels is not None:
                call.answer_tag = texts.tag(request.labels)
                if call.labels is None:
                    self.labels.leave(frame.flow, call.answer_tag)

    def _new_lines(self, texts: LabelTexts) -> list[Any]:
        """The lines of places that values went through and the host has not been told of."""
        units, told = self.environment.units, []
        for _, filename, at in texts.new_steps():
            if (filename, at) not in self._lines:
                self._lines.add((filename, at))
                unit = units.get(filename)
                span = None if unit is None else unit.span(at)
                if span is not None:
                    told.append([filename, at, span.line])
        return told

    async def _answer(self, call: HostCall, frame: Frame) -> Any:
        worker, kind = self.worker, call.kind
        if kind == "call":
            return await self._call(call, frame)
        if kind == "breathe":
            worker.tell_resting(False)
            worker.channel.flush(True)
            await Turn()
            self.budget.breathed = monotonic()
            return None
        if kind == "context":
            values = frame.values[-1]
            if call.args and call.id not in values:
                self._control(call, frame)
            return values.get(call.id)
        if kind == "parallel":
            self._control(call, frame, ())
            value, call.answer_tag = await self.parallel(call.args, frame, call)
            return value
        if kind == "wait":
            await wait_for_segment(call.args[0], frame)
            return None
        if kind == "capability":
            return await self._declare(call, frame)
        if kind == "context-enter":
            frame.values.append({**frame.values[-1], **context_values(call.args[0])})
        elif kind == "context-leave":
            frame.values.pop()
        self._control(call, frame)
        return None

    def _control(self, call: HostCall, frame: Frame, args: tuple[Any, ...] | None = None) -> None:
        """Tell the host of a step or a context."""
        worker = self.worker
        text = worker.translator.text(Vector(call.args if args is None else args))
        worker.send(CONTROL, [frame.number, call.kind, call.id, worker.sources.place(call.span)], text)

    async def _declare(self, call: HostCall, frame: Frame) -> Any:
        worker, environment = self.worker, self.environment
        options = call.args[0] if call.args else None
        types = environment.resolve_type(environment.module("user"))
        unknown: list[tuple[str, Span | None]] = []
        fields = from_options(call.id, options, call.span, lambda *warning: unknown.append(warning), types)
        given = {} if options is None else dict(options.items())
        for key in given:
            name = str(getattr(key, "name", key)).replace("_", "-")
            if name == "input-schema":
                given[key] = fields.input_schema
            elif name == "output-schema":
                given[key] = fields.output_schema
        handles: dict[int, Any] = {}
        if fields.implementation is not None:
            handles[id(fields.implementation)] = worker.keep(fields.id, fields.implementation)

        def handle(function: Any) -> list[Any]:
            key = handles.get(id(function))
            return worker._handle(function) if key is None else described(key, function)

        text = Translator(worker.sources, handle, worker._function).text(Map(given))
        told = aliases_of(fields.input_type, fields.output_type)
        head = [frame.number, fields.id, worker.sources.place(call.span), told]
        if self.labels is not None and self.texts is not None:
            tag = self.labels.declared(call, frame.flow)
            head.append(None if tag is None else self.texts.text(tag, None))
        return await Request(worker, DECLARE, head, text)

    # ------------------------------------------------------------------ branches
    async def parallel(
        self, thunks: tuple[Any, ...], frame: Frame, call: HostCall | None = None
    ) -> tuple[Any, Tag | None]:
        """Call functions of no arguments concurrently, each in a new machine; return their values in order, and their
        tag under flow rules. call: the request, which has the tag also if a branch fails."""
        frames: dict[int, Frame] = {}

        def maker(number: int, thunk: Any) -> Callable[[], Coroutine[Any, Any, Any]]:
            def begin() -> Coroutine[Any, Any, Any]:
                frames[number] = inner = self._inner(frame, number)
                return self._branch(thunk, inner)

            return begin

        def tag(failed: bool) -> Tag | None:
            if self.labels is None:
                return None
            flows = {number: one.flow for number, one in frames.items() if one.flow is not None}
            return self.labels.gathered(thunks, flows, failed)

        try:
            value = Vector(await Gather([maker(number, thunk) for number, thunk in enumerate(thunks, 1)], self.width))
        except UserError:
            if call is not None:
                call.answer_tag = tag(True)
            raise
        whole = tag(False)
        if call is not None and call.labels is None and whole is not None and self.labels is not None:
            self.labels.leave(frame.flow, whole)
        return value, whole

    def _inner(self, frame: Frame, number: int) -> Frame:
        if frame.depth >= NESTING:
            raise LimitError("limit/nesting", f"implementations and branches are nested deeper than {NESTING}")
        if len(self.worker.frames) >= MOST_BRANCHES:
            raise LimitError("limit/nesting", f"more than {MOST_BRANCHES:,} branches within branches are under way")
        inner = Frame(self.worker.request(), frame.depth + 1, frame, frame.values[-1])
        self.worker.frames[inner.number] = inner
        if self.labels is not None and frame.flow is not None:
            inner.flow = self.labels.inner(frame.flow)
        self.worker.send(BRANCH, [frame.number, inner.number, number])
        return inner

    async def _branch(self, thunk: Any, frame: Frame) -> Any:
        try:
            return await self.drive(self.call(thunk, (), frame), frame)
        except UserError as error:
            if self.journaled:  # which branch failed first is part of the record
                await Request(self.worker, BRANCH_FAILED, [frame.number, self.worker.translator.error(error)])
            raise
        finally:
            self.leave(frame)


class GuestBudget(Budget):
    """A budget whose deadline the host keeps: only the host knows when the clock is paused."""

    __slots__ = ("_worker",)

    def __init__(self, limits: Limits, worker: Worker, seconds: float | None) -> None:
        super().__init__(limits)
        self._worker = worker
        self.deadline = None if seconds is None else monotonic() + seconds

    def look(self) -> float:
        """As `Budget.look`, with the host's word for it that time is over."""
        if self.deadline is not None and monotonic() > self.deadline:
            left = self._worker.ask(TIME, [])
            if left is None or left > 0:
                self.deadline = monotonic() + max(left or 0.0, 0.02)
        return super().look()


def described(key: int | str, function: Any) -> list[Any]:
    """The description of a function for the host: its handle, its name, whether it takes no arguments at all."""
    code = getattr(function, "__code__", None)
    nothing = code is not None and code.co_argcount == 0 and not code.co_flags & 0x04
    return [key, str(getattr(function, "__name__", "")), nothing]
