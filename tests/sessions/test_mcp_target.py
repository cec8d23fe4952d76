"""What metadata say of a server: addresses, credentials' names, grants, labels without secrets. No network."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import Credential, SessionCall, SessionKey, fingerprint, one_line
from rtfs.capabilities.sessions.mcp import McpHandler
from rtfs.capabilities.sessions.wire.http import authorization
from rtfs.values.error import HostError


def key(metadata: dict[str, Any], handler: McpHandler | None = None, **fields: Any) -> SessionKey:
    return (handler or McpHandler(environ={})).session_key(SessionCall("mcp.x", metadata, None, **fields))


@pytest.mark.parametrize("name", ["server_url", "server_endpoint", "url"])
def test_the_url_is_found_under_each_of_its_names(name: str) -> None:
    assert key({f"mcp_{name}": "http://h:1/mcp?api_key=x#f"}).server == "http://h:1/mcp"


def test_the_override_variable_wins_over_metadata_and_metadata_over_configuration() -> None:
    servers = {"s": {"url": "http://configured/mcp"}}
    metadata = {"mcp_server_name": "s", "mcp_server_url_override_env": "URL"}
    assert key(metadata, McpHandler(environ={}, servers=servers)).server == "http://configured/mcp"
    declared = {**metadata, "mcp_server_url": "http://declared/mcp"}
    assert key(declared, McpHandler(environ={}, servers=servers)).server == "http://declared/mcp"
    environ = {"URL": "http://override/mcp"}
    handler = McpHandler(environ=environ, servers=servers)
    assert key(declared, handler).server == "http://override/mcp"
    environ["URL"] = "http://changed/mcp"
    assert key(declared, handler).server == "http://changed/mcp"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"mcp_server_url": "ftp://h/"},
        {"mcp_server_url": "no url"},
        {"mcp_server_url": "http://user:hunter22@h/mcp"},
        {"mcp_server_url": "http://"},
        {"mcp_server_url": "http://h/", "mcp_protocol_version": "1999-01-01"},
        {"mcp_command": "a\0b"},
    ],
)
def test_unusable_metadata_are_a_clear_error_without_secrets(metadata: dict[str, Any]) -> None:
    with pytest.raises(HostError) as caught:
        key(metadata)
    assert caught.value.code == "session/target"
    assert "hunter22" not in f"{caught.value} {caught.value.hint}"


def test_servers_are_told_apart_by_all_that_matters_to_them() -> None:
    one = {"mcp_server_url": "http://h/mcp"}
    assert key(one) == key(dict(one), None)
    different = [
        key(one),
        key({"mcp_server_url": "http://h/mcp?tenant=2"}),
        key({**one, "mcp_protocol_version": "2025-06-18"}),
        key({**one, "mcp_requires_session": "true"}),
        key(one, credential="a-secret"),
        key(one, principal="ann"),
        key({"mcp_command": "x"}),
        key({"mcp_command": "x", "mcp_args": ["y"]}),
        key({"mcp_command": "x", "mcp_env_A": "1"}),
    ]
    assert len(set(different)) == len(different)


def test_credentials_are_looked_for_under_the_named_variable_or_the_servers_or_the_general_one() -> None:
    names = McpHandler(environ={}).credential_env
    assert names({"mcp_auth_env_var": "GITHUB"}) == ("GITHUB",)
    assert names({"mcp_server_name": "my-server.1"}) == ("MY_SERVER_1_MCP_TOKEN", "MCP_AUTH_TOKEN")
    assert names({}) == ("MCP_AUTH_TOKEN",)


def test_the_grants_that_an_untrusted_declaration_needs() -> None:
    needs = McpHandler(environ={}).requirements
    metadata = {"mcp_server_url": "https://api.example.com/mcp", "mcp_auth_env_var": "A"}
    assert needs(metadata) == ("net:api.example.com", "env:A")
    assert needs({**metadata, "mcp_server_url_override_env": "B"}) == ("net:api.example.com", "env:A", "env:B")
    assert needs({"mcp_command": "npx", "mcp_args": ["-y"]}) == ("exec:npx",)


@pytest.mark.parametrize(
    "args",
    [
        ["--api-key", "hunter2222"],
        ["--token=hunter2222"],
        ["-y", "pkg", "hunter2222abcdefghijkl9"],
        ["--header", "hunter2222"],
    ],
)
def test_a_commands_label_hides_what_sounds_secret(args: list[str]) -> None:
    found = key({"mcp_command": "/usr/bin/npx", "mcp_args": args})
    assert "hunter2222" not in repr(found)
    assert found.label.startswith("npx ")


def test_arguments_may_be_one_string() -> None:
    assert key({"mcp_command": "npx", "mcp_args": "-y 'a b'"}).server == "npx -y a b"


@pytest.mark.parametrize(
    ("value", "header"),
    [("abc", "Bearer abc"), ("abc\n", "Bearer abc"), ("Basic eA==", "Basic eA=="), ("Bearer x", "Bearer x")],
)
def test_a_credential_is_a_bearer_token_unless_it_names_its_scheme(value: str, header: str) -> None:
    assert authorization(Credential(value)) == header


@pytest.mark.parametrize("value", ["", "  ", "a\nb: c", "tökén", "a\x00"])
def test_a_credential_that_no_header_can_carry_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(HostError) as caught:
        authorization(Credential(value, "TOKEN_VAR"))
    assert caught.value.code == "session/credential"
    assert "TOKEN_VAR" in caught.value.message
    assert not value.strip() or value not in caught.value.message


def test_secrets_show_in_no_repr_and_fingerprints_differ_by_process() -> None:
    credential = Credential("hunter2222", "VAR")
    call = SessionCall("x", {}, None, credential=credential)
    assert (
        "hunter" not in f"{credential} {credential!r} {call!r} {key({'mcp_url': 'http://h/'}, credential=credential)!r}"
    )
    assert credential.redact("a hunter2222 b") == "a *** b"
    assert Credential("Bearer hunter2222").redact("hunter2222") == "***"
    code = "from rtfs.capabilities.sessions.handler import fingerprint; print(fingerprint('hunter2222'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other
    assert other != fingerprint("hunter2222")
    assert fingerprint("a", "b") != fingerprint("ab", "")
    assert fingerprint(None) == ""


def test_foreign_text_becomes_one_safe_line() -> None:
    assert one_line("a\r\n\x1b[31mb\u202ec\t d") == "a [31mb c d"
    assert len(one_line("x" * 1000, 50)) == 50
