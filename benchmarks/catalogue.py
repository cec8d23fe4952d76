"""What a model is given before it says a word: tokens of the tools of MCP servers, and of ours over all of them.

Counted by `anthropic-tokenizer` (extra `bench`) over name, description and input schema as JSON. The npm
servers are those that `tests_full` installs; the one with 200 tools is made here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Row

GROUP = "catalogue"
NOUNS = (
    *("issue", "order", "invoice", "customer", "ticket", "repository", "branch", "release", "deployment", "incident"),
    *("alert", "dashboard", "document", "page", "comment", "label", "milestone", "project", "team", "user"),
)
VERBS = ("list", "get", "create", "update", "delete", "search", "archive", "assign", "export", "count")


def large() -> list[dict[str, Any]]:
    """200 tools, described as such servers do."""
    return [
        {
            "name": f"{verb}_{noun}",
            "description": f"{verb.capitalize()} {noun}s of a workspace. Use this to {verb} {noun}s by their id, "
            f"state or owner; answers the {noun} with its fields and when it was changed last.",
            "input_schema": {
                "type": "object",
                "properties": {
                    "workspace": {"type": "string", "description": "Name of the workspace, as in its address"},
                    "id": {"type": "string", "description": f"Id of the {noun}"},
                    "state": {"type": "string", "enum": ["open", "closed", "all"], "description": "Which of them"},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "description": "At most so many"},
                    "cursor": {"type": "string", "description": "Where the page before ended"},
                },
                "required": ["workspace"],
            },
        }
        for noun in NOUNS
        for verb in VERBS
    ]


async def listed(command: str, arguments: list[str]) -> list[dict[str, Any]]:
    """The tools of a server, as a model is given them."""
    from mcp import StdioServerParameters
    from mcp.client.client import Client
    from mcp.client.stdio import stdio_client

    with open("/dev/null", "w") as errors:
        parameters = StdioServerParameters(command=command, args=arguments)
        async with Client(stdio_client(parameters, errlog=errors), mode="legacy") as client:
            tools = (await client.list_tools()).tools
    return [{"name": one.name, "description": one.description, "input_schema": one.input_schema} for one in tools]


def servers(folder: str) -> dict[str, list[dict[str, Any]]]:
    """The tools of each server."""
    from tests_full.environments import npm

    found = {
        f"server-{name}": asyncio.run(listed("node", [str(npm(name)[0]), *arguments]))
        for name, arguments in (("filesystem", [folder]), ("memory", []), ("everything", ["stdio"]))
    }
    return {**found, "a server of 200 tools": large()}


def run() -> Iterator[Row]:
    """Tokens of our six tools against those of each server, and of all of them."""
    try:
        from anthropic_tokenizer import count_tokens
    except ImportError:
        print("catalogue: pip install -e '.[bench]' counts tokens", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(listed(str(Path(sys.executable).with_name("rtfs")), ["mcp", "serve"]))
        found = servers(folder)
    counts = {name: count_tokens(_text(tools)) for name, tools in {**found, "ours": ours}.items()}
    mine = counts.pop("ours")
    yield Row(GROUP, "ours, whatever is behind it", mine, "tok", goal=1_500)
    for name, count in counts.items():
        yield Row(GROUP, name, count, "tok", base=mine, ratio=count / mine)
    yield Row(
        GROUP,
        "all of them",
        sum(counts.values()),
        "tok",
        base=mine,
        ratio=sum(counts.values()) / mine,
        goal=5,
        better="more",
    )


def _text(tools: list[dict[str, Any]]) -> str:
    return json.dumps(tools, ensure_ascii=False, separators=(",", ":"))
