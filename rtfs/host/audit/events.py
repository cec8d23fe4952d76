"""The events of runs, as types, and `Events`, which tells any number of subscribers of them.

Must not know how calls are made. Invariants: the ledger is told first, and what it cannot write did not happen; what
subscribers see of values is text without known secrets; no subscriber can disturb a run.

Subscribers are called in the thread where the event happens, and must not wait.
"""

from __future__ import annotations

from rtfs.host.redaction import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.host.audit.ledger import Ledger

    class Context(Protocol):
        """On whose behalf something happens: a `RuntimeContext`."""

        run_id: str
        principal: str


class Event:
    """Something that happened in a run.

    `number`: of its ledger record, 0 if it has none. `run`: id of the run, "" for what belongs to none. `parent`:
    number of the event that it belongs to, or 0. `principal`: on whose behalf. `subject`: what it is about. `detail`:
    what happened, in words. `duration`: nanoseconds.
    """

    __slots__ = ("number", "parent", "principal", "run")
    kind: str = ""
    """The name of its kind, as in the ledger."""
    recorded = True
    """Whether the ledger keeps it."""
    subject: str = ""
    detail: str = ""
    duration: int = 0
    arguments_text: str | None = None
    """The arguments as text, whole: for hashes only."""
    result_text: str | None = None
    """The result as text, whole: for hashes only."""

    def __init__(self, context: Context, parent: int) -> None:
        self.number = 0
        self.run = context.run_id
        self.principal = context.principal
        self.parent = parent

    @property
    def arguments(self) -> str | None:
        """The arguments as RTFS text without known secrets, or None for an event that has none."""
        return None if self.arguments_text is None else redact(self.arguments_text)

    @property
    def result(self) -> str | None:
        """The result as RTFS text without known secrets, or None for an event that has none."""
        return None if self.result_text is None else redact(self.result_text)

    def to_data(self) -> dict[str, Any]:
        """The event as JSON data, without known secrets."""
        names = ("kind", "number", "run", "parent", "principal", "subject", "detail", "arguments", "result", "duration")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value not in ("", None, 0)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.number} {self.subject} {self.detail})"


class RunStarted(Event):
    """A run begins. subject: name of its source. detail: keyed hash of its text. loads: whether it only loads
    declarations, for the runs of plans."""

    __slots__ = ("detail", "loads", "subject")
    kind = "run"

    def __init__(self, context: Context, name: str, detail: str, loads: bool = False) -> None:
        super().__init__(context, 0)
        self.subject = name
        self.detail = detail
        self.loads = loads


WAITS = ("policy/approval-required", "run/waiting")
"""Codes with which a run ends that waits and can be resumed: for an approval, for a signal or a moment."""


RUN_STATUSES = ("ok", "error", "stopped", "waiting", "cancelled", "continued")
"""waiting: for an approval, a signal or a moment. stopped: it could not continue, as where the ledger cannot be
written. continued: as a new run."""


class RunEnded(Event):
    """A run ends. detail: `ok`, `error: CODE`, `stopped: CODE`, `cancelled` or `continued as RUN`."""

    __slots__ = ("detail",)
    kind = "end"

    def __init__(self, context: Context, parent: int, status: str) -> None:
        super().__init__(context, parent)
        self.detail = status

    @property
    def status(self) -> str:
        """One of `RUN_STATUSES`."""
        if self.detail.endswith(WAITS):
            return "waiting"
        return "continued" if self.detail.startswith("continued as ") else self.detail.partition(":")[0]


class RunResumed(Event):
    """A durable run continues. subject: name of its source. detail: the run that it continues, if that is another."""

    __slots__ = ("detail", "subject")
    kind = "resume"

    def __init__(self, context: Context, parent: int, name: str, former: str = "") -> None:
        super().__init__(context, parent)
        self.subject = name
        self.detail = f"continues {former}" if former else ""


class StepEntered(Event):
    """A `(step …)` begins. subject: its name. detail: names of its parameters and context options."""

    __slots__ = ("detail", "subject")
    kind = "step"

    def __init__(self, context: Context, parent: int, name: str, detail: str) -> None:
        super().__init__(context, parent)
        self.subject = name
        self.detail = detail


class StepLeft(Event):
    """A step ends. subject: its name. detail: `ok`, `error` or `abandoned`."""

    __slots__ = ("detail", "subject")
    kind = "leave"

    def __init__(self, context: Context, parent: int, name: str, status: str) -> None:
        super().__init__(context, parent)
        self.subject = name
        self.detail = status


class BranchStarted(Event):
    """A parallel branch begins. subject: its number in its group."""

    __slots__ = ("subject",)
    kind = "branch"

    def __init__(self, context: Context, parent: int, number: int) -> None:
        super().__init__(context, parent)
        self.subject = str(number)


class CapabilityDeclared(Event):
    """A `(capability …)` form was evaluated. subject: id. detail: version. A plan's own is recorded; those of a loaded
    file follow from the digest in the record of the load."""

    __slots__ = ("detail", "recorded", "subject")
    kind = "declare"

    def __init__(self, context: Context, parent: int, id: str, version: str, *, recorded: bool) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.detail = version
        self.recorded = recorded


class CallDecided(Event):
    """It was decided whether a call may be made. subject: capability id. detail: the decision with its reason.
    allowed: whether the call is made."""

    __slots__ = ("allowed", "arguments_text", "detail", "subject")
    kind = "decision"

    def __init__(
        self, context: Context, parent: int, id: str, allowed: bool, detail: str, arguments: str | None = None
    ) -> None:
        self.number = 0
        self.run = context.run_id
        self.principal = context.principal
        self.parent = parent
        self.subject = id
        self.allowed = allowed
        self.detail = detail
        self.arguments_text = arguments


class CallEnded(Event):
    """A call that was allowed has ended. parent: number of its decision. subject: capability id. detail: `ok`,
    `error: CODE`, `cancelled`, or `waiting` where its run ends to be resumed when what it waits for has come."""

    __slots__ = ("detail", "duration", "result_text", "subject")
    kind = "outcome"

    def __init__(
        self, context: Context, parent: int, id: str, status: str, duration: int, result: str | None = None
    ) -> None:
        self.number = 0
        self.run = context.run_id
        self.principal = context.principal
        self.parent = parent
        self.subject = id
        self.detail = status
        self.duration = duration
        self.result_text = result


class CallReplayed(Event):
    """A call was answered from the record of its run, or by what the user says of it. subject: capability id. detail:
    `ok`, `error: CODE` or `resolved by hand: HOW`."""

    __slots__ = ("detail", "result_text", "subject")
    kind = "replay"

    def __init__(self, context: Context, parent: int, id: str, detail: str, result: str | None = None) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.detail = detail
        self.result_text = result


class CallProgressed(Event):
    """A server tells how far a call is. subject: capability id. done, total: in the server's own units; total and
    message may be None. Not in the ledger."""

    __slots__ = ("done", "message", "subject", "total")
    kind = "progress"
    recorded = False

    def __init__(
        self, context: Context, parent: int, id: str, done: float, total: float | None, message: str | None
    ) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.done = done
        self.total = total
        self.message = message


class HintApplied(Event):
    """A hint did something. parent: number of the call's decision. subject: capability id. detail: hint and deed."""

    __slots__ = ("detail", "subject")
    kind = "hint"

    def __init__(self, context: Context, parent: int, id: str, detail: str) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.detail = detail


class QuestionAsked(Event):
    """A server asks a person something in the middle of a call. parent: number of the call's decision. subject:
    capability id. detail: who asks."""

    __slots__ = ("detail", "subject")
    kind = "question"

    def __init__(self, context: Context, parent: int, id: str, server: str) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.detail = "asks a person: " + server


class QuestionSettled(Event):
    """The outcome of a question: detail is `accept`, `decline`, `cancel` or `failed`."""

    __slots__ = ("detail", "subject")
    kind = "question"

    def __init__(self, context: Context, parent: int, id: str, became: str) -> None:
        super().__init__(context, parent)
        self.subject = id
        self.detail = became


class Answered(Event):
    """A durable run was told something from outside. subject: the question that is answered, or `cancel`. principal:
    who says so."""

    __slots__ = ("subject",)
    kind = "answer"

    def __init__(self, context: Context, question: str) -> None:
        super().__init__(context, 0)
        self.subject = question


class SessionChanged(Event):
    """Something happened to a session with a server. subject: its key. detail: what, in words."""

    __slots__ = ("detail", "subject")
    kind = "session"

    def __init__(self, key: str, detail: str) -> None:
        self.number = 0
        self.run = self.principal = ""
        self.parent = 0
        self.subject = key
        self.detail = detail


class Events:
    """The distributor of a runtime's events: to its ledger, then to its subscribers in order.

    warn(message): told, once, of a subscriber that fails. observed: whether anybody but the ledger is told.
    """

    __slots__ = ("_failed", "_subscribers", "_warn", "ledger", "observed")

    def __init__(self, ledger: Ledger, warn: Callable[[str], None]) -> None:
        self.ledger = ledger
        self._warn = warn
        self._subscribers: tuple[Callable[[Any], object], ...] = ()
        self.observed = False
        self._failed: set[int] = set()

    def emit(self, event: Event) -> int:
        """Tell of an event; the number of its ledger record. Raises what the ledger raises."""
        if event.recorded:
            event.number = self.ledger.append(event)
        if self._subscribers:
            self._tell(event)
        return event.number

    def call_decided(
        self, context: Context, parent: int, id: str, allowed: bool, detail: str, arguments: str | None = None
    ) -> int:
        """`emit(CallDecided(…))`, without the event where only the ledger is told."""
        if self._subscribers:
            return self.emit(CallDecided(context, parent, id, allowed, detail, arguments))
        principal = context.principal
        return self.ledger.write("decision", context.run_id, parent, id, principal, detail, arguments, None, 0)

    def call_ended(
        self, context: Context, parent: int, id: str, status: str, duration: int, result: str | None = None
    ) -> int:
        """`emit(CallEnded(…))`, without the event where only the ledger is told."""
        if self._subscribers:
            return self.emit(CallEnded(context, parent, id, status, duration, result))
        principal = context.principal
        return self.ledger.write("outcome", context.run_id, parent, id, principal, status, None, result, duration)

    def subscribe(self, subscriber: Callable[[Any], object]) -> Callable[[], None]:
        """Have `subscriber(event)` called with each event from now on; the answer ends that."""
        self._subscribers = (*self._subscribers, subscriber)
        self.observed = True

        def unsubscribe() -> None:
            self._subscribers = tuple(one for one in self._subscribers if one is not subscriber)
            self.observed = bool(self._subscribers)

        return unsubscribe

    def _tell(self, event: Event) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception as error:
                if id(subscriber) not in self._failed:
                    self._failed.add(id(subscriber))
                    self._warn(f"a subscriber to events failed: {type(error).__name__}: {error}")
