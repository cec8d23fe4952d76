"""Coverage: the lines of RTFS files that the golden chunks have run.

Knows compiled code and its places, nothing of golden files. A line counts if code of it can run; it is covered once any
of that code has. Invariant: tracing ends with the `with` block, whatever was traced before is traced again.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any

from rtfs.source import STANDARD

_UNIT = "rtfs:"
"""How the file names of compiled units begin."""


class FileCoverage:
    """lines: those that can run. covered: those of them that have run. Both from 1."""

    def __init__(self) -> None:
        self.lines: set[int] = set()
        self.covered: set[int] = set()

    @property
    def missing(self) -> list[int]:
        return sorted(self.lines - self.covered)

    def percent(self) -> float:
        return 100.0 * len(self.covered) / len(self.lines) if self.lines else 100.0


class Coverage:
    """A context manager. `collect` takes in what a runtime has compiled; `files` then says what of it has run."""

    def __init__(self) -> None:
        self.files: dict[str, FileCoverage] = {}
        self.unknown: set[str] = set()
        """Files whose code carries labels (flow rules): what of it runs is not known."""
        self._hits: dict[str, set[int]] = {}
        self._before: Any = None
        self._before_threads: Any = None

    def __enter__(self) -> Coverage:
        self._before, self._before_threads = sys.gettrace(), threading.gettrace()
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(self._before)
        threading.settrace(self._before_threads)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(_UNIT):
            return None
        lines = self._hits.setdefault(name, set())
        lines.add(frame.f_lineno)

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            lines.add(frame.f_lineno)
            return line

        return line

    def collect(self, runtime: Any) -> None:
        """Take in the files that a runtime has loaded or imported, and what of them has run until now."""
        for unit in list(runtime.environment.units.values()):
            name = unit.source.name
            if name.startswith((STANDARD, "<")) or name.endswith(".test.rtfs"):
                continue
            codes = [step.code for step in unit.steps if step.kind == "code"]
            if any(not isinstance(code, CodeType) for code in codes):
                self.unknown.add(name)
                continue
            found = self.files.setdefault(name, FileCoverage())
            able = {number for code in codes for number in _numbers(code)}
            found.lines |= _lines(unit, able)
            found.covered |= _lines(unit, self._hits.get(unit.filename, set()) & able)


def _numbers(code: CodeType) -> Iterator[int]:
    """The numbers of the lines of generated code, of its functions too."""
    for _, _, number in code.co_lines():
        if number is not None:
            yield number
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _numbers(constant)


def _lines(unit: Any, numbers: set[int]) -> set[int]:
    """The lines of a unit's text that the lines of its generated code come from."""
    spans = (unit.span(number - 1) for number in numbers)
    return {span.line for span in spans if span is not None}


def ranges(lines: list[int]) -> str:
    """Sorted numbers as text: `3-5, 9`."""
    parts: list[list[int]] = []
    for number in lines:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
