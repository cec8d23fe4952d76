"""Ledgers looked at from outside of runs: the newest records that fit a filter, and the ledger that a run was started
with.

Must not know who looks. Invariants: nothing is written to but the ledger that `ledger_of_run` opens for that; a page of
records costs what it holds, as long as the filter fits often.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from rtfs.host.audit.events import Events
from rtfs.host.audit.ledger import Ledger
from rtfs.host.audit.ledger_stores import open_ledger
from rtfs.host.audit.sqlite_ledger import StoredLedger, latest
from rtfs.host.policy.grants import glob
from rtfs.host.sqlite import KILL
from rtfs.paths import is_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.host.audit.ledger import Record
    from rtfs.host.config.config import Config
    from rtfs.host.durable.runs import RunState
    from rtfs.host.postgres.database import Database

ON_CAPABILITIES = ("declare", "decision", "outcome", "replay", "hint", "question")
"""The kinds of records whose subject is a capability."""


class RecordFilter:
    """A filter of records; None, or no kinds, matches any. run: id. kinds: of records. capability: id, with `*` for any
    letters. principal: on whose behalf."""

    __slots__ = ("capability", "kinds", "principal", "run")

    def __init__(
        self,
        run: str | None = None,
        kinds: tuple[str, ...] = (),
        capability: str | None = None,
        principal: str | None = None,
    ) -> None:
        self.run = run
        self.kinds = kinds
        self.capability = capability
        self.principal = principal

    def fits(self, record: Record) -> bool:
        """Whether a record is wanted."""
        return (
            (self.run is None or record.run == self.run)
            and (not self.kinds or record.kind in self.kinds)
            and (self.principal is None or record.principal == self.principal)
            and (self.capability is None or (record.kind in ON_CAPABILITIES and glob(self.capability, record.subject)))
        )


def newest(ledger: Ledger, wanted: RecordFilter, limit: int, before: int | None = None) -> list[Record]:
    """At most `limit` records that fit, the newest first. before: only those with smaller numbers. Raises HostError
    `ledger/missing`, `ledger/damaged` for a file."""
    if isinstance(ledger, StoredLedger):
        return latest(ledger.path, wanted.fits, limit, before)
    found: list[Record] = []
    ordered = list(ledger)
    if not ledger.ordered:
        ordered.sort(key=lambda record: record.time)
    for record in reversed(ordered):
        if len(found) >= limit:
            break
        if (before is None or record.seq < before) and wanted.fits(record):
            found.append(record)
    return found


def ledger_of(state: RunState) -> str | None:
    """The file or database of the ledger that a run was started with at a command line; None for one in memory. Raises
    HostError `config/…`."""
    ledger = state.shell.get("ledger")
    if ledger is None and (known := _config_of(state)) is not None:
        ledger = known.place_of_ledger()
    return ledger if ledger is None or is_url(ledger) else os.path.join(state.folder, ledger)


def key_of(state: RunState) -> str | None:
    """The file with the key of the ledger that a run was started with, where that is in a database; None for the usual
    one. Raises HostError `config/…`."""
    known = _config_of(state)
    return None if known is None else known.place_of_key()


def _config_of(state: RunState) -> Config | None:
    """The configuration that a run was started with, None for none. Raises HostError `config/…`."""
    config = state.shell.get("config")
    if not config:
        return None
    from rtfs.host.config.config import read_config

    return read_config(os.path.join(state.folder, config))


@contextmanager
def ledger_of_run(state: RunState) -> Iterator[Events]:
    """The events that go to the ledger that a run was started with, to one in memory where that is a file of another
    machine. Raises HostError `ledger/…`, `config/…`."""
    here = os.path.isdir(state.folder) or is_url(state.shell.get("ledger"))
    path = ledger_of(state) if here else None
    databases: list[Database] = []

    def database(url: str) -> Database:
        from rtfs.host.postgres.database import Database

        databases.append(Database(url))
        return databases[-1]

    ledger = Ledger() if path is None else open_ledger(path, KILL, key_of(state), database)
    try:
        yield Events(ledger, lambda message: None)
    finally:
        ledger.close()
        for one in databases:
            one.close()
