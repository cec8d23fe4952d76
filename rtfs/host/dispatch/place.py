"""Selects the store of durable runs for a place: a folder, or a database with its queue.

Must not know what is kept there. Invariant: nothing of a database is imported for a folder.
"""

from __future__ import annotations

from rtfs.paths import is_url
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.host.durable.store import RunStore
    from rtfs.host.postgres.database import Database


def chosen_store(
    place: str | None, mode: str, database: Callable[[str], Database] | None = None, lease: float | None = None
) -> RunStore:
    """The store at a place, None for the usual folder. mode: what a commit survives, `kill` or `power`. database:
    returns the database at an address; None: a new one is opened. lease: of runs in a database, in seconds; None: the
    usual one. Raises HostError `database/url`, `config/…`."""
    if is_url(place):
        from rtfs.host.dispatch.queued_store import queued_store
        from rtfs.host.durable.postgres.leases import LEASE

        known = str(place) if database is None else database(str(place))
        return queued_store(known, mode, LEASE if lease is None else lease)
    from rtfs.host.durable.folder_store import FolderRunStore

    return FolderRunStore(place, mode)


def database_of_workers(place: str | None) -> str:
    """The address of the database at a place of durable runs. Raises HostError `config/state` for a folder."""
    if place is None or not is_url(place):
        raise HostError(
            "workers advance the runs of a database, and this runtime keeps its runs in a folder",
            code="config/state",
            hint="state: postgresql://… in rtfs.yaml, Runtime(state=…), or --state",
        )
    return place
