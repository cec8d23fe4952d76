"""Signed words instead of secrets: private_key_jwt, and the assertion of an enterprise's identity provider (ID-JAG)."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mcp.shared.auth import OAuthClientInformationFull

import rtfs
from rtfs.capabilities.sessions.oauth.login import log_in, log_out
from rtfs.capabilities.sessions.oauth.login_store import Login, Store
from tests.oauth.test_client_credentials import CALL, Server
from tests.servers.login_server import LoginServer, browse

ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    made = (Server(), Server())
    yield made
    for one in made:
        one.http.shutdown()
        one.http.server_close()


@pytest.fixture
def run(tmp_path: Path, servers: tuple[Server, Server]) -> Callable[..., Any]:
    def run(oauth: dict[str, Any]) -> Any:
        (tmp_path / "one.rtfs").write_text(
            '(capability "mcp.one.t" :metadata {:mcp {:server_name "one" :tool_name "t" :requires_session "auto"}})'
        )
        entry = {"url": servers[0].base + "/mcp", "oauth": {"issuer": servers[0].base, "client_id": "me", **oauth}}
        (tmp_path / "rtfs.yaml").write_text(
            f"allow: ['mcp.*']\nload: [one.rtfs]\nmcp_servers: {json.dumps({'one': entry})}\n"
        )
        with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as runtime:
            return runtime.run(CALL)

    return run


def pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_client_shows_who_it_is_with_a_key_that_is_sent_nowhere(
    algorithm: str, servers: tuple[Server, Server], run: Any, tmp_path: Path
) -> None:
    key = KEYS[algorithm]()
    (tmp_path / "key.pem").write_text(pem(key))
    run({"grant": "client_credentials", "private_key_file": str(tmp_path / "key.pem"), "key_id": "k1"})
    [form] = servers[0].tokens
    [assertion] = form["client_assertion"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    said = jwt.decode(assertion, key.public_key(), algorithms=[algorithm], audience=servers[0].base)
    assert (said["iss"], said["sub"]) == ("me", "me")
    assert said["exp"] - said["iat"] == 60
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"
    assert servers[0].basic == [None]
    assert "client_secret" not in form


def test_a_key_that_cannot_be_read_is_said_without_it(
    monkeypatch: pytest.MonkeyPatch, servers: tuple[Server, Server], run: Any
) -> None:
    monkeypatch.setenv("KEY", "-----BEGIN PRIVATE KEY-----\nnothing-to-see\n-----END PRIVATE KEY-----")
    with pytest.raises(rtfs.UserError) as caught:
        run({"grant": "client_credentials", "private_key_env": "KEY"})
    assert caught.value.code == "session/credential"
    assert "nothing-to-see" not in str(caught.value)
    assert servers[0].tokens == []


def test_a_login_in_a_browser_and_its_renewal_are_signed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The official SDK's authorization server checks no assertion of a public client; what is sent to it counts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    key = ec.generate_private_key(ec.SECP256R1())
    monkeypatch.setenv("CLIENT_KEY", pem(key))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        redirect = f"http://127.0.0.1:{probe.getsockname()[1]}/callback"

    def show(address: str) -> None:
        threading.Thread(target=browse, args=(address,), daemon=True, name="browser").start()

    def signed() -> dict[str, Any]:
        form = server.forms[-1]
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert "client_secret" not in form
        said: dict[str, Any] = jwt.decode(
            form["client_assertion"], key.public_key(), algorithms=["ES256"], audience=server.base
        )
        assert (said["iss"], said["sub"]) == ("me", "me")
        return said

    with LoginServer() as server:
        server.accounts.clients["me"] = OAuthClientInformationFull.model_validate(
            {"client_id": "me", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
        )
        oauth = {"client_id": "me", "issuer": server.base, "private_key_env": "CLIENT_KEY", "redirect_uri": redirect}
        url, environ = httpx.URL(server.url), {"CLIENT_KEY": pem(key)}
        made = asyncio.run(log_in(url, oauth, principal="local", store=Store(), environ=environ, show=show, seconds=10))
        first = signed()["jti"]
        kept = [path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file()]
        assert made.access_token in "".join(kept)
        assert "PRIVATE" not in "".join(kept)
        Store().save(Login({**made.fields, "renew": 1.0, "expires": 1.0}))
        entry = {"url": server.url, "oauth": oauth}
        (tmp_path / "rtfs.yaml").write_text(f"allow: ['mcp.*']\nmcp_servers: {json.dumps({'one': entry})}\n")
        with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as runtime:
            assert runtime.run('(:result (call "mcp.one.add" {:a 1 :b 2}))') == 3
        assert server.accounts.refreshed == 1
        assert server.forms[-1]["grant_type"] == "refresh_token"
        assert signed()["jti"] != first
        assert asyncio.run(log_out(url, oauth, principal="local", store=Store(), environ=environ))[0]


@pytest.mark.parametrize("place", ["env", "file"])
def test_a_platform_vouches_for_a_workload_with_a_token_that_is_read_anew(
    place: str, monkeypatch: pytest.MonkeyPatch, servers: tuple[Server, Server], run: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKLOAD", "header.workload.signature")
    (tmp_path / "token").write_text("header.workload.signature\n")
    named = {"assertion_env": "WORKLOAD"} if place == "env" else {"assertion_file": str(tmp_path / "token")}
    run({"grant": "workload_identity", **named, "scopes": ["read"]})
    [form] = servers[0].tokens
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert form["assertion"] == ["header.workload.signature"]
    assert (form["client_id"], form["scope"]) == (["me"], ["read"])
    servers[0].refuse = True
    with pytest.raises(rtfs.UserError) as caught:
        run({"grant": "workload_identity", **named})
    assert caught.value.code == "session/unauthorized"
    assert "header.workload.signature" not in str(caught.value)
    assert len(servers[0].tokens) == 2, "a refusal is not tried again"


ENTERPRISE = {"grant": "enterprise_managed", "idp_client_id": "us", "id_token_env": "ID_TOKEN"}


def test_the_identity_provider_vouches_for_a_person_who_never_logs_in_at_the_server(
    monkeypatch: pytest.MonkeyPatch, servers: tuple[Server, Server], run: Any
) -> None:
    server, provider = servers
    provider.more = {"issued_token_type": ID_JAG, "token_type": "N_A"}
    monkeypatch.setenv("ID_TOKEN", "header.person.signature")
    run({**ENTERPRISE, "idp_issuer": provider.base, "scopes": ["read"]})
    [exchange], [grant] = provider.tokens, server.tokens
    assert exchange["grant_type"] == ["urn:ietf:params:oauth:grant-type:token-exchange"]
    assert exchange["requested_token_type"] == [ID_JAG]
    assert exchange["subject_token"] == ["header.person.signature"]
    assert exchange["audience"] == [server.base]
    assert exchange["resource"] == [server.base + "/mcp"]
    assert grant["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert grant["assertion"] == ["token-1"]
    assert grant["client_id"] == ["me"]
    assert grant["scope"] == ["read"]
    assert server.calls == 1


@pytest.mark.parametrize("fault", ["refused", "another kind"])
def test_an_identity_provider_that_does_not_vouch_ends_the_call(
    fault: str, monkeypatch: pytest.MonkeyPatch, servers: tuple[Server, Server], run: Any
) -> None:
    server, provider = servers
    provider.refuse = fault == "refused"
    monkeypatch.setenv("ID_TOKEN", "header.person.signature")
    with pytest.raises(rtfs.UserError) as caught:
        run({**ENTERPRISE, "idp_issuer": provider.base})
    assert caught.value.code == ("session/unauthorized" if provider.refuse else "session/oauth")
    assert "header.person.signature" not in str(caught.value)
    assert server.tokens == []


@pytest.mark.parametrize(
    "oauth",
    [
        {"private_key_env": "KEY", "client_secret_env": "S"},
        {"grant": "workload_identity"},
        {"grant": "client_credentials", "private_key_env": "KEY", "client_secret_env": "S"},
        {"grant": "enterprise_managed"},
    ],
)
def test_what_does_not_fit_together_is_refused_when_it_is_read(oauth: dict[str, Any], run: Any) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        run(oauth)
    assert caught.value.code == "config/invalid"
