"""`rtfs mcp list` and `rtfs mcp import`: declarations of tools, from servers that need not be trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.mcp.tool_declarations import declarations, safe_name
from rtfs.capabilities.sessions.mcp.tools import tool_hash
from rtfs.testing.servers import Answer, McpServer

HOSTILE = 'x"]) (call "evil" {})\n;\x1b[2J\u202e\x00\\" #_ ^{:a 1} ~@y \u2028 \x85'
STDIO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    known = {"initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}},
             "tools/list": {"tools": [{"name": "t", "inputSchema": {}}]}}.get(asked["method"])
    answer = {"result": known} if known else {"error": {"code": -32601, "message": "no"}}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
"""


def cli(*words: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "rtfs", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def server_of(*tools: dict[str, Any]) -> McpServer:
    server = McpServer()
    server.answers["tools/list"] = Answer(result={"tools": list(tools)})
    return server


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **more}


def loaded(text: str) -> dict[str, Any]:
    with rtfs.Runtime() as rt:
        before = set(rt.capabilities)
        rt.load(text)
        return {id: manifest for id, manifest in rt.capabilities.items() if id not in before}


@pytest.mark.parametrize("place", ["name", "description", "property", "enum", "pattern", "url"])
def test_whatever_a_server_says_stands_in_the_file_as_data(place: str) -> None:
    said = tool(HOSTILE if place == "name" else "t", description=HOSTILE if place == "description" else "d")
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"][HOSTILE if place == "property" else "p"] = (
        {"enum": [HOSTILE]}
        if place == "enum"
        else {"type": "string", "pattern": HOSTILE if place == "pattern" else "a"}
    )
    said["inputSchema"] = schema
    target = {"server_url": "http://x/" + (HOSTILE if place == "url" else "")}
    [made] = declarations([said], HOSTILE, target, [])
    assert all(c == "\n" or c.isprintable() for c in made.text)
    [(id, manifest)] = loaded(made.text).items()
    assert id == made.id
    assert made.file == safe_name(made.file)
    assert "\x1b" not in manifest.description
    assert manifest.flat_metadata["mcp_tool_name"] == said["name"]
    assert manifest.flat_metadata["mcp_server_url"] == target["server_url"]
    assert manifest.flat_metadata["mcp_tool_hash"] == tool_hash(said)


def test_names_of_files_are_safe_and_all_different() -> None:
    names = ["../../etc/passwd", "a/b", "a_b", "A_B", ".hidden", "con", "-rf", "", "\ud800", "é", "x" * 500, "a/b"]
    made = declarations([tool(name) for name in names], "s", {"server_name": "s"}, notes := [])
    files = [one.file for one in made]
    assert len({file.casefold() for file in files}) == len(files) == 9
    assert all("/" not in file and file[0] not in ".-" and len(file) < 120 and file.isascii() for file in files)
    assert "con.rtfs" not in files
    assert len(notes) == 3


def test_schema_hash_and_idempotence_are_written() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}
    read = tool("read", annotations={"readOnlyHint": True}) | {"inputSchema": schema}
    one, two = declarations([read, tool("write")], "s", {"server_name": "s"}, [])
    manifest = loaded(one.text)["mcp.s.read"]
    assert manifest.idempotent is True
    assert rtfs.to_text(manifest.input_schema) == "{:a :int :b? :string}" or ":a :int" in one.text
    assert not loaded(two.text)["mcp.s.write"].idempotent


def test_import_call_change_and_import_again(tmp_path: Path) -> None:
    out = tmp_path / "tools"
    with server_of(tool("t", description="one")) as server:
        code, said, err = cli("mcp", "import", server.url, "-o", str(out), "--name", "s")
        assert (code, err) == (0, "")
        assert "mcp.s.t" in said
        call = ("call", "mcp.s.t", "{}", "--load", str(out), "--allow", "mcp.s.*")
        assert cli(*call)[0] == 0
        server.answers["tools/list"] = Answer(result={"tools": [tool("t", description="two")]})
        code, _, err = cli(*call)
        assert code == 1
        assert "capability/changed" in err
        code, _, err = cli("mcp", "import", server.url, "-o", str(out), "--name", "s")
        assert code == 2
        assert "file/exists" in err
        assert cli("mcp", "import", server.url, "-o", str(out), "--name", "s", "--force")[0] == 0
        assert cli(*call)[0] == 0


def test_two_servers_with_a_tool_of_one_name_are_told_to_use_two_folders(tmp_path: Path) -> None:
    with server_of(tool("t")) as server:
        into = ("mcp", "import", server.url, "-o", str(tmp_path), "--name")
        assert cli(*into, "one")[0] == 0
        code, _, err = cli(*into, "two")
        assert code == 2
        assert "a separate folder" in err
        assert "--force" not in err


def test_a_link_in_the_folder_is_replaced_never_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "t.rtfs").symlink_to(precious)
    with server_of(tool("t")) as server:
        assert cli("mcp", "import", server.url, "-o", str(tmp_path / "out"), "--force")[0] == 0
    assert precious.read_text() == "mine"
    assert not (tmp_path / "out" / "t.rtfs").is_symlink()


def test_list_shows_a_line_each_without_control_characters(tmp_path: Path) -> None:
    with server_of(tool("t", description=HOSTILE), tool("u\x1b[2J")) as server:
        (tmp_path / "m.json").write_text(json.dumps({"mcpServers": {"s": {"url": server.url}}}))
        code, out, _ = cli("mcp", "list", "s", "--mcp-config", str(tmp_path / "m.json"))
        assert code == 0
        assert len(out.splitlines()) == 2
        assert all(c == "\n" or c.isprintable() for c in out)
        code, out, _ = cli("mcp", "list", server.url, "--json")
        assert [one["name"] for one in json.loads(out)] == ["t", "u\x1b[2J"]
        assert "\x1b" not in out


def test_a_command_after_two_dashes_is_a_server(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(STDIO)
    server = [sys.executable, str(tmp_path / "server.py")]
    code, out, err = cli("mcp", "list", "--", *server)
    assert (code, err) == (0, "")
    assert out
    code, _, err = cli("mcp", "import", "-o", str(tmp_path), "--name", "s", "--", *server)
    assert code == 0, err
    assert all(loaded(path.read_text()) for path in tmp_path.glob("*.rtfs"))


@pytest.mark.parametrize("words", [["list"], ["list", "nobody"], ["import", "http://x"], ["list", "x", "--", "y"]])
def test_usage_is_exit_code_2(words: list[str]) -> None:
    assert cli("mcp", *words)[0] == 2
