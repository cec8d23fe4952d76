"""A client of `rtfs mcp serve` in the environment of one Python SDK: `python python_client.py KIND stdio|http`.

KIND: sdk1, sdk2 (the official SDK) or fastmcp. Standard input has `{"command", "folder", "environment", "url"}` as
JSON; what was seen is printed as JSON. A form is answered with yes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

PLANS = {
    "sum": "(reduce + (range 10))",
    "wrong": "(+ 1 :a)",
    "asked": '(call "shop.cancel" {:id 7})',
}
YES = {"answer": "yes, this once"}


async def seen(call: Any, list_tools: Any) -> dict[str, Any]:
    """What the server answers. call(name, arguments): structured content and text."""
    found: dict[str, Any] = {"tools": sorted(await list_tools())}
    for name, plan in PLANS.items():
        found[name] = await call("run_plan", {"plan": plan})
    return found


async def sdk1(given: dict[str, Any], transport: str) -> dict[str, Any]:
    from mcp import ClientSession, StdioServerParameters, types
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    async def answer(context: Any, params: Any) -> Any:
        return types.ElicitResult(action="accept", content=YES)

    program, *arguments = given["command"]
    server = StdioServerParameters(command=program, args=arguments, cwd=given["folder"], env=given["environment"])
    opened = stdio_client(server) if transport == "stdio" else streamablehttp_client(given["url"])
    async with opened as (read, write, *_), ClientSession(read, write, elicitation_callback=answer) as session:
        await session.initialize()

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return (await session.call_tool(name, arguments)).structuredContent

        async def list_tools() -> list[str]:
            return [tool.name for tool in (await session.list_tools()).tools]

        found = await seen(call, list_tools)
        made = await session.experimental.call_tool_as_task("run_plan", {"plan": '(call "shop.cancel" {:id 8})'})
        task = made.task.taskId
        found["task"] = (await session.experimental.get_task_result(task, types.CallToolResult)).structuredContent
        return found


async def sdk2(given: dict[str, Any], transport: str) -> dict[str, Any]:
    from mcp import StdioServerParameters
    from mcp.client.client import Client
    from mcp.client.stdio import stdio_client
    from mcp_types import ElicitResult

    async def answer(context: Any, params: Any) -> Any:
        return ElicitResult(action="accept", content=YES)

    program, *arguments = given["command"]
    server = StdioServerParameters(command=program, args=arguments, cwd=given["folder"], env=given["environment"])
    async with Client(
        stdio_client(server) if transport == "stdio" else given["url"], elicitation_callback=answer
    ) as client:

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return (await client.call_tool(name, arguments)).structured_content

        async def list_tools() -> list[str]:
            return [tool.name for tool in (await client.list_tools()).tools]

        return await seen(call, list_tools)


async def fastmcp(given: dict[str, Any], transport: str) -> dict[str, Any]:
    from fastmcp import Client
    from fastmcp.client.elicitation import ElicitResult
    from fastmcp.client.transports import StdioTransport

    async def answer(message: str, response_type: Any, params: Any, context: Any) -> Any:
        return ElicitResult(action="accept", content=YES)

    program, *arguments = given["command"]
    started = StdioTransport(program, arguments, env=given["environment"], cwd=given["folder"])
    async with Client(started if transport == "stdio" else given["url"], elicitation_handler=answer) as client:

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return (await client.call_tool(name, arguments, raise_on_error=False)).structured_content

        async def list_tools() -> list[str]:
            return [tool.name for tool in await client.list_tools()]

        return await seen(call, list_tools)


if __name__ == "__main__":
    kind, transport = sys.argv[1:]
    work = {"sdk1": sdk1, "sdk2": sdk2, "fastmcp": fastmcp}[kind]
    print(json.dumps(asyncio.run(asyncio.wait_for(work(json.load(sys.stdin), transport), 120))))
