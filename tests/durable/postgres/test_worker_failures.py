"""What becomes of runs when workers, databases, networks and clocks fail: never is a call that may not be repeated made
twice, and never is a run lost."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.answers import question_of
from rtfs.host.durable.store import ENDED, IN_DOUBT
from rtfs.testing.postgres import own_server
from tests.durable.postgres.proxy import Proxy
from tests.durable.postgres.workers import PROGRAM, Workers, until, workers

REPEATABLE = PROGRAM.replace("slow, blocking=True", "slow, blocking=True, idempotent=True")
IMPATIENT = "import rtfs.host.postgres.answering as answering\nanswering.ANSWER = 3.0\n"
NAMES = ("pay", "ask", "slow", "die", "who")


@pytest.fixture
def runtime(database: str) -> Iterator[rtfs.Runtime]:
    with submitting(database) as rt:
        yield rt


@pytest.fixture
def others(database: str, tmp_path: Path) -> Iterator[Workers]:
    with workers(database, tmp_path) as found:
        yield found


def submitting(url: str) -> rtfs.Runtime:
    rt = rtfs.Runtime(state=url)
    for name in NAMES:
        rt.register(name, lambda *_: pytest.fail("it was made by the process that submits"))
    return rt


def value(runtime: rtfs.Runtime, run_id: str, seconds: float = 240) -> Any:
    return asyncio.run(runtime.wait(run_id, seconds))


def facts(runtime: rtfs.Runtime, run_id: str) -> Any:
    return runtime._executor.store.look(run_id).facts


def began(others: Workers, count: int = 1) -> Callable[[], bool]:
    return lambda: sum(line.startswith("begin") for line in others.made) >= count


def settle(runtime: rtfs.Runtime, others: Workers, run_id: str) -> None:
    """Say of a call in doubt what a person would find: whether it was made."""
    view = runtime._executor.store.look(run_id)
    question = question_of(view)
    if view.facts["state"] != IN_DOUBT or not question:
        return
    path = question.partition(":")[2]
    key = f"{run_id}-{view.facts['nonce']}-{path}"
    done = [line for line in others.made if line.split()[1] == key]
    how = {"how": "result", "value": int(done[0].split()[2])} if done else {"how": "retry"}
    runtime.answer(run_id, question, how)


def soak(runtime: rtfs.Runtime, others: Workers, runs: int, calls: int, seconds: float, pause: float) -> None:
    """Kill a worker at random now and then for so long, then have all runs end. Raises AssertionError where a call that
    may not be repeated was made twice, an answer is wrong or a run is lost."""
    chance = random.Random(18)
    body = " ".join(f'(call "{"pay" if at % 2 else "ask"}" {at})' for at in range(calls))
    halves = f"(step-parallel [{body}] [{body}])"
    ids = [runtime.submit(halves) for _ in range(runs)]
    for _ in range(2):
        others.start(runs=4)
    ends = monotonic() + seconds
    while monotonic() < ends:
        sleep(pause)
        alive = [one for one in others.processes if one.poll() is None]
        victim = chance.choice(alive)
        victim.kill()
        victim.wait()
        others.start(runs=4)
    half = rtfs.Vector(list(range(calls)))
    left = set(ids)
    ends = monotonic() + 600
    while left:
        assert monotonic() < ends, f"lost: {[(one, facts(runtime, one)['state']) for one in left]}"
        for run_id in list(left):
            if facts(runtime, run_id)["state"] in ENDED:
                left.discard(run_id)
                assert value(runtime, run_id) == rtfs.Vector([half, half])
            else:
                settle(runtime, others, run_id)
        sleep(0.2)
    paid = [line.split()[1] for line in others.made if line.startswith("pay")]
    assert len(paid) == len(set(paid)) == runs * 2 * (calls // 2)


def test_workers_that_are_killed_lose_no_run_and_pay_nothing_twice(runtime: rtfs.Runtime, others: Workers):
    soak(runtime, others, runs=12, calls=8, seconds=12, pause=3)


def test_a_stopped_worker_that_returns_makes_no_further_call_and_goes_on_with_other_runs(
    runtime: rtfs.Runtime, others: Workers
):
    zombie = others.start()
    run_id = runtime.submit('[(call "slow" 1) (call "pay" 2)]')
    until(began(others))
    zombie.send_signal(signal.SIGSTOP)
    others.start()
    until(lambda: facts(runtime, run_id)["state"] == IN_DOUBT)
    runtime.answer(run_id, "resolution:1", {"how": "result", "value": 1})
    assert value(runtime, run_id) == rtfs.Vector([1, 2])
    others.processes[1].kill()
    zombie.send_signal(signal.SIGCONT)
    assert value(runtime, runtime.submit("(+ 1 2)")) == 3
    assert sum(line.startswith("pay") for line in others.made) == 1
    assert value(runtime, run_id) == rtfs.Vector([1, 2])


def test_a_database_that_is_restarted_is_waited_for(tmp_path: Path):
    server = own_server()
    try:
        with server.database() as url, submitting(url) as runtime, workers(url, tmp_path) as others:
            others.start()
            run_id = runtime.submit('[(call "slow" 2) (call "pay" 2)]')
            queued = runtime.submit('(sleep-until 0) (call "pay" 3)', at=time() + 3)
            until(began(others))
            server.kill()
            sleep(1)
            server.start()
            assert value(runtime, run_id) == rtfs.Vector([2, 2])
            assert value(runtime, queued) == 3
            assert sorted(line.split()[2] for line in others.made if line.startswith("pay")) == ["2", "3"]
    finally:
        server.stop()


@pytest.mark.parametrize("mode", ["drop", "reset"])
def test_a_worker_that_is_cut_off_from_the_database_loses_its_runs_and_comes_back(
    runtime: rtfs.Runtime, database: str, others: Workers, mode: str
):
    proxy = Proxy(database)
    others.start(url=proxy.url)
    run_id = runtime.submit('[(call "slow" 1) (call "pay" 2)]')
    until(began(others))
    proxy.mode = mode
    if mode == "reset":
        proxy.reset()
    near = others.start()
    until(lambda: facts(runtime, run_id)["state"] == IN_DOUBT)
    runtime.answer(run_id, "resolution:1", {"how": "result", "value": 1})
    assert value(runtime, run_id) == rtfs.Vector([1, 2])
    near.kill()
    proxy.mode = "pass"
    assert value(runtime, runtime.submit("(+ 1 2)")) == 3
    assert sum(line.startswith("pay") for line in others.made) == 1
    proxy.close()


def test_a_worker_whose_answers_are_lost_on_the_way_comes_back(runtime: rtfs.Runtime, database: str, others: Workers):
    """Its connections stay open, so that no error tells of it: a balancer that has lost its state does so."""
    proxy = Proxy(database)
    others.start(url=proxy.url, program=IMPATIENT + REPEATABLE)
    assert value(runtime, runtime.submit("(+ 1 2)")) == 3
    run_id = runtime.submit('[(call "slow" 2) (call "ask" 2)]')
    until(began(others))
    proxy.lose()
    assert value(runtime, runtime.submit("(+ 2 2)"), 60) == 4
    assert value(runtime, run_id, 60) == rtfs.Vector([2, 2])
    proxy.close()


def test_a_worker_that_was_cut_off_takes_other_runs_while_a_call_from_before_is_under_way(
    runtime: rtfs.Runtime, database: str, others: Workers
):
    proxy = Proxy(database)
    others.start(url=proxy.url)
    runtime.submit('(call "slow" 60)')
    until(began(others))
    for _ in range(8):  # each query that it makes now and then meets one
        proxy.reset()
        sleep(0.3)
    assert value(runtime, runtime.submit("(+ 1 2)"), 40) == 3
    assert not any(line.startswith("end") for line in others.made)
    proxy.close()


def test_a_slow_network_slows_a_run_down(runtime: rtfs.Runtime, database: str, others: Workers):
    proxy = Proxy(database)
    proxy.mode = "delay"
    others.start(url=proxy.url, lease=10.0)
    assert value(runtime, runtime.submit('(call "pay" 2)')) == 2
    assert sum(line.startswith("pay") for line in others.made) == 1
    proxy.close()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_workers_clock_decides_nothing(runtime: rtfs.Runtime, others: Workers, days: int):
    """Neither when it sleeps enough, nor who has a run."""
    moved = f"import time; _time = time.time; time.time = lambda: _time() + {days * 86_400}\n"
    one = others.start(program=moved + PROGRAM)
    brief, long = (int(time() * 1000) + milliseconds for milliseconds in (2_000, 3_600_000))
    assert value(runtime, runtime.submit(f"(sleep-until {brief}) :awake")) == rtfs.Keyword("awake")
    assert time() * 1000 >= brief
    sleeps = runtime.submit(f"(sleep-until {long})")
    until(lambda: facts(runtime, sleeps)["state"] == "sleeping")
    sleep(1)
    assert facts(runtime, sleeps)["state"] == "sleeping"
    busy = runtime.submit('(call "slow" 3)')
    until(began(others))
    others.start()
    assert value(runtime, busy) == 3
    assert sum(line.startswith("begin") for line in others.made) == 1
    assert one.poll() is None
