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
    from types import CodeType, ModuleType
    from typing import Any

    Entry = tuple[str, bool, int, int, int, int, str]
    """Path of a module's source, whether it is a package, time (ns) and size (bytes) of the source, from where to where
    its code is, and the path of Python's own file of bytecode."""
    Group = tuple[tuple[str, ...], int, int]
    """Modules, the one that imports the others first, and from where to where their code is."""

_FORMAT = b"rtfs-modules-2\n"
_START = len(_FORMAT) + 16
"""Bytes before the index: the format, the size of the index, and that of the code of the groups."""
_HEADER = 16
"""Bytes before the code in a file of bytecode: magic number, flags, time and size of the source (PEP 552)."""
_WORTH_IT = 8
"""The cache is written again once its modules are fewer than so many times those that it lacked, or that are not in the
group that they are imported with."""

_machinery: Any = sys.modules["_frozen_importlib_external"]
"""The modules behind `importlib.machinery` and `importlib.util`, which take a millisecond to import."""
ModuleSpec: Any = type(rtfs.__spec__)


class ModuleCache:
    """The cached modules of this installation, as a finder for `sys.meta_path`.

    What a module's code imports is needed whenever the module is. The code of all these is kept together as well, as a
    group: names that several of them use are read once.
    """

    def __init__(self) -> None:
        self.path = _path()
        self.modules: dict[str, Entry] = {}
        self.groups: dict[str, Group] = {}
        """By the name of a module that no other one imported."""
        self.content = memoryview(b"")
        """The code of the groups."""
        self.beyond = 0
        """Where the code of each module alone begins in the file."""
        self.stamp: tuple[int, int] | None = None
        """Time (ns) and size (bytes) of the file."""
        self.ready: dict[str, CodeType] = {}
        """Code that was read with a group and has not been asked for."""
        self.running: list[str] = []
        """Modules whose code runs."""
        self.alone: dict[str, list[str]] = {}
        """Modules that were imported by another one and whose code was read alone, by the outermost of those."""

    def install(self) -> None:
        """Read the cache's index, and ask it first for modules from here on."""
        if self.path is None:
            return
        try:
            with open(self.path, "rb") as file:
                begin = file.read(_START)
                sizes = [int.from_bytes(begin[at : at + 8], "little") for at in (len(_FORMAT), len(_FORMAT) + 8)]
                status = os.fstat(file.fileno())
                if begin.startswith(_FORMAT) and _START + sum(sizes) <= status.st_size:
                    modules, groups = marshal.loads(file.read(sizes[0]))
                    self.modules, self.groups = dict(modules), dict(groups)
                    self.content = memoryview(file.read(sizes[1]))
                    self.beyond, self.stamp = _START + sum(sizes), (status.st_mtime_ns, status.st_size)
        except (OSError, ValueError, EOFError, TypeError):
            pass
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        """The spec of a module whose code is in the cache and whose source is unchanged, or None."""
        cached = self.modules.get(name)
        if cached is None:
            return None
        source, package, time, size, _, _, bytecode = cached
        if _stamp(source) != (time, size):
            del self.modules[name]
            return None
        spec = ModuleSpec(name, CachedLoader(name, source, self), origin=source, is_package=package)
        spec.has_location = True
        spec.cached = bytecode  # which Python would take some time to find out
        if package:
            spec.submodule_search_locations.append(os.path.dirname(source))
        return spec

    def code_of(self, name: str) -> CodeType | None:
        """The code of a module in the cache; None if another file has replaced it."""
        code = self.ready.pop(name, None)
        if code is not None:
            return code
        if name in self.groups:
            names, start, end = self.groups[name]
            self.ready.update(zip(names, marshal.loads(self.content[start:end]), strict=True))
            return self.ready.pop(name)
        if self.running:
            self.alone.setdefault(self.running[0], []).append(name)
        alone = self._alone(name)
        return None if alone is None else marshal.loads(alone)

    def _alone(self, name: str) -> bytes | None:
        """The bytecode of one module; None if another file has replaced the cache."""
        assert self.path is not None
        start, end = self.modules[name][4:6]
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                if (status.st_mtime_ns, status.st_size) != self.stamp:
                    return None
                file.seek(self.beyond + start)
                return file.read(end - start)
        except OSError:
            return None

    def save(self) -> None:
        """Write the cache, if this process has imported many modules of the package without it or without a group."""
        if self.path is None or sys.dont_write_bytecode:
            return
        package = f"{rtfs.__name__}."
        lacked = [name for name in sys.modules if name.startswith(package) and name not in self.modules]
        if (len(lacked) + sum(map(len, self.alone.values()))) * _WORTH_IT <= len(self.modules):
            return
        modules: dict[str, Entry] = {}
        codes: dict[str, bytes] = {}
        end = 0
        for name, (source, is_package, time, size, _, _, bytecode) in self.modules.items():
            code = self._alone(name)
            if code is not None and _stamp(source) == (time, size):
                codes[name] = code
                modules[name] = (source, is_package, time, size, end, end + len(code), bytecode)
                end += len(code)
        for name in lacked:
            found = _compiled(sys.modules[name])
            if found is not None:
                *entry, bytecode, codes[name] = found
                modules[name] = (*entry, end, end + len(codes[name]), bytecode)  # type: ignore[assignment]
                end += len(codes[name])
        groups, together = self._grouped(codes)
        index = marshal.dumps((modules, groups))
        sizes = [len(one).to_bytes(8, "little") for one in (index, together)]
        _replace(self.path, b"".join([_FORMAT, *sizes, index, together, *codes.values()]))

    def _grouped(self, codes: dict[str, bytes]) -> tuple[dict[str, Group], bytes]:
        """The groups as they were, with the modules that each has lacked, and their code."""
        groups: dict[str, Group] = {}
        together = b""
        for outer in sorted({*self.groups, *self.alone}):
            before = self.groups[outer][0] if outer in self.groups else (outer,)
            names = (*before, *self.alone.get(outer, ()))
            if all(name in codes for name in names):
                code = marshal.dumps(tuple([marshal.loads(codes[name]) for name in names]))
                groups[outer] = (names, len(together), len(together) + len(code))
                together += code
        return groups, together


class CachedLoader(_machinery.SourceFileLoader):  # type: ignore[misc]
    """Python's loader of a source file, except that its code is there already."""

    def __init__(self, name: str, path: str, cache: ModuleCache) -> None:
        super().__init__(name, path)
        self.cache = cache

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        cache = self.cache
        code = cache.code_of(self.name) or self.get_code(self.name)
        cache.running.append(self.name)
        try:
            exec(code, module.__dict__)
        finally:
            cache.running.pop()


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


def _compiled(module: ModuleType) -> tuple[str, bool, int, int, str, bytes] | None:
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
    return spec.origin, spec.submodule_search_locations is not None, time, size, spec.cached, content[_HEADER:]


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
