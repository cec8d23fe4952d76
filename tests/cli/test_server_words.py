"""`-v`: what servers say on standard error and as log messages is shown; without it, it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "tests" / "servers" / "sdk_server.py"


def said(folder: Path, version: str, *options: str) -> str:
    declaration = folder / "talk.rtfs"
    where = f':command {json.dumps(sys.executable)} :args [{json.dumps(str(SERVER))} "--stdio"]'
    declaration.write_text(
        f'(capability "mcp.s.talk" :metadata {{:mcp {{{where} :tool_name "talk" :requires_session "auto"'
        f' :protocol_version "{version}"}}}})'
    )
    command = [sys.executable, "-m", "rtfs", "run", "--load", str(declaration), "--allow", "mcp.s.*", *options]
    done = subprocess.run(
        [*command, "-e", '(:talked (call "mcp.s.talk" {}))'], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "true\n"
    return done.stderr


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_what_a_server_says_is_shown_where_it_is_asked_for(tmp_path: Path, version: str) -> None:
    assert said(tmp_path, version) == ""
    shown = said(tmp_path, version, "-v")
    assert "sdk_server.py --stdio: to standard error\n" in shown
    assert ": info: to the client\n" in shown
    assert "session.initialized" in shown
    assert ": debug: in detail\n" in said(tmp_path, version, "-vv")
