"""Forms that would take long to compile: large ones become closures, which mean the same; templates are found once."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from rtfs.builtins.calling import MOST_SPELLED
from rtfs.compiler import compile_source
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.closures import calls
from rtfs.machine import Complete, new_environment, start
from rtfs.source import Source
from rtfs.syntax.printer import to_text

FUNCTIONS = " ".join(f"(defn f{i} [x] (+ q x {i}))" for i in range(1_200))
LARGE = {
    "functions in a body": (f"(let [q 1] {FUNCTIONS} (f7 2))", 10),
    "functions in a vector": (f"(count [{' '.join(f'(fn [x] {i})' for i in range(1_600))}])", 1_600),
    "a body of many parts": (f"(let [q 1] {' '.join(f'(def a{i} (+ q {i}))' for i in range(25_000))} (+ a7 q))", 9),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_form_of_a_file_becomes_closures(name: str) -> None:
    text, answer = LARGE[name]
    environment = new_environment()
    program = compile_source(Source(text, "plan.rtfs"), environment)
    assert program.unit.life is not None
    outcome = start(program)
    assert isinstance(outcome, Complete)
    assert outcome.value == answer


def test_forms_are_compiled_however_many_a_file_has() -> None:
    text = "\n".join(f"(defn- f{i} [x] (+ x {i}))" for i in range(3_000))
    program = compile_source(Source(text, "plan.rtfs"), new_environment())
    assert program.unit.life is None


def test_a_loop_with_many_functions_goes_on_as_closures() -> None:
    functions = " ".join(f"(fn [x] (+ x {i}))" for i in range(1_600))
    with rtfs.Runtime() as rt:
        assert rt.run(f"(loop [i 0 n 0] (if (< i 120) (recur (inc i) (+ n (count [{functions}]))) n))") == 192_000


def test_a_macro_that_is_too_large_is_an_error_with_a_place() -> None:
    functions = " ".join(f"(fn [x] {i})" for i in range(1_600))
    with rtfs.Runtime() as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(f"(defmacro m [] (count [{functions}]))\n(m)", name="plan.rtfs")
    assert caught.value.code == "limit/nesting"
    assert caught.value.span is not None


def test_the_place_of_a_macros_template_is_looked_up_once() -> None:
    environment = new_environment()
    compile_source(Source("(defmacro m [x] `(inc ~x))", "plan.rtfs"), environment)
    macro = environment.module("user").macros["m"]
    assert macro.template is macro.template


def test_functions_of_one_let_bind_names_as_many_as_there_are_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[str] = []
    bind = Scope.bind

    def counted(scope: Scope, name: str, binding: Any) -> None:
        bound.append(name)
        bind(scope, name, binding)

    monkeypatch.setattr(Scope, "bind", counted)
    counts = []
    for many in (100, 200):
        functions = " ".join(f"(f{i} [x] (if (< x 1) {i} (f{(i * 7 + 1) % many} (dec x))))" for i in range(many))
        outcome = start(compile_source(Source(f"(letfn [{functions}] (f1 2))", "<string>"), new_environment()))
        assert isinstance(outcome, Complete)
        assert outcome.value == 57
        counts.append(len(bound))
        bound.clear()
    assert counts[1] <= counts[0] * 2 + 10


def test_a_function_of_a_let_sees_the_values_before_it_and_all_functions_but_no_later_values() -> None:
    text = """
    (def late 1) (def g 5)
    (let [early 2
          f (fn [n] (if (< n 1) [early late] (g (dec n))))
          late 3
          f2 (fn [] [late (f 1)])
          g (fn [n] (f n))
          f (fn [n] (if (< n 1) :second (f (dec n))))
          g2 (fn [] (f 1))]
      [(f2) (f 1) (g2)])"""
    outcome = start(compile_source(Source(text, "<string>"), new_environment()))
    assert isinstance(outcome, Complete)
    assert to_text(outcome.value) == "[[3 [2 1]] :second :second]"


def test_a_call_of_thousands_of_arguments_takes_no_code_of_its_own() -> None:
    environment = new_environment()
    for count in (1_000, 2_000):
        outcome = start(compile_source(Source(f"(+ {' '.join(['1'] * count)})", "<string>"), environment))
        assert isinstance(outcome, Complete)
        assert outcome.value == count
    assert max(calls._SPELLED) == MOST_SPELLED + 1


def test_an_argument_of_many_that_fails_has_its_place() -> None:
    text = f"(vector {' '.join(['1'] * 40)} (nth [1] 5))"
    with rtfs.Runtime() as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(text)
    span = caught.value.span
    assert span is not None
    assert text[span.start : span.end] == "(nth [1] 5)"
