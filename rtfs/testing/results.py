"""What came of golden chunks, as text for people, as JSON and as JUnit's XML.

Must not know how chunks are run. Invariant: all three say the same of each chunk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One chunk, or a file that is wrong as a whole. line: where it begins. problems: texts; none: it passed."""

    file: str
    chunk: str
    line: int
    problems: list[str]


def report(results: Sequence[Result], updated: int, *, as_json: bool, junit: str | None, verbose: bool) -> int:
    """Print the results, and write them to the file `junit`; the exit status. Raises HostError `file/unwritable`."""
    failed = sum(bool(one.problems) for one in results)
    if junit is not None:
        from rtfs.host.files import replace_text

        replace_text(junit, _junit(results, failed))
    if as_json:
        shown = [
            {
                "file": one.file,
                "chunk": one.chunk,
                "line": one.line,
                "passed": not one.problems,
                "problems": one.problems,
            }
            for one in results
        ]
        print(json.dumps({"results": shown, "updated": updated}, ensure_ascii=False))
        return 1 if failed else 0
    for one in results:
        if verbose:
            print(f"{'failed' if one.problems else 'passed'}  {one.file}:{one.line}: {one.chunk}")
        for problem in one.problems:
            print(problem, end="\n\n")
    if updated:
        print(f"{updated} expectations rewritten")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


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
