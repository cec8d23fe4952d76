"""What the command says about servers: down, closed to us, and tools that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_command import rtfs
from tests.servers.running import QUICKSTART, Running, serve

FOLDER = QUICKSTART.parent
TOKEN = "a-token-nobody-sees"
GET = '(call "mcp.issues.get_issue" {:owner "o" :repo "r" :number 1})'


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serve(QUICKSTART, "--port", "0", env={"MCP_AUTH_TOKEN": TOKEN}) as running:
        yield running


def call(text: str, url: str, token: str, *more: str) -> tuple[int, str, str]:
    config = str(FOLDER / "rtfs.yaml")
    return rtfs("run", "-e", text, "--config", config, *more, MCP_SERVER_URL=url, MCP_AUTH_TOKEN=token)


def test_a_tool_answers(server: Running) -> None:
    code, out, err = call(f"(:title {GET})", server.url, TOKEN)
    assert (code, out, err) == (0, '"Crash when the list is empty"\n', "")


def test_a_tool_that_fails_is_an_error_with_its_text(server: Running) -> None:
    code, out, err = call(GET.replace("1", "99"), server.url, TOKEN)
    assert (code, out) == (1, "")
    assert "capability/failed" in err
    assert "there is no issue 99" in err
    assert "capability: mcp.issues.get_issue" in err


def test_a_wrong_token_is_named_and_not_shown(server: Running) -> None:
    code, out, err = call(GET, server.url, "wrong-token-value", "-vv")
    assert (code, out) == (1, "")
    assert "401" in err
    assert "MCP_AUTH_TOKEN" in err
    assert "wrong-token-value" not in err


def test_no_token_is_named(server: Running) -> None:
    code, _, err = call(GET, server.url, "")
    assert code == 1
    assert "401" in err


def test_a_server_that_is_down_is_named() -> None:
    code, out, err = call(GET, "http://127.0.0.1:9/mcp", TOKEN)
    assert (code, out) == (1, "")
    assert "session/unavailable" in err
    assert "127.0.0.1:9" in err


def test_a_plan_cannot_declare_its_way_to_a_server(server: Running, tmp_path: Path) -> None:
    own = (
        f'(capability "mcp.issues.mine" :metadata {{:mcp {{:server_url "{server.url}" :tool_name "get_issue"'
        ' :requires_session "auto" :auth_env_var "MCP_AUTH_TOKEN"}}}})'
        ' (call "mcp.issues.mine" {:owner "o" :repo "r" :number 1})'
    ).replace("}}}})", "}})")
    code, _, err = call(own, server.url, TOKEN)
    assert code == 3
    assert "--allow net:127.0.0.1:" in err
    code, _, err = call(own, server.url, TOKEN, "--allow", "net:127.0.0.1")
    assert code == 3
    assert "--allow env:MCP_AUTH_TOKEN" in err
    code, out, err = call(own, server.url, TOKEN, "--allow", "net:127.0.0.1", "--allow", "env:MCP_AUTH_TOKEN")
    assert code == 0, err
    assert "Crash when the list is empty" in out


def test_the_numbers_of_the_sessions_are_shown_also_of_a_run_that_fails(server: Running) -> None:
    code, out, err = call(f'(do {GET} (error "no"))', server.url, TOKEN, "-v")
    assert (code, out) == (1, "")
    assert "sessions: calls 1  initialized 1  terminated 1\n" in err
