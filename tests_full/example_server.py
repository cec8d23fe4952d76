"""One server for every Python SDK.

Arguments: kind (sdk1, sdk2, fm2, fm3, fm4), transport (stdio, http, stateless, json, sse), port, and the seconds before
it begins.
"""

from __future__ import annotations

import sys
import time
from typing import Any

KIND, TRANSPORT, PORT, DELAY = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
time.sleep(DELAY)

if KIND == "sdk1":
    from mcp.server.fastmcp import Context, FastMCP

    server: Any = FastMCP(
        "example",
        port=PORT,
        log_level="ERROR",
        stateless_http=TRANSPORT == "stateless",
        json_response=TRANSPORT == "json",
    )
elif KIND == "sdk2":
    from mcp.server.mcpserver import Context, MCPServer

    server = MCPServer("example", log_level="ERROR")
else:
    from fastmcp import Context, FastMCP

    server = FastMCP("example")


@server.tool()
def add(a: int, b: int) -> dict[str, int]:
    """Two numbers."""
    return {"sum": a + b}


@server.tool()
async def steps(ctx: Context) -> dict[str, int]:
    """Reports progress."""
    for n in range(3):
        await ctx.report_progress(n + 1, 3)
    return {"steps": 3}


@server.tool()
async def asks(ctx: Context) -> dict[str, str]:
    """Asks for the client's folders."""
    try:
        found = await (ctx.list_roots() if KIND.startswith("fm") else ctx.session.list_roots())
        return {"answer": str(found)}
    except Exception as error:
        return {"refused": str(error)}


@server.resource("config://settings")
def settings() -> str:
    """Settings."""
    return "green"


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"Greet {name}."


def main() -> None:
    if TRANSPORT == "stdio":
        server.run(transport="stdio")
    elif KIND == "sdk1":
        server.run(transport="sse" if TRANSPORT == "sse" else "streamable-http")
    elif KIND == "sdk2":
        import uvicorn

        options = {"stateless": {"stateless_http": True}, "json": {"json_response": True}}.get(TRANSPORT, {})
        app = server.sse_app() if TRANSPORT == "sse" else server.streamable_http_app(**options)
        uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")
    elif TRANSPORT == "sse":
        server.run(transport="sse", host="127.0.0.1", port=PORT, show_banner=False)
    else:
        server.run(
            transport="http", host="127.0.0.1", port=PORT, show_banner=False, stateless_http=TRANSPORT == "stateless"
        )


main()
