"""A call of a durable run on its way through the pipeline: announced before it is made, recorded when it has ended.

Must not know replays. Invariant: nothing is made before its announcement is written, but what runs in RTFS, whose own
calls are announced.
"""

from __future__ import annotations

from contextvars import ContextVar

from rtfs.capabilities.registry import BRANCHES, BUILTIN, GUEST
from rtfs.host.durable.codec import encode
from rtfs.host.durable.journal import AGAIN, CALL, ENTER, ERROR, OUTCOME, SAFE, WHOLE
from rtfs.host.policy.policy import Decision
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.durable.execution import Durable
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.run.driver import Frame
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
    from rtfs.machine import HostCall

current_key: ContextVar[str | None] = ContextVar("rtfs_idempotency_key", default=None)
_DECIDED = "allow: decided when the run was recorded"


def idempotency_key() -> str | None:
    """For a Python capability: the key of the call it performs, the same when the call is made again after a crash;
    None outside of a durable run."""
    return current_key.get()


class HeldCall:
    """A call that is being performed. decision: the recorded one, if there is one. key: the idempotency key."""

    __slots__ = ("_announced", "_call", "_durable", "_frame", "_known", "_path", "_rerun", "_text", "decision", "key")

    def __init__(
        self, durable: Durable, path: str, text: str, call: HostCall, frame: Frame, known: Recorded | None
    ) -> None:
        self._durable = durable
        self._path = path
        self._text = text
        self._call = call
        self._frame = frame
        self._known = known
        self._announced = known is not None
        self._rerun = False
        self.decision = None
        self.key = f"{durable.key}-{path}"
        if known is not None and known.kind == ENTER:
            self.decision = Decision(True, "")
            self.decision.text = _DECIDED

    async def announce(self, entry: Entry, hinted: bool) -> None:
        """The call was allowed and is about to be made. Goes on when that is written; what runs an implementation in
        RTFS needs no announcement, as each of its calls has one."""
        rerun = entry.route == GUEST or entry.route == BRANCHES
        self._rerun = rerun and not hinted
        known = self._known
        if known is not None:
            if known.kind != ENTER:
                self._durable.add(AGAIN, self._path, entry.id, "")
        else:
            self._announced = True
            kind = ENTER if self._rerun else WHOLE if rerun else SAFE if repeatable(entry, self._call.args) else CALL
            self._durable.add(kind, self._path, entry.id, self._text, self._note())
        if not rerun:
            await Written(self._durable)
        current_key.set(self.key)

    def done(self, value: Any) -> Any:
        """The call gave a value."""
        if not self._rerun:
            try:
                text = encode(value)
            except TypeError as error:
                failure = HostError(
                    f'what "{self._call.id}" answered cannot be recorded: {error}',
                    code="capability/result",
                    capability=self._call.id,
                )
                self.failed(failure)
                raise failure from None
            self._durable.add(OUTCOME, self._path, self._call.id, text)
        return value

    def failed(self, error: UserError) -> None:
        """The call gave an error, or was not made at all."""
        if self._rerun:
            return
        if not self._announced:
            self._durable.add(CALL, self._path, self._call.id, self._text, self._note())
            self._durable.add(ERROR, self._path, self._call.id, error_text(error), "not made")
        else:
            self._durable.add(ERROR, self._path, self._call.id, error_text(error))

    def _note(self) -> str:
        span = self._call.span
        return in_step(self._frame) + (f" ({span})" if span is not None else "")


class Written(Suspension):
    """Wait until everything that was added to the journal is written."""

    __slots__ = ("durable",)

    def __init__(self, durable: Durable) -> None:
        self.durable = durable

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        self.durable.write_soon(scheduler, fiber)


def error_text(error: UserError) -> str:
    """An error as the journal keeps it."""
    try:
        return encode(error)
    except TypeError:  # a function in its data
        return encode(HostError(error.message, code=error.code, hint=error.hint, capability=error.capability))


def in_step(frame: Frame) -> str:
    """The step that a frame is in, for messages."""
    return f' in step "{frame.steps[-1][1]}"' if frame.steps else ""


def repeatable(entry: Entry | None, arguments: tuple[Any, ...]) -> bool:
    """Whether a call may be made twice without harm: it says so of these arguments, its declaration does (servers'
    hints become part of it), or it is bundled."""
    if entry is None:
        return True
    if entry.repeats is not None:
        return entry.repeats(arguments)
    return entry.origin == BUILTIN or entry.fields.idempotent is True
