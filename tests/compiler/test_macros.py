"""Macros: templates, hygiene, what they may use, purity, limits, what their errors show."""

from __future__ import annotations

import pytest

from rtfs.machine import new_environment
from tests.compiler.support import carets, failure, printed

TEMPLATES = [
    ("`(a b)", "(a b)"),
    ("`a", "a"),
    ("`5", "5"),
    ("`[1 ~(+ 1 1)]", "[1 2]"),
    ("`{:k ~(+ 1 1)}", "{:k 2}"),
    ("`{~(keyword \"k\") 1}", "{:k 1}"),
    ("`(1 ~@[2 3] 4)", "(1 2 3 4)"),
    ("`(1 ~@nil)", "(1)"),
    ("`(1 ~@'(2) ~@{:a 1})", "(1 2 [:a 1])"),
    ("`[~@[1 2]]", "[1 2]"),
    ("`(a (b ~(inc 1)))", "(a (b 2))"),
    ("`(quote ~(+ 1 2))", "(quote 3)"),
    ("`'~(+ 1 2)", "(quote 3)"),
    ("(let [x 1] `(~x ~'x))", "(1 x)"),
    ("(let [x 5] `(a `(b ~(c ~x))))", "(a (quasiquote (b (unquote (c 5)))))"),
    ("(= (first `(v# v#)) (second `(v# v#)))", "false"),
    ("(let [[a b] `(v# v#)] (= a b))", "true"),
    ("(list? `(1 ~@[2]))", "true"),
    ("(vector? `[1 ~@[2]])", "true"),
    ("(= `(a b) '(a b))", "true"),
    ("(symbol? (first `(a)))", "true"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TEMPLATES, ids=[text for text, _ in TEMPLATES])
def test_templates(text: str, value: str):
    assert printed(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [("`(1 ~@5)", "type/mismatch"), ("`~@[1]", "form/shape"), ("`{:a ~@[1]}", "form/shape"), ("~x", "form/shape")],
)
def test_templates_that_are_wrong(text: str, code: str):
    assert failure(text).code == code


MACROS = [
    ("(defmacro unless [c & body] `(if ~c nil (do ~@body))) [(unless false 1 2) (unless true 1)]", "[2 nil]"),
    ('(defmacro m "doc" [x] x) (m 5)', "5"),
    ("(defmacro m ([x] `[:one ~x]) ([x y] `[:two ~x ~y])) [(m 1) (m 1 2)]", "[[:one 1] [:two 1 2]]"),
    ("(defmacro m [[a b] {:keys [c]}] `(+ ~a ~b ~c)) (m [1 2] {:c 3})", "6"),
    ("(defmacro twice [e] `(let [v# ~e] (+ v# v#))) (let [v 5] (twice (inc v)))", "12"),
    ("(defmacro swap2 [a b] `[~b ~a]) (swap2 1 (swap2 2 3))", "[[3 2] 1]"),
    ("(defmacro m [] '(+ 1 2)) (m)", "3"),
    ("(defmacro m [] nil) (m)", "nil"),
    ("(defmacro def-twice [n v] `(do (def ~n ~v) (* 2 ~n))) [(def-twice q 4) q]", "[8 4]"),
    ("(defmacro my-defn [n & r] `(defn ~n ~@r)) (my-defn f [x] (inc x)) (f 1)", "2"),
    ("(defmacro my-let [v & b] `(let ~v ~@b)) (my-let [a 1 b 2] (+ a b))", "3"),
    ("(defmacro my-loop [] `(loop [i# 0] (if (< i# 5) (recur (inc i#)) i#))) (my-loop)", "5"),
    ("(defmacro m [x] `(quote ~x)) (m (a b))", "(a b)"),
    ("(defmacro a [x] `(b ~x)) (defmacro b [x] `(inc ~x)) (a 1)", "2"),
    ("(defmacro count-args [& r] (count r)) (count-args a b c)", "3"),
    ("(defmacro m [x] (if (symbol? x) :symbol :other)) [(m a) (m 5)]", "[:symbol :other]"),
    ("(defmacro rev [& r] (vec (reverse r))) (rev 1 2 3)", "[3 2 1]"),
    ("(defmacro m [f x] `(~f ~x)) (m inc 1)", "2"),
    ("(defmacro inline [f x] (list f x)) (inline (fn [y] (* y y)) 4)", "16"),
    ("(defn f [x] (g x)) (defmacro g [x] `(inc ~x)) :defined", ":defined"),
    ("(defmacro m [x] `(let [y 10] (+ y ~x))) (let [y 1] (m y))", "20"),
    ("(def m 5) (defmacro m [] 6) (m)", "6"),
    ("(defmacro m [] 6) (def m 5) m", "5"),
    ("(defmacro m [x] x) (let [m (fn [x] [:local x])] (m 1))", "[:local 1]"),
    ("(defmacro when [x y] `[:mine ~x ~y]) (when 1 2)", "[:mine 1 2]"),
]


@pytest.mark.parametrize(("text", "value"), MACROS, ids=[text for text, _ in MACROS])
def test_macros(text: str, value: str):
    assert printed(text) == value


USING = [
    ("(defn helper [x] (* 2 x)) (defmacro m [x] (helper x)) (m 21)", "42"),
    ("(def table {:a 1}) (defmacro m [k] (get table k)) (m :a)", "1"),
    ("(defn odd-one [n] (if (= n 0) :even (even-one (dec n)))) (defn even-one [n] (if (= n 0) :odd (odd-one (dec n))))"
     " (defmacro m [n] (odd-one n)) (m 10)", ":even"),
    ("(defn f [x] [:old x]) (defmacro m [x] (f x)) (def before (m 1)) (defn f [x] [:new x]) [before (m 1)]",
     "[[:old 1] [:new 1]]"),
    ("(defmacro unless [c x] `(if ~c nil ~x)) (defn h [c] (unless c 7)) (defmacro m [] (h false)) (m)", "7"),
    ("(defn h [xs] (map (fn [x] `(+ ~x 1)) xs)) (defmacro m [& xs] `[~@(h xs)]) (m 1 2 3)", "[2 3 4]"),
    ("(deftype N int) (defn h [x : N] x) (defmacro m [x] (h x)) (m 3)", "3"),
    ("(defn h ([x] (h x 1)) ([x y] (+ x y))) (defmacro m [x] (h x)) (m 3)", "4"),
    ("(def base 10) (def more (+ base 1)) (defmacro m [] more) (m)", "11"),
    ("(module a (defn h [x] (* 3 x))) (import a) (defmacro m [x] (a/h x)) (m 2)", "6"),
    ("(module a (defn h [x] (* 3 x))) (import a :as b) (defmacro m [x] (b/h x)) (m 2)", "6"),
    ("(module a (defn h [x] (* 3 x))) (import a :only [h]) (defmacro m [x] (h x)) (m 2)", "6"),
    ("(module a (defn h [x] (* 3 x)) (defmacro m [x] (h x))) (import a) (a/m 5)", "15"),
    ("(module a (defn h [x] (* 3 x)) (defmacro m [x] `(h ~x))) (import a) (defmacro n [x] (a/m x)) (n 5)", "15"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), USING, ids=[text for text, _ in USING])
def test_macros_use_what_stands_before_them(text: str, value: str):
    assert printed(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(defn helper [x] [:mine x]) (defmacro m [x] `(helper ~x)) (let [helper 5] (m 1))", "[:mine 1]"),
        ("(module a (defn h [x] [:a x]) (defmacro m [x] `(h ~x))) (import a) (defn h [x] [:user x]) (a/m 1)", "[:a 1]"),
        (
            "(module a (:exports [m]) (defn h [x] [:a x]) (defmacro m [x] `(h ~x))) (import a :only [m]) (m 1)",
            "[:a 1]",
        ),
        ("(module a (def v 1) (defmacro m [] `v)) (import a) (def v 2) [(a/m) v]", "[1 2]"),
        ("(defmacro m [x] `(inc ~x)) (defn inc [x] [:mine x]) (m 1)", "[:mine 1]"),
        ("(module a (defmacro inner [x] `[:inner ~x]) (defmacro m [x] `(inner ~x))) (import a) (a/m 1)", "[:inner 1]"),
        ("(defn - [a b] [:minus a b]) (dotimes [i 2] i) (-> 5 (- 1))", "[:minus 5 1]"),
        ("(let [reduce 5 vec 6 map 7] (for [x [1 2] y [3]] (+ x y)))", "[4 5]"),
        ("(let [first 1 rest 2 nil? 3] (some-> 5 inc))", "6"),
        ("(defn map [f xs] :mine) (for [x [1 2]] (inc x))", "[2 3]"),
        ("(defn reduce [& r] :mine) (for [x [1 2] y [1]] (+ x y))", "[2 3]"),
        ("(let [if-let 1] (when-let [x 5] x))", "5"),
    ],
)
def test_the_symbols_of_a_template_mean_what_they_mean_in_the_macros_module(text: str, value: str):
    assert printed(text) == value


def test_expansion_is_pure():
    for text in (
        '(defmacro m [] (call "a.b" 1)) (m)',
        "(defmacro m [] @name) (m)",
        '(defn h [] (call "x")) (defmacro m [] (h)) (m)',
        '(defmacro m [] (step "s" 1)) (m)',
        "(defmacro m [] (step-parallel 1 2)) (m)",
        '(def v (call "x")) (defmacro m [] v) (m)',
    ):
        error = failure(text)
        assert error.code == "macro/expansion"
        assert carets(error) == "(m)"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(defmacro m [] (loop [] (recur))) (m)", "limit/"),
        ("(defmacro m [] (+ 1 (m2))) (defn m2 [] (m2)) (m)", "limit/steps"),
        ("(defn deep [n] (+ 1 (deep n))) (defmacro m [] (deep 1)) (m)", "limit/depth"),
        ("(defmacro m [] `(m)) (m)", "limit/expansion"),
        ("(defmacro m [x] `(m (m ~x))) (m 1)", "limit/"),
        ("(defmacro m [x] (macroexpand '(m 1))) (m 1)", "limit/nesting"),
        ("(defmacro m [& r] `[(m ~@r ~@r)]) (m 1)", "limit/"),
    ],
)
def test_expansion_ends(text: str, code: str):
    assert failure(text).code.startswith(code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(defmacro m [x] (nth [] 5))\n(m 1)", "expanding `m` failed: "),
        ('(defmacro m [x] (throw "not like this"))\n(m 1)', "expanding `m` failed: not like this"),
        ("(defmacro m [x] x)\n(m 1 2)", "`m` takes 1 argument, got 2"),
        ("(defmacro m [x] (undefined-one))\n(m 1)", "expanding `m` failed: `undefined-one` is not defined"),
    ],
)
def test_a_failing_expansion_shows_the_call(text: str, message: str):
    error = failure(text)
    assert error.code == "macro/expansion"
    assert error.message.startswith(message)
    assert carets(error) == text.partition("\n")[2]


def test_an_error_in_what_a_macro_made_is_shown_at_the_call():
    error = failure("(defmacro m [x] `(/ ~x 0))\n(+ 1\n   (m 5))")
    assert error.code == "arithmetic/div-by-zero"
    assert carets(error) == "(m 5)"
    error = failure("(defmacro m [x] `(if))\n(m 5)")
    assert error.code == "form/shape"
    assert carets(error) == "(m 5)"


def test_an_error_in_an_argument_of_a_macro_is_shown_in_the_argument():
    error = failure("(defmacro m [x] `(do ~x))\n(m (+ 1\n  (/ 1 0)))")
    assert carets(error) == "(/ 1 0)"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(macroexpand '(inc 1))", "(inc 1)"),
        ("(macroexpand 5)", "5"),
        ("(macroexpand '())", "()"),
        ("(defmacro a [x] `(b ~x)) (defmacro b [x] `(c ~x)) (macroexpand '(a 1))", "(c 1)"),
        ("(defmacro a [] 5) (macroexpand '(a))", "5"),
    ],
)
def test_macroexpand(text: str, value: str):
    assert printed(text) == value


def test_a_macro_of_an_earlier_program_of_the_environment():
    environment = new_environment()
    printed("(defn h [x] (* 2 x)) (defmacro m [x] (h x))", environment)
    assert printed("(m 4)", environment) == "8"
    printed("(defn h [x] (* 3 x))", environment)
    assert printed("(m 4)", environment) in ("8", "12")


def test_a_macro_is_not_known_elsewhere():
    assert failure("(module a (defmacro m [x] x)) (m 1)").code == "undefined"
    assert failure("(module a (:exports []) (defmacro m [x] x)) (import a) (a/m 1)").code in (
        "undefined",
        "module/private",
    )
