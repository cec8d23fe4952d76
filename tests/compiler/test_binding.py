"""Binding: destructuring, arities, closures, local definitions, loops."""

from __future__ import annotations

import pytest

from tests.compiler.support import carets, failure, printed
from tests.machine.support import answered, begin

DESTRUCTURING = [
    ("(let [[a b] [1 2]] [b a])", "[2 1]"),
    ("(let [[a b c] [1]] [a b c])", "[1 nil nil]"),
    ("(let [[a] [1 2 3]] a)", "1"),
    ("(let [[a & r] [1 2 3]] r)", "(2 3)"),
    ("(let [[a & r] [1]] r)", "nil"),
    ("(let [[a & [b & c]] [1 2 3]] [a b c])", "[1 2 (3)]"),
    ("(let [[a :as all] [1 2]] [a all])", "[1 [1 2]]"),
    ("(let [[a & r :as all] [1 2]] [a r all])", "[1 (2) [1 2]]"),
    ("(let [[[a b] c] [[1 2] 3]] [a b c])", "[1 2 3]"),
    ("(let [[_ b _] [1 2 3]] b)", "2"),
    ("(let [[] [1]] :fine)", ":fine"),
    ("(let [[a b] nil] [a b])", "[nil nil]"),
    ("(let [[a b] '(1 2)] [a b])", "[1 2]"),
    ("(let [{:keys [a b]} {:a 1}] [a b])", "[1 nil]"),
    ("(let [{:keys [a b] :or {b 5}} {:a 1}] [a b])", "[1 5]"),
    ("(let [{:keys [a] :or {a 5}} {:a nil}] a)", "nil"),
    ("(let [{:keys [a] :as m} {:a 1 :b 2}] [a m])", "[1 {:a 1 :b 2}]"),
    ("(let [{:keys [ns/a :b]} {:ns/a 1 :b 2}] [a b])", "[1 2]"),
    ('(let [{:strs [a]} {"a" 1}] a)', "1"),
    ('(let [{"s" a} {"s" 1}] a)', "1"),
    ("(let [{a :x} {:x 1}] a)", "1"),
    ("(let [{:x a} {:x 1}] a)", "1"),
    ("(let [{:x [a b]} {:x [1 2]}] [a b])", "[1 2]"),
    ("(let [{{c :c} :b} {:b {:c 3}}] c)", "3"),
    ("(let [{:keys [a] & more} {:a 1 :b 2 :c 3}] more)", "{:b 2 :c 3}"),
    ("(let [{:keys [a]} nil] a)", "nil"),
    ("(let [x 1 {:keys [a] :or {a x}} {}] a)", "1"),
    ("(let [{:keys [a b] :or {b a}} {:a 1}] b)", "1"),
    ("((fn [[a b] {:keys [c]}] [a b c]) [1 2] {:c 3})", "[1 2 3]"),
    ("((fn [a & {:keys [b c]}] [a b c]) 1 :b 2 :c 3)", "[1 2 3]"),
    ("((fn [a & {:keys [b] :or {b 9}}] [a b]) 1)", "[1 9]"),
    ("((fn [& {:keys [b]}] b) {:b 1})", "1"),
    ("((fn [a & [b c]] [a b c]) 1 2)", "[1 2 nil]"),
    ("(loop [[a & r] [1 2 3] sum 0] (if a (recur r (+ sum a)) sum))", "6"),
    ("(for [[k v] {:a 1 :b 2}] [v k])", "[[1 :a] [2 :b]]"),
    ("(let [[a a] [1 2]] a)", "2"),
    ("(let [a 1 a (+ a 1)] a)", "2"),
    ("(let [{:keys [code message]} (try (/ 1 0) (catch e e))] [code message])", None),
]


@pytest.mark.parametrize(("text", "value"), DESTRUCTURING, ids=[text for text, _ in DESTRUCTURING])
def test_destructuring(text: str, value: str | None):
    found = printed(text)
    assert value is None or found == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(let [[a] 5] a)", "[a]"),
        ('(let [[a] "text"] a)', "[a]"),
        ("(let [{:keys [a]} [1]] a)", "{:keys [a]}"),
        ("((fn [[a]] a) :no)", "[a]"),
        ("(let [[{:keys [a]}] [5]] a)", "{:keys [a]}"),
    ],
)
def test_what_does_not_fit_a_pattern(text: str, place: str):
    error = failure(text)
    assert error.code == "type/mismatch"
    assert carets(error) == place


def test_defaults_are_evaluated_only_if_they_are_needed():
    assert printed("(let [{:keys [a] :or {a (/ 1 0)}} {:a 1}] a)") == "1"
    assert failure("(let [{:keys [a] :or {a (/ 1 0)}} {}] a)").code == "arithmetic/div-by-zero"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(map (fn [f] (f)) (loop [i 0 fs []] (if (< i 3) (recur (inc i) (conj fs (fn [] i))) fs)))", "[0 1 2]"),
        ("(map (fn [f] (f)) (for [i [1 2 3]] (fn [] (* i i))))", "[1 4 9]"),
        ("(map (fn [f] (f)) (map (fn [x] (fn [] x)) [1 2]))", "[1 2]"),
        ("(map (fn [f] (f)) (reduce (fn [fs x] (conj fs (fn [] [x (count fs)]))) [] [:a :b]))", "[[:a 0] [:b 1]]"),
        (
            "(defn f [n fs] (if (= n 0) fs (f (dec n) (conj fs (fn [] n))))) (map (fn [g] (g)) (f 3 []))",
            "[3 2 1]",
        ),
        (
            "(loop [i 0 fs []] (if (< i 2) (let [j (* 10 i)] (recur (inc i) (conj fs (fn [] [i j]))))"
            " (map (fn [f] (f)) fs)))",
            "[[0 0] [1 10]]",
        ),
        (
            "(loop [i 0 out []] (if (< i 2) (recur (inc i) (conj out (loop [j 0 fs []] (if (< j 2)"
            " (recur (inc j) (conj fs (fn [] [i j]))) (map (fn [f] (f)) fs))))) out))",
            "[[[0 0] [0 1]] [[1 0] [1 1]]]",
        ),
        ("(loop [i 0] (if (< i 5) (let [g (fn [] i)] (recur (inc (g)))) i))", "5"),
        ("(loop [a 1 b 2 n 0] (if (= n 3) [a b] (recur b a (inc n))))", "[2 1]"),
        ("(loop [i 0 acc []] (if (< i 3) (recur (inc i) (map (fn [x] (+ x i)) (conj acc i))) acc))", "[3 4 4]"),
        ("(loop [[f & r] [inc dec inc] x 0] (if f (recur r (f x)) x))", "1"),
        ("(loop [] 5)", "5"),
        ("(loop [x 1 y (+ x 1)] [x y])", "[1 2]"),
        ("(loop [i 0] (cond (= i 3) (match i 3 :three _ :other) :else (recur (+ i 1))))", ":three"),
        ("(loop [i 0] (match i 5 :done n (recur (inc n))))", ":done"),
        ("(loop [i 0] (and (< i 10) (or (= i 9) (recur (inc i)))))", "true"),
        ("(loop [i 0] (let [r (try (if (< i 3) :again i) (catch e e))] (if (= r :again) (recur (inc i)) r)))", "3"),
        ("(loop [i 0] (when (< i 3) (recur (inc i))))", "nil"),
        ("(+ 1 (loop [i 0] (if (< i 3) (recur (inc i)) i)))", "4"),
        ("[(loop [i 0] (if (< i 3) (recur (inc i)) i)) (loop [i 5] (if (> i 3) (recur (dec i)) i))]", "[3 3]"),
    ],
)
def test_loops_and_closures(text: str, value: str):
    assert printed(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(defn f ([] 0) ([x] [x]) ([x y] [x y])) [(f) (f nil) (f 1 2)]", "[0 [nil] [1 2]]"),
        ("(defn f ([x] :one) ([x & r] r)) [(f 1) (f 1 2) (f 1 2 3)]", "[:one (2) (2 3)]"),
        ("(defn f ([x y] :two) ([x y & r] r)) [(f 1 2) (f 1 2 3 4)]", "[:two (3 4)]"),
        ("(defn f ([] :none) ([a b & r] [a b r])) [(f) (f 1 2) (f 1 2 3)]", "[:none [1 2 nil] [1 2 (3)]]"),
        ("(defn f ([x] (f x 10)) ([x y] (+ x y))) (f 1)", "11"),
        ("(defn f ([n] (f n 0)) ([n acc] (if (= n 0) acc (recur (dec n) (+ acc n))))) (f 1000)", "500500"),
        ("((fn ([x] x) ([x y] (+ x y))) 1 2)", "3"),
        ("(let [f (fn g ([] (g 1)) ([x] (+ x 1)))] (f))", "2"),
        ("(map (fn ([x] [x]) ([x y] [x y])) [1 2] [3 4])", "[[1 3] [2 4]]"),
        ("(defn f ([{:keys [a]}] a) ([[x] y] [x y])) [(f {:a 1}) (f [2] 3)]", "[1 [2 3]]"),
        ('(defn f ([x : int] [:int x]) ([x : string y] [x y])) [(f 1) (f "a" 2)]', '[[:int 1] ["a" 2]]'),
    ],
)
def test_functions_of_several_arities(text: str, value: str):
    assert printed(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(let [even? (fn [n] (if (= n 0) true (odd? (dec n)))) odd? (fn [n] (if (= n 0) false (even? (dec n))))]"
         " (even? 101))", "false"),
        ("(let [x 1 f (fn [] x) x 2] (f))", "1"),
        ("(defn f [x] (defn g [y] (+ x y)) (g 10)) (f 1)", "11"),
        ("(defn f [] (def a 1) (def b (+ a 1)) [a b]) (f)", "[1 2]"),
        ("(defn f [n] (defn ev [k] (if (= k 0) true (od (dec k)))) "
         "(defn od [k] (if (= k 0) false (ev (dec k)))) (ev n)) (f 10)", "true"),
        ("(let [] (def x 5)) (def y 1) y", "1"),
        ("(let [x 1 f (fn [] x)] (def x 5) [(f) x])", "[1 5]"),
        ("(let [x 1] [(do (def x 5) x) x])", "[5 5]"),
        ("(loop [i 0] (if (< i 3) (recur (+ (do (def j i) j) 1)) i))", "3"),
        ("(defn f [c] (if c (def x 1) (def x \"a\")) (str x x)) [(f true) (f false)]", '["11" "aa"]'),
        ("(defn f [c] (if c (def x 1) (def x \"a\")) (= x \"a\")) [(f true) (f false)]", "[false true]"),
        ("(defn f [] (def x 1) (def g (fn [] (+ x x))) (def x 1.5) (g)) (f)", "3.0"),
        ("(defn f [c] (if c (defn g [] 1) (def g 2)) (if (fn? g) (g) g)) [(f true) (f false)]", "[1 2]"),
        ("(let [] (defstruct P :x int) (map P [{:x 1}]))", "[{:x 1}]"),
        ("(do (def x 5)) x", "5"),
        ("(if true (def x 5) (def x 6)) x", "5"),
        ("(try (def x 5) (finally 1)) x", "5"),
        ("(def x 1) (defn f [] x) (def x 2) (f)", "2"),
        ("(defn f [] (g)) (defn g [] :later) (f)", ":later"),
        ("(defn + [a b] [:mine a b]) (+ 1 2)", "[:mine 1 2]"),
        ("(defn f [+] (+ 1 2)) (f (fn [a b] [:given a b]))", "[:given 1 2]"),
        ("(def f (fn [n] (if (= n 0) :end (f (dec n))))) (f 50000)", ":end"),
        ("((fn [] nil))", "nil"),
        ("((fn []))", "nil"),
        ("(let [x 1])", "nil"),
        ("(type-name (def f (fn [] 1)))", '"function"'),
    ],
)  # fmt: skip
def test_definitions_and_scope(text: str, value: str):
    assert printed(text) == value


def test_a_local_definition_is_unknown_outside():
    assert failure("(let [] (def hidden 5)) hidden").code == "undefined"
    assert failure("(defn f [] (defn inner [] 1) (inner)) (f) (inner)").code == "undefined"


def test_evaluation_is_in_the_order_of_the_text():
    note = "(defn note [log x] (conj log x))"
    assert printed(f"{note} (let [a (note [] 1) b (note a 2)] [a b])") == "[[1] [1 2]]"
    text = """[(call "1") (let [x (call "2")] x) (if (call "3") (call "4") 0)
               {(call "5") (call "6")} (try (call "7") (catch e 1))]"""
    asked: list[str] = []
    answered(begin(text), lambda call: asked.append(call.id) or call.id)
    assert asked == ["1", "2", "3", "4", "5", "6", "7"]
