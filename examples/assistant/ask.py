"""What an assistant does with the server of `.mcp.json`, step by step, with the official client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from mcp_types import ElicitResult

HERE = Path(__file__).resolve().parent
PLAN = """
(let [{:keys [issues]} (call "mcp.tracker.list_issues" {:state "open"})
      hours (reduce + (map :hours issues))]
  (call "mcp.notebook.write_page" {:title "Open work" :text (format "%d issues, %d hours" (count issues) hours)})
  (call "mcp.tracker.close_issue" {:number (:number (first issues))})
  {:issues (count issues) :hours hours})
"""


async def person(context: Any, params: Any) -> ElicitResult:
    """The person in front of the assistant, who reads what is asked, and agrees."""
    print("asked:", " ".join(params.message.split()))
    return ElicitResult(action="accept", content={"answer": "yes, this once"})


async def main(state: str) -> None:
    entry = json.loads((HERE / ".mcp.json").read_text(encoding="utf-8"))["mcpServers"]["rtfs"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    started = StdioServerParameters(
        command=entry["command"],
        args=entry["args"],
        env={**os.environ, "PATH": path, "XDG_STATE_HOME": state},
        cwd=HERE,
    )
    async with Client(stdio_client(started, errlog=sys.stderr), elicitation_callback=person) as client:

        async def call(name: str, **arguments: Any) -> Any:
            return await client.call_tool(name, arguments)

        print("tools:", ", ".join(tool.name for tool in (await client.list_tools()).tools))
        print((await call("search", query="issues hours notebook page")).content[0].text)
        print((await call("describe", ids=["mcp.tracker.list_issues"])).content[0].text)
        told = (await call("run_plan", plan=PLAN)).structured_content
        print(told["status"], told["value"], [(one["id"], one["outcome"]) for one in told["calls"]])
        refused = await call("run_plan", plan='(call "mcp.notebook.delete_page" {:titel "Open work"})')
        print(refused.structured_content["status"], refused.structured_content["error"]["message"])


with TemporaryDirectory() as folder:
    asyncio.run(main(folder))
