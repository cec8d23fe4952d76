"""A durable run that waits for an approval: wherever the call is made, the run says so, keeps its results, and
continues with the answer, for this call only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.runs import RunState

Make = Callable[..., Any]
RULES = [{"match": "again", "decide": "approve", "reason": "it costs money"}]
WHERE = {
    "program": '(call "count" 1) (call "again" 2)',
    "catch": '(call "count" 1) (try (call "again" 2) (catch e :caught))',
    "finally": '(try (do (call "count" 1) (call "again" 2)) (finally (kv/put "f" 1)))',
    "step": '(step "s" (call "count" 1) (call "again" 2))',
    "implementation": '(capability "own" :implementation (fn [x] (call "count" 1) (call "again" x))) (call "own" 2)',
    "branch": '(nth (step-parallel (do (call "count" 1) (call "again" 2)) (call "ccos.system.sleep-ms" 50)) 0)',
    "hinted": '(call "count" 1) ^{:runtime.retry 2} (call "again" 2)',
    "hinted implementation": (
        '(capability "own" :implementation (fn [x] (call "again" x)))'
        ' (call "count" 1) ^{:runtime.timeout 60000} (call "own" 2)'
    ),
    "time limit": '(call "count" 1) (call "again" 2)',
}


def code(work: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        work()
    return caught.value.code


@pytest.mark.parametrize("where", WHERE)
def test_a_run_waits_and_goes_on_when_it_is_approved(counting: Make, state: Path, where: str):
    limits = {"seconds": 60} if where == "time limit" else None
    one = counting(rules=RULES, limits=limits)
    with pytest.raises(rtfs.UserError) as caught:
        one.runtime.run(WHERE[where], durable=True, run_id="r")
    assert caught.value.code == "policy/approval-required"
    assert caught.value.hint == 'Runtime(approve=…).resume("r") continues it'
    waiting = RunState(FolderRunStore(str(state)).look("r"))
    assert (waiting.state, one.made) == ("waiting", [1])
    assert "it costs money" in (waiting.note or "")

    nobody = counting(rules=RULES, limits=limits)
    assert code(lambda: nobody.runtime.resume("r")) == "policy/approval-required"
    assert (RunState(FolderRunStore(str(state)).look("r")).state, nobody.made) == ("waiting", [])

    asked: list[str] = []
    other = counting(rules=RULES, limits=limits, approve=lambda request: asked.append(request.text) or True)
    assert other.runtime.resume("r") == 20
    assert (other.made, asked) == ([2], ["2"])
    assert RunState(FolderRunStore(str(state)).look("r")).state == "done"


def test_a_no_is_an_answer_too(counting: Make, state: Path):
    one = counting(rules=RULES)
    source = '(call "count" 1) (try (call "again" 2) (catch e (:code e)))'
    assert code(lambda: one.runtime.run(source, durable=True, run_id="r")) == "policy/approval-required"
    other = counting(rules=RULES, approve=lambda request: False)
    assert other.runtime.resume("r") == rtfs.Keyword("policy/denied")
    assert counting(rules=RULES, approve=lambda request: True).runtime.resume("r") == rtfs.Keyword("policy/denied")
    assert (one.made, other.made) == ([1], [])


def test_each_call_waits_for_its_own_answer(counting: Make, state: Path):
    answers = {"2": [None, True], "3": [None, None, True]}

    def approve(request: Any) -> Any:
        return answers[request.text].pop(0)

    one = counting(rules=RULES, approve=approve)
    source = '[(call "again" 2) (call "again" 3)]'
    assert code(lambda: one.runtime.run(source, durable=True, run_id="r")) == "policy/approval-required"
    assert code(lambda: one.runtime.resume("r")) == "policy/approval-required"
    assert code(lambda: one.runtime.resume("r")) == "policy/approval-required"
    assert one.runtime.resume("r") == rtfs.Vector([20, 30])
    assert one.made == [2, 3]


def test_a_run_whose_rules_became_stricter_waits_for_what_was_allowed_when_it_began(counting: Make, state: Path):
    one = counting()
    one.plan[1] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        one.runtime.run('[(call "count" 1) (call "again" 2)]', durable=True, run_id="r")
    strict = counting(rules=RULES)
    assert code(lambda: strict.runtime.resume("r", result=10)) == "policy/approval-required"
    assert strict.made == []
