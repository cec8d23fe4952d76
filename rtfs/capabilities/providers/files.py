"""`ccos.io.read-file` and its kin: text files. Each is reached under `fs:read:PATH` or `fs:write:PATH`.

Invariants: a path is resolved once, for the decision; the file at that resolved path is the one that is reached, by
`opening`, or none. A file is written whole or not at all: beside it, then put in its place.
"""

from __future__ import annotations

import errno
import os
import stat

from rtfs.capabilities.permit import Permit
from rtfs.capabilities.providers.arguments import failure, take, text
from rtfs.capabilities.providers.opening import place
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.providers.opening import Place

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file that is read."""


def path_needs(
    id: str, mode: str, names: tuple[str, ...], itself: bool = False
) -> Callable[[tuple[Any, ...]], list[str]]:
    """The resource that a call with these arguments needs: `fs:read:PATH` or `fs:write:PATH`, links resolved. itself:
    do not follow a link at the path. The function raises HostError `argument/path`."""

    def needs(arguments: tuple[Any, ...]) -> list[str]:
        path = text(id, "path", take(id, arguments, names, len(names))[0])
        try:
            return [f"fs:{mode}:{_resolved(path, itself)}"]
        except ValueError as error:
            raise HostError(f"{path!r} is not a path: {error}", code="argument/path") from None

    return needs


def read_file(*arguments: Any, permit: Permit) -> str:
    """(path) → the file's text, UTF-8."""
    (path,) = _texts("ccos.io.read-file", arguments, ("path",))
    data = bytearray()
    try:
        with place(permit.path()) as there:
            descriptor = there.open(os.O_RDONLY)
            try:
                while len(data) <= LARGEST and (part := os.read(descriptor, 1 << 20)):
                    data += part
            finally:
                os.close(descriptor)
    except OSError as error:
        raise _failure("read", path, error) from error
    if len(data) > LARGEST:
        raise HostError(f"{path} is larger than {LARGEST // (1024 * 1024)} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HostError(f"{path} is not UTF-8 text (byte {error.start})", code="argument/encoding") from None


def write_file(*arguments: Any, permit: Permit) -> None:
    """(path content) → nil; the file is made or replaced as a whole, and keeps its mode. A process that has it open
    keeps what was in it; another hard link to it does too."""
    path, content = _texts("ccos.io.write-file", arguments, ("path", "content"))
    data = content.encode("utf-8", "surrogatepass")
    try:
        with place(permit.path()) as there:
            _replace(there, data)
    except OSError as error:
        raise _failure("write", path, error) from error


def write_bytes(*arguments: Any, permit: Permit) -> None:
    """(path base64) → nil; as `write_file`, with the decoded bytes."""
    import binascii

    path, given = _texts("ccos.io.write-bytes", arguments, ("path", "base64"))
    try:
        data = binascii.a2b_base64("".join(given.split()).encode("ascii"), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise HostError(f"what is to be written to {path} is not base64: {error}", code="argument/encoding") from None
    try:
        with place(permit.path()) as there:
            _replace(there, data)
    except OSError as error:
        raise _failure("write", path, error) from error


def file_exists(*arguments: Any, permit: Permit) -> bool:
    """(path) → whether there is a file or folder."""
    _texts("ccos.io.file-exists", arguments, ("path",))
    if permit.path() == "/":
        return True
    try:
        with place(permit.path()) as there:
            there.look()
    except (OSError, ValueError):
        return False
    return True


def delete_file(*arguments: Any, permit: Permit) -> bool:
    """(path) → true, or false if there was none. Folders are not deleted."""
    (path,) = _texts("ccos.io.delete-file", arguments, ("path",))
    try:
        with place(permit.path()) as there:
            os.unlink(there.name, dir_fd=there.folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failure("delete", path, error) from error
    return True


def _replace(there: Place, data: bytes) -> None:
    try:
        descriptor = there.open(os.O_WRONLY)  # may it be written?
    except FileNotFoundError:
        mode = None
    else:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.close(descriptor)
    fresh = there.beside(f".rtfs-{os.urandom(8).hex()}")
    descriptor = fresh.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
        os.replace(fresh.name, there.name, src_dir_fd=fresh.folder, dst_dir_fd=there.folder)
    except BaseException:
        os.unlink(fresh.name, dir_fd=fresh.folder)
        raise


def _resolved(path: str, itself: bool) -> str:
    path = os.path.expanduser(path)
    folder, name = os.path.split(path)
    if itself and name not in ("", ".", ".."):
        return os.path.join(os.path.realpath(folder), name)
    return os.path.realpath(path)


def _failure(what: str, path: str, error: OSError) -> HostError:
    if error.errno == errno.ELOOP:
        return HostError(
            f"cannot {what} {path}: a link is in its way that leads elsewhere than when the call was decided"
        )
    return failure(f"cannot {what} {path}", error)


def _texts(id: str, arguments: tuple[Any, ...], names: tuple[str, ...]) -> list[str]:
    values = take(id, arguments, names, len(names))
    return [text(id, name, value) for name, value in zip(names, values, strict=True)]
