"""Threads share the connections that commits go over."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from rtfs.host.postgres.commits import Batch, Commits


class Held:
    """In the place of a connection: work goes on until it is told to end."""

    def __init__(self) -> None:
        self.ends = threading.Event()
        self.works = 0

    def work(self, do: Any, patience: float | None = None) -> Any:
        self.works += 1
        assert self.ends.wait(60)
        return do(None, False)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def commits(held: Held) -> Commits:
    return Commits([held])  # type: ignore[list-item]


def until_waiting(commits: Commits, count: int) -> None:
    ends = time.monotonic() + 60
    while len(commits._queue) < count:
        assert time.monotonic() < ends
        time.sleep(0.001)


def test_work_waits_for_a_connection_and_has_it_to_itself(commits: Commits, held: Held):
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(commits.work(lambda connection: n))) for n in range(5)]
    for thread in threads:
        thread.start()
    until_waiting(commits, 4)
    assert held.works == 1
    held.ends.set()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("heeded_signals")
def test_a_thread_that_is_interrupted_while_it_waits_leaves_the_connection_to_others(commits: Commits, held: Held):
    first = threading.Thread(target=lambda: commits.work(lambda connection: 1))
    first.start()
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        until_waiting(commits, 1)
        signal.pthread_kill(main, signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        commits.work(lambda connection: 2)
    other.join(60)
    held.ends.set()
    first.join(60)
    assert commits.work(lambda connection: 3) == 3


class Interrupted(Held):
    """As it, and whatever works next is interrupted."""

    def work(self, do: Any, patience: float | None = None) -> Any:
        self.works += 1
        if self.works > 1:
            raise KeyboardInterrupt
        assert self.ends.wait(60)
        return [(1, 1, None)]


def test_a_thread_for_which_another_one_writes_is_told_that_this_was_interrupted():
    held = Interrupted()
    commits = Commits([held])  # type: ignore[list-item]
    became: dict[int, BaseException | None] = {}

    def write(run: int) -> None:
        try:
            commits.write(Batch(run, 1))
            became[run] = None
        except BaseException as error:
            became[run] = error

    threads = [threading.Thread(target=write, args=(run,)) for run in (1, 2, 3)]
    for waiting, thread in enumerate(threads):
        thread.start()
        until_waiting(commits, waiting)
        while not held.works:
            time.sleep(0.001)
    held.ends.set()
    for thread in threads:
        thread.join(60)
    assert became[1] is None
    assert isinstance(became[2], KeyboardInterrupt)
    assert isinstance(became[3], InterruptedError)
