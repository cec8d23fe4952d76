"""A run that continues as a new one: with what, how both are linked, and what it does not get rid of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.cli.main import main
from rtfs.host.audit.ledger_stores import records
from rtfs.host.durable.journal import Journal
from rtfs.host.durable.renewal import Renewal
from rtfs.host.durable.runs import RunState

PLAN = """
(plan "pages" {:params {:page [:int :default 1] :found [[:vector :int] :default []] :until [:int :default 4]}}
  (let [more (conj found (call "fetch" page))]
    (if (< page until)
      (continue-as-new {:page (inc page) :found more})
      more)))
"""


@pytest.fixture
def place(state: Path) -> str:
    return str(state)


@pytest.fixture
def made() -> list[int]:
    return []


@pytest.fixture
def runtime(place: str, tmp_path: Path, made: list[int]) -> Iterator[rtfs.Runtime]:
    with runtime_of(place, tmp_path, made) as found:
        yield found


def runtime_of(place: str, folder: Path, made: list[int], **options: Any) -> rtfs.Runtime:
    ledger = {"ledger": place, "ledger_key": folder / "key"} if "://" in place else {"ledger": folder / "ledger.db"}
    found = rtfs.Runtime(state=place, **{**ledger, **options})

    def fetch(page: int) -> int:
        made.append(page)
        return page * 10

    found.register("fetch", fetch)
    return found


def code(runtime: rtfs.Runtime, source: str, **options: Any) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(source, **options)
    return caught.value.code


def test_each_new_run_has_an_empty_journal_and_the_value_is_that_of_the_last(
    runtime: rtfs.Runtime, made: list[int]
) -> None:
    assert runtime.run(PLAN, durable=True, run_id="r", params={"until": 3}) == rtfs.Vector([10, 20, 30])
    assert made == [1, 2, 3]
    store = runtime._executor.store
    assert store.list() == ["r", "r.2", "r.3"]
    assert [len([one for one in store.look(run).events if one.kind == "call"]) for run in store.list()] == [1, 1, 1]
    assert [runtime.resume(run) for run in ("r", "r.2", "r.3")] == [rtfs.Vector([10, 20, 30])] * 3
    assert asyncio.run(runtime.arun(PLAN, durable=True, run_id="s")) == rtfs.Vector([10, 20, 30, 40])
    assert asyncio.run(runtime.wait("s", 60)) == rtfs.Vector([10, 20, 30, 40])
    assert made == [1, 2, 3, 1, 2, 3, 4]


def test_both_runs_and_both_parts_of_the_ledger_name_each_other(
    runtime: rtfs.Runtime, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.run(PLAN, durable=True, run_id="r", params={"until": 2})
    store = runtime._executor.store
    first, second = (RunState(store.look(run)) for run in ("r", "r.2"))
    assert (first.state, first.continued_as, first.continues) == ("done", "r.2", "")
    assert (second.state, second.continued_as, second.continues) == ("done", "", "r")
    ledger = place if "://" in place else str(tmp_path / "ledger.db")
    said = [(one.run, one.kind, one.detail) for one in records(ledger) if one.kind in ("end", "resume")]
    assert said == [("r", "end", "continued as r.2"), ("r.2", "resume", "continues r"), ("r.2", "end", "ok")]
    assert runtime.ledger.verify() is None
    assert main(["runs", "show", "r", "--state", place]) == 0
    assert "continued as run r.2" in capsys.readouterr().out
    assert main(["runs", "show", "r.2", "--state", place, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["continues"] == "r"


def test_a_signal_that_was_not_taken_comes_along(runtime: rtfs.Runtime) -> None:
    plan = """(plan "p" {:params {:n [:int :default 1]}}
      (if (= n 1)
        (do (await-signal "go") (continue-as-new {:n 2}))
        [(await-signal "a") n]))"""
    assert code(runtime, plan, durable=True, run_id="r") == "run/waiting"
    runtime.signal("r", "a", 7)
    runtime.signal("r", "go", 1)
    assert runtime.resume("r") == rtfs.Vector([7, 2])
    assert [one.used for one in runtime._executor.store.answers("r.2")] == [True]


def test_a_plan_does_not_get_rid_of_its_quotas(place: str, tmp_path: Path, made: list[int]) -> None:
    with runtime_of(place, tmp_path, made, max_calls=7) as runtime:
        assert code(runtime, PLAN, durable=True, run_id="r", params={"until": 9}) == "limit/calls"
    assert len(made) == 4  # continuing is a call as well
    made.clear()
    with runtime_of(place, tmp_path, made, quotas=[{"match": "fetch", "calls": 2}]) as runtime:
        assert code(runtime, PLAN, durable=True, run_id="s", params={"until": 9}) == "limit/quota"
    assert made == [1, 2]


def test_what_cannot_be_continued_is_said(place: str, tmp_path: Path, runtime: rtfs.Runtime) -> None:
    assert code(runtime, PLAN) == "run/not-durable"
    assert code(runtime, PLAN, record=tmp_path / "recording") == "run/not-durable"
    assert code(runtime, "(step-parallel (sleep 500) (continue-as-new))", durable=True) == "run/busy"
    assert code(runtime, '(continue-as-new {"page" 2})', durable=True) == "type/mismatch"
    assert code(
        runtime, '(plan "p" {:params {:n :int}} (continue-as-new {:n "x"}))', durable=True, params={"n": 1}
    ) == ("type/mismatch")
    rule = {"after": "ccos.io.read-file", "deny": "fetch"}
    with runtime_of(place, tmp_path, [], sequence=[rule]) as ruled:
        assert code(ruled, PLAN, durable=True) == "run/continue"


def test_a_process_that_died_between_both_runs_is_made_up_for(
    runtime: rtfs.Runtime, place: str, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(run_id: str) -> None:
        raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(type(runtime._executor), "_resumption", lambda self, run_id: die(run_id))
        runtime.run(PLAN, durable=True, run_id="r", params={"until": 2})
    assert runtime.resume("r") == rtfs.Vector([10, 20])
    assert made == [1, 2]


def test_a_process_that_died_when_the_new_run_was_made_and_the_old_one_not_ended(
    state: Path, tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder: a database does both at once."""

    class Died(BaseException):
        pass

    def die(self: Journal, renewal: Renewal) -> None:
        self._store.renew(renewal, [])
        raise Died

    with runtime_of(str(state), tmp_path, made) as runtime:
        with monkeypatch.context() as patched, pytest.raises(Died):
            patched.setattr(Journal, "continue_as", die)
            runtime.run(PLAN, durable=True, run_id="r", params={"until": 2})
        assert runtime._executor.store.list() == ["r", "r.2"]
        assert runtime.resume("r") == rtfs.Vector([10, 20])
        assert made == [1, 2]
        assert code(runtime, "1", durable=True, run_id="r.2") == "run/exists"
