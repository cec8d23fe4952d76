"""A server of the official SDK with all there is to answer: both eras, resumable streams, progress, every content kind,
questions to the person behind a call, resources, prompts.

`--stdio` speaks over stdin and stdout. Over HTTP, `--stateless` gives no sessions; `--json` answers with JSON;
`--forget` forgets sessions that are idle for a moment.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from typing import Annotated, Any, Literal

import uvicorn
from mcp.server.mcpserver import Audio, Context, Elicit, Image, MCPServer, Resolve
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import (
    CallToolResult,
    Completion,
    EmbeddedResource,
    ResourceLink,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel, Field

server = MCPServer("everything", log_level="CRITICAL")


class Store(EventStore):
    """Events in memory, numbered."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def store_event(self, stream_id: str, message: Any) -> str:
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        stream_id = self.events[int(last_event_id) - 1][0]
        for number, (stream, message) in enumerate(self.events, 1):
            if stream == stream_id and number > int(last_event_id) and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


@server.tool()
def add(a: int, b: int) -> dict[str, int]:
    """Two numbers."""
    return {"sum": a + b}


@server.tool()
def number() -> int:
    """A plain value."""
    return 7


@server.tool(structured_output=False)
def text() -> str:
    """Just words."""
    return "just words"


@server.tool(structured_output=False)
def kinds() -> list[Any]:
    """Content of several kinds."""
    return [
        TextContent(type="text", text="words"),
        Image(data=b"png", format="png").to_image_content(),
        Audio(data=b"wav", format="wav").to_audio_content(),
        ResourceLink(type="resource_link", uri="file:///a", name="a"),
        EmbeddedResource(
            type="resource", resource=TextResourceContents(uri="file:///b", text="b", mime_type="text/plain")
        ),
    ]


@server.tool()
async def steps(ctx: Context, count: int, pause: float = 0.0) -> dict[str, int]:
    """Reports progress."""
    for n in range(count):
        await ctx.report_progress(n + 1, count, f"step {n + 1}")
        await asyncio.sleep(pause)
    return {"steps": count}


class Order(BaseModel):
    """What is asked for."""

    name: str = Field(description="For whom")
    count: int = Field(default=1, ge=1, le=9)
    colour: Literal["red", "green"] = "green"
    gift: bool = False


def wanted() -> Elicit[Order]:
    return Elicit("What shall it be?", Order)


@server.tool()
async def order(order: Annotated[Order, Resolve(wanted)]) -> dict[str, Any]:
    """Asks the person behind the call: in rounds in the sessionless era, in the middle of the call in the other."""
    return order.model_dump()


@server.tool()
async def polled(ctx: Context) -> dict[str, bool]:
    """Closes the stream of its own call and answers later, for a client that comes back."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.1)
    return {"resumed": True}


@server.tool()
async def wait(seconds: float) -> dict[str, bool]:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return {"done": True}


@server.tool()
def chart() -> CallToolResult:
    """Structured content, a picture, words, a link and `_meta`."""
    return CallToolResult(
        content=[
            TextContent(type="text", text="three rows"),
            Image(data=b"png", format="png").to_image_content(),
            ResourceLink(type="resource_link", uri="file:///a", name="a"),
        ],
        structured_content={"rows": 3},
        _meta={"example.org/source": "cache"},
    )


COUNTS: dict[str | None, int] = {}


@server.tool()
def count(ctx: Context) -> dict[str, int]:
    """How often it was called in this session."""
    session = ctx.request_context.request.headers.get("mcp-session-id")
    COUNTS[session] = COUNTS.get(session, 0) + 1
    return {"count": COUNTS[session]}


async def _trying(ask: Any) -> dict[str, Any]:
    try:
        return await ask
    except Exception as error:
        return {"refused": str(error)}


@server.tool()
async def ask_for_roots(ctx: Context) -> dict[str, Any]:
    """Asks for the client's folders, on the server's own stream."""

    async def ask() -> dict[str, Any]:
        found = await ctx.session.list_roots()
        return {"roots": [str(root.uri) for root in found.roots]}

    return await _trying(ask())


@server.tool()
async def ask_for_a_page(ctx: Context) -> dict[str, Any]:
    """Asks for a page to be opened, on the server's own stream."""

    async def ask() -> dict[str, Any]:
        found = await ctx.session.elicit_url("Sign in", "https://example.com/", "e1")
        return {"action": found.action}

    return await _trying(ask())


@server.tool()
async def ask_for_a_model(ctx: Context) -> dict[str, Any]:
    """Asks for a model's words, on the server's own stream."""

    async def ask() -> dict[str, Any]:
        message = SamplingMessage(role="user", content=TextContent(type="text", text="What colour?"))
        found = await ctx.session.create_message([message], max_tokens=20)
        return {"said": found.content.text}

    return await _trying(ask())


@server.tool()
async def talk(ctx: Context) -> dict[str, bool]:
    """Logs, on standard error and as a message of the protocol."""
    print("to standard error", file=sys.stderr, flush=True)
    await ctx.info("to the client")
    await ctx.debug("in detail")
    return {"talked": True}


NOTES = {"one": "first note"}


@server.resource("notes://{name}")
def note(name: str) -> str:
    """A note."""
    return NOTES[name]


@server.resource("config://settings", mime_type="application/json")
def settings() -> str:
    """Settings."""
    return '{"colour": "green"}'


@server.resource("image://dot", mime_type="image/png")
def dot() -> bytes:
    """A picture."""
    return b"dot"


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"Greet {name}."


@server.completion()
async def complete(ref: Any, argument: Any, context: Any) -> Completion | None:
    """Names."""
    return Completion(values=[name for name in ("Ada", "Alan") if name.startswith(argument.value)], has_more=False)


@server.tool()
async def change(ctx: Context, uri: str) -> dict[str, bool]:
    """Says that a resource has changed."""
    await ctx.notify_resource_updated(uri)
    return {"told": True}


def fickle() -> str:
    """Says the same."""
    return "same"


server.add_tool(fickle, description="as at first")


@server.tool()
async def redescribe(ctx: Context, description: str) -> dict[str, bool]:
    """Describes the tool `fickle` otherwise, and says that the tools have changed."""
    server.remove_tool("fickle")
    server.add_tool(fickle, description=description)
    await ctx.notify_tools_changed()
    return {"told": True}


def main() -> None:
    logging.disable(logging.CRITICAL)
    if "--stdio" in sys.argv:
        server.run()
        return
    options: dict[str, Any] = {}
    if "--stateless" in sys.argv:
        options["stateless_http"] = True
    else:
        options.update(event_store=Store(), retry_interval=20)
    if "--json" in sys.argv:
        options["json_response"] = True
    if "--forget" in sys.argv:
        options["session_idle_timeout"] = 0.2
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)

    app = server.streamable_http_app(**options)
    Announcing(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)).run(sockets=[listener])


main()
