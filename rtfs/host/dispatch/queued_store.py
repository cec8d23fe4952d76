"""The store of durable runs in a database, with the queue that has them advanced.

Must not know plans. Invariant: whatever process tells a run something or lets go of it, the queue knows in the same
transaction.
"""

from __future__ import annotations

from rtfs.host.dispatch.procrastinate import Procrastinate
from rtfs.host.dispatch.procrastinate import make_tables as tables_of_queue
from rtfs.host.durable.postgres.leases import LEASE
from rtfs.host.durable.postgres.store import PostgresRunStore
from rtfs.host.postgres.database import Database
from rtfs.host.postgres.schema import migrate, one_at_a_time
from rtfs.host.sqlite import KILL

_LOCK = 7_283_002
"""Of making the queue's tables, among the advisory locks of the database."""


def queued_store(database: Database | str, mode: str = KILL, lease: float = LEASE) -> PostgresRunStore:
    """The runs of a database, or of the one at an address. lease: seconds after which a process without a sign of life
    loses its runs. Raises as `PostgresRunStore`."""
    url = database if isinstance(database, str) else database.url
    return PostgresRunStore(database, mode, lease=lease, enqueue=Procrastinate(url, lease).enqueue)


def make_tables(url: str) -> list[str]:
    """Apply the migrations that a database has not, and make the tables of the queue; the names of what was done.
    Raises HostError `database/…`."""
    done = migrate(url)
    made = one_at_a_time(url, _LOCK, "the tables of the queue", tables_of_queue)
    return [*done, "the queue"] if made else done
