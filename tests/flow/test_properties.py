"""The promises of labels, on generated programs: plain values, no source missing, no interference."""

from __future__ import annotations

import random
from typing import Any

import pytest

import rtfs
from tests.flow.banking import Bank

ALLOWED = ("plan", "src.open")
SOURCES = ("open", "secret")


class Maker:
    """Random expressions over maps, vectors, functions and errors. `open` and `secret` are calls; every expression has
    a kind, so that most programs run to their end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[str] = []

    def number(self, depth: int) -> str:
        one = self.random
        if depth <= 0:
            return one.choice(["1", "2", "7", '(call "src.open")', '(call "src.secret")', *self.names])
        inner = lambda: self.number(depth - 1)  # noqa: E731
        return one.choice(
            [
                lambda: f"(+ {inner()} {inner()})",
                lambda: f"(if (< {inner()} {inner()}) {inner()} {inner()})",
                lambda: f"(let [x {inner()}] {self.within('x', depth)})",
                lambda: f"((fn [y] {self.within('y', depth)}) {inner()})",
                lambda: f"(:a {{:a {inner()} :b {inner()}}})",
                lambda: f"(get-in {{:a {{:b {inner()}}} :c {inner()}}} [:a :b])",
                lambda: f"(nth {self.vector(depth - 1)} 1)",
                lambda: f"(first (sort-by - {self.vector(depth - 1)}))",
                lambda: f"(reduce + 0 {self.vector(depth - 1)})",
                lambda: f"(reduce (fn [a b] (if (< a b) b a)) {inner()} {self.vector(depth - 1)})",
                lambda: f"(count (filter even? {self.vector(depth - 1)}))",
                lambda: (
                    f"(try (if (= 0 (mod {inner()} 2)) (throw {{:code :odd :data {inner()}}}) {inner()}) "
                    f"(catch e (or (:data e) {inner()})))"
                ),
                lambda: f"(match [{inner()} {inner()}] [1 b] b [a _] a)",
                lambda: (
                    f"(loop [i 0 acc {inner()}] (if (< i (mod {inner()} 4)) (recur (inc i) (+ acc {inner()})) acc))"
                ),
                lambda: f"(apply max {self.vector(depth - 1)})",
                lambda: f"(:b (update {{:a {inner()} :b {inner()}}} :a inc))",
                lambda: f"(:a (update {{:a {inner()} :b {inner()}}} :a (fn [u] {self.within('u', depth)})))",
                lambda: f"(apply max (vals (assoc-in {{:a {inner()} :b {inner()}}} [:a] {inner()})))",
                lambda: f"(let [{{:keys [a b]}} {{:a {inner()} :b {inner()}}}] (- b))",
                lambda: f"(last (conj {self.vector(depth - 1)} {inner()}))",
                lambda: f"(second (step-parallel {inner()} {inner()}))",
                lambda: f"(some (fn [z] (when (< z {inner()}) z)) (conj {self.vector(depth - 1)} -1))",
                lambda: f"(nth (take 3 (map (fn [n] (+ n {inner()})) (iterate inc 0))) 2)",
                lambda: f'(call "my.pick" {{:a {inner()} :b {inner()}}})',
            ]
        )()

    def vector(self, depth: int) -> str:
        one = self.random
        inner = lambda: self.number(depth)  # noqa: E731
        if depth <= 0 or one.random() < 0.4:
            return f"[{inner()} {inner()} {inner()}]"
        return one.choice(
            [
                lambda: f"(map (fn [m] (+ m {inner()})) {self.vector(depth - 1)})",
                lambda: f"(mapv inc {self.vector(depth - 1)})",
                lambda: f"(reverse {self.vector(depth - 1)})",
                lambda: f"(sort {self.vector(depth - 1)})",
                lambda: f"(vec (concat {self.vector(depth - 1)} [{inner()}]))",
                lambda: f"(assoc {self.vector(depth - 1)} 0 {inner()})",
                lambda: f"(vec (vals (zipmap [:a :b :c] {self.vector(depth - 1)})))",
                lambda: f"(for [p {self.vector(depth - 1)} q [1]] (+ p q))",
            ]
        )()

    def within(self, name: str, depth: int) -> str:
        self.names.append(name)
        made = self.number(depth - 1)
        self.names.remove(name)
        return made


def program(seed: int) -> str:
    return f'(call "sink" {{:value {Maker(seed).number(3)}}})'


def outcome(text: str, secret: int, flow: Any) -> tuple[str, list[Any]]:
    """How a program ends, and what reached the sink."""
    made = Bank(flow)
    runtime = made.runtime
    runtime.load('(capability "my.pick" :implementation (fn [input] (:b input)))')
    runtime.register("src.open", lambda _: 3, effects=["read"])
    runtime.register("src.secret", lambda _: secret, effects=["read"])
    runtime.register("sink", made._send, effects=["write"], input_schema="[:map [:value :any]]")
    try:
        return rtfs.to_text(runtime.run(text)), made.sent
    except rtfs.UserError as error:
        return error.code, made.sent


@pytest.mark.parametrize("part", range(4))
def test_labelled_programs_give_what_plain_ones_give(part: int):
    harmless = [{"call": "sink", "argument": "value", "from": ["*"]}]
    for seed in range(part * 60, part * 60 + 60):
        text = program(seed)
        assert outcome(text, 5, harmless) == outcome(text, 5, None), text


@pytest.mark.parametrize("part", range(4))
def test_what_a_rule_keeps_away_does_not_interfere(part: int):
    """Whatever the secret is: a call that is allowed has the same argument."""
    rule = [{"call": "sink", "argument": "value", "from": list(ALLOWED), "decided-by": list(ALLOWED)}]
    allowed = 0
    for seed in range(part * 60, part * 60 + 60):
        text = program(seed)
        reached = [sent for secret in (0, 1, 5, 8) for sent in outcome(text, secret, rule)[1]]
        allowed += bool(reached)
        assert all(sent == reached[0] for sent in reached), text
    assert allowed


COUNT_DOWN = "(defn f [n] (if (< n 1) 7 (f (dec n)))) (f 50) "
LONG = [
    ("(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) ", "(fib (+ 5 %s))"),
    ("", "(loop [i 0 s 0] (if (< i 100) (recur (inc i) (+ s i %s)) s))"),
    ("", "(let [n %s] (loop [i 0 s 0] (if (< i 100) (recur (inc i) (+ s n)) s)))"),
    ("", "(loop [i 0 s 0] (if (< i (* 20 %s)) (recur (inc i) (+ s i)) s))"),
    ("", "(reduce (fn [a x] (+ a x)) %s (vec (range 100)))"),
    ("", "(let [n %s] (first (map (fn [x] (+ x n)) (vec (range 100)))))"),
    (COUNT_DOWN, "(f %s)"),
    (COUNT_DOWN + "(def f (let [x %s] (fn [n] x))) ", "(f 1)"),
]


@pytest.mark.parametrize(("before", "value"), LONG)
def test_long_computations_of_constants_run_without_labels_and_others_with(before: str, value: str):
    """Loops and functions get hot: what comes from a secret is known to all the same."""
    rule = [{"call": "sink", "argument": "value", "from": ["plan"], "decided-by": ["plan"]}]

    def text(number: str, call: str) -> str:
        return before.replace("%s", number) + call % value.replace("%s", number)

    assert outcome(text('(call "src.secret")', '(call "sink" {:value %s})'), 5, rule)[0] == "policy/flow"
    code, sent = outcome(text("5", '(call "sink" {:value %s})'), 5, rule)
    assert (code, len(sent)) == ('"sent"', 1)
    assert outcome(text("5", "%s"), 5, None)[0] == str(sent[0]["value"])
