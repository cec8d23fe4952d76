"""Servers in `rtfs.yaml` and in `.mcp.json` files: what is read, what is resolved, what is refused and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rtfs
from rtfs.host.mcp_servers import ServerTable, read_servers
from rtfs.testing.servers import McpServer


def table(folder: Path, text: str, **environ: str) -> ServerTable:
    path = folder / ".mcp.json"
    path.write_text(text, encoding="utf-8")
    found = ServerTable(environ)
    read_servers(path, found)
    return found


def error_of(folder: Path, text: str) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        table(folder, text)
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
        ('{"mcpServers": {"url": {"url": "http://x"},\n\n"a": {"url": "u", "command": "c"}}}', "config/invalid", 3),
        ('{"servers": {"b": {"command": "x", "args": ["{", "a"]},\n"a": {"args": []}}}', "config/invalid", 2),
        ('{"servers": {\n"a": {"url": "http://x", "type": "sse"}}}', "config/invalid", 2),
        ('{"servers": {\n"a": {"command": "c", "args": "x"}}}', "config/invalid", 2),
        ('{"servers": {\n"a": {"command": "c", "env": {"a": []}}}}', "config/invalid", 2),
    ],
)
def test_a_broken_file_is_shown_with_its_line(tmp_path: Path, text: str, code: str, line: int) -> None:
    error = error_of(tmp_path, text)
    assert error.code == code
    assert error.span is not None
    assert error.span.line == line


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        read_servers(tmp_path / "none.json", ServerTable())
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
