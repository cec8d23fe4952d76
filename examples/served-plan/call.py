"""Starts `rtfs mcp serve plan.rtfs`, and calls the plan as any MCP client does."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client

HERE = Path(__file__).resolve().parent
COMMAND = ["-m", "rtfs", "mcp", "serve", "plan.rtfs", "--allow", "fs:read:orders.json"]


async def main() -> None:
    started = StdioServerParameters(command=sys.executable, args=COMMAND, env=dict(os.environ), cwd=HERE)
    async with Client(stdio_client(started)) as client:
        tool = (await client.list_tools()).tools[0]
        print(tool.name, "-", tool.description)
        print("takes", tool.input_schema["properties"])
        print("only reads:", tool.annotations is not None and tool.annotations.read_only_hint)
        told = (await client.call_tool("revenue", {"country": "FR", "limit": 1})).structured_content
        print(told["status"], told["value"])
        told = (await client.call_tool("revenue", {"land": "FR"})).structured_content
        print(told["error"]["message"])


asyncio.run(main())
