"""Durable runs: what was recorded is answered, what is new is done, what is different is an error."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.journal import Journal, encode_line
from rtfs.host.durable.runs import RunState
from tests.durable.conftest import settled

Make = Callable[..., Any]
Interrupt = KeyboardInterrupt
TWENTY = '(loop [i 0 sum 0] (if (< i 20) (recur (inc i) (+ sum (call "count" i))) sum))'


def stopped(one: Any, source: str, at: Any, run_id: str = "r", **options: Any) -> None:
    """Start a run that is interrupted within the call with this argument."""
    one.plan[at] = Interrupt()
    with pytest.raises(Interrupt):
        one.runtime.run(source, durable=True, run_id=run_id, **options)


def code(action: Callable[[], Any]) -> str:
    with pytest.raises(rtfs.UserError) as caught:
        action()
    return caught.value.code


def test_an_interrupted_run_goes_on_in_another_runtime(counting: Make) -> None:
    one, other = counting(), counting()
    stopped(one, TWENTY, 7)
    assert other.runtime.resume("r", retry=True) == 1900
    assert one.made == [*range(8)]
    assert other.made == [*range(7, 20)]
    assert counting().runtime.resume("r") == 1900  # it has ended: its value again, nothing done


def test_a_finished_run_gives_its_error_again(counting: Make) -> None:
    one, other = counting(), counting()
    one.plan[1] = rtfs.HostError("no such luck", data=rtfs.Map([(1, 2)]))
    for found in (one.runtime.run, None):
        with pytest.raises(rtfs.UserError) as caught:
            found('(call "count" 1)', durable=True, run_id="r", name="p.rtfs") if found else other.runtime.resume("r")
        assert (caught.value.code, caught.value.message) == ("capability/failed", "no such luck")
        assert str(caught.value.span) == "p.rtfs:1:1"
        assert caught.value.data == rtfs.Map([(1, 2)])
    assert other.made == []


def test_arun_and_aresume_do_the_same(state: Path) -> None:
    made: list[int] = []

    async def main() -> Any:
        async with rtfs.Runtime(state=state) as runtime:
            release = asyncio.Event()

            async def slow(n: int) -> int:
                made.append(n)
                if n == 2 and not release.is_set():
                    await asyncio.sleep(30)
                return n

            runtime.register("slow", slow, idempotent=True)
            task = asyncio.create_task(
                runtime.arun(
                    '(step-parallel (call "slow" 1) (call "slow" 2) (call "slow" 3))', durable=True, run_id="r"
                )
            )
            while 3 not in made:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            release.set()
            return await runtime.aresume("r")

    assert asyncio.run(main()) == rtfs.Vector([1, 2, 3])
    assert sorted(made) == [1, 2, 2, 3]


def test_an_idempotent_call_is_made_again_with_the_same_key(counting: Make) -> None:
    one = counting()
    keys: list[str | None] = []

    def note() -> int:
        keys.append(rtfs.idempotency_key())
        if len(keys) == 1:
            raise Interrupt
        return 5

    one.plan["x"] = note
    with pytest.raises(Interrupt):
        one.runtime.run('[(call "again" "w") (call "again" "x")]', durable=True, run_id="r")
    one.plan["x"] = note
    assert one.runtime.resume("r") == rtfs.Vector(["w", 5])
    assert keys[0] == keys[1]
    assert re.fullmatch(r"r-[0-9a-f]{12}-2", keys[0] or "")
    assert rtfs.idempotency_key() is None


def test_any_other_call_in_doubt_is_asked_about(counting: Make) -> None:
    ways: list[tuple[dict[str, Any], str]] = [
        ({"retry": True}, "[10 20]"),
        ({"result": 7}, "[10 7]"),
        ({"assume_failed": True}, ":caught"),
    ]
    for how, expected in ways:
        one = counting()
        run_id = "r" + next(iter(how))
        stopped(one, '(try [(call "count" 1) (call "count" 2)] (catch e :caught))', 2, run_id)
        with pytest.raises(rtfs.UserError) as caught:
            one.runtime.resume(run_id)
        error = caught.value
        assert error.code == "run/in-doubt"
        assert 'call 2 of "count"' in error.message
        assert f'Runtime.resume("{run_id}", retry=True)' in (error.hint or "")
        assert error.span is not None
        assert one.made == [1, 2]
        assert rtfs.to_text(one.runtime.resume(run_id, **how)) == expected


@pytest.mark.usefixtures("unhurried")
def test_several_calls_in_doubt_are_resolved_one_by_one(counting: Make) -> None:
    one = counting(width=3)
    source = '(step-parallel (call "count" 1) (call "count" 2) (call "count" 3))'
    stopped(one, source, 1)
    assert code(lambda: one.runtime.resume("r", retry=True)) == "run/in-doubt"
    assert code(lambda: one.runtime.resume("r", call="9", retry=True)) == "argument/invalid"
    assert code(lambda: one.runtime.resume("r", call="1.1.1", result=5)) == "run/in-doubt"
    assert code(lambda: one.runtime.resume("r", call="1.2.1", retry=True)) == "run/in-doubt"
    assert one.made == [1]
    assert one.runtime.resume("r", call="1.3.1", retry=True) == rtfs.Vector([5, 20, 30])
    assert one.made == [1, 2, 3]
    assert code(lambda: one.runtime.resume("r", retry=True, result=1)) == "argument/invalid"


def test_implementations_in_rtfs_go_on_within(counting: Make) -> None:
    one = counting()
    source = (
        '(capability "sum" :implementation (fn [n] (+ (call "count" n) (call "count" (+ n 1))))) '
        '[(call "sum" 1) ^{:runtime.retry 1} (call "sum" 4)]'
    )
    stopped(one, source, 2)
    assert code(lambda: one.runtime.resume("r")) == "run/in-doubt"
    one.plan[5] = Interrupt()
    with pytest.raises(Interrupt):
        one.runtime.resume("r", retry=True)
    assert one.runtime.resume("r", retry=True) == rtfs.Vector([30, 90])
    assert one.made == [1, 2, 2, 4, 5, 5]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6, 7])
def test_parallel_branches_end_as_they_did(counting: Make, at: int) -> None:
    """The first error in time wins, also when the run is replayed."""
    one, other = counting(), counting()
    source = (
        '[(try (step-parallel (do (call "count" 1) (/ 1 0)) (do (call "count" 2) (call "nope")) (call "count" 3))'
        "   (catch e (:code e)))"
        ' (step-parallel (call "count" 4) (+ (call "count" 5) (call "count" 6)))'
        ' (call "count" 7)]'
    )
    whole = rtfs.to_text(other.runtime.run(source))
    one.plan[at] = Interrupt()
    try:
        value = one.runtime.run(source, durable=True, run_id="r")
    except Interrupt:
        value = settled(one, lambda path: {"retry": True})
    assert rtfs.to_text(value) == whole
    assert sorted(one.made) == sorted([*other.made, *([at] if at in other.made else [])])


def test_inputs_are_those_of_the_beginning(counting: Make, state: Path) -> None:
    one = counting(context={"who": {"name": "Ann"}})
    source = '(do (call "count" 1) [@who @day (call "ccos.system.current-timestamp-ms")])'
    stopped(one, source, 1, context={"day": rtfs.Keyword("monday")})
    with rtfs.Runtime(state=state, context={"who": "somebody else"}) as other:
        other.register("count", lambda n: n)
        value = other.resume("r", retry=True)
    assert rtfs.to_text(value).startswith('[{:name "Ann"} :monday ')


def test_time_and_environment_are_answered_from_the_record(counting: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLE_X", "before")
    one = counting(allow=["env:DURABLE_X"])
    stopped(
        one, '(def t (call "ccos.system.current-timestamp-ms")) (def x (get-env "DURABLE_X")) (call "count" 1) [x t]', 1
    )
    recorded = [
        event.value
        for event in FolderRunStore(str(one.runtime.options.state)).look("r").events
        if event.kind == "outcome"
    ]
    monkeypatch.setenv("DURABLE_X", "after")
    value = one.runtime.resume("r", retry=True)
    assert rtfs.to_text(value[0]) == '"before"'
    assert recorded[0] == f"[{value[1]}]"


def test_the_store_of_the_process_is_brought_back(counting: Make) -> None:
    kv = "ccos.state.kv."
    source = (
        f'(call "{kv}put" "a" 1) (call "{kv}put" "b" [1]) (call "{kv}conj" "b" 2) (call "{kv}put" "c" 3) '
        f'(call "{kv}delete" "c") (call "{kv}assoc" "m" 5 1) (call "count" 1) '
        f'[(call "{kv}get" "a") (call "{kv}conj" "b" 3) (call "{kv}get" "c" "none") (call "{kv}get" "m")]'
    )
    stopped(counting(), source, 1)
    assert rtfs.to_text(counting().runtime.resume("r", retry=True)) == '[1 [1 2 3] "none" {5 1}]'


def test_rights_can_only_narrow(counting: Make, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("text")
    source = f'(call "count" 1) (try (read-file "{tmp_path}/f") (catch e (:code e)))'
    few: list[str] = []
    many = [f"fs:read:{tmp_path}"]
    for at_first, later, expected in ((many, many, "text"), (many, few, "policy/denied"), (few, many, "policy/denied")):
        run_id = f"r{len(at_first)}{len(later)}"
        stopped(counting(allow=at_first), source, 1, run_id)
        value = counting(allow=later).runtime.resume(run_id, retry=True)
        assert getattr(value, "name", value) == expected


def test_a_quota_counts_over_the_whole_run(counting: Make) -> None:
    stopped(counting(max_calls=3), TWENTY, 1)
    assert code(lambda: counting().runtime.resume("r", retry=True)) == "limit/calls"


def test_a_denial_is_part_of_the_record(counting: Make, state: Path) -> None:
    answers = [False, True, True]
    one = counting(policy=lambda request: answers.pop(0))
    stopped(one, '[(try (call "count" 1) (catch e (:code e))) (call "count" 2)]', 2)
    with rtfs.Runtime(state=state) as other:
        other.register("count", lambda n: n * 10)
        assert rtfs.to_text(other.resume("r", retry=True)) == "[:policy/denied 20]"


# ---------------------------------------------------------------------- what is different


def test_a_changed_file_is_named_with_its_line(counting: Make, tmp_path: Path) -> None:
    file = tmp_path / "plan.rtfs"
    file.write_text('(call "count" 1)\n(call "count" 2)\n:end')
    one = counting()
    stopped(one, file.read_text(), 2, name=str(file))
    file.write_text('(call "count" 1)\n(call "count" 2)\n:other')
    with pytest.raises(rtfs.UserError) as caught:
        one.runtime.resume("r", retry=True)
    assert caught.value.code == "run/divergence"
    assert f"{file} was changed at line 3, after call 2" in caught.value.message
    assert str(caught.value.span) == f"{file}:3:2"
    assert one.runtime.resume("r", retry=True, accept_changes=True) == rtfs.Keyword("other")


def test_a_changed_module_is_a_divergence(counting: Make, tmp_path: Path) -> None:
    (tmp_path / "lib.rtfs").write_text("(module lib (:exports [f]) (defn f [] 1))")
    one, source = counting(module_path=[tmp_path]), '(import lib :as lib) (call "count" 1) (lib/f)'
    stopped(one, source, 1)
    (tmp_path / "lib.rtfs").write_text("(module lib (:exports [f]) (defn f [] 2))")
    assert code(lambda: counting(module_path=[tmp_path]).runtime.resume("r", retry=True)) == "run/divergence"


def test_a_changed_loaded_file_is_a_divergence(counting: Make) -> None:
    def loaded(text: str | None) -> Any:
        one = counting()
        if text is not None:
            one.runtime.load(text, "caps.rtfs")
        return one

    stopped(loaded("(defn f [x] x)"), '(f (call "count" 1))', 1)
    assert code(lambda: loaded("(defn f [x] [x])").runtime.resume("r", retry=True)) == "run/divergence"
    assert code(lambda: loaded(None).runtime.resume("r", retry=True)) == "run/divergence"
    assert loaded("(defn f [x] x)").runtime.resume("r", retry=True) == 10


@pytest.mark.parametrize(
    ("now", "message"),
    [
        ('(call "count" 1) (step "two" (call "count" 5)) (call "count" 3)', 'call 2 was a call of "count"'),
        ('(call "count" 1) (call "again" 2) (call "count" 3)', 'now it is a call of "again"'),
        ('(call "count" 1) (call "count" 3)', "with other arguments"),
        ('(call "count" 1)', "does not make it"),
        ('(call "count" 1.0) (call "count" 2) (call "count" 3)', "call 1"),
        ('(call "count" 1) (/ 1 0)', "does not make it"),
        ('(step-parallel (call "count" 1) (call "count" 2))', "does not make it"),
    ],
)
def test_other_calls_are_named(counting: Make, tmp_path: Path, now: str, message: str) -> None:
    file = tmp_path / "plan.rtfs"
    file.write_text('(call "count" 1) (step "two" (call "count" 2)) (call "count" 3)')
    one = counting()
    stopped(one, file.read_text(), 3, name=str(file))
    file.write_text(now)
    with pytest.raises(rtfs.UserError) as caught:
        one.runtime.resume("r", retry=True, accept_changes=True)
    assert caught.value.code == "run/divergence"
    assert message in caught.value.message
    assert one.made == [1, 2, 3]
    if "call 2" in caught.value.message and "does not" not in caught.value.message:
        assert 'in step "two"' in caught.value.message
        assert caught.value.span is not None


def test_another_version_of_python_is_a_divergence(counting: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(counting(), TWENTY, 3)
    monkeypatch.setattr("rtfs.host.durable.resume.versions", lambda: {"Python": "2.7", "rtfs": rtfs.__version__})
    assert code(lambda: counting().runtime.resume("r", retry=True)) == "run/divergence"
    assert counting().runtime.resume("r", retry=True, accept_changes=True) == 1900


def test_definitions_of_other_runs_are_not_part_of_it(counting: Make) -> None:
    one = counting()
    one.runtime.load("(defn f [x] (* 2 x))")
    one.runtime.run("(defn f [x] x) (def y 1)")
    assert one.runtime.run('(f (call "count" 1))', durable=True) == 20
    assert code(lambda: one.runtime.run("y", durable=True)) == "undefined"
    assert one.runtime.run("(f y)") == 1


# ---------------------------------------------------------------------- journals


def test_a_journal_is_private_and_can_be_deleted(counting: Make, state: Path) -> None:
    one = counting()
    one.runtime.run('(call "count" 1)', durable=True, run_id="r")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(state / name).st_mode) for name in os.listdir(state)} == {0o600}
    assert FolderRunStore(str(state)).list() == ["r"]
    FolderRunStore(str(state)).delete("r")
    assert os.listdir(state) == []


def test_states_are_told(counting: Make, state: Path) -> None:
    one = counting()
    seen: list[str] = []
    one.plan[1] = lambda: seen.append(RunState(FolderRunStore(str(state)).look("r")).state)
    one.runtime.run('(call "count" 1)', durable=True, run_id="r")
    stopped(one, '(call "count" 2)', 2, "s")
    stopped(one, '(call "again" 2)', 2, "t")
    with pytest.raises(rtfs.UserError):
        one.runtime.run("(/ 1 0)", durable=True, run_id="u")
    assert seen == ["running"]
    assert [RunState(FolderRunStore(str(state)).look(id)).state for id in "rstu"] == [
        "done",
        "in doubt",
        "interrupted",
        "failed",
    ]
    assert 'call 1 of "count"' in (RunState(FolderRunStore(str(state)).look("s")).note or "")


def test_a_run_is_in_one_place_at_a_time(counting: Make) -> None:
    one, other = counting(), counting()
    found: list[str] = []
    one.plan[1] = lambda: found.append(code(lambda: other.runtime.resume("r")))
    one.runtime.run('(call "count" 1)', durable=True, run_id="r")
    assert found == ["run/active"]


@pytest.mark.parametrize("run_id", ["", ".", "a/b", "..", "-x", "a b", "é", "x" * 101])
def test_odd_run_ids_are_refused(counting: Make, run_id: str) -> None:
    assert code(lambda: counting().runtime.resume(run_id)) == "argument/run-id"


def test_an_id_is_used_once(counting: Make) -> None:
    one = counting()
    one.runtime.run("1", durable=True, run_id="r")
    assert code(lambda: one.runtime.run("1", durable=True, run_id="r")) == "run/exists"
    assert code(lambda: one.runtime.resume("nobody")) == "run/unknown"


@pytest.mark.parametrize("how", ["text", "line", "facts", "events", "empty"])
def test_a_damaged_journal_is_an_error_that_says_so(counting: Make, state: Path, how: str) -> None:
    stopped(counting(), TWENTY, 3)
    file = state / "r.journal"
    if how in ("text", "empty"):
        file.write_text("" if how == "empty" else "nonsense\n" * 1000)
    elif how == "line":
        lines = file.read_bytes().split(b"\n")
        lines[2] = lines[2].replace(b"count", b"coumt")
        file.write_bytes(b"\n".join(lines))
    else:
        found = FolderRunStore(str(state)).look("r")
        facts = {name: "?" for name in found.facts if name != "format"} if how == "facts" else found.facts
        events = [(event.kind, event.path, event.subject, "?", event.note) for event in found.events]
        file.write_bytes(encode_line(events, {**found.facts, **facts}))
    assert code(lambda: counting().runtime.resume("r", retry=True)) in ("run/damaged", "run/divergence")


def test_a_line_that_was_cut_off_was_never_written(counting: Make, state: Path) -> None:
    stopped(counting(), TWENTY, 3)
    file = state / "r.journal"
    whole = file.read_bytes()
    for cut in range(1, len(whole.rstrip(b"\n").rpartition(b"\n")[2]) + 1):
        file.write_bytes(whole[:-cut])
        view = FolderRunStore(str(state)).look("r")
        assert [event.path for event in view.events if event.kind == "call"] == ["1", "2", "3"]
        assert not view.busy
    assert counting().runtime.resume("r", retry=True) == 1900


def test_a_journal_of_another_format_is_refused_and_says_what_to_do(counting: Make, state: Path) -> None:
    stopped(counting(), TWENTY, 3)
    found = FolderRunStore(str(state)).look("r")
    (state / "r.journal").write_bytes(encode_line((), {**found.facts, "format": "7"}))
    with pytest.raises(rtfs.UserError) as caught:
        counting().runtime.resume("r")
    assert caught.value.code == "run/damaged"
    assert "format 7" in caught.value.message
    assert "rtfs runs delete r" in (caught.value.hint or "")


def test_a_journal_of_the_first_format_is_converted_when_it_is_resumed(counting: Make, state: Path) -> None:
    stopped(counting(), TWENTY, 3)
    found = FolderRunStore(str(state)).look("r")
    (state / "r.journal").unlink()
    connection = sqlite3.connect(state / "r.db")
    connection.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, subject TEXT NOT NULL,"
        " value TEXT NOT NULL, note TEXT NOT NULL)"
    )
    facts = [(name, value) for name, value in found.facts.items() if name not in ("format", "owner")]
    connection.executemany("INSERT INTO facts VALUES (?, ?)", facts)
    rows = [(event.kind, event.path, event.subject, event.value, event.note) for event in found.events]
    connection.executemany("INSERT INTO events (kind, path, subject, value, note) VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    (state / "r.lock").touch()
    assert FolderRunStore(str(state)).list() == ["r"]
    assert RunState(FolderRunStore(str(state)).look("r")).state == "in doubt"
    assert code(lambda: counting().runtime.run("1", durable=True, run_id="r")) == "run/exists"
    again = counting()
    assert again.runtime.resume("r", retry=True) == 1900
    assert 1 not in again.made
    assert [path.name for path in state.iterdir()] == ["r.journal"]


def test_a_program_that_is_none_leaves_no_journal(counting: Make, state: Path) -> None:
    assert code(lambda: counting().runtime.run("(if)", durable=True, run_id="r")) == "form/shape"
    assert FolderRunStore(str(state)).list() == []


def test_results_of_any_kind_come_back(counting: Make) -> None:
    one = counting()
    values = rtfs.Vector(
        [1, 1.0, True, 10**400, float("inf"), "\0é", rtfs.Symbol("s"), rtfs.List([1]), rtfs.Keyword("k"), None]
    )
    one.plan["v"] = lambda: values
    stopped(one, '(def v (call "count" "v")) (call "count" 1) v', 1)
    found = one.runtime.resume("r", retry=True)
    assert rtfs.to_text(found) == rtfs.to_text(values)
    assert [part.__class__ for part in found] == [part.__class__ for part in values]


def test_a_function_is_no_result_of_a_durable_call(counting: Make) -> None:
    one = counting()
    one.plan[1] = lambda: rtfs.Vector([len])
    assert code(lambda: one.runtime.run('(call "count" 1)', durable=True)) == "capability/result"
    run = one.runtime.run('(fn [x] (call "count" x))', durable=True, run_id="f")
    assert callable(run)
    assert callable(one.runtime.resume("f"))


def test_a_long_computation_does_not_keep_an_outcome_in_memory(
    counting: Make, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outcome is written soon, though no call follows: here the limit of steps ends the process's patience."""
    one = counting(limits={"steps": 3_000_000})
    source = '(call "count" 1) (loop [i 0] (if (< i 100000000) (recur (inc i)) i))'
    seen: list[int] = []
    append = Journal.append

    def watched(self: Journal, line: bytes) -> int:
        written = append(self, line)
        events = FolderRunStore(str(state)).look(self.run_id).events
        seen.append(sum(1 for event in events if event.kind == "outcome"))
        return written

    monkeypatch.setattr(Journal, "append", watched)
    assert code(lambda: one.runtime.run(source, durable=True)) == "limit/steps"
    assert seen.count(1) >= 2  # written while it computed, and again at the end


def test_python_is_part_of_the_record(counting: Make, state: Path) -> None:
    counting().runtime.run("1", durable=True, run_id="r")
    assert (
        f'"Python": "{sys.version_info[0]}.{sys.version_info[1]}"'
        in FolderRunStore(str(state)).look("r").facts["versions"]
    )


def test_time_that_is_up_and_output_nobody_reads_are_no_end(counting: Make, state: Path) -> None:
    one = counting()
    endless = '(call "count" 1) (loop [i 0] (if (= 7 (call "again" i)) :end (recur (+ i 0))))'
    assert code(lambda: one.runtime.run(endless, durable=True, run_id="r", timeout=0.3)) == "limit/time"
    assert RunState(FolderRunStore(str(state)).look("r")).state == "interrupted"
    one.plan[0] = lambda: 7
    assert one.runtime.resume("r", limits={"seconds": 60}) == rtfs.Keyword("end")
    one.plan[2] = rtfs.Cancelled()
    assert code(lambda: one.runtime.run('(call "again" 2)', durable=True, run_id="s")) == "cancelled"
    assert one.runtime.resume("s") == 20


def test_what_was_done_is_written_before_somebody_is_asked(counting: Make, state: Path) -> None:
    seen: list[str] = []

    def approve(request: Any) -> bool:
        seen.extend(event.kind for event in FolderRunStore(str(state)).look("r").events)
        return True

    one = counting(rules=[{"match": "again", "decide": "approve"}], approve=approve)
    assert one.runtime.run('(call "count" 1) (call "again" 2)', durable=True, run_id="r") == 20
    assert seen == ["call", "outcome"]


@pytest.mark.usefixtures("unhurried")
def test_the_outcome_of_a_branch_is_written_before_the_next_branch_makes_its_call(counting: Make, state: Path) -> None:
    """Killed in the tenth of sixteen synchronous branches: nine are known to be done, one is in doubt."""
    one = counting()
    one.plan[10] = Interrupt()
    source = "(step-parallel " + " ".join(f'(call "count" {n})' for n in range(1, 17)) + ")"
    with pytest.raises(Interrupt):
        one.runtime.run(source, durable=True, run_id="r")
    assert one.made == list(range(1, 11))
    events = FolderRunStore(str(state)).look("r").events
    assert [event.path for event in events if event.kind == "outcome"] == [f"1.{n}.1" for n in range(1, 10)]
    value = settled(one, lambda path: {"retry": True})
    assert list(value) == [n * 10 for n in range(1, 17)]
    assert sorted(one.made) == sorted([*range(1, 17), 10])


def test_a_durable_run_holds_one_descriptor(counting: Make) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd").iterdir()))

    one = counting()
    seen: list[int] = []
    one.plan[1] = lambda: seen.append(descriptors())
    before = descriptors()
    one.runtime.run('(call "count" 1)', durable=True)
    assert seen == [before + 1]
    assert descriptors() == before


def test_a_file_in_which_nothing_was_written_whole_is_no_run(counting: Make, state: Path) -> None:
    """A kill at any moment while a journal is created leaves an id that can be used."""
    counting().runtime.run("1", durable=True, run_id="r")
    file = state / "r.journal"
    first = file.read_bytes().split(b"\n")[0]
    for left in (b"", b"0", first[: len(first) // 2], first):
        file.write_bytes(left)
        assert code(lambda: counting().runtime.resume("r")) == "run/damaged"
        assert counting().runtime.run("(+ 1 1)", durable=True, run_id="r") == 2
        assert counting().runtime.resume("r") == 2
