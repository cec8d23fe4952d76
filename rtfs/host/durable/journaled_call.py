"""A call of a durable run while it is performed: what is written of it, and when.

Must not know journals. Invariants: a call that is not of RTFS is announced before it is made; what was not made is
recorded as such; an outcome that cannot be recorded is an error of the call.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BRANCHES, GUEST, INLINE
from rtfs.host.durable.codec import encode
from rtfs.host.durable.doubt import may_repeat
from rtfs.host.durable.flush import Announced, Written
from rtfs.host.durable.store import AGAIN, CALL, ENTER, ERROR, LABELS, NOTED, OUTCOME, SAFE, WHOLE
from rtfs.host.policy.policy import Decision
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.durable.execution import Durable
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall

_DECIDED = "allow: decided when the run was recorded"


class JournaledCall:
    """A call that is being performed. path: of the call. decision: the recorded one, if there is one. key: the
    idempotency key."""

    __slots__ = (
        "_announced", "_call", "_counted", "_durable", "_frame", "_known", "_rerun", "_text", "decision", "key", "path",
    )  # fmt: skip

    def __init__(
        self, durable: Durable, path: str, text: str, call: HostCall, frame: Frame, known: Recorded | None
    ) -> None:
        self._durable = durable
        self.path = path
        self._text = text
        self._call = call
        self._frame = frame
        self._known = known
        self._announced = known is not None
        self._rerun = False
        self._counted = True
        self.decision = None
        self.key = f"{durable.key}-{path}"
        if known is not None and known.kind == ENTER:
            self.decision = Decision(True, "")
            self.decision.text = _DECIDED

    def announce(self, entry: Entry, hinted: bool) -> Announced:
        """The call was allowed and is about to be made: awaited, that is written. What runs an implementation in RTFS
        needs no announcement, as each of its calls has one."""
        rerun = entry.route == GUEST or entry.route == BRANCHES
        self._rerun = rerun and not hinted
        if self._rerun:
            self.end()
        known = self._known
        if known is not None:
            if known.kind != ENTER:
                self._durable.add(AGAIN, self.path, entry.id, "")
        else:
            self._announced = True
            kind = ENTER if self._rerun else WHOLE if rerun else SAFE if may_repeat(entry, self._call.args) else CALL
            self._durable.add(kind, self.path, entry.id, self._text, self._note())
        if rerun and not self._rerun:  # its own calls are not made again when it is answered from the record
            self._call.keep_labels = lambda text: self._durable.add(LABELS, self.path, entry.id, text)
        return Announced(self._durable, self.key, not rerun, entry.route == INLINE)

    def end(self) -> None:
        """The call is not under way any more, or each of the calls that it makes counts. Harmless when repeated."""
        if self._counted:
            self._counted = False
            self._durable.waits.under_way -= 1

    def tell(self, kind: str, text: str) -> None:
        """Note what the call was told, with the next transaction."""
        self._durable.add(kind, self.path, self._call.id, text)

    @property
    def remembered(self) -> str | None:
        """The provider's note of an earlier attempt, in a process that is gone; None for no note."""
        return None if self._known is None else self._known.remembered

    async def remember(self, text: str) -> None:
        """Keep a provider's note about the call, which is under way; returns when it is written."""
        self._durable.add(NOTED, self.path, self._call.id, text)
        await Written(self._durable)

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
            self._durable.add(OUTCOME, self.path, self._call.id, text)
        return value

    def failed(self, error: UserError) -> None:
        """The call gave an error, or was not made at all."""
        if self._rerun:
            return
        if not self._announced:
            self._durable.add(CALL, self.path, self._call.id, self._text, self._note())
            self._durable.add(ERROR, self.path, self._call.id, error_text(error), "not made")
        else:
            self._durable.add(ERROR, self.path, self._call.id, error_text(error))

    def _note(self) -> str:
        span = self._call.span
        return in_step(self._frame) + (f" ({span})" if span is not None else "")


def error_text(error: UserError) -> str:
    """An error as the journal keeps it."""
    try:
        return encode(error)
    except TypeError:  # a function in its data
        return encode(HostError(error.message, code=error.code, hint=error.hint, capability=error.capability))


def in_step(frame: Frame) -> str:
    """The step that a frame is in, for messages."""
    return f' in step "{frame.steps[-1][1]}"' if frame.steps else ""
