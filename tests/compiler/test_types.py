"""Types in programs: annotations everywhere, named types, recursion, structs."""

from __future__ import annotations

import pytest

from tests.compiler.support import carets, failure, printed

FINE = [
    ("((fn [x : int] x) 1)", "1"),
    ("((fn [x :int] x) 1)", "1"),
    ("((fn [x:int] x) 1)", "1"),
    ("((fn [x : int y : string] [x y]) 1 \"a\")", '[1 "a"]'),
    ("((fn [x : float] x) 1)", "1"),
    ("((fn [x : int?] x) nil)", "nil"),
    ("((fn [& xs : int] xs) 1 2)", "(1 2)"),
    ("((fn [[a b] : [:vector int]] b) [1 2])", "2"),
    ("((fn [{:keys [a]} : {:a int}] a) {:a 1})", "1"),
    ("((fn [x] : int x) 1)", "1"),
    ("((fn [x] :int x) 1)", "1"),
    ("((fn [x] :int) 1)", ":int"),
    ("(defn f [x : int] : [:vector int] [x]) (f 1)", "[1]"),
    ("(defn f [n : int acc : int] : int (if (= n 0) acc (recur (dec n) (+ acc n)))) (f 10 0)", "55"),
    ("(let [x : int 1 y 2] (+ x y))", "3"),
    ("(let [x :int 1] x)", "1"),
    ("(let [a :k b 2] [a b])", "[:k 2]"),
    ("(let [x:int 1] x)", "1"),
    ("(loop [i : int 0] (if (< i 3) (recur (inc i)) i))", "3"),
    ("(def x : int 5) x", "5"),
    ("[((fn [x : [:val 1]] x) 1) ((fn [x : [:val true]] x) true) ((fn [x : [:val 1.0]] x) 1.0)]", "[1 true 1.0]"),
    ("(deftype Age [:and int [:>= 0]]) ((fn [a : Age] a) 5)", "5"),
    ("(deftype Tree [:union int [:vector Tree]]) ((fn [t : Tree] (count t)) [1 [2 [3]]])", "2"),
    ("(deftype A [:union nil [:tuple int B]]) (deftype B [:union nil [:tuple string A]])"
     ' ((fn [x : A] :fine) [1 ["a" [2 nil]]])', ":fine"),
    ("(defstruct Node :value int :next Node?) (:value (:next (Node {:value 1 :next {:value 2}})))", "2"),
    ("(defstruct P :x int :y int?) (P {:x 1})", "{:x 1}"),
    ("(defstruct P :x int) (map P [{:x 1} {:x 2}])", "[{:x 1} {:x 2}]"),
    ("(defstruct P :x int) (defstruct L :from P :to P) (:from (L {:from {:x 1} :to {:x 2}}))", "{:x 1}"),
    ("(let [] (defstruct Q :x int) (Q {:x 1}))", "{:x 1}"),
    ("(deftype T int) (deftype T string) ((fn [x : T] x) \"a\")", '"a"'),
    ("(defn f [x : T] x) (deftype T int) (f 1)", "1"),
    ("(match 5 (:int n) n)", "5"),
    ("(deftype Even [:and int]) (match 4 (Even n) [:even n] _ :no)", "[:even 4]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), FINE, ids=[text for text, _ in FINE])
def test_values_that_fit(text: str, value: str):
    assert printed(text) == value


MISFITS = [
    ('((fn [x : int] x) "a")', "parameter x"),
    ("((fn [& xs : int] xs) 1 :b)", "[1]"),
    ("((fn [[a b] : [:vector int]] b) [1 :b])", "[1]"),
    ("((fn [x] : int x) :a)", "the result"),
    ("(defn f [n : int] (if (= n 0) :end (recur (str n)))) (f 3)", "parameter n"),
    ("(defn f [n : int] : int (if (= n 0) :end (recur (dec n)))) (f 3)", "the result"),
    ("(let [x : int :a] x)", "x"),
    ("(loop [i : int 0] (if (< i 3) (recur \"a\") i))", "i"),
    ("(def x : int :a)", "x"),
    ("(deftype Age [:and int [:>= 0]]) ((fn [a : Age] a) -5)", "parameter a"),
    ("(deftype Tree [:union int [:vector Tree]]) ((fn [t : Tree] t) [1 [2 [:a]]])", ""),
    ("(defstruct P :x int) (P {:x :no})", ":x"),
    ("(defstruct P :x int) (P {})", ":x"),
    ("(defstruct P :x int) (P 5)", "P"),
    ("(def x : [:vector {:a [:vector int]}] [{:a [1 :b]}])", "[0][:a][1]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part"), MISFITS, ids=[text for text, _ in MISFITS])
def test_values_that_do_not_fit(text: str, part: str):
    error = failure(text)
    assert error.code == "type/mismatch"
    squeezed = error.message.replace(" ", "").replace("`", "")
    assert part.replace(" ", "") in squeezed or all(one in squeezed for one in part.strip("[]").split("]["))
    assert error.span is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(fn [x : Nope] x)", "type/unknown"),
        ("(fn [x] : Nope x)", "type/unknown"),
        ("(let [x : Nope 1] x)", "type/unknown"),
        ("(deftype T Nope)", "type/unknown"),
        ("(deftype T [:vector])", "type/malformed"),
        ("(deftype T T)", "type/recursive"),
        ("(deftype A B) (deftype B A)", "type/recursive"),
    ],
)
def test_types_that_are_none(text: str, code: str):
    assert failure(text).code == code


def test_a_mismatch_points_at_the_annotated_thing():
    assert carets(failure("(defn f [x : int]\n  x)\n(f :a)")) in ("(defn f [x : int]\n  x)", "x", "(f :a)")
    assert carets(failure("(def limit : int\n  (str 1))")) in ("(str 1)", "(def limit : int\n  (str 1))")


def test_a_failed_definition_of_a_type_keeps_the_one_before():
    from rtfs.machine import new_environment

    environment = new_environment()
    printed("(deftype T int)", environment)
    assert failure("(deftype T Nope)", environment).code == "type/unknown"
    assert printed("((fn [x : T] x) 1)", environment) == "1"
