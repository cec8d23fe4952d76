"""Tools as their servers first described them: trust on first use, for servers whose tools were not imported.

Must not ask servers. Invariants: the first description of a tool is used until a person accepts a change; a pin belongs
to one server (its name, and its address, or its command and folder) and one principal, so another server under the same
name starts afresh; what cannot be kept is remembered for the life of the process.
"""

from __future__ import annotations

import hashlib
import os

from rtfs.paths import read_private, reason, state_folder, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.mcp.target import Target

    Tools = dict[str, dict[str, Any]]

VERSION = 1


class Pins:
    """folder: of the files, `rtfs/pins` where XDG keeps state by default. trouble: why the last write failed, or ""."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._known: dict[str, Tools] = {}
        self.trouble = ""

    @property
    def folder(self) -> str:
        """The folder of the files."""
        return self._folder or state_folder("pins")

    def tools(self, server: str, target: Target, principal: str) -> Tools:
        """name → tool, as first described; {} for a server that was never asked."""
        path = self.path(server, target, principal)
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = _read(path)
        return known

    def add(self, server: str, target: Target, principal: str, tools: list[dict[str, Any]]) -> list[str]:
        """Pin those tools that are not pinned yet; their names."""
        path = self.path(server, target, principal)
        known = _read(path) or self._known.get(path, {})  # another process may have been faster
        new = [tool for tool in tools if tool["name"] not in known]
        if new:
            known = {**known, **{tool["name"]: tool for tool in new}}
            self._keep(path, server, target, principal, known)
        self._known[path] = known
        return [tool["name"] for tool in new]

    def accept(self, server: str, target: Target, principal: str, tools: list[dict[str, Any]]) -> None:
        """Pin exactly these tools, in place of those pinned before."""
        path = self.path(server, target, principal)
        self._known[path] = {tool["name"]: tool for tool in tools}
        self._keep(path, server, target, principal, self._known[path])

    def path(self, server: str, target: Target, principal: str) -> str:
        """The file of a server's pins. Credentials are not part of its name: a renewed token makes no other server, a
        command in another folder does."""
        where: tuple[str, ...] = (str(target.url),)
        if target.url is None:
            where = (target.command or "", *target.args, os.path.realpath(target.cwd or "."))
        digest = hashlib.sha256("\0".join((server, principal, *where)).encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self.folder, digest[:40] + ".json")

    def _keep(self, path: str, server: str, target: Target, principal: str, tools: Tools) -> None:
        import json

        kept = {"version": VERSION, "server": server, "target": target.label, "principal": principal, "tools": tools}
        try:
            write_private(path, json.dumps(kept).encode("utf-8", "surrogatepass"))
            self.trouble = ""
        except OSError as error:
            self.trouble = f"{path}: {reason(error)}"


def _read(path: str) -> Tools:
    """The tools of a file; {} for none, or for one that is not ours alone or not whole."""
    import json

    try:
        data = read_private(path)
        found = {} if data is None else json.loads(data)
    except (OSError, ValueError, RecursionError):
        return {}
    tools = found.get("tools") if isinstance(found, dict) and found.get("version") == VERSION else None
    if not isinstance(tools, dict):
        return {}
    return {name: tool for name, tool in tools.items() if isinstance(tool, dict) and tool.get("name") == name}
