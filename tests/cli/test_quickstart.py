"""The README's command: starts the server, shows one session used twice, prints the result, leaves nothing behind."""

from __future__ import annotations

import logging
import os
import runpy
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import anyio
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def start(marker: str) -> Any:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MCP")}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "quickstart" / "run.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**env, "PYTHONPATH": str(ROOT), "RTFS_TEST_MARKER": marker},
    )


def left_behind(marker: str) -> list[str]:
    """The processes that carry the marker in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


def test_the_main_job() -> None:
    marker = uuid.uuid4().hex
    process = start(marker)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out == (
        '{:repository "octo/hello" :open ["#1 Crash when the list is empty" "#2 Say hello in the README"'
        ' "#4 Faster start"]'
        ' :first {:number 1 :title "Crash when the list is empty" :labels ["bug"]}}\n'
    )
    lines = err.splitlines()
    assert lines[0] == "$ rtfs run plan.rtfs --config rtfs.yaml -v"
    assert [line.split()[0] for line in lines[1:-1]] == ["session.initialized", "session.reused", "session.terminated"]
    assert lines[-1] == "sessions: calls 2  initialized 1  reused 1  terminated 1"
    assert "mcp.issues.list_issues" in lines[1]
    assert "mcp.issues.get_issue" in lines[2]
    assert left_behind(marker) == []


@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait", ["server", "plan", "session"])
def test_nothing_is_left_after_a_signal(number: int, wait: str) -> None:
    marker = uuid.uuid4().hex
    process = start(marker)
    if wait == "server":
        deadline = time.monotonic() + 60
        while not any("server.py" in line for line in left_behind(marker)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    else:
        process.stderr.readline()
        if wait == "session":
            process.stderr.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130, 143)
    assert "Traceback" not in err
    assert left_behind(marker) == []


def test_the_server_does_not_report_a_message_whose_session_has_ended_and_reports_other_errors() -> None:
    heeded = runpy.run_path(str(ROOT / "examples" / "quickstart" / "server.py"))["_no_ended_session"]

    def record(error: BaseException | None) -> logging.LogRecord:
        info = None if error is None else (type(error), error, None)
        return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "Exception in ASGI application", None, info)

    late = RuntimeError("Unexpected ASGI message 'http.response.start' sent, after response already completed.")
    late.__context__ = anyio.ClosedResourceError()
    assert not heeded(record(late))
    assert not heeded(record(anyio.ClosedResourceError()))
    assert heeded(record(RuntimeError("another")))
    assert heeded(record(None))
