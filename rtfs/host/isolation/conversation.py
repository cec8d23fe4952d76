"""A run's talk with its worker: answers what the worker asks, through the pipeline, and takes in how the run ends.

Must not know how a call is performed. Invariants: every frame of the worker's has a mirror here, from which paths,
steps and contexts are made as if the machine were in this process; a worker that says what it may not is killed, and
only its run ends; nothing that comes out of the pipe is trusted: the declarations, arguments and values in it are
checked as a plan's.
"""

from __future__ import annotations

from select import POLLIN, poll
from time import monotonic

from rtfs.flow.label import NOTHING
from rtfs.flow.tag import NO_TAG, Tag
from rtfs.host.audit.events import BranchStarted
from rtfs.host.isolation.functions import Functions, key_of
from rtfs.host.isolation.labels import LabelTexts
from rtfs.host.isolation.link import Link
from rtfs.host.isolation.questions import Questions
from rtfs.host.isolation.suspensions import Phase, Reply
from rtfs.host.isolation.type_text import resolver
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
from rtfs.values import HostError, InternalError, Keyword, Map, UserError, Vector
from rtfs.values.map import encode_key

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
MOST_FRAMES = 60_000
"""Machines and calls of one run that may be open; a worker ends runs with a third as many branches itself."""
MOST_LINES = 100_000
"""Places of one run's texts that values may have gone through."""
IMPLEMENTATION = encode_key(Keyword("implementation"))
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
        self.replies: dict[int, tuple[Fiber, Reply]] = {}
        self._next = 2
        self._sent = 0
        self._rested = -1, False
        self._compiled = False
        self._link = Link(self._channel, self.receive, self._quiet)
        self._questions = Questions(self.run, source.name, options["strict"], options["path"], self._translator.error)
        flow = self.run.flow
        self._texts = None if flow is None else LabelTexts(flow.labels)
        self._lines: dict[tuple[str, int], int] = {}

    # ------------------------------------------------------------------ the run, from outside
    async def execute(self) -> Any:
        """Run the program to its end; its value. Raises what it raises, and HostError `run/crashed`."""
        value = await Phase(self, self._begin)
        if not self.options["journaled"]:
            return value

        self.run.durability.attend(lambda: not self.resting)
        try:
            return await self.run.durability.carry_out(self._rest, self._questions.environment)
        finally:
            self.detach()  # of a run that does not begin

    async def _rest(self) -> Any:
        return await Phase(self, lambda: self.send(BEGIN, [0]))

    async def call_function(self, function: Any, arguments: tuple[Any, ...], frame: Frame) -> Any:
        """Call a function of the worker in a new machine, under `frame`."""
        return await self._invoke(INVOKE, (function,), arguments, frame)

    async def parallel(self, functions: tuple[Any, ...], frame: Frame) -> Any:
        """Call functions of the worker's concurrently; a Vector of their values."""
        return await self._invoke(PARALLEL, functions, (), frame)

    async def _invoke(self, kind: int, functions: tuple[Any, ...], arguments: tuple[Any, ...], frame: Frame) -> Any:
        keys = [key_of(function, self._functions) for function in functions]
        number = self._number(frame)
        request = self._next = self._next + 2
        above = frame.outer
        while above is not None and id(above) not in self._numbers:
            above = above.outer
        outer = -1 if above is None else self._numbers[id(above)]
        labels = None
        if self._texts is not None:
            tags = [] if frame.outer is None else frame.outer.argument_tags
            labels = self._texts.text_of_all(
                tags if len(tags) == len(arguments) else [NO_TAG] * len(arguments), arguments
            )
        head = [request, number, frame.depth, outer, keys, labels]
        reply = Reply(self, request, kind, head, self._translator.text(Vector(arguments)))
        whole = False
        try:
            value = await reply
            whole = True
            return value
        finally:
            if self._texts is not None and reply.labels is not None and frame.outer is not None:
                frame.outer.implemented.append((self._texts.tag(reply.labels), whole))

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
        self._link.flush()

    def _begin(self) -> None:
        run, options = self.run, self.options
        limits = run.limits or DEFAULT_LIMITS
        flow = run.flow
        told = {
            **options,
            "labels": None if flow is None else [flow.author, flow.inputs_of],
            "source": self._sources.number(self.source),
            "width": run.width,
            "steps": limits.steps,
            "depth": limits.depth,
            "limit": limits.seconds,
            "seconds": run.budget.remaining(),
            "memory": limits.memory,
        }
        self.send(RUN, [told], self._translator.text(Map(self.frame.context.values)))

    # ------------------------------------------------------------------ receiving
    def _quiet(self) -> bool:
        return self._rested[0] == self._sent

    def attach(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._link.attach(scheduler)

    def detach(self) -> None:
        """Take in nothing more. Harmless when repeated."""
        self.over = True
        self.scheduler = None
        self._link.detach()

    def receive(self) -> None:
        """Take in what has come, for a moment; what is wrong with it ends the run."""
        channel, link = self._channel, self._link
        if self.over or not (channel.arrived or link.gone is not None):
            return
        try:
            until = monotonic() + SLICE
            while True:  # what was read is taken in before it ends, or is `pending`
                self._take_all()
                if self.scheduler is None or monotonic() > until or not channel.pending:
                    break
            if link.gone is not None and not channel.pending and not self.over:
                raise link.gone
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
            _, number, place, id, where, *labels = head
            frame = self._frames[place]
            arguments, hints = self._translator.value(body)
            span = self._sources.span(where)
            call = HostCall("call", checked_text(id), tuple(arguments), checked_hints(hints), Known(span))
            if self._texts is not None:
                self._label(call, labels, self._texts)
            self._answer(number, place, lambda: self.run.performer.perform(call, frame), call)
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
            self.send(ANSWER, self._questions.capability(checked_text(head[1])))
        elif kind == MODULE:
            self.send(ANSWER, [self._questions.module(checked_text(head[1]), checked_text(head[2]))])
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

    def _label(self, call: HostCall, told: list[Any], texts: LabelTexts) -> None:
        """Give a call the labels that the worker says it has."""
        text, where, lines = told
        given = len(call.args)
        tags, call.decided_by = texts.tags(text, given + 2)
        call.labels, call.hint_labels = tags[:given], tags[given]
        if self.run.flow is not None:
            self.run.flow.labels.branch(tags[given + 1].everything())
        if where is not None:
            filename, at = where
            call.where = checked_text(filename), int(at)
        for filename, at, line in lines:
            self._lines[checked_text(filename), int(at)] = int(line)
        if len(self._lines) > MOST_LINES:
            raise Nonsense("more places than a program has")

    def line(self, filename: str, at: int) -> int | None:
        """The line of a place that a value went through, or None."""
        return self._lines.get((filename, at))

    def _answer(
        self,
        number: Any,
        place: int,
        make: Callable[[], Coroutine[Any, Any, Any]],
        call: HostCall | None = None,
    ) -> None:
        """Have a request of a frame answered. call: what it is about, with the labels of the answer."""
        if number.__class__ is not int or number in self._calls or place in self._busy:
            raise Nonsense("a request of a frame that has asked already")
        scheduler = self.scheduler
        assert scheduler is not None
        self._busy.add(place)

        async def answer() -> None:
            try:
                self.run.budget.check_time()
                value = await make()
                text = self._translator.text(value)
            except UserError as error:
                self._forget(number, place)
                self.send(ERROR, [number, self._translator.error(error), self._labels_of(call, None)])
            except BaseException:
                self._forget(number, place)
                raise
            else:
                self._forget(number, place)
                self.send(VALUE, [number, self._labels_of(call, value)], text)

        fiber = scheduler.start(answer(), self._failed)
        if not fiber.done:
            self._calls[number] = fiber

    def _labels_of(self, call: HostCall | None, value: Any) -> str | None:
        """The text of the labels of an answer; None where there are none."""
        if self._texts is None or call is None or call.answer_tag is None:
            return None
        return self._texts.text(call.answer_tag, value)

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
        found = self.replies.pop(head[1], None)
        if found is None or self.scheduler is None:
            return
        fiber, reply = found
        reply.labels = head[3] if kind == RAISE else head[2]
        if kind == RETURN:
            self.scheduler.wake(fiber, self._translator.value(body))
        else:
            self.scheduler.wake(fiber, None, self._translator.raised(head[2]))

    def _declare(self, head: list[Any], body: str) -> None:
        _, number, place, id, where, types, *labels = head
        frame, options, span = self._frames[place], self._translator.value(body), self._sources.span(where)
        if options.__class__ is not Map:
            raise Nonsense("a declaration that is not a map")
        call = HostCall("capability", checked_text(id), (options,), None, Known(span))
        if self._texts is not None and labels and labels[0] is not None:
            tag = self._texts.tag(labels[0])
            call.labels, call.decided_by = [Tag(NOTHING, NOTHING, {IMPLEMENTATION: tag})], NOTHING

        async def declare() -> Any:
            self.types = resolver(types)
            return self.run.performer.declare(call, frame)

        self._answer(number, place, declare)

    def _know(self, names: Any) -> None:
        """Keep only those of the found modules that are loaded."""
        loaded = {checked_text(path) for path, _ in names}
        self._questions.environment.keep(loaded)

    def _handle(self, function: Any) -> list[Any]:
        """The handle of a function that goes to the worker. Raises HostError for one that is not its own."""
        return [key_of(function, self._functions), "", False]
