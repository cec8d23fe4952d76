"""`ccos.io.read-file` and its kin: text files. Each is reached under `fs:read:PATH` or `fs:write:PATH`.

Invariant: the file that is opened is the one the path resolves to when it is opened, links resolved; a last component
that has become a link since is refused.
"""

from __future__ import annotations

import os

from rtfs.capabilities.providers.arguments import failure, take, text
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file that is read."""


def path_needs(id: str, mode: str, names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], list[str]]:
    """What a call with these arguments reaches: `fs:read:PATH` or `fs:write:PATH`."""
    return lambda arguments: [f"fs:{mode}:{text(id, 'path', take(id, arguments, names, len(names))[0])}"]


def read_file(*arguments: Any) -> str:
    """(path) → the file's text, UTF-8."""
    (path,) = _texts("ccos.io.read-file", arguments, ("path",))
    with _open(path, os.O_RDONLY) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise HostError(f"{path} is larger than {LARGEST // (1024 * 1024)} MiB")
    try:
        return str(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise HostError(f"{path} is not UTF-8 text (byte {error.start})", code="argument/encoding") from None


def write_file(*arguments: Any) -> None:
    """(path content) → nil; the file is made or replaced."""
    path, content = _texts("ccos.io.write-file", arguments, ("path", "content"))
    data = content.encode("utf-8", "surrogatepass")
    with _open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        file.write(data)


def file_exists(*arguments: Any) -> bool:
    """(path) → whether there is a file or folder."""
    (path,) = _texts("ccos.io.file-exists", arguments, ("path",))
    return os.path.exists(_resolved(path))


def delete_file(*arguments: Any) -> bool:
    """(path) → true, or false if there was none. Folders are not deleted."""
    (path,) = _texts("ccos.io.delete-file", arguments, ("path",))
    folder, name = os.path.split(os.path.abspath(os.path.expanduser(path)))
    try:
        os.unlink(os.path.join(os.path.realpath(folder), name))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise failure(f"cannot delete {path}", error) from error
    return True


def _open(path: str, flags: int) -> Any:
    try:
        handle = os.open(_resolved(path), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        return os.fdopen(handle, "wb" if flags & os.O_WRONLY else "rb")
    except OSError as error:
        raise failure(f"cannot open {path}", error) from error
    except ValueError as error:
        raise HostError(f"{path!r} is no path: {error}", code="argument/path") from None


def _resolved(path: str) -> str:
    return os.path.realpath(os.path.expanduser(path))


def _texts(id: str, arguments: tuple[Any, ...], names: tuple[str, ...]) -> list[str]:
    values = take(id, arguments, names, len(names))
    return [text(id, name, value) for name, value in zip(names, values, strict=True)]
