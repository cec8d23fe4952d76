"""A short soak: many plans at once, faults at random, restarts. No call lost, none done twice, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import time
from typing import Any

from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, error
from tests.sessions.mcp_support import Mcp, run


async def before(server: Faulty, request: Request, out: Out) -> None:
    """Breaks before anything is done."""
    out.reset()


async def after(server: Faulty, request: Request, out: Out) -> None:
    """Breaks when all is done."""
    server.executed.append(request.params["arguments"]["n"])
    out.reset()


async def busy(server: Faulty, request: Request, out: Out) -> None:
    await out.reply(429, Retry_After="0")


async def forgets(server: Faulty, request: Request, out: Out) -> None:
    server.live.clear()
    await out.json(error(None, -32001, "Session not found"), 404)


async def unwell(server: Faulty, request: Request, out: Out) -> None:
    await out.reply(500)


FAULTS = (before, after, busy, forgets, unwell)


def test_under_faults_and_restarts_no_call_is_lost_or_done_twice() -> None:
    rng = random.Random(11)
    calls, plans = 1500, 60

    class Unreliable(Faulty):
        async def correct(self, request: Request, out: Out) -> None:
            if request.method == "tools/call" and rng.random() < 0.05:
                await rng.choice(FAULTS)(self, request, out)
            else:
                await super().correct(request, out)

    async def body() -> None:
        outcomes: dict[int, str] = {}
        numbers = iter(range(calls))
        async with Unreliable(sse=True) as server:
            async with Mcp(server.url) as mcp:

                async def plan(principal: str) -> None:
                    for n in numbers:
                        deadline = time.monotonic() + 20
                        try:
                            found = await mcp.call("echo", {"n": n}, principal=principal, deadline=deadline)
                            assert found == {"n": n}
                            outcomes[n] = "done"
                        except HostError as failure:
                            outcomes[n] = failure.code

                async def restarts() -> None:
                    for _ in range(3):
                        await asyncio.sleep(0.3)
                        port = server.port
                        await server.shut()
                        await server.listen(port)

                await asyncio.gather(restarts(), *(plan(f"p{n % 5}") for n in range(plans)))
                stats = mcp.pool.stats()
                assert stats["in_flight"] == stats["waiting"] == 0
                assert stats["calls"] == calls
            assert len(outcomes) == calls
            done = [n for n, outcome in outcomes.items() if outcome == "done"]
            assert len(set(server.executed)) == len(server.executed), "a call was done twice"
            assert set(done) <= set(server.executed), "a call is told as done and was not"
            allowed = {"done", "session/outcome-unknown", "session/unavailable", "session/expired"}
            assert set(outcomes.values()) <= allowed
            assert len(done) > calls * 0.7
            assert outcomes_without_effect(outcomes, server.executed) == []
            assert server.live == set()
            await asyncio.sleep(0.05)
            assert [task for task in asyncio.all_tasks() if "rtfs" in repr(task.get_coro())] == []

    run(body(), 60)
    gc.collect()


def outcomes_without_effect(outcomes: dict[int, str], executed: list[Any]) -> list[int]:
    """Calls that are told as certainly not done, and were."""
    certain = {"session/unavailable", "session/expired", "session/rate-limited"}
    return [n for n, outcome in outcomes.items() if outcome in certain and n in set(executed)]


def test_importing_the_handlers_loads_no_http_library() -> None:
    code = (
        "import sys; import rtfs.capabilities.sessions.handler; "
        "assert 'asyncio' not in sys.modules; "
        "import rtfs.capabilities.sessions.pool, rtfs.capabilities.sessions.mcp, rtfs.capabilities.sessions.graphql; "
        "print([m for m in ('httpx', 'httptools', 'mcp', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
