"""The client under test: an RTFS plan on our `Runtime`, started by the conformance suite once a scenario.

The suite gives the server's URL as the last argument and the scenario in `MCP_CONFORMANCE_SCENARIO`; what to call in a
scenario comes with `MCP_CONFORMANCE_CONTEXT` or is fixed by the scenario's definition. With `tools/list` the client
finds out which tools there are, declares each as an RTFS capability and calls it from a plan.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from rtfs.capabilities.sessions.handler import SessionCall
from rtfs.capabilities.sessions.mcp import McpHandler
from rtfs.capabilities.sessions.mcp.tools import tool_hash
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.host.runtime import Runtime
from rtfs.syntax.printer import to_text
from rtfs.values import UserError, from_python

SCENARIO = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
REVISION = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "")
CONTEXT: dict[str, Any] = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")

ARGUMENTS: dict[str, dict[str, Any]] = {"add_numbers": {"a": 5, "b": 3}}
"""Arguments of tools that need some, where the suite names none."""


def declaration(name: str, url: str, tools: list[dict[str, Any]]) -> str:
    """The capability of one tool, pinned to what the server said of it, as `rtfs mcp import` writes it."""
    revision = f" :protocol_version {json.dumps(REVISION)}" if REVISION else ""
    address = f':server_url {json.dumps(url)} :tool_name {json.dumps(name)} :requires_session "auto"{revision}'
    address += "".join(f" :tool_hash {json.dumps(tool_hash(tool))}" for tool in tools if tool["name"] == name)
    return (
        f"(capability {json.dumps('mcp.suite.' + name)} :name {json.dumps(name)} "
        f':provider "MCP" :metadata {{:mcp {{{address}}}}})'
    )


def plan(calls: list[tuple[str, dict[str, Any]]]) -> str:
    """A plan that makes the calls one after the other; one that fails is reported and does not end it."""
    made = []
    for name, arguments in calls:
        shown = to_text(from_python(arguments, keywords=True))
        made.append(f'(try (call {json.dumps("mcp.suite." + name)} {shown}) (catch e (str "failed: " e)))')
    return "[" + "\n ".join(made) + "]"


async def tools_of(url: str) -> list[dict[str, Any]]:
    """What the server lists."""
    handler = McpHandler()
    pool = SessionPool({"mcp": handler})
    metadata = {"mcp_server_url": url, "mcp_requires_session": "auto"}
    if REVISION:
        metadata["mcp_protocol_version"] = REVISION
    try:
        call = SessionCall("mcp.suite", metadata, from_python({}))
        found: list[dict[str, Any]] = await pool.with_session("mcp", call, handler.list_tools)
        return found
    finally:
        await pool.aclose()


def calls_of(tools: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of the scenario: those that it names, else each tool once."""
    named = CONTEXT.get("toolCalls")
    if isinstance(named, list):
        return [(one["name"], one.get("arguments") or {}) for one in named]
    by_name = {tool["name"]: tool for tool in tools}
    if "json_schema_echo" in by_name:
        focal = by_name["json_schema_2020_12_tool"]["inputSchema"]
        return [("json_schema_echo", {"schema": focal})]
    return [(tool["name"], ARGUMENTS.get(tool["name"], {})) for tool in tools]


def main() -> int:
    url = sys.argv[-1]
    try:
        if SCENARIO.startswith("auth/"):
            from tests.conformance_mcp import authorizing

            print(authorizing.run(url, SCENARIO, REVISION, CONTEXT))
            return 0
        tools = asyncio.run(tools_of(url))
        calls = calls_of(tools)
        names = sorted({name for name, _ in calls})
        with Runtime(allow=["mcp.suite.*"], elicit=lambda question: {}) as runtime:
            runtime.load("\n".join(declaration(name, url, tools) for name in names) or "nil")
            print(to_text(runtime.run(plan(calls))))
    except UserError as error:
        print(error.code, error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
