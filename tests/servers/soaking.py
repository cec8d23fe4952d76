"""The faulty server as a process of its own, for soaks: a share of the tool calls goes wrong, at random.

`soaking.py PORT SHARE SEED FILE`: each executed call appends its number as a line to FILE before it is answered, in
one write, so that the count survives a kill. Prints its URL; at SIGTERM, what it still holds (sessions, connections) as
JSON on stderr.
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


class Numbers:
    """Looks like the list of executed calls to the faulty server; keeps them in a file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(self, number: Any) -> None:
        os.write(self._file, b"%d\n" % number)


class Soaking(Faulty):
    """share: of the tool calls that go wrong."""

    def __init__(self, share: float, seed: int, path: str) -> None:
        super().__init__(sse=True)
        self.executed = Numbers(path)  # type: ignore[assignment]
        self.requests = deque(maxlen=10)  # type: ignore[assignment]
        self.share = share
        self.rng = random.Random(seed)
        self.opened = seed * 1_000_000  # session ids of another life are never valid again

    async def correct(self, request: Request, out: Out) -> None:
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
