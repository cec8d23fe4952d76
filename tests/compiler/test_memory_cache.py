"""Units lately run in one environment: compiled once, and never taken for what they are no longer."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from rtfs.compiler import Environment, compile_source
from rtfs.compiler.units import memory_cache
from rtfs.machine import Complete, RequiresHost, new_environment, start
from rtfs.source import Source
from rtfs.syntax.printer import to_text
from tests.compiler.support import compilations, failure, printed


def little_room(monkeypatch: pytest.MonkeyPatch, capacity: int) -> None:
    monkeypatch.setattr(memory_cache, "CAPACITY", capacity)
    monkeypatch.setattr(memory_cache, "ONCE", capacity)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were compiled, not found."""
    return compilations(monkeypatch, lambda source: source.text)


def test_an_expression_that_is_run_again_is_compiled_once(compiled: list[str]):
    environment = new_environment()
    printed("(defn job [x] {:a [x]})", environment, "<string>")
    compiled.clear()
    assert [printed("(job 1)", environment, "<string>") for _ in range(3)] == ["{:a [1]}"] * 3
    assert compiled == ["(job 1)"]


@pytest.mark.parametrize(
    "plan",
    ["(defn f [x] (* 2 x)) (f 4)", "(defmacro m [x] `(* 2 ~x)) (deftype T int) (defn f [x : T] (m x)) (f 4)"],
    ids=["functions", "macros and types"],
)
def test_a_plan_with_definitions_that_is_run_again_and_again_is_soon_compiled_no_more(plan: str, compiled: list[str]):
    environment = new_environment()
    for _ in range(4):
        assert printed(plan, environment, "<string>") == "8"
    compiled.clear()
    assert printed(plan, environment, "<string>") == "8"
    assert compiled == []


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("(defn f [x] :function)", "macro", ":function"),
        ("(defmacro f [x] `(quote other))", "macro", "other"),
    ],
)
def test_a_name_that_becomes_something_else_changes_what_is_compiled(change: str, before: str, after: str):
    environment = new_environment()
    printed("(defmacro f [x] `(quote macro))", environment, "<string>")
    assert [printed("(f 1)", environment, "<string>") for _ in range(2)] == [before] * 2
    printed(change, environment, "<string>")
    assert [printed("(f 1)", environment, "<string>") for _ in range(2)] == [after] * 2


def test_what_one_snapshot_has_compiled_the_others_run_with_definitions_of_their_own(compiled: list[str]):
    environment = new_environment()
    printed("(def x 1)", environment, "<string>")
    plan = "(defn f [y] [x y]) (def x 2) (f 3)"
    snapshots = [environment.snapshot() for _ in range(3)]
    compiled.clear()
    assert [printed(plan, one, "<string>") for one in snapshots] == ["[2 3]"] * 3
    assert compiled == [plan]
    printed("(def x 4)", snapshots[0], "<string>")
    assert [printed("(f 5)", one, "<string>") for one in snapshots] == ["[4 5]", "[2 5]", "[2 5]"]
    assert printed("x", environment, "<string>") == "1"


def test_two_plans_that_define_one_type_differently_take_turns():
    environment = new_environment()
    narrow, wide = "(deftype T int) (defn f [x : T] x) (f 1)", '(deftype T string) (defn f [x : T] x) (f "a")'
    for _ in range(4):
        assert printed(narrow, environment, "<string>") == "1"
        assert failure('(f "a")', environment, "<string>").code == "type/mismatch"
        assert printed(wide, environment, "<string>") == '"a"'
        assert failure("(f 1)", environment, "<string>").code == "type/mismatch"


def test_a_redefined_standard_name_is_seen_by_what_was_compiled_before():
    environment = new_environment()
    assert [printed("(inc 1)", environment, "<string>") for _ in range(2)] == ["2", "2"]
    printed("(defn inc [x] :mine)", environment, "<string>")
    assert printed("(inc 1)", environment, "<string>") == ":mine"


def test_what_is_forgotten_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch):
    little_room(monkeypatch, 5)
    environment = new_environment()
    printed("1", environment, "<string>")
    units, names = len(environment.units), len(environment.module("user").globals)
    for number in range(50):
        assert printed(f"(count (quote [{number} a]))", environment, "<string>") == "2"
    assert len(environment.units) <= units + 5
    assert len(environment.module("user").globals) <= names + 5


PLANS = [
    "(defn f [x] (fn [y] (+ x y))) ((f 1) {number})",
    "(let [k {number}] (map (fn [x] (map (fn [y] (* x y k)) [1 2])) [1 2]))",
    "(loop [i 0 made []] (if (< i 200) (recur (inc i) (conj made {number})) (count made)))",
]
CYCLES = [
    "(let [f (fn [n] (if (< n 1) [] (conj (f (dec n)) n)))] (f {number}))",
    "(defn g [x] (nth [x] {number})) (try (g 1) (catch e (:code e)))",
]
"""Plans whose frames hold functions or errors that lead back to them."""


@pytest.mark.parametrize("plan", PLANS)
def test_plans_that_are_run_once_leave_nothing_behind_and_no_cycles(plan: str):
    environment = new_environment()
    known = []

    def run(count: int) -> None:
        for number in range(count):
            printed(plan.replace("{number}", str(len(known) * 1000 + number + 5)), environment, "<string>")
        known.append((len(environment.units), len(environment.module("user").globals), len(gc.get_objects())))

    run(40)
    gc.collect()
    gc.disable()
    try:
        run(1)
        run(100)
    finally:
        gc.enable()
    (units, names, objects), (more_units, more_names, more_objects) = known[1:]
    assert (more_units, more_names) == (units, names)
    assert more_objects - objects < 500


@pytest.mark.parametrize("plan", CYCLES)
def test_plans_that_make_cycles_leave_nothing_behind_once_these_are_collected(plan: str):
    environment = new_environment()
    for number in range(60):
        printed(plan.replace("{number}", str(number + 5)), environment, "<string>")
    gc.collect()
    assert len(environment.units) <= memory_cache.ONCE + 3


def test_texts_that_take_turns_are_compiled_twice_and_then_no_more(compiled: list[str]):
    environment = new_environment()
    texts = [f"(let [f (fn [x] [x {number}])] (f 1))" for number in range(60)]
    for _ in range(2):
        for text in texts:
            printed(text, environment, "<string>")
    assert len(compiled) <= 120
    compiled.clear()
    for text in texts:
        printed(text, environment, "<string>")
    assert compiled == []


def test_a_function_keeps_its_places_when_the_same_text_was_compiled_again(monkeypatch: pytest.MonkeyPatch):
    little_room(monkeypatch, 2)
    environment = new_environment()
    text = "(let [k [1 2]] (fn [x] (nth k x)))"
    first = evaluated(text, environment)
    for number in range(10):
        printed(str(number), environment, "<string>")
    second = evaluated(text, environment)
    for number in range(10, 20):
        printed(str(number), environment, "<string>")
    del second
    gc.collect()
    environment.module("user").globals["held"] = first
    error = failure("(held 9)", environment, "<string>")
    assert error.span is not None
    assert error.span.source.text[error.span.start : error.span.end] == "(nth k x)"


def functions(count: int, of: int) -> str:
    return f"(let [k {of}] {' '.join(f'(defn f{i} [x] (+ k x {i}))' for i in range(count))} (f1 2))"


def test_a_large_text_that_is_run_once_does_not_stay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory_cache, "LARGE", 500)
    monkeypatch.setattr(memory_cache, "ONCE_ROOM", 3_000)
    environment = new_environment()
    printed("1", environment, "<string>")
    snapshot = environment.snapshot()
    assert printed(functions(300, 4), snapshot, "<string>") == "7"
    assert len(environment.recent._shared.once) == 1
    del snapshot
    for number in range(3):
        assert printed(functions(300, number), environment, "<string>") == str(number + 3)
    assert printed("2", environment, "<string>") == "2"
    kept = environment.recent._units
    assert [len(unit.spans) < 500 for unit in kept.once.values()] == [True, True]
    assert not kept.large
    assert not kept.again


def test_large_texts_that_are_run_again_are_kept_within_bounds_and_drive_out_no_others(
    monkeypatch: pytest.MonkeyPatch, compiled: list[str]
):
    monkeypatch.setattr(memory_cache, "LARGE", 500)
    monkeypatch.setattr(memory_cache, "ONCE_ROOM", 100)
    monkeypatch.setattr(memory_cache, "AGAIN_ROOM", 8_000)
    environment = new_environment()
    for _ in range(3):
        printed("(+ 1 2)", environment, "<string>")
        for number in range(6):
            printed(functions(100, number), environment.snapshot(), "<string>")
    shared = environment.recent._shared
    assert 0 < sum(shared.large.values()) <= 8_000
    assert {*shared.large} < {*shared.again}
    compiled.clear()
    printed(functions(100, 5), environment.snapshot(), "<string>")
    printed("(+ 1 2)", environment, "<string>")
    assert compiled == []


def evaluated(text: str, environment: Environment) -> Any:
    done = start(compile_source(Source(text, "<string>"), environment))
    assert isinstance(done, Complete)
    return done.value


def test_a_function_outlives_the_unit_that_made_it(monkeypatch: pytest.MonkeyPatch):
    little_room(monkeypatch, 2)
    environment = new_environment()
    printed("(def held (let [k (quote [a b])] (fn [x] (if x k (nth k 5)))))", environment, "<string>")
    for number in range(20):
        printed(str(number), environment, "<string>")
    assert printed("(held true)", environment, "<string>") == "[a b]"
    error = failure("(held false)", environment, "<string>")
    assert error.code == "index/out-of-bounds"
    assert error.span is not None
    assert error.span.source.text[error.span.start : error.span.end] == "(nth k 5)"


def test_a_program_that_somebody_has_outlives_its_place_among_the_recent_ones(monkeypatch: pytest.MonkeyPatch):
    little_room(monkeypatch, 2)
    environment = new_environment()
    text = "(let [x : [:vector int] [1]] (call :wait) [(quote (a b)) x])"
    program = compile_source(Source(text, "<string>"), environment)
    waiting = start(compile_source(Source(text, "<other>"), environment))
    assert isinstance(waiting, RequiresHost)
    for number in range(20):
        printed(str(number), environment, "<string>")
    for outcome in (waiting, start(program)):
        assert isinstance(outcome, RequiresHost)
        done = outcome.resume(None)
        assert isinstance(done, Complete)
        assert to_text(done.value) == "[(a b) [1]]"
    assert len(environment.recent._units) <= 2 + 2


def test_a_snapshot_goes_on_separately():
    environment = new_environment()
    printed("(defn f [] 1)", environment, "<string>")
    copy = environment.snapshot()
    printed("(defn f [] 2)", copy, "<string>")
    assert (printed("(f)", environment, "<string>"), printed("(f)", copy, "<string>")) == ("1", "2")


@pytest.mark.parametrize(
    "sources",
    [
        ["(defn helper [] 1) (defmacro m [] (helper))"],
        ["(defn helper [] 1)", "(defmacro m [] (helper))"],
    ],
    ids=["one source", "two sources"],
)
def test_a_macro_expands_by_the_functions_there_are_now(sources: list[str]):
    environment = new_environment()
    for source in sources:
        printed(source, environment, "<string>")
    assert printed("(m)", environment, "<string>") == "1"
    for value in ("2", "3", "2"):
        printed(f"(defn helper [] {value})", environment, "<string>")
        assert printed("(m)", environment, "<string>") == value


def test_a_file_whose_macro_uses_what_was_redefined_before_it_is_not_taken_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RTFS_CACHE_DIR", str(tmp_path))
    answers = []
    for again in ("(defn helper [] 1)", "(defn helper [] 2)"):
        environment = new_environment()
        for text in ("(defn helper [] 0)", again):
            printed(text, environment, "<string>")
        answers.append(printed("(defmacro m [] (helper)) (m)", environment, "m.rtfs"))
    assert answers == ["1", "2"]
