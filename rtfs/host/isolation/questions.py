"""A worker's questions to its host: the declaration of a capability, and the files of modules.

Must not know the pipe. Invariant: answers are JSON data; a module's file is one that the run's own folders have.
"""

from __future__ import annotations

from rtfs.compiler.imports import find_file, read_file
from rtfs.host.checks.gate import capability_of, said_of
from rtfs.host.isolation.loaded import Loaded
from rtfs.host.isolation.type_text import type_data
from rtfs.source import Source
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.run.frame import Run


class Questions:
    """run: whose worker asks. source: its program's name. strict: argument keys that a schema does not name are
    refused. path: folders of modules. described: an error as data. `environment`: the modules that were found."""

    __slots__ = ("_described", "_path", "_run", "_strict", "_texts", "environment")

    def __init__(
        self, run: Run, source: str, strict: bool, path: list[str], described: Callable[[UserError], list[Any]]
    ) -> None:
        self._run = run
        self._strict = strict
        self._path = path
        self._described = described
        self._texts = {source}
        self.environment = Loaded()

    def capability(self, id: str) -> list[Any]:
        """The declaration of a capability."""
        registry, strict = self._run.registry, self._strict
        found = capability_of(registry, id, strict)
        said = said_of(registry, id, strict)
        if found is None or not found.known:
            unknown: dict[str, Any] = {"unknown": None if found is None else True, "said": said}
            if found is not None:
                unknown.update(message=found.message, hint=found.hint)
            return [unknown]
        entry = registry.find(id)
        input = None if found.input is None or entry is None else entry.fields.input_type
        told = {"unknown": False, "said": said, "strict": strict}
        return [{**told, "input": type_data(input), "output": type_data(found.output)}]

    def module(self, name: str, importer: str) -> list[Any] | None:
        """Path and text of a module's file, or the error of one that cannot be read; None where there is none."""
        files = self._run.files
        looked = Source("", importer if importer in self._texts else "<string>")
        path = find_file(name, Loaded(self._path, files), looked)
        if path is None:
            return None
        try:
            text = read_file(path) if files is None else files.read(path)
        except UserError as error:
            return [path, None, self._described(error)]
        self._texts.add(path)
        self.environment.learn(name, path, text)
        return [path, text]
