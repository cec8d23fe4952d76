"""What a server offers beside tools: resources, prompts, completion, what it says of itself; a server of the official
SDK in both eras, and one that misbehaves."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from rtfs.values import to_python
from rtfs.values.error import HostError
from tests.servers.faulty import Faulty, Out, Request, result
from tests.servers.running import ROOT, serve
from tests.sessions.mcp_support import Mcp, run, with_server

SDK = ROOT / "tests" / "servers" / "sdk_server.py"
ERAS = pytest.mark.parametrize("era", [{}, {"mcp_protocol_version": "2025-11-25"}], ids=["sessionless", "handshake"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(SDK) as running:
        yield running.url


async def ask(mcp: Mcp, name: str, arguments: Any = None, **more: Any) -> Any:
    return await mcp.call("", arguments, mcp_operation=name, mcp_tool_name=None, **more)


@ERAS
def test_resources_are_listed_and_read(url: str, era: dict[str, Any]) -> None:
    async def body() -> None:
        async with Mcp(url) as mcp:
            listed = await ask(mcp, "resources/list", **era)
            assert {one["uri"] for one in listed} == {"config://settings", "image://dot"}
            templates = await ask(mcp, "resources/templates", **era)
            assert [one["uriTemplate"] for one in templates] == ["notes://{name}"]
            read = await ask(mcp, "resources/read", {"uri": "notes://one"}, **era)
            assert [(one["uri"], one["text"]) for one in read["contents"]] == [("notes://one", "first note")]
            assert set(read) == {"contents"}
            picture = await ask(mcp, "resources/read", {"uri": "image://dot"}, **era)
            assert base64.b64decode(picture["contents"][0]["blob"]) == b"dot"
            with pytest.raises(HostError) as caught:
                await ask(mcp, "resources/read", {"uri": "nothing://there"}, **era)
            assert caught.value.code == "capability/failed"

    run(body())


@ERAS
def test_prompts_are_listed_and_filled_in_and_arguments_completed(url: str, era: dict[str, Any]) -> None:
    async def body() -> None:
        async with Mcp(url) as mcp:
            listed = await ask(mcp, "prompts/list", **era)
            assert [(one["name"], one["arguments"][0]["name"]) for one in listed] == [("greet", "name")]
            prompt = await ask(mcp, "prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}, **era)
            assert prompt["messages"][0]["content"]["text"] == "Greet Ada."
            wanted = {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": "Al"}}
            assert (await ask(mcp, "completion/complete", wanted, **era))["values"] == ["Alan"]

    run(body())


@ERAS
def test_a_server_says_what_it_is(url: str, era: dict[str, Any]) -> None:
    async def body() -> None:
        async with Mcp(url) as mcp:
            said = await ask(mcp, "server/info", **era)
            assert said["name"] == "everything"
            assert {"resources", "prompts", "tools"} <= set(said["features"])
            assert said["protocol"] == era.get("mcp_protocol_version", "2026-07-28")

    run(body())


def test_a_resource_that_changes_is_waited_for(url: str) -> None:
    async def body() -> None:
        async with Mcp(url) as mcp:
            waiting = asyncio.create_task(ask(mcp, "resources/wait", {"uri": "config://settings", "seconds": 20}))
            for _ in range(200):
                await mcp.call("change", {"uri": "config://settings"})
                if waiting.done():
                    break
                await asyncio.sleep(0.02)
            assert await waiting is True
            assert await ask(mcp, "resources/wait", {"uri": "config://settings", "seconds": 0.1}) is False

    run(body())


def test_in_a_session_it_is_subscribed_to_and_given_up() -> None:
    async def own_stream(server: Faulty, request: Request, out: Out) -> None:
        await out.stream()
        while server.count("resources/subscribe") == 0:
            await asyncio.sleep(0.002)
        for uri in ("a:2", "a:1"):
            await asyncio.sleep(0.02)
            await out.event({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
        await asyncio.sleep(30)

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.features = {"tools": {}, "resources": {"subscribe": True}}
        server.next("LISTEN", own_stream)
        assert await ask(mcp, "resources/wait", {"uri": "a:1", "seconds": 5}) is True
        while server.count("resources/unsubscribe") == 0:
            await asyncio.sleep(0.002)
        asked = [one.params["uri"] for one in server.requests if one.method == "resources/subscribe"]
        assert asked == ["a:1"]

    with_server(test)


def test_a_server_is_not_asked_for_what_it_does_not_offer() -> None:
    async def test(server: Faulty, mcp: Mcp) -> None:
        for name in ("resources/list", "prompts/get", "completion/complete"):
            with pytest.raises(HostError) as caught:
                await ask(mcp, name, {})
            assert "offers no" in caught.value.message
        with pytest.raises(HostError) as caught:
            await ask(mcp, "resources/burn", {})
        assert caught.value.code == "session/target"
        assert not any(one.method.startswith(("resources", "prompts", "completion")) for one in server.requests)

    with_server(test)


def test_a_list_that_never_ends_does() -> None:
    async def page(server: Faulty, request: Request, out: Out) -> None:
        number = int(request.params.get("cursor", "0"))
        await server.answer(request, out, {"resources": [{"uri": f"a:{number}"}], "nextCursor": str(number + 1)})

    async def circle(server: Faulty, request: Request, out: Out) -> None:
        await server.answer(request, out, {"resources": [], "nextCursor": "x"})

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.features = {"resources": {}}
        server.next("resources/list", *[page] * 9)
        with pytest.raises(HostError) as caught:
            await ask(mcp, "resources/list")
        assert "pages" in caught.value.message
        server.script.clear()
        server.next("resources/list", *[circle] * 9)
        with pytest.raises(HostError) as caught:
            await ask(mcp, "resources/list")
        assert "circle" in caught.value.message

    with_server(test, wire={"pages": 3})


def test_reading_is_tried_again_where_the_connection_broke() -> None:
    async def breaks(server: Faulty, request: Request, out: Out) -> None:
        out.reset()

    async def read(server: Faulty, request: Request, out: Out) -> None:
        await out.json(result(request, {"contents": [{"uri": "a:1", "text": "x"}]}))

    async def test(server: Faulty, mcp: Mcp) -> None:
        server.features = {"resources": {}}
        server.next("resources/read", breaks, read)
        found = await ask(mcp, "resources/read", {"uri": "a:1"})
        assert to_python(found) == {"contents": [{"uri": "a:1", "text": "x"}]}

    with_server(test)
