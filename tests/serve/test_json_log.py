"""`rtfs mcp serve --log-format json`: every line of standard error is an object."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.serve.clients import environment, served, told


def test_events_and_warnings_are_objects_a_line_without_values(tmp_path: Path) -> None:
    (tmp_path / "rtfs.yaml").write_text("allow: []\n")  # no person said yes to it

    async def main() -> None:
        async with served(tmp_path, "--code", "--log-format", "json") as client:
            assert (await told(client, "run_plan", plan='(kv/put "n" "hidden")'))["status"] == "done"
            assert (await told(client, "run_plan", plan='(read-file "x")'))["status"] == "denied"

    asyncio.run(main())
    text = (tmp_path / "errors.txt").read_text(encoding="utf-8")
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert all(line["time"].endswith("+00:00") and line["level"] and line["message"] for line in lines)
    assert [line for line in lines if line["level"] == "warning" and "rtfs.yaml" in line["message"]]
    kinds = [line.get("kind") for line in lines]
    assert [kinds.count(kind) for kind in ("run", "end", "decision", "outcome")] == [2, 2, 2, 1]
    (outcome,) = [line for line in lines if line.get("kind") == "outcome"]
    assert outcome["duration"] > 0
    assert outcome["detail"] == "ok"
    assert "hidden" not in text


def test_the_address_is_told_in_json_too(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--http", "127.0.0.1:0", "--log-format", "json"],
        cwd=tmp_path, env=environment(tmp_path), text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        line = json.loads(process.stderr.readline())
    finally:
        process.terminate()
        rest = process.communicate(timeout=30)[1]
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+/mcp", line["message"])
    assert all(json.loads(more)["level"] for more in rest.splitlines())
