"""Cases that are tried one after the other, and a table of what works.

Must not know what is tried. Invariant: a case that goes wrong is told and has a row, and the others are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


class Case(Protocol):
    """A row of a table."""

    name: str
    transport: str

    def tried(self) -> tuple[str, dict[str, bool | None]]:
        """The version, and what works, by name of the check; None: it does not apply. Raises what went wrong."""


Row = tuple[Case, str, dict[str, bool | None]]


def try_all(cases: Iterable[Case], checks: Sequence[str]) -> list[Row]:
    """Try each case, and say what works."""
    rows: list[Row] = []
    for case in cases:
        try:
            version, found = case.tried()
        except Exception as error:
            print(f"FAIL {case}: {type(error).__name__}: {error}", flush=True)
            version, found = "?", dict.fromkeys(checks, False)
        rows.append((case, version, found))
        print(f"{case} {version}: {', '.join(check for check in checks if found[check])}", flush=True)
    return rows


def lines(rows: Sequence[Row], checks: Sequence[str]) -> str:
    """The rows in Markdown."""
    marks = {True: "yes", False: "**no**", None: "–"}
    text = ""
    for case, version, found in rows:
        cells = " | ".join(marks[found[check]] for check in checks)
        text += f"| {case.name} | {version} | {case.transport} | {cells} |\n"
    return text


def any_failed(rows: Sequence[Row]) -> bool:
    """Whether a check of a case fails."""
    return any(value is False for _, _, found in rows for value in found.values())
