"""`rtfs doctor` says what is set up and what is missing, and shows no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfs.cli.main import main
from rtfs.testing.servers import Answer, McpServer

Captured = pytest.CaptureFixture[str]


def doctor(capsys: Captured, *arguments: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Exit code, and (state, text) of the findings by area."""
    code = main(["doctor", "--json", *arguments])
    answer = json.loads(capsys.readouterr().out)
    assert answer["fine"] == (code == 0)
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in answer["findings"]:
        found.setdefault(finding["area"], []).append((finding["state"], finding["text"]))
    return code, found


def test_without_anything_set_up_all_is_well(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, found = doctor(capsys)
    assert code == 0
    assert {"rtfs", "python", "packages", "cache", "history", "config", "policy", "capabilities"} <= set(found)
    assert "server" not in found


def test_a_configuration_that_is_not_named_is_pointed_out(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rtfs.yaml").write_text("allow: []\n")
    assert "--trust, or name it with --config rtfs.yaml" in doctor(capsys)[1]["config"][0][1]


def test_a_broken_configuration_is_told_with_its_place(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "rtfs.yaml").write_text("allwo: []\n")
    code, found = doctor(capsys, "--config", str(tmp_path / "rtfs.yaml"))
    assert code == 1
    assert found["config"][0][0] == "bad"
    assert "rtfs.yaml:1:1" in found["config"][0][1]


def declared(folder: Path, server: McpServer, more: str = "") -> str:
    path = folder / "caps.rtfs"
    path.write_text("\n".join([server.declaration, server.declaration.replace("example.tool", "example.other"), more]))
    return str(path)


def test_a_server_is_reached_once_and_its_era_told(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXAMPLE_MCP_TOKEN", "very-secret-token")
    with McpServer() as server:
        path = declared(tmp_path, server)
        code, found = doctor(capsys, "--load", path)
        assert code == 0
        assert found["server"] == [
            ("ok", f"mcp {server.url}: reachable, handshake era, revision 2025-06-18; 2 capabilities")
        ]
        assert found["credential"] == [("ok", f"mcp {server.url}: EXAMPLE_MCP_TOKEN is set")]
        assert server.requests.count("initialize") == 1
        assert server.requests[-1] == "DELETE"
        main(["doctor", "--load", path])
    shown = capsys.readouterr()
    assert "all is well" in shown.out
    assert "very-secret-token" not in shown.out + shown.err


def test_a_server_that_wants_a_credential_is_told_apart_from_one_that_is_away(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("EXAMPLE_MCP_TOKEN", "MCP_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with McpServer(initialize=Answer(401)) as server:
        path = declared(tmp_path, server)
        code, found = doctor(capsys, "--load", path)
        assert code == 1
        assert "session/unauthorized" in found["server"][0][1]
        assert "EXAMPLE_MCP_TOKEN or MCP_AUTH_TOKEN is not set" in found["credential"][0][1]
    code, found = doctor(capsys, "--load", path)
    assert code == 1
    assert "session/unavailable" in found["server"][0][1]


def test_metadata_that_names_no_server_is_told(capsys: Captured, tmp_path: Path) -> None:
    path = tmp_path / "caps.rtfs"
    path.write_text('(capability "lost" :metadata {:mcp {:requires_session "auto"}})')
    code, found = doctor(capsys, "--load", str(path))
    assert code == 1
    assert found["server"][0][1].startswith("lost: ")


def test_servers_that_only_a_configuration_names_are_tried_too(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_OF_NOBODY", raising=False)
    with McpServer() as server:
        config = tmp_path / "rtfs.yaml"
        config.write_text(
            f"mcp_servers:\n  here: {{url: {server.url!r}}}\n  away: {{command: no-such-command-here}}\n"
            '  lost: {url: "http://127.0.0.1:1/mcp", headers: {X: "${env:TEAM_OF_NOBODY}"}}\n'
        )
        code, found = doctor(capsys, "--config", str(config))
        assert code == 1
        states = {text.split(":")[0]: (state, text) for state, text in found["server"]}
        assert states["lost"][0] == states["mcp no-such-command-here"][0] == "bad"
        assert "TEAM_OF_NOBODY" in states["lost"][1]
        assert (
            "ok",
            f"mcp {server.url}: reachable, handshake era, revision 2025-06-18; none of its tools is declared",
        ) in (found["server"])
        assert "credential" not in found
        (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"here": {"url": server.url}}}))
        code, found = doctor(capsys, "--mcp-config", str(tmp_path / ".mcp.json"))
        assert (code, len(found["server"])) == (0, 1)
