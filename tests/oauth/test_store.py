"""Logins on disk: owner-only, whole or not at all, refused where others may have had a hand in them."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtfs.capabilities.sessions.handler import SessionError
from rtfs.capabilities.sessions.oauth.login_store import Login, Store

SERVER = "https://h/mcp"


def login(server: str = SERVER, principal: str = "local", access: str = "access-secret") -> Login:
    return Login(
        {
            "server": server,
            "principal": principal,
            "issuer": "https://as",
            "resource": server,
            "token_endpoint": "https://as/token",
            "revocation_endpoint": "",
            "client_id": "me",
            "client_secret": "client-secret",
            "client_method": "client_secret_basic",
            "scopes": ["a"],
            "access_token": access,
            "refresh_token": "refresh-secret",
            "expires": 1.5,
            "renew": 1.0,
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "state" / "logins"))


def files(store: Store) -> list[Path]:
    return sorted(Path(store.folder).glob("*.json"))


def test_what_was_saved_is_loaded_for_its_server_and_principal_only(store: Store) -> None:
    assert store.load(SERVER, "local") is None
    store.save(login())
    store.save(login(principal="ann", access="other"))
    found = store.load(SERVER, "local")
    assert found is not None
    assert found.fields == login().fields
    assert (store.load(SERVER, "ann") or found).access_token == "other"
    assert store.load(SERVER + "/", "local") is None
    assert store.delete(SERVER, "local")
    assert not store.delete(SERVER, "local")
    assert store.load(SERVER, "local") is None
    assert store.load(SERVER, "ann") is not None


def test_folder_and_files_are_the_owners_only_whatever_the_umask(store: Store) -> None:
    before = os.umask(0)
    try:
        store.save(login())

        async def lock() -> None:
            async with store.alone(SERVER, "local"):
                pass

        asyncio.run(lock())
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(store.folder).iterdir()}
    assert modes == {0o600}


def test_a_file_that_others_may_read_is_refused_with_what_to_do(store: Store) -> None:
    store.save(login())
    [path] = files(store)
    path.chmod(0o640)
    with pytest.raises(SessionError, match="others may read it") as caught:
        store.load(SERVER, "local")
    assert caught.value.code == "session/store"
    assert f"chmod 600 {path}" in (caught.value.hint or "")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o701, 0o750, 0o777])
def test_a_folder_that_others_may_look_into_is_refused(store: Store, mode: int) -> None:
    store.save(login())
    os.chmod(store.folder, mode)
    for work in (
        lambda: store.load(SERVER, "local"),
        lambda: store.save(login()),
        lambda: store.delete(SERVER, "local"),
    ):
        with pytest.raises(SessionError, match="others may look into it"):
            work()


def test_links_are_not_followed(store: Store, tmp_path: Path) -> None:
    store.save(login())
    [path] = files(store)
    elsewhere = tmp_path / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(SessionError) as caught:
        store.load(SERVER, "local")
    assert caught.value.code == "session/store"
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    linked = tmp_path / "linked"
    linked.symlink_to(real)
    with pytest.raises(SessionError, match="not a folder"):
        Store(str(linked)).save(login())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"server": 7}', "\xff"])
def test_a_damaged_file_is_said(store: Store, text: str) -> None:
    store.save(login())
    files(store)[0].write_text(text, encoding="latin-1")
    with pytest.raises(SessionError, match="damaged") as caught:
        store.load(SERVER, "local")
    assert "log in again" in (caught.value.hint or "")


def test_a_login_put_in_the_place_of_another_is_refused(store: Store) -> None:
    store.save(login())
    store.save(login("https://evil/mcp"))
    first, second = files(store)
    mine = first if SERVER in first.read_text() and "evil" not in first.read_text() else second
    (second if mine is first else first).replace(mine)
    with pytest.raises(SessionError, match="another login"):
        store.load(SERVER, "local")


def test_a_failed_write_leaves_the_login_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(login())

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SessionError, match="no space left"):
        store.save(login(access="never"))
    assert (store.load(SERVER, "local") or login("x")).access_token == "access-secret"
    assert len(list(Path(store.folder).iterdir())) == 1


def test_nothing_of_a_login_shows(store: Store) -> None:
    assert "secret" not in repr(login())
    assert "secret" not in repr(login().client_with(None))


def test_one_process_is_inside_at_a_time(store: Store) -> None:
    program = (
        "import asyncio, sys\n"
        "from rtfs.capabilities.sessions.oauth.login_store import Store\n"
        "async def go():\n"
        f"    async with Store({store.folder!r}).alone({SERVER!r}, 'local'):\n"
        "        print('inside', flush=True)\n"
        "        sys.stdin.readline()\n"
        "asyncio.run(go())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "inside\n"
        order: list[str] = []

        async def wait() -> None:
            async with store.alone(SERVER, "local"):
                order.append("we")

        async def both() -> None:
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0.3)
            assert order == []
            async with store.alone(SERVER, "ann"):
                order.append("another login")
            other.stdin.write("\n")
            other.stdin.flush()
            await waiting

        asyncio.run(both())
    assert order == ["another login", "we"]
