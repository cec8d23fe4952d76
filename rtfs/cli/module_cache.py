"""One file with the bytecode of the modules that the command imports, so that a start opens one file instead of 170.

Python looks for each module in several folders, and opens and checks a file of bytecode for each: a quarter of the time
of `rtfs run hello.rtfs`. This cache is a copy of those files, made at the end of a process that imported many modules
without it, beside the package's own bytecode and trusted as that is. Must not know which modules there are.
Invariant: a module comes from the cache only while its source has the size and time that the copied bytecode was made
from; otherwise Python imports it as usual. Failing to read or write the cache is not an error.
"""

from __future__ import annotations

import marshal
import os
import sys

import rtfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_FORMAT = b"rtfs-modules-1\n"
_HEADER = 16
"""Bytes before the code in a file of bytecode: magic number, flags, time and size of the source (PEP 552)."""
_WORTH_IT = 8
"""The cache is written again once its modules are fewer than so many times those that it lacked."""

_machinery: Any = sys.modules["_frozen_importlib_external"]
"""The modules behind `importlib.machinery` and `importlib.util`, which take a millisecond to import."""
ModuleSpec: Any = type(rtfs.__spec__)


class ModuleCache:
    """The cached modules of this installation, as a finder for `sys.meta_path`."""

    def __init__(self) -> None:
        self.path = _path()
        self.modules: dict[str, tuple[str, bool, int, int, int, int]] = {}
        """By name: path of the source, whether it is a package, its time (ns) and size (bytes), and from where to where
        its code is in `content`."""
        self.content = memoryview(b"")

    def install(self) -> None:
        """Read the cache, and ask it first for modules from here on."""
        if self.path is None:
            return
        try:
            with open(self.path, "rb") as file:
                content = file.read()
            head = len(_FORMAT) + 8
            start = head + int.from_bytes(content[len(_FORMAT) : head], "little")
            if content.startswith(_FORMAT) and len(content) >= start:
                self.modules = dict(marshal.loads(content[head:start]))
                self.content = memoryview(content)[start:]
        except (OSError, ValueError, EOFError, TypeError):
            pass
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        """The spec of a module whose code is in the cache and whose source is unchanged, or None."""
        cached = self.modules.get(name)
        if cached is None:
            return None
        source, package, time, size, start, end = cached
        if _stamp(source) != (time, size):
            del self.modules[name]
            return None
        spec = ModuleSpec(name, CachedLoader(name, source, self.content[start:end]), origin=source, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations.append(os.path.dirname(source))
        return spec

    def save(self) -> None:
        """Write the cache, if this process has imported many modules of the package without it."""
        if self.path is None or sys.dont_write_bytecode:
            return
        package = f"{rtfs.__name__}."
        lacked = [name for name in sys.modules if name.startswith(package) and name not in self.modules]
        if len(lacked) * _WORTH_IT <= len(self.modules):
            return
        codes: list[bytes | memoryview] = []
        modules = {}
        end = 0
        for name, (source, is_package, time, size, start, stop) in self.modules.items():
            if _stamp(source) == (time, size):
                codes.append(self.content[start:stop])
                modules[name] = (source, is_package, time, size, end, end + stop - start)
                end += stop - start
        for name in lacked:
            found = _compiled(sys.modules[name])
            if found is not None:
                source, is_package, time, size, code = found
                codes.append(code)
                modules[name] = (source, is_package, time, size, end, end + len(code))
                end += len(code)
        index = marshal.dumps(modules)
        _replace(self.path, b"".join([_FORMAT, len(index).to_bytes(8, "little"), index, *codes]))


class CachedLoader(_machinery.SourceFileLoader):  # type: ignore[misc]
    """Python's loader of a source file, except that its code is there already."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self.code = code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        exec(marshal.loads(self.code), module.__dict__)


def _path() -> str | None:
    """The path of the cache, beside the package's own bytecode, so that both need the same permission to write. None if
    Python keeps no bytecode there."""
    spec = rtfs.__spec__
    own = spec.cached if spec is not None else None
    if own is None or not spec.has_location or sys.pycache_prefix is not None:
        return None
    folder, tag = os.path.dirname(own), sys.implementation.cache_tag
    return os.path.join(folder, f"modules.{tag}.{sys.hexversion:x}.cache")


def _stamp(source: str) -> tuple[int, int] | None:
    """Time (ns) and size (bytes) of a source file, None if there is none."""
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _compiled(module: ModuleType) -> tuple[str, bool, int, int, bytes] | None:
    """The cache's entry for a module that Python has imported; None if its bytecode does not belong to its source as
    the file is now, or is not checked by time and size."""
    spec = module.__spec__
    if spec is None or spec.origin is None or spec.cached is None:
        return None
    stamp = _stamp(spec.origin)
    if stamp is None:
        return None
    time, size = stamp
    try:
        with open(spec.cached, "rb") as file:
            content = file.read()
    except OSError:
        return None
    if content[:_HEADER] != _header(time // 1_000_000_000, size):
        return None
    return spec.origin, spec.submodule_search_locations is not None, time, size, content[_HEADER:]


def _header(seconds: int, size: int) -> bytes:
    """The header of bytecode that is checked by the time and size of its source (PEP 552)."""
    magic: bytes = _machinery.MAGIC_NUMBER
    return magic + bytes(4) + b"".join((number & 0xFFFF_FFFF).to_bytes(4, "little") for number in (seconds, size))


def _replace(path: str, content: bytes) -> None:
    """Write the file whole or not at all."""
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
