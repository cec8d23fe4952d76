"""Every server and SDK that is tried, and the table of what works: `python -m tests_full.servers --write`.

`.ci/full` runs `pytest tests_full`, which tries the same servers and fails where a check does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from rtfs.capabilities.sessions.questions import ACCEPT, Answer, Question
from rtfs.values.error import HostError
from tests.sessions.mcp_support import Mcp
from tests_full.environments import node, npm, python
from tests_full.tables import any_failed, lines, try_all

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = Path(__file__).with_name("example_server.py")
SCRIPT = Path(__file__).with_name("example_server.mjs")
CHECKS = ("tools", "call", "progress", "asked back", "resources", "prompts", "late start")
LATE = 12.0
"""Seconds before a late server reads anything."""
TYPESCRIPT = ("@modelcontextprotocol/server", "@modelcontextprotocol/node", "zod")
SDKS = {"sdk1": "Python SDK", "sdk2": "Python SDK", "fm2": "fastmcp", "fm3": "fastmcp", "fm4": "fastmcp"}


class Case:
    """name, transport: for the table. prepare: makes the environment; its answer is handed to `check`, with the version
    of the server. check(case, prepared): what works, by name of the check: True, or None where it is not offered."""

    def __init__(
        self, name: str, transport: str, prepare: Callable[[], tuple[Any, str]], check: Callable[[Case, Any], Any]
    ) -> None:
        self.name = name
        self.transport = transport
        self.prepare = prepare
        self._check = check

    def __repr__(self) -> str:
        return f"{self.name} {self.transport}"

    def tried(self) -> tuple[str, dict[str, bool | None]]:
        """The version, and what works. Raises what went wrong."""
        prepared, version = self.prepare()
        return version, asyncio.run(asyncio.wait_for(self._check(self, prepared), 180))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def started(command: list[str], port: int, **environment: str) -> AsyncIterator[None]:
    """A server over HTTP, listening."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env={**os.environ, **environment})
    try:
        until = time.monotonic() + 60
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server does not listen"
                await asyncio.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


async def operation(mcp: Mcp, name: str, arguments: Any, where: dict[str, Any]) -> Any:
    return await mcp.call("", arguments, mcp_operation=name, mcp_tool_name=None, **where)


async def example(mcp: Mcp, where: dict[str, Any], transport: str) -> dict[str, bool | None]:
    """What the example server shows. Answers of plain JSON carry no progress, and a server without sessions cannot
    reach a client that it asks something. Where a person answers (`ask` in `where`), the answer has to get there."""
    found: dict[str, bool | None] = dict.fromkeys(CHECKS)
    listed = await mcp.pool.with_session("mcp", mcp.session_call("", **where), mcp.handler.list_tools)
    found["tools"] = {tool["name"] for tool in listed} == {"add", "steps", "asks"}
    sums = await asyncio.gather(*(mcp.call("add", {"a": n, "b": n}, **where) for n in range(20)))
    found["call"] = sums == [{"sum": 2 * n} for n in range(20)]
    heard: list[Any] = []
    await mcp.call("steps", progress=lambda *seen: heard.append(seen[0]), **where)
    if transport != "json":
        found["progress"] = heard == [1, 2, 3]
    if transport != "stateless":
        begun, code, said = time.monotonic(), "", None
        try:
            said = await mcp.call("asks", **where)
        except HostError as error:
            code = error.code
        good = "Ada" in str(said) if "ask" in where else code in ("", "capability/failed")
        found["asked back"] = good and time.monotonic() - begun < 10
    resources = await operation(mcp, "resources/list", {}, where)
    read = await operation(mcp, "resources/read", {"uri": "config://settings"}, where)
    found["resources"] = [one["uri"] for one in resources] == ["config://settings"] and "green" in str(read)
    prompt = await operation(mcp, "prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}, where)
    found["prompts"] = "Greet Ada." in str(prompt)
    return found


def sdk(kind: str, transport: str) -> Case:
    """The example server built with an SDK."""

    async def check(case: Case, interpreter: Path) -> dict[str, bool | None]:
        port = free_port()

        def command(delay: float = 0.0) -> list[str]:
            return [str(interpreter), str(EXAMPLE), kind, transport, str(port), str(delay)]

        async with Mcp() as mcp:
            mcp.handler.environ = os.environ
            if transport == "stdio":
                program, *rest = command()
                found = await example(mcp, {"url": None, "mcp_command": program, "mcp_args": rest}, transport)
                program, *rest = command(LATE)
                late = {"url": None, "mcp_command": program, "mcp_args": rest}
                found["late start"] = await mcp.call("add", {"a": 1, "b": 1}, **late) == {"sum": 2}
                return found
            async with started(command(), port):
                url = f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
                found = await example(mcp, {"url": url}, transport)
                await mcp.pool.terminate_all()
            return found

    return Case(SDKS[kind], transport, lambda: python(kind), check)


async def answering(question: Question) -> Answer:
    return Answer(ACCEPT, question.content({"name": "Ada"}) if question.url is None else {})


def script(name: str, kind: str, transport: str, *packages: str) -> Case:
    """The example server for Node. packages: of npm; the first one's version is told."""

    async def check(case: Case, folder: Path) -> dict[str, bool | None]:
        port = free_port()
        command = ["node", str(folder / SCRIPT.name), kind, transport, str(port)]
        async with Mcp() as mcp:
            mcp.handler.environ = os.environ
            if transport == "stdio":
                where = {"url": None, "mcp_command": "node", "mcp_args": command[1:], "ask": answering}
                found = await example(mcp, where, transport)
                late = ["-c", f"sleep {LATE:g}; exec {shlex.join(command)}"]
                where = {"url": None, "mcp_command": "sh", "mcp_args": late}
                found["late start"] = await mcp.call("add", {"a": 1, "b": 1}, **where) == {"sum": 2}
                return found
            async with started(command, port):
                url = f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
                found = await example(mcp, {"url": url, "ask": answering}, transport)
                await mcp.pool.terminate_all()
            return found

    return Case(name, transport, lambda: node(kind, packages, SCRIPT), check)


def everything(transport: str) -> Case:
    """The reference server of the TypeScript SDK that has something of everything."""

    async def looked_at(mcp: Mcp, where: dict[str, Any]) -> dict[str, bool | None]:
        found: dict[str, bool | None] = dict.fromkeys(CHECKS)
        listing = mcp.session_call("", ask=answering, **where)
        listed = await mcp.pool.with_session("mcp", listing, mcp.handler.list_tools)
        found["tools"] = len(listed) >= 14
        found["call"] = "hi" in str(await mcp.call("echo", {"message": "hi"}, **where))
        heard: list[Any] = []
        long = {"duration": 1, "steps": 3}
        await mcp.call("trigger-long-running-operation", long, progress=lambda *seen: heard.append(seen[0]), **where)
        found["progress"] = heard == [1, 2, 3]
        said = await mcp.call("trigger-elicitation-request", ask=answering, **where)
        found["asked back"] = "Ada" in str(said)
        found["resources"] = len(await operation(mcp, "resources/list", {}, where)) > 0
        found["prompts"] = len(await operation(mcp, "prompts/list", {}, where)) > 0
        return found

    async def check(case: Case, program: Path) -> dict[str, bool | None]:
        async with Mcp() as mcp:
            mcp.handler.environ = os.environ
            if transport == "stdio":
                found = await looked_at(mcp, {"url": None, "mcp_command": "node", "mcp_args": [str(program), "stdio"]})
                late = ["-c", f"sleep {LATE:g}; exec node {program} stdio"]
                where = {"url": None, "mcp_command": "sh", "mcp_args": late}
                found["late start"] = "hi" in str(await mcp.call("echo", {"message": "hi"}, **where))
                return found
            port = free_port()
            kind = "sse" if transport == "sse" else "streamableHttp"
            async with started(["node", str(program), kind], port, PORT=str(port)):
                found = await looked_at(mcp, {"url": f"http://127.0.0.1:{port}/{'sse' if kind == 'sse' else 'mcp'}"})
                await mcp.pool.terminate_all()
            return found

    return Case("server-everything (TypeScript SDK)", transport, lambda: npm("everything"), check)


def program(
    name: str, prepare: Callable[[], tuple[Any, str]], arguments: Any, tool: str, given: Any, wanted: str
) -> Case:
    """A server that is started and called once. arguments(prepared, folder): its command."""

    async def check(case: Case, prepared: Any) -> dict[str, bool | None]:
        found: dict[str, bool | None] = dict.fromkeys(CHECKS)
        with tempfile.TemporaryDirectory() as folder:
            command, *rest = arguments(prepared, folder)
            where = {"url": None, "mcp_command": str(command), "mcp_args": [str(one) for one in rest]}
            async with Mcp() as mcp:
                mcp.handler.environ = os.environ
                listed = await mcp.pool.with_session("mcp", mcp.session_call("", **where), mcp.handler.list_tools)
                found["tools"] = tool in [one["name"] for one in listed]
                found["call"] = wanted in str(await mcp.call(tool, given(folder), **where))
        return found

    return Case(name, "stdio", prepare, check)


def repository(prepared: Any, folder: str) -> list[Any]:
    subprocess.run(["git", "init", "-q", folder], check=True)
    return [prepared, "-m", "mcp_server_git", "--repository", folder]


CASES = [
    *(sdk("sdk1", transport) for transport in ("stdio", "http", "stateless", "json", "sse")),
    *(sdk("sdk2", transport) for transport in ("stdio", "http", "stateless", "json", "sse")),
    *(sdk(kind, transport) for kind in ("fm2", "fm3", "fm4") for transport in ("stdio", "http", "stateless")),
    *(sdk(kind, "sse") for kind in ("fm2", "fm3")),
    *(everything(transport) for transport in ("stdio", "http", "sse")),
    *(script("TypeScript SDK", "ts2", transport, *TYPESCRIPT) for transport in ("stdio", "http", "sessions", "json")),
    *(script("fastmcp (npm)", "fmts", kind, "fastmcp", "zod") for kind in ("stdio", "http", "stateless", "sse")),
    program(
        "server-filesystem", lambda: npm("filesystem"), lambda made, folder: ["node", made, folder], "write_file",
        lambda folder: {"path": f"{folder}/a.txt", "content": "x"}, "a.txt",
    ),
    program(
        "server-memory", lambda: npm("memory"), lambda made, folder: ["node", made], "read_graph", lambda folder: {},
        "entities",
    ),
    program(
        "server-sequential-thinking", lambda: npm("sequential-thinking"), lambda made, folder: ["node", made],
        "sequentialthinking",
        lambda folder: {"thought": "a", "nextThoughtNeeded": False, "thoughtNumber": 1, "totalThoughts": 1},
        "thoughtNumber",
    ),
    program(
        "mcp-server-time", lambda: python("time"), lambda made, folder: [made, "-m", "mcp_server_time"],
        "get_current_time", lambda folder: {"timezone": "UTC"}, "UTC",
    ),
    program(
        "mcp-server-git", lambda: python("git"), repository, "git_status", lambda folder: {"repo_path": folder},
        "commits",
    ),
    program(
        "mcp-server-sqlite", lambda: python("sqlite"),
        lambda made, folder: [made.parent / "mcp-server-sqlite", "--db-path", f"{folder}/a.db"], "list_tables",
        lambda folder: {}, "",
    ),
]  # fmt: skip

HEAD = """# Servers and SDKs that we test with

`.ci/full` starts each of these servers and tries everything that it offers; `python -m tests_full.servers --write`
generates this table. "late start": the server answers its first message after {late:g} seconds. "asked back": the
server asks the client for something in the middle of a call, and is answered or refused at once. "–": not offered, or
not tried. "sessions": HTTP with the handshake of the older protocol revisions, for an SDK
whose "http" has none.
`tests_full/test_patience.py` waits a minute for the first answer of four of these servers.

| server | version | transport | {checks} |
|---|---|---|{lines}|
"""


def main() -> int:
    rows = try_all(CASES, CHECKS)
    if "--write" in sys.argv:
        head = HEAD.format(late=LATE, checks=" | ".join(CHECKS), lines="|".join("---" for _ in CHECKS))
        (ROOT / "docs" / "servers.md").write_text(head + lines(rows, CHECKS), encoding="utf-8")
    return any_failed(rows)


if __name__ == "__main__":
    sys.exit(main())
