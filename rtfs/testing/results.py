"""The results of golden chunks, as text for people, as JSON and as JUnit XML.

Must not know how chunks are run. Invariant: all three say the same of each chunk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rtfs.testing.coverage import Coverage, ranges


@dataclass(frozen=True)
class Result:
    """One chunk, or a file that is wrong as a whole. line: where it begins. problems: texts; none: it passed."""

    file: str
    chunk: str
    line: int
    problems: list[str]


class Results:
    """The results of one run of the command. updated: expectations that were rewritten; recorded: recordings that were
    renewed. coverage: which code of the loaded files ran, if that was asked for."""

    def __init__(self, coverage: Coverage | None = None) -> None:
        self.chunks: list[Result] = []
        self.updated = 0
        self.recorded = 0
        self.coverage = coverage

    @property
    def failed(self) -> int:
        return sum(bool(one.problems) for one in self.chunks)


def report(found: Results, *, as_json: bool, junit: str | None, verbose: bool) -> int:
    """Print the results, and write them to the file `junit`; the exit status. Raises HostError `file/unwritable`."""
    failed = found.failed
    if junit is not None:
        from rtfs.host.files import replace_text

        replace_text(junit, _junit(found.chunks, failed))
    if as_json:
        print(json.dumps(_json(found), ensure_ascii=False), flush=True)
        return 1 if failed else 0
    for one in found.chunks:
        if verbose:
            print(f"{'failed' if one.problems else 'passed'}  {one.file}:{one.line}: {one.chunk}")
        for problem in one.problems:
            print(problem, end="\n\n")
    if found.updated:
        print(f"{found.updated} expectation{'' if found.updated == 1 else 's'} rewritten")
    if found.recorded:
        print(f"{found.recorded} recording{'' if found.recorded == 1 else 's'} made again")
    if found.coverage is not None:
        _show_coverage(found.coverage)
    print(f"{len(found.chunks) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def _json(found: Results) -> dict[str, Any]:
    results = [
        {"file": one.file, "chunk": one.chunk, "line": one.line, "passed": not one.problems, "problems": one.problems}
        for one in found.chunks
    ]
    shown: dict[str, Any] = {"results": results, "updated": found.updated, "recorded": found.recorded}
    if found.coverage is not None:
        shown["coverage"] = {
            name: {"lines": len(one.lines), "covered": len(one.covered), "missing": one.missing}
            for name, one in sorted(found.coverage.files.items())
        }
    return shown


def _show_coverage(coverage: Coverage) -> None:
    """A line a file: how many lines can run, how many of them did, and which did not."""
    for name, one in sorted(coverage.files.items()):
        missing = f"  not run: {ranges(one.missing)}" if one.missing else ""
        print(f"{name}: {len(one.covered)} of {len(one.lines)} lines, {one.percent():.0f} %{missing}")
    for name in sorted(coverage.unknown):
        print(f"{name}: not known, its code carries labels for flow rules")
    if not coverage.files and not coverage.unknown:
        print("no file was loaded or imported, so there are no lines to cover")


def _junit(results: Sequence[Result], failed: int) -> str:
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    suite = Element("testsuite", name="rtfs", tests=str(len(results)), failures=str(failed), errors="0", skipped="0")
    for one in results:
        case = SubElement(suite, "testcase", classname=one.file, name=_printable(one.chunk), line=str(one.line))
        for problem in one.problems:
            failure = SubElement(case, "failure", message=_printable(problem.split("\n")[0]))
            failure.text = _printable(problem)
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(
        char if char in "\n\t" or (char >= " " and not "\ud800" <= char <= "\udfff") else "?" for char in text
    )
