"""Databases of the host that several processes open at once."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from rtfs.host.sqlite import KILL, open_database

FILES, PROCESSES = 40, 3


def _write(start: Barrier, folder: Path) -> None:
    for number in range(FILES):
        start.wait(60)
        connection = open_database(str(folder / f"{number}.db"), KILL)
        connection.execute("CREATE TABLE IF NOT EXISTS written (n)")
        connection.execute("INSERT INTO written VALUES (1)")
        connection.close()


def test_processes_that_make_a_database_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(PROCESSES)
    processes = [context.Process(target=_write, args=(start, tmp_path)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    for number in range(FILES):
        connection = open_database(str(tmp_path / f"{number}.db"), KILL)
        assert connection.execute("SELECT count(*) FROM written").fetchone() == (PROCESSES,)
        connection.close()
