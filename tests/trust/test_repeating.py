"""A call that a hint repeats is a call like any other: decided, recorded, counted, and approved by a person."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs

ROOT = Path(__file__).resolve().parent.parent.parent
RETRY = "^{:runtime.retry {:max-retries 3 :initial-delay-ms 0}} "


class Failing:
    """A runtime whose capability `effect` fails so often, and notes how many decisions there were each time."""

    def __init__(self, failures: int, **fields: Any) -> None:
        self.decisions: list[int] = []
        self.failures = failures
        self.runtime = rtfs.Runtime(**fields)
        self.runtime.register("effect", self.effect)

    def effect(self, *values: Any) -> str:
        self.decisions.append(sum(record.kind == "decision" for record in self.runtime.ledger))
        if len(self.decisions) <= self.failures:
            raise rtfs.HostError("not yet")
        return "done"


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        work()
    return caught.value.code


def test_each_attempt_of_a_retry_has_its_decision_first():
    one = Failing(2)
    with one.runtime as rt:
        assert rt.run(RETRY + '(call "effect" 1)') == "done"
    assert one.decisions == [1, 2, 3]


@pytest.mark.parametrize("quota", [{"max_calls": 2}, {"quotas": [{"match": "effect", "calls": 2}]}])
def test_each_attempt_counts_against_the_quota(quota: dict[str, Any]):
    one = Failing(10, **quota)
    with one.runtime as rt:
        caught = code(lambda: rt.run(f'(try {RETRY}(call "effect" 1) (catch e :caught))'))
    assert caught in ("limit/calls", "limit/quota")
    assert len(one.decisions) == 2


def test_bytes_are_counted_in_utf8_and_for_each_attempt():
    with Failing(0, quotas=[{"match": "effect", "bytes": 100}]).runtime as rt:
        assert rt.run('(call "effect" (join "" (repeat 90 "x")))') == "done"
        assert code(lambda: rt.run('(call "effect" (join "" (repeat 50 "é")))')) == "limit/quota"
    one = Failing(10, quotas=[{"match": "effect", "bytes": 100}])
    with one.runtime as rt:
        assert code(lambda: rt.run(RETRY + '(call "effect" (join "" (repeat 40 "x")))')) == "limit/quota"
    assert len(one.decisions) == 2


def test_an_approval_is_for_one_attempt():
    answers = [True, True, False]
    one = Failing(10, rules=[{"match": "effect", "decide": "approve"}], approve=lambda request: answers.pop(0))
    with one.runtime as rt:
        assert code(lambda: rt.run(RETRY + '(call "effect" 1)')) == "policy/denied"
    assert (len(one.decisions), answers) == (2, [])


def test_a_policy_that_changes_its_mind_stops_the_next_attempt():
    answers = [True, False]
    one = Failing(10, policy=lambda request: answers.pop(0))
    with one.runtime as rt:
        assert code(lambda: rt.run(RETRY + '(call "effect" 1)')) == "policy/denied"
    assert len(one.decisions) == 1


def test_time_that_is_cut_off_is_counted():
    """A timeout, and a branch that another one's failure cancels, use up the quota of seconds like any call."""
    with rtfs.Runtime(quotas=[{"match": "ccos.system.sleep-ms", "seconds": 0.05}]) as rt:
        cut = '(try ^{:runtime.timeout 30} (call "ccos.system.sleep-ms" 60000) (catch e nil))'
        assert code(lambda: rt.run(cut * 5)) == "limit/quota"
        other = (
            '(try (step-parallel (call "ccos.system.sleep-ms" 60000)'
            ' (loop [i 0] (if (< i 300000) (recur (inc i)) (throw "x")))) (catch e nil))'
        )
        assert code(lambda: rt.run(other * 30)) == "limit/quota"


HINT = """
async def twice(call, options, proceed):
    call.note(f"twice: {call.capability} {options}")
    await call.sleep(0.001)
    return [await proceed(), await proceed()]

async def broken(call, options, proceed):
    raise ValueError("oops")
"""
PROGRAM = """
import rtfs
made = []
with rtfs.Runtime(quotas=[{"match": "effect", "calls": 6}]) as rt:
    rt.register("effect", lambda n: made.append(n) or len(made))
    print(rt.run('(str ^{:runtime.twice {:a 1}} (call "effect" 1))'))
    print(rt.run('(str ^{:runtime.learning.twice true :runtime.retry 1 :runtime.metrics {}} (call "effect" 1))'))
    print([record.kind for record in rt.ledger if record.kind in ("decision", "hint")])
    try:
        rt.run('^{:runtime.broken 1} (call "effect" 1)')
    except rtfs.UserError as error:
        print(error.code, error.message)
    try:
        rt.run('(dotimes [i 9] (try ^{:runtime.twice 1} (call "effect" 1) (catch e nil)))')
    except rtfs.UserError as error:
        print(error.code, len(made))
    print(rt.run('^{:runtime.nobody 1} (call "effect" 1)'), rt.warnings[-1][0])
"""


def test_a_hint_of_the_entry_point_group_wraps_the_call(tmp_path: Path):
    info = tmp_path / "hints-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hints\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[rtfs.hints]\ntwice = my_hints:twice\nbroken = my_hints:broken\n")
    (tmp_path / "my_hints.py").write_text(HINT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "[1 2]",
        "[3 4]",
        "['decision', 'hint', 'decision', 'decision', 'hint', 'decision']",
        "capability/hint the hint broken failed: ValueError: oops",
        "limit/quota 10",
        "11 unknown hint :runtime.nobody on a call of effect is ignored",
    ], done.stderr


@pytest.mark.parametrize(("method", "attempts"), [("GET", 3), ("POST", 1)])
def test_a_request_whose_outcome_is_unknown_is_repeated_only_if_it_only_asks(method: str, attempts: int):
    with socket.create_server(("127.0.0.1", 0)) as silent, rtfs.Runtime(["net:127.0.0.1"]) as rt:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        call = f'(call "ccos.network.http-fetch" :url "{url}" :method "{method}" :timeout-ms 30)'
        assert code(lambda: rt.run(RETRY.replace("3", "2") + call)) == "capability/timeout"
        assert sum(record.kind == "decision" for record in rt.ledger) == attempts
