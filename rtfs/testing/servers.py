"""A small MCP server on the loopback whose every answer can be chosen: for examples and tests of what goes wrong.

Knows nothing of this package's client. It speaks just enough of the handshake era (2025-06-18) to get to a tool call.
Invariant: it listens on 127.0.0.1 only, and is gone when its `with` block ends.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from types import TracebackType
from typing import Any

PROTOCOL = "2025-06-18"


class Answer:
    """An answer of the server. status: of HTTP. result, error: of JSON-RPC; without either the body is `text`.

    asks: params of an `elicitation/create` that is put to the person behind the call first (`message` and
    `requestedSchema`); what they said is the result's structured content. delay: seconds to wait before. close: end the
    connection instead of answering.
    """

    def __init__(
        self,
        status: int = 200,
        *,
        result: Any = None,
        error: Mapping[str, Any] | None = None,
        text: str = "",
        headers: Mapping[str, str] | None = None,
        asks: Mapping[str, Any] | None = None,
        delay: float = 0.0,
        close: bool = False,
    ) -> None:
        self.status = status
        self.result = result
        self.error = error
        self.text = text
        self.headers = dict(headers or {})
        self.asks = asks
        self.delay = delay
        self.close = close

    def body(self, number: Any) -> tuple[bytes, str]:
        """The body's bytes and its media type, as an answer to the request with this id."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": number}
        if number is not None and self.error is not None:
            message["error"] = dict(self.error)
        elif number is not None and self.result is not None:
            message["result"] = self.result
        else:
            return self.text.encode(), "text/plain"
        return json.dumps(message).encode(), "application/json"


class McpServer:
    """A context manager. call: the answer to every `tools/call`; initialize: to `initialize`, if not the usual one.

    url: where it listens. declaration: RTFS text that declares its tool as `mcp.example.tool`. grants: what a runtime
    must allow to call it. requests: the methods it was asked for, in order; headers: of each of them,
    names in lower case; calls: the params of each `tools/call`.
    """

    def __init__(self, call: Answer | None = None, *, initialize: Answer | None = None) -> None:
        greeting = {
            "protocolVersion": PROTOCOL,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "example", "version": "1"},
        }
        self.answers = {
            "initialize": initialize or Answer(result=greeting, headers={"Mcp-Session-Id": "example-session"}),
            "tools/list": Answer(result={"tools": [{"name": "tool", "inputSchema": {"type": "object"}}]}),
            "tools/call": call or Answer(result={"content": [{"type": "text", "text": "done"}]}),
        }
        self.requests: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.replies: SimpleQueue[Any] = SimpleQueue()
        self.headers: list[dict[str, str]] = []
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/mcp"

    @property
    def grants(self) -> list[str]:
        return ["mcp.example.*", "net:127.0.0.1", "env:*"]

    @property
    def declaration(self) -> str:
        return declaration(self.url)

    def wait(self, seconds: float) -> None:
        """Let time pass, but no longer than the server lives."""
        self._stop.wait(seconds)

    def __enter__(self) -> McpServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def declaration(url: str, requires: str = "auto", more: str = "") -> str:
    """RTFS text that declares the tool of an MCP server at `url` as the capability `mcp.example.tool`.

    requires: its `:requires_session`. more: further metadata of its `:mcp` map, as text.
    """
    return (
        '(capability "mcp.example.tool" :provider "MCP" :input-schema :any :output-schema :any '
        f':metadata {{:mcp {{:server_url {json.dumps(url)} :server_name "example" :tool_name "tool" '
        f":requires_session {json.dumps(requires)} {more}}}}})"
    )


def _handler(owner: McpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            method = request.get("method", "")
            owner.requests.append(method)
            owner.headers.append({name.lower(): value for name, value in self.headers.items()})
            if method == "tools/call":
                owner.calls.append(request.get("params"))
            if not method:
                owner.replies.put(request.get("result"))
            if "id" not in request or not method:
                self._send(Answer(202), None)
            else:
                missing = Answer(error={"code": -32601, "message": f"no method {method}"})
                self._send(owner.answers.get(method, missing), request["id"])

        def do_GET(self) -> None:
            self._send(Answer(405), None)

        def do_DELETE(self) -> None:
            owner.requests.append("DELETE")
            self._send(Answer(200), None)

        def _send(self, answer: Answer, number: Any) -> None:
            owner.wait(answer.delay)
            if answer.close:
                self.close_connection = True
                return
            if answer.asks is not None:
                self._ask(answer.asks, number)
                return
            body, kind = answer.body(number)
            self.send_response(answer.status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _ask(self, params: Mapping[str, Any], number: Any) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self._event({"id": "question", "method": "elicitation/create", "params": dict(params)})
            said = owner.replies.get(timeout=60)
            self._event({"id": number, "result": {"content": [], "structuredContent": said}})
            self.close_connection = True

        def _event(self, message: Mapping[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n\n")
            self.wfile.flush()

        def log_message(self, format: str, *arguments: Any) -> None:
            return

    return Handler
