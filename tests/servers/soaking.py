"""The faulty server as a process of its own, for soaks: a share of the tool calls goes wrong, at random.

`soaking.py PORT SHARE SEED FILE`: each executed call appends its number as a line to FILE before it is answered, in
one write, so that the count survives a kill; each call of the tool `own` also appends its session and its run to
FILE.own. The tool `long` is a task. Prints its URL; at SIGTERM, what it still holds (sessions, connections) as JSON on
stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import deque
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.servers.faulty import Faulty, Out, Request, error

TASKS = 2_000


class Numbers:
    """Looks like the list of executed calls to the faulty server; keeps them in a file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(self, number: Any) -> None:
        os.write(self._file, f"{number}\n".encode())


class Soaking(Faulty):
    """share: of the tool calls that go wrong."""

    def __init__(self, share: float, seed: int, path: str) -> None:
        super().__init__(sse=True)
        self.executed = Numbers(path)  # type: ignore[assignment]
        self.own = Numbers(path + ".own")
        self.features = {"tools": {}, "tasks": {"requests": {"tools": {"call": {}}}}}
        schema = {"type": "object"}
        self.tools = [
            {"name": "echo", "inputSchema": schema},
            {"name": "own", "inputSchema": schema},
            {"name": "long", "inputSchema": schema, "execution": {"taskSupport": "required"}},
        ]
        self.requests = deque(maxlen=10)  # type: ignore[assignment]
        self.share = share
        self.rng = random.Random(seed)
        self.opened = seed * 1_000_000  # session ids of another life are never valid again

    async def correct(self, request: Request, out: Out) -> None:
        session = request.headers.get("mcp-session-id", "")
        if request.method == "tools/call" and request.params["name"] == "own" and session in self.live:
            self.own.append(f"{session} {request.params['arguments']['run']}")
        if request.method == "tasks/get":
            self._proceed(request.params["taskId"])
        if request.method.startswith("tasks/") and self.rng.random() < self.share:
            out.reset()
            return
        if request.method != "tools/call" or self.rng.random() >= self.share:
            self.sse = self.rng.random() < 0.5
            await super().correct(request, out)
            return
        kind = self.rng.randrange(6)
        if kind == 0:  # breaks before anything is done
            out.reset()
        elif kind == 1:  # breaks when all is done
            if request.headers.get("mcp-session-id") in self.live:
                self.executed.append(request.params["arguments"]["n"])
            out.reset()
        elif kind == 2:
            await out.reply(429, Retry_After="0")
        elif kind == 3:
            self.live.discard(request.headers.get("mcp-session-id", ""))
            await out.json(error(None, -32001, "Session not found"), 404)
        elif kind == 4:
            await out.reply(500)
        else:  # breaks in the middle of the answer
            if request.headers.get("mcp-session-id") in self.live:
                self.executed.append(request.params["arguments"]["n"])
            await out.stream()
            await out.chunk(b"data: {")
            out.reset()

    def _proceed(self, name: str) -> None:
        """Half of the tasks that are asked about are done by then; only the latest are kept."""
        if name in self.tasks and self.rng.random() < 0.5:
            self.tasks[name] = ("completed", self.tasks[name][1])
        while len(self.tasks) > TASKS:
            del self.tasks[next(iter(self.tasks))]


async def main() -> None:
    port, share, seed, path = sys.argv[1:5]
    server = Soaking(float(share), int(seed), path)
    await server.listen(int(port))
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    print(server.url, flush=True)
    await end.wait()
    print(json.dumps({"sessions": len(server.live), "connections": len(server._open)}), file=sys.stderr, flush=True)
    await server.shut()


if __name__ == "__main__":
    asyncio.run(main())
