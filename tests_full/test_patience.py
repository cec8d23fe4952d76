"""A server that needs a minute for its first answer is used, and one that never answers is given up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests_full.environments import npm, python
from tests_full.servers import EXAMPLE

MINUTE = 60.0


def rtfs(folder: Path, *words: str) -> tuple[int, str, str]:
    environ = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "rtfs", *words],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("kind", ["sdk1", "sdk2", "fm4", "everything"])
def test_a_server_that_needs_a_minute_for_its_first_answer_is_used(tmp_path: Path, kind: str) -> None:
    if kind == "everything":
        made, _ = npm(kind)
        late = {"command": "sh", "args": ["-c", f"sleep {MINUTE:g}; exec node {made} stdio"]}
        call = ("late.echo", "message=hi")
    else:
        late = {"command": str(python(kind)[0]), "args": [str(EXAMPLE), kind, "stdio", "0", str(MINUTE)]}
        call = ("late.add", "a=1", "b=2")
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"late": late}}))
    begun = time.monotonic()
    code, out, err = rtfs(tmp_path, "call", *call, "--trust")
    assert code == 0, err
    assert out.strip() in ('[{:type "text" :text "Echo: hi"}]', "{:sum 3}")
    assert time.monotonic() - begun > MINUTE


def test_a_server_that_never_answers_is_given_up_after_the_configured_time(tmp_path: Path) -> None:
    mute = {"command": "sh", "args": ["-c", "echo waiting for the moon >&2; sleep 600"]}
    (tmp_path / "rtfs.yaml").write_text(json.dumps({"mcp_servers": {"mute": mute}, "pool": {"initialize_seconds": 3}}))
    begun = time.monotonic()
    code, _, err = rtfs(tmp_path, "call", "mute.x", "--trust")
    assert code != 0
    assert "session/timeout" in err
    assert "waiting for the moon" in err
    assert "pool.initialize_seconds" in err
    assert time.monotonic() - begun < MINUTE
