"""`rtfs mcp import`: a server's tools as declarations in files.

Must not know servers. Invariants: nothing is written before everything is known to be writable; a file is written whole
or not at all, and a link in its place is replaced, never followed; only what an import wrote is ever deleted.
"""

from __future__ import annotations

import os
from pathlib import Path

from rtfs.cli.output import write
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from rtfs.capabilities.sessions.mcp.tool_declarations import Declaration
    from rtfs.cli.mcp_inspect import Report
    from rtfs.host.config.discovery import Found

    Row = tuple[str, Path, str, str]


def import_tools(
    report: Report, target: dict[str, Any], name: str, folder: Path, found: argparse.Namespace
) -> list[Row]:
    """Write a declaration for each tool, with `--all` for what else the server declares to offer; state, file, id and
    tool of each. Raises HostError `file/…`."""
    from rtfs.capabilities.sessions.mcp.tool_declarations import declarations, operation_declarations
    from rtfs.cli.report import warn

    notes: list[str] = []
    variables = target.get("env", {})
    where = {key: value for key, value in target.items() if key != "env"}
    made = declarations(report.tools, name, where, notes)
    taken = {one.file for one in made}
    offered = [one for one in report.operations if one.feature is not None and found.all]
    more = operation_declarations(offered, name, where)
    made += [one for one in more if one.file not in taken]
    if variables:
        named = ", ".join(variables)
        notes.append(f"{named} is not kept in the declarations; for calls, name the server in a .mcp.json with `env`")
    for note in notes:
        warn(note, None)
    try:
        states = {one.file: _state(folder / one.file, one.text) for one in made}
        other = [one for one in made if states[one.file] == "changed"]
        if other and not found.force:
            named = ", ".join(one.file for one in other[:5]) + (" …" if len(other) > 5 else "")
            strange = any(f'(capability "{one.id}"' not in _said(folder / one.file) for one in other)
            raise HostError(
                f"{folder} already says something else in {named}",
                code="file/exists",
                hint="that is not a declaration of this server's tool: import into a separate folder"
                if strange
                else "look at what changed, then import with --force",
            )
        gone = _gone(folder, name, made)
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            if states[one.file] != "unchanged":
                _write(folder / one.file, one.text)
        for file in gone if found.prune else ():
            file.unlink()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise HostError(f"cannot write to {folder}: {why}", code="file/unwritable") from None
    rows = [(states[one.file], folder / one.file, one.id, one.tool) for one in made]
    rows += [("deleted" if found.prune else "gone", file, "", "") for file in gone]
    if gone and not found.prune:
        warn(f"{name} no longer lists the tools that are gone; --prune deletes their declarations", None)
    return rows


def show_rows(rows: list[Row], found: argparse.Namespace) -> None:
    """Say what was written."""
    if found.json:
        import json

        names = ("state", "file", "id", "tool")
        write(json.dumps([dict(zip(names, map(str, row), strict=True)) for row in rows]))
        return
    for state, file, id, _ in rows:
        write(f"{state:<9}  {file}  {id}".rstrip())


def trust_again(found: Found | None) -> None:
    """The files of this folder were trusted when the import began, and the person has just changed what they load."""
    if found is not None:
        found.accept()


def _gone(folder: Path, name: str, made: list[Declaration]) -> list[Path]:
    """The files that an earlier import of this server wrote for tools that it no longer lists."""
    from rtfs.capabilities.sessions.mcp.tool_declarations import HEADER, safe_name

    current = {one.file for one in made}
    begin = f'{HEADER}\n(capability "mcp.{safe_name(name)}.'
    files = sorted(folder.glob("*.rtfs")) if folder.is_dir() else []
    return [file for file in files if file.name not in current and _said(file).startswith(begin)]


def _state(path: Path, text: str) -> str:
    if not os.path.lexists(path):
        return "new"
    return "unchanged" if not path.is_symlink() and _said(path) == text else "changed"


def _said(path: Path) -> str:
    """The content of a file; "" if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except ValueError:
        return ""


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a link in its place is replaced, never followed."""
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".rtfs-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
