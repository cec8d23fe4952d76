"""The module files that an isolated run has loaded, as the host knows them: their environment is in the worker.

Must not know the pipe. Invariant: a file counts as loaded once the worker has said that its program loads it.
"""

from __future__ import annotations

from rtfs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Loaded:
    """The module files of a run, in the place of the environment that is in its worker. path: folders of modules.
    finder: finds and reads their files, or None: they are on this machine."""

    __slots__ = ("_found", "files", "finder", "path")

    def __init__(self, path: Any = (), finder: Any = None) -> None:
        self.path = tuple(path)
        self.finder = finder
        self.files: dict[str, Any] = {}
        self._found: dict[str, tuple[str, str]] = {}

    def learn(self, name: str, path: str, text: str) -> None:
        """A module's file was found."""
        self._found[name] = path, text

    def keep(self, loaded: set[str]) -> None:
        """These files were loaded."""
        for name, (path, text) in self._found.items():
            if path in loaded:
                self.files[name] = ModuleFile(Source(text, path))


class ModuleFile:
    """A loaded file, as journals look at it."""

    __slots__ = ("source",)

    def __init__(self, source: Source) -> None:
        self.source = source
