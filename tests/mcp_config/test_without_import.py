"""Tools of configured servers without an import: found, trusted once, listed when needed, pinned at first use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.mcp.server_files import ServerTable
from rtfs.testing.servers import Answer, McpServer
from tests.cli.typing_at import Typist

SCHEMA = {
    "type": "object",
    "properties": {
        "message": {"type": "string"},
        "count": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"type": "object", "properties": {"zip": {"type": "string"}, "floor": {"type": "integer"}}},
    },
    "required": ["message"],
}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "Says it again.", "inputSchema": SCHEMA, **more}


@pytest.fixture
def server() -> Iterator[McpServer]:
    made = McpServer()
    made.answers["tools/list"] = Answer(result={"tools": [tool("echo"), tool("other")]})
    with made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, server: McpServer) -> Path:
    """A folder with a `.mcp.json`, and a state folder of its own beside it."""
    work = tmp_path / "work"
    work.mkdir()
    (work / ".mcp.json").write_text(json.dumps({"mcpServers": {"everything": {"url": server.url}}}))
    return work


def cli(folder: Path, *words: str, **environ: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "rtfs", *words],
        cwd=folder,
        env={**os.environ, "XDG_STATE_HOME": str(folder.parent / "state"), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_one_command_from_a_file_of_servers_to_the_first_tool_call(folder: Path, server: McpServer) -> None:
    code, out, err = cli(folder, "call", "everything.echo", "message=hi", "--trust")
    assert code == 0, err
    assert out
    assert "2 tools of everything pinned" in err
    [called] = server.calls
    assert (called["name"], called["arguments"]) == ("echo", {"message": "hi"})
    code, _, err = cli(
        folder, "run", "--allow", "mcp.everything.*", "-e", '(call "mcp.everything.other" {:message "x"})'
    )
    assert (code, err) == (0, "")


def test_without_a_yes_nothing_is_asked_or_started(folder: Path, server: McpServer) -> None:
    code, out, err = cli(folder, "call", "everything.echo", "message=hi")
    assert (code, out) == (2, "")
    assert "config/untrusted" in err
    assert "--trust" in err
    assert server.requests == []
    assert cli(folder, "run", "-e", "(+ 1 2)") == (0, "3\n", "")
    assert cli(folder, "call", "everything.echo", "message=hi", "--trust")[0] == 0
    assert cli(folder, "call", "everything.echo", "message=hi")[0] == 0


def test_files_of_editors_are_found_too(folder: Path, server: McpServer) -> None:
    entry = {"type": "http", "url": server.url}
    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "mcp.json").write_text(
        "{// servers of this workspace\n"
        + f'"servers": {json.dumps({"shop": entry, "both": entry})}, "inputs": []'
        + "}"
    )
    (folder / ".cursor").mkdir()
    (folder / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"both": {"command": "cursor-server"}}}))
    code, _, err = cli(folder, "call", "shop.echo", "message=hi")
    assert code == 2
    assert ".mcp.json, .cursor/mcp.json and .vscode/mcp.json in this folder are not trusted yet" in err
    code, out, _ = cli(folder, "mcp", "list", "--trust")
    assert [line.split()[0] for line in out.splitlines()] == ["everything", "both", "shop"]
    assert "cursor-server" in out, "the first file that names a server counts"
    assert cli(folder, "call", "shop.echo", "message=hi")[0] == 0
    (folder / ".cursor" / "mcp.json").write_text("{")
    assert cli(folder, "call", "shop.echo", "message=hi")[0] == 2, "its contents have changed"


@pytest.mark.parametrize("configured", [False, True])
def test_a_file_that_is_wrong_leaves_the_other_files_usable(folder: Path, server: McpServer, configured: bool) -> None:
    (folder / ".cursor").mkdir()
    (folder / ".cursor" / "mcp.json").write_text('{"mcpServers": ')
    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "mcp.json").write_text('{"inputs": []}')
    if configured:
        (folder / "rtfs.yaml").write_text("allow: ['mcp.*']\n")
    code, _, err = cli(folder, "call", "everything.echo", "message=hi", "--trust")
    assert code == 0, err
    _, out, err = cli(folder, "mcp", "list")
    assert "everything" in out
    assert ".cursor/mcp.json" in out + err
    assert "this is not JSON" in out + err


def test_at_a_terminal_a_person_is_asked_once(folder: Path, server: McpServer) -> None:
    state = str(folder.parent / "state")
    call = ("call", "everything.echo", "message=hi")
    with Typist(*call, folder=folder, XDG_STATE_HOME=state) as person:
        person.wait("use them, until they change? [y]es, [n]o: ")
        assert os.path.realpath(folder / ".mcp.json") in person.shown
        assert f"server    everything  {server.url}" in person.shown
        assert server.requests == []
        person.type("n\n")
        assert person.end() == 2
    assert "config/untrusted" in person.shown
    assert server.requests == []
    with Typist(*call, folder=folder, XDG_STATE_HOME=state) as person:
        person.wait("use them, until they change? [y]es, [n]o: ")
        person.type("y\n")
        assert person.end() == 0
    assert "2 tools of everything pinned" in person.shown
    for words in (call, ("mcp", "list")):
        with Typist(*words, folder=folder, XDG_STATE_HOME=state) as person:
            assert person.end() == 0
        assert "use them" not in person.shown
    file = folder / ".mcp.json"
    file.write_text(file.read_text() + "\n")
    with Typist(*call, folder=folder, XDG_STATE_HOME=state) as person:
        person.wait("use them, until they change? [y]es, [n]o: ")
        person.type("\x04")
        assert person.end() == 2


def test_changed_contents_ask_again(folder: Path) -> None:
    assert cli(folder, "call", "everything.echo", "message=hi", "--trust")[0] == 0
    file = folder / ".mcp.json"
    file.write_text(file.read_text() + "\n")
    code, _, err = cli(folder, "call", "everything.echo", "message=hi")
    assert code == 2
    assert "config/untrusted" in err


def test_a_configuration_that_was_found_is_trusted_with_what_it_loads(folder: Path, server: McpServer) -> None:
    (folder / "tools").mkdir()
    (folder / "tools" / "one.rtfs").write_text("(def answer 42)")
    (folder / "rtfs.yaml").write_text("load: [tools]\nallow: ['mcp.everything.*']\n")
    program = ("run", "-e", '(do (call "mcp.everything.echo" {:message "hi"}) answer)')
    code, _, err = cli(folder, *program)
    assert code == 2
    assert "rtfs.yaml and .mcp.json" in err
    assert cli(folder, *program, "--trust")[:2] == (0, "42\n")
    assert cli(folder, *program)[:2] == (0, "42\n")
    (folder / "tools" / "one.rtfs").write_text("(def answer 43)")
    assert cli(folder, *program)[0] == 2
    assert cli(folder, *program, "--config", "rtfs.yaml", "--mcp-config", ".mcp.json")[:2] == (0, "43\n")


def test_a_variable_names_the_configuration_or_switches_the_search_off(folder: Path) -> None:
    (folder / "rtfs.yaml").write_text("allow: ['mcp.*']\nmcp_files: [.mcp.json]\n")
    call = ("run", "-e", '(call "mcp.everything.echo" {:message "hi"})')
    assert cli(folder, *call, RTFS_CONFIG="rtfs.yaml")[0] == 0
    code, _, err = cli(folder, *call, RTFS_CONFIG="")
    assert code == 1
    assert "capability/unknown" in err


def test_check_asks_nobody_and_starts_nothing(folder: Path, server: McpServer) -> None:
    (folder / "rtfs.yaml").write_text("allow: ['mcp.everything.*']\n")
    (folder / "plan.rtfs").write_text('(call "mcp.everything.echo" {:message "hi"})')
    code, _, err = cli(folder, "check", "plan.rtfs")
    assert "not trusted" in err
    assert code == 0
    named = ("--policy", "--mcp-config", ".mcp.json", "plan.rtfs", "--config")
    code, out, _ = cli(folder, "check", *named, "rtfs.yaml")
    assert code == 0
    assert out.startswith("plan.rtfs:1:1: allow    mcp.everything.echo: granted")
    assert server.requests == []


def test_a_call_that_is_denied_reaches_no_server(folder: Path, server: McpServer) -> None:
    call = ("run", "--mcp-config", ".mcp.json", "-e", '(call "mcp.everything.echo" {:message "hi"})')
    code, _, err = cli(folder, *call)
    assert code == 3
    assert "--allow mcp.everything.echo" in err
    assert server.requests == []


def test_a_tool_that_changes_is_noticed_in_a_later_run(folder: Path, server: McpServer) -> None:
    call = ("call", "everything.echo", "message=hi", "--mcp-config", ".mcp.json")
    assert cli(folder, *call)[0] == 0
    server.answers["tools/list"] = Answer(result={"tools": [tool("echo", description="Sends it away.")]})
    code, _, err = cli(folder, *call)
    assert code == 1
    assert "capability/changed" in err


def test_a_tool_that_a_server_adds_is_found_and_an_unknown_one_is_said(folder: Path, server: McpServer) -> None:
    named = ("--mcp-config", ".mcp.json")
    assert cli(folder, "call", "everything.echo", "message=hi", *named)[0] == 0
    server.answers["tools/list"] = Answer(result={"tools": [tool("echo"), tool("other"), tool("newer")]})
    code, _, err = cli(folder, "call", "everything.newer", "message=hi", *named)
    assert code == 0
    assert "1 tool of everything pinned" in err
    code, _, err = cli(folder, "call", "everything.eco", "message=hi", *named)
    assert code == 1
    assert 'did you mean "mcp.everything.echo"?' in err


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["message=hi"], {"message": "hi"}),
        (["message=5", "count=5"], {"message": "5", "count": 5}),
        (["message=true"], {"message": "true"}),
        (["message=a", "tags=x"], {"message": "a", "tags": ["x"]}),
        (["message=a", "tags=x", "tags=y"], {"message": "a", "tags": ["x", "y"]}),
        (["message=a", 'tags:=["x"]'], {"message": "a", "tags": ["x"]}),
        (["message=a", "where.zip=00123", "where.floor=2"], {"message": "a", "where": {"zip": "00123", "floor": 2}}),
        (["message=a=b"], {"message": "a=b"}),
        (["message=@text"], {"message": "from a file"}),
        (['{"message": "hi"}'], {"message": "hi"}),
    ],
)
def test_arguments_are_read_as_the_schema_says(
    folder: Path, server: McpServer, words: list[str], arguments: dict[str, Any]
) -> None:
    (folder / "text").write_text("from a file")
    code, _, err = cli(folder, "call", "everything.echo", "--mcp-config", ".mcp.json", *words)
    assert code == 0, err
    [called] = server.calls
    assert called["arguments"] == arguments


def test_arguments_that_make_no_sense_are_a_usage_error(folder: Path) -> None:
    code, _, err = cli(folder, "call", "everything.echo", "--mcp-config", ".mcp.json", "message=a", "nonsense")
    assert code == 2
    assert "'nonsense' is not an argument" in err
    code, _, err = cli(folder, "call", "everything.echo", "--mcp-config", ".mcp.json", "message=a", "message=b")
    assert (code, "message is given more than once" in err) == (2, True)
    assert "hint: give it once: it is a string" in err


def test_an_embedder_gets_the_tools_of_its_servers_too(server: McpServer, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    table = ServerTable()
    table.put("everything", {"url": server.url})
    with rtfs.Runtime(["mcp.everything.*"], handlers={"mcp": {"servers": table}}) as rt:
        rt.run('(call "mcp.everything.echo" {:message "hi"})')
        assert "mcp.everything.other" in rt.capabilities
        assert len(rt.warnings) == 1
    with rtfs.Runtime(["mcp.everything.*"], handlers={"mcp": {"servers": table}}) as rt:
        assert rt.capabilities["mcp.everything.echo"].description == "Says it again."
        with pytest.raises(rtfs.UserError) as caught:
            rt.run('(call "mcp.everything.echo" {:message 5})')
        assert caught.value.code == "type/mismatch"
        assert rt.warnings == []


def test_many_calls_at_once_ask_a_server_once(server: McpServer, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    table = ServerTable()
    table.put("everything", {"url": server.url})
    with rtfs.Runtime(["mcp.*"], handlers={"mcp": {"servers": table}}) as rt:
        call = '(call "mcp.everything.echo" {:message "hi"})'
        rt.run(f"(step-parallel {' '.join([call] * 8)})")
    assert server.requests.count("tools/list") == 1
    assert server.requests.count("tools/call") == 8


def test_a_damaged_pin_file_is_begun_anew(folder: Path, server: McpServer) -> None:
    call = ("call", "everything.echo", "message=hi", "--mcp-config", ".mcp.json")
    assert cli(folder, *call)[0] == 0
    [file] = (folder.parent / "state" / "rtfs" / "pins").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("{")
    code, _, err = cli(folder, *call)
    assert code == 0
    assert "pinned" in err


def test_a_server_is_added_while_the_runtime_lives(server: McpServer, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with rtfs.Runtime(["mcp.*"]) as rt:
        assert dict(rt.servers) == {}
        rt.add_server("one", url=server.url)
        assert server.requests == []
        assert rt.servers["one"].tools == ()
        rt.run('(call "mcp.one.echo" {:message "hi"})')
        assert rt.servers["one"].tools == ("mcp.one.echo", "mcp.one.other")
        rt.add_server("two", url=server.url)
        rt.run('(call "mcp.two.other" {:message "hi"})')
        assert list(rt.servers) == ["one", "two"]
        for entry in ({"url": "http://x"}, {}):
            with pytest.raises(rtfs.UserError) as caught:
                rt.add_server("one" if entry else "three", **entry)
            assert caught.value.code == "config/invalid"


def test_resources_of_a_configured_server_are_listed_without_import(folder: Path, server: McpServer) -> None:
    greeting = {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}, "resources": {}},
        "serverInfo": {"name": "everything", "version": "7"},
    }
    server.answers["initialize"] = Answer(result=greeting)
    server.answers["resources/list"] = Answer(result={"resources": [{"uri": "note://1", "name": "one"}]})
    named = ("--mcp-config", ".mcp.json")
    assert cli(folder, "call", "everything.resources/list", *named)[:2] == (0, '[{:uri "note://1" :name "one"}]\n')
    plan = '(call "mcp.everything.resources/list" {})'
    assert cli(folder, "run", *named, "-e", plan)[0] == 3
    assert cli(folder, "run", *named, "--allow", "mcp.everything.resources/*", "-e", plan)[0] == 0
    assert "resources/read" in cli(folder, "mcp", "show", "everything", *named)[1]
    assert cli(folder, "mcp", "import", "everything", "--all", "-o", "tools", *named)[0] == 0
    assert "resources_list.rtfs" in [file.name for file in (folder / "tools").iterdir()]


def test_commands_in_hints_name_the_configuration_that_was_named(folder: Path, server: McpServer) -> None:
    (folder / ".mcp.json").rename(folder / "my servers.json")
    named = ("--mcp-config", "my servers.json")
    code, _, err = cli(folder, "call", "everything.echo", "message=hi", *named)
    assert code == 0
    assert "`rtfs mcp diff everything --mcp-config 'my servers.json'`" in err
    assert cli(folder, "mcp", "diff", "everything", *named)[0] == 0
    server.answers["tools/list"] = Answer(result={"tools": [tool("echo", description="Else.")]})
    code, _, err = cli(folder, "call", "everything.echo", "message=hi", *named)
    assert code == 1
    assert "`rtfs mcp diff everything --mcp-config 'my servers.json'`" in err


def test_a_replay_and_a_finished_run_ask_no_server(folder: Path, server: McpServer) -> None:
    named = ("--mcp-config", ".mcp.json", "--allow", "mcp.*")
    plan = '(call "mcp.everything.echo" :message "hi")'
    code, out, err = cli(folder, "run", *named, "--record", "calls.json", "-e", plan)
    assert code == 0, err
    assert cli(folder, "run", *named, "--durable", "--run-id", "one", "-e", plan)[:2] == (0, out)
    for file in (folder.parent / "state" / "rtfs" / "pins").iterdir():
        file.unlink()
    before = len(server.requests)
    assert cli(folder, "run", *named, "--replay", "calls.json", "-e", plan)[:2] == (0, out)
    assert cli(folder, "resume", "one")[:2] == (0, out)
    assert len(server.requests) == before
