"""What the tests of durable runs share: a folder for journals, and commands in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host import sqlite
from rtfs.host.durable.journal import Journal

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine lets others have their turn because time has passed: which branch calls first does not depend on how
    busy the computer is."""
    monkeypatch.setattr("rtfs.machine.machine.BREATH", 600.0)
    monkeypatch.setattr("rtfs.host.run.driver.BREATH", 600.0)


class Counting:
    """A runtime with the capability `count`, which notes its argument, answers ten times it, and does as `plan` says
    for the calls it has an entry for: raise it, or call it."""

    def __init__(self, state: Path, **options: Any) -> None:
        self.made: list[Any] = []
        self.plan: dict[Any, Any] = {}
        self.runtime = rtfs.Runtime(state=state, **options)
        self.runtime.register("count", self.count)
        self.runtime.register("again", self.count, idempotent=True)

    def count(self, n: Any) -> Any:
        self.made.append(n)
        found = self.plan.pop(n, None)
        if isinstance(found, BaseException):
            raise found
        if found is not None:
            return found()
        return n * 10 if isinstance(n, int) else n


def settled(one: Any, how: Callable[[str], dict[str, Any]]) -> Any:
    """Resume run r to its end, saying `how(path)` of each call in doubt."""
    options: dict[str, Any] = {}
    for _ in range(20):
        try:
            return one.runtime.resume("r", **options)
        except rtfs.UserError as error:
            if error.code != "run/in-doubt":
                raise
            path = error.message.split()[1]
            options = {"call": path, **how(path)}
    raise AssertionError("it does not end")


@pytest.fixture
def counting(state: Path) -> Iterator[Callable[..., Counting]]:
    made: list[Counting] = []

    def make(**options: Any) -> Counting:
        one = Counting(state, **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.runtime.close()


@pytest.fixture
def faulty() -> Iterator[Callable[[Callable[[str, int], BaseException | None]], None]]:
    """`faulty(f)`: every connection made from now on asks `f(sql, number)` before the number-th writing statement
    (from 1) and raises what it answers."""
    import sqlite3

    def install(judge: Callable[[str, int], BaseException | None]) -> None:
        count = [0]

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> Any:
                if sql.startswith(("INSERT", "COMMIT")):
                    count[0] += 1
                    error = judge(sql, count[0])
                    if error is not None:
                        raise error
                return super().execute(sql, *rest)

        def connect(path: str) -> sqlite3.Connection:
            return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)

        sqlite.connect = connect

    yield install
    sqlite.connect = None


@pytest.fixture
def faulty_journal(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], BaseException | None]], None]:
    """`faulty_journal(f)`: before the number-th line (from 1) is written to any journal, `f(number)` is asked and what
    it answers is raised, after a part of the line was written."""

    def install(judge: Callable[[int], BaseException | None]) -> None:
        count = [0]
        append = Journal.append

        def faulty(self: Journal, line: bytes) -> int:
            count[0] += 1
            error = judge(count[0])
            if error is not None:
                append(self, line[: len(line) // 2])
                raise error
            return append(self, line)

        monkeypatch.setattr(Journal, "append", faulty)

    return install


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """`command("run", …)`: exit code, standard output and error of `rtfs`, with its state in the test's folder."""

    def run(*words: str, cwd: Path | None = None) -> tuple[int, str, str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "xdg"), "NO_COLOR": "1"}
        found = subprocess.run(
            [sys.executable, "-m", "rtfs", *words],
            capture_output=True,
            text=True,
            cwd=cwd or tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert "Traceback" not in found.stderr, found.stderr
        return found.returncode, found.stdout, found.stderr

    return run
