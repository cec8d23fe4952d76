"""`python -m tests.servers.check_node_servers`: the MCP handler against the reference servers of the npm registry.

server-everything over HTTP and stdio, server-filesystem, server-memory, at pinned versions; prints what came of each
check, exits with 1 if one fails. Needs node and npm, and fetches packages once: no part of the test run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rtfs.capabilities.sessions.questions import ACCEPT, Answer, Question
from tests.sessions.mcp_support import Mcp

VERSION = "2026.8.31"
NAMES = ("everything", "filesystem", "memory")
FAILED: list[str] = []


def report(what: str, good: bool) -> None:
    print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
    if not good:
        FAILED.append(what)


async def answering(question: Question) -> Answer:
    """A person who gives a name and leaves the rest as it is."""
    return Answer(ACCEPT, question.content({"name": "Ada"}))


async def everything(mcp: Mcp, where: dict[str, Any], transport: str) -> None:
    """What server-everything can show, over either transport."""

    def check(what: str, good: bool) -> None:
        report(f"everything, {transport}: {what}", good)

    async def call(tool: str, arguments: Any = None, **fields: Any) -> Any:
        return await mcp.call(tool, arguments, ask=answering, **where, **fields)

    listing = mcp.session_call("", ask=answering, **where)
    check("tools/list", len(await mcp.pool.with_session("mcp", listing, mcp.handler.list_tools)) > 10)
    check("text", (await call("echo", {"message": "hi"}))[0]["text"] == "Echo: hi")
    check("structured content", "temperature" in await call("get-structured-content", {"location": "New York"}))
    image = await call("get-tiny-image")
    check("image", any(block["type"] == "image" and block["mimeType"] == "image/png" for block in image))
    links = await call("get-resource-links", {"count": 2})
    check("resource links", sum(block["type"] == "resource_link" for block in links) == 2)
    blocks = await call("get-resource-reference", {"resourceType": "Text", "resourceId": 1})
    check("embedded resource", any("text" in block.get("resource", {}) for block in blocks))
    noted = await call("get-annotated-message", {"messageType": "error"})
    check("annotations", noted[0]["annotations"]["priority"] == 1)
    heard: list[Any] = []
    long = {"duration": 1, "steps": 3}
    await call("trigger-long-running-operation", long, progress=lambda *seen: heard.append(seen[:2]))
    check("progress", heard == [(1, 3), (2, 3), (3, 3)])
    said = await call("trigger-elicitation-request")
    check("a form of 13 fields, with defaults", '"number": 3.14' in said[-1]["text"] and "Name: Ada" in said[1]["text"])
    found = await asyncio.gather(*(call("get-sum", {"a": n, "b": n}) for n in range(50)))
    check("50 calls at once", [str(2 * n) in found[n][0]["text"] for n in range(50)] == [True] * 50)
    check("one session for all of it", mcp.names().count("initialized") == 1)


async def over_stdio(folder: Path) -> None:
    programs = folder / "node_modules" / ".bin"

    def started(name: str, *args: str, **more: Any) -> dict[str, Any]:
        return {"url": None, "mcp_command": str(programs / f"mcp-server-{name}"), "mcp_args": list(args), **more}

    async with Mcp() as mcp:
        mcp.handler.environ = os.environ
        await everything(mcp, started("everything", "stdio"), "stdio")
    async with Mcp() as mcp:
        mcp.handler.environ = os.environ
        files = started("filesystem", str(folder))
        listed = await mcp.call("list_directory", {"path": str(folder)}, **files)
        report("filesystem: a listing", "package.json" in listed["content"])
        await mcp.call("write_file", {"path": str(folder / "note.txt"), "content": "x"}, **files)
        read = await mcp.call("read_text_file", {"path": str(folder / "note.txt")}, **files)
        report("filesystem: written and read", read["content"] == "x")
        memory = started("memory", mcp_env_MEMORY_FILE_PATH=str(folder / "memory.jsonl"))
        entity = {"name": "a", "entityType": "t", "observations": ["o"]}
        await mcp.call("create_entities", {"entities": [entity]}, **memory)
        report("memory: created and read", entity in (await mcp.call("read_graph", **memory))["entities"])
        npx = ["-y", "@modelcontextprotocol/server-everything", "stdio"]
        where = {"url": None, "mcp_command": "npx", "mcp_args": npx, "mcp_cwd": str(folder)}
        report("npx starts a server", (await mcp.call("echo", {"message": "npx"}, **where))[0]["text"] == "Echo: npx")


async def over_http(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def start() -> subprocess.Popen[bytes]:
        program = str(folder / "node_modules" / ".bin" / "mcp-server-everything")
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            [program, "streamableHttp"], env={**os.environ, "PORT": str(port)}, stdout=quiet, stderr=quiet
        )
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return process
        raise SystemExit("server-everything did not start")

    process = await start()
    try:
        async with Mcp(f"http://127.0.0.1:{port}/mcp") as mcp:
            await everything(mcp, {}, "HTTP")
            process.kill()
            process.wait()
            process = await start()
            again = await mcp.call("echo", {"message": "again"})
            report("everything, HTTP: healed after it was killed", again[0]["text"] == "Echo: again")
            report("everything, HTTP: expired once", mcp.names().count("expired") == 1)
    finally:
        process.kill()
        process.wait()


def installed(folder: Path) -> None:
    """The packages, installed if they are not there yet."""
    if all((folder / "node_modules" / ".bin" / f"mcp-server-{name}").exists() for name in NAMES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    packages = [f"@modelcontextprotocol/server-{name}@{VERSION}" for name in NAMES]
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *packages], cwd=folder, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / f"rtfs-node-servers-{VERSION}")
    folder = parser.parse_args().dir.resolve()
    installed(folder)
    print(f"server-everything, server-filesystem, server-memory {VERSION}")
    for transport in (over_stdio, over_http):
        asyncio.run(transport(folder))
    print(f"{len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
