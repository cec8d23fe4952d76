"""Plan files as tools: schemas from their types, annotations from their effects, news when a file changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serve.clients import ERAS, environment, served, told

REPORT = """(deftype Level [:enum "low" "high"])
(plan "order report" "Counts what is in the store"
  {:params {:key [:string :doc "which one"], :times [:int :default 2], :level [Level :default "low"]}
   :result [:map [:n :int] [:level Level]]}
  {:n (* times (kv/get key 21)) :level level})
"""
KEEP = """(plan "keep" {:params {:key :string :value :int}} (kv/put key value))"""


@pytest.mark.parametrize("era", ERAS)
def test_a_plan_is_a_tool_with_the_schemas_of_its_types(tmp_path: Path, era: str) -> None:
    (tmp_path / "report.rtfs").write_text(REPORT)
    (tmp_path / "keep.rtfs").write_text(KEEP)

    async def main() -> None:
        async with served(tmp_path, "report.rtfs", "keep.rtfs", mode=era) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(tools) == ["order_report", "keep", "resume", "status", "result"]
            report = tools["order_report"]
            assert report.description == "Counts what is in the store"
            assert report.input_schema["required"] == ["key"]
            assert report.input_schema["properties"]["key"] == {"type": "string", "description": "which one"}
            assert report.input_schema["properties"]["times"]["default"] == 2
            assert report.input_schema["additionalProperties"] is False
            assert report.output_schema is not None
            assert report.output_schema["properties"]["value"]["properties"]["n"] == {"type": "integer"}
            assert report.annotations is not None
            assert tools["keep"].annotations is not None
            assert (report.annotations.read_only_hint, tools["keep"].annotations.read_only_hint) == (True, False)
            assert (await told(client, "keep", key="a", value=4))["value"] == 4
            data = await told(client, "order_report", key="a", level="high")
            assert (data["status"], data["value"]) == ("done", {"n": 8, "level": "high"})

    asyncio.run(main())


def test_parameters_that_are_missing_unknown_or_wrong_are_told(tmp_path: Path) -> None:
    (tmp_path / "keep.rtfs").write_text(KEEP)

    async def main() -> None:
        async with served(tmp_path, "keep.rtfs") as client:
            missing = await told(client, "keep", key="a")
            assert (missing["error"]["code"], "needs value" in missing["error"]["message"]) == ("plan/parameter", True)
            unknown = await told(client, "keep", key="a", value=1, vlue=2)
            assert unknown["error"]["hint"] == "did you mean value?"
            wrong = await told(client, "keep", key="a", value="one")
            assert wrong["error"]["code"] == "type/mismatch"

    asyncio.run(main())


@pytest.mark.parametrize("era", ERAS)
def test_clients_hear_of_a_plan_that_changes(tmp_path: Path, era: str) -> None:
    (tmp_path / "keep.rtfs").write_text(KEEP)

    async def main() -> None:
        news = asyncio.Event()

        async def hear(message: Any) -> None:
            if getattr(message, "method", "") == "notifications/tools/list_changed":
                news.set()

        async with served(tmp_path, "keep.rtfs", mode=era, message_handler=hear) as client:
            assert "keep" in [tool.name for tool in (await client.list_tools()).tools]
            (tmp_path / "keep.rtfs").write_text("(plan broken")
            await asyncio.sleep(1)
            assert (await told(client, "keep", key="a", value=1))["status"] == "done", "its last good version"
            assert "its last good version is served" in (tmp_path / "errors.txt").read_text()
            assert not news.is_set()
            if era == "legacy":
                (tmp_path / "keep.rtfs").write_text(KEEP.replace('"keep"', '"keep more"'))
                await asyncio.wait_for(news.wait(), 30)
            else:
                async with client.listen(tools_list_changed=True) as stream:
                    (tmp_path / "keep.rtfs").write_text(KEEP.replace('"keep"', '"keep more"'))
                    await asyncio.wait_for(anext(aiter(stream)), 30)
            assert "keep_more" in [tool.name for tool in (await client.list_tools()).tools]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(+ 1 1)", "serve/plan"),
        ('(plan "search" 1)', "serve/plan"),
        ('(plan "…" 1)', "serve/plan"),
        ('(plan "a" (upper 5))', "type/mismatch"),
        ("(plan", "reader/unclosed"),
    ],
)
def test_a_file_that_is_no_good_plan_is_refused_at_the_start(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "plan.rtfs").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "rtfs", "mcp", "serve", "--code", "plan.rtfs"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert code in done.stderr
    assert "Traceback" not in done.stderr
