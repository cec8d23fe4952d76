"""The calls that led to an error, over every machine that it came through, however the program was run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.syntax.diagnostics import render

LIBRARY = """(defn helper [x]
  (nth [1 2] x))
(capability "lib.pick" :implementation (fn [n] (helper n)))"""
PLAN = """(capability "mine" :implementation (fn [n] (call "lib.pick" n)))
(defn go [i]
  (step "go" (call "mine" i)))
(step-parallel 1 (go 9))"""
CALLS = [
    ("helper", "lib.rtfs:2:3"),
    ('the implementation of "lib.pick"', "lib.rtfs:3:48"),
    ('the implementation of "mine"', "plan.rtfs:1:44"),
    ("go", "plan.rtfs:3:14"),
    ("a branch of step-parallel", "plan.rtfs:4:18"),
    ("the program", "plan.rtfs:4:1"),
]


def runtime(**settings: Any) -> rtfs.Runtime:
    made = rtfs.Runtime(**settings)
    made.load(LIBRARY, "lib.rtfs")
    return made


def check(error: rtfs.UserError) -> None:
    assert [(name, str(span)) for name, span in error.trace] == CALLS
    assert str(error.span) == "plan.rtfs:1:44"
    assert [(text, str(span)) for text, span in error.notes] == [
        ('in the implementation of "lib.pick"', "lib.rtfs:2:3")
    ]


def test_a_run():
    with runtime() as made, pytest.raises(rtfs.UserError) as caught:
        made.run(PLAN, name="plan.rtfs")
    check(caught.value)


def test_a_run_within_an_event_loop():
    with runtime() as made, pytest.raises(rtfs.UserError) as caught:
        asyncio.run(made.arun(PLAN, name="plan.rtfs"))
    check(caught.value)


def test_a_durable_run_and_asking_again_for_its_error(tmp_path: Path):
    with runtime(state=tmp_path) as made, pytest.raises(rtfs.UserError) as first:
        made.run(PLAN, name="plan.rtfs", durable=True, run_id="a")
    check(first.value)
    with runtime(state=tmp_path) as made, pytest.raises(rtfs.UserError) as again:
        made.resume("a")
    assert render(again.value) == render(first.value)


def test_definitions_of_an_earlier_input():
    with runtime() as made:
        made.run('(defn pick [i]\n  (call "lib.pick" i))', name="<repl 1>")
        with pytest.raises(rtfs.UserError) as caught:
            made.run("(pick 7)", name="<repl 2>")
    assert str(caught.value.span) == "<repl 1>:2:3"
    assert [(name, str(span)) for name, span in caught.value.trace][2:] == [
        ("pick", "<repl 1>:2:3"),
        ("the program", "<repl 2>:1:1"),
    ]


def test_an_error_that_the_program_keeps_and_throws_later():
    text = """(defn fail [] (/ 1 0))
(defn keep [] (try (fail) (catch e e)))
(def kept (keep))
(defn later [] (throw kept))
(later)"""
    with rtfs.Runtime() as made, pytest.raises(rtfs.UserError) as caught:
        made.run(text, name="plan.rtfs")
    assert str(caught.value.span) == "plan.rtfs:1:15"
    assert [name for name, _ in caught.value.trace] == ["fail", "keep", "later", "the program"]


def test_an_error_of_a_python_capability_is_at_its_call():
    def fail(_: Any) -> Any:
        raise rtfs.HostError("no")

    with rtfs.Runtime() as made:
        made.register("py.fail", fail)
        with pytest.raises(rtfs.UserError) as caught:
            made.run('(defn go [] (call "py.fail" 1))\n(go)', name="plan.rtfs")
    assert [(name, str(span)) for name, span in caught.value.trace] == [
        ("go", "plan.rtfs:1:13"),
        ("the program", "plan.rtfs:2:1"),
    ]


def test_the_frames_of_the_standard_library_are_not_shown():
    with rtfs.Runtime() as made, pytest.raises(rtfs.UserError) as caught:
        made.run('(defn go [] (read-file "/etc/hostname"))\n(go)', name="plan.rtfs")
    assert str(caught.value.span) == "plan.rtfs:1:13"
    assert [name for name, _ in caught.value.trace] == ["go", "the program"]


def test_an_error_while_a_file_is_loaded_is_at_its_own_line():
    with rtfs.Runtime() as made, pytest.raises(rtfs.UserError) as caught:
        made.load("(defn f [x] (/ x 0))\n(f 1)", "lib.rtfs")
    assert str(caught.value.span) == "lib.rtfs:1:13"


@pytest.mark.parametrize(
    ("text", "pointed"),
    [
        ('(defn f [a b : int] a)\n(f (f 1 2) "x")', '"x"'),
        ("(defn f [a & more : int] a)\n(f 1 2 :x 4)", ":x"),
        ('(defn f [{:keys [a]} : [:map [:a :int]]] a)\n(f {:a "x"})', '"x"'),
        ('(defn f [n : int] (if (= n 0) 0 (recur "x")))\n(f 1)', "n"),
        ('(defn f [n : int] n)\n(map f [1 "x"])', '(map f [1 "x"])'),
        ('(defn f [n : int] n)\n(let [g f] (g "x"))', '(g "x")'),
        ('(loop [i : int 0] (if (= i 0) (recur "x") i))', "i"),
        ("(+ 1 2 nil)", "nil"),
        ("(* 2 (:a {}))", "(:a {})"),
        ("(nth [1 2] nil)", "nil"),
    ],
)
def test_the_argument_that_is_wrong_is_pointed_at_if_that_is_clear(text: str, pointed: str):
    with rtfs.Runtime() as made, pytest.raises(rtfs.UserError) as caught:
        made.run(text, check=False)
    assert caught.value.code == "type/mismatch"
    assert caught.value.span is not None
    assert caught.value.span.text == pointed
