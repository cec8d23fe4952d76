"""A light, correct MCP server for benchmarks: raw HTTP on loopback, sessions, one tool `echo`; `--json` or `--sse`.

It costs as little as an asyncio server in Python can, so that a client is what is measured. Prints its URL.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
from typing import Any

SSE = "--sse" in sys.argv
_ids = itertools.count(1)


class Connection(asyncio.Protocol):
    """One connection; requests come whole or in pieces."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.answer(head[:4], json.loads(rest[:length]) if length else {})

    def answer(self, verb: bytes, message: dict[str, Any]) -> None:
        method, extra = message.get("method"), b""
        if verb == b"GET ":
            self.transport.write(b"HTTP/1.1 405 X\r\nContent-Length: 0\r\n\r\n")
            return
        if verb == b"DELE":
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        if "id" not in message:
            self.transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        params = message.get("params") or {}
        if method == "initialize":
            extra = b"Mcp-Session-Id: s%d\r\n" % next(_ids)
            answer["result"] = {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "light", "version": "1"},
            }
        elif method == "tools/call":
            answer["result"] = {"content": [{"type": "text", "text": json.dumps(params["arguments"])}]}
        elif method == "tools/list":
            answer["result"] = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        body = json.dumps(answer).encode()
        if SSE:
            event = b"event: message\ndata: " + body + b"\n\n"
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            self.transport.write(head + extra + b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(event), event))
        else:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
            self.transport.write(head + extra + b"\r\n" + body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp", flush=True)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
