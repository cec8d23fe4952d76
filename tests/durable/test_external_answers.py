"""Moments and signals: a plan waits for them, a durable run without a process; whatever dies, a signal is delivered
once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.runs import RunState

Make = Callable[..., Any]
RULES = [{"match": "again", "decide": "approve", "reason": "it costs money"}]


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        work()
    return caught.value.code


def known(state: Path, run_id: str = "r") -> RunState:
    return RunState(FolderRunStore(str(state)).look(run_id))


def soon(milliseconds: int) -> int:
    return int(time() * 1000) + milliseconds


def test_a_moment_that_is_past_is_no_wait_and_one_that_comes_is_waited_for(counting: Make):
    one = counting()
    assert one.runtime.run('[(sleep-until "2001-01-01T00:00:00Z") (sleep-until 5)]') == rtfs.Vector([None, None])
    until = soon(300)
    one.runtime.run(f"(sleep-until {until})")
    assert time() * 1000 >= until


@pytest.mark.parametrize("text", ['"tomorrow"', '"2030-01-01T00:00:00"', "-1", "1e300", "1000000000000000", '""'])
def test_what_is_no_moment_on_every_machine_is_an_error(counting: Make, text: str):
    assert code(lambda: counting().runtime.run(f"(sleep-until {text})")) == "argument/range"


@pytest.mark.parametrize("name", ['""', '"a\\nb"', f'"{"a" * 300}"'])
def test_what_cannot_name_a_signal_is_an_error(counting: Make, name: str):
    run = lambda: counting().runtime.run(f"(await-signal {name})", durable=True)  # noqa: E731
    assert code(run) == "argument/range"


def test_only_a_durable_run_can_wait_for_a_signal(counting: Make):
    one = counting()
    assert code(lambda: one.runtime.run('(await-signal "s")')) == "run/not-durable"
    assert one.runtime.run('(try (await-signal "s") (catch e :no))') == rtfs.Keyword("no")


def test_a_run_waits_for_signals_without_a_process_and_takes_each_once(counting: Make, state: Path):
    plan = '(call "count" 1) [(await-signal "paid") (await-signal "paid") (call "count" 2)]'
    one = counting()
    assert code(lambda: one.runtime.run(plan, durable=True, run_id="r")) == "run/waiting"
    assert (known(state).state, known(state).question, one.made) == ("waiting", "signal:paid", [1])
    other = counting()
    other.runtime.signal("r", "paid", {"euros": 7}, by="ann")
    assert code(lambda: other.runtime.resume("r")) == "run/waiting"
    assert code(lambda: other.runtime.resume("r")) == "run/waiting"
    other.runtime.signal("r", "paid", None)
    assert rtfs.to_text(other.runtime.resume("r")) == "[{:euros 7} nil 20]"
    assert (one.made, other.made) == ([1], [2])
    assert code(lambda: other.runtime.signal("r", "paid")) == "run/ended"
    answers = [record for record in other.runtime.ledger if record.kind == "answer"]
    assert [(one.subject, one.principal) for one in answers] == [("signal:paid", "ann"), ("signal:paid", "local")]


def test_a_signal_that_comes_first_waits_for_the_plan(counting: Make):
    one = counting()
    one.plan[1] = lambda: one.runtime.signal("r", "early", "yes")
    assert one.runtime.run('(call "count" 1) (await-signal "early")', durable=True, run_id="r") == "yes"


def test_a_signal_reaches_a_run_while_another_branch_is_busy(counting: Make):
    one = counting()
    timer = threading.Timer(0.3, lambda: one.runtime.signal("r", "s", 5))
    timer.start()
    plan = '(step-parallel (call "ccos.system.sleep-ms" 1500) (await-signal "s"))'
    assert one.runtime.run(plan, durable=True, run_id="r") == rtfs.Vector([None, 5])
    timer.join()


def test_branches_that_all_wait_end_the_process_together(counting: Make, state: Path):
    plan = '(step-parallel (await-signal "a") (do (call "count" 1) (await-signal "b")))'
    one = counting()
    assert code(lambda: one.runtime.run(plan, durable=True, run_id="r")) == "run/waiting"
    one.runtime.signal("r", "b", 2)
    assert code(lambda: one.runtime.resume("r")) == "run/waiting"
    assert (known(state).question, one.made) == ("signal:a", [1])
    one.runtime.signal("r", "a", 1)
    assert one.runtime.resume("r") == rtfs.Vector([1, 2])


def test_a_signal_that_does_not_come_in_time_gives_the_default(counting: Make):
    plan = f'[(await-signal "a" {soon(200)}) (await-signal "a" {soon(200)} :late)]'
    assert rtfs.to_text(counting().runtime.run(plan, durable=True)) == "[nil :late]"


def test_a_signal_is_delivered_once_wherever_the_process_dies(
    counting: Make, faulty_journal: Callable[[Callable[[int], BaseException | None]], None]
):
    """Every line of the journal is once the last that is written."""
    left: list[float] = [float("inf")]

    def judge(number: int) -> BaseException | None:
        left[0] -= 1
        return OSError("full") if left[0] < 0 else None

    faulty_journal(judge)
    plan = '[(await-signal "s") (call "again" 1) (await-signal "s")]'
    unwritten = 0
    for last in range(12):
        one, run_id = counting(), f"r{last}"
        assert code(lambda one=one, run_id=run_id: one.runtime.run(plan, durable=True, run_id=run_id)) == "run/waiting"
        one.runtime.signal(run_id, "s", 1)
        one.runtime.signal(run_id, "s", 2)
        left[0] = last
        try:
            one.runtime.resume(run_id)
        except rtfs.UserError:
            unwritten += 1
        left[0] = float("inf")
        assert rtfs.to_text(counting().runtime.resume(run_id)) == "[1 10 2]"
    assert 2 < unwritten < 12


def test_an_answer_from_elsewhere_approves_the_call_that_waits_and_no_other(counting: Make, state: Path):
    one = counting(rules=RULES)
    plan = '[(call "again" 2) (call "again" 3)]'
    assert code(lambda: one.runtime.run(plan, durable=True, run_id="r")) == "policy/approval-required"
    assert known(state).question == "approval:1"
    assert code(lambda: one.runtime.answer("r", "approval:2", True)) == "run/no-question"
    one.runtime.answer("r", "approval:1", True, by="ann")
    other = counting(rules=RULES)
    assert code(lambda: other.runtime.resume("r")) == "policy/approval-required"
    assert (other.made, known(state).question) == ([2], "approval:2")
    assert "approved by ann" in [record.detail.removeprefix("allow: ") for record in other.runtime.ledger]
    other.runtime.answer("r", "approval:2", "too expensive")
    with pytest.raises(rtfs.UserError, match="too expensive"):
        other.runtime.resume("r")


def test_an_approval_for_the_rest_of_the_run_is_given_only_where_the_rule_offers_it(counting: Make, state: Path):
    plan = '[(call "again" 2) (call "again" 3)]'
    offered = counting(rules=[{**RULES[0], "for_run": True}])
    assert code(lambda: offered.runtime.run(plan, durable=True, run_id="r")) == "policy/approval-required"
    offered.runtime.answer("r", "approval:1", {"approve": "run"}, by="ann")
    offered.runtime.resume("r")
    assert offered.made == [2, 3]
    once = counting(rules=RULES)
    assert code(lambda: once.runtime.run(plan, durable=True, run_id="s")) == "policy/approval-required"
    for wrong in ({"approve": "run"}, {"approve": "always"}, {}, None, 1):
        assert code(lambda given=wrong: once.runtime.answer("s", "approval:1", given)) == "argument/invalid"
    assert known(state, "s").question == "approval:1", "a mistake is no answer"


def test_an_approval_does_not_hold_for_other_arguments(counting: Make, state: Path):
    one = counting(rules=RULES)
    plan = '(call "again" @n)'
    run = lambda: one.runtime.run(plan, {"n": 2}, durable=True, run_id="r")  # noqa: E731
    assert code(run) == "policy/approval-required"
    store = FolderRunStore(str(state))
    one.runtime.answer("r", "approval:1", True)
    (given,) = store.answers("r")
    store.delete("r")
    run = lambda: one.runtime.run(plan, {"n": 3}, durable=True, run_id="r")  # noqa: E731
    assert code(run) == "policy/approval-required"
    store.answer("r", "approval:1", given.answer, "ann")
    assert code(lambda: one.runtime.resume("r")) == "policy/approval-required"
    assert one.made == []


@pytest.mark.parametrize("how", [{"how": "retry"}, {"how": "result", "value": 5}, {"how": "failed"}])
def test_an_answer_from_elsewhere_settles_a_call_in_doubt(counting: Make, state: Path, how: dict[str, Any]):
    one = counting()
    one.plan[1] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        one.runtime.run('(try (call "count" 1) (catch e :failed))', durable=True, run_id="r")
    assert code(lambda: one.runtime.resume("r")) == "run/in-doubt"
    assert (known(state).state, known(state).question) == ("in doubt", "resolution:1")
    assert code(lambda: one.runtime.answer("r", "resolution:1", {"how": "guess"})) == "argument/invalid"
    one.runtime.answer("r", "resolution:1", how)
    expected = {"retry": 10, "result": 5, "failed": rtfs.Keyword("failed")}[how["how"]]
    assert one.runtime.resume("r") == expected
    assert one.made == ([1, 1] if how["how"] == "retry" else [1])


def test_a_run_that_waits_is_cancelled_for_good(counting: Make, state: Path):
    one = counting()
    assert code(lambda: one.runtime.run('(await-signal "s")', durable=True, run_id="r")) == "run/waiting"
    one.runtime.cancel("r", "not wanted")
    assert (known(state).state, known(state).note) == ("cancelled", "cancelled: the run was cancelled: not wanted")
    assert code(lambda: one.runtime.resume("r")) == "cancelled"
    assert code(lambda: one.runtime.cancel("r")) == "run/ended"


@pytest.mark.parametrize("plan", ['(call "ccos.system.sleep-ms" 60000)', '(await-signal "s" 9999999999999)'])
def test_a_run_in_another_process_is_cancelled_within_a_moment(counting: Make, state: Path, plan: str):
    one = counting()
    timer = threading.Timer(0.3, lambda: one.runtime.cancel("r", "enough"))
    timer.start()
    with pytest.raises(rtfs.Cancelled, match="enough"):
        one.runtime.run(f'(call "count" 1) (try {plan} (catch e :caught)) (call "count" 2)', durable=True, run_id="r")
    timer.join()
    assert (known(state).state, one.made) == ("cancelled", [1])


def test_the_commands_signal_cancel_and_resume_tell_a_run(command: Callable[..., tuple[int, str, str]], tmp_path: Path):
    (tmp_path / "p.rtfs").write_text('(println "begins") (await-signal "paid for")')
    status, out, err = command("run", "--durable", "--run-id", "r", "--ledger", "l.db", "p.rtfs")
    assert (status, out) == (4, "begins\n")
    assert "rtfs signal r 'paid for' JSON" in err
    assert "signal:paid for" in command("runs", "show", "r")[1]
    assert command("signal", "r", "paid for", "{broken")[0] == 2
    assert command("signal", "nobody", "paid for")[0] == 1
    assert command("signal", "r", "paid for", '{"euros": 7}') == (0, "", "")
    assert command("resume", "r")[:2] == (0, "{:euros 7}\n")
    assert "answer signal:paid for" in " ".join(command("audit", "show", "l.db")[1].split())
    command("run", "--durable", "--run-id", "c", "p.rtfs")
    assert command("cancel", "c", "--why", "not wanted") == (0, "", "")
    status, _, err = command("resume", "c")
    assert status == 1
    assert "not wanted" in err
