"""Long calls as tasks (2025-11-25): one task a call, whatever breaks, also our own process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request
from tests.servers.running import ROOT
from tests.sessions.mcp_support import Mcp, run, status, with_server

FEATURES = {"tools": {}, "tasks": {"requests": {"tools": {"call": {}}}, "cancel": {}}}


def tool(support: str | None) -> list[dict[str, Any]]:
    execution = {} if support is None else {"execution": {"taskSupport": support}}
    return [{"name": "echo", "inputSchema": {"type": "object"}, **execution}]


async def finish(server: Faulty, polls: int = 2, state: str = "completed", value: Any = None) -> None:
    """Let the only task end after so many questions."""
    while server.count("tasks/get") < polls:
        await asyncio.sleep(0.002)
    (name,) = server.tasks
    server.tasks[name] = (state, value or server.tasks[name][1])


def with_tasks(test: Any, support: str | None = "required", **options: Any) -> None:
    async def go(server: Faulty, mcp: Mcp) -> None:
        server.features, server.tools = FEATURES, tool(support)
        await test(server, mcp)

    with_server(go, **options)


def test_a_tool_that_requires_a_task_is_called_as_one() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        heard: list[Any] = []
        end = asyncio.create_task(finish(server))
        assert await mcp.call("echo", {"n": 1}, progress=lambda *seen: heard.append(seen)) == {"n": 1}
        await end
        assert heard == [(0, None, "t1 is working")]
        assert server.executed == [1]
        assert server.count("tasks/result") == 1

    with_tasks(test)


def test_the_id_is_remembered_before_anybody_asks_for_the_result() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        notes: list[tuple[str, int]] = []

        async def remember(text: str) -> None:
            notes.append((text, server.count("tasks/get")))

        end = asyncio.create_task(finish(server))
        assert await mcp.call("echo", {"n": 1}, remember=remember) == {"n": 1}
        await end
        assert [(json.loads(text), polls) for text, polls in notes] == [({"task": "t1"}, 0)]
        assert await mcp.call("echo", {"n": 1}, remembered=notes[0][0]) == {"n": 1}, "taken up again"
        assert server.executed == [1]

    with_tasks(test, "optional")


@pytest.mark.parametrize("support", ["optional", "forbidden", None])
def test_a_call_that_nobody_will_take_up_again_is_no_task_unless_it_has_to_be(support: str | None) -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        assert server.tasks == {}

    with_tasks(test, support)


def test_a_broken_connection_or_a_forgotten_session_begins_no_second_task() -> None:
    async def breaks(server: Faulty, request: Request, out: Out) -> None:
        out.reset()

    async def forgets(server: Faulty, request: Request, out: Out) -> None:
        server.live.clear()
        await out.json({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Session not found"}}, 404)

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tasks/get", breaks, status(503), forgets)
        end = asyncio.create_task(finish(server, 5))
        assert await mcp.call("echo", {"n": 1}) == {"n": 1}
        await end
        assert server.executed == [1]
        assert server.opened == 2

    with_tasks(test, limits={"attempts": 6})


def test_a_task_that_cannot_be_asked_about_any_more_is_not_said_to_be_undone() -> None:
    async def breaks(server: Faulty, request: Request, out: Out) -> None:
        out.reset()

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.next("tasks/get", *[breaks] * 9)
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1})
        assert caught.value.code == "session/outcome-unknown"
        assert "has begun as a task" in caught.value.message
        assert server.executed == [1]

    with_tasks(test, limits={"attempts": 3})


def test_a_task_that_failed_was_cancelled_or_is_forgotten_is_told_as_such() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        for state, value, code, words in (
            (
                "failed",
                {"isError": True, "content": [{"type": "text", "text": "no fuel"}]},
                "capability/failed",
                "fuel",
            ),
            ("cancelled", None, "capability/failed", "cancelled"),
        ):
            server.tasks.clear()
            server.requests.clear()
            end = asyncio.create_task(finish(server, 1, state, value))
            with pytest.raises(HostError) as caught:
                await mcp.call("echo", {"n": 1})
            await end
            assert caught.value.code == code
            assert words in caught.value.message
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, remembered=json.dumps({"task": "t99"}))
        assert caught.value.code == "session/outcome-unknown"

    with_tasks(test)


def test_a_task_is_cancelled_when_its_time_is_up_and_has_no_limit_of_the_pools() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        await mcp.pool.get_or_create_session("mcp", mcp.session_call("echo"))
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, deadline=time.monotonic() + 2)
        assert caught.value.code == "session/timeout"
        while server.count("tasks/cancel") == 0:
            await asyncio.sleep(0.002)
        server.tasks.clear()
        server.requests.clear()
        end = asyncio.create_task(finish(server, 40))
        assert await mcp.call("echo", {"n": 2}) == {"n": 2}, "longer than pool.call_seconds"
        await end

    with_tasks(test, limits={"call_seconds": 2.0})


def test_a_long_call_survives_the_end_of_our_process(tmp_path: Path) -> None:
    async def body() -> None:
        async with Faulty() as server:
            server.features, server.tools = FEATURES, tool("optional")
            declaration = tmp_path / "echo.rtfs"
            where = f':server_url "{server.url}" :tool_name "echo" :requires_session "auto"'
            declaration.write_text(f'(capability "mcp.t.echo" :metadata {{:mcp {{{where}}}}})')
            options = ["--load", str(declaration), "--allow", "mcp.t.*"]
            environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}

            async def command(*words: str) -> asyncio.subprocess.Process:
                pipe = asyncio.subprocess.PIPE
                return await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "rtfs", *words, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe
                )

            first = await command(
                "run", "--durable", "--run-id", "long", *options, "-e", '(:n (call "mcp.t.echo" {:n 7}))'
            )
            while server.count("tasks/get") < 2:
                assert first.returncode is None, (await first.communicate())[1]
                await asyncio.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            await first.wait()
            server.tasks["t1"] = ("completed", server.tasks["t1"][1])
            second = await command("resume", "long")
            out, err = await second.communicate()
            assert (out, second.returncode) == (b"7\n", 0), err
            assert server.executed == [7], "begun once"
            assert list(server.tasks) == ["t1"]

    run(body(), 60)
