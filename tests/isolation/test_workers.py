"""Worker processes: what ends one ends its run only, and everything else is as in this process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.cli.main import main
from rtfs.host.isolation.pool import WALLS, Pool, workers
from rtfs.syntax.diagnostics import render


@pytest.fixture
def runtime() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime(isolation="process", allow=["*"]) as made:
        yield made


def error_of(runtime: rtfs.Runtime, source: str, **options: Any) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(source, **options)
    return caught.value


def test_a_worker_that_is_killed_ends_its_own_run_only(runtime: rtfs.Runtime) -> None:
    runtime.register("demo.kill", lambda: os.kill(runtime.workers()[0], signal.SIGKILL))
    assert error_of(runtime, '(call "demo.kill")').code == "run/crashed"
    assert runtime.run("(+ 1 2)") == 3


def test_definitions_that_are_lost_with_a_worker_are_told_of(runtime: rtfs.Runtime) -> None:
    runtime.register("demo.kill", lambda: os.kill(runtime.workers()[0], signal.SIGKILL))
    runtime.run("(def kept 1)")
    assert runtime.run("kept") == 1
    crashed = error_of(runtime, '(call "demo.kill")')
    assert "definitions" in (crashed.hint or "")
    assert error_of(runtime, "kept").code == "undefined"


def test_definitions_stay_for_the_next_run_and_for_snapshots(runtime: rtfs.Runtime) -> None:
    runtime.load("(defn twice [x] (* 2 x))")
    runtime.run("(def kept (twice 4))")
    assert runtime.run("(twice kept)") == 16
    assert asyncio.run(runtime.arun("(def other 1) (twice kept)")) == 16
    assert error_of(runtime, "other").code == "undefined"


def test_runs_of_an_event_loop_have_workers_of_their_own(runtime: rtfs.Runtime) -> None:
    seen: set[int] = set()
    runtime.register("demo.seen", lambda: seen.update(runtime.workers()))

    async def both() -> list[Any]:
        plans = [f'(do (call "demo.seen") (reduce + (range {n})))' for n in range(1000, 1006)]
        return list(await asyncio.gather(*[runtime.arun(plan) for plan in plans]))

    assert asyncio.run(both()) == [sum(range(n)) for n in range(1000, 1006)]
    assert len(seen) == 6


def test_an_implementation_in_rtfs_makes_its_calls_in_every_worker(runtime: rtfs.Runtime) -> None:
    runtime.register("demo.up", lambda text: text.upper())
    runtime.load('(capability "demo.shout" :implementation (fn [text] (str (call "demo.up" text) "!")))')
    assert runtime.run('(call "demo.shout" "a")') == "A!"
    assert asyncio.run(runtime.arun('(step-parallel (call "demo.shout" "a") (call "demo.shout" "b"))')).to_list() == [
        "A!",
        "B!",
    ]
    assert runtime.run('(call "demo.shout" "c")', durable=False) == "C!"


@pytest.mark.parametrize(
    "source",
    [
        '(defn add [a] (+ 1 a)) (add "x")',
        "(let [x 1] (undefined-name x))",
        "(match 3 1 :one)",
        '(call "demo.fails" 1)',
        '(call "nothing.there" 1)',
        '(step "a" (throw {:reason 7}))',
        '(step-parallel 1 (call "demo.fails" 1))',
        "(loop [n 0] (recur (inc n)))",
    ],
)
def test_an_error_is_the_same_with_its_place_and_its_calls(source: str) -> None:
    def fails(value: Any) -> None:
        raise rtfs.HostError("it fails", code="demo/failed", hint="try again")

    shown = []
    for isolation in (None, "process"):
        with rtfs.Runtime(isolation=isolation, allow=["*"]) as runtime:
            runtime.register("demo.fails", fails)
            error = error_of(runtime, source, limits={"steps": 100_000}, check=False)
            shown.append((type(error), error.data, render(error)))
    assert shown[0] == shown[1]


def test_the_ledger_says_the_same(tmp_path: Path) -> None:
    plan = """(with-context {:a 1} (step "outer" (call "demo.id" @a)))
      (step-parallel (step "left" (call "demo.id" 1)) (call "demo.id" 2))"""
    told = []
    for isolation in (None, "process"):
        records: list[Any] = []
        with rtfs.Runtime(isolation=isolation, allow=["*"], on_event=records.append) as runtime:
            runtime.register("demo.id", lambda value: value)
            runtime.run(plan, run_id="one")
        found = {record.seq: record for record in records}

        def below(record: Any, found: dict[int, Any] = found) -> tuple[Any, ...]:
            above = () if record.parent not in found else below(found[record.parent])
            return (*above, (record.kind, record.subject, "" if record.kind == "run" else record.detail))

        told.append(sorted(str(below(record)) for record in records))
    assert told[0] == told[1]
    assert len(told[0]) > 12


def test_time_memory_and_steps_are_limited(runtime: rtfs.Runtime) -> None:
    assert error_of(runtime, "(loop [n 0] (recur (inc n)))", timeout=0.3).code == "limit/time"
    assert error_of(runtime, "(loop [n 0] (recur (inc n)))", limits={"steps": 1000}).code == "limit/steps"
    grows = "(loop [v []] (recur (conj v (vec (range 1000)))))"
    assert error_of(runtime, grows, limits={"memory": 64 << 20}).code == "limit/memory"
    assert runtime.run("(+ 1 2)") == 3


def test_branches_without_end_meet_a_limit(runtime: rtfs.Runtime) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run('(defn f [] (call "ccos.concurrent/parallel" (vec (repeat 16 f)))) (f)', limits={"seconds": 120})
    assert caught.value.code == "limit/nesting"
    assert runtime.run("(+ 1 2)") == 3


def test_a_run_is_cancelled_while_it_computes(runtime: rtfs.Runtime) -> None:
    started = runtime.start_run("(loop [n 0] (recur (inc n)))")
    started.cancel("enough")
    with pytest.raises(rtfs.UserError) as caught:
        started.result()
    assert caught.value.code == "cancelled"
    assert runtime.run("1") == 1


def test_a_durable_run_is_resumed_after_its_worker_was_killed(tmp_path: Path) -> None:
    made: list[int] = []
    with rtfs.Runtime(isolation="process", allow=["*"], state=tmp_path) as runtime:

        def make(number: Any) -> Any:
            made.append(number)
            if made == [1, 2]:
                os.kill(runtime.workers()[0], signal.SIGKILL)
            return number * 10

        runtime.register("demo.make", make, idempotent=True)
        plan = '(let [a (step-parallel (call "demo.make" 1) 7)] [a (call "demo.make" 2) (call "demo.make" 3)])'
        assert error_of(runtime, plan, durable=True, run_id="killed").code == "run/crashed"
        assert rtfs.to_text(runtime.resume("killed")) == "[[10 7] 20 30]"
        assert made.count(1) == 1
        assert rtfs.to_text(runtime.resume("killed")) == "[[10 7] 20 30]"


def test_a_person_is_asked_and_the_clock_stands_still() -> None:
    import time

    def approve(request: Any) -> bool:
        time.sleep(0.5)
        return True

    rules = [{"match": "demo.*", "decide": "approve"}]
    with rtfs.Runtime(isolation="process", allow=["*"], rules=rules, approve=approve) as runtime:
        runtime.register("demo.id", lambda value: value)
        assert runtime.run('(do (call "demo.id" 1) (reduce + (range 100000)))', timeout=0.4) == sum(range(100000))


def test_modules_come_from_the_host(tmp_path: Path) -> None:
    (tmp_path / "tools.rtfs").write_text("(module tools (:exports [double]) (defn double [x] (* 2 x)))")
    with rtfs.Runtime(isolation="process", module_path=[tmp_path]) as runtime:
        assert runtime.run("(import tools :as t) (t/double 4)") == 8
        assert error_of(runtime, "(import nowhere)").code == "module/not-found"


def test_a_worker_has_no_environment_no_files_and_no_way_out(runtime: rtfs.Runtime) -> None:
    runtime.register("demo.look", lambda: sorted(os.listdir(f"/proc/{runtime.workers()[0]}/fd")))
    assert runtime.run('(call "demo.look")').to_list() == ["0", "1", "2", "3", "4"]
    runtime.register("demo.environ", lambda: Path(f"/proc/{runtime.workers()[0]}/environ").read_bytes().decode())
    assert runtime.run('(call "demo.environ")') == ""


def test_compiled_files_of_worker_processes_are_in_the_folder_of_their_host(tmp_path: Path) -> None:
    environment = {**os.environ, "RTFS_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "rtfs", "run", "--isolate", "-e", "(+ 1 2)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert len(list(tmp_path.iterdir())) > 1


def test_the_parameters_of_a_plan_are_fitted_in_the_worker(runtime: rtfs.Runtime) -> None:
    plan = '(plan "add" {:params {:n :int}} (+ n 1))'
    assert runtime.run(plan, params={"n": 4}) == 5
    assert error_of(runtime, "(+ 1 2)", params={"n": 4}).code == "plan/parameter"


def test_the_kernel_ends_a_process_that_uses_too_much_of_a_processor() -> None:
    program = (
        "from rtfs.host.isolation import sandbox\n"
        "sandbox.SPARE = 0\n"
        "sandbox.allow_processor(1.0, last=True)\n"
        "while True: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=300, check=False)
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_process_may_be_told_another_processor_time_unless_that_was_the_last() -> None:
    program = (
        "import resource\n"
        "from rtfs.host.isolation import sandbox\n"
        "for last in (False, True):\n"
        "    sandbox.allow_processor(100.0, last)\n"
        "    sandbox.allow_processor(None, False)\n"
        "    print(resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_strangers_are_served_only_where_the_sandbox_is_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Pool, "missing_walls", lambda self: ["landlock"])
    assert main(["mcp", "serve", "--http", "127.0.0.1:0"]) != 0
    said = capsys.readouterr().err
    assert "without landlock" in said
    assert "--allow-unsandboxed" in said


def test_what_a_worker_lacks_of_its_sandbox_is_known() -> None:
    assert set(workers.missing_walls()) <= set(WALLS)
