"""Signed words instead of secrets: private_key_jwt, and the assertion of an enterprise's identity provider (ID-JAG)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import rtfs
from tests.oauth.test_client_credentials import CALL, Server

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
        {"private_key_env": "KEY"},
        {"grant": "client_credentials", "private_key_env": "KEY", "client_secret_env": "S"},
        {"grant": "enterprise_managed"},
    ],
)
def test_what_does_not_fit_together_is_refused_when_it_is_read(oauth: dict[str, Any], run: Any) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        run(oauth)
    assert caught.value.code == "config/invalid"
