"""Ledgers from their end: the newest records that fit a filter, a page at a time, of a file or of memory.

Must not know who looks. Invariants: nothing is written; a page costs what it holds, as long as the filter fits often.
"""

from __future__ import annotations

from rtfs.host.audit.sqlite_ledger import StoredLedger, latest
from rtfs.host.policy.grants import glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.audit.ledger import Ledger, Record

ON_CAPABILITIES = ("declare", "decision", "outcome", "replay", "hint", "question")
"""The kinds of records whose subject is a capability."""


class RecordFilter:
    """Which records are wanted; None, or no kinds, for any. run: id. kinds: of records. capability: id, with `*` for
    any letters. principal: on whose behalf."""

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
    for record in reversed(list(ledger)):
        if len(found) >= limit:
            break
        if (before is None or record.seq < before) and wanted.fits(record):
            found.append(record)
    return found
