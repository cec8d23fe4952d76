"""Start a counterpart server as a process of its own, wait until it says where it is, end it for sure."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
QUICKSTART = ROOT / "examples" / "quickstart" / "server.py"


class Running:
    """url: where the server is. counts: what it counted, after `stop`."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.counts: dict[str, int] = {}

    def stop(self) -> dict[str, int]:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            _, err = self.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        lines = [line for line in err.splitlines() if line.startswith("{")]
        if lines:
            self.counts = json.loads(lines[-1])
        return self.counts


@contextlib.contextmanager
def serve(script: Path, *args: str, env: dict[str, str] | None = None) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, str(script), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    running = None
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            _, err = process.communicate(timeout=5)
            raise AssertionError(f"{script.name} did not start: {err[-2000:]}")
        running = Running(process, url)
        yield running
    finally:
        if running is not None and not running.counts:
            running.stop()
        elif process.poll() is None:
            process.kill()
            process.wait(5)


def metadata(url: str, tool: str, **more: Any) -> dict[str, Any]:
    """The flat metadata of an MCP capability."""
    return {"mcp_server_url": url, "mcp_tool_name": tool, "mcp_requires_session": "auto", **more}
