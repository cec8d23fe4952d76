"""Servers of the npm registry in an existing `.mcp.json`: one command to the first tool call, as the README says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, fits

_BLOCK = re.compile(r"^```(json|picture)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(folder: Path, command: str) -> tuple[int, str]:
    shell = f'rtfs() {{ "{sys.executable}" -m rtfs "$@"; }}; {command}'
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MCP", "RTFS"))}
    environ |= {"XDG_STATE_HOME": str(folder.parent / "state"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", shell],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout


def in_folder(tmp_path: Path) -> tuple[Path, str]:
    """A folder with the README's `.mcp.json`, and the commands that the README shows for it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From a `.mcp.json` to a call")[2]
    (_, servers), (_, commands) = _BLOCK.findall(text)[:2]
    entries = json.loads(servers)
    entries["mcpServers"]["memory"]["env"] = {"MEMORY_FILE_PATH": str(tmp_path / "memory.json")}
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".mcp.json").write_text(json.dumps(entries))
    return folder, commands


def test_the_commands_of_the_readme_give_what_it_says(tmp_path: Path) -> None:
    folder, commands = in_folder(tmp_path)
    first, second = re.split(r"^\$ ", commands, flags=re.MULTILINE)[1:]
    for block in (first, second):
        command, _, wanted = block.strip().rpartition("\n")
        code, out = run(folder, command)
        assert code == 0
        assert fits(wanted, out), out


def test_every_tool_of_the_servers_can_be_shown_and_imported(tmp_path: Path) -> None:
    folder, _ = in_folder(tmp_path)
    code, out = run(folder, "rtfs mcp list --trust --json")
    assert code == 0
    servers = json.loads(out)
    assert [len(server["tools"]) > 5 for server in servers] == [True, True]
    assert run(folder, "rtfs mcp import --all -o tools")[0] == 0
    assert len(list(folder.rglob("*.rtfs"))) > sum(len(server["tools"]) for server in servers)
    assert (
        '(capability "mcp.everything.resources/read"' in (folder / "tools/everything/resources_read.rtfs").read_text()
    )
    assert "demo://resource" in run(folder, "rtfs call everything.resources/list")[1]
    assert "message  a string" in run(folder, "rtfs mcp show everything.echo")[1]
    code, out = run(folder, "rtfs capabilities --load tools")
    assert code == 0
    assert "mcp.memory.search_nodes" in out
