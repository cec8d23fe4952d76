"""Clients that send rubbish, are too many, change their mind, or go away: nothing hangs, nothing else ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.serve.clients import environment, served, told

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rtfs", "mcp", "serve", *arguments],
        cwd=folder, env=environment(folder), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def send(process: subprocess.Popen[str], *lines: Any) -> None:
    assert process.stdin is not None
    for line in lines:
        process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    process.stdin.flush()


def request(number: int, plan: str) -> dict[str, Any]:
    params = {"name": "run_plan", "arguments": {"plan": plan}}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def answer(process: subprocess.Popen[str], number: int) -> dict[str, Any]:
    assert process.stdout is not None
    while True:
        message = json.loads(process.stdout.readline())
        if message.get("id") == number:
            return message


def test_rubbish_between_messages_ends_nothing(tmp_path: Path) -> None:
    process = started(tmp_path)
    send(process, HELLO)
    answer(process, 1)
    send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    send(process, "{", "[]", '{"jsonrpc": "2.0"}', "null", '"\\ud800"', "{" * 100_000, "\x00\x01")
    send(process, request(2, "(+ 1 1)"))
    assert answer(process, 2)["result"]["structuredContent"]["value"] == 2
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_hundred_callers_at_once_get_their_own_answers(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as client:
            plans = [f'(kv/put "k{n}" {n}) (reduce + (range {n})) (kv/get "k{n}")' for n in range(100)]
            found = await asyncio.gather(*(told(client, "run_plan", plan=plan) for plan in plans))
            assert [data["value"] for data in found] == list(range(100))
            assert len({data["run"] for data in found}) == 100

    asyncio.run(main())


def test_a_slow_plan_does_not_stop_others_and_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, "--ledger", "ledger.db") as client:
            slow = asyncio.create_task(told(client, "run_plan", plan='(kv/put "on" 1) (loop [n 0] (recur (inc n)))'))
            for _ in range(200):
                if (await told(client, "run_plan", plan='(kv/get "on")'))["value"] == 1:
                    break
                await asyncio.sleep(0.02)
            assert (await told(client, "run_plan", plan="(reduce + (range 10))"))["value"] == 45
            slow.cancel()
            await asyncio.wait([slow])
            assert (await told(client, "run_plan", plan="(+ 1 2)"))["value"] == 3

    asyncio.run(main())
    found = subprocess.run(
        [sys.executable, "-m", "rtfs", "audit", "show", "ledger.db"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "cancelled" in found.stdout


def test_the_server_ends_when_its_client_is_gone_in_the_middle_of_a_call(tmp_path: Path) -> None:
    process = started(tmp_path)
    send(process, HELLO)
    answer(process, 1)
    send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"}, request(2, "(loop [] (recur))"))
    time.sleep(0.5)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_run_has_a_time_limit(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path, "--timeout", "0.5") as client:
            data = await told(client, "run_plan", plan='(kv/put "a" 1) (loop [] (recur))')
            assert (data["status"], data["error"]["code"]) == ("failed", "limit/time")
            assert data["calls"][0]["outcome"] == "done"

    asyncio.run(main())
