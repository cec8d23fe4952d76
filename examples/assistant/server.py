"""Two small MCP servers of the official SDK, over stdin and stdout: `python server.py tracker`, or `notebook`."""

from __future__ import annotations

import sys
from typing import Any

from mcp.server.mcpserver import MCPServer

tracker = MCPServer("tracker", log_level="ERROR")
notebook = MCPServer("notebook", log_level="ERROR")
ISSUES: list[dict[str, Any]] = [
    {"number": number, "title": f"Issue {number}", "hours": number % 7, "state": "open" if number % 3 else "closed"}
    for number in range(1, 301)
]
PAGES: dict[str, str] = {}


@tracker.tool()
def list_issues(state: str = "all") -> dict[str, list[dict[str, Any]]]:
    """The issues of the project, with the hours they took."""
    return {"issues": [issue for issue in ISSUES if state in ("all", issue["state"])]}


@tracker.tool()
def close_issue(number: int) -> dict[str, Any]:
    """Close an issue."""
    ISSUES[number - 1]["state"] = "closed"
    return ISSUES[number - 1]


@notebook.tool()
def write_page(title: str, text: str) -> dict[str, int]:
    """Write a page of the notebook."""
    PAGES[title] = text
    return {"pages": len(PAGES)}


@notebook.tool()
def delete_page(title: str) -> dict[str, int]:
    """Delete a page of the notebook."""
    PAGES.pop(title, None)
    return {"pages": len(PAGES)}


if __name__ == "__main__":
    {"tracker": tracker, "notebook": notebook}[sys.argv[1]].run("stdio")
