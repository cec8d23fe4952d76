"""A provider from outside: a handler named `zz`, installed through the entry-point group, with no MCP anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_MCP = """
import sys

class NoMcp:
    def find_spec(self, name, path=None, target=None):
        if name == "mcp" or name.startswith(("mcp.", "rtfs.capabilities.sessions.mcp")):
            raise ImportError(f"{name} is made unimportable")

sys.meta_path.insert(0, NoMcp())
"""

PLAN = """
import rtfs

with rtfs.Runtime(allow=["zz.*"]) as runtime:
    runtime.load('''
      (capability "zz.a" :metadata {:zz {:requires_session "auto" :server "zz://one"}})
      (capability "zz.b" :metadata {:zz {:requires_session "auto" :server "zz://one"}})''', name="caps.rtfs")
    print(rtfs.to_text(runtime.run('[(call "zz.a" {}) (call "zz.b" {}) (call "zz.a" {})]')))
"""

SUITE = """
import sys, pytest
suites = ["tests/sessions/test_pool.py", "tests/sessions/test_pool_limits.py"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *suites]))
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which a package offers the handler `zz` of the pool's suite."""
    info = tmp_path / "zz_handler-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-handler\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[rtfs.session_handlers]\nzz = tests.sessions.support:Zz\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "RTFS_CACHE_DIR": ""}


def run(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_MCP + program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_handler_of_the_entry_point_group_serves_calls_through_one_session(installed: dict[str, str]) -> None:
    done = run(PLAN, installed)
    assert (done.stdout, done.returncode) == ("[1 1 1]\n", 0), done.stderr


def test_the_pools_suite_passes_where_mcp_cannot_be_imported(installed: dict[str, str]) -> None:
    done = run(SUITE, installed)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
