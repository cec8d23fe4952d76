"""Program text from files: read once, decoded strictly, every trouble a UserError that names the file."""

from __future__ import annotations

from rtfs.source import Source, Span
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest program text."""


def read_source(path: str | PathLike[str], missing: str = "file/missing") -> Source:
    """The text of a file with its path as name. Raises HostError: `missing` (or another code given for it),
    `file/unreadable`, `reader/encoding`, `limit/size`."""
    name = str(path)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise HostError(f"there is no file {name}", code=missing, hint=near_file(name)) from None
    except IsADirectoryError:
        raise HostError(f"{name} is a folder", code="file/unreadable") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise HostError(f"cannot read {name}: {why.lower()}", code="file/unreadable") from None
    return decode(data, name)


def near_file(name: str) -> str | None:
    """A hint about a file that is not there: one of a like name in its folder, or a folder of a like name."""
    import os

    from rtfs.syntax.suggest import did_you_mean

    above, slash, last = name.rpartition("/")
    folder = above or (slash or ".")
    if os.path.isdir(folder):
        names = os.listdir(folder)
        near = f"{last}.rtfs" if f"{last}.rtfs" in names else did_you_mean(last, names)
        return f"did you mean {above}{slash}{near}?" if near is not None else None
    whole, slash, part = above.rpartition("/")
    if not os.path.isdir(whole or slash or "."):
        return None
    near = did_you_mean(part, os.listdir(whole or slash or "."))
    if near is None:
        return None
    meant = f"{whole}{slash}{near}/{last}"
    return f"did you mean {meant}?" if os.path.exists(meant) else f"there is a folder {whole}{slash}{near}"


def read_sources(path: str | PathLike[str]) -> list[Source]:
    """The text of a file, or of every `.rtfs` file in a folder and the folders in it (but for hidden ones), by name.
    Raises HostError as `read_source` does."""
    import os

    if not os.path.isdir(path):
        return [read_source(path)]
    found: list[str] = []
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".rtfs")]
    return [read_source(file) for file in found]


def decode(data: bytes, name: str) -> Source:
    """A source of UTF-8 bytes. Raises HostError `reader/encoding` with the place of the first wrong byte."""
    if len(data) > LARGEST:
        raise HostError(f"{name} is larger than {LARGEST // (1024 * 1024)} MiB", code="limit/size")
    try:
        return Source(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        source = Source(data.decode("utf-8", "replace"), name)
        raise HostError(
            f"{name} is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}",
            code="reader/encoding",
            span=Span(source, len(good), len(good) + 1),
            hint="save the file as UTF-8",
        ) from None


def replace_text(path: str, text: str) -> None:
    """Write the text of a file, as a whole or not at all; the permissions of one that is there stay. Raises HostError
    `file/unwritable`."""
    import os

    real = os.path.realpath(path)
    temporary = f"{real}.{os.getpid()}.new"
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if os.path.exists(real):
            os.chmod(temporary, os.stat(real).st_mode & 0o7777)
        os.replace(temporary, real)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise HostError(f"cannot write {path}: {error.strerror}", code="file/unwritable") from None
