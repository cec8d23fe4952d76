"""A run's talk with its worker: answers what the worker asks, through the pipeline, and takes in how the run ends.

Must not know how a call is performed. Invariants: every frame of the worker's has a mirror here, from which paths,
steps and contexts are made as if the machine were in this process; a worker that says what it may not is killed, and
only its run ends; nothing that comes out of the pipe is trusted: the declarations, arguments and values in it are
checked as a plan's.
"""

from __future__ import annotations

import os
from select import POLLIN, POLLOUT, poll
from time import monotonic

from rtfs.compiler.imports import find_file, read_file
from rtfs.host.audit.events import BranchStarted
from rtfs.host.checks.gate import capability_of, said_of
from rtfs.host.isolation.functions import Functions, key_of
from rtfs.host.isolation.loaded import Loaded
from rtfs.host.isolation.suspensions import Phase, Reply
from rtfs.host.isolation.type_text import resolver, type_data
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
    READY,
    RESTING,
    RETURN,
    RUN,
    TIME,
    VALUE,
    Gone,
    Nonsense,
    Sources,
    Translator,
    checked_hints,
    checked_text,
)
from rtfs.host.run.driver import abandon_steps, handle_control_call
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.machine import DEFAULT_LIMITS, HostCall, Known
from rtfs.source import Source
from rtfs.values import HostError, InternalError, Map, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.host.isolation.pool import WorkerProcess
    from rtfs.host.run.frame import Frame, Run
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler

GRACE = 0.25
"""Seconds that a worker which computes has after the end of its run's time, to say where it was."""
PATIENCE = 0.25
"""Seconds for which a cancelled worker may compute on before it is killed."""
SLICE = 0.005
"""Seconds for which messages are taken in at a time."""
MOST_FRAMES = 20_000
"""Machines of one run that may be open."""
_CONTROLS = frozenset(("context", "context-enter", "context-leave", "parallel", "step-enter", "step-leave"))


class Conversation:
    """One run in a worker.

    `types`: the named types of the declaration that is being made, for the pipeline. `defined`: whether the run has
    left definitions in the worker; known when it has ended. `resting`: whether the worker waits for this host.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        sources: Sources,
        functions: Functions,
        frame: Frame,
        source: Source,
        **options: Any,
    ) -> None:
        """sources, functions: what earlier runs of this worker have told of. options: `key`, `keep`, `path`, `check`,
        `strict`, `journaled` and `accepts` of the run, and whether its worker is `pinned`."""
        self.worker = worker
        self.frame = frame
        self.run: Run = frame.run
        self.source = source
        self.options = options
        self.types: Callable[[str], Any] = lambda name: None
        self.defined = False
        self.resting = False
        self.over = False
        self.environment = Loaded()
        self._sources = sources
        self._functions = functions
        self._translator = Translator(sources, self._handle, functions.function)
        self._channel = worker.channel
        self.scheduler: Scheduler | None = None
        self.fiber: Fiber | None = None
        self.waiting: Suspension | None = None
        self._frames: dict[int, Frame] = {0: frame}
        self._numbers: dict[int, int] = {id(frame): 0}
        self._calls: dict[int, Fiber] = {}
        self._busy: set[int] = set()
        self.replies: dict[int, Fiber] = {}
        self._next = 2
        self._sent = 0
        self._rested = -1, False
        self._texts = {source.name}
        self._compiled = False
        self._cancelled = False
        self._bell: tuple[int, int] | None = None
        self._ring: Callable[[], None] | None = None
        self._poller: Any = None
        self._gone: Gone | None = None
        self._loop: Any = None
        self._writing = False

    # ------------------------------------------------------------------ the run, from outside
    async def execute(self) -> Any:
        """Run the program to its end; its value. Raises what it raises, and HostError `run/crashed`."""
        value = await Phase(self, self._begin)
        if not self.options["journaled"]:
            return value

        self.run.durability.attend(lambda: not self.resting)
        try:
            return await self.run.durability.carry_out(self._rest, self.environment)
        finally:
            self.detach()  # of a run that does not begin

    async def _rest(self) -> Any:
        return await Phase(self, lambda: self.send(BEGIN, [0]))

    async def call_function(self, function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
        """Call a function of the worker's in a machine of its own, `frame`."""
        return await self._invoke(INVOKE, (function,), self._translator.text(Vector(arguments)), frame)

    async def parallel(self, functions: tuple[Any, ...], frame: Frame) -> Any:
        """Call functions of the worker's concurrently; a Vector of their values."""
        return await self._invoke(PARALLEL, functions, self._translator.text(Vector(())), frame)

    async def _invoke(self, kind: int, functions: tuple[Any, ...], text: str, frame: Frame) -> Any:
        keys = [key_of(function, self._functions) for function in functions]
        number = self._number(frame)
        outer = -1 if frame.outer is None else self._numbers.get(id(frame.outer), -1)
        request = self._next = self._next + 2
        return await Reply(self, request, kind, [request, number, frame.depth, outer, keys], text)

    def _number(self, frame: Frame) -> int:
        number = self._next = self._next + 2
        self._frames[number] = frame
        self._numbers[id(frame)] = number
        return number

    @property
    def grace(self) -> float:
        """Seconds that the run may have beyond its time."""
        return 0.0 if self.resting else GRACE

    # ------------------------------------------------------------------ sending
    def send(self, kind: int, head: list[Any], body: str = "") -> None:
        told = self._sources.unsent()
        self._channel.put(kind, [told, *head[0:]] if told else [0, *head], body)
        self._sent += 1
        self.resting = False
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._channel.flush(False)
        except Gone:
            return  # reading finds that too, and what the worker said before
        if self._loop is not None and sent == self._writing:
            self._writing = not sent
            if self._writing:
                self._loop.add_writer(self._channel.socket, self._flush)
            else:
                self._loop.remove_writer(self._channel.socket)

    def _begin(self) -> None:
        run, options = self.run, self.options
        limits = run.limits or DEFAULT_LIMITS
        told = {
            **options,
            "source": self._sources.number(self.source),
            "width": run.width,
            "steps": limits.steps,
            "depth": limits.depth,
            "limit": limits.seconds,
            "seconds": run.budget.remaining(),
            "memory": limits.memory,
        }
        self.send(RUN, [told], self._translator.text(Map(self.frame.context.values)))

    # ------------------------------------------------------------------ the link of the scheduler
    @property
    def pending(self) -> bool:
        """Whether messages that have come are still to be taken in."""
        return self._channel.pending

    @property
    def quiet(self) -> bool:
        """Whether the worker waits too, or has computed for a while."""
        return self._rested[0] == self._sent

    def attach(self, scheduler: Scheduler) -> None:
        """Be the link of a scheduler from now on."""
        self.scheduler = scheduler
        if scheduler.home is not None:
            self._ring = scheduler.attach(self)
            self._loop = scheduler.home
            self._loop.add_reader(self._channel.socket, self._come)
            return
        self._bell = os.pipe()
        os.set_blocking(self._bell[0], False)
        os.set_blocking(self._bell[1], False)
        self._poller = poll()
        self._poller.register(self._channel.socket, POLLIN)
        self._poller.register(self._bell[0], POLLIN)
        scheduler.attach(self)

    def detach(self) -> None:
        """Be no link any more. Harmless when repeated."""
        self.over = True
        scheduler, self.scheduler = self.scheduler, None
        if scheduler is not None:
            scheduler.attach(None)
        loop, self._loop = self._loop, None
        if loop is not None and self._channel.socket.fileno() >= 0:
            loop.remove_reader(self._channel.socket)
            loop.remove_writer(self._channel.socket)
        bell, self._bell = self._bell, None
        if bell is not None:
            os.close(bell[0])
            os.close(bell[1])

    def _come(self) -> None:
        """The event loop says that something has come."""
        try:
            self._channel.fill(False)
        except Gone as gone:
            self._gone = gone
        if self._ring is not None:
            self._ring()

    def ring(self) -> None:
        """End a `wait`. From any thread."""
        bell = self._bell
        if bell is not None:
            try:
                os.write(bell[1], b"!")
            except OSError:  # full: it rings; closed: nobody waits
                pass

    def wait(self, seconds: float | None) -> None:
        """Wait until a message comes, or something rings."""
        assert self._bell is not None
        channel, poller, bell = self._channel, self._poller, self._bell[0]
        unsent = channel.unsent
        if unsent:
            poller.modify(channel.socket, POLLIN | POLLOUT)
        for descriptor, happened in poller.poll(None if seconds is None else seconds * 1000 + 1):
            if descriptor == bell:
                try:
                    os.read(descriptor, 4096)
                except BlockingIOError:
                    pass
            elif happened & ~POLLOUT:
                try:
                    channel.fill(False)
                except Gone as gone:
                    self._gone = gone
        if unsent:
            poller.modify(channel.socket, POLLIN)
            self._flush()

    def receive(self) -> None:
        """Take in what has come, for a moment; what is wrong with it ends the run."""
        channel = self._channel
        if self.over or not (channel.arrived or self._gone is not None):
            return
        try:
            until = monotonic() + SLICE
            while True:  # what was read is taken in before it ends, or is `pending`
                self._take_all()
                if self.scheduler is None or monotonic() > until or not channel.pending:
                    break
            if self._gone is not None and not channel.pending and not self.over:
                raise self._gone
        except Gone:
            self.crash("its worker process has ended")
        except Nonsense as error:
            self.crash(f"its worker process sent nonsense: {error}")
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            self.crash(f"its worker process sent nonsense: {error}")

    def _take_all(self) -> None:
        """Take in the messages that are here, until one of them ends the run."""
        for kind, head, body in self._channel.messages():
            if head.__class__ is not list:
                raise Nonsense("a message without a head")
            if head and head[0]:
                self._sources.learn(head[0])
            self._take(kind, head, body)
            if self.over:
                return

    def crash(self, why: str) -> None:
        """End the run, for its worker is of no use any more."""
        self.worker.kill()
        error = HostError(
            f"the run has ended: {why}",
            code="run/crashed",
            hint="other runs are not affected" + (f"; {self.options['loses']}" if self.options.get("loses") else ""),
        )
        self._end(None, error)

    def _end(self, value: Any, error: BaseException | None) -> None:
        """The run has a value or an error."""
        if self.over:
            return
        scheduler, fiber = self.scheduler, self.fiber
        self.over = True
        for frame in self._frames.values():
            if frame.steps:
                abandon_steps(frame)
        calls, self._calls = self._calls, {}
        if scheduler is not None:
            for one in calls.values():
                scheduler.cancel(one)
            if fiber is not None and fiber.waiting is self.waiting:
                self.waiting = None
                scheduler.wake(fiber, value, error)
        self.detach()

    def cancel(self) -> None:
        """The run is given up: the worker may say so, else it is killed."""
        if self.over:
            return
        scheduler = self.scheduler
        for frame in self._frames.values():
            if frame.steps:
                abandon_steps(frame)
        calls, self._calls = self._calls, {}
        if scheduler is not None:
            for one in calls.values():
                scheduler.cancel(one)
        self.over = True
        self.detach()
        if self.options["pinned"] and self._settled():
            return
        self.worker.kill()

    def _settled(self) -> bool:
        """Whether a worker that is told to stop does, soon."""
        channel = self._channel
        channel.put(CANCEL, [0])
        poller = poll()
        poller.register(channel.socket, POLLIN)
        until = monotonic() + PATIENCE
        try:
            while True:
                left = until - monotonic()
                if left <= 0 or not channel.flush(False) or not poller.poll(left * 1000 + 1):
                    return False
                channel.fill(False)
                for kind, head, _ in channel.messages(1 << 30):
                    if head and head[0]:
                        self._sources.learn(head[0])
                    if kind in (DONE, FAILED):
                        self.defined = bool(head[1])
                        return True
        except (Gone, Nonsense, LookupError, TypeError):
            return False

    # ------------------------------------------------------------------ what the worker says
    def _take(self, kind: int, head: list[Any], body: str) -> None:
        if kind == CALL:
            _, number, place, id, where = head
            frame = self._frames[place]
            arguments, hints = self._translator.value(body)
            span = self._sources.span(where)
            call = HostCall("call", checked_text(id), tuple(arguments), checked_hints(hints), Known(span))
            self._answer(number, place, lambda: self.run.performer.perform(call, frame))
        elif kind == RESTING:
            self._rested = head[1], head[2]
            self.resting = head[1] == self._sent and head[2] is True
        elif kind == CONTROL:
            self._control(head, body)
        elif kind == DONE:
            self.defined = bool(head[1])
            self._end(self._translator.value(body), None)
        elif kind == FAILED:
            self.defined = bool(head[1])
            self._end(None, self._translator.raised(head[2]))
        elif kind == BRANCH:
            self._branch(head)
        elif kind == LEFT:
            self._left(head[1])
        elif kind in (RETURN, RAISE):
            self._reply(kind, head, body)
        elif kind == DECLARE:
            self._declare(head, body)
        elif kind == DROP:
            fiber = self._calls.pop(head[1], None)
            if fiber is not None and self.scheduler is not None:
                self.scheduler.cancel(fiber)
        elif kind == CAPABILITY:
            self.send(ANSWER, self._capability(checked_text(head[1])))
        elif kind == MODULE:
            self.send(ANSWER, [self._module(checked_text(head[1]), checked_text(head[2]))])
        elif kind == TIME:
            budget = self.run.budget
            self.send(ANSWER, [None if budget.parked else budget.remaining()])
        elif kind == BRANCH_FAILED:
            self._branch_failed(head)
        elif kind == COMPILED and not self._compiled:
            self._compiled = True
            self._know(head[2])
            self._wake(None)
        elif kind == READY:
            self.worker.ready(head)
        else:
            raise Nonsense(f"a message of kind {kind}")

    def _wake(self, value: Any) -> None:
        fiber, scheduler = self.fiber, self.scheduler
        if fiber is not None and scheduler is not None and fiber.waiting is self.waiting:
            self.waiting = None
            scheduler.wake(fiber, value)

    def _answer(self, number: Any, place: int, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Have a request of a frame answered."""
        if number.__class__ is not int or number in self._calls or place in self._busy:
            raise Nonsense("a request of a frame that has asked already")
        scheduler = self.scheduler
        assert scheduler is not None
        self._busy.add(place)

        async def answer() -> None:
            try:
                self.run.budget.check_time()
                value = self._translator.text(await make())
            except UserError as error:
                self._forget(number, place)
                self.send(ERROR, [number, self._translator.error(error)])
            except BaseException:
                self._forget(number, place)
                raise
            else:
                self._forget(number, place)
                self.send(VALUE, [number], value)

        fiber = scheduler.start(answer(), self._failed)
        if not fiber.done:
            self._calls[number] = fiber

    def _forget(self, number: int, place: int) -> None:
        self._calls.pop(number, None)
        self._busy.discard(place)

    def _failed(self, fiber: Fiber) -> None:
        """End the run with an error that is not the program's fault."""
        if isinstance(fiber.error, Nonsense):
            self.crash(f"its worker process sent nonsense: {fiber.error}")
        elif fiber.error is not None:
            self.worker.kill()
            self._end(None, fiber.error)

    def _control(self, head: list[Any], body: str) -> None:
        _, place, kind, id, where = head
        if kind not in _CONTROLS:
            raise Nonsense(f"a request {kind!r}")
        frame = self._frames[place]
        if kind == "parallel":
            frame.next_path()
            return
        if len(frame.steps) + len(frame.contexts) > (self.run.limits or DEFAULT_LIMITS).depth:
            raise Nonsense("steps without end")
        span = self._sources.span(where)
        call = HostCall(kind, checked_text(id), tuple(self._translator.value(body)), None, Known(span))
        if kind == "context-leave" and not frame.contexts:
            raise Nonsense("the end of a context that has not begun")
        try:
            handle_control_call(call, frame).send(None)
        except StopIteration:
            return
        except UserError as error:
            raise Nonsense(error.message) from None
        raise InternalError(f"a {kind} waits")

    def _branch(self, head: list[Any]) -> None:
        _, outer, place, number = head
        if place in self._frames or place.__class__ is not int or place % 2 == 0 or number.__class__ is not int:
            raise Nonsense("a branch under a number that is taken")
        if len(self._frames) >= MOST_FRAMES:
            raise Nonsense("more branches than can be")
        try:
            frame = self._frames[outer].inner()
        except UserError as error:
            raise Nonsense(error.message) from None
        frame.parent = self.run.events.emit(BranchStarted(frame.context, frame.parent, number))
        self._frames[place] = frame
        self._numbers[id(frame)] = place

    def _left(self, place: Any) -> None:
        if place == 0:
            raise Nonsense("the end of the program, without a result")
        frame = self._frames.pop(place, None)
        if frame is not None:
            self._numbers.pop(id(frame), None)
            if frame.steps:
                abandon_steps(frame)

    def _branch_failed(self, head: list[Any]) -> None:
        _, number, place, error = head
        frame, failure = self._frames[place], self._translator.raised(error)
        if not isinstance(failure, UserError):
            raise Nonsense("a branch that failed with what no branch can")

        async def tell() -> None:
            await self.run.durability.branch_failed(frame, failure)

        self._answer(number, place, tell)

    def _reply(self, kind: int, head: list[Any], body: str) -> None:
        fiber = self.replies.pop(head[1], None)
        if fiber is None or self.scheduler is None:
            return
        if kind == RETURN:
            self.scheduler.wake(fiber, self._translator.value(body))
        else:
            self.scheduler.wake(fiber, None, self._translator.raised(head[2]))

    def _declare(self, head: list[Any], body: str) -> None:
        _, number, place, id, where, types = head
        frame, options, span = self._frames[place], self._translator.value(body), self._sources.span(where)
        if options.__class__ is not Map:
            raise Nonsense("a declaration that is not a map")
        call = HostCall("capability", checked_text(id), (options,), None, Known(span))

        async def declare() -> Any:
            self.types = resolver(types)
            return self.run.performer.declare(call, frame)

        self._answer(number, place, declare)

    # ------------------------------------------------------------------ what the worker wants to know
    def _capability(self, id: str) -> list[Any]:
        registry, strict = self.run.registry, self.options["strict"]
        found = capability_of(registry, id, strict)
        said = said_of(registry, id, strict)
        if found is None or not found.known:
            unknown: dict[str, Any] = {"unknown": None if found is None else True, "said": said}
            if found is not None:
                unknown.update(message=found.message, hint=found.hint)
            return [unknown]
        entry = registry.find(id)
        input = None if found.input is None or entry is None else entry.fields.input_type
        told = {"unknown": False, "said": said, "strict": strict}
        return [{**told, "input": type_data(input), "output": type_data(found.output)}]

    def _module(self, name: str, importer: str) -> list[Any] | None:
        """Path and text of a module's file, or the error of one that cannot be read; None where there is none."""
        looked = Source("", importer if importer in self._texts else "<string>")
        path = find_file(name, Loaded(self.options["path"], self.run.files), looked)
        if path is None:
            return None
        try:
            text = read_file(path) if self.run.files is None else self.run.files.read(path)
        except UserError as error:
            return [path, None, self._translator.error(error)]
        self._texts.add(path)
        self.environment.learn(name, path, text)
        return [path, text]

    def _know(self, names: Any) -> None:
        """Keep only those of the found modules that are loaded."""
        loaded = {checked_text(path) for path, _ in names}
        self.environment.keep(loaded)

    def _handle(self, function: Any) -> list[Any]:
        """The handle of a function that goes to the worker. Raises HostError for one that is not its own."""
        return [key_of(function, self._functions), "", False]
