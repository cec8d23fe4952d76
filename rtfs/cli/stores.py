"""Where the durable runs are that the commands are about.

Must not know journals inside.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.durable.runs import RunState
    from rtfs.host.durable.store import RunStore


def run_store() -> RunStore:
    """The store of this command."""
    from rtfs.host.durable.folder_store import FolderRunStore

    return FolderRunStore()


def ledger_of(state: RunState) -> str | None:
    """The file of the ledger that a run was started with, None for a run without one. Raises HostError `config/…`."""
    ledger, config = state.shell.get("ledger"), state.shell.get("config")
    if ledger is None and config:
        from rtfs.host.config.config import read_config

        known = read_config(os.path.join(state.folder, config))
        ledger = None if known.settings.ledger is None else str(known.folder / known.settings.ledger)
    return None if ledger is None else os.path.join(state.folder, ledger)
