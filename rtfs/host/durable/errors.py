"""The errors of durable runs, in the same words for every store.

Must not know stores. Invariant: each names the run, and says what to do where that is known.
"""

from __future__ import annotations

from rtfs.host.stop import stop
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.stop import Stop


def exists(run_id: str) -> HostError:
    """A run cannot be created, since there is one with its id."""
    return HostError(f"run {run_id} already exists", code="run/exists", hint=f"to continue it: rtfs resume {run_id}")


def unknown(run_id: str, where: str) -> HostError:
    """No run has this id. where: the folder or database."""
    return HostError(f"there is no run {run_id} in {where}", code="run/unknown", hint="rtfs runs lists them")


def in_use(run_id: str) -> HostError:
    """A run is open in another process."""
    return HostError(f"run {run_id} is already in use by another process", code="run/active")


def damaged(run_id: str, why: object) -> HostError:
    """A journal cannot be read."""
    return HostError(f"the journal of run {run_id} cannot be read: {why}", code="run/damaged")


def unusable(run_id: str, why: object) -> HostError:
    """A journal that is not open cannot be written."""
    return HostError(f"cannot write the journal of run {run_id}: {why}", code="run/unwritable")


def unwritable(run_id: str, why: object) -> Stop:
    """The open journal of a run cannot be written: the run stops."""
    return stop(
        "run/unwritable",
        f"cannot write to the journal of run {run_id}: {why}",
        hint=f"earlier work is not lost; when the journal can be written again: rtfs resume {run_id}",
    )


def how_to_approve(run_id: str, stopped: Stop) -> str:
    """The hint for a run that waits for an approval."""
    more = ", --approve-for-run approves all such calls of the run" if stopped.for_run else ""
    return f"rtfs resume {run_id} --approve continues it{more}"
