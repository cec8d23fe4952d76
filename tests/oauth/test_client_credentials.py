"""OAuth client credentials against an authorization server of our own on the loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

import rtfs


class Server:
    """Authorization server and MCP server in one. valid: tokens that are accepted. tokens: forms of token requests."""

    def __init__(self) -> None:
        self.valid: set[str] = set()
        self.tokens: list[dict[str, list[str]]] = []
        self.basic: list[str] = []
        self.issuer = ""
        self.refuse = False
        self.more: dict[str, str] = {}
        self.calls = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status: int, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if self.path == "/.well-known/oauth-authorization-server":
                    self.answer(200, {"issuer": owner.issuer, "token_endpoint": owner.base + "/token"})
                else:
                    self.answer(404, {})

            do_DELETE = do_GET

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/token":
                    owner.tokens.append(parse_qs(body))
                    owner.basic.append(self.headers["Authorization"])
                    if owner.refuse:
                        return self.answer(400, {"error": "invalid_client", "error_description": "no shared-secret"})
                    token = f"token-{len(owner.tokens)}"
                    owner.valid.add(token)
                    return self.answer(
                        200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **owner.more}
                    )
                if self.headers.get("Authorization", "").removeprefix("Bearer ") not in owner.valid:
                    return self.answer(401, {})
                asked = json.loads(body)
                if asked["method"] == "tools/call":
                    owner.calls += 1
                greeting = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}
                known = {"initialize": greeting, "tools/call": {"content": [{"type": "text", "text": "done"}]}}
                found = known.get(asked["method"])
                reply = {"result": found} if found else {"error": {"code": -32601, "message": "no"}}
                return self.answer(200, {"jsonrpc": "2.0", "id": asked.get("id"), **reply})

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.base = self.issuer = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def server() -> Any:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def runtime(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SECRET", "shared-secret")
    monkeypatch.setenv("MCP_AUTH_TOKEN", "meant-for-another")
    (tmp_path / "one.rtfs").write_text(
        '(capability "mcp.one.t" :metadata {:mcp {:server_name "one" :tool_name "t" :requires_session "auto"}})'
    )
    oauth = {"grant": "client_credentials", "client_id": "me", "client_secret_env": "SECRET", "scopes": ["a", "b"]}
    entry = {"url": server.base + "/mcp", "oauth": {**oauth, "issuer": server.base}}
    (tmp_path / "rtfs.yaml").write_text(
        f"allow: ['mcp.*']\nload: [one.rtfs]\nmcp_servers: {json.dumps({'one': entry})}\n"
    )
    with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as made:
        yield made


CALL = '(call "mcp.one.t" {})'


def test_a_token_is_fetched_with_scope_and_resource_and_kept(server: Server, runtime: rtfs.Runtime) -> None:
    runtime.run(CALL)
    runtime.run(CALL)
    [form] = server.tokens
    assert form["resource"] == [server.base + "/mcp"]
    assert form["scope"] == ["a b"]
    assert server.basic == ["Basic bWU6c2hhcmVkLXNlY3JldA=="]
    assert server.calls == 2


def test_a_token_that_is_taken_back_is_renewed_once_for_all_callers(server: Server, runtime: rtfs.Runtime) -> None:
    runtime.run(CALL)
    server.valid.clear()
    calls = " ".join(f"(fn [] {CALL})" for _ in range(8))
    runtime.run(f'(call "ccos.concurrent/parallel" [{calls}])')
    assert len(server.tokens) == 2
    assert server.calls == 9


def test_a_refusal_is_said_without_the_secret(server: Server, runtime: rtfs.Runtime) -> None:
    server.refuse = True
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(CALL)
    assert caught.value.code == "session/unauthorized"
    assert "shared-secret" not in str(caught.value)
    assert server.calls == 0


def test_metadata_of_another_issuer_are_refused_before_the_secret_is_sent(
    server: Server, runtime: rtfs.Runtime
) -> None:
    server.issuer = "https://evil.example"
    with pytest.raises(rtfs.UserError, match="another issuer"):
        runtime.run(CALL)
    assert server.tokens == []
