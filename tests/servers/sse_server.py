"""A server of the official SDK over the two endpoints of 2024-11-05."""

from __future__ import annotations

import asyncio
import logging
import socket

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("old", log_level="CRITICAL")


@server.tool()
def add(a: int, b: int) -> dict[str, int]:
    """Two numbers."""
    return {"sum": a + b}


@server.tool()
async def steps(ctx: Context, count: int) -> dict[str, int]:
    """Reports progress."""
    for n in range(count):
        await ctx.report_progress(n + 1, count)
    return {"steps": count}


@server.tool()
async def wait(seconds: float) -> dict[str, bool]:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return {"done": True}


def main() -> None:
    logging.disable(logging.CRITICAL)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/sse", flush=True)

    app = server.sse_app()
    Announcing(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)).run(sockets=[listener])


main()
