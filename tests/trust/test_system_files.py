"""The system's own folders need grants that name them; a process's environment is never readable."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.host.policy.grants import Grants


@pytest.mark.parametrize("grant", ["fs:read:/", "fs:read:/proc", "fs:read:/proc/self", "fs:read:/proc/self/environ"])
@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/1/environ", "/proc/thread-self/environ"])
def test_a_processs_environment_is_never_read(grant: str, path: str) -> None:
    with rtfs.Runtime(allow=[grant]) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(f'(read-file "{path}")')
    assert caught.value.code == "policy/denied"


@pytest.mark.parametrize(
    ("grant", "need", "granted"),
    [
        ("fs:read:/", "fs:read:/etc/hostname", True),
        ("fs:read:/", "fs:read:/proc/cpuinfo", False),
        ("fs:read:/proc/cpuinfo", "fs:read:/proc/cpuinfo", True),
        ("fs:read:/sys/class", "fs:read:/sys/class/net", True),
        ("fs:read:/", "fs:read:/sys/class/net", False),
        ("fs:write:/", "fs:write:/dev/sda", False),
        ("fs:write:/dev/null", "fs:write:/dev/null", True),
        ("net:*.example.com", "net:.example.com:443", False),
        ("net:*.example.com", "net:a.example.com:443", True),
    ],
)
def test_what_a_grant_means(grant: str, need: str, granted: bool) -> None:
    assert Grants([grant]).resource(need) is granted


@pytest.mark.parametrize("text", ["net:x/path", "net:http://x", "net:x?y", "net:user@x", "net:x y"])
def test_a_network_grant_is_a_host_and_nothing_more(text: str) -> None:
    with pytest.raises(rtfs.HostError) as caught:
        Grants([text])
    assert caught.value.code == "config/grant"
