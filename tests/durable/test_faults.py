"""Errors and a full disk at the nth write: nothing is called done that is not written, and the run resumes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host import sqlite
from rtfs.host.durable.folder_store import FolderRunStore
from tests.durable.conftest import settled

SOURCE = (
    '[(try (call "count" 1) (catch e :caught)) (call "count" 2)'
    ' (step-parallel (call "count" 3) (call "count" 4) (call "count" 5)) (call "count" 6)]'
)
VALUE = "[10 20 [30 40 50] 60]"
LINES = 8
"""Lines of a journal of that program: the beginning, six announcements, the end (outcomes go with the next)."""
WRITES = 14


def truth(one: Any, path: str) -> dict[str, Any]:
    """What became of a call in doubt."""
    n = {"1": 1, "2": 2, "3.1.1": 3, "3.2.1": 4, "3.3.1": 5, "4": 6}[path]
    return {"result": n * 10} if n in one.made else {"retry": True}


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("nth", range(1, WRITES))
def test_a_failing_write_stops_the_run(
    counting: Callable[..., Any], faulty_journal: Callable[..., None], state: Path, nth: int, lasting: bool
) -> None:
    broken = [True]

    def judge(number: int) -> BaseException | None:
        fails = broken[0] and (number == nth or (lasting and number > nth))
        return OSError(errno.ENOSPC, "No space left on device") if fails else None

    faulty_journal(judge)
    one = counting()
    failure: rtfs.UserError | None = None
    try:
        value = one.runtime.run(SOURCE, durable=True, run_id="r")
    except rtfs.UserError as error:
        failure = error
    assert (failure is not None) == (nth <= LINES)
    if failure is not None:
        assert failure.code == "run/unwritable"
        assert "no space left" in failure.message
        broken[0] = False
        if nth == 1:
            assert one.made == []
            assert FolderRunStore(str(state)).list() == []
            return
        value = settled(one, lambda path: truth(one, path))
    assert rtfs.to_text(value) == VALUE
    assert sorted(one.made) == [1, 2, 3, 4, 5, 6]


def test_a_real_full_disk(counting: Callable[..., Any], state: Path) -> None:
    """A file that may not grow any more is what a full disk is."""
    one = counting()
    one.plan[5] = lambda: limit(60_000) or "x" * 200_000
    held: list[tuple[int, int]] = []

    def limit(size: int) -> None:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        held.append(resource.getrlimit(resource.RLIMIT_FSIZE))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, held[0][1]))

    def free() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, held[0])

    source = '(loop [i 0 n 0] (if (< i 10) (recur (inc i) (+ n (count (str (call "count" i))))) n))'
    try:
        with pytest.raises(rtfs.UserError) as caught:
            one.runtime.run(source, durable=True, run_id="r")
    finally:
        free()
    assert caught.value.code == "run/unwritable"
    assert one.made == [0, 1, 2, 3, 4, 5]
    assert one.runtime.resume("r", result="x" * 200_000) == 200_017
    assert one.made == [*range(10)]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with rtfs.Runtime(state=tmp_path / "file") as runtime, pytest.raises(rtfs.UserError) as caught:
        runtime.run("1", durable=True)
    assert caught.value.code == "run/unwritable"


def test_the_modes_are_named_and_nothing_else(tmp_path: Path) -> None:
    for mode, pragma in (("kill", 1), ("power", 2)):
        connection = sqlite.open_database(str(tmp_path / mode), mode)
        assert connection.execute("PRAGMA synchronous").fetchone() == (pragma,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
        with rtfs.Runtime(state=tmp_path / "s", durability=mode, ledger=tmp_path / f"{mode}.ledger") as runtime:
            runtime.register("count", lambda n: n)
            assert runtime.run('(call "count" 1)', durable=True) == 1
            assert runtime.ledger.verify() is None
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(durability="lucky")
    assert caught.value.code == "config/durability"


def test_power_mode_syncs_before_a_call_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run keeps the mode that it began with; in the other mode nothing waits for the disk."""
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor))[1])
    for mode in ("power", "kill"):
        seen: list[int] = []

        def stop(seen: list[int] = seen) -> None:
            seen.append(len(synced))
            raise KeyboardInterrupt

        synced.clear()
        with rtfs.Runtime(state=tmp_path / mode, durability=mode) as runtime:
            runtime.register("stop", stop, idempotent=True)
            with pytest.raises(KeyboardInterrupt):
                runtime.run('(call "stop")', durable=True, run_id="r")
        synced.clear()
        with rtfs.Runtime(state=tmp_path / mode) as runtime:
            runtime.register("stop", lambda seen=seen: seen.append(len(synced)), idempotent=True)
            runtime.resume("r")
        assert [count > 0 for count in seen] == [mode == "power"] * 2
