"""The quickstart in one command: starts the example server, runs the plan against it, shows its session, stops the
server.

    python examples/quickstart/run.py

The server listens on a free port of 127.0.0.1 behind a random token; both reach the plan's declarations through the
environment, exactly as they would in a shell:

    MCP_AUTH_TOKEN=… MCP_SERVER_URL=… rtfs run plan.rtfs --config rtfs.yaml -v

With the folder of another example, that one's plan is run against the same server: `run.py examples/triage`.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rtfs.cli.main import main

HERE = Path(__file__).resolve().parent


def start_server(token: str) -> tuple[subprocess.Popen[str], str]:
    """The server's process and its URL, once it answers."""
    if find_spec("mcp") is None or find_spec("uvicorn") is None:
        raise SystemExit("the example server needs the official SDK: pip install -e '.[mcp]'")
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), "--port", "0"],
        env={**os.environ, "MCP_AUTH_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: the session ends first, then the server
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
    except BaseException:
        stop(process)
        raise
    if not url:
        stop(process)
        raise SystemExit("the example server did not start")
    return process, url


def stop(process: subprocess.Popen[str]) -> None:
    """End the server, politely and then for good."""
    process.terminate()
    try:
        process.wait(5)
    except BaseException:
        process.kill()
        process.wait()
        raise


def quickstart(folder: Path) -> int:
    """Server, the folder's plan, result; the plan's exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(128 + signal.SIGTERM))
    token = secrets.token_urlsafe(24)
    try:
        process, url = start_server(token)
        try:
            os.environ.update(MCP_AUTH_TOKEN=token, MCP_SERVER_URL=url)
            plan, config = folder / "plan.rtfs", folder / "rtfs.yaml"
            print(f"$ rtfs run {plan.name} --config {config.name} -v", file=sys.stderr)
            return main(["run", str(plan), "--config", str(config), "-v"])
        finally:
            stop(process)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(quickstart(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
