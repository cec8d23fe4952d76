"""Code mode over stdio, with the official client: models find, describe and call capabilities in plans they write."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from tests.serve.clients import ERAS, ROOT, said, served, told

TOOLS = ["search", "describe", "run_plan", "resume", "status", "result"]


@pytest.mark.parametrize("era", ERAS)
def test_a_plan_runs_and_tells_value_calls_output_and_run(tmp_path: Path, era: str) -> None:
    async def main() -> None:
        async with served(tmp_path, mode=era) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
            plan = '(kv/put "n" 41) (println "counted") {:n (inc (kv/get "n")) :who @who}'
            result = await client.call_tool("run_plan", {"plan": plan, "args": {"who": "Ann"}})
            data = result.structured_content
            assert (data["status"], data["value"]) == ("done", {"n": 42, "who": "Ann"})
            assert [call["outcome"] for call in data["calls"]] == ["done"] * 3
            assert data["output"] == "counted\n"
            assert json.loads(result.content[0].text) == data["value"]
            assert not result.is_error

    asyncio.run(main())


def test_what_is_provably_wrong_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            result = await client.call_tool("run_plan", {"plan": '(kv/put "n" 1) (upper 5) (prinln 1)'})
            data = result.structured_content
            assert result.is_error
            assert data["status"] == "refused"
            assert data["error"]["line"] == 1
            assert "^" in data["error"]["report"]
            assert [error["code"] for error in data["further_errors"]] == ["undefined"]
            assert (await told(client, "run_plan", plan='(kv/get "n")'))["value"] is None

    asyncio.run(main())


def test_an_error_comes_with_the_calls_that_were_made(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            data = await told(client, "run_plan", plan='(kv/put "n" 1) (/ (kv/get "n") 0)')
            assert (data["status"], data["error"]["code"]) == ("failed", "arithmetic/div-by-zero")
            assert [(call["id"], call["outcome"]) for call in data["calls"]] == [
                ("ccos.state.kv.put", "done"),
                ("ccos.state.kv.get", "done"),
            ]
            data = await told(client, "run_plan", plan='(read-file (str "/etc" "/hosts"))')
            assert (data["status"], data["calls"][0]["outcome"]) == ("denied", "denied")

    asyncio.run(main())


def test_a_plan_is_checked_without_being_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            data = await told(client, "run_plan", plan='(kv/put "n" 1) (read-file "/etc/hosts")', check_only=True)
            assert data["status"] == "checked"
            assert [call["decision"] for call in data["calls"]] == ["allow", "deny"]
            assert (await told(client, "run_plan", plan='(kv/get "n")'))["value"] is None

    asyncio.run(main())


def test_a_large_result_is_cut_and_read_in_parts_and_by_later_plans(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            plan = '{:total 3 :rows (mapv (fn [i] {:id i :text (join "" (repeat 400 "x"))}) (range 500))}'
            data = await told(client, "run_plan", plan=plan)
            assert data["value"]["total"] == 3
            assert data["value"]["rows"][0]["id"] == 0
            assert len(json.dumps(data)) < 30_000
            assert data["cut"][0]["path"] == "rows"
            assert data["cut"][0]["of"] == 500
            handle = data["handle"]
            assert (await told(client, "result", handle=handle, path="rows.499.id"))["value"] == 499
            assert len((await told(client, "result", handle=handle, path="rows.7.text"))["value"]) == 400
            wrong = await told(client, "result", handle=handle, path="rows.999")
            assert (wrong["error"]["code"], "0 to 499" in wrong["error"]["message"]) == ("serve/no-result", True)
            assert (await told(client, "result", handle="r99"))["error"]["code"] == "serve/no-result"
            later = await told(client, "run_plan", plan=f"(reduce + (map :id (:rows @{handle})))")
            assert later["value"] == sum(range(500))

    asyncio.run(main())


def test_search_finds_and_describes_only_what_the_policy_allows(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text(
        """(capability "shop.list_orders" :description "All orders of a customer" :implementation (fn [i] [])
             :input-schema [:map [:customer :string] [:limit :int ?]] :output-schema [:vector [:map [:id :int]]])
           (capability "shop.cancel_order" :description "Cancel an order" :implementation (fn [i] true)
             :input-schema {:id :int})
           (capability "shop.delete_customer" :description "Delete a customer with all orders"
             :implementation (fn [i] true) :input-schema {:customer :string})"""
    )
    (tmp_path / "rtfs.yaml").write_text(
        """load: [caps.rtfs]
policy:
  rules:
    - {match: shop.cancel_order, decide: approve}
    - {match: shop.delete_*, decide: deny}
"""
    )

    async def main() -> None:
        async with served(tmp_path, "--config", "rtfs.yaml") as client:
            found = await said(client, "search", query="orders of a customer", limit=2)
            assert found.splitlines()[0] == "shop.list_orders: All orders of a customer"
            assert "shop.cancel_order: Cancel an order [asks a person]" in found
            assert re.search(r"2 of 3 that fit, of \d+", found)
            assert "delete_customer" not in await said(client, "search", query="delete customer")
            described = await said(client, "describe", ids=["shop.list_orders", "shop.delete_customer"])
            assert (
                '(call "shop.list_orders" {:customer :string :limit? :int}) → [:vector [:map [:id :int]]]' in described
            )
            assert "shop.delete_customer: there is no such capability" in described
            assert '(call "shop.list_orders" {:customer "…"})' in described

    asyncio.run(main())


def test_the_tools_of_servers_are_found_and_called(tmp_path: Path) -> None:
    sdk = [str(ROOT / "tests" / "servers" / "sdk_server.py"), "--stdio"]
    servers = {
        "every": {"command": sys.executable, "args": sdk},
        "gone": {"command": "/no/such/program"},
        "unasked": {"command": "/not/asked"},
    }
    (tmp_path / "servers.json").write_text(json.dumps({"mcpServers": servers}))

    async def main() -> None:
        grants = ("--allow", "mcp.every.*", "--allow", f"exec:{sys.executable}", "--allow", "mcp.gone.*")
        async with served(tmp_path, "--mcp-config", "servers.json", *grants) as client:
            found = await said(client, "search", query="two numbers")
            assert "mcp.every.add: Two numbers." in found
            assert "gone: not asked for its tools" in found
            assert "unasked" not in found
            described = await said(client, "describe", ids=["mcp.every.add"])
            assert '(call "mcp.every.add" {:a :int :b :int})' in described
            plan = '(reduce + (pmap (fn [n] (:sum (call "mcp.every.add" {:a n :b 1}))) [1 2 3]))'
            data = await told(client, "run_plan", plan=plan)
            assert (data["status"], data["value"], len(data["calls"])) == ("done", 9, 3)
            result = await client.call_tool("run_plan", {"plan": '(call "mcp.every.chart" {})'})
            assert [block.type for block in result.content] == ["text", "image", "resource_link"]

    asyncio.run(main())


def test_arguments_that_a_tool_does_not_take_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            for name, wrong in (("run_plan", {"pln": "1"}), ("search", {"query": 5}), ("describe", {"ids": "a"})):
                result = await client.call_tool(name, wrong)
                assert result.is_error
                assert result.structured_content["error"]["code"] == "serve/arguments"
                assert "it takes {" in result.structured_content["error"]["hint"]
            assert (await told(client, "run_plan", plan="1" * 300_000))["error"]["code"] == "serve/arguments"
            assert (await told(client, "status", run="0123"))["error"]["code"] == "run/unknown"
            with pytest.raises(MCPError, match="there is no tool 'nothing'"):
                await client.call_tool("nothing", {})

    asyncio.run(main())


def test_the_card_is_a_resource_and_the_catalogue_is_small(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            assert [str(one.uri) for one in (await client.list_resources()).resources] == ["rtfs://card"]
            card = (await client.read_resource("rtfs://card")).contents[0].text
            tools = (await client.list_tools()).tools
            (plan,) = [tool for tool in tools if tool.name == "run_plan"]
            assert len(card.splitlines()) <= 60
            examples = [line.partition(" ;=> ")[0].strip() for line in card.splitlines() if ";=>" in line]
            assert len(examples) > 25
            assert all(" ".join(example.split()) in plan.description for example in examples)
            whole = [[tool.name, tool.description, tool.input_schema] for tool in tools]
            assert len(json.dumps(whole, ensure_ascii=False)) < 4_150, "1,500 tokens: python -m benchmarks catalogue"

    asyncio.run(main())


def test_each_call_is_progress(tmp_path: Path) -> None:
    async def main() -> None:
        heard: list[tuple[float, str | None]] = []

        async def progress(count: float, total: float | None, text: str | None) -> None:
            heard.append((count, text))

        async with served(tmp_path) as client:
            plan = '(kv/put "a" 1) (kv/get "a")'
            await client.call_tool("run_plan", {"plan": plan}, progress_callback=progress)
            for _ in range(100):
                if len(heard) == 2:
                    break
                await asyncio.sleep(0.02)
        assert heard == [(1, "ccos.state.kv.put: done"), (2, "ccos.state.kv.get: done")]

    asyncio.run(main())


def test_flow_rules_know_what_a_model_has_written_and_given(tmp_path: Path) -> None:
    (tmp_path / "rtfs.yaml").write_text("flow:\n  - {call: ccos.io.println, from: [plan, input]}\n", encoding="utf-8")

    async def main() -> None:
        async with served(tmp_path, "--config", "rtfs.yaml") as client:
            for plan in ('(println "text")', "(println @word)"):
                data = await told(client, "run_plan", plan=plan, args={"word": "args"})
                assert (data["status"], data["error"]["code"]) == ("denied", "policy/flow")
                assert "comes from model" in data["error"]["message"]

    asyncio.run(main())
