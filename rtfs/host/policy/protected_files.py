"""The host's own files: what no program reaches by name, even where a grant covers the folder they are in.

Must not know who asks. Invariants: the ledger, the key-value store, the journals, tokens and compiled programs are
neither read nor written, with everything beside them that belongs to them; what the host trusts (a configuration, the
files that it loads, those that name servers) is not written.
"""

from __future__ import annotations

from rtfs.host.policy.grants import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BESIDE = ("", "-wal", "-shm", "-journal", ".anchor", ".key")


class OwnFiles:
    """closed: files that are neither read nor written. state: folder of durable runs, None for the usual one."""

    __slots__ = ("_closed", "_found", "_kept", "_state")

    def __init__(self, closed: Iterable[str], state: str | None) -> None:
        self._closed = tuple(closed)
        self._state = state
        self._kept: list[str] = []
        self._found: tuple[frozenset[str], tuple[str, ...]] | None = None

    def keep(self, path: str) -> None:
        """A file that is not written, or a folder in which none is."""
        self._kept.append(real_path(path))

    def covers(self, need: str) -> bool:
        """Whether a need, `fs:read:PATH` or `fs:write:PATH`, is about one of these files."""
        kind, _, rest = need.partition(":")
        if kind != "fs":
            return False
        mode, _, path = rest.partition(":")
        if self._found is None:
            closed = frozenset(real_path(file) + end for file in self._closed for end in _BESIDE)
            self._found = closed, tuple(real_path(folder) for folder in self._folders())
        closed, folders = self._found
        if path in closed or any(path == folder or path.startswith(folder + "/") for folder in folders):
            return True
        return mode == "write" and any(path == kept or path.startswith(kept + "/") for kept in self._kept)

    def _folders(self) -> list[str]:
        from os.path import dirname

        from rtfs.compiler.units import disk_cache
        from rtfs.paths import state_folder

        usual = dirname(state_folder("runs"))
        return [folder for folder in (usual, self._state, disk_cache.folder()) if folder is not None]
