"""The official SDK's client, connected to `rtfs mcp serve`, and HTTP servers that such a server asks."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from mcp_types import ElicitResult

ROOT = Path(__file__).resolve().parent.parent.parent
ERAS = ("legacy", "2026-07-28")
"""The handshake era, and the era without sessions."""


def environment(folder: Path) -> dict[str, str]:
    """What a server is started with: its state in a folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTFS", "MCP"))}
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}


@asynccontextmanager
async def served(folder: Path, *arguments: str, **options: Any) -> AsyncIterator[Client]:
    """A client of a server that was started in a folder. options: of `Client`."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "rtfs", "mcp", "serve", *arguments], env=environment(folder), cwd=folder
    )
    with open(folder / "errors.txt", "w", encoding="utf-8") as errors:
        async with Client(stdio_client(parameters, errlog=errors), **{"mode": "legacy", **options}) as client:
            yield client


async def told(client: Client, name: str, **arguments: Any) -> Any:
    """The structured content that a tool answers."""
    return (await client.call_tool(name, arguments)).structured_content


async def said(client: Client, name: str, **arguments: Any) -> str:
    """The text that a tool answers."""
    return (await client.call_tool(name, arguments)).content[0].text


class QuietHandler(BaseHTTPRequestHandler):
    """Answers requests of a server under test without a word on standard error."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def answering(handler: type[QuietHandler]) -> Iterator[str]:
    """The address of an HTTP server in this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Person:
    """Answers forms as it was told to; remembers what it was asked."""

    def __init__(self, *answers: ElicitResult) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return self.answers.pop(0)


def accepting(**content: Any) -> ElicitResult:
    return ElicitResult(action="accept", content=content)
