"""A real server that says its client's token back, in every place and spelling it has: the token shows nowhere. What is
tried is the command, in a process of its own, with everything on that writes anything."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CANARY = "canary+7f3a/9b21==c4&z"
SPELLINGS = {
    "raw": CANARY,
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {CANARY}".encode()).decode(),
    "URL": urllib.parse.quote(CANARY, safe=""),
}
ALL = " | ".join(SPELLINGS.values())
PLACES = ["result", "structured", "error text", "rpc error", "401", "403", "404", "429", "500", "redirect", "no json",
          "wrong reply", "event stream", "session id", "notification", "progress", "tool list"]  # fmt: skip


class Echo(BaseHTTPRequestHandler):
    """An MCP server of sorts whose path says where the token is to be said back."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert CANARY in (self.headers.get("Authorization") or "")
        request = json.loads(body)
        place = urllib.parse.unquote(self.path.strip("/"))
        method, id = request.get("method"), request.get("id")
        if method == "initialize":
            headers = {"Mcp-Session-Id": base64.b64encode(CANARY.encode()).decode()} if place == "session id" else {}
            info = {"name": ALL, "version": ALL}
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
            self._say(200, {"jsonrpc": "2.0", "id": id, "result": result}, headers)
        elif id is None:
            self._say(202, None, {})
        elif method == "tools/call":
            self._call(place, id, request["params"])
        elif method == "tools/list" and place == "tool list":
            self._say(200, {"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": ALL}}, {})
        elif method == "tools/list":
            tool = {"name": "echo", "description": ALL, "inputSchema": {"type": "object"}}
            self._say(200, {"jsonrpc": "2.0", "id": id, "result": {"tools": [tool]}}, {})
        else:
            self._say(400, {"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": ALL, "data": ALL}}, {})

    def _call(self, place: str, id: Any, params: Any) -> None:
        text = [{"type": "text", "text": ALL}]
        if place == "structured":
            result: dict[str, Any] = {"content": text, "structuredContent": {"token": ALL, ALL: [1, {"in": CANARY}]}}
            self._say(200, {"jsonrpc": "2.0", "id": id, "result": result}, {})
        elif place == "error text":
            self._say(200, {"jsonrpc": "2.0", "id": id, "result": {"content": text, "isError": True}}, {})
        elif place == "rpc error":
            error = {"code": -32000, "message": ALL, "data": {"token": ALL}}
            self._say(200, {"jsonrpc": "2.0", "id": id, "error": error}, {})
        elif place.isdigit():
            said = {"WWW-Authenticate": f'Bearer realm="{ALL}"', "Retry-After": "1", "X-Token": ALL}
            self._say(int(place), {"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": ALL}}, said)
        elif place == "redirect":
            self._say(302, None, {"Location": f"http://127.0.0.1:1/{urllib.parse.quote(CANARY, safe='')}?{CANARY}"})
        elif place == "no json":
            self._say(200, ALL, {})
        elif place == "wrong reply":
            self._say(200, {"jsonrpc": ALL, "id": ALL, "result": ALL}, {})
        elif place in ("event stream", "notification", "progress"):
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error", "data": ALL}}
            if place == "progress":
                token = {"progressToken": params.get("_meta", {}).get("progressToken"), "progress": 1, "message": ALL}
                note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": token}
            last = {"jsonrpc": "2.0", "id": id, "error": {"code": 1, "message": ALL}}
            events = "".join(f"id: {ALL}\ndata: {json.dumps(part)}\n\n" for part in (note, last))
            self._say(200, events, {"Content-Type": "text/event-stream"})
        else:
            self._say(200, {"jsonrpc": "2.0", "id": id, "result": {"content": text}}, {"X-Token": ALL})

    def do_DELETE(self) -> None:
        self._say(200, ALL, {})

    def do_GET(self) -> None:
        self._say(405, ALL, {})

    def _say(self, status: int, body: Any, headers: dict[str, str]) -> None:
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status, f"said {CANARY}")
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def rtfs(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state"), "ECHO_TOKEN": CANARY,
    }  # fmt: skip
    command = [sys.executable, "-m", "rtfs", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


def leaks(data: bytes, where: str) -> list[str]:
    """Where two thirds of a spelling stand in some data."""
    text = data.decode("utf-8", "replace")
    found = []
    for name, spelling in SPELLINGS.items():
        part = len(spelling) * 2 // 3
        hits = [i for i in range(len(spelling) - part + 1) if spelling[i : i + part] in text]
        if hits:
            at = text.index(spelling[hits[0] : hits[0] + part])
            found.append(f"{name} in {where}: …{text[max(0, at - 60) : at + 40]!r}")
    return found


def declared(folder: Path, url: str, place: str) -> None:
    """A configuration with the server's tool."""
    (folder / "rtfs.yaml").write_text("allow: ['echo.*']\nload: [caps.rtfs]\nledger: ledger.db\n")
    (folder / "caps.rtfs").write_text(
        f'(capability "echo.echo" :metadata {{:mcp {{:server_url "{url}/{urllib.parse.quote(place)}"'
        ' :server_name "echo" :tool_name "echo" :requires_session "auto" :auth_env_var "ECHO_TOKEN"}})'
    )


def check(folder: Path, runs: list[subprocess.CompletedProcess[bytes]]) -> None:
    """Nothing that was said, and no file but the journals, shows the token; the journals are their owner's only."""
    journals = folder / "state" / "rtfs" / "runs"
    found = []
    for run in runs:
        assert run.returncode in (0, 1), run.stderr
        said = " ".join(run.args[3:])
        found += leaks(run.stdout, f"stdout of {said}") + leaks(run.stderr, f"stderr of {said}")
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(journals):
            found += leaks(path.read_bytes(), path.name)
    assert found == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in journals.iterdir()} == {0o600}
    assert stat.S_IMODE(journals.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "recording.jsonl").stat().st_mode) == 0o600


CAUGHT = '(try (call "echo.echo" {:a 1}) (catch e (println e (:message e) (:data e)) e))'
PLAIN = '(step "s" (println (call "echo.echo" {:a 1})))'
HINTED = '^{:runtime.retry {:max-retries 1 :initial-delay-ms 0} :runtime.timeout 20000} (call "echo.echo" {:a 1})'
USUAL = ("--config", "rtfs.yaml")


@pytest.mark.parametrize("place", PLACES)
def test_a_token_that_a_server_says_back_shows_nowhere(place: str, url: str, tmp_path: Path):
    declared(tmp_path, url, place)
    runs = [
        rtfs(tmp_path, "run", "-v", "--json", *USUAL, "--record", "recording.jsonl", "-e", f"{CAUGHT} {PLAIN}"),
        rtfs(tmp_path, "run", "-v", "--debug", "--durable", *USUAL, "-e", HINTED),
        rtfs(tmp_path, "audit", "export", "ledger.db"),
    ]
    check(tmp_path, runs)
    shown = b"redacted" in b"".join(run.stdout + run.stderr for run in runs)
    assert shown or place not in ("result", "structured", "error text", "rpc error", "event stream", "tool list", "500")


@pytest.mark.parametrize("place", ["rpc error", "structured"])
def test_no_other_command_shows_it_either(place: str, url: str, tmp_path: Path):
    declared(tmp_path, url, place)
    runs = [
        rtfs(tmp_path, "call", "--json", *USUAL, "echo.echo", "{}"),
        rtfs(tmp_path, "run", *USUAL, "--record", "recording.jsonl", "-e", CAUGHT),
        rtfs(tmp_path, "run", "-v", *USUAL, "--replay", "recording.jsonl", "-e", CAUGHT),
        rtfs(tmp_path, "run", "-v", "--durable", "--run-id", "r", *USUAL, "-e", PLAIN),
        rtfs(tmp_path, "resume", "-v", "r", "--retry"),
        rtfs(tmp_path, "runs"),
        rtfs(tmp_path, "runs", "--json"),
        rtfs(tmp_path, "audit", "show", "ledger.db"),
    ]
    check(tmp_path, runs)
    assert b"redacted" in runs[2].stdout
