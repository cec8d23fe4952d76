"""Real clients of `rtfs mcp serve`: the official SDKs, fastmcp, the Inspector's command line and Claude Code.

`.ci/full clients` runs `pytest tests_full/test_clients.py` and prints the table of docs/serve.md
(`python -m tests_full.client_cases --write`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.serve.clients import environment
from tests.serve.test_http import listening
from tests_full.environments import FOLDER, npm_package, python
from tests_full.tables import any_failed, lines, try_all

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FILES = {
    "rtfs.yaml": """load: [caps.rtfs]
policy:
  rules:
    - {match: shop.cancel, decide: approve, reason: it cannot be undone}
""",
    "caps.rtfs": """(capability "shop.cancel" :description "Cancel an order" :input-schema {:id :int}
  :implementation (fn [i] (str "cancelled " (:id i))))""",
}
TOOLS = ["describe", "result", "resume", "run_plan", "search", "status"]
SERVE = [sys.executable, "-m", "rtfs", "mcp", "serve", "--config", "rtfs.yaml"]
NPM = {
    "ts1": ("@modelcontextprotocol/sdk", "@modelcontextprotocol/sdk@1"),
    "ts2": ("@modelcontextprotocol/client", "@modelcontextprotocol/client@2"),
    "inspector": ("@modelcontextprotocol/inspector", "@modelcontextprotocol/inspector@2", "node@22"),
    "claude": ("@anthropic-ai/claude-code", "@anthropic-ai/claude-code"),
}
"""name → the package whose version is told, and what is installed (the Inspector wants Node 22)."""


class Case:
    """name, transport: for the table. key: of its program, by which cases are chosen. prepare: the program and the
    version. look(prepared, folder, url): what was seen. forms: whether the client shows forms."""

    def __init__(
        self,
        name: str,
        key: str,
        transport: str,
        prepare: Callable[[], tuple[Any, str]],
        look: Any,
        forms: bool = True,
    ) -> None:
        self.name = name
        self.key = key
        self.transport = transport
        self.prepare = prepare
        self.look = look
        self.forms = forms

    def __repr__(self) -> str:
        return f"{self.key} {self.transport}"

    def tried(self) -> tuple[str, dict[str, bool | None]]:
        """The version, and what works. Raises what went wrong."""
        prepared, version = self.prepare()
        with served(self.transport) as (folder, url):
            seen = self.look(prepared, folder, url)
        found: dict[str, bool | None] = {"tools": seen.get("tools") == TOOLS}
        if "connected" in seen:
            return version, {"tools": seen["connected"], **dict.fromkeys(("value", "error", "form", "task"))}
        found["value"] = seen["sum"]["value"] == 45
        found["error"] = seen["wrong"]["status"] == "refused" and seen["wrong"]["error"]["code"] == "type/mismatch"
        found["form"] = seen["asked"].get("value") == "cancelled 7" if self.forms else None
        found["task"] = seen["task"].get("value") == "cancelled 8" if "task" in seen else None
        if not self.forms:
            found["value"] = bool(found["value"]) and seen["asked"]["status"] == "paused"
        return version, found


@contextmanager
def served(transport: str) -> Iterator[tuple[Path, str]]:
    """A folder with a configuration, and the address of a server there, if one is to be reached."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        if transport == "stdio":
            yield folder, ""
        else:
            with listening(folder, "--config", "rtfs.yaml", "--no-isolate") as url:
                yield folder, url


def asked(command: list[Any], folder: Path, url: str, more: dict[str, str] | None = None) -> dict[str, Any]:
    """What a client prints as JSON."""
    given = {"command": SERVE, "folder": str(folder), "environment": environment(folder), "url": url}
    done = subprocess.run(
        [str(one) for one in command], input=json.dumps(given), capture_output=True, text=True, timeout=240,
        env={**os.environ, **(more or {})}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def npm(name: str) -> tuple[Path, str]:
    """The folder with a package of npm, and its version."""
    package, *wanted = NPM[name]
    folder = FOLDER / name
    return folder, npm_package(folder, package, *wanted)["version"]


def python_case(name: str, kind: str, made: str, transport: str) -> Case:
    def look(interpreter: Path, folder: Path, url: str) -> dict[str, Any]:
        return asked([interpreter, HERE / "python_client.py", kind, transport], folder, url)

    return Case(name, made, transport, lambda: python(made), look)


def typescript(major: str, transport: str) -> Case:
    def look(installed: Path, folder: Path, url: str) -> dict[str, Any]:
        return asked(["node", HERE / "client.mjs", installed, major, transport], folder, url)

    return Case("TypeScript SDK", f"ts{major}", transport, lambda: npm(f"ts{major}"), look)


def inspector(transport: str) -> Case:
    """The Inspector's command line: one request a process."""

    def look(installed: Path, folder: Path, url: str) -> dict[str, Any]:
        modules = installed / "node_modules"
        given = {**environment(folder), "RTFS_CONFIG": "rtfs.yaml"}
        for_server = [f"{name}={given[name]}" for name in ("PYTHONPATH", "XDG_STATE_HOME", "RTFS_CONFIG")]
        started = [*SERVE[:5], "--cwd", str(folder), *(word for one in for_server for word in ("-e", one))]
        where = [url, "--transport", "http"] if transport == "http" else started
        path = f"{modules / 'node' / 'bin'}:{os.environ['PATH']}"

        def said(*words: str) -> Any:
            command = [str(modules / ".bin" / "mcp-inspector"), "--cli", *where, *words]
            own = {**given, "HOME": str(folder), "PATH": path}
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=own)
            assert done.stdout.startswith("{"), done.stdout[-1000:] + done.stderr[-3000:]
            return json.JSONDecoder().raw_decode(done.stdout)[0]  # the exit code says whether the tool told an error

        def plan(text: str) -> Any:
            call = ("--method", "tools/call", "--tool-name", "run_plan", "--tool-arg", f"plan={text}")
            return said(*call)["structuredContent"]

        tools = said("--method", "tools/list")["tools"]
        return {
            "tools": sorted(tool["name"] for tool in tools),
            "sum": plan("(reduce + (range 10))"),
            "wrong": plan("(+ 1 :a)"),
            "asked": plan('(call "shop.cancel" {:id 7})'),
        }

    return Case("Inspector (--cli)", "inspector", transport, lambda: npm("inspector"), look, forms=False)


def claude() -> Case:
    """`claude mcp add` and `claude mcp list`, which connects; it needs no account for that."""

    def look(installed: Path, folder: Path, url: str) -> dict[str, Any]:
        program = str(installed / "node_modules" / ".bin" / "claude")
        home = {**environment(folder), "HOME": str(folder), "DISABLE_AUTOUPDATER": "1"}
        common: dict[str, Any] = {"cwd": folder, "env": home, "capture_output": True, "text": True, "timeout": 240}
        subprocess.run([program, "mcp", "add", "rtfs", "--", *SERVE], check=True, **common)
        listed = subprocess.run([program, "mcp", "list"], check=True, **common).stdout
        return {"connected": "rtfs" in listed and "Connected" in listed}

    return Case("Claude Code (mcp list)", "claude", "stdio", lambda: npm("claude"), look)


CASES = [
    *(python_case("Python SDK", kind, kind, way) for kind in ("sdk1", "sdk2") for way in ("stdio", "http")),
    *(python_case("fastmcp", "fastmcp", made, way) for made in ("fm3", "fm4") for way in ("stdio", "http")),
    *(typescript(major, way) for major in ("1", "2") for way in ("stdio", "http")),
    *(inspector(way) for way in ("stdio", "http")),
    claude(),
]
CHECKS = {
    "tools": "connects, lists tools",
    "value": "a plan's value",
    "error": "an error",
    "form": "an approval by form",
    "task": "the same as a task",
}
BEGIN, END = "<!-- clients -->\n", "<!-- /clients -->\n"


def main() -> int:
    rows = try_all(CASES, list(CHECKS))
    if "--write" in sys.argv:
        page = ROOT / "docs" / "serve.md"
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        table = f"| client | version | transport | {' | '.join(CHECKS.values())} |\n|{'---|' * (3 + len(CHECKS))}\n"
        table += lines(rows, list(CHECKS))
        page.write_text(before + BEGIN + table + END + rest.partition(END)[2], encoding="utf-8")
    return any_failed(rows)


if __name__ == "__main__":
    sys.exit(main())
