"""Folders for what this program keeps between runs, and small files in them that only their owner can read or change.

Must not know what is kept. Invariants: a file is written whole or not at all; nothing is read from a file, or written
into a folder, that belongs to another user or that others could have changed.
"""

from __future__ import annotations

import os


def is_url(place: str | None) -> bool:
    """Whether a place where state is kept is a PostgreSQL database, and not a file or folder."""
    return place is not None and place.startswith(("postgresql://", "postgres://"))


def without_password(place: str) -> str:
    """The address of a database without the password in it."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(place)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user.partition(":")[0] + at + host))


def state_folder(name: str) -> str:
    """`rtfs/NAME` where XDG keeps state (`$XDG_STATE_HOME`, else `~/.local/state`); it need not exist."""
    home = os.environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "rtfs", name)


def make_private(folder: str) -> str:
    """Create a folder that only its owner may look into, and close one of ours that is too open. Raises OSError, also
    for another user's folder."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    found = os.stat(folder)
    if found.st_uid != os.geteuid():
        raise PermissionError(13, "it belongs to another user", folder)
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)
    return folder


def read_private(path: str, largest: int = 64 << 20) -> bytes | None:
    """The contents of a private file, None if there is none. largest: bytes. Raises OSError, also for a file that
    others could have written."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid():
            raise PermissionError(13, "it belongs to another user", path)
        if found.st_mode & 0o022:
            raise PermissionError(13, "others could have written it", path)
        if found.st_size > largest:
            raise OSError(27, "it is too large", path)
        return file.read(largest + 1)


def write_private(path: str, data: bytes) -> None:
    """Write a private file, in place of the one before. Raises OSError."""
    import tempfile

    folder = make_private(os.path.dirname(path))
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)  # 0600 from the beginning
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def reason(error: OSError) -> str:
    """The problem, in a few words."""
    return (error.strerror or str(error)).lower()
