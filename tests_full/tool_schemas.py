"""The tools of real servers, as tests/checker/tools.jsonl keeps them: `python -m tests_full.tool_schemas --write`.

Installs each server, starts it without any account (what asks for a key is given a made-up one) and asks for its tools;
nothing is called. A line of the file is a server: where it comes from, its version, the input schemas of its tools
without their descriptions.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.sessions.mcp_support import Mcp
from tests_full.environments import FOLDER, npm_package

FILE = Path(__file__).resolve().parent.parent / "tests" / "checker" / "tools.jsonl"
KEY = "made-up-0123456789abcdef0123456789abcdef"
NPM: dict[str, tuple[list[str], dict[str, str]]] = {
    "@modelcontextprotocol/server-everything": (["stdio"], {}),
    "@modelcontextprotocol/server-filesystem": (["."], {}),
    "@modelcontextprotocol/server-memory": ([], {}),
    "@modelcontextprotocol/server-sequential-thinking": ([], {}),
    "@modelcontextprotocol/server-github": ([], {}),
    "@modelcontextprotocol/server-gitlab": ([], {"GITLAB_PERSONAL_ACCESS_TOKEN": KEY}),
    "@modelcontextprotocol/server-slack": ([], {"SLACK_BOT_TOKEN": KEY, "SLACK_TEAM_ID": "T01"}),
    "@modelcontextprotocol/server-google-maps": ([], {"GOOGLE_MAPS_API_KEY": KEY}),
    "@modelcontextprotocol/server-brave-search": ([], {"BRAVE_API_KEY": KEY}),
    "@playwright/mcp": ([], {}),
    "chrome-devtools-mcp": ([], {}),
    "@upstash/context7-mcp": ([], {}),
    "@notionhq/notion-mcp-server": ([], {"NOTION_TOKEN": "ntn_" + KEY}),
    "@zereight/mcp-gitlab": ([], {"GITLAB_PERSONAL_ACCESS_TOKEN": KEY}),
    "mongodb-mcp-server": ([], {}),
    "firecrawl-mcp": ([], {"FIRECRAWL_API_KEY": "fc-" + KEY}),
    "tavily-mcp": ([], {"TAVILY_API_KEY": KEY}),
    "exa-mcp-server": ([], {"EXA_API_KEY": KEY}),
    "n8n-mcp": ([], {"MCP_MODE": "stdio"}),
    "@wonderwhy-er/desktop-commander": ([], {}),
    "@circleci/mcp-server-circleci": ([], {"CIRCLECI_TOKEN": KEY}),
    "@executeautomation/playwright-mcp-server": ([], {}),
    "@antv/mcp-server-chart": ([], {}),
    "@hubspot/mcp-server": ([], {"PRIVATE_APP_ACCESS_TOKEN": KEY}),
    "@winor30/mcp-server-datadog": ([], {"DATADOG_API_KEY": KEY, "DATADOG_APP_KEY": KEY}),
    "@shortcut/mcp": ([], {"SHORTCUT_API_TOKEN": KEY}),
    "@launchdarkly/mcp-server": (["start", "--api-key", KEY], {}),
    "@brave/brave-search-mcp-server": (["--transport", "stdio"], {"BRAVE_API_KEY": KEY}),
    "figma-developer-mcp": (["--stdio"], {"FIGMA_API_KEY": KEY}),
    "@larksuiteoapi/lark-mcp": (["mcp", "-a", "cli_x", "-s", KEY], {}),
}
"""package → what its program is given, and its environment."""
PYPI: dict[str, tuple[list[str], dict[str, str]]] = {
    "mcp-server-time": ([], {}),
    "mcp-server-git": ([], {}),
    "mcp-server-fetch": ([], {}),
    "mcp-atlassian": (
        [],
        {
            "JIRA_URL": "https://example.atlassian.net",
            "JIRA_USERNAME": "a@example.com",
            "JIRA_API_TOKEN": KEY,
            "CONFLUENCE_URL": "https://example.atlassian.net/wiki",
            "CONFLUENCE_USERNAME": "a@example.com",
            "CONFLUENCE_API_TOKEN": KEY,
        },
    ),
    "excel-mcp-server": (["stdio"], {}),
    "office-word-mcp-server": ([], {}),
    "arxiv-mcp-server": ([], {}),
    "duckduckgo-mcp-server": ([], {}),
    "markitdown-mcp": ([], {}),
}
SCRIPTS = {"office-word-mcp-server": "word_mcp_server"}
"""Programs that are not called like their package."""


def npm(package: str) -> tuple[list[str], str]:
    """The command of a package of npm, and its version."""
    folder = FOLDER / "npm" / package.replace("/", "+")
    said = npm_package(folder, package, "--ignore-scripts", package, timeout=400)
    programs = said["bin"] if isinstance(said["bin"], dict) else {package: said["bin"]}
    program = programs.get(package.rpartition("/")[2]) or next(iter(programs.values()))
    return ["node", str(folder / "node_modules" / package / program)], said["version"]


def pypi(package: str) -> tuple[list[str], str]:
    """The command of a package of PyPI, and its version."""
    folder = FOLDER / "pypi" / package
    interpreter = folder / "bin" / "python"
    program = folder / "bin" / SCRIPTS.get(package, package)
    if not program.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        quiet = ["--disable-pip-version-check", "-qq"]
        subprocess.run([str(interpreter), "-m", "pip", "install", *quiet, package], check=True, timeout=600)
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(interpreter), "-c", code], capture_output=True, text=True, check=True)
    return [str(program)], done.stdout.strip()


async def listed(command: list[str], more: dict[str, str]) -> list[dict[str, Any]]:
    """The tools of the server that a command starts."""
    async with Mcp() as mcp:
        mcp.handler.environ = {**os.environ, **more}
        where = {"url": None, "mcp_command": command[0], "mcp_args": command[1:], "mcp_env": more}
        return await mcp.pool.with_session("mcp", mcp.session_call("", **where), mcp.handler.list_tools)


def stripped(schema: Any, is_schema: bool = True) -> Any:
    """A schema without its descriptions, titles and examples; names of properties stay whatever they are."""
    if isinstance(schema, list):
        return [stripped(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if not is_schema:
        return {name: stripped(one) for name, one in schema.items()}
    kept = {}
    for word, value in schema.items():
        if word in ("description", "title", "examples", "example", "$comment", "markdownDescription"):
            continue
        named = word in ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
        kept[word] = value if word in ("enum", "const", "default") else stripped(value, not named)
    return kept


def line(registry: str, package: str) -> str:
    """What the file says of a package. Raises what went wrong."""
    command, version = (npm if registry == "npm" else pypi)(package)
    arguments, more = (NPM if registry == "npm" else PYPI)[package]
    found = asyncio.run(asyncio.wait_for(listed([*command, *arguments], more), 120))
    tools = {tool["name"]: stripped(tool["inputSchema"]) for tool in found}
    said = {"registry": registry, "package": package, "version": version, "tools": tools}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write the file again with --write. A server that does not start is named and left out."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for registry, packages in (("npm", NPM), ("pypi", PYPI)):
            for package in packages:
                try:
                    made = line(registry, package)
                except Exception as error:
                    print(f"left out {package}: {type(error).__name__}: {str(error)[:200]}", flush=True)
                    continue
                lines.append(made)
                print(f"{package}: {len(json.loads(made)['tools'])} tools, {len(made)} bytes", flush=True)
        os.chdir("/")
    print(f"{len(lines)} servers, {sum(len(json.loads(one)['tools']) for one in lines)} tools")
    if "--write" in sys.argv:
        FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
