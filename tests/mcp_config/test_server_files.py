"""Servers in `rtfs.yaml` and in `.mcp.json` files: what is read, what is resolved, what is refused and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rtfs
from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
from rtfs.capabilities.sessions.mcp.target import Target
from rtfs.host.files import read_source
from rtfs.testing.servers import McpServer


def table(folder: Path, text: str, **environ: str) -> ServerTable:
    path = folder / ".mcp.json"
    path.write_text(text, encoding="utf-8")
    found = ServerTable(environ)
    read_servers(read_source(path, "config/missing"), found)
    return found


def error_of(folder: Path, text: str) -> rtfs.UserError:
    """What is wrong with a file, or with the server `a` in it."""
    with pytest.raises(rtfs.UserError) as caught:
        table(folder, text)["a"]
    return caught.value


def test_both_spellings_with_comments_and_trailing_commas(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        '{ // VS Code\n "inputs": [], "servers": {"a": {"type": "http", "url": "https://x/${env:T}/mcp", /* b */},\n'
        ' "b": {"command": "npx", "args": ["-y", "${HOME:-/h}//x"], "env": {"K": "${input:api-key}"},},},}',
        T="me",
        API_KEY="k",
    )
    assert found["a"] == {"url": "https://x/me/mcp"}
    assert found["b"] == {"command": "npx", "args": ["-y", "/h//x"], "env": {"K": "k"}}
    assert list(table(tmp_path, '{"mcpServers": {"c": {"url": "http://x"}}}')) == ["c"]


@pytest.mark.parametrize("variable", ["${env:GONE}", "${GONE}", "${input:gone}"])
def test_a_variable_that_is_not_set_is_said_when_its_server_is_used(tmp_path: Path, variable: str) -> None:
    found = table(
        tmp_path, '{"mcpServers": {\n"good": {"url": "http://x"},\n"a": {"url": "http://x/V"}}}'.replace("V", variable)
    )
    assert found["good"] == {"url": "http://x"}
    with pytest.raises(rtfs.UserError) as caught:
        found["a"]
    assert caught.value.code == "config/variable"
    assert "GONE" in (caught.value.hint or "")
    assert caught.value.span is not None
    assert caught.value.span.line == 3


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('{"mcpServers": {\n"a": }}', "config/json", 2),
        ('{\n"mcpServers": []}', "config/invalid", 2),
        ("{}", "config/invalid", 1),
        ("[]", "config/invalid", 1),
    ],
)
def test_a_broken_file_is_shown_with_its_line(tmp_path: Path, text: str, code: str, line: int) -> None:
    error = error_of(tmp_path, text)
    assert error.code == code
    assert error.span is not None
    assert error.span.line == line


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('{"mcpServers": {"url": {"url": "http://x"},\n\n"a": {"url": "u", "command": "c"}}}', 3, "not both"),
        ('{"servers": {"url": {"command": "x", "args": ["{", "a"]},\n"a": {"args": []}}}', 2, "either url or command"),
        ('{"servers": {"url": {"url": "http://x"},\n"a": {"url": "http://x", "type": "ws"}}}', 2, "'ws'"),
        ('{"servers": {"url": {"url": "http://x"},\n"a": {"url": "http://x", "type": "stdio"}}}', 2, "needs command"),
        ('{"mcp": {"servers": {"url": {"url": "x"},\n"a": {"command": "c", "args": "x"}}}}', 2, "args is a list"),
        ('{"servers": {"url": {"url": "http://x"},\n"a": {"command": "c", "env": {"a": []}}}}', 2, "env is an object"),
        ('{"servers": {"url": {"url": "http://x"},\n"a": 3}}', 2, "object with url or command"),
        ('{"servers": {"url": {"url": "http://x"},\n"a": {"command": "c", "disabled": true}}}', 2, "is disabled"),
    ],
)
def test_an_entry_that_cannot_be_used_disables_itself_only(tmp_path: Path, text: str, line: int, says: str) -> None:
    found = table(tmp_path, text)
    assert list(found) == ["url", "a"]
    assert found["url"]
    assert found.problem("url") is None
    problem = found.problem("a")
    assert problem is not None
    with pytest.raises(rtfs.UserError) as caught:
        found["a"]
    for error in (problem, caught.value):
        assert error.code == ("config/disabled" if "disabled" in text else "config/invalid")
        assert says in error.message
        assert error.span is not None
        assert error.span.line == line


def test_the_spellings_of_editors(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text('# a comment\nexport A=1\nB="two words"\n')
    (tmp_path / ".cursor").mkdir()
    file = tmp_path / ".cursor" / "mcp.json"
    entry = {"type": "stdio", "command": "${workspaceFolder}/run", "envFile": "${workspaceFolder}/vars"}
    more = {"a": entry | {"env": {"A": "${userHome}"}}, "b": {"serverUrl": "http://x"}, "c": {"httpUrl": "http://y"}}
    file.write_text(json.dumps({"mcpServers": more}))
    found = ServerTable({})
    read_servers(read_source(file), found)
    home = str(Path.home())
    assert found["a"] == {"command": f"{tmp_path}/run", "env": {"A": home, "B": "two words"}}
    assert found["b"] == {"url": "http://x"}
    assert found["c"] == {"url": "http://y"}
    (tmp_path / "vars").unlink()
    with pytest.raises(rtfs.UserError) as caught:
        found["a"]
    assert caught.value.code == "config/missing"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        read_servers(read_source(tmp_path / "none.json", "config/missing"), ServerTable())
    assert caught.value.code == "config/missing"


def test_a_call_goes_to_the_server_that_the_configuration_names(tmp_path: Path) -> None:
    declared = (
        '(capability "mcp.one.tool" :metadata {:mcp {:server_name "one" :tool_name "tool" :requires_session "auto"}})'
    )
    (tmp_path / "one.rtfs").write_text(declared)
    with McpServer() as server, McpServer() as other:
        (tmp_path / "s.json").write_text(json.dumps({"mcpServers": {"one": {"url": other.url}}}))
        config = tmp_path / "rtfs.yaml"
        config.write_text(f"allow: ['mcp.*']\nload: [one.rtfs]\nmcp_servers: {{one: {{url: '{server.url}'}}}}\n")
        with rtfs.Runtime.from_config(config) as rt:
            rt.run('(call "mcp.one.tool" {})')
        assert "tools/call" in server.requests
        config.write_text("allow: ['mcp.*']\nload: [one.rtfs]\nmcp_files: [s.json]\n")
        with rtfs.Runtime.from_config(config) as rt:
            rt.run('(call "mcp.one.tool" {})')
        assert "tools/call" in other.requests


def test_a_file_that_nobody_named_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".mcp.json").write_text("broken")
    (tmp_path / "rtfs.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    with rtfs.Runtime.from_config("rtfs.yaml") as rt:
        assert rt.run("1") == 1


def test_a_plan_uses_configured_headers_only_with_a_grant(tmp_path: Path) -> None:
    with McpServer() as server:
        files = tmp_path / "s.json"
        entry = {"url": server.url, "headers": {"Authorization": "Bearer secret"}}
        files.write_text(json.dumps({"mcpServers": {"one": entry}}))
        (tmp_path / "rtfs.yaml").write_text("allow: ['mcp.*', 'net:127.0.0.1']\nmcp_files: [s.json]\n")
        plan = (
            '(capability "mcp.own.tool" :metadata {:mcp {:server_name "one" :tool_name "tool"'
            ' :requires_session "auto"}}) (call "mcp.own.tool" {})'
        )
        with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as rt, pytest.raises(rtfs.UserError) as caught:
            rt.run(plan)
        assert caught.value.code == "policy/denied"
        assert server.requests == []
        with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml", allow=["env:ONE_MCP_TOKEN"]) as rt:
            rt.run(plan)


@pytest.mark.parametrize(
    ("oauth", "found"),
    [
        ({}, {}),
        ({"grant": "authorization_code", "scopes": "a b"}, {"grant": "authorization_code", "scopes": ["a", "b"]}),
        ({"client_id": "https://me.example/client.json"}, {"client_id": "https://me.example/client.json"}),
        ({"clientId": "me", "callbackPort": 80}, {"client_id": "me", "redirect_uri": "http://localhost:80/callback"}),
    ],
)
def test_oauth_of_a_login_is_read(tmp_path: Path, oauth: dict[str, object], found: dict[str, object]) -> None:
    text = json.dumps({"mcpServers": {"a": {"url": "https://x/mcp", "oauth": oauth}}})
    assert table(tmp_path, text)["a"]["oauth"] == found


@pytest.mark.parametrize(
    ("oauth", "why"),
    [
        ([], "is an object"),
        ({"grant": "password"}, "authorization_code or client_credentials"),
        ({"grant": "client_credentials", "client_id": "me"}, "client_secret_env"),
        ({"grant": "client_credentials", "client_id": "me", "client_secret_env": "S"}, "needs oauth.issuer"),
        ({"client_id": "me", "client_secret_env": "S"}, "needs oauth.issuer"),
        ({"client_secret_env": "S", "issuer": "https://as"}, "needs oauth.client_id"),
        ({"client_id": 7}, "is a text"),
        ({"scopes": [1]}, "list of texts"),
        ({"client_auth": "none"}, "client_secret_basic"),
        ({"redirect_uri": "http://evil.example:80/callback"}, "127.0.0.1"),
        ({"redirect_uri": "https://localhost:80/callback"}, "127.0.0.1"),
        ({"secret": "x"}, "does not know 'secret'"),
    ],
)
def test_oauth_that_cannot_work_is_said(tmp_path: Path, oauth: object, why: str) -> None:
    error = error_of(tmp_path, json.dumps({"mcpServers": {"a": {"url": "https://x/mcp", "oauth": oauth}}}))
    assert error.code == "config/invalid"
    assert why in f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("override", "kept"),
    [
        (None, True),
        ("https://x/mcp", True),
        ("https://X:443/other", True),
        ("https://evil.example/mcp", False),
        ("http://x/mcp", False),
        ("https://x:8443/mcp", False),
    ],
)
def test_headers_and_oauth_do_not_follow_an_override_to_another_origin(override: str | None, kept: bool) -> None:
    fields = {"url": "https://x/mcp", "headers": {"Authorization": "Bearer secret"}, "oauth": {"client_id": "me"}}
    target = Target({"server_name": "a", **fields}, override, configured=True)
    assert target.headers == (fields["headers"] if kept else {})
    assert target.oauth == (fields["oauth"] if kept else None)


def test_a_header_does_not_reach_the_override_of_another_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with McpServer() as server, McpServer() as other:
        entry = {"url": server.url, "headers": {"X-Secret": "for-the-configured-one"}}
        declared = (
            '(capability "mcp.one.tool" :metadata {:mcp {:server_name "one" :tool_name "tool" :requires_session "auto"'
            ' :server_url_override_env "ELSEWHERE"}})'
        )
        (tmp_path / "one.rtfs").write_text(declared)
        settings = {"allow": ["mcp.*"], "load": ["one.rtfs"], "mcp_servers": {"one": entry}}
        (tmp_path / "rtfs.yaml").write_text(json.dumps(settings))
        for override, asked, seen in ((other.url, other, None), (server.url, server, "for-the-configured-one")):
            monkeypatch.setenv("ELSEWHERE", override)
            with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as rt:
                rt.run('(call "mcp.one.tool" {})')
            assert {headers.get("x-secret") for headers in asked.headers} == {seen}
