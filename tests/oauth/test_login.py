"""A login against the official SDK's authorization server: what is sent, and what is refused before a code or a token
can come into the wrong hands."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from rtfs.capabilities.sessions.handler import NotSent, SessionError
from rtfs.capabilities.sessions.oauth.login import log_in, log_out
from rtfs.capabilities.sessions.oauth.login_store import Login, Store
from tests.servers.login_server import LoginServer, browse

METADATA = "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource/mcp"


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with LoginServer(["tools"]) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "logins"))


class Trying:
    """One login. addresses: shown. learned: secrets told. pages: status of the pages the browser came back to."""

    def __init__(self, server: LoginServer, store: Store) -> None:
        self.server = server
        self.store = store
        self.addresses: list[str] = []
        self.learned: list[str] = []
        self.pages: list[int] = []

    def log_in(self, settings: dict[str, Any] | None = None, *ways: dict[str, Any], **more: Any) -> Login:
        """ways: how the browser comes back, one after the other; once and honestly if there is none."""

        def come_back(address: str) -> None:
            self.pages += [browse(address, **way).status_code for way in ways or ({},)]

        def show(address: str) -> None:
            self.addresses.append(address)
            threading.Thread(target=come_back, args=(address,), daemon=True).start()

        fields: dict[str, Any] = {"principal": "local", "environ": os.environ, "seconds": 10.0, **more}
        url = httpx.URL(self.server.url)
        return asyncio.run(
            log_in(url, settings or {}, store=self.store, show=show, learn=self.learned.append, **fields)
        )

    def refused(self, why: str, *ways: dict[str, Any], **more: Any) -> SessionError:
        with pytest.raises(SessionError, match=why) as caught:
            self.log_in(None, *ways, **more)
        assert caught.value.code == "session/oauth"
        assert self.store.load(self.server.url, "local") is None
        return caught.value


@pytest.fixture
def trying(server: LoginServer, store: Store) -> Trying:
    return Trying(server, store)


def test_a_login_asks_for_what_the_server_wants_and_stores_what_it_gets(server: LoginServer, trying: Trying) -> None:
    made = trying.log_in(challenge='Bearer scope="tools"')
    asked = {key: value[0] for key, value in parse_qs(urlsplit(trying.addresses[0]).query).items()}
    assert asked["resource"] == server.url
    assert asked["scope"] == "tools"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["state"]) >= 43
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    [client] = server.accounts.clients.values()
    assert client.grant_types == ["authorization_code", "refresh_token"]
    assert client.application_type == "native"
    assert trying.pages == [200]
    [form] = server.forms
    assert form["resource"] == server.url
    assert form["redirect_uri"] == asked["redirect_uri"]
    assert made.access_token in server.accounts.access
    stored = trying.store.load(server.url, "local")
    assert stored is not None
    assert stored.fields == made.fields
    assert stored.scopes == ["tools"]
    assert set(made.secrets()) <= set(trying.learned)


def test_a_configured_client_is_used_and_no_other_registered(
    server: LoginServer, trying: Trying, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trying.log_in()
    monkeypatch.setenv("SECRET", first.client_secret)
    redirect = parse_qs(urlsplit(trying.addresses[0]).query)["redirect_uri"][0]
    settings = {
        "client_id": first.client_id,
        "client_secret_env": "SECRET",
        "client_auth": first.client_method,
        "issuer": server.base,
        "scopes": ["tools"],
        "redirect_uri": redirect,
    }
    again = trying.log_in(settings)
    assert len(server.accounts.clients) == 1
    assert again.client_id == first.client_id


def test_scopes_add_up_over_logins(server: LoginServer, trying: Trying) -> None:
    server.says(METADATA, scopes_supported=["tools", "write", "offline_access"])
    trying.log_in(challenge='Bearer scope="tools"')
    trying.log_in(scopes=["write"])
    assert server.accounts.asked[-1].scopes == ["tools", "offline_access", "write"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE with S256"),
        ({"code_challenge_methods_supported": None}, "PKCE with S256"),
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"authorization_endpoint": "http://evil.example/authorize"}, "not reached by https"),
        ({"authorization_endpoint": None}, "not a usable URL"),
        ({"registration_endpoint": None}, "registers no clients"),
        ({"registration_endpoint": "http://169.254.169.254/register"}, "not reached by https"),
    ],
)
def test_an_authorization_server_that_is_not_to_be_trusted_gets_no_login(
    server: LoginServer, trying: Trying, changed: dict[str, Any], why: str
) -> None:
    server.says(METADATA, **changed)
    trying.refused(why)
    assert trying.addresses == []
    assert "/token" not in server.paths


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"resource": "https://evil.example/mcp"}, "not about this server"),
        ({"authorization_servers": []}, "no authorization server"),
        ({"authorization_servers": ["http://evil.example"]}, "not reached by https"),
    ],
)
def test_resource_metadata_that_do_not_fit_lead_nowhere(
    server: LoginServer, trying: Trying, changed: dict[str, Any], why: str
) -> None:
    server.says(RESOURCE, **changed)
    trying.refused(why)
    assert "/register" not in server.paths


def test_a_challenge_that_leads_to_another_origin_is_refused(server: LoginServer, trying: Trying) -> None:
    trying.refused("another origin", challenge='Bearer resource_metadata="http://127.0.0.1:9/x"')
    assert server.paths == []


def test_a_configured_issuer_has_to_be_the_servers(server: LoginServer, trying: Trying) -> None:
    server.says(RESOURCE, authorization_servers=["https://moved.example"])
    with pytest.raises(SessionError, match=r"names https://moved\.example as its authorization server"):
        trying.log_in({"issuer": server.base})


@pytest.mark.parametrize("way", [{"state": "guessed"}, {"state": None}, {"state": ""}])
def test_an_answer_with_another_state_is_no_answer(server: LoginServer, trying: Trying, way: dict[str, Any]) -> None:
    trying.refused("was not completed", way, seconds=2.0)
    assert trying.pages == [400]
    assert "/token" not in server.paths


def test_the_right_answer_counts_after_a_wrong_one(server: LoginServer, trying: Trying) -> None:
    assert trying.log_in(None, {"state": "guessed"}, {}).access_token
    assert trying.pages == [400, 200]


@pytest.mark.parametrize(
    ("advertised", "iss", "why"),
    [
        (True, None, "does not say who gives it"),
        (True, "https://evil.example", "another authorization server"),
        (None, "https://evil.example", "another authorization server"),
        (True, "SLASH", "another authorization server"),
    ],
)
def test_an_answer_of_another_issuer_never_reaches_the_token_endpoint(
    server: LoginServer, trying: Trying, advertised: Any, iss: str | None, why: str
) -> None:
    server.says(METADATA, authorization_response_iss_parameter_supported=advertised)
    way = {"iss": server.base + "/" if iss == "SLASH" else iss, "error": "access_denied", "error_description": "LURE"}
    error = trying.refused(why, way)
    assert "LURE" not in str(error)
    assert "/token" not in server.paths


def test_the_right_issuer_is_taken(server: LoginServer, trying: Trying) -> None:
    server.says(METADATA, authorization_response_iss_parameter_supported=True)
    server.accounts.iss = server.base
    assert trying.log_in().access_token


def test_a_refusal_is_said_in_one_line(server: LoginServer, trying: Trying) -> None:
    way = {"code": None, "error": "access_denied", "error_description": "not\x1b[2J today"}
    error = trying.refused("the login was refused: not \\[2J today", way)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((307, {"location": "https://evil.example/token"}, {}), "redirect, which is not followed"),
        ((200, {}, {"access_token": "abc def", "token_type": "bearer"}), "no header can carry"),
        ((200, {}, {"access_token": "abc\r\nX: y", "token_type": "bearer"}), "no header can carry"),
        ((200, {}, {"access_token": "abcdef", "token_type": "mac"}), "another kind of token"),
        ((400, {}, {"error": "invalid_request", "error_description": "no\x07pe"}), "gives no token: no pe"),
        ((200, {}, []), "gives no token"),
    ],
)
def test_a_token_endpoint_that_answers_otherwise_gives_no_login(
    server: LoginServer, trying: Trying, answer: Any, why: str
) -> None:
    server.tamper["/token"] = lambda status, headers, value: answer
    trying.refused(why)


def test_an_error_that_repeats_the_code_does_not_show_it(server: LoginServer, trying: Trying) -> None:
    def repeat(status: int, headers: dict[str, str], value: Any) -> Any:
        return 400, headers, {"error": "invalid_grant", "error_description": "bad: " + server.accounts.secrets[-3]}

    server.tamper["/token"] = repeat
    code = lambda: next(one for one in server.accounts.secrets if one.startswith("code-"))  # noqa: E731
    error = trying.refused("gives no token")
    assert code() not in f"{error} {error.hint} {error.data}"


def test_nobody_who_comes_back_is_waited_for_no_longer_than_said(server: LoginServer, store: Store) -> None:
    async def body() -> None:
        shown: list[str] = []
        url = httpx.URL(server.url)
        with pytest.raises(SessionError, match=r"within 0\.2 seconds"):
            await log_in(url, {}, principal="local", store=store, environ={}, show=shown.append, seconds=0.2)
        with pytest.raises(httpx.ConnectError):
            httpx.get(parse_qs(urlsplit(shown[0]).query)["redirect_uri"][0], trust_env=False)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("GET /other HTTP/1.1", None, b"404"),
        ("POST /callback HTTP/1.1", None, b"404"),
        ("GET /callback?state=STATE&code=x HTTP/1.1", "evil.example", b"404"),
        ("GET /callback?state=STATE&state=STATE HTTP/1.1", None, b"400"),
        ("GET /callback?code=<script> HTTP/1.1", None, b"400"),
    ],
)
def test_the_page_answers_only_what_a_browser_brings(request_line: str, host: str | None, status: bytes) -> None:
    from rtfs.capabilities.sessions.oauth.callback import Callback

    async def body() -> None:
        async with Callback("STATE") as callback:
            url = httpx.URL(callback.uri)
            reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
            writer.write(f"{request_line}\r\nHost: {host or url.netloc.decode()}\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert answer.split()[1] == status
            assert b"script" not in answer
            with pytest.raises(SessionError):
                await callback.answer(0.05)

    asyncio.run(body())


def test_an_authorization_server_that_is_away_is_said(server: LoginServer, store: Store) -> None:
    server.says(RESOURCE, authorization_servers=["http://127.0.0.1:9"])
    with pytest.raises(NotSent, match="cannot be reached"):
        Trying(server, store).log_in()


def test_a_logout_forgets_here_and_there(server: LoginServer, trying: Trying) -> None:
    trying.log_in()
    url = httpx.URL(server.url)
    assert asyncio.run(log_out(url, {}, principal="local", store=trying.store, environ={})) == (True, True)
    assert trying.store.load(server.url, "local") is None
    assert server.accounts.access == {}
    assert server.accounts.refresh == {}
    assert asyncio.run(log_out(url, {}, principal="local", store=trying.store, environ={})) == (False, False)
