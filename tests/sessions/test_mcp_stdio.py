"""Started servers: a process is a session. Our own server, and one built with the official SDK."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rtfs.capabilities.sessions.mcp.transport.stdio import Lines
from rtfs.values.error import HostError
from tests.sessions.mcp_support import Mcp, run

SERVER = Path(__file__).resolve().parent.parent / "servers" / "stdio_server.py"


def stdio(mode: str, **more: Any) -> dict[str, Any]:
    return {"url": None, "mcp_command": sys.executable, "mcp_args": [str(SERVER), mode], **more}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def with_pool(test: Any, **options: Any) -> None:
    wire = {"exit_seconds": 0.3, "probe_seconds": 1.0, **options.pop("wire", {})}

    async def go() -> None:
        async with Mcp(wire=wire, **options) as mcp:
            await test(mcp)

    run(go())


@pytest.mark.parametrize("mode", ["plain", "noise", "endless", "modern", "flood"])
def test_one_process_serves_all_calls_whatever_else_it_writes(mode: str) -> None:
    async def test(mcp: Mcp) -> None:
        found = await asyncio.gather(*(mcp.call("echo", {"n": n}, **stdio(mode)) for n in range(10)))
        assert found == [{"n": n} for n in range(10)]
        pids = {(await mcp.call("pid", **stdio(mode)))["pid"] for _ in range(3)}
        assert len(pids) == 1
        assert mcp.names().count("initialized") == 1
        await mcp.pool.terminate_all()
        assert not alive(pids.pop())

    with_pool(test, wire={"body": 2**20})


def test_news_that_come_while_the_session_is_still_opened_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    """server-everything says that its tools have changed before it answers the choice of a log level (`-v`)."""
    caplog.set_level(logging.INFO, "rtfs.mcp")

    async def test(mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}, **stdio("eager")) == {"n": 1}
        assert mcp.names().count("initialized") == 1

    with_pool(test)


@pytest.mark.parametrize("mode", ["deaf", "fragile"])
def test_an_old_server_that_ignores_or_dies_of_the_question_for_its_era_gets_a_handshake(mode: str) -> None:
    async def test(mcp: Mcp) -> None:
        assert await mcp.call("echo", {"n": 1}, **stdio(mode)) == {"n": 1}
        await mcp.pool.terminate_all()
        begun = time.monotonic()
        assert await mcp.call("echo", {"n": 2}, **stdio(mode)) == {"n": 2}
        assert time.monotonic() - begun < 0.9, "the era is remembered"

    with_pool(test)


@pytest.mark.parametrize("mode", ["plain", "modern", "deaf"])
def test_a_server_that_takes_its_time_for_the_first_answer_is_used(mode: str) -> None:
    async def test(mcp: Mcp) -> None:
        where = {"url": None, "mcp_command": sys.executable, "mcp_args": [str(SERVER), mode, "0.6"]}
        assert await mcp.call("echo", {"n": 1}, **where) == {"n": 1}
        assert mcp.names() == ["initialized"], "at the first attempt"
        session: Any = await mcp.pool.get_or_create_session("mcp", mcp.session_call("echo", **where))
        assert session.sessionless == (mode == "modern")

    with_pool(test, wire={"probe_seconds": 0.1})


def test_a_late_server_of_the_official_sdk_is_used_in_the_era_that_it_is_in() -> None:
    script = (
        "import time\n"
        "from mcp.server.mcpserver import MCPServer\n"
        "s = MCPServer('s', log_level='ERROR')\n"
        "@s.tool()\n"
        "def add(a: int, b: int) -> dict[str, int]:\n"
        "    return {'sum': a + b}\n"
        "time.sleep(0.5)\n"
        "s.run()\n"
    )

    async def test(mcp: Mcp) -> None:
        where = {"url": None, "mcp_command": sys.executable, "mcp_args": ["-c", script]}
        assert await mcp.call("add", {"a": 1, "b": 2}, **where) == {"sum": 3}
        session: Any = await mcp.pool.get_or_create_session("mcp", mcp.session_call("add", **where))
        assert session.version == "2026-07-28"

    with_pool(test, wire={"probe_seconds": 0.1, "exit_seconds": 2.0})


def test_a_server_that_never_answers_is_given_up_with_what_it_wrote_meanwhile() -> None:
    async def test(mcp: Mcp) -> None:
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", {"n": 1}, **stdio("silent"))
        assert caught.value.code == "session/timeout"
        assert "did not answer within 1" in caught.value.message
        assert "starting silent" in caught.value.message
        assert "initialize_seconds" in (caught.value.hint or "")

    with_pool(test, wire={"probe_seconds": 0.1}, initialize_seconds=1.0)


def test_the_environment_is_an_allow_list_and_what_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNRELATED_SECRET", "do-not-leak")

    async def test(mcp: Mcp) -> None:
        mcp.handler.environ = os.environ
        named = stdio("plain", mcp_env_MODE="x", mcp_auth_env_var="SERVER_TOKEN")
        env = await mcp.call("env", **named)
        assert env["MODE"] == "x"
        assert env["SERVER_TOKEN"] == "secret-token"
        assert env["PATH"] == os.environ["PATH"]
        assert "UNRELATED_SECRET" not in env
        assert "do-not-leak" not in str(env)

    with_pool(test)


def test_what_it_says_on_stderr_is_logged_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="rtfs.mcp.stderr")

    async def test(mcp: Mcp) -> None:
        await mcp.call("echo", **stdio("plain", mcp_env_SECRET="hush-hush-hush"))

    with_pool(test)
    assert "starting plain ***" in caplog.text
    assert "hush" not in caplog.text


def test_progress_reaches_its_own_call() -> None:
    heard: list[Any] = []

    async def test(mcp: Mcp) -> None:
        listen = {"progress": lambda *seen: heard.append(seen)}
        await asyncio.gather(mcp.call("echo", **stdio("plain"), **listen), mcp.call("echo", **stdio("plain")))

    with_pool(test)
    assert heard == [(1, None, None)]


def test_a_call_given_up_is_cancelled_and_the_process_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="rtfs.mcp.stderr")

    async def test(mcp: Mcp) -> None:
        await mcp.pool.get_or_create_session("mcp", mcp.session_call("echo", **stdio("mute")))
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", **stdio("mute"), deadline=time.monotonic() + 0.1)
        assert caught.value.code == "session/timeout"
        for _ in range(200):
            if "cancelled" in caplog.text:
                break
            await asyncio.sleep(0.01)
        assert mcp.pool.stats()["open"] == 1

    with_pool(test)
    assert "cancelled" in caplog.text


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_process_that_dies_in_a_call_leaves_the_outcome_unknown_and_the_next_call_starts_another(
    idempotent: bool,
) -> None:
    async def test(mcp: Mcp) -> None:
        await mcp.call("echo", **stdio("plain"))
        with pytest.raises(HostError) as caught:
            await mcp.call("die", **stdio("plain"), idempotent=idempotent)
        assert caught.value.code == "session/outcome-unknown"
        assert "code 3" in caught.value.message
        assert mcp.names().count("initialized") == (3 if idempotent else 1)
        assert await mcp.call("echo", {"n": 1}, **stdio("plain")) == {"n": 1}

    with_pool(test)


def test_a_process_that_died_between_two_calls_is_started_again() -> None:
    async def test(mcp: Mcp) -> None:
        pid = (await mcp.call("pid", **stdio("plain")))["pid"]
        os.kill(pid, 9)
        await asyncio.sleep(0.05)
        assert (await mcp.call("pid", **stdio("plain")))["pid"] != pid

    with_pool(test)


@pytest.mark.parametrize("mode", ["stubborn", "child"])
def test_a_process_that_will_not_end_is_ended_with_all_it_started(mode: str) -> None:
    async def test(mcp: Mcp) -> None:
        found = await mcp.call("pid", **stdio(mode))
        begun = time.monotonic()
        await mcp.pool.terminate_all()
        assert time.monotonic() - begun < 3
        assert not alive(found["pid"])
        if mode == "child":
            assert not alive(found["child"])

    with_pool(test)


def test_a_polite_process_is_given_the_time_to_end_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def test(mcp: Mcp) -> None:
        session: Any = await mcp.pool.get_or_create_session("mcp", mcp.session_call("echo", **stdio("plain")))
        await mcp.pool.terminate_all()
        assert session.channel.process.returncode == 0

    with_pool(test, wire={"exit_seconds": 3.0})


def test_a_command_that_is_not_there_is_a_clear_error() -> None:
    async def test(mcp: Mcp) -> None:
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", url=None, mcp_command="no-such-command-anywhere")
        assert caught.value.code == "session/unavailable"
        assert "no-such-command-anywhere" in caught.value.message

    with_pool(test)


def test_a_process_that_ends_at_once_is_told_with_its_last_words() -> None:
    async def test(mcp: Mcp) -> None:
        script = "import sys; print('reading settings\\nno config file', file=sys.stderr); sys.exit(4)"
        with pytest.raises(HostError) as caught:
            await mcp.call("echo", url=None, mcp_command=sys.executable, mcp_args=["-c", script])
        assert caught.value.code == "session/unavailable"
        assert "code 4 before the answer: reading settings / no config file" in caught.value.message

    with_pool(test)


def test_a_server_of_the_official_sdk_is_served() -> None:
    script = (
        "from mcp.server.mcpserver import MCPServer\n"
        "s = MCPServer('s', log_level='ERROR')\n"
        "@s.tool()\n"
        "def add(a: int, b: int) -> dict[str, int]:\n"
        "    return {'sum': a + b}\n"
        "s.run()\n"
    )

    async def test(mcp: Mcp) -> None:
        where = {"url": None, "mcp_command": sys.executable, "mcp_args": ["-c", script]}
        assert await mcp.call("add", {"a": 1, "b": 2}, **where) == {"sum": 3}
        held = await mcp.call("add", {"a": 3, "b": 4}, **where, mcp_requires_session="true")
        assert held == {"sum": 7}

    with_pool(test, wire={"probe_seconds": 10.0, "exit_seconds": 2.0})


def test_lines_are_cut_and_long_ones_passed_over_without_being_held() -> None:
    lines = Lines(10)
    found = []
    for chunk in (b"ab", b"c\nde", b"f\n", b"x" * 9, b"y" * 9, b"z" * 100, b"\nok\n", b"\n" + b"0123456789\n"):
        found += lines.feed(chunk)
        assert sum(map(len, lines._parts)) <= 10
    assert found == [b"abc", b"def", b"ok", b"", b"0123456789"]
    assert lines.skipped == 1
