"""The lines typed in earlier sessions: a file that only their owner can read.

Knows files, and prompt_toolkit's format of them. Invariants: the file can be read by its owner only, however it came to
be there; trouble with it costs the history, never the session; an input that begins with a space is not kept.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 2_000_000
"""Bytes; of a larger file the older half goes."""


def history_path() -> str:
    """RTFS_HISTORY, else `rtfs/history` in XDG's folder for state; "" if RTFS_HISTORY is empty: keep none."""
    path = os.environ.get("RTFS_HISTORY")
    if path is not None:
        return path
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "rtfs", "history")


def prepare(path: str) -> str | None:
    """Make the file, or make it safe; None if all is well, else why it cannot be used."""
    folder = os.path.dirname(path)
    try:
        if folder:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    try:
        status = os.fstat(descriptor)
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return "it belongs to another user"
        if status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        if status.st_size > LARGEST:
            _halve(descriptor, status.st_size)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    finally:
        os.close(descriptor)
    return None


def _halve(descriptor: int, size: int) -> None:
    """Keep the newer half, from the beginning of an entry on."""
    with open(os.dup(descriptor), "r+b") as file:
        file.seek(size // 2)
        rest = file.read()
        start = rest.find(b"\n# ")
        file.seek(0)
        file.write(rest[start:] if start >= 0 else b"")
        file.truncate()


def earlier(path: str) -> list[str]:
    """The saved inputs of earlier sessions, and at a terminal of this one; empty if there is no file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    found: list[list[str]] = []
    for line in lines:
        if line.startswith("# "):
            found.append([])
        elif line.startswith("+") and found:
            found[-1].append(line[1:])
    return ["\n".join(one) for one in found if one]


def open_history(path: str) -> tuple[Any, str | None]:
    """prompt_toolkit's history for a path, and a remark if it cannot be kept there."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Kept(FileHistory):
        def store_string(self, string: str) -> None:
            if string.startswith(" "):
                return
            try:
                super().store_string(string)
            except OSError:
                pass

    if not path:
        return InMemoryHistory(), None
    trouble = prepare(path)
    if trouble is not None:
        return InMemoryHistory(), f"the history is not kept: {path}: {trouble}"
    return Kept(path), None
