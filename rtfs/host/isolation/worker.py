"""The worker process: compiles and runs one program at a time, and asks its host for whatever is not computing.

Must not know capabilities, policy, secrets or journals: it has the language and one end of a pipe. Invariants: each
request is answered once or dropped; steps, contexts and branches are told to the host in the order in which they
happen; whatever ends a run, the worker says so and waits for the next.
"""

from __future__ import annotations

from time import monotonic

from rtfs.capabilities.declaration import from_options
from rtfs.capabilities.registry import same_function
from rtfs.checker.calls import Capability
from rtfs.compiler import compile_source
from rtfs.compiler.forms.plan import GIVEN
from rtfs.host.checks.gate import RunGate
from rtfs.host.isolation import sandbox
from rtfs.host.isolation.type_text import aliases_of, type_of
from rtfs.host.isolation.wire import (
    ANSWER,
    BEGIN,
    BRANCH,
    BRANCH_FAILED,
    CALL,
    CANCEL,
    CAPABILITY,
    COMPILED,
    CONTROL,
    DECLARE,
    DONE,
    DROP,
    ERROR,
    FAILED,
    INVOKE,
    LEFT,
    MODULE,
    PARALLEL,
    RAISE,
    RESTING,
    RETURN,
    RUN,
    TIME,
    VALUE,
    Channel,
    Gone,
    Nonsense,
    Sources,
    Translator,
)
from rtfs.host.run.driver import context_values
from rtfs.host.run.frame import NESTING
from rtfs.host.run.lazy_waits import wait_for_segment
from rtfs.host.run.parameters import UNFITTED, parameters_for
from rtfs.host.scheduler.scheduler import Fiber, Scheduler, Suspension
from rtfs.host.scheduler.suspensions import Gather, Turn
from rtfs.host.stop import Stop
from rtfs.machine import RequiresHost, memory, start, start_call
from rtfs.machine.errors.refine import refine_error
from rtfs.machine.limits import Budget, Limits
from rtfs.machine.machine import start_compiling
from rtfs.types.closed import closed
from rtfs.values import Cancelled, LimitError, Map, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.compiler import Environment
    from rtfs.machine import HostCall
    from rtfs.source import Source, Span

RESERVE = 256 << 20
"""Bytes of address space beside those that a run may hold: for the process itself, and for one standard function to
overshoot in."""


class Frame:
    """One machine. number: by which the host knows it. depth: how deep it is nested. outer: the frame that started
    it. values: what `@name` gives, the newest last."""

    __slots__ = ("depth", "machine", "number", "outer", "values")

    def __init__(self, number: int, depth: int, outer: Frame | None, values: dict[str, Any]) -> None:
        self.number = number
        self.depth = depth
        self.outer = outer
        self.machine: Any = None
        self.values = [values]


class Worker:
    """The process's end of the pipe, and what it keeps between runs.

    `environment`: where the runs that keep their definitions define. `declared`: the implementations of declared
    capabilities, by the handles that the host knows.
    """

    def __init__(self, channel: Channel, environment: Environment) -> None:
        self.channel = channel
        self.environment = environment
        self.declared: dict[str, Any] = {}
        self._by_id: dict[str, list[tuple[str, Any]]] = {}
        self.sources = Sources(1)
        self.translator = Translator(self.sources, self._handle, self._function)
        self._handles: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._deferred: list[tuple[int, Any, str]] = []
        self._heard = 0
        self._filled = False
        self._told: tuple[int, bool] = (-1, False)
        self._next = 1
        self._key = ""
        self._declarations = 0
        self.requests: dict[int, tuple[Fiber, Request]] = {}
        self._invoked: dict[int, Fiber] = {}
        self.frames: dict[int, Frame] = {}
        self._scheduler: Scheduler | None = None
        self._run: GuestRun | None = None
        environment.finder = Finder(self)

    # ------------------------------------------------------------------ functions by handle
    def _handle(self, function: Any) -> list[Any]:
        number = self._numbers.get(id(function))
        if number is None:
            number = len(self._handles) + 1
            self._handles[number] = function
            self._numbers[id(function)] = number
        return described(number, function)

    def _function(self, data: Any) -> Any:
        key = data[0]
        found = self._handles.get(key) if key.__class__ is int else self.declared.get(key)
        if found is None:
            raise Nonsense("a function that is not here")
        return found

    def keep(self, id: str, function: Any) -> str:
        """The handle of an implementation, the same for the same function declared again."""
        for key, known in self._by_id.get(id, ()):
            if same_function(known, function):
                return key
        self._declarations += 1
        key = f"{self._key}:{self._declarations}"
        self.declared[key] = function
        self._by_id.setdefault(id, []).append((key, function))
        return key

    # ------------------------------------------------------------------ messages
    def send(self, kind: int, head: list[Any], body: str = "") -> None:
        """Put a message, with the texts that its places are in."""
        told = self.sources.unsent()
        self.channel.put(kind, [told, *head] if told else [0, *head], body)

    def ask(self, kind: int, head: list[Any]) -> Any:
        """Ask the host a question and wait for the answer; what else comes is dealt with later."""
        self.send(kind, head)
        channel = self.channel
        channel.flush(True)
        while True:
            for message in channel.messages():
                self._heard += 1
                if message[0] == ANSWER:
                    self._deferred += self._rest()
                    self.sources.learn(message[1][0] or ())
                    return message[1][1]
                self._deferred.append(message)
            if not channel.pending:
                channel.fill(True)

    def _rest(self) -> list[tuple[int, Any, str]]:
        rest = list(self.channel.messages(1 << 30))
        self._heard += len(rest)
        return rest

    def request(self) -> int:
        """A number for a request, or for a frame."""
        self._next += 2
        return self._next

    # ------------------------------------------------------------------ the link of its scheduler
    pending = False
    quiet = True

    def receive(self) -> None:
        """Take in what has come."""
        channel = self.channel
        if self._filled:
            self._filled = False
        else:
            channel.fill(False)
        deferred, self._deferred = self._deferred, []
        for message in deferred:
            self._take(*message)
        for message in channel.messages(1 << 30):
            self._heard += 1
            self._take(*message)

    def wait(self, seconds: float | None) -> None:
        """Everything waits for the host."""
        self.tell_resting(True)
        self.channel.flush(True)
        if not self._deferred:
            self._filled = self.channel.fill(True)

    def ring(self) -> None:
        """Nothing else wakes a worker."""

    def tell_resting(self, waits: bool) -> None:
        """Say that everything waits for the host, or has not asked it for a while."""
        state = self._heard, waits
        if state != self._told:
            self._told = state
            self.channel.put(RESTING, [0, self._heard, waits])

    def _take(self, kind: int, head: Any, body: str) -> None:
        scheduler = self._scheduler
        assert scheduler is not None
        if kind in (VALUE, ERROR):
            number = head[1]
            self.sources.learn(head[0] or ())
            found = self.requests.pop(number, None)
            if found is None:
                return  # nobody waits for it any more
            fiber, _ = found
            if kind == VALUE:
                scheduler.wake(fiber, self.translator.value(body))
            else:
                scheduler.wake(fiber, None, self.translator.raised(head[2]))
        elif kind in (INVOKE, PARALLEL):
            self._invoke(kind, head[1:], body)
        elif kind == DROP:
            fiber_ = self._invoked.pop(head[1], None)
            if fiber_ is not None:
                scheduler.cancel(fiber_)
        elif kind == BEGIN:
            waiting = self.requests.pop(0, None)
            if waiting is not None:
                scheduler.wake(waiting[0])
        elif kind == CANCEL:
            raise Stop(Cancelled())
        else:
            raise Nonsense(f"a message of kind {kind}")

    def _invoke(self, kind: int, head: list[Any], body: str) -> None:
        run = self._run
        assert run is not None
        assert self._scheduler is not None
        number, place, depth, outer, handles = head
        above = self.frames.get(outer)
        frame = Frame(place, depth, above, run.context if above is None else above.values[-1])
        self.frames[place] = frame
        functions = [self._function([handle]) for handle in handles]
        arguments = tuple(self.translator.value(body))

        async def invoked() -> None:
            try:
                if kind == PARALLEL:
                    value = await run.parallel(tuple(functions), frame)
                else:
                    value = await run.drive(run.call(functions[0], arguments), frame)
            except UserError as error:
                self.send(RAISE, [number, self.translator.error(error)])
            else:
                self.send(RETURN, [number], self.translator.text(value))
            finally:
                self._invoked.pop(number, None)
                run.leave(frame)

        self._invoked[number] = self._scheduler.spawn(invoked(), _raise_failure)

    # ------------------------------------------------------------------ runs
    def serve(self) -> None:
        """Run what the host sends, until the pipe is closed."""
        channel = self.channel
        while True:
            for kind, head, body in channel.messages(1):
                self._heard += 1
                if kind == RUN:
                    self._run_program(head, body)
            if not channel.pending:
                channel.flush(True)
                channel.fill(True)

    def _run_program(self, head: Any, body: str) -> None:
        self.sources.learn(head[0] or ())
        options = head[1]
        self._key, self._declarations = options["key"], 0
        self._heard, self._told = 1, (-1, False)
        self._handles.clear()
        self._numbers.clear()
        memory.begin()
        most = options["memory"]
        size = None if most is None else memory.address_space() + most + RESERVE
        sandbox.allow_address_space(size)
        sandbox.allow_processor(options["seconds"], last=not options["pinned"])
        environment = self.environment if options["keep"] else self.environment.snapshot()
        environment.path = tuple(options["path"])
        before = environment.state, environment.values, len(self.declared)
        scheduler = self._scheduler = Scheduler(None)
        scheduler.attach(self)
        self._run = run = GuestRun(self, environment, options, dict(self.translator.value(body).items()))
        failure: Any = None
        value = ""
        try:
            value = self.translator.text(scheduler.run(run.execute(self.sources.source(options["source"]))))
        except Stop as stopped:
            failure = self.translator.error(stopped.error)
        except (Gone, Nonsense):
            raise
        except BaseException as error:
            failure = self.translator.error(error)
        changed = before != (environment.state, environment.values, len(self.declared))
        self.requests.clear()
        self._invoked.clear()
        self.frames.clear()
        self._deferred.clear()
        self._run = self._scheduler = None
        if failure is None:
            self.send(DONE, [changed], value)
        else:
            self.send(FAILED, [changed, failure])
        self.channel.flush(True)


class Request(Suspension):
    """Ask the host, and wait for its answer."""

    __slots__ = ("body", "head", "kind", "number", "worker")

    def __init__(self, worker: Worker, kind: int, head: list[Any], body: str = "", number: int | None = None) -> None:
        self.worker = worker
        self.kind = kind
        self.head = head
        self.body = body
        self.number = worker.request() if number is None else number

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        worker = self.worker
        worker.requests[self.number] = fiber, self
        worker.send(self.kind, [self.number, *self.head], self.body)

    def cancel(self, scheduler: Scheduler) -> None:
        if self.worker.requests.pop(self.number, None) is not None:
            self.worker.send(DROP, [self.number])


class GuestRun:
    """One run of a program in this process. context: values of `@name`, by name."""

    def __init__(self, worker: Worker, environment: Environment, options: dict[str, Any], context: Any) -> None:
        self.worker = worker
        self.environment = environment
        self.context: dict[str, Any] = context
        self.width = options["width"]
        self.journaled = options["journaled"]
        steps, depth, seconds, most = options["steps"], options["depth"], options["seconds"], options["memory"]
        self.limits = Limits(steps, depth, options["limit"], None, most)
        self.budget = GuestBudget(self.limits, worker, seconds)
        self.gate = RunGate(self.capability, self.said) if options["check"] else None
        self._known: dict[str, Any] = {}

    # ------------------------------------------------------------------ what the checker wants to know
    def _declared(self, id: str) -> Any:
        if id not in self._known:
            self._known[id] = self.worker.ask(CAPABILITY, [id])
        return self._known[id]

    def said(self, id: str) -> str:
        """What is declared of a capability, as text."""
        return str(self._declared(id)["said"])

    def capability(self, id: str) -> Capability | None:
        """What is declared of a capability, for the checker; None where nobody knows before it is called."""
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
        environment = self.environment
        known = set(environment.files)

        def compile() -> Any:
            if UNFITTED in self.context:
                self.context[GIVEN] = parameters_for(source, environment, self.context.pop(UNFITTED))
            return compile_source(source, environment, module="user", gate=self.gate)

        outcome = start_compiling(environment, compile, self.limits, True, self.budget)
        while isinstance(outcome, RequiresHost):
            await Turn()
            outcome = outcome.resume(None)
        if self.journaled:
            names = [[unit.source.name, name in known] for name, unit in environment.files.items()]
            await Request(self.worker, COMPILED, [names], number=0)
        frame = Frame(0, 0, None, self.context)
        self.worker.frames[0] = frame
        try:
            return await self.drive(start(outcome.value, self.limits, True, self.budget), frame)
        except UserError as error:
            refine_error(error)
            raise

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Start a call of a function in a machine of its own."""
        return start_call(self.environment, function, arguments, self.limits, True, self.budget)

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

    async def _answer(self, call: HostCall, frame: Frame) -> Any:
        worker, kind = self.worker, call.kind
        translator = worker.translator
        if kind == "call":
            place = worker.sources.place(call.span)
            return await Request(
                worker, CALL, [frame.number, call.id, place], translator.text(Vector([Vector(call.args), call.hints]))
            )
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
            return await self.parallel(call.args, frame)
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
        return await Request(worker, DECLARE, [frame.number, fields.id, worker.sources.place(call.span), told], text)

    # ------------------------------------------------------------------ branches
    async def parallel(self, thunks: tuple[Any, ...], frame: Frame) -> Any:
        """Call functions of no arguments concurrently, each in a machine of its own; their values in order."""

        def maker(number: int, thunk: Any) -> Callable[[], Coroutine[Any, Any, Any]]:
            return lambda: self._branch(thunk, self._inner(frame, number))

        return Vector(await Gather([maker(number, thunk) for number, thunk in enumerate(thunks, 1)], self.width))

    def _inner(self, frame: Frame, number: int) -> Frame:
        if frame.depth >= NESTING:
            raise LimitError("limit/nesting", f"implementations and branches are nested deeper than {NESTING}")
        inner = Frame(self.worker.request(), frame.depth + 1, frame, frame.values[-1])
        self.worker.frames[inner.number] = inner
        self.worker.send(BRANCH, [frame.number, inner.number, number])
        return inner

    async def _branch(self, thunk: Any, frame: Frame) -> Any:
        try:
            return await self.drive(self.call(thunk, ()), frame)
        except UserError as error:
            if self.journaled:  # which branch failed first is part of the record
                await Request(self.worker, BRANCH_FAILED, [frame.number, self.worker.translator.error(error)])
            raise
        finally:
            self.leave(frame)


class GuestBudget(Budget):
    """A budget whose deadline the host has: only it knows for how long time stands still."""

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


class Finder:
    """Finds modules through the host, which has the files."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._texts: dict[str, str] = {}

    def find(self, name: str, source: Source) -> str | None:
        """The path of a module's file, or None."""
        found = self._worker.ask(MODULE, [name, source.name])
        if found is None:
            return None
        if found[1] is None:
            raise self._worker.translator.raised(found[2])
        self._texts[found[0]] = found[1]
        return str(found[0])

    def read(self, path: str) -> str:
        """The text of a file that was found."""
        return self._texts[path]


def described(key: int | str, function: Any) -> list[Any]:
    """What the host is told of a function: its handle, its name, whether it takes no arguments at all."""
    code = getattr(function, "__code__", None)
    nothing = code is not None and code.co_argcount == 0 and not code.co_flags & 0x04
    return [key, str(getattr(function, "__name__", "")), nothing]


def _raise_failure(fiber: Fiber) -> None:
    if fiber.error is not None:
        raise fiber.error


def run(channel: Channel, environment: Environment) -> None:
    """Be a worker until the host has gone."""
    try:
        Worker(channel, environment).serve()
    except Gone:
        pass
