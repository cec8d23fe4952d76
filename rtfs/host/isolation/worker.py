"""The worker process: compiles and runs one program at a time, and asks its host for whatever is not computing.

Must not know capabilities, policy, secrets or journals: it has the language and one end of a pipe. Invariants: each
request is answered once or dropped; steps, contexts and branches are told to the host in the order in which they
happen; whatever ends a run, the worker says so and waits for the next.
"""

from __future__ import annotations

from rtfs.capabilities.registry import same_function
from rtfs.host.isolation import sandbox
from rtfs.host.isolation.guest_run import Frame, GuestRun, Request, described
from rtfs.host.isolation.wire import (
    ANSWER,
    BEGIN,
    CANCEL,
    DONE,
    DROP,
    ERROR,
    FAILED,
    INVOKE,
    MODULE,
    PARALLEL,
    RAISE,
    RESTING,
    RETURN,
    RUN,
    VALUE,
    Channel,
    Gone,
    Nonsense,
    Sources,
    Translator,
)
from rtfs.host.scheduler.scheduler import Fiber, Scheduler
from rtfs.host.stop import Stop
from rtfs.machine import memory
from rtfs.values import Cancelled, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler import Environment
    from rtfs.flow.tag import Tag
    from rtfs.source import Source

RESERVE = 256 << 20
"""Bytes of address space beside those that a run may hold: for the process itself, and for one standard function to
overshoot in."""


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
        elif self._scheduler is not None and self._scheduler.busy:
            channel.fill(False)
        elif not self._deferred:  # `wait` reads
            return
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
            if waits:
                self.channel.put_rest(self._heard)
            else:
                self.channel.put(RESTING, [0, self._heard, False])

    def _take(self, kind: int, head: Any, body: str) -> None:
        scheduler = self._scheduler
        assert scheduler is not None
        if kind in (VALUE, ERROR):
            number = head[1]
            self.sources.learn(head[0] or ())
            found = self.requests.pop(number, None)
            if found is None:
                return  # nothing waits for it any more
            fiber, request = found
            if kind == VALUE:
                request.labels = head[2]
                scheduler.wake(fiber, self.translator.value(body))
            else:
                request.labels = head[3]
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
        number, place, depth, outer, handles, told = head
        above = self.frames.get(outer)
        frame = Frame(place, depth, above, run.context if above is None else above.values[-1])
        self.frames[place] = frame
        functions = [self._function([handle]) for handle in handles]
        arguments = tuple(self.translator.value(body))
        labels, texts = run.labels, run.texts
        tags: list[Tag] = []
        if labels is not None and texts is not None:
            flow = self.frames[0].flow if above is None else above.flow
            frame.flow = labels.inner(labels.program() if flow is None else flow)
            tags, _ = texts.tags(told, len(arguments))

        def written(tag: Tag | None, value: Any) -> str | None:
            return None if texts is None or tag is None else texts.text(tag, value)

        async def invoked() -> None:
            tag: Tag | None = None
            try:
                if kind == PARALLEL:
                    value, tag = await run.parallel(tuple(functions), frame)
                else:
                    value = await run.drive(run.call(functions[0], arguments, frame, tags), frame)
                    if labels is not None and frame.flow is not None:
                        tag = labels.answer_of(functions[0], frame.flow)
            except UserError as error:
                if frame.flow is not None and frame.flow.trying is not None:
                    tag = frame.flow.trying.tag()
                self.send(RAISE, [number, self.translator.error(error), written(tag, None)])
            else:
                self.send(RETURN, [number, written(tag, value)], self.translator.text(value))
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


def _raise_failure(fiber: Fiber) -> None:
    if fiber.error is not None:
        raise fiber.error


def run(channel: Channel, environment: Environment) -> None:
    """Be a worker until the host has gone."""
    try:
        Worker(channel, environment).serve()
    except Gone:
        pass
