"""The end of a run in the ledger.

Must not know what a run does. Invariant: a run that has begun has one end there, whatever ends it.
"""

from __future__ import annotations

from rtfs.host.audit.events import RunEnded
from rtfs.host.stop import Stop
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from rtfs.host.run.frame import Frame

    class Sessions(Protocol):
        """The sessions with servers that runs have."""

        def end_run(self, run_id: str) -> None:
            """A run needs its own sessions no more."""


def record_end(frame: Frame, sessions: Sessions, error: BaseException | None) -> None:
    """A run has ended, with this error or with a value. Where a program is only accepted, to run elsewhere, nothing is
    recorded here."""
    run, context = frame.run, frame.context
    if not run.durability.accepts:
        run.events.emit(RunEnded(context, frame.parent, _status(error)))
        sessions.end_run(context.run_id)


def _status(error: BaseException | None) -> str:
    """The detail of the record of a run that ends with this error, None for a value."""
    if error is None:
        return "ok"
    if isinstance(error, UserError):
        return f"error: {error.code}"
    if isinstance(error, Stop):
        renewal = error.renewal
        return f"stopped: {error.error.code}" if renewal is None else f"continued as {renewal.run_id}"
    return "cancelled"
