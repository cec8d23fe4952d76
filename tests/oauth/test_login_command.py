"""`rtfs mcp login` and what follows from it, as a person at a terminal sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.login_server import LoginServer, browse


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with LoginServer() as made:
        yield made


class Terminal:
    """Commands in a folder with an `rtfs.yaml` that names the server `one`. said: all that was printed."""

    def __init__(self, folder: Path, server: LoginServer, oauth: str = "") -> None:
        self.folder = folder
        self.said: list[str] = []
        (folder / "rtfs.yaml").write_text(
            f"allow: ['mcp.*']\nload: [tools]\nmcp_servers:\n  one: {{url: '{server.url}'{oauth}}}\n"
        )
        (folder / "tools").mkdir(exist_ok=True)
        (folder / "bin").mkdir(exist_ok=True)
        browser = folder / "bin" / "opener"
        browser.write_text(f"#!/bin/sh\necho \"$1\" > '{folder}/opened'\n")
        browser.chmod(0o755)
        self.environ = {key: value for key, value in os.environ.items() if not key.endswith("MCP_TOKEN")}
        self.environ |= {"XDG_STATE_HOME": str(folder / "state"), "BROWSER": str(browser)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rtfs", *words, "--config", "rtfs.yaml"]
        environ = {**self.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(
            command, cwd=self.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        out, err = process.communicate(timeout=60)
        self.said += [out, err]
        return process.returncode, out, err

    def run(self, *words: str) -> tuple[int, str, str]:
        return self.end(self.start(*words))

    def log_in(self, *words: str) -> tuple[int, str, str]:
        process = self.start("mcp", "login", "one", *words)
        browse(self.address_of(process))
        return self.end(process)

    def address_of(self, process: subprocess.Popen[str]) -> str:
        """The address that a login prints. before: what it printed before that."""
        assert process.stderr is not None
        self.before = ""
        for line in process.stderr:
            found = re.match(r"  (http\S+)$", line)
            if found:
                self.said.append(self.before)
                return found[1]
            self.before += line
        raise AssertionError(f"no address was printed: {self.before}")


@pytest.fixture
def terminal(tmp_path: Path, server: LoginServer) -> Terminal:
    return Terminal(tmp_path, server)


def test_login_import_call_logout(server: LoginServer, terminal: Terminal) -> None:
    code, _, err = terminal.run("mcp", "list", "one")
    assert code == 1
    assert "session/unauthorized" in err
    assert "rtfs mcp login one" in err
    code, out, _ = terminal.log_in("--no-browser")
    assert (code, out) == (0, "logged in to one, renewed by itself\n")
    assert not (terminal.folder / "opened").exists()
    code, out, err = terminal.run("mcp", "list", "one")
    assert (code, out, err) == (0, "add\n", "")
    code, _, err = terminal.run("mcp", "import", "one", "-o", "tools")
    assert (code, err) == (0, "")
    code, out, _ = terminal.run("doctor")
    assert code == 0
    assert f"mcp {server.url}: renewed by itself" in out
    call = ("run", "-e", '(:result (call "mcp.one.add" {:a 1 :b 2}))')
    assert terminal.run(*call) == (0, "3\n", "")
    server.accounts.access.clear()
    assert terminal.run(*call) == (0, "3\n", "")
    assert server.accounts.refreshed == 1
    code, out, _ = terminal.run("mcp", "logout", "one")
    assert (code, out) == (0, "logged out of one\n")
    code, _, err = terminal.run(*call)
    assert code == 1
    assert "hint: run `rtfs mcp login one" in err
    assert terminal.run("mcp", "logout", "one")[1] == "there was no login to one\n"
    everything = "".join(terminal.said)
    assert not any(secret in everything for secret in server.accounts.secrets)


def test_the_browser_is_opened_and_the_address_printed_anyway(server: LoginServer, terminal: Terminal) -> None:
    process = terminal.start("mcp", "login", "one", "--json")
    address = terminal.address_of(process)
    browse(address)
    code, out, _ = terminal.end(process)
    assert code == 0
    assert json.loads(out)["server"] == server.url
    assert (terminal.folder / "opened").read_text().strip() == address


def test_a_url_and_another_principal_have_logins_of_their_own(server: LoginServer, terminal: Terminal) -> None:
    assert terminal.log_in("--no-browser", "--principal", "ann")[0] == 0
    assert terminal.run("mcp", "list", server.url)[0] == 1
    assert terminal.run("mcp", "list", server.url, "--principal", "ann") == (0, "add\n", "")


def test_what_comes_before_a_login_is_said(server: LoginServer, terminal: Terminal) -> None:
    terminal.environ["ONE_MCP_TOKEN"] = "something-else"
    code, _, err = terminal.log_in("--no-browser")
    assert code == 0
    assert "ONE_MCP_TOKEN is set, which comes before a login" in err + terminal.before
    assert "something-else" not in err + terminal.before


@pytest.mark.usefixtures("heeded_signals")
def test_ctrl_c_ends_a_login_at_once(server: LoginServer, terminal: Terminal) -> None:
    process = terminal.start("mcp", "login", "one", "--no-browser")
    terminal.address_of(process)
    process.send_signal(signal.SIGINT)
    code, out, err = terminal.end(process)
    assert (code, out) == (130, "")
    assert "interrupted" in err
    assert "Traceback" not in err
    assert not list((terminal.folder / "state").rglob("*.json"))


def test_a_login_waits_no_longer_than_said(terminal: Terminal) -> None:
    code, _, err = terminal.run("mcp", "login", "one", "--no-browser", "--wait", "0.3")
    assert code == 1
    assert "session/oauth: the login was not completed within 0.3 seconds" in err


@pytest.mark.parametrize("words", [("nobody",), ("one", "--wait", "0"), ("--", "npx", "x")])
def test_what_has_no_login_is_a_usage_error(terminal: Terminal, words: tuple[str, ...]) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "rtfs", "mcp", "login", "--config", "rtfs.yaml", *words],
        cwd=terminal.folder,
        env={**terminal.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2


def test_client_credentials_need_no_login(server: LoginServer, tmp_path: Path) -> None:
    oauth = f", oauth: {{grant: client_credentials, client_id: me, client_secret_env: S, issuer: '{server.base}'}}"
    code, _, err = Terminal(tmp_path, server, oauth).run("mcp", "login", "one")
    assert code == 2
    assert "needs no login" in err
