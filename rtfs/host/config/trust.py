"""The configurations in working folders that a person has agreed to use: each with its real path and a digest of its
contents.

Must not know terminals. Invariants: changed contents, or the same contents at another place, are not trusted; what
cannot be read back safely counts as never said.
"""

from __future__ import annotations

import os

from rtfs.paths import read_private, state_folder, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def digest_of(paths: Iterable[str | Path]) -> str:
    """The digest of the contents of files, and of the `.rtfs` files in folders; of a path that cannot be read, that."""
    from hashlib import sha256

    whole = sha256()
    for path in paths:
        for file in _files(str(path)):
            try:
                with open(file, "rb") as opened:
                    part = sha256(opened.read()).hexdigest()
            except OSError:
                part = "unreadable"
            whole.update(f"{os.path.realpath(file)}\0{part}\n".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sorted(one for one in found if one.endswith(".rtfs"))


class Trust:
    """folder: of the records, `rtfs/trusted` where XDG keeps state by default."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder or state_folder("trusted")

    def holds(self, path: str, digest: str) -> bool:
        """Whether a person has agreed to the contents with this digest, at this path."""
        try:
            data = read_private(self._record(path), 4096)
        except OSError:
            return False
        return data is not None and data.decode("utf-8", "replace").split("\n", 1)[0] == digest

    def keep(self, path: str, digest: str) -> str:
        """Remember a yes; "" or why it cannot be kept."""
        from rtfs.paths import reason

        try:
            write_private(self._record(path), f"{digest}\n{os.path.realpath(path)}\n".encode("utf-8", "surrogatepass"))
        except OSError as error:
            return f"{self._folder}: {reason(error)}"
        return ""

    def _record(self, path: str) -> str:
        from hashlib import sha256

        name = sha256(os.path.realpath(path).encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self._folder, name[:40])
