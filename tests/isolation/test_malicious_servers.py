"""What servers answer that mean harm reaches a plan in a worker as it reaches one in this process, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import rtfs
from tests.servers.faulty import Faulty, Out, Request, result
from tests.sessions.mcp_support import body, status


def structured(value: Any) -> Any:
    """A fault: an answer with this value."""

    async def fault(server: Faulty, request: Request, out: Out) -> None:
        await out.json(result(request, value))

    return fault


async def reset(server: Faulty, request: Request, out: Out) -> None:
    out.reset()


async def endless(server: Faulty, request: Request, out: Out) -> None:
    await out.stream()
    for _ in range(200):
        await out.chunk(b": " + b"x" * 65_536 + b"\n")
    await out.end()


async def other_ids(server: Faulty, request: Request, out: Out) -> None:
    await out.stream()
    await out.event({"jsonrpc": "2.0", "id": 99, "result": {"content": []}})
    await out.end()


ANSWERS: dict[str, Any] = {
    "cut": body(b'{"jsonrpc":'),
    "not utf-8": body(b"\xff\xfe{}"),
    "nan": body(b'{"jsonrpc":"2.0","id":3,"result":NaN}'),
    "deep": body(b"[" * 100_000),
    "digits": body(b'{"jsonrpc":"2.0","id":3,"result":' + b"9" * 5000 + b"}"),
    "empty": body(b""),
    "html": body(b"<html>", "text/html"),
    "controls": status(403, b"\x1b]0;owned\x07\x1b[31mred\r\nline", "text/plain"),
    "redirect": status(302, b"", None, Location="http://169.254.169.254/"),
    "reset": reset,
    "endless": endless,
    "other ids": other_ids,
    "a function as text": structured({"content": [], "structuredContent": {"f": "#<function f>", "~": ["f", 1]}}),
    "wire words": structured({"content": [], "structuredContent": {"steps": [["m", 1], ["k", "x"], ["f", 0]]}}),
    "surrogates": body(b'{"jsonrpc":"2.0","id":3,"result":{"content":[],"structuredContent":{"a":"\\ud800"}}}'),
    "a large value": structured({"content": [], "structuredContent": {"a": ["x" * 1000] * 2000}}),
    "a text of code": structured({"content": [{"type": "text", "text": '(call "t.echo" {:n 5}) #_ "'}]}),
}


async def outcome(answer: Any, isolation: str | None) -> tuple[str, str]:
    """How a plan ends whose server gives an answer, and one after it whose server does not."""
    async with Faulty() as server:
        metadata = {"mcp_server_url": server.url, "mcp_tool_name": "echo", "mcp_requires_session": "auto"}
        words = " ".join(f":{key} {json.dumps(value)}" for key, value in metadata.items())
        port = server.url.split(":")[2].split("/")[0]
        async with rtfs.Runtime(["t.*", "net:127.0.0.1"], isolation=isolation) as runtime:
            plan = f'(capability "t.echo" :metadata {{{words}}}) (call "t.echo" {{:n 1}})'
            server.next("tools/call", answer)
            try:
                first = rtfs.to_text(await runtime.arun(plan, timeout=120))
            except rtfs.UserError as error:
                first = f"{error.code} {error.message}"
            second = rtfs.to_text(await runtime.arun(plan, timeout=120))
    return first.replace(port, "PORT"), second


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_means_harm_reaches_a_worker_as_it_reaches_this_process(name: str) -> None:
    apart = asyncio.run(outcome(ANSWERS[name], "process"))
    assert apart == asyncio.run(outcome(ANSWERS[name], None))
    assert apart[1] == "{:n 1}"
    assert not apart[0].startswith("run/crashed")
