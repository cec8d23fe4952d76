"""`Stop`: ends a run; no program can catch or notice it.

Must not know why. Invariant: guest code does not run any more once a Stop is raised (machines are closed, not unwound),
so that nothing happens after the point from which a resumed run continues; the runtime hands its `error` to the caller.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.values import UserError


class Stop(BaseException):
    """error: what the caller of the run sees. waiting: the call, as text, that a person has to approve (a durable
    run is resumed with it), or "". for_run: whether it may be given for the rest of the run.

    Of a durable run, set by its journaling: state, in which it is left, or "". question: what it waits for an answer
    to, or "". wake_at: when it continues by itself, in seconds since 1970, or None. renewal: the run as which it
    continues, a `Renewal`, or None.
    """

    def __init__(self, error: UserError, waiting: str = "", for_run: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.waiting = waiting
        self.for_run = for_run
        self.state = ""
        self.question = ""
        self.wake_at: float | None = None
        self.renewal: Any = None


def stop(code: str, message: str, **fields: Any) -> Stop:
    """A Stop with an error of this code."""
    return Stop(HostError(message, code=code, **fields))
