"""Run the MCP handler against the reference servers of the npm registry, at pinned versions, and print what came of it.

Not part of the test run, for it fetches packages: `python -m tests.servers.check_node_servers`. Needs node and npm.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.sessions.mcp_support import Mcp

VERSION = "2026.8.31"
PACKAGES = [f"@modelcontextprotocol/server-{name}@{VERSION}" for name in ("everything", "filesystem", "memory")]
PORT = "39117"


def report(what: str, good: bool) -> None:
    print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
    if not good:
        raise SystemExit(1)


async def over_stdio(folder: Path) -> None:
    programs = folder / "node_modules" / ".bin"
    everything: dict[str, Any] = {
        "url": None,
        "mcp_command": str(programs / "mcp-server-everything"),
        "mcp_args": ["stdio"],
    }
    files = {"url": None, "mcp_command": str(programs / "mcp-server-filesystem"), "mcp_args": [str(folder)]}
    memory = {
        "url": None,
        "mcp_command": str(programs / "mcp-server-memory"),
        "mcp_env_MEMORY_FILE_PATH": str(folder / "memory.json"),
    }
    npx = {
        "url": None,
        "mcp_command": "npx",
        "mcp_args": ["-y", "@modelcontextprotocol/server-everything", "stdio"],
        "mcp_cwd": str(folder),
    }
    heard: list[Any] = []
    async with Mcp() as mcp:
        mcp.handler.environ = os.environ
        listing = mcp.session_call("", **everything)
        report("stdio: tools/list", len(await mcp.pool.with_session("mcp", listing, mcp.handler.list_tools)) > 5)
        report("stdio: echo", (await mcp.call("echo", {"message": "hi"}, **everything))[0]["text"] == "Echo: hi")
        weather = await mcp.call("get-structured-content", {"location": "New York"}, **everything)
        report("stdio: structured content", "temperature" in weather)
        image = await mcp.call("get-tiny-image", **everything)
        report("stdio: image", any(block["type"] == "image" for block in image))
        links = await mcp.call("get-resource-links", {"count": 2}, **everything)
        report("stdio: resource links", sum(block["type"] == "resource_link" for block in links) == 2)
        long = {"duration": 1, "steps": 3}
        operation = "trigger-long-running-operation"
        await mcp.call(operation, long, progress=lambda *seen: heard.append(seen), **everything)
        report("stdio: progress", len(heard) == 3)
        found = await mcp.call("list_directory", {"path": str(folder)}, **files)
        report("stdio: filesystem", "package.json" in found["content"])
        entity = {"name": "a", "entityType": "t", "observations": ["o"]}
        await mcp.call("create_entities", {"entities": [entity]}, **memory)
        report("stdio: memory", (await mcp.call("read_graph", **memory))["entities"] == [entity])
        report("stdio: npx", (await mcp.call("echo", {"message": "npx"}, **npx))[0]["text"] == "Echo: npx")
        report("stdio: four processes", mcp.pool.stats()["initialized"] == 4)


async def over_http(folder: Path) -> None:
    program = str(folder / "node_modules" / ".bin" / "mcp-server-everything")

    def start() -> subprocess.Popen[bytes]:
        environ = {**os.environ, "PORT": PORT}
        quiet = subprocess.DEVNULL
        return subprocess.Popen([program, "streamableHttp"], env=environ, stdout=quiet, stderr=quiet)

    process = start()
    try:
        async with Mcp(f"http://127.0.0.1:{PORT}/mcp") as mcp:
            await asyncio.sleep(2)
            for n in range(5):
                await mcp.call("echo", {"message": str(n)})
            report("http: one session for five calls", mcp.pool.stats()["initialized"] == 1)
            process.terminate()
            process.wait()
            process = start()
            await asyncio.sleep(2)
            again = await mcp.call("echo", {"message": "again"})
            report("http: healed after a restart", again[0]["text"] == "Echo: again")
            report("http: expired once", mcp.names().count("expired") == 1)
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", *PACKAGES], cwd=folder, check=True)
        print(f"server-everything, server-filesystem, server-memory {VERSION}")
        asyncio.run(over_stdio(folder))
        asyncio.run(over_http(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
