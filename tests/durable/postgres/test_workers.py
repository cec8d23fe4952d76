"""Submitting runs to workers: runs, waits, answers, times, labels and turns of workers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

import rtfs
from rtfs.host.dispatch.procrastinate import Procrastinate
from rtfs.host.dispatch.queues import queues_of
from rtfs.host.durable.runs import RunState
from tests.durable.postgres.workers import PROGRAM, Workers, until, workers

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def runtime(database: str) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(state=database) as rt:
        for name in ("pay", "ask", "slow", "die", "who"):
            rt.register(name, lambda *_: pytest.fail("it was made by the process that submits"))
        yield rt


@pytest.fixture
def others(database: str, tmp_path: Path) -> Iterator[Workers]:
    with workers(database, tmp_path) as found:
        yield found


def value(runtime: rtfs.Runtime, run_id: str, seconds: float = 240) -> Any:
    return asyncio.run(runtime.wait(run_id, seconds))


def state(runtime: rtfs.Runtime, run_id: str) -> str:
    return RunState(runtime._executor.store.look(run_id)).state


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        work()
    return caught.value.code


def test_a_run_is_submitted_here_and_run_there(runtime: rtfs.Runtime, others: Workers, tmp_path: Path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "sums.rtfs").write_text("(module tools.sums (defn twice [n] (* 2 n)))")
    main = tmp_path / "main.rtfs"
    main.write_text('(import tools.sums :as s) [(helper 1) (s/twice (call "pay" @n))]')
    runtime.load("(defn helper [n] (+ n 40))", "helpers.rtfs")
    run_id = runtime.submit(rtfs.Source(main.read_text(), str(main)), {"n": 5}, principal="ann")
    assert state(runtime, run_id) == "queued"
    (tmp_path / "tools" / "sums.rtfs").unlink()  # its texts travel
    main.unlink()
    others.start()
    assert value(runtime, run_id) == rtfs.Vector([41, 10])
    assert [line.split()[0] for line in others.made] == ["pay"]
    assert RunState(runtime._executor.store.look(run_id)).principal == "ann"


def test_errors_come_back_and_what_is_wrong_is_not_accepted(runtime: rtfs.Runtime, others: Workers):
    others.start()
    assert code(lambda: runtime.submit("(+ 1")) == "reader/unclosed"
    assert code(lambda: runtime.submit('(+ 1 "a")')).startswith("type/")
    assert code(lambda: runtime.submit("(+ 1 2)", priority=99)) == "argument/invalid"
    assert code(lambda: runtime.submit("(+ 1 2)", labels=["a b"])) == "argument/invalid"
    assert code(lambda: runtime.submit("(+ 1 2)", cron="often")) == "argument/invalid"
    assert code(lambda: value(runtime, runtime.submit('(throw {:code :mine :message "no"})'))) == "mine"
    assert code(lambda: value(runtime, runtime.submit("(fn [x] x)"))) == "capability/result"
    assert code(lambda: value(runtime, "nobody")) == "run/unknown"
    with rtfs.Runtime() as local:
        assert code(lambda: local.submit("(+ 1 2)")) == "config/state"


def test_a_key_submits_once(runtime: rtfs.Runtime):
    first = runtime.submit("(+ 1 2)", key="order 7")
    assert runtime.submit("(+ 1 2)", key="order 7") == first
    assert code(lambda: runtime.submit("(+ 1 3)", key="order 7")) == "run/key-used"
    assert runtime.submit("(+ 1 2)", key="order 7", principal="ann") != first
    paid = runtime.submit("(+ 1 @n @m)", {"n": 5, "m": 6}, key="order 8")
    assert runtime.submit("(+ 1 @n @m)", {"m": 6, "n": 5}, key="order 8") == paid
    with pytest.raises(rtfs.HostError, match="other parameters") as caught:
        runtime.submit("(+ 1 @n @m)", {"n": 5, "m": 7}, key="order 8")
    assert caught.value.code == "run/key-used"


def test_signals_moments_and_approvals_are_waited_for_without_a_worker(runtime: rtfs.Runtime, others: Workers):
    others.start()
    value(runtime, runtime.submit("1"))  # it is up
    waits = runtime.submit('[(await-signal "a") (await-signal "b")]')
    sleeps = runtime.submit(f"(sleep-until {int(time() * 1000) + 9000}) :awake")
    either = runtime.submit(f'(await-signal "a" {int((time() + 900) * 1000)})')
    until(lambda: state(runtime, waits) == "waiting")
    until(lambda: state(runtime, sleeps) == "sleeping")
    until(lambda: state(runtime, either) == "sleeping")
    runtime.signal(either, "a", "early")
    assert value(runtime, either) == "early"
    runtime.signal(waits, "a", 1)
    until(lambda: RunState(runtime._executor.store.look(waits)).question == "signal:b")
    runtime.signal(waits, "b", {"x": 2})
    assert rtfs.to_text(value(runtime, waits)) == "[1 {:x 2}]"
    assert value(runtime, sleeps) == rtfs.Keyword("awake")


def test_what_waits_or_is_queued_is_cancelled(runtime: rtfs.Runtime, others: Workers):
    queued = runtime.submit('(call "pay" 1)')
    runtime.cancel(queued, "not wanted")
    others.start()
    busy = runtime.submit('(call "ccos.system.sleep-ms" 60000)')
    until(lambda: state(runtime, busy) == "running")
    runtime.cancel(busy, "not wanted")
    for run_id in (queued, busy):
        assert code(lambda run_id=run_id: value(runtime, run_id)) == "cancelled"
    assert others.made == []


def test_runs_go_to_workers_with_their_labels(runtime: rtfs.Runtime, others: Workers):
    asking = runtime.submit('(call "who")', labels=["gpu", "eu"])
    plain = runtime.submit('(call "who")')
    others.start(labels="eu")
    first = value(runtime, plain)
    assert state(runtime, asking) == "queued"
    there = others.start(labels="gpu eu mine")
    assert (value(runtime, asking), first) == (there.pid, others.processes[0].pid)


def test_workers_of_two_versions_work_side_by_side_and_each_finishes_what_began_with_it(
    runtime: rtfs.Runtime, others: Workers, monkeypatch: pytest.MonkeyPatch
):
    """A worker takes no run that began with another version, and is not disturbed by it."""
    with monkeypatch.context() as patched:
        patched.setattr(rtfs, "__version__", "0.0.9")
        old = [runtime.submit('(call "who")') for _ in range(3)]
    new = [runtime.submit('(call "who")') for _ in range(3)]
    here = others.start()
    assert {value(runtime, run) for run in new} == {here.pid}
    assert {state(runtime, run) for run in old} == {"queued"}
    there = others.start(program='import rtfs\nrtfs.__version__ = "0.0.9"\n' + PROGRAM)
    assert {value(runtime, run) for run in old} == {there.pid}
    assert value(runtime, runtime.submit('(call "who")')) == here.pid


def test_a_time_and_a_schedule(runtime: rtfs.Runtime, others: Workers, sql: Sql):
    others.start()
    begins = time() + 2
    later = runtime.submit('(call "ccos.system.current-timestamp-ms")', at=begins)
    assert value(runtime, later) >= int(begins * 1000) - 1
    id = runtime.submit('(call "pay" 1)', cron="30 6 * * *", run_id="mornings")
    assert id == "mornings"
    assert code(lambda: runtime.submit("1", cron="30 6 * * *", run_id="mornings")) == "run/exists"
    sql("UPDATE rtfs.schedule SET next_at = clock_timestamp() - interval '2 days'")
    until(lambda: sql("SELECT id FROM rtfs.run WHERE id LIKE 'mornings-%%' AND state = 'done'") != [])
    assert sql("SELECT count(*) FROM rtfs.run WHERE id LIKE 'mornings-%%'") == [(1,)]
    assert sql("SELECT next_at > clock_timestamp() FROM rtfs.schedule") == [(True,)]


def test_a_worker_that_is_told_to_stop_finishes_its_call_and_hands_back(runtime: rtfs.Runtime, others: Workers):
    first = others.start()
    run_id = runtime.submit('[(call "slow" 1.5) (call "pay" 2)]')
    until(lambda: any(line.startswith("begin") for line in others.made))
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 0
    assert [line.split()[0] for line in others.made] == ["begin", "end"]
    assert state(runtime, run_id) == "queued"
    others.start()
    assert value(runtime, run_id) == rtfs.Vector([1.5, 2])
    assert [line.split()[0] for line in others.made] == ["begin", "end", "pay"]


def test_a_process_of_several_that_dies_is_replaced_and_sigterm_ends_all(database: str, tmp_path: Path, sql: Sql):
    def known() -> list[int]:
        return [int(str(id).split(":")[1]) for (id,) in sql("SELECT id FROM rtfs.worker ORDER BY began")]

    command = [sys.executable, "-m", "rtfs", "worker", "--processes", "2", "--state", database, "--runs=1"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as several:
        try:
            until(lambda: len(known()) == 2)
            os.kill(known()[0], signal.SIGKILL)
            until(lambda: len(known()) == 3)
            pids = known()
            several.send_signal(signal.SIGTERM)
            said = several.communicate(timeout=120)[1]
        finally:
            several.terminate()
    assert several.returncode == 0
    assert "a worker process ended with -9; it is replaced" in said
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_a_queue_that_is_told_to_stop_while_it_opens_its_connections_ends(database: str):
    dispatch = Procrastinate(database, 2.0)

    async def stopped() -> None:
        working = asyncio.create_task(dispatch.work(lambda run_id: None, queues_of(()), 1))
        await asyncio.sleep(0)  # it has begun to open them
        dispatch.stop()
        await asyncio.wait_for(working, 60)

    asyncio.run(stopped())


def test_principals_take_turns_however_many_runs_each_has(runtime: rtfs.Runtime, others: Workers, sql: Sql):
    many = [runtime.submit('(call "ask" "many")', principal="many") for _ in range(60)]
    few = [runtime.submit('(call "ask" "few")', principal="few") for _ in range(10)]
    others.start(runs=1)
    for run_id in (*many, *few):
        value(runtime, run_id)
    order = [line.split()[2] for line in others.made]
    assert len(order) == 70
    last = max(place for place, who in enumerate(order) if who == "few")
    assert last < 2 * 2 * len(few)


def test_a_plan_that_ends_its_worker_is_stuck_and_no_other_run_is(runtime: rtfs.Runtime, others: Workers, sql: Sql):
    poison = runtime.submit('(call "die" 1)')
    for made in (1, 2):  # announced, and announced again
        assert others.start(lease=1.0).wait(240) == 9
        assert others.made == ["die 1"] * made
    sql("UPDATE rtfs.run SET attempts = 5 WHERE id = %s", poison)  # as after four times more
    others.start(lease=1.0)
    assert code(lambda: value(runtime, poison)) == "run/stuck"
    assert value(runtime, runtime.submit("(+ 1 2)")) == 3
    assert others.made == ["die 1"] * 2


def test_a_run_with_nothing_that_would_advance_it_is_found(runtime: rtfs.Runtime, others: Workers, sql: Sql):
    lost = runtime.submit("(+ 1 2)")
    sql("SET search_path TO rtfs_queue; DELETE FROM procrastinate_jobs")
    others.start()
    assert value(runtime, lost) == 3
