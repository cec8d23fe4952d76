"""The unit cache: compiled units on disk, so that a script's second run compiles nothing.

Knows nothing of compiling. What has no name but a label in angle brackets (`<string>`, `<repl 3>`) is not kept: it is
rarely seen twice, and typed input is private to the user. Invariant: bytes reach `marshal` only after their checksum
was verified, from a file that this user owns in a folder only this user can write; anything else is as good as absent.
The key covers the source, what the environment had compiled before, the compiler's own files and Python's bytecode
version.
"""

from __future__ import annotations

import marshal
import os
import sys

from rtfs.compiler.units.digest import hasher
from rtfs.compiler.units.unit import Step, Unit
from rtfs.source import Source
from rtfs.syntax.resources import resource_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORMAT = b"rtfs-unit-4\n"
_MAX_FILES = 2_000
_TIDY_EVERY = 32
"""Of so many units that are kept, one has the folder looked through."""
_KERNEL = ("values", "syntax", "types", "builtins", "compiler", "machine")
_compiler: bytes | None = None


def compiler_digest() -> bytes:
    """A digest of everything that a compiled unit depends on besides its source: Python's version, and every file of
    the kernel, the grammar and the standard library, by path, size and time."""
    global _compiler
    if _compiler is None:
        parts = [repr(sys.version_info[:]), sys.implementation.cache_tag or ""]
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        for folder in _KERNEL:
            _stamp_files(os.path.join(package, folder), parts)
        for folder in resource_folders():
            _stamp_files(folder, parts)
        _compiler = hasher("\n".join(parts).encode()).digest()
    return _compiler


def _stamp_files(folder: str, parts: list[str]) -> None:
    """Add path, size and time of each source file below `folder`, in the order of their names."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name.endswith((".py", ".rtfs", ".lark")):
                status = entry.stat()
                parts.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}")
            elif entry.name != "__pycache__" and entry.is_dir():
                _stamp_files(entry.path, parts)


def key(source: Source, state: bytes, module: str) -> bytes:
    """Key of a unit: 32 bytes."""
    compiler, keyed = compiler_digest(), source.keyed
    if keyed is not None and keyed[:3] == (compiler, state, module):
        return keyed[3]
    made = hasher(compiler)
    for part in (state, module.encode(), source.name.encode("utf-8", "surrogatepass")):
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    made.update(source.text.encode("utf-8", "surrogatepass"))
    found = made.digest()
    source.keyed = compiler, state, module, found
    return found


def chain_state(state: bytes, unit_key: bytes) -> bytes:
    """The environment's state after a unit; later keys depend on it."""
    return hasher(state + unit_key).digest()


def folder() -> str | None:
    """The cache folder (RTFS_CACHE_DIR, else XDG's), made with mode 0700; None if it is not ours alone or switched
    off."""
    path = os.environ.get("RTFS_CACHE_DIR")
    if path == "":
        return None
    if path is None:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        path = os.path.join(base, "rtfs", "units")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.stat(path)
    except OSError:
        return None
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return None
    return path


def load(unit_key: bytes, source: Source) -> Unit | None:
    """The cached unit of a key, or None."""
    where = folder() if _has_file(source) else None
    if where is None:
        return None
    try:
        with open(os.path.join(where, unit_key.hex()[:40]), "rb") as file:
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            content = file.read()
    except OSError:
        return None
    head = len(_FORMAT)
    if content[:head] != _FORMAT or content[head : head + 32] != hasher(unit_key + content[head + 32 :]).digest():
        return None
    return _unpack(marshal.loads(content[head + 32 :]), source)


def save(unit_key: bytes, unit: Unit) -> None:
    """Keep a unit; failing to keep it is not an error."""
    where = folder() if _has_file(unit.source) else None
    if where is None:
        return
    try:
        body = marshal.dumps(_pack(unit))
    except ValueError:  # nested too deeply for marshal
        return
    path = os.path.join(where, unit_key.hex()[:40])
    temporary = f"{path}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_FORMAT + hasher(unit_key + body).digest() + body)
        os.replace(temporary, path)
        if unit_key[-1] < 256 // _TIDY_EVERY:
            _tidy(where)
    except OSError:  # no room: nothing of it stays
        try:
            os.unlink(temporary)
        except OSError:
            pass


def _has_file(source: Source) -> bool:
    return not source.name.startswith("<")


def _tidy(where: str) -> None:
    """Keep the folder bounded: past the limit, the older half goes."""
    names = os.listdir(where)
    if len(names) <= _MAX_FILES:
        return
    paths = sorted((os.path.join(where, name) for name in names), key=lambda one: os.stat(one).st_mtime)
    for path in paths[: len(paths) // 2]:
        os.unlink(path)


_FIELDS = (
    "spans", "keywords", "constants", "types", "facts", "macros", "definitions", "depends", "namespaces", "expanded",
    "tells", "unresolved", "checked",
)  # fmt: skip
"""The parts of a unit that are kept, besides its file name and its steps."""


def _pack(unit: Unit) -> tuple[Any, ...]:
    steps = [(step.kind, step.module, step.code, step.details) for step in unit.steps]
    return (unit.filename, steps, *[getattr(unit, name) for name in _FIELDS])


def _unpack(packed: tuple[Any, ...], source: Source) -> Unit:
    filename, steps, *fields = packed
    unit = Unit(source, filename)
    for name, value in zip(_FIELDS, fields, strict=True):
        setattr(unit, name, value)
    unit.steps = [Step(*step) for step in steps]
    return unit
