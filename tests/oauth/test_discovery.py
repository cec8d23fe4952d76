"""What servers say of authorization, read: challenges, whom a resource identifier covers, which endpoints are asked."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from rtfs.capabilities.sessions.handler import SessionError
from rtfs.capabilities.sessions.oauth.challenge import bearer, scopes_of
from rtfs.capabilities.sessions.oauth.discovery import covers, issuer_of, resource_of
from rtfs.capabilities.sessions.oauth.endpoints import Answer, Endpoints


class Told(Endpoints):
    """Endpoints that answer from a table and remember what was asked."""

    def __init__(self, home: str, answers: dict[str, Any]) -> None:
        super().__init__(httpx.URL(home))
        self.answers = answers
        self.asked: list[str] = []

    async def ask(self, method: str, where: Any, what: str, **more: Any) -> Answer:
        self.asked.append(str(self.checked(where, what)))
        found = self.answers.get(str(where))
        return Answer(404, {}) if found is None else Answer(200, found)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Bearer resource_metadata="https://h/x", scope="a b"', {"resource_metadata": "https://h/x", "scope": "a b"}),
        ("bearer error=invalid_token,Scope=a", {"error": "invalid_token", "scope": "a"}),
        ('Basic realm="Bearer scope=\\"x\\"", Bearer scope="y"', {"scope": "y"}),
        ('Bearer scope="y", Basic realm="scope"', {"scope": "y"}),
        ('Bearer scope="a\\"b"', {"scope": 'a"b'}),
        ("Bearer", {}),
        ("Negotiate abc==", {}),
        ('Basic scope="x"', {}),
        ('Bearer scope="unclosed', {}),
        ("", {}),
    ],
)
def test_a_challenge_is_read_as_it_is_written(header: str, found: dict[str, str]) -> None:
    assert bearer(header) == found


def test_scopes_are_words_that_a_scope_can_be() -> None:
    assert scopes_of('a  b a "c" d\x1b[2J é mcp:x') == ["a", "b", "mcp:x"]


@pytest.mark.parametrize(
    "resource", ["https://h/a/mcp", "https://H:443/a/mcp/", "https://h/a", "https://h", "https://h/"]
)
def test_a_resource_covers_what_is_below_it(resource: str) -> None:
    assert covers(resource, httpx.URL("https://h/a/mcp"))


@pytest.mark.parametrize(
    "resource",
    [
        "https://other/a/mcp",
        "http://h/a/mcp",
        "https://h:8443/a/mcp",
        "https://h/a/mc",
        "https://h/a/mcp/more",
        "https://h/a/mcp?tenant=1",
        "https://h/a/mcp#x",
        "https://user@h/a/mcp",
        "h/a/mcp",
        "",
        "https://h\x00",
    ],
)
def test_another_resource_is_told_apart(resource: str) -> None:
    assert not covers(resource, httpx.URL("https://h/a/mcp"))


def test_the_places_of_resource_metadata_are_asked_in_order() -> None:
    well_known = "https://h/.well-known/oauth-protected-resource"
    metadata = {"resource": "https://h", "authorization_servers": ["https://as"], "scopes_supported": ["a"]}
    told = Told("https://h/mcp", {well_known: metadata})
    found = asyncio.run(resource_of(told, 'Bearer resource_metadata="https://h/own"'))
    assert told.asked == ["https://h/own", well_known + "/mcp", well_known]
    assert (found.name, found.issuers, found.scopes) == ("https://h", ["https://as"], ["a"])
    found = asyncio.run(resource_of(told, 'Bearer scope="b c"'))
    assert found.scopes == ["b", "c"]


def test_a_server_that_says_nothing_is_its_own_authorization_server() -> None:
    found = asyncio.run(resource_of(Told("https://h/mcp?x=1", {}), ""))
    assert (found.name, found.issuers, found.scopes) == ("https://h/mcp?x=1", ["https://h"], [])


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"resource": "https://evil/mcp", "authorization_servers": ["https://as"]}, "about https://evil/mcp"),
        ({"authorization_servers": ["https://as"]}, "about no resource"),
        ({"resource": "https://h/mcp"}, "no authorization server"),
        ({"resource": "https://h/mcp", "authorization_servers": []}, "no authorization server"),
    ],
)
def test_resource_metadata_that_do_not_fit_are_refused(metadata: dict[str, Any], why: str) -> None:
    told = Told("https://h/mcp", {"https://h/.well-known/oauth-protected-resource/mcp": metadata})
    with pytest.raises(SessionError, match=why) as caught:
        asyncio.run(resource_of(told, ""))
    assert caught.value.code == "session/oauth"


def test_resource_metadata_at_another_origin_are_not_asked_for() -> None:
    told = Told("https://h/mcp", {})
    with pytest.raises(SessionError, match="another origin, https://evil"):
        asyncio.run(resource_of(told, 'Bearer resource_metadata="https://evil/x"'))
    assert told.asked == []


@pytest.mark.parametrize(
    ("issuer", "places"),
    [
        (
            "https://as/t1",
            [
                "https://as/.well-known/oauth-authorization-server/t1",
                "https://as/.well-known/openid-configuration/t1",
                "https://as/t1/.well-known/openid-configuration",
            ],
        ),
        (
            "https://as",
            ["https://as/.well-known/oauth-authorization-server", "https://as/.well-known/openid-configuration"],
        ),
    ],
)
def test_the_places_of_an_issuers_metadata_are_asked_in_order(issuer: str, places: list[str]) -> None:
    told = Told("https://h/mcp", {places[-1]: {"issuer": issuer, "token_endpoint": "https://as/token"}})
    assert asyncio.run(issuer_of(told, issuer)).token == "https://as/token"
    assert told.asked == places
    with pytest.raises(SessionError, match="has no metadata"):
        asyncio.run(issuer_of(Told("https://h/mcp", {}), issuer))


@pytest.mark.parametrize("said", ["https://evil", "https://as/t1/", "https://AS/t1", "https://as", None, 7])
def test_metadata_of_another_issuer_are_refused(said: Any) -> None:
    told = Told("https://h/mcp", {"https://as/.well-known/oauth-authorization-server/t1": {"issuer": said}})
    with pytest.raises(SessionError, match="another issuer"):
        asyncio.run(issuer_of(told, "https://as/t1"))


@pytest.mark.parametrize(
    "where",
    [
        "http://as/token",
        "http://127.0.0.1/token",
        "ftp://as",
        "javascript:alert(1)",
        "https://u:p@as/",
        "",
        None,
        "https://",
    ],
)
def test_an_endpoint_that_must_not_be_used_is_refused(where: Any) -> None:
    with pytest.raises(SessionError) as caught:
        Endpoints(httpx.URL("https://h/mcp")).checked(where, "the token endpoint")
    assert caught.value.code == "session/oauth"


def test_plain_http_is_for_the_loopback_of_servers_on_the_loopback() -> None:
    local = Endpoints(httpx.URL("http://localhost:1/mcp"))
    assert local.checked("http://127.0.0.1:2/token", "x").port == 2
    with pytest.raises(SessionError):
        local.checked("http://10.0.0.1/token", "x")


@pytest.mark.parametrize(
    ("server", "endpoint", "allowed"),
    [
        ("93.184.216.34", "1.1.1.1", True),
        ("93.184.216.34", "127.0.0.1", False),
        ("93.184.216.34", "10.0.0.7", False),
        ("93.184.216.34", "169.254.169.254", False),
        ("93.184.216.34", "::ffff:10.0.0.7", False),
        ("93.184.216.34", "64:ff9b::a00:7", False),
        ("10.0.0.1", "10.9.9.9", True),
        ("10.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("169.254.1.1", "169.254.169.254", False),
    ],
)
def test_discovered_endpoints_are_asked_at_public_addresses_or_where_the_server_is(
    server: str, endpoint: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []

    async def lookup(host: str, port: int) -> list[str]:
        return [{"server.example": server, "as.example": endpoint}[host]]

    async def send(self: Any, request: httpx.Request, **more: Any) -> httpx.Response:
        connected.append(f"{request.url.host} {request.headers['host']} {request.extensions['sni_hostname']}")
        return httpx.Response(200, json={"fine": True})

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    endpoints = Endpoints(httpx.URL("https://server.example/mcp"), lookup=lookup)
    asking = endpoints.ask("GET", "https://as.example/token", "the token endpoint")
    if allowed:
        assert asyncio.run(asking).fields == {"fine": True}
        assert connected == [f"{endpoint} as.example as.example"]
        return
    with pytest.raises(SessionError, match="not a public address") as caught:
        asyncio.run(asking)
    assert connected == []
    assert "oauth.issuer" in (caught.value.hint or "")
