"""Analysis without code generation: all errors of a text, and its nodes, with nothing run or generated."""

from __future__ import annotations

import gc

import pytest

from rtfs.compiler import codegen, compile_source
from rtfs.compiler.analyse import AnalysedProgram, analyse_source
from rtfs.compiler.analysis import nodes
from rtfs.machine.machine import new_environment
from rtfs.source import Source


def analysed(text: str) -> AnalysedProgram:
    return analyse_source(Source(text, "<test>"), new_environment())


def found(text: str) -> list[tuple[str, str]]:
    return [(error.code, error.span.text if error.span else "") for error in analysed(text).errors]


def test_every_broken_form_is_reported():
    assert found("(if) (def x 1) (let [y] y) (loop [i 0] (+ 1 (recur i)))") == [
        ("form/shape", "(if)"),
        ("form/shape", "[y]"),
        ("recur/not-tail", "(recur i)"),
    ]


def test_several_errors_of_one_form_are_reported():
    assert found("(defn f [a] (if) (let [b (if 1 2 3 4)] (throw)))") == [
        ("form/shape", "(if)"),
        ("form/shape", "(if 1 2 3 4)"),
        ("form/shape", "(throw)"),
    ]


def test_a_reader_error_does_not_hide_the_forms_around_it():
    program = analysed('(def a 1)\n(def b 12abc)\n(if)\n(def c "\\q")')
    assert [error.code for error in program.errors] == ["reader/number", "form/shape", "reader/string-escape"]
    assert [form.node.name for form in program.forms if isinstance(form.node, nodes.Def)] == ["a"]


def test_macros_expand_and_may_use_what_is_defined_before_them():
    program = analysed("(defn twice [x] (* 2 x)) (defmacro four [] (twice 2)) (def y (four))")
    assert program.errors == []
    last = program.forms[-1].node
    assert isinstance(last, nodes.Def)
    assert isinstance(last.value, nodes.Const)
    assert last.value.value == 4


def test_a_failing_macro_is_one_error_among_others():
    assert [code for code, _ in found('(defmacro bad [] (throw "no")) (bad) (if)')] == ["macro/expansion", "form/shape"]


def test_an_expansion_without_end_is_reported():
    assert [code for code, _ in found("(if) (defmacro m [] '(m)) (m)")] == ["form/shape", "limit/expansion"]


def test_nothing_is_generated(monkeypatch: pytest.MonkeyPatch):
    environment = new_environment()
    environment.core_macros()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("code was generated")

    monkeypatch.setattr(codegen.generator, "compile", fail, raising=False)
    text = "(defn f [x] (when x (+ x 1))) (map f [1 2]) (call :a.b 1)"
    assert analyse_source(Source(text, "<test>"), environment).errors == []


def test_the_environment_is_not_changed():
    environment = new_environment()
    compile_source(Source("(def a 1)", "<test>"), environment)
    state, defined = environment.state, set(environment.module("user").defined)
    analyse_source(Source("(def b 1) (defmacro m [] 1)", "<test>"), environment)
    assert (environment.state, environment.module("user").defined) == (state, defined)
    assert not environment.module("user").macros


def test_every_class_of_node_says_where_its_children_are():
    classes = {one for one in vars(nodes).values() if isinstance(one, type) and issubclass(one, nodes.Node)}
    assert classes - {nodes.Node, nodes.Composite, nodes.Statement} == set(nodes._CHILDREN)


def test_walking_reaches_what_every_class_of_node_holds():
    program = analysed(
        "(defn f [a & r] (try (match a [x] (map (fn [y] (+ x y)) r) _ (loop [i 0] (recur (inc i)))) (catch e 1)))"
    )
    (form,) = program.forms
    seen = list(nodes.walk(form.node))
    names = {type(node).__name__ for node in seen}
    assert {"Def", "Fn", "Arity", "Try", "Match", "Each", "Invoke", "Loop", "Recur", "Const"} - names == set()


def test_an_analysis_leaves_no_cycles_behind():
    text = '(defn f [x] (let [g (fn [y] (+ x y))] (map g [1 2])))\n(def table {:a (f 1)})\n(call "test.echo" table)'
    environment = new_environment()
    environment.core_macros()  # of every snapshot from now on
    analyse_source(Source(text, "plan.rtfs"), environment)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        analyse_source(Source(text, "plan.rtfs"), environment)
        gc.collect()
        # what other tests left running may leave cycles of its own behind
        left = [one for one in gc.garbage if type(one).__module__.startswith(("rtfs.compiler", "rtfs.syntax"))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []
