"""Which functions cost a step: every one that could lead back into its caller."""

from __future__ import annotations

import re

import pytest

import rtfs
from rtfs.builtins import REGISTRY
from rtfs.builtins.clojure import load_all
from rtfs.compiler.analysis.analyser import may_call


def test_every_standard_function_that_takes_a_function_is_known_to_the_analyser() -> None:
    load_all()
    taking = {
        name
        for name, builtin in REGISTRY.items()
        if re.search(r"\b(f|fs|g|pred|compare|comparator|key-fn)\b", builtin.signature.split(" ", 1)[-1])
    }
    assert {"map", "clojure.walk/prewalk"} <= taking
    assert {name for name in taking if not may_call(name)} == set()


@pytest.mark.parametrize(
    "program",
    [
        "(defn f [x] (map f [x])) (f 1)",
        "(defn f [x] (mapv f [x])) (f 1)",
        "(defn f [x] ((comp f) x)) (f 1)",
        "(defn f [x] (apply f [x])) (f 1)",
        "(defn f [x] (update x :a f)) (f {:a {}})",
        "(defn f [x] (clojure.walk/postwalk f [x])) (f 1)",
        "(defn f [x] (walk/prewalk f [x])) (f 1)",
        "(defn f [x] (set/select f #{x})) (f 1)",
        "(let [f (fn [g x] (g g x))] (f f 1))",
        "(defn f [x] (every? (fn [y] (f y)) [x])) (f 1)",
        "(defn f [x] (some f [x])) (f 1)",
        "(defn f [x] (map-indexed (fn [i y] (f y)) [x])) (f 1)",
    ],
)
def test_a_circle_through_a_standard_function_ends_in_a_limit(program: str) -> None:
    limits = rtfs.Limits(steps=5_000, depth=50_000)
    with rtfs.Runtime(limits=limits) as runtime, pytest.raises(rtfs.LimitError) as caught:
        runtime.run(program)
    assert caught.value.code in ("limit/steps", "limit/depth")


@pytest.mark.parametrize(
    "asking", ["(some (fn [x] (= x 0)) xs)", "(not (every? (fn [x] (> x 0)) xs))", "(some zero? xs)", "(any? zero? xs)"]
)
def test_a_question_pays_for_the_elements_that_it_looks_at(asking: str) -> None:
    text = f"(let [xs (vec (range 50000))] (reduce (fn [n _] (if {asking} (inc n) n)) 0 (range 1000)))"
    with rtfs.Runtime(limits=rtfs.Limits(steps=200_000)) as runtime:
        assert runtime.run(text) == 1000
        with pytest.raises(rtfs.LimitError, match="steps"):
            runtime.run(text.replace("(range 50000)", "(range 1 50001)"))
