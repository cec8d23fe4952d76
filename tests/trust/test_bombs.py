"""Programs that want all memory, all time or all of the stack: each ends with a limit that it cannot catch, or with its
value, in a process with little memory; none crashes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

SHARED = "(reduce (fn [v _] (conj v v)) [] (range 60))"
PAIRED = "(reduce (fn [v _] [v v]) [1] (range 60))"
MAPPED = "(reduce (fn [v _] {:a v :b v}) {} (range 60))"
KEYED = "(reduce (fn [v _] {v v}) {} (range 60))"


def caught(expression: str) -> str:
    """Code that catches everything does not catch a limit."""
    return f"(try {expression} (catch e :caught))"


BOMBS = {
    "doubled text": caught('(reduce (fn [s _] (str s s)) "xx" (range 60))'),
    "doubled data printed": caught(f"(count (str {PAIRED}))"),
    "long texts printed": caught('(let [s (join "" (repeat 1000000 "x"))] (count (str (vec (repeat 1000000 s)))))'),
    "doubled data as JSON": caught(f"(count (serialize-json {PAIRED}))"),
    "doubled data as an argument": caught(f'(call "ccos.state.kv.put" "k" {PAIRED})'),
    "repeat of everything": caught("(repeat 1000000000000 1)"),
    "range without end": caught("(range 1000000000000000)"),
    "concat doubling": caught("(reduce (fn [v _] (concat v v)) [1] (range 60))"),
    "into doubling": caught("(reduce (fn [v _] (into v v)) [1] (range 60))"),
    "mapcat": caught("(reduce (fn [v _] (mapcat (fn [x] [x x]) v)) [1] (range 60))"),
    "flatten": caught(f"(count (flatten {PAIRED}))"),
    "join": caught('(reduce (fn [s _] (join s (repeat 100 s))) "xx" (range 60))'),
    "replace": caught('(reduce (fn [s _] (replace s "x" s)) "xx" (range 60))'),
    "squares": caught("(reduce (fn [n _] (* n n)) 3 (range 100))"),
    "sums": caught("(loop [n 1] (recur (+ n n)))"),
    "sums with a variable": caught("(reduce (fn [n _] (+ n n)) 1 (range 10000000))"),
    "a large number printed": caught("(count (str (reduce (fn [n _] (* n n)) 3 (range 19))))"),
    "regex backtracking": caught('(re-matches "(a+)+$" (str (join "" (repeat 50000 "a")) "b"))'),
    "regex repetition": caught('(re-find "((((((a{1,100}){1,100}){1,100}){1,100}){1,100}){1,100})" "aaaa")'),
    "regex nested stars": caught('(re-find "(((((a*)*)*)*)*)*b" (join "" (repeat 100000 "a")))'),
    "deep JSON": caught('(parse-json (join "" (repeat 1000000 "[")))'),
    "deep whole JSON": caught('(parse-json (str (join "" (repeat 500000 "[")) (join "" (repeat 500000 "]"))))'),
    "a JSON number": caught('(parse-json (join "" (repeat 5000000 "9")))'),
    "wide JSON": caught('(parse-json (str "[" (join "," (repeat 5000000 "[]")) "]"))'),
    "endless loop": caught("(loop [] (recur))"),
    "endless recursion": caught("(do (defn f [n] (+ 1 (f n))) (f 1))"),
    "endless mutual recursion": caught("(do (defn g [n] (+ 1 (h n))) (defn h [n] (+ 1 (g n))) (g 1))"),
    "exponential time": caught("(do (defn f [n] (if (< n 1) 1 (+ (f (dec n)) (f (dec n))))) (f 100))"),
    "endless within map": caught("(map (fn [x] (loop [] (recur))) [1 2])"),
    "endless in sort": caught("(sort-by (fn [x] (loop [] (recur))) [1 2])"),
    "endless in a catch": "(try (throw 1) (catch e (loop [] (recur))))",
    "endless in a finally": "(try 1 (finally (loop [] (recur))))",
    "endless in a macro": "(defmacro m [] (loop [] (recur))) (m)",
    "endless expansion": "(defmacro m [] (list (quote m))) (m)",
    "doubling template": "(defmacro m [x] `(m [~x ~x])) (m 1)",
    "many slow expansions": "(defmacro m [] (loop [i 0] (if (< i 4000000) (recur (inc i)) 1)))" + "(m)" * 200,
    "macroexpand for ever": caught("(do (defmacro m [] (list (quote m))) (macroexpand (quote (m))))"),
    "implementation calls itself": caught('(do (capability "a" :implementation (fn [x] (call "a" x))) (call "a" {}))'),
    "implementations call each other": caught(
        '(do (capability "a" :implementation (fn [x] (call "b" x)))'
        ' (capability "b" :implementation (fn [x] (call "a" x))) (call "a" {}))'
    ),
    "implementation without end": caught(
        '(do (capability "a" :implementation (fn [x] (loop [] (recur)))) (call "a" {}))'
    ),
    "implementations share the steps": caught(
        '(do (capability "a" :implementation (fn [x] (loop [i 0] (if (< i 10000) (recur (inc i)) i))))'
        ' (loop [] (call "a" {}) (recur)))'
    ),
    "branches share the steps": caught(
        '(call "ccos.concurrent/parallel" (vec (repeat 10000 (fn [] (loop [i 0] (if (< i 10000) (recur (inc i)) i))))))'
    ),
    "branches of branches": caught('(do (defn f [] (call "ccos.concurrent/parallel" f f)) (f))'),
    "many branches": '(count (call "ccos.concurrent/parallel" (vec (repeat 100000 (fn [] 1)))))',
    "printing for ever": caught('(let [s (join "" (repeat 1000000 "x"))] (loop [] (log s) (recur)))'),
    "waiting for ever": caught('(call "ccos.system.sleep-ms" 1000000000)'),
    "a filter over much": caught("(loop [] (filter odd? (range 1000000)) (recur))"),
    "sorting much": caught("(loop [v (vec (range 1000000))] (recur (reverse (sort v))))"),
    "maps that grow": caught("(reduce (fn [m i] (assoc m (str i) m)) {} (range 10000000))"),
    "merging": caught("(reduce (fn [m i] (merge m {i m})) {} (range 10000000))"),
    "a type of types": caught(f"(do (deftype T [:vector T]) (defn f [x :T] x) (count (f {PAIRED})))"),
    "sorting shared data": caught(f"(sort [{PAIRED} {PAIRED}])"),
    "a switch of shared data to Python": caught(f'(call "ccos.data.serialize-json" {MAPPED})'),
    "a map's key": caught(f"(get {{{PAIRED} 1}} {PAIRED})"),
    "distinct": caught(f"(count (distinct [{PAIRED} {PAIRED}]))"),
    "frequencies": caught(f"(count (frequencies [{MAPPED} {MAPPED}]))"),
    "format": caught('(format "%1000000000d" 1)'),
    "deep source": "(" * 200_000,
    "deep whole source": "[" * 100_000 + "]" * 100_000,
    "deep calls in source": "(+ 1 " * 30_000 + "1" + ")" * 30_000,
    "deep quoted": "(count '" + "(" * 50_000 + ")" * 50_000 + ")",
    "throwing shared data": f"(throw {PAIRED})",
    "an error with shared data": f"(nth {PAIRED} {PAIRED})",
    "an undefined answer of shared data": PAIRED,
}
FINE = {
    "shared data compared": (f"(= {PAIRED} {PAIRED})", "value true"),
    "shared maps compared": (f"(= {MAPPED} {MAPPED})", "value true"),
    "deep data compared": (
        "(let [f (fn [] (reduce (fn [v _] [v]) [] (range 100000)))] (= (f) (f)))",
        "value true",
    ),
}


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, str(HERE / "bombing.py")],
        input=program,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": "/nonexistent"},
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_with_a_limit_or_a_value(name: str):
    said = run(BOMBS[name])
    assert said.startswith(("limit ", "value ", "error ")), said
    assert "caught" not in said or said == "value :caught"


@pytest.mark.parametrize("name", FINE)
def test_shared_and_deep_data_is_as_cheap_as_it_is_small(name: str):
    program, answer = FINE[name]
    assert run(program) == answer
