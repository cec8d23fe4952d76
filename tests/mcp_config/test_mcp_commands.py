"""`rtfs mcp`: all servers at once, one server or tool for people, imports of all, what has changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtfs.testing.servers import Answer, McpServer
from tests.mcp_config.test_without_import import cli, tool

STDIO = """
import json, os, sys
if "TOKEN" not in os.environ:
    print("set TOKEN", file=sys.stderr)
    sys.exit(3)
for line in sys.stdin:
    asked = json.loads(line)
    known = {"initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}},
             "tools/list": {"tools": [{"name": os.environ["TOKEN"], "inputSchema": {}}]}}.get(asked["method"])
    answer = {"result": known} if known else {"error": {"code": -32601, "message": "no"}}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
"""


@pytest.fixture
def server() -> Iterator[McpServer]:
    greeting = {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "everything", "version": "7", "title": "All \x1b[2Jof it"},
        "instructions": "Call echo first.\x1b[2J",
    }
    made = McpServer(initialize=Answer(result=greeting, headers={"Mcp-Session-Id": "one"}))
    hints = {"readOnlyHint": True, "destructiveHint": False}
    made.answers["tools/list"] = Answer(
        result={"tools": [tool("echo", title="Echo", annotations=hints), tool("other")]}
    )
    with made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, server: McpServer) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    entries = {
        "one": {"url": server.url},
        "two": {"url": server.url + "?two"},
        "old": {"url": "x", "type": "ws"},
        "off": {"command": "no-such-command", "disabled": True},
    }
    (work / ".mcp.json").write_text(json.dumps({"mcpServers": entries}))
    assert cli(work, "mcp", "list", "--trust")[0] == 0
    return work


def test_all_servers_are_listed_with_what_is_wrong_with_some(folder: Path) -> None:
    code, out, _ = cli(folder, "mcp", "list")
    assert code == 0
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert list(lines) == ["one", "two", "old", "off"]
    assert lines["one"].startswith("2 tools")
    assert "'ws' is not supported" in lines["old"]
    assert lines["off"].startswith("disabled")
    found = json.loads(cli(folder, "mcp", "list", "--json")[1])
    assert [one["server"] for one in found] == ["one", "two", "old", "off"]
    assert found[0]["tools"][0]["name"] == "echo"
    assert found[2]["error"]["code"] == "config/invalid"


def test_no_server_at_all_is_a_usage_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    code, _, err = cli(tmp_path / "work", "mcp", "list")
    assert code == 2
    assert "write a .mcp.json" in err
    code, _, err = cli(tmp_path / "work", "mcp", "list", "one")
    assert code == 2
    assert "--mcp-config FILE" in err


def test_a_server_is_shown_with_its_instructions(folder: Path) -> None:
    code, out, _ = cli(folder, "mcp", "show", "one")
    assert code == 0
    assert "everything 7" in out
    assert "Call echo first." in out
    assert "Says it again." in out
    assert "\x1b" not in out


@pytest.mark.parametrize("name", ["one.echo", "mcp.one.echo"])
def test_a_tool_is_shown_with_a_command_that_calls_it(folder: Path, name: str) -> None:
    code, out, _ = cli(folder, "mcp", "show", name)
    assert code == 0
    for said in ("mcp.one.echo", "Echo", "message  a string", "count  ", "only reads", "rtfs call one.echo message=…"):
        assert said in out
    code, _, err = cli(folder, "mcp", "show", "one.eco")
    assert code == 2
    assert "did you mean echo?" in err


def test_all_servers_are_imported_into_folders_and_loaded_from_below(folder: Path, server: McpServer) -> None:
    code, out, err = cli(folder, "mcp", "import", "-o", "tools")
    assert code == 1  # one of them cannot be used
    assert "old: config/invalid" in err
    assert "off" not in err
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*.rtfs")) == [
        "tools/one/echo.rtfs", "tools/one/other.rtfs", "tools/two/echo.rtfs", "tools/two/other.rtfs",
    ]  # fmt: skip
    assert out.count("new ") == 4
    (folder / "rtfs.yaml").write_text("load: [tools]\nallow: ['mcp.*']\nmcp_files: [.mcp.json]\n")
    plan = '[(call "mcp.one.echo" {:message "a"}) (call "mcp.two.echo" {:message "b"})]'
    assert cli(folder, "run", "--config", "rtfs.yaml", "-e", plan)[0] == 0


def test_declarations_of_tools_that_are_gone_are_deleted_with_prune_only(folder: Path, server: McpServer) -> None:
    words = ("mcp", "import", "one", "-o", "tools")
    assert cli(folder, *words)[0] == 0
    (folder / "tools" / "mine.rtfs").write_text("(def mine 1)")
    server.answers["tools/list"] = Answer(result={"tools": [tool("other")]})
    code, out, err = cli(folder, *words)
    assert code == 0
    assert "gone       tools/echo.rtfs" in out
    assert "--prune" in err
    assert (folder / "tools" / "echo.rtfs").exists()
    assert "deleted    tools/echo.rtfs" in cli(folder, *words, "--prune")[1]
    assert sorted(file.name for file in (folder / "tools").iterdir()) == ["mine.rtfs", "other.rtfs"]


def test_an_import_into_a_folder_that_is_loaded_does_not_ask_again(folder: Path, server: McpServer) -> None:
    (folder / "rtfs.yaml").write_text("load: [tools]\nallow: ['mcp.*']\n")
    (folder / "tools").mkdir()
    assert cli(folder, "mcp", "import", "one", "-o", "tools", "--trust")[0] == 0
    assert cli(folder, "run", "-e", '(call "mcp.one.echo" {:message "a"})')[0] == 0
    (folder / "tools" / "echo.rtfs").write_text("(def echo 1)")
    assert cli(folder, "run", "-e", "1")[0] == 2


def test_what_has_changed_is_shown_and_accepted(folder: Path, server: McpServer) -> None:
    assert "nothing is pinned yet" in cli(folder, "mcp", "diff", "one")[1]
    assert cli(folder, "call", "one.echo", "message=a")[0] == 0
    assert cli(folder, "mcp", "diff", "one")[:2] == (0, "one: as pinned\n")
    hints = {"readOnlyHint": False, "destructiveHint": True}
    changed = tool("echo", title="Echo", annotations=hints, description="Burns it.")
    server.answers["tools/list"] = Answer(result={"tools": [changed, tool("newer")]})
    code, _, err = cli(folder, "call", "one.echo", "message=a")
    assert code == 1
    assert "capability/changed" in err
    assert '"Says it again." → "Burns it."' in err
    assert "rtfs mcp diff one" in err
    code, out, _ = cli(folder, "mcp", "diff", "one")
    assert code == 1
    assert "annotations.readOnlyHint: true → false" in out
    assert "one.other: gone" in out
    assert "one.newer: new" in out
    [data] = json.loads(cli(folder, "mcp", "diff", "one", "--json")[1])
    assert [one["state"] for one in data["changes"]] == ["changed", "gone", "new"]
    assert cli(folder, "mcp", "diff", "one", "--accept")[0] == 0
    assert cli(folder, "call", "one.echo", "message=a")[0] == 0


def test_a_command_gets_the_variables_that_are_named_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "server.py").write_text(STDIO)
    command = ("--", sys.executable, "server.py")
    code, _, err = cli(folder, "mcp", "list", *command)
    assert code == 1
    assert "set TOKEN" in err
    assert cli(folder, "mcp", "list", "--env", "TOKEN=mine", *command)[1] == "mine\n"
    assert cli(folder, "mcp", "list", "--env", "TOKEN", *command, TOKEN="ours")[1] == "ours\n"
    code, _, err = cli(folder, "mcp", "import", "--env", "TOKEN=secret-word", "-o", "tools", *command)
    assert code == 0
    assert "TOKEN is not kept" in err
    [file] = (folder / "tools").iterdir()
    assert ":env" not in file.read_text()
    assert cli(folder, "mcp", "list", "--env", "=x", *command)[0] == 2
    code, _, err = cli(folder, "mcp", "list", "--env", "TOKEN=a", "--env", "TOKEN=b", *command)
    assert (code, "--env gives TOKEN more than once" in err) == (2, True)
