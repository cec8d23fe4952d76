"""A grant allows exactly what its text says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtfs.host.policy.grants import Grants, net_need, real_path, shown
from rtfs.values import HostError


@pytest.mark.parametrize(
    ("grant", "id", "allowed"),
    [
        ("mcp.github.*", "mcp.github.list_issues", True),
        ("mcp.github.*", "mcp.githubx.list", False),
        ("mcp.github.*", "mcp.github", False),
        ("*", "anything/at all", True),
        ("a.*.c", "a.b.c", True),
        ("a.*.c", "a.c", False),
        ("exact", "exact", True),
        ("exact", "exactly", False),
        ("com.acme:v1.0/x", "com.acme:v1.0/x", True),
        ("*.read", "files.read", True),
        ("ab*ba", "aba", False),
    ],
)
def test_ids(grant: str, id: str, allowed: bool) -> None:
    assert Grants([grant]).id(id) is allowed


@pytest.mark.parametrize(
    ("grant", "need", "allowed"),
    [
        ("net:api.example.com", "net:api.example.com:443", True),
        ("net:API.example.com.", "net:api.example.com:443", True),
        ("net:api.example.com:443", "net:api.example.com:443", True),
        ("net:api.example.com:443", "net:api.example.com:80", False),
        ("net:example.com", "net:api.example.com:443", False),
        ("net:*.example.com", "net:api.example.com:443", True),
        ("net:*.example.com", "net:example.com:443", False),
        ("net:*.example.com", "net:evilexample.com:443", False),
        ("net:[::1]:8080", "net:[::1]:8080", True),
        ("net:[::1]", "net:[::1]:8080", True),
        ("net:*", "net:anywhere:1", True),
        ("env:HOME", "env:HOME", True),
        ("env:HOME", "env:HOME_TOO", False),
        ("env:APP_*", "env:APP_X", True),
        ("exec:ls", "exec:ls", True),
        ("exec:ls", "exec:/bin/ls", False),
        ("mcp.*", "net:api.example.com:443", False),
        ("*", "net:api.example.com:443", False),
        ("*", "env:HOME", False),
        ("*", "fs:read:/etc/passwd", False),
    ],
)
def test_resources(grant: str, need: str, allowed: bool) -> None:
    assert Grants([grant]).resource(need) is allowed


def test_paths_cannot_escape(tmp_path: Path) -> None:
    inside = tmp_path / "data"
    inside.mkdir()
    (tmp_path / "secret").write_text("s")
    (inside / "link").symlink_to(tmp_path / "secret")
    grants = Grants([f"fs:read:{inside}"])
    assert grants.resource(f"fs:read:{inside}/a.txt")
    assert grants.resource(f"fs:read:{inside}")
    assert not grants.resource(f"fs:read:{inside}/../secret")
    assert not grants.resource(f"fs:read:{real_path(f'{inside}/link')}"), "a path is resolved once, before"
    assert not grants.resource("fs:read:data/a.txt")
    assert not grants.resource(f"fs:read:{inside}x/a")
    assert not grants.resource(f"fs:write:{inside}/a.txt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "net:",
        "env:",
        "fs:x",
        "fs:read:",
        "fs:delete:/a",
        "net:http://a/b",
        "net:a:b",
        "https://a/b",
        "read:x",
        "fs:read:data/*",
        "fs:write:*.txt",
    ],
)
def test_an_unreadable_grant_is_an_error(text: str) -> None:
    with pytest.raises(HostError) as caught:
        Grants([text])
    assert caught.value.code == "config/grant"


def test_one_text_is_one_grant() -> None:
    assert Grants("net:example.com").resource("net:example.com:443")


def test_what_a_url_needs() -> None:
    assert net_need("https://api.example.com/x?y") == "net:api.example.com:443"
    assert net_need("http://127.0.0.1:8080") == "net:127.0.0.1:8080"
    assert net_need("http://[::1]/") == "net:[::1]:80"
    assert shown("net:api.example.com:443") == "net:api.example.com"
    for bad in ("ftp://a", "nothing", "http://", "http://a:b"):
        with pytest.raises(HostError):
            net_need(bad)


def test_a_recommended_path_is_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.path.realpath(tmp_path)
    monkeypatch.chdir(here)
    assert shown(f"fs:read:{here}/a/b.txt") == "fs:read:a/b.txt"
    assert shown(f"fs:write:{here}") == "fs:write:."
    assert shown(f"fs:read:{here}x") == f"fs:read:{here}x"
    assert shown("fs:read:/etc/hostname") == "fs:read:/etc/hostname"
