"""`match` and `try`: every kind of pattern and handler, also where statements are needed."""

from __future__ import annotations

import pytest

from tests.compiler.support import failure, printed

MATCH = [
    ("(match 5 5 :five _ :other)", ":five"),
    ("(match 5.0 5 :int 5.0 :float)", ":float"),
    ("(match true 1 :one true :true)", ":true"),
    ('(match "a" "b" 1 "a" 2)', "2"),
    ("(match nil nil :nil _ :other)", ":nil"),
    ("(match :k :k 1)", "1"),
    ("(match 'sym 'sym 1 _ 2)", "1"),
    ("(match [1 2] [a b] (+ a b))", "3"),
    ("(match '(1 2) [a b] (+ a b))", "3"),
    ("(match [1 2 3] [a b] :two [a & r] r)", "(2 3)"),
    ("(match [] [] :empty _ :other)", ":empty"),
    ("(match [1] [a & r] [a r])", "[1 ()]"),
    ("(match [1 [2 3]] [a [b c]] [a b c])", "[1 2 3]"),
    ("(match [1 2] [a b :as all] all)", "[1 2]"),
    ("(match {:a 1 :b 2} {:a a} a)", "1"),
    ("(match {:a 1} {:b b} b {:a a} [:a a])", "[:a 1]"),
    ("(match {:a 1 :b 2} {:a a & more} more)", "{:b 2}"),
    ("(match {:a 1} {:keys [a]} a)", "1"),
    ("(match {:a nil} {:a x} [:there x] _ :gone)", "[:there nil]"),
    ("(match {:a {:b [1 2]}} {:a {:b [x y]}} [x y])", "[1 2]"),
    ("(match 5 n when (> n 3) :big n :small)", ":big"),
    ("(match 2 n when (> n 3) :big n [:small n])", "[:small 2]"),
    ("(match 5 (n :when (> n 3)) :big _ :small)", ":big"),
    ("(match 5 (:or 1 5) :hit _ :miss)", ":hit"),
    ("(match [5 1] (:or [a 1] [1 a]) a)", "5"),
    ("(match [1 7] (:or [a 2] [1 a]) a)", "7"),
    ("(match [1 :x] [(:or 1 2) k] k)", ":x"),
    ("(match [1 2] (:as whole [a b]) [whole a])", "[[1 2] 1]"),
    ("(match 5 (:int n) [:int n] (:string s) [:string s])", "[:int 5]"),
    ('(match "x" (:int n) [:int n] (:string s) [:string s])', '[:string "x"]'),
    ("(match 5 (:int) :an-int)", ":an-int"),
    ("(match [1 \"a\"] [(:int a) (:string b)] [b a])", '["a" 1]'),
    ("(match 1 _ (match 2 2 :inner))", ":inner"),
    ("(match (let [x 3] x) 3 (let [y 4] y))", "4"),
    ("(+ 1 (match 5 5 10 _ 20))", "11"),
    ("(match 1 1 (try (/ 1 0) (catch e :caught)) _ 2)", ":caught"),
    ("(match [1 2 3] [a b c] when (let [s (+ a b)] (= s c)) :sum _ :no)", ":sum"),
    ("(defn f [x] (match x 0 :zero n (f (dec n)))) (f 10000)", ":zero"),
    ("(map (fn [x] (match x {:type :a :v v} v [:b v] v _ nil)) [{:type :a :v 1} [:b 2] 3])", "[1 2 nil]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), MATCH, ids=[text for text, _ in MATCH])
def test_match(text: str, value: str):
    assert printed(text) == value


def test_no_pattern_fits():
    error = failure("(match {:a 1} {:b b} b)")
    assert error.code == "match/none"
    assert "{:a 1}" in error.message
    assert printed("(try (match 7 1 2) (catch MatchError e (:data e)))") == "7"


TRY = [
    ("(try 1)", "1"),
    ("(try)", "nil"),
    ("(try 1 2 (catch e 3))", "2"),
    ("(try (/ 1 0) (catch e (:code e)))", ":arithmetic/div-by-zero"),
    ("(try (/ 1 0) (catch TypeError e 1) (catch ArithmeticException e 2))", "2"),
    ("(try (/ 1 0) (catch :arithmetic e 1))", "1"),
    ("(try (throw {:code :a/b}) (catch :a e 1))", "1"),
    ("(try (throw {:code :ab}) (catch :a e 1) (catch e 2))", "2"),
    ("(try (try (/ 1 0) (catch TypeError e 1)) (catch e 2))", "2"),
    ("(try (try (/ 1 0) (catch e (throw {:code :again :message (:message e)}))) (catch e (:code e)))", ":again"),
    ("(try (try (/ 1 0) (finally (throw \"from finally\"))) (catch e (:message e)))", '"from finally"'),
    ("(try 1 (finally 2))", "1"),
    ("(+ 1 (try (/ 1 0) (catch e 10) (finally 20)))", "11"),
    ("(defn f [] (try (/ 1 0) (catch e (:code e)))) (f)", ":arithmetic/div-by-zero"),
    ("(defn f [x] (try (if (= x 0) (throw \"zero\") x) (catch e -1))) (map f [1 0])", "[1 -1]"),
    ("(let [x (try (/ 1 0) (catch e 5))] x)", "5"),
    ("(loop [i 0] (if (< i 3) (recur (try (/ 1 0) (catch e (inc i)))) i))", "3"),
    ("(map (fn [x] (try (/ 10 x) (catch e :inf))) [1 0])", "[10 :inf]"),
    ("(try (do (throw \"a\") 1) (catch e (try (throw \"b\") (catch f [(:message e) (:message f)]))))", '["a" "b"]'),
    ("(try (let [x (throw \"m\")] x) (catch Exception e (getMessage e)))", '"m"'),
    ("(type-name (try (/ 1 0) (catch e e)))", '"error"'),
    ("(try (throw (try (/ 1 0) (catch e e))) (catch e (:code e)))", ":arithmetic/div-by-zero"),
    ("(let [e 1] (try (/ 1 0) (catch e 2)) e)", "1"),
    ("(try (error \"m\" {:n 1}) (catch e (:data e)))", "{:n 1}"),
    ("(try (throw 5) (catch e [(:code e) (:data e)]))", "[:user/error 5]"),
    ("[(try (/ 1 0) (catch e 1)) (try (/ 1 0) (catch e 2))]", "[1 2]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TRY, ids=[text for text, _ in TRY])
def test_try(text: str, value: str):
    assert printed(text) == value


def test_errors_do_not_pile_up_as_contexts():
    error = failure("(defn f [n] (try (/ 1 0) (catch e (if (= n 0) (throw e) (f (dec n)))))) (f 100)")
    chain = 0
    found: BaseException | None = error
    while found is not None and chain < 10:
        found = found.__context__
        chain += 1
    assert chain < 5
