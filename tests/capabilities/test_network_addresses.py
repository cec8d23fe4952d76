"""Fetches that a program chooses: which addresses are reached, and that the one that was checked is the one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rtfs.capabilities.providers.network import http_fetch
from rtfs.capabilities.sessions.wire.addresses import is_public
from rtfs.host.policy.grants import net_need
from rtfs.host.runtime import Runtime
from rtfs.values import HostError, Keyword, from_python


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "198.18.0.1", "240.0.0.1", "::", "::1",
     "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
     "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "nonsense", ""],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


def fake(*rounds: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    """A resolver that answers these, one after the other."""
    left = list(rounds)

    async def lookup(host: str, port: int) -> list[str]:
        return left.pop(0)

    return lookup


def fetch(url: str, *, named: Any = lambda need: False, lookup: Any, **more: Any) -> Any:
    call = from_python({"url": url, **more}, keywords=True)
    return asyncio.run(http_fetch(call, named=named, lookup=lookup))


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:10.0.0.1"])
def test_a_public_name_that_leads_inside_is_refused_before_connecting(address: str) -> None:
    with pytest.raises(HostError, match="not a public address") as caught:
        fetch("http://rebind.example/", lookup=fake([address]))
    assert caught.value.code == "policy/denied"
    assert "--allow net:" in (caught.value.hint or "")


def test_a_name_that_leads_to_both_is_refused() -> None:
    with pytest.raises(HostError, match="not a public address"):
        fetch("http://both.example/", lookup=fake(["93.184.216.34", "127.0.0.1"]))


class Server:
    """Answers every request alike; keeps what it got."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        await writer.drain()
        writer.close()

    def fetch(self, url: str, **more: Any) -> Any:
        """Fetch with `{port}` in the URL filled in."""

        async def body() -> Any:
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            async with server:
                named = more.pop("named", lambda need: need == f"net:127.0.0.1:{self.port}")
                lookup = more.pop("lookup", fake(["127.0.0.1"]))
                call = from_python({"url": url.format(port=self.port), **more}, keywords=True)
                return await http_fetch(call, named=named, lookup=lookup)

        return asyncio.run(body())


def test_the_checked_address_is_the_one_connected_to_in_the_name_of_the_host() -> None:
    server = Server()
    found = server.fetch("http://does-not-exist.invalid:{port}/x?y=1", lookup=fake(["127.0.0.1"]))
    assert found.get(Keyword("body")) == "ok"
    assert server.heads[0].startswith("GET /x?y=1 HTTP/1.1\r\n")
    assert f"host: does-not-exist.invalid:{server.port}" in server.heads[0].lower()


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind() -> None:
    asked = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    assert Server().fetch("http://rebind.example:{port}/", lookup=lookup).get(Keyword("status")) == 200
    assert asked == ["rebind.example"]


def test_the_next_address_is_tried_if_one_is_not_there() -> None:
    server = Server()
    names = {"127.0.0.9", "127.0.0.1"}
    found = server.fetch(
        "http://two.example:{port}/",
        named=lambda need: need.split(":")[1] in names,
        lookup=fake(["127.0.0.9", "127.0.0.1"]),
    )
    assert found.get(Keyword("status")) == 200


def test_a_redirect_is_an_answer_and_takes_no_credentials_anywhere() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    server = Server(answer)
    found = server.fetch("http://a.example:{port}/", headers={"Authorization": "Bearer secret"})
    assert found.get(Keyword("status")) == 302
    assert len(server.heads) == 1


def test_what_is_asked_is_what_the_grant_was_read_from() -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return []

    odd = ("\\@evil.example", "#@evil.example", "?@evil.example", "%2eevil.example", ";.evil.example", "@evil.example")
    for rest in odd:
        url = f"http://good.example{rest}/"
        asked.clear()
        with pytest.raises(HostError):
            fetch(url, lookup=lookup)
        assert all(f"net:{host}:80" == net_need(url) for host in asked), url


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://2130706433:{}/"])
def test_a_wildcard_grant_does_not_reach_inside_and_a_named_one_does(url: str) -> None:
    url = url.format(1)
    source = f'(try (call "ccos.network.http-fetch" :url "{url}") (catch e (:code e)))'
    with Runtime(allow=["net:*"]) as runtime:
        assert runtime.run(source) == Keyword("policy/denied")
    host = url.split("/")[2].rpartition(":")[0]
    with Runtime(allow=["net:127.0.0.1", f"net:{host}"]) as runtime:
        assert runtime.run(source) == Keyword("capability/failed")  # no server listens there
