"""Vectors that are taken apart where they are made give what vectors give, as a file and as a text that runs once."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.machine import new_environment
from tests.compiler.support import failure, printed

CASES = {
    "a reduce of two values": (
        "(reduce (fn [[sum found] x] (if (odd? x) [(+ sum x) (conj found x)] [sum found])) [0 []] [1 2 3])",
        "[4 [1 3]]",
    ),
    "no element leaves the initial values": ("(reduce (fn [[a b] x] [b (+ a x)]) [1 2] [])", "[1 2]"),
    "values change places all at once": ("(reduce (fn [[a b] _] [b (+ a b)]) [0 1] (range 10))", "[55 89]"),
    "a lazy source": ("(reduce (fn [[n m] x] [(inc n) (max m x)]) [0 0] (take 5 (iterate inc 1)))", "[5 5]"),
    "a pattern within the pattern": (
        "(reduce (fn [[[lo hi] {:keys [n]}] x] [[(min lo x) (max hi x)] {:n (inc n)}]) [[9 0] {:n 0}] [3 7 5])",
        "[[3 7] {:n 3}]",
    ),
    "a name that is not used, twice": ("(reduce (fn [[_ _ n] x] [x n (+ n x)]) [0 0 0] [1 2])", "[2 1 3]"),
    "fewer names than values": ("(reduce (fn [[a] x] [(+ a x) :more]) [0 nil] [1 2])", "[3 :more]"),
    "more names than values": ("(reduce (fn [[a b c] x] [(+ a x) c b]) [0 1] [1 2])", "[3 1 nil]"),
    "reduced": ("(reduce (fn [[a b] x] (if (> x 1) (reduced [:end a]) [(+ a x) b])) [0 0] [1 2 3])", "[:end 1]"),
    "the whole vector": ("(reduce (fn [[a b :as both] x] (if (> x 1) both [b x])) [0 0] [1 2])", "[0 1]"),
    "functions keep the values of their round": (
        "(mapv (fn [f] (f)) (first (reduce (fn [[fs n] x] [(conj fs (fn [] [n x])) (inc n)]) [[] 0] [:a :b])))",
        "[[0 :a] [1 :b]]",
    ),
    "a value that is kept is not changed later": (
        "(reduce (fn [[m seen] x] [(assoc m x x) (conj seen m)]) [{} []] [1 2])",
        "[{1 1 2 2} [{} {1 1}]]",
    ),
    "the initial value stays as it was": (
        "(let [m {:a 1}] [(reduce (fn [[m n] x] [(assoc m x n) (inc n)]) [m 0] [:b :c]) m])",
        "[[{:a 1 :b 0 :c 1} 2] {:a 1}]",
    ),
    "one value in two places": (
        "(reduce (fn [[a b] x] [(conj a x) (conj a b)]) [[] nil] [1 2])",
        "[[1 2] [1 [nil]]]",
    ),
    "ways of an if": ("(defn f [a b] (let [[x y] (if (< a b) [a b] [b a])] [x y])) [(f 1 2) (f 2 1)]", "[[1 2] [1 2]]"),
    "a way that gives something else": (
        "(defn f [v] (let [[x y] (cond (nil? v) nil (int? v) [v v] :else v)] [x y]))"
        "[(f nil) (f 1) (f '(7)) (f [1 2 3])]",
        "[[nil nil] [1 1] [7 nil] [1 2]]",
    ),
    "the end of a loop": (
        "(let [[a b] (loop [n 0 m []] (if (= n 3) [n m] (recur (inc n) (conj m n))))] [b a])",
        "[[0 1 2] 3]",
    ),
    "a loop within a loop": (
        "(loop [i 0 all []] (if (= i 2) all"
        " (let [[n all] (loop [n 0 all all] (if (= n 2) [n all] (recur (inc n) (conj all [i n]))))]"
        " (recur (+ i 1) all))))",
        "[[0 0] [0 1] [1 0] [1 1]]",
    ),
    "a function that returns a value and a state": (
        "(defn pop-value [vm] [(peek (:stack vm)) (update vm :stack pop)])"
        "(let [vm {:stack [1 2]} [b left] (pop-value vm) [a left] (pop-value left)] [a b left vm])",
        "[1 2 {:stack []} {:stack [1 2]}]",
    ),
    "a function that calls itself": (
        "(defn down [n seen] (if (= n 0) [n seen] (let [[m seen] (down (dec n) (conj seen n))] [(inc m) seen])))"
        "(let [[n seen] (down 3 [])] [n seen])",
        "[3 [3 2 1]]",
    ),
    "a name that means another function later": (
        "(defn two [x] [x x]) (defn use-two [x] (let [[a b] (two x)] [a b]))"
        "(def before (use-two 1)) (defn two [x] (list x 2 3)) [before (use-two 1)]",
        "[[1 1] [1 2]]",
    ),
    "a function of the same name and another width": (
        "(defn f [x] [x x]) (defn f [x] [x]) (let [[a b] (f 1)] [a b])",
        "[1 nil]",
    ),
    "what is lent to a function is not kept by another of its name": (
        "(defn ask [m k] [(get m k) k])"
        "(defn run [] (reduce (fn [m k] (let [[v _] (ask m k)] (assoc m k (or v [])))) {} [:a :b]))"
        "(def before (run)) (defn ask [m k] [m k]) [before (run)]",
        "[{:a [] :b []} {:a {} :b {:a {}}}]",
    ),
    "a literal vector is gone through": (
        "[(map inc [1 2]) (mapv (fn [[a b]] (+ a b)) [[1 2] [3 4]]) (for [x [1 2] :when (odd? x)] x) (some even? [1 2])"
        " (map-indexed (fn [i x] [i x]) [:a :b]) (every? odd? [1 3]) (reduce max 0 [4 7]) (map inc '(1))]",
        "[[2 3] [3 7] [1] true [[0 :a] [1 :b]] true 7 (2)]",
    ),
    "pairs that are made to be taken apart": (
        "[(every? (fn [[i x]] (= i x)) (map-indexed vector [0 1]))"
        " (reduce (fn [n [a b]] (+ n (* a b))) 0 (map (fn [x] [x 2]) [1 2]))"
        " (map (fn [[i x]] {i x}) (map-indexed (fn [i x] [i x]) '(:a)))"
        " (first (map (fn [[a b]] a) (map (fn [x] [x x]) (range))))"
        " (mapv (fn [[a b c]] c) (map (fn [x] [x x]) [1])) (mapv (fn [[a b :as p]] p) (map (fn [x] [x x]) [1]))"
        " (filter (fn [[a b]] b) (map vector [1] [2]))]",
        "[true 6 ({0 :a}) 0 [nil] [[1 1]] [[1 2]]]",
    ),
    "a literal vector of what is computed": ("(let [f inc] (map f [(f 1) (f 2)]))", "[3 4]"),
}


@pytest.mark.parametrize("name", ["file.rtfs", "<text>"])
@pytest.mark.parametrize("what", CASES)
def test_parts_are_those_of_the_vector(what: str, name: str) -> None:
    program, expected = CASES[what]
    assert printed(program, name=name) == expected


@pytest.mark.parametrize("name", ["file.rtfs", "<text>"])
def test_an_error_in_such_a_function_has_its_name_and_place(name: str) -> None:
    error = failure("(defn split [m k] [(:n m) (update m k inc)])\n(let [[n m] (split {:a :x} :a)] [n m])", name=name)
    assert error.trace[0][0] == "split"
    assert error.span is not None
    assert error.span.text == "(update m k inc)"


@pytest.mark.parametrize("name", ["file.rtfs", "<text>"])
def test_literal_vectors_within_each_other_meet_the_limit_of_steps(name: str) -> None:
    digits = "[0 1 2 3 4 5 6 7 8 9]"
    program = "x"
    for _ in range(7):
        program = f"(reduce (fn [n x] (+ n {program})) 0 {digits})"
    with pytest.raises(rtfs.LimitError, match="steps"):
        rtfs.start(rtfs.compile(f"(let [x 1] {program})", name=name), rtfs.Limits(steps=100_000))


def test_running_again_leaves_the_names_of_a_module_where_they_were() -> None:
    environment = new_environment()
    program = rtfs.compile(
        "(defn step [m x] (update m x (fnil inc 0))) (reduce step {} [1 2 1])", environment, name="again.rtfs"
    )
    rtfs.start(program)
    before = list(environment.module("user").globals)
    rtfs.start(program)
    assert list(environment.module("user").globals) == before
