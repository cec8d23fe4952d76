"""Opening the file that was decided about: every component of a resolved path, without following a link.

Must not know grants. Invariant: whatever is swapped in between, what is opened, made or removed is at this very path,
or there is an error; nothing but a regular file is ever read or written (a pipe would block, a device act).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WALKS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")
"""Whether folders can be walked by descriptor. Where not, paths are looked at before and after they are opened."""

_FLAGS = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW if WALKS else getattr(os, "O_BINARY", 0)
_FOLDER = (getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC) if WALKS else 0


class Place:
    """The location of a file that exists or will be created: `name` in the folder of the descriptor `folder`, or, with
    None, at the path `name`."""

    __slots__ = ("folder", "name")

    def __init__(self, folder: int | None, name: str) -> None:
        self.folder = folder
        self.name = name

    def look(self) -> os.stat_result:
        """The status of the file; links are not followed. Raises OSError."""
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)

    def open(self, flags: int, mode: int = 0o666) -> int:
        """A descriptor of the regular file there. Raises OSError, for anything else as well."""
        if not flags & os.O_EXCL:
            _regular(self.look())
        descriptor = os.open(self.name, flags | _FLAGS, mode, dir_fd=self.folder)
        try:
            found = os.fstat(descriptor)
            _regular(found)
            if self.folder is None and not os.path.samestat(found, self.look()):
                raise OSError(errno.ELOOP, "it was replaced meanwhile")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def beside(self, name: str) -> Place:
        """Another name in the same folder."""
        return Place(self.folder, name if self.folder is not None else os.path.join(os.path.dirname(self.name), name))


@contextmanager
def place(path: str) -> Iterator[Place]:
    """The place at an absolute path without links. Raises OSError: ELOOP where there is a link after all."""
    folder, name = os.path.split(path)
    if not name:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not WALKS:
        if os.path.realpath(folder) != folder:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        yield Place(None, path)
        return
    descriptor = os.open("/", _FOLDER)
    try:
        for part in folder.split("/"):
            if part:
                inner = _enter(part, descriptor)
                os.close(descriptor)
                descriptor = inner
        yield Place(descriptor, name)
    finally:
        os.close(descriptor)


def _enter(part: str, folder: int) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=folder)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


def _regular(found: os.stat_result) -> None:
    mode = found.st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    raise OSError(errno.EINVAL, "it is not a regular file")
