"""Search over capabilities against plain BM25, on tools of real servers: recall at 5 of queries written beforehand.

The servers are packages of npm, started without an account to list their tools. `search_queries.txt` was written before
any of their lists was looked at, from what the servers are for; a query whose tools a server does not have (any more)
is left out, and counted. Plain BM25 is k1 1.2, b 0.75 over the words of name, description and argument names.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.catalogue import listed
from benchmarks.measure import Row
from rtfs.serve.search import Document, Index

GROUP = "search"
QUERIES = Path(__file__).with_name("search_queries.txt")
TOP = 5
SERVERS: dict[str, tuple[str, list[str]]] = {
    "github": ("@modelcontextprotocol/server-github", []),
    "gitlab": ("@modelcontextprotocol/server-gitlab", []),
    "slack": ("@modelcontextprotocol/server-slack", []),
    "maps": ("@modelcontextprotocol/server-google-maps", []),
    "notion": ("@notionhq/notion-mcp-server", []),
    "playwright": ("@playwright/mcp", []),
    "devtools": ("chrome-devtools-mcp", []),
    "kubernetes": ("mcp-server-kubernetes", []),
    "firecrawl": ("firecrawl-mcp", []),
    "circleci": ("@circleci/mcp-server-circleci", []),
    "commander": ("@wonderwhy-er/desktop-commander", []),
    "mongodb": ("mongodb-mcp-server", []),
    "filesystem": ("@modelcontextprotocol/server-filesystem", ["/tmp"]),
    "memory": ("@modelcontextprotocol/server-memory", []),
}
"""name → package, arguments."""
TOKENS = {
    "GITHUB_PERSONAL_ACCESS_TOKEN": "x", "GITLAB_PERSONAL_ACCESS_TOKEN": "x", "SLACK_BOT_TOKEN": "x",
    "SLACK_TEAM_ID": "x", "GOOGLE_MAPS_API_KEY": "x", "NOTION_TOKEN": "x", "FIRECRAWL_API_KEY": "x",
    "CIRCLECI_TOKEN": "x", "MDB_MCP_TELEMETRY": "disabled", "DISABLE_TELEMETRY": "1",
}  # fmt: skip
"""Without one some do not start; none is used to list tools."""


def folder() -> Path:
    """Where the servers are installed."""
    from tests_full.environments import FOLDER

    made = FOLDER / "search"
    if not (made / "package.json").exists():
        made.mkdir(parents=True, exist_ok=True)
        (made / "package.json").write_text('{"private": true}', encoding="utf-8")
    missing = [package for package, _ in SERVERS.values() if not (made / "node_modules" / package).exists()]
    if missing:
        quiet = ("--no-audit", "--no-fund", "--silent", "--ignore-scripts")
        subprocess.run(["npm", "install", *quiet, *missing], cwd=made, check=True)
    return made


def tools() -> dict[str, list[dict[str, Any]]]:
    """The tools of each server that starts."""
    os.environ.update(TOKENS)
    made, found = folder(), {}
    for name, (package, arguments) in SERVERS.items():
        described = json.loads((made / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
        programs = described["bin"]
        program = programs if isinstance(programs, str) else next(iter(programs.values()))
        path = str(made / "node_modules" / package / program)
        try:
            found[name] = asyncio.run(asyncio.wait_for(listed("node", [path, *arguments]), 60))
        except Exception as error:
            print(f"search: {name} gives no list: {type(error).__name__}", flush=True)
    return found


def documents(found: dict[str, list[dict[str, Any]]]) -> list[Document]:
    """The tools as capabilities are looked for."""
    return [
        Document(
            f"mcp.{server}.{tool['name']}", tool["name"], tool["description"] or "",
            tool["input_schema"].get("properties", {}),
        )
        for server, listing in found.items()
        for tool in listing
    ]  # fmt: skip


class Plain:
    """BM25 over all words of a tool."""

    def __init__(self, documents: list[Document]) -> None:
        self._keys = [one.key for one in documents]
        self._words = [
            Counter(_words(f"{one.key} {one.name} {one.description} {' '.join(one.arguments)}")) for one in documents
        ]
        self._average = sum(sum(words.values()) for words in self._words) / len(documents)
        self._in = Counter(word for words in self._words for word in words)

    def search(self, query: str) -> list[str]:
        """The keys of the documents that have any word of the query, the best first."""
        scores = {key: self._score(words, query) for key, words in zip(self._keys, self._words, strict=True)}
        return sorted((key for key, score in scores.items() if score > 0), key=lambda key: -scores[key])

    def _score(self, words: Counter[str], query: str) -> float:
        length, total = sum(words.values()), 0.0
        for word in _words(query):
            often, among = words[word], self._in[word]
            rarity = math.log(1 + (len(self._keys) - among + 0.5) / (among + 0.5))
            total += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length / self._average))
        return total


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def run() -> Iterator[Row]:
    """Recall at 5 of both."""
    found = documents(tools())
    keys = {one.key for one in found}
    asked = [line.split(" | ") for line in QUERIES.read_text(encoding="utf-8").splitlines() if line.strip()]
    queries = [(query, {f"mcp.{one.strip()}" for one in wanted.split(",")} & keys) for query, wanted in asked]
    queries = [(query, wanted) for query, wanted in queries if wanted]
    engines = {"rtfs search": Index(found), "plain BM25": Plain(found)}
    print(f"{len(found)} tools of {len({key.split('.')[1] for key in keys})} servers; {len(queries)} queries, "
          f"{len(asked) - len(queries)} left out")  # fmt: skip
    for name, engine in engines.items():
        ranked = [(query, wanted, engine.search(query)[:TOP]) for query, wanted in queries]
        recall = sum(len(wanted & set(top)) / len(wanted) for _, wanted, top in ranked) / len(queries)
        hits = sum(bool(wanted & set(top)) for _, wanted, top in ranked)
        print(f"{name}: recall@{TOP} {recall:.2f}, found at all {hits} of {len(queries)}")
        yield Row(GROUP, f"{name}, recall at {TOP}", round(recall, 3), "")


if __name__ == "__main__":
    list(run())
