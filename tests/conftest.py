"""What every test of the project shares: no home directory of the tester's is read or written."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_CACHE = Path(tempfile.gettempdir()) / f"rtfs-tests-{os.getuid()}"


def pytest_configure(config: pytest.Config) -> None:
    """Point the unit cache (and whatever else follows the XDG variables) away from the tester's home, for this
    process and every one it starts. The folder is kept between runs: a warm cache is part of what is tested."""
    _CACHE.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(_CACHE)
    state = tempfile.TemporaryDirectory(prefix="rtfs-state-")  # durable runs; nothing of it is kept
    config.add_cleanup(state.cleanup)
    os.environ["XDG_STATE_HOME"] = state.name


@pytest.fixture
def project() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _secrets_of_one_test() -> Iterator[None]:
    """A process never forgets a secret it has used; a test's tokens are words in the next one's texts."""
    yield
    secrets = sys.modules.get("rtfs.host.redaction")
    if secrets is not None:
        secrets._known.clear()
        secrets._pattern = secrets._quick = None


@pytest.fixture
def heeded_signals() -> Iterator[None]:
    """Processes that the test starts heed SIGINT and SIGHUP, also where the test run itself was told not to (`&`,
    nohup): what is ignored is inherited."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if before[number] is signal.SIG_IGN:
            signal.signal(number, default)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
