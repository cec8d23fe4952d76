"""Plans with a stored login: tokens sent where they belong, renewed once for all, and shown nowhere."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import rtfs
from rtfs.capabilities.sessions.oauth.bearer import Authorized
from rtfs.capabilities.sessions.oauth.login import log_in, log_out
from rtfs.capabilities.sessions.oauth.login_store import Login, Store
from rtfs.capabilities.sessions.oauth.token_sources import Tokens, TokenSource
from tests.servers.login_server import LoginServer, browse

CALL = '(call "mcp.one.add" {:a 1 :b 2})'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("MCP_AUTH_TOKEN", "ONE_MCP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with LoginServer() as made:
        yield made


def enter(server: LoginServer, principal: str = "local") -> None:
    def show(address: str) -> None:
        threading.Thread(target=browse, args=(address,), daemon=True, name="browser").start()

    url = httpx.URL(server.url)
    asyncio.run(log_in(url, {}, principal=principal, store=Store(), environ={}, show=show, seconds=10))


def leave(server: LoginServer) -> None:
    asyncio.run(log_out(httpx.URL(server.url), {}, principal="local", store=Store(), environ={}))


def runtime(server: LoginServer, folder: Path, *allow: str, load: bool = True, **more: Any) -> rtfs.Runtime:
    declared = (
        '(capability "mcp.one.add" :metadata {:mcp {:server_name "one" :tool_name "add" :requires_session "auto"}})'
    )
    (folder / "one.rtfs").write_text(declared)
    settings = {
        "allow": ["mcp.*"],
        "mcp_servers": {"one": {"url": server.url}},
        **({"load": ["one.rtfs"]} if load else {}),
    }
    (folder / "rtfs.yaml").write_text(json.dumps(settings))
    return rtfs.Runtime.from_config(folder / "rtfs.yaml", allow=list(allow), **more)


def failure(rt: rtfs.Runtime, text: str = CALL) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        rt.run(text)
    return caught.value


def test_without_a_login_the_error_says_how_to_log_in(server: LoginServer, home: Path) -> None:
    with runtime(server, home) as rt:
        error = failure(rt)
        assert error.code == "session/unauthorized"
        assert "`rtfs mcp login one`" in (error.hint or "")
        assert "MCP_AUTH_TOKEN" in (error.hint or "")
        enter(server)
        assert rt.run(CALL) == rtfs.Map({rtfs.Keyword("result"): 3})
    assert server.calls == 1


def test_a_login_is_of_its_principal(server: LoginServer, home: Path) -> None:
    enter(server, "ann")
    with runtime(server, home) as rt:
        assert failure(rt).code == "session/unauthorized"
        assert rt.run(CALL, principal="ann") is not None
        assert failure(rt).code == "session/unauthorized"


def test_a_configured_header_and_a_variable_come_before_a_login(
    server: LoginServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(server)
    monkeypatch.setenv("ONE_MCP_TOKEN", "of-the-variable")
    with runtime(server, home) as rt:
        error = failure(rt)
    assert error.code == "session/unauthorized"
    assert "ONE_MCP_TOKEN" in error.message


@pytest.mark.parametrize("where", [':server_name "one"', ':server_url "URL"'])
def test_a_plans_own_declaration_needs_a_grant_for_a_login(server: LoginServer, home: Path, where: str) -> None:
    enter(server)
    metadata = f'{where.replace("URL", server.url)} :tool_name "add" :requires_session "auto"'
    plan = f'(capability "mcp.own.add" :metadata {{:mcp {{{metadata}}}}}) (call "mcp.own.add" {{:a 1 :b 2}})'
    with runtime(server, home, "net:127.0.0.1") as rt:
        assert rt.run(CALL) is not None  # a session with the login is open now, and not for the plan
        assert failure(rt, plan).code == "session/unauthorized"
    with runtime(server, home, "net:127.0.0.1", "env:ONE_MCP_TOKEN", "env:MCP_AUTH_TOKEN") as rt:
        assert rt.run(plan) is not None


@pytest.mark.parametrize("lasts", [60.0, -60.0])
def test_a_token_about_to_end_is_renewed_before_it_is_sent(server: LoginServer, home: Path, lasts: float) -> None:
    enter(server)
    stored = Store().load(server.url, "local")
    assert stored is not None
    Store().save(Login({**stored.fields, "renew": time.time() - 1, "expires": time.time() + lasts}))
    with runtime(server, home) as rt:
        rt.run(CALL)
        rt.run(CALL)
    assert server.accounts.refreshed == 1
    assert server.forms[-1]["resource"] == server.url
    stored = Store().load(server.url, "local")
    assert stored is not None
    assert stored.refresh_token in server.accounts.refresh  # the new one: the old is good for nothing
    assert stored.access_token in server.accounts.access
    assert stored.renew > time.time() + 3000


def test_a_token_that_still_lives_is_sent_while_its_issuer_is_away(server: LoginServer, home: Path) -> None:
    enter(server)
    stored = Store().load(server.url, "local")
    assert stored is not None
    away = {"token_endpoint": "http://127.0.0.1:9/token", "renew": time.time() - 1}
    Store().save(Login({**stored.fields, **away, "expires": time.time() + 60}))
    with runtime(server, home) as rt:
        assert rt.run(CALL) is not None
        Store().save(Login({**stored.fields, **away, "expires": time.time() - 1}))
    with runtime(server, home) as rt:
        error = failure(rt)
    assert error.code == "session/unavailable"
    assert "token endpoint" in error.message


def test_a_token_that_is_taken_back_is_renewed_once_for_all_callers(server: LoginServer, home: Path) -> None:
    enter(server)
    server.accounts.pause = 0.2
    with runtime(server, home) as rt:
        rt.run(CALL)
        server.accounts.access.clear()
        calls = " ".join(f"(fn [] {CALL})" for _ in range(8))
        rt.run(f'(call "ccos.concurrent/parallel" [{calls}])')
    assert server.accounts.refreshed == 1
    assert server.calls == 9


def test_processes_renew_one_after_the_other(server: LoginServer, home: Path) -> None:
    enter(server)
    server.accounts.pause = 0.3
    with runtime(server, home):
        server.accounts.access.clear()
        command = [sys.executable, "-m", "rtfs", "run", "-e", CALL, "--config", str(home / "rtfs.yaml")]
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        ended = [(run.communicate(timeout=60), run.returncode) for run in runs]
    assert [code for _, code in ended] == [0, 0, 0, 0], ended
    assert server.accounts.refreshed == 1
    assert server.calls == 4


def test_a_caller_that_gives_up_does_not_lose_the_new_tokens(server: LoginServer, home: Path) -> None:
    enter(server)
    server.accounts.pause = 0.6
    with runtime(server, home) as rt:
        rt.run(CALL)
        server.accounts.access.clear()
        assert failure(rt, f"^{{:runtime.timeout 200}} {CALL}").code in ("capability/timeout", "session/timeout")
    stored = Store().load(server.url, "local")
    assert stored is not None
    assert stored.refresh_token in server.accounts.refresh
    with runtime(server, home) as rt:
        rt.run(CALL)
    assert server.accounts.refreshed == 1


def test_a_login_that_is_over_says_so_and_is_not_tried_again(server: LoginServer, home: Path) -> None:
    enter(server)
    with runtime(server, home) as rt:
        rt.run(CALL)
        server.accounts.access.clear()
        server.accounts.refresh.clear()
        error = failure(rt)
        assert error.code == "session/unauthorized"
        assert "is over (invalid_grant)" in error.message
        assert error.hint == "run `rtfs mcp login one`"
        asked = server.paths.count("/token")
        assert "rtfs mcp login one" in (failure(rt).hint or "")
        assert server.paths.count("/token") == asked
        leave(server)
        assert Store().load(server.url, "local") is None
        enter(server)
        assert rt.run(CALL) is not None


def test_an_issuer_that_is_away_for_a_moment_costs_no_login(server: LoginServer, home: Path) -> None:
    enter(server)
    with runtime(server, home) as rt:
        rt.run(CALL)
        server.accounts.access.clear()
        server.tamper["/token"] = lambda status, headers, value: (503, {}, {})
        error = failure(rt)
        assert "not renewed" in error.message
        server.tamper.clear()
        stored = Store().load(server.url, "local")
        assert stored is not None
        assert stored.refresh_token


def test_after_a_logout_the_error_says_how_to_log_in(server: LoginServer, home: Path) -> None:
    enter(server)
    with runtime(server, home) as rt:
        rt.run(CALL)
        leave(server)
        error = failure(rt)
    assert error.code == "session/unauthorized"
    assert "rtfs mcp login one" in (error.hint or "")


def test_a_missing_scope_is_named_with_the_login_that_gets_it(server: LoginServer, home: Path) -> None:
    enter(server)
    with runtime(server, home) as rt:
        challenge = 'Bearer error="insufficient_scope", scope="files:write x"'
        server.tamper["/mcp"] = lambda status, headers, value: (403, {"www-authenticate": challenge}, {})
        error = failure(rt)
    assert error.code == "session/forbidden"
    assert "without the scope files:write x" in error.message
    assert error.hint == "run `rtfs mcp login one --scope 'files:write x'`"


def test_a_store_that_others_may_read_is_not_used(server: LoginServer, home: Path) -> None:
    enter(server)
    os.chmod(Store().folder, 0o755)
    with runtime(server, home) as rt:
        error = failure(rt)
    assert error.code == "session/store"
    assert "chmod 700" in (error.hint or "")


def test_no_token_goes_to_another_origin(server: LoginServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(server)
    seen: list[str | None] = []
    with LoginServer() as other:
        declared = (
            f'(capability "mcp.moved.add" :metadata {{:mcp {{:server_url "{server.url}" :tool_name "add"'
            ' :requires_session "auto" :server_url_override_env "MOVED"}})'
        )
        (home / "moved.rtfs").write_text(declared)
        monkeypatch.setenv("MOVED", other.url)

        def look(status: int, headers: dict[str, str], value: Any) -> Any:
            seen.append(None)
            return status, headers, value

        other.tamper["/mcp"] = look
        with runtime(server, home) as rt:
            rt.load(declared)
            error = failure(rt, '(call "mcp.moved.add" {:a 1 :b 2})')
        assert error.code == "session/unauthorized"
        assert f"rtfs mcp login {other.url}" in (error.hint or "")
        assert "none was given" in error.message
    assert seen
    assert server.calls == 0


def test_a_token_is_sent_to_the_origin_of_its_server_and_to_no_other() -> None:
    sent: list[tuple[str, bytes | None]] = []

    class Web:
        async def send(self, method: str, url: httpx.URL, headers: Any, body: bytes = b"") -> httpx.Response:
            sent.append((str(url), dict(headers).get(b"Authorization")))
            return httpx.Response(200)

    class Held(TokenSource):
        def reload(self) -> None:
            pass

        async def token(self) -> str:
            return "secret"

        async def _renew(self, used: str) -> None:
            pass

    async def body() -> None:
        home = httpx.URL("https://h/mcp")
        client = Authorized(Web(), home, Held(Tokens("test")))  # type: ignore[arg-type]
        for url in ("https://h/mcp", "https://h:443/x", "https://evil/mcp", "http://h/mcp", "https://h:8443/mcp"):
            await client.send("GET", httpx.URL(url), [])
        await client.send("GET", home, [])

    asyncio.run(body())
    assert [authorization for _, authorization in sent] == [b"Bearer secret"] * 2 + [None] * 3 + [b"Bearer secret"]


def test_tokens_show_nowhere(
    server: LoginServer, home: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every token of a long story, the renewed ones too, looked for in all that a run leaves behind."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    events: list[Any] = []
    said: list[str] = []
    encoded: list[str] = []
    enter(server)
    ledger, recording = home / "ledger.db", home / "recording.jsonl"
    with runtime(server, home, ledger=ledger, on_event=events.append) as rt:
        rt.run(CALL, record=str(recording))
        server.accounts.access.clear()
        rt.run(CALL)
        last = [secret for secret in server.accounts.secrets if not secret.startswith("code-")]

        def echo(status: int, headers: dict[str, str], value: Any) -> Any:
            words = " ".join(last)
            return 403, {"www-authenticate": f'Bearer error="x", scope="{words}"'}, {"error": words}

        def fail(status: int, headers: dict[str, str], value: Any) -> Any:
            text = f"{last[-2]} {base64.b64encode(last[-1].encode()).decode()}"
            encoded.append(text.split()[1])
            value["result"] = {"content": [{"type": "text", "text": text}], "isError": True}
            return status, headers, value

        server.tamper["/mcp"] = echo
        error = failure(rt)
        said += [str(error), str(error.hint), repr(error.data), rtfs.to_text(error.data)]
        server.tamper["/mcp"] = fail
        error = failure(rt)
        assert error.code == "capability/failed"
        said += [str(error), str(error.hint), repr(error.data)]
        server.tamper["/mcp"] = lambda *_: (401, {"www-authenticate": f"Bearer x={last[-2]}"}, {"error": last[-1]})
        error = failure(rt)
        said += [str(error), str(error.hint), repr(error.data), rtfs.to_text(error.data)]
    said += [repr(event) for event in events] + [str(vars(event)) for event in events if hasattr(event, "__dict__")]
    said += [record.getMessage() for record in caplog.records if record.threadName != "browser"]
    said += [*capfd.readouterr(), recording.read_text()]
    said += [path.read_bytes().decode("latin-1") for path in home.glob("ledger.db*")]
    everything = "\n".join(said)
    assert "mcp.one.add" in everything
    assert len(server.accounts.secrets) >= 6
    for secret in [*server.accounts.secrets, *encoded]:
        assert secret not in everything
        assert secret[:20] not in everything
    kept = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".json"]
    for path in kept:
        text = path.read_bytes().decode("latin-1")
        assert not any(secret in text for secret in server.accounts.secrets), path
