"""An MCP server of our own that misbehaves on request: raw HTTP/1.1 on loopback, in the test's own loop.

By default it is a correct server of the era it is told; `script[method]` is a list of faults for the next requests of a
method (`DELETE` counts as one, `GET` is a stream taken up again, `LISTEN` a new one), each an async function of
(server, request, out) that writes what it likes.
The server counts what a correct server would have done, so that a test can say what happened once, twice or never.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

Fault = Callable[["Faulty", "Request", "Out"], Awaitable[None]]


class Request:
    def __init__(self, verb: str, headers: dict[str, str], body: bytes) -> None:
        self.verb = verb
        self.headers = headers
        self.body = body
        self.message: Any = json.loads(body) if body else {}
        self.method: str = verb if verb != "POST" else self.message.get("method", "reply")
        if verb == "GET" and "last-event-id" not in headers:
            self.method = "LISTEN"
        self.id = self.message.get("id")
        self.params: dict[str, Any] = self.message.get("params") or {}


class Out:
    """One connection's writing side."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.closed = False

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(
        self, status: int, body: bytes = b"", kind: str | None = "application/json", **headers: str
    ) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        if kind:
            lines.append(f"Content-Type: {kind}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def json(self, message: Any, status: int = 200, **headers: str) -> None:
        await self.reply(status, json.dumps(message).encode(), **headers)

    async def stream(self, **headers: str) -> None:
        lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, message: Any, **fields: str) -> None:
        text = "".join(f"{name}: {value}\n" for name, value in fields.items())
        data = "" if message is None else json.dumps(message)
        await self.chunk((text + f"data: {data}\n\n").encode())

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection: RST, not FIN."""
        self.closed = True
        transport = self.writer.transport
        transport.set_write_buffer_limits(0)
        transport.abort()

    def drop(self) -> None:
        """Close the connection."""
        self.closed = True
        self.writer.close()


def result(request: Request, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request.id, "result": value}


def error(request: Request | None, code: int, message: str, data: Any = None) -> dict[str, Any]:
    body: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return {"jsonrpc": "2.0", "id": None if request is None else request.id, "error": body}


class Faulty:
    """era: "handshake", "sessionless" or "both". sse: answer with streams. sessions: give session ids.

    tasks: state and result of each, by id. executed: tool calls by their argument `n`. requests: everything that came.
    live: session ids that are valid.
    """

    def __init__(self, era: str = "handshake", *, sse: bool = False, sessions: bool = True) -> None:
        self.era = era
        self.sse = sse
        self.sessions = sessions
        self.version: str | None = None
        self.features: dict[str, Any] = {"tools": {}}
        self.script: dict[str, list[Fault]] = {}
        self.requests: list[Request] = []
        self.executed: list[Any] = []
        self.live: set[str] = set()
        self.opened = 0
        self.connections = 0
        self.tasks: dict[str, tuple[str, Any]] = {}
        self.tools: list[dict[str, Any]] = [{"name": "echo", "inputSchema": {"type": "object"}}]
        self.url = ""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Faulty:
        await self.listen()
        return self

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    async def shut(self) -> None:
        """Stop listening, break every connection, forget every session."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        self.live.clear()
        await asyncio.sleep(0.01)

    async def __aexit__(self, *caught: object) -> None:
        await self.shut()

    def next(self, method: str, *faults: Fault) -> None:
        self.script.setdefault(method, []).extend(faults)

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        out = Out(writer)
        try:
            while not out.closed:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(first.split(" ")[0], headers, body)
                self.requests.append(request)
                faults = self.script.get(request.method)
                if faults:
                    await faults.pop(0)(self, request, out)
                else:
                    await self.correct(request, out)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def correct(self, request: Request, out: Out) -> None:
        """What a correct server does."""
        if request.headers.get("mcp-protocol-version", "") > "2025-11-25" or request.method == "server/discover":
            await self._sessionless(request, out)
            return
        session = request.headers.get("mcp-session-id")
        if request.method == "initialize":
            if self.era == "sessionless":
                await out.json(error(request, -32022, "Unsupported", {"supported": ["2026-07-28"]}), 400)
                return
            given = {}
            self.opened += 1
            if self.sessions:
                name = f"s{self.opened}"
                self.live.add(name)
                given["Mcp_Session_Id"] = name
            version = self.version or request.params["protocolVersion"]
            answer = {
                "protocolVersion": version,
                "capabilities": self.features,
                "serverInfo": {"name": "faulty", "version": "1"},
            }
            await self.answer(request, out, answer, **given)
            return
        if self.sessions and session not in self.live:
            await out.json(error(None, -32600, "Session not found"), 404)
        elif request.verb == "DELETE":
            self.live.discard(session or "")
            await out.reply(204, kind=None)
        elif request.method == "LISTEN":
            await out.reply(405, kind=None)
        elif request.id is None or request.method == "reply":
            await out.reply(202, kind=None)
        elif request.method == "tools/call":
            self.executed.append(request.params["arguments"].get("n"))
            if "task" in request.params:
                name = f"t{len(self.tasks) + 1}"
                self.tasks[name] = ("working", self.said(request))
                await self.answer(request, out, {"task": {"taskId": name, "status": "working"}})
            else:
                await self.answer(request, out, self.said(request))
        elif request.method.startswith("tasks/"):
            await self._task(request, out)
        elif request.method == "tools/list":
            await self.answer(request, out, {"tools": self.tools})
        else:
            await self.answer(request, out, {})

    async def _task(self, request: Request, out: Out) -> None:
        name = request.params["taskId"]
        if name not in self.tasks:
            await out.json(error(request, -32602, "Task not found"))
            return
        status, value = self.tasks[name]
        if request.method == "tasks/cancel":
            status, value = self.tasks[name] = ("cancelled", value)
        if request.method == "tasks/result":
            await self.answer(request, out, value)
        else:
            state = {"taskId": name, "status": status, "statusMessage": f"{name} is {status}", "pollInterval": 60}
            await self.answer(request, out, state)

    def said(self, request: Request) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": json.dumps(request.params["arguments"])}]}

    async def answer(self, request: Request, out: Out, value: Any, **headers: str) -> None:
        if not self.sse:
            await out.json(result(request, value), **headers)
            return
        await out.stream(**headers)
        await out.event(result(request, value))
        await out.end()

    async def _sessionless(self, request: Request, out: Out) -> None:
        if self.era == "handshake":
            await out.json(error(None, -32000, "Bad Request: Unsupported protocol version"), 400)
            return
        meta = request.params.get("_meta", {})
        headers = request.headers
        assert meta["io.modelcontextprotocol/protocolVersion"] == headers["mcp-protocol-version"]
        assert isinstance(meta["io.modelcontextprotocol/clientCapabilities"], dict)
        assert headers["mcp-method"] == request.method
        assert "mcp-session-id" not in headers
        if headers["mcp-protocol-version"] != "2026-07-28":
            await out.json(error(request, -32022, "Unsupported", {"supported": ["2026-07-28"]}), 400)
        elif request.method == "server/discover":
            value = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": self.features}
            await self.answer(request, out, value)
        elif request.method == "tools/call":
            assert headers["mcp-name"] == request.params["name"] or headers["mcp-name"].startswith("=?base64?")
            self.executed.append(request.params["arguments"].get("n"))
            await self.answer(request, out, {"resultType": "complete", **self.said(request)})
        elif request.method == "tools/list":
            await self.answer(request, out, {"resultType": "complete", "tools": self.tools})
        else:
            await out.json(error(request, -32601, "Method not found"), 404)
