"""From nothing to the first tool call: a new environment, an empty npm cache, a `.mcp.json` that is there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.docs.pages import ROOT

EVERYTHING = {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-everything"]}


def test_a_fresh_install_calls_a_tool_with_one_command_and_no_error(tmp_path: Path) -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    quiet = ("--disable-pip-version-check", "-qq")
    subprocess.run([str(tmp_path / "venv/bin/pip"), "install", *quiet, str(ROOT)], check=True, timeout=600)
    installed = time.monotonic()
    work = tmp_path / "work"
    work.mkdir()
    (work / ".mcp.json").write_text(json.dumps({"mcpServers": {"everything": EVERYTHING}}))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MCP", "RTFS", "PYTHON"))}
    environ |= {"XDG_STATE_HOME": str(tmp_path / "state"), "npm_config_cache": str(tmp_path / "npm")}
    done = subprocess.run(
        [str(tmp_path / "venv/bin/rtfs"), "call", "everything.echo", "message=hi", "--trust"],
        cwd=work,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    called = time.monotonic()
    assert done.returncode == 0, done.stderr
    assert done.stdout == '[{:type "text" :text "Echo: hi"}]\n'
    assert "error" not in done.stderr
    print(f"installed in {installed - begun:.0f} s, called {called - installed:.0f} s later")
