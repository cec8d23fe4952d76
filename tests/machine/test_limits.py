"""Limits: steps, depth and time end a program, and no program can catch them."""

from __future__ import annotations

import pytest

from rtfs.machine import Complete, Limits, RequiresHost, new_environment, start
from rtfs.machine.outcome import HostCall
from rtfs.syntax import printer
from rtfs.values import Cancelled, Keyword, LimitError
from tests.machine.support import answered, begin, error, in_a_process, program, value, waiting

FOREVER = ["(loop [] (recur))", "(defn f [] (f)) (f)", "(defn f [] (g)) (defn g [] (f)) (f)", "((fn f [] (f)))"]
CATCHING = [
    "%s",
    "(try %s (catch e :caught))",
    "(try %s (catch Exception e :caught))",
    "(try %s (catch Throwable e :caught))",
    "(try %s (catch :limit e :caught))",
    "(try %s (finally :cleaned))",
    "(try (try %s (catch e 1)) (catch e 2) (finally 3))",
    "(map (fn [x] (try %s (catch e x))) [1 2 3])",
    "(step-if true (try %s (catch e :caught)) 1)",
]


@pytest.mark.parametrize("catching", CATCHING)
@pytest.mark.parametrize("loop", FOREVER[:2])
def test_steps_cannot_be_caught(loop: str, catching: str):
    definitions, _, expression = loop.rpartition(") (")
    text = definitions + ") " + catching % ("(" + expression) if definitions else catching % loop
    found = error(text, Limits(steps=1_000))
    assert isinstance(found, LimitError)
    assert found.code == "limit/steps"


@pytest.mark.parametrize("text", FOREVER)
def test_nothing_runs_for_ever(text: str):
    assert error(text, Limits(steps=50_000, depth=1_000)).code in ("limit/steps", "limit/depth")


def test_a_step_limit_runs_no_finally_and_no_handler_afterwards():
    environment = new_environment()
    seen = []
    environment.module("user").globals["note"] = seen.append
    error("(try (loop [] (recur)) (catch e (note :caught)) (finally (note :finally)))", Limits(steps=100), environment)
    assert seen == []


def test_a_program_within_its_steps_completes():
    assert value("(loop [i 0] (if (< i 900) (recur (inc i)) i))", Limits(steps=1_000)) == 900
    assert error("(loop [i 0] (if (< i 1100) (recur (inc i)) i))", Limits(steps=1_000)).code == "limit/steps"


@pytest.mark.parametrize(
    "text",
    [
        "(map (fn [x] (reduce (fn [a y] (+ a y)) 0 (range 3000))) (range 3000))",
        "(doseq [x (range 3000) y (range 3000)] x)",
        "(for [x (range 3000) y (range 3000) :when (= x y)] x)",
        "(dotimes [i 3000] (dotimes [j 3000] j))",
        "(reduce (fn [a x] (reduce (fn [b y] (+ b y)) a (range 3000))) 0 (range 3000))",
        "(filter (fn [x] (some? (fn [y] (> y 30000)) (range 3000))) (range 3000))",
        "(sort-by (fn [x] (count (map (fn [y] y) (range 3000)))) (range 3000))",
    ],
)
def test_functions_given_to_functions_cost_steps(text: str):
    assert error(text, Limits(steps=100_000)).code == "limit/steps"


@pytest.mark.parametrize("catching", CATCHING)
def test_depth_cannot_be_caught(catching: str):
    text = "(defn f [n] (+ 1 (f n)))" + catching % "(f 1)"
    assert error(text, Limits(depth=200)).code == "limit/depth"


def test_time_cannot_be_caught():
    for catching in CATCHING:
        assert error(catching % "(loop [] (recur))", Limits(seconds=0.05)).code == "limit/time"


def test_time_counts_while_the_host_works():
    outcome = waiting('(do (call "wait") (loop [i 0] (if (< i 50000) (recur (inc i)) i)))', Limits(seconds=0.05))
    from time import sleep

    sleep(0.1)
    with pytest.raises(LimitError) as caught:
        outcome.resume(None)
    assert caught.value.code == "limit/time"


def test_a_cancelled_program_cannot_go_on():
    outcome = waiting('(try (call "a") (catch e :caught) (finally (call "b")))')
    with pytest.raises(Cancelled):
        outcome.throw(Cancelled())


def test_an_interrupt_is_no_error_of_the_program():
    outcome = waiting('(try (call "a") (catch e :caught))')
    with pytest.raises(KeyboardInterrupt):
        outcome.throw(KeyboardInterrupt())


def test_limits_are_positive():
    for name in ("steps", "depth", "seconds"):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: 0})


def test_the_narrower_of_two_limits():
    both = Limits(steps=10, depth=50, seconds=None).within(Limits(steps=None, depth=20, seconds=3.0))
    assert (both.steps, both.depth, both.seconds) == (10, 20, 3.0)
    assert repr(both) == "Limits(steps=10, depth=20, seconds=3.0, output=67108864, memory=536870912)"


def test_a_machine_can_breathe():
    outcome = start(program("(loop [i 0] (if (< i 3000000) (recur (inc i)) i))"), breathe=True)
    breaths = 0
    while isinstance(outcome, RequiresHost):
        assert outcome.call.kind == "breathe"
        breaths += 1
        outcome = outcome.resume(None)
    assert outcome.value == 3_000_000
    assert breaths >= 4


def test_a_machine_that_nobody_lets_breathe_asks_nothing():
    assert isinstance(begin("(loop [i 0] (if (< i 100000) (recur (inc i)) i))"), Complete)


def test_calls_and_breaths_mix():
    outcome = start(program('(loop [i 0 sum 0] (if (< i 90000) (recur (inc i) sum) (call "sum" i)))'), breathe=True)

    def answer(call: HostCall) -> object:
        return None if call.kind == "breathe" else call.args[0]

    assert answered(outcome, answer) == 90_000


DEEP = {
    "plain": "(defn f [n] (if (= n 0) 0 (+ 1 (f (dec n))))) (f 99000)",
    "map": "(defn f [n] (if (= n 0) 0 (+ 1 (first (map f [(dec n)]))))) (f 99000)",
    "map of fn": "(defn f [n] (if (= n 0) 0 (+ 1 (first (map (fn [x] (f x)) [(dec n)]))))) (f 99000)",
    "reduce": "(defn f [a n] (if (= n 0) 0 (+ 1 (reduce f 0 [(dec n)])))) (f 0 99000)",
    "sort-by": "(defn f [n] (if (= n 0) 0 (+ 1 (first (sort-by f [(dec n)]))))) (f 99000)",
    "filter": "(defn f [n] (if (= n 0) true (count (filter f [(dec n)])))) (f 99000)",
    "apply": "(defn f [n & r] (if (= n 0) 0 (+ 1 (apply f (dec n) r)))) (f 99000 1 2 3 4 5 6 7 8 9 10)",
    "30 parameters": f"(defn f [{' '.join(f'p{n}' for n in range(30))}] (if (= p0 0) 0 (+ 1 (f (dec p0) {'1 ' * 29}))))"
    f"(f 99000 {'1 ' * 29})",
    "partial": "(defn f [a n] (if (= n 0) 0 (+ 1 ((partial f 1) (dec n))))) (f 1 99000)",
    "comp": "(defn f [n] (if (= n 0) 0 (+ 1 ((comp f dec) n)))) (f 99000)",
    "juxt": "(defn f [n] (if (= n 0) 0 (+ 1 (first ((juxt f) (dec n)))))) (f 99000)",
    "update": "(defn f [n] (if (= n 0) 0 (+ 1 (:a (update {:a (dec n)} :a f))))) (f 99000)",
    "memoize": "(def f (memoize (fn [n] (if (= n 0) 0 (+ 1 (f (dec n))))))) (f 99000)",
    "some": "(defn f [n] (if (= n 0) 5 (some f [(dec n)]))) (f 99000)",
    "group-by": "(defn f [n] (if (= n 0) 0 (count (group-by f [(dec n)])))) (f 99000)",
    "merge-with": "(defn f [n m] (if (= n 0) 0 (+ 1 (:a (merge-with f {:a (dec n)} {:a 1}))))) (f 99000 1)",
    "for": "(defn f [n] (if (= n 0) 0 (+ 1 (first (for [x [(dec n)]] (f x)))))) (f 99000)",
    "try": "(defn f [n] (if (= n 0) 0 (+ 1 (try (f (dec n)) (catch e 1) (finally 2))))) (f 99000)",
    "match": "(defn f [n] (match n 0 0 x (+ 1 (f (dec x))))) (f 99000)",
    "typed": "(defn f [n : [:and int [:> -1]]] : int (if (= n 0) 0 (+ 1 (f (dec n))))) (f 99000)",
    "arities": "(defn f ([n] (f n 1)) ([n a] (if (= n 0) 0 (+ a (f (dec n)))))) (f 49000)",
    "thrown": '(defn f [n] (if (= n 0) (throw "x") (+ 1 (f (dec n))))) (try (f 99000) (catch e (:message e)))',
    "mutual": "(defn g [n] (if (= n 0) 0 (+ 1 (h (dec n))))) (defn h [n] (first (map g [n]))) (g 49000)",
    "call": '(defn f [n] (if (= n 0) (call "a" 7) (+ 1 (f (dec n))))) (f 99000)',
    "call in map": '(defn f [n] (if (= n 0) (call "a" 7) (first (map f [(dec n)])))) (f 99000)',
}
ENDLESS = {
    "plain": "(defn f [n] (+ 1 (f n))) (f 1)",
    "map": "(defn f [n] (map f [n])) (f 1)",
    "reduce": "(defn f [a n] (reduce f 0 [n])) (f 0 1)",
    "sort-by": "(defn f [n] (sort-by f [n 1])) (f 1)",
    "sort": "(defn f [a b] (first (sort f [a b]))) (f 1 2)",
    "apply": "(defn f [& r] (apply f 1 2 3 4 5 6 7 8 9 r)) (f 1)",
    "apply to many": "(defn f [& r] (apply f r)) (apply f (range 1000))",
    "partial": "(defn f [a n] ((partial f 1) n)) (f 1 1)",
    "finally": "(defn f [n] (try (+ 1 (f n)) (finally (f n)))) (f 1)",
    "31 parameters": f"(defn f [{' '.join(f'p{n}' for n in range(31))}] (+ 1 (f {'1 ' * 31}))) (f {'1 ' * 31})",
    "apply to 31": "(defn f [& r] (+ 1 (apply f r))) (apply f (range 31))",
    "mutual": "(defn g [x] (+ 1 (h x))) (defn h [x] (+ 1 (first (map g [x])))) (g 1)",
    "multi": "(defn f ([n] (+ 1 (f n 1))) ([n m] (+ 1 (f n)))) (f 1)",
    "merge-with": "(defn f [n m] (merge-with f {:a n} {:a 1})) (f 1 1)",
}
ALL_OF_THEM = """
import json, sys
from rtfs.compiler import compile_source
from rtfs.machine import Limits, RequiresHost, new_environment, start
from rtfs.source import Source
from rtfs.values import LimitError
for name, text in json.loads(sys.argv[1]).items():
    try:
        outcome = start(compile_source(Source(text), new_environment()), Limits())
        while isinstance(outcome, RequiresHost):
            outcome = outcome.resume(outcome.call.args[0])
        print(name, "=", outcome.value)
    except LimitError as error:
        print(name, "=", error.code)
"""


def run_all(programs: dict[str, str]) -> dict[str, str]:
    import json

    lines = in_a_process(ALL_OF_THEM, json.dumps(programs)).splitlines()
    return dict(tuple(line.split(" = ")) for line in lines)


def test_recursion_reaches_100_000_also_through_functions_given_to_functions():
    found = run_all(DEEP)
    assert list(found) == list(DEEP)
    assert "limit/depth" not in found.values()
    assert found["plain"] == found["map"] == found["reduce"] == found["sort-by"] == found["apply"] == "99000"
    assert found["thrown"] == "x"
    assert found["call"] == "99007"


def test_recursion_without_an_end_is_a_limit_and_no_crash():
    assert run_all(ENDLESS) == dict.fromkeys(ENDLESS, "limit/depth")


def test_data_that_shares_its_parts_cannot_be_printed_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(printer, "MOST_COLLECTIONS", 10_000)
    shared = "(reduce (fn [a _] (vector a a)) [1] (range 60))"
    assert error(f"(str {shared})").code == "limit/size"
    assert error(f"(match {shared} 1 2)").code == "limit/size"
    assert value(f"(= {shared} {shared})") is True
    assert value(f"(get {{{shared} :found}} {shared})") is Keyword("found")


def test_a_template_cannot_grow_without_end():
    assert error("(loop [v [1 2 3]] (recur `[~@v ~@v]))").code == "limit/size"
