"""Plan files as tools: what each declares, read again when it changes.

Must not know MCP. Invariants: a file without a `plan`, or with errors, is refused when the server starts and keeps its
last good version when it changes later; names of tools are all different.
"""

from __future__ import annotations

import os
import re

from rtfs.capabilities.effects import ANYTHING, NOTHING, effects_of
from rtfs.host.checks.verdicts import verdicts
from rtfs.host.files import read_source
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.capabilities.effects import Effects
    from rtfs.checker.plans import Plan
    from rtfs.host.checks.verdicts import Report
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source

_ODD = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 64
"""Characters of a tool's name."""


class PlanTool:
    """A plan as a tool. name: of the tool. plan: what it declares. effects: what its calls do, as far as known."""

    __slots__ = ("effects", "name", "plan", "source")

    def __init__(self, name: str, source: Source, plan: Plan, effects: Effects) -> None:
        self.name = name
        self.source = source
        self.plan = plan
        self.effects = effects

    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of its parameters; other ones are refused."""
        from rtfs.types.json_schema import to_json_schema

        return {**to_json_schema(self.plan.input), "additionalProperties": False}

    def result_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of its result, if it declares one."""
        from rtfs.types.json_schema import to_json_schema

        return None if self.plan.result is None else to_json_schema(self.plan.result)


class PlanFiles:
    """The plan files of one server. Raises HostError `file/…`, `serve/plan`, and the error of a plan that is wrong."""

    def __init__(self, runtime: Runtime, paths: Iterable[str], taken: Iterable[str] = ()) -> None:
        self._runtime = runtime
        self._paths = list(paths)
        self._taken = frozenset(taken)
        self._stamps = {path: _stamp(path) for path in self._paths}
        self.tools: dict[str, PlanTool] = {}
        self._by_path = {path: self._read(path) for path in self._paths}
        self._name(self._by_path)

    def changed(self) -> bool:
        """Look at the files again; whether a tool is another one now."""
        again = [path for path in self._paths if _stamp(path) != self._stamps[path]]
        if not again:
            return False
        found, warn = dict(self._by_path), self._runtime._executor.warn
        for path in again:
            self._stamps[path] = _stamp(path)
            try:
                found[path] = self._read(path)
            except UserError as error:
                warn(f"{path}: {error.message}; its last good version is served", error.span)
        if found == self._by_path:
            return False
        try:
            self._name(found)
        except HostError as error:
            warn(f"{error.message}; the last good versions are served", None)
            return False
        self._by_path = found
        return True

    def _read(self, path: str) -> PlanTool:
        source = read_source(path)
        report = verdicts(self._runtime, source)
        error = report.analysis.error()
        if error is not None:
            raise error
        plan = report.analysis.plan
        if plan is None:
            raise HostError(
                f"{path} declares no plan",
                code="serve/plan",
                hint='a file that is served ends in (plan "name" "what it does" {:params {…}} body)',
            )
        name = _ODD.sub("_", plan.name).strip("_")[:LONGEST]
        if not name:
            raise HostError(f"{path}: the plan's name has no letter or digit", code="serve/plan")
        return PlanTool(name, source, plan, _effects(self._runtime, report))

    def _name(self, found: dict[str, PlanTool]) -> None:
        tools: dict[str, PlanTool] = {}
        for path, tool in found.items():
            if tool.name in tools or tool.name in self._taken:
                raise HostError(f"{path}: there is a tool {tool.name!r} already", code="serve/plan")
            tools[tool.name] = tool
        self.tools = tools


def _effects(runtime: Runtime, report: Report) -> Effects:
    """The combined effects of all calls of a plan; a call with a computed id may do anything."""
    found = NOTHING
    for call in report.calls:
        entry = None if call.id is None else runtime._registry.find(call.id)
        found = found.and_then(ANYTHING if entry is None else effects_of(entry))
    return found


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
