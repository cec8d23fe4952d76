"""The quickstart's MCP server: an issue tracker in memory, behind a bearer token.

Built with the official SDK (`pip install -e '.[mcp]'`), Streamable HTTP on 127.0.0.1, one session a client, held
to the revisions with a handshake, so that there is a session to see. The token comes from the environment:

    MCP_AUTH_TOKEN=secret python server.py --port 8765

With `--port 0` a free port is taken; the URL is printed as one line as soon as the server answers. `--calls` prints
how many sessions were opened and closed and how many tools were called, as JSON on stderr, at the end.
"""

from __future__ import annotations

import argparse
import hmac
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

ISSUES: list[dict[str, Any]] = [
    {"number": 1, "title": "Crash when the list is empty", "state": "open", "labels": ["bug"], "comments": []},
    {"number": 2, "title": "Say hello in the README", "state": "open", "labels": ["docs"], "comments": []},
    {"number": 3, "title": "Typo in the install guide", "state": "closed", "labels": ["docs"], "comments": []},
    {"number": 4, "title": "Faster start", "state": "open", "labels": ["performance"], "comments": []},
]

server = MCPServer("issues", version="1.0.0", log_level="ERROR")


def _issue(number: int) -> dict[str, Any]:
    for issue in ISSUES:
        if issue["number"] == number:
            return issue
    raise ToolError(f"there is no issue {number}")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def list_issues(owner: str, repo: str, state: str | None = None, labels: list[str] | None = None) -> dict[str, Any]:
    """List issues in a repository."""
    found = [
        {"number": issue["number"], "title": issue["title"], "state": issue["state"], "labels": issue["labels"]}
        for issue in ISSUES
        if (state is None or issue["state"] == state) and set(labels or ()) <= set(issue["labels"])
    ]
    return {"repository": f"{owner}/{repo}", "issues": found}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def get_issue(owner: str, repo: str, number: int) -> dict[str, Any]:
    """One issue with its comments."""
    return {"repository": f"{owner}/{repo}", **_issue(number)}


@server.tool()
def add_comment(owner: str, repo: str, number: int, body: str) -> dict[str, Any]:
    """Comment on an issue; answers how many comments it has now."""
    issue = _issue(number)
    issue["comments"].append(body)
    return {"repository": f"{owner}/{repo}", "number": number, "comments": len(issue["comments"])}


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def set_labels(owner: str, repo: str, number: int, labels: list[str]) -> dict[str, Any]:
    """Replace an issue's labels."""
    issue = _issue(number)
    issue["labels"] = labels
    return {"repository": f"{owner}/{repo}", "number": number, "labels": labels}


class Door:
    """In front of the SDK: the token, the revisions with a handshake only, and a count of what went through."""

    def __init__(self, app: Any, token: str) -> None:
        self.app = app
        self.token = f"Bearer {token}".encode()
        self.counts = {"initialize": 0, "tools/call": 0, "delete": 0, "unauthorized": 0}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(b"authorization", b""), self.token):
            self.counts["unauthorized"] += 1
            body = b'{"error":"invalid_token"}'
            challenge = (b"www-authenticate", b'Bearer realm="issues", error="invalid_token"')
            await _answer(send, 401, body, [challenge])
            return
        version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        if version > "2025-11-25":
            error = {"code": -32000, "message": f"Bad Request: Unsupported protocol version: {version}"}
            await _answer(send, 400, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())
            return
        if scope["method"] == "DELETE":
            self.counts["delete"] += 1

        async def counted() -> Any:
            message = await receive()
            for method in ("initialize", "tools/call"):
                if f'"method":"{method}"'.encode() in message.get("body", b""):
                    self.counts[method] += 1
            return message

        await self.app(scope, counted, send)


async def _answer(send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    all_headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def _no_ended_session(record: logging.LogRecord) -> bool:
    """Whether a record is about anything but a message whose client has ended its session meanwhile.

    A client that is interrupted cancels its call and ends the session in one go. The SDK (2.3, with anyio 4.16) then
    reports the message that it could not hand on any more as an error, with a traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    while error is not None and not isinstance(error, anyio.ClosedResourceError):
        error = error.__context__
    return error is None


class Announcing(uvicorn.Server):
    """Says where it is once it answers, and leaves at once when it is told to."""

    url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        try:
            print(self.url, flush=True)
        except BrokenPipeError:  # the process that started it has gone meanwhile
            os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description="An issue tracker as an MCP server, for the quickstart.")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: 8765)")
    parser.add_argument("--token-env", default="MCP_AUTH_TOKEN", help="the variable that holds the token")
    parser.add_argument("--json", action="store_true", help="answer with JSON instead of a stream of events")
    parser.add_argument("--calls", action="store_true", help="print the counts as JSON on stderr at the end")
    options = parser.parse_args()
    token = os.environ.get(options.token_env, "")
    if not token:
        print(f"set {options.token_env} to the token that clients must send", file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)
    door = Door(server.streamable_http_app(json_response=options.json), token)
    # With the protocol named, asyncio switches off Nagle's delay, which would cost 40 ms a call.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", options.port))
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    config = uvicorn.Config(door, log_level="error", timeout_graceful_shutdown=1, ws="none")
    for logger in ("mcp.server.streamable_http", "uvicorn.error"):
        logging.getLogger(logger).addFilter(_no_ended_session)
    running = Announcing(config)
    running.url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        running.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    if options.calls:
        print(json.dumps(door.counts), file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
