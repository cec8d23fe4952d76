"""A run refuses what is provably wrong before its first effect, and nothing else."""

from __future__ import annotations

import pytest

import rtfs

WRONG = [
    ('(apply "add" [1 2])', "type/not-callable"),
    ("(update {:a 1} :a 5)", "type/not-callable"),
    ("(juxt ())", "type/not-callable"),
    ("(-> 5 (apply [1]))", "type/not-callable"),
    ("(count 1 2 3)", "arity"),
    ("(defn f [x] x) (f 1 2)", "arity"),
    ("(defn f ([a] a) ([a b] b)) (f)", "arity"),
    ('(defn f [x :int] x) (f "a")', "type/mismatch"),
    ('(+ 1 "a")', "type/mismatch"),
    ('(let [x 1 y "a"] (+ x y))', "type/mismatch"),
    ('(defn g [n] (+ n 1)) (g "a")', "type/mismatch"),
    ('(-> 1 (str "a") inc)', "type/mismatch"),
    ('(map inc ["a" "b"])', "type/mismatch"),
    ('(loop [i 0 s "x"] (if (< i 3) (recur (inc i) (str s i)) (inc s)))', "type/mismatch"),
    ("(let [{:keys [a]} 5] a)", "type/mismatch"),
    ("(let [[a] 5] a)", "type/mismatch"),
    ("(:a 1)", "type/mismatch"),
    ("(1 2)", "type/not-callable"),
    ("(reduce + 1)", "type/mismatch"),
    ('(let [n (count "abc")] (string-upper n))', "type/mismatch"),
    ("(nope 1)", "undefined"),
    ('(call "test.tikets" {:query "x"})', "capability/unknown"),
    ('(call "test.tickets" {:query 1})', "type/mismatch"),
    ('(call "test.tickets" {:limit 3})', "type/mismatch"),
    ('(call "test.tickets" {:query "x" :limit "3"})', "type/mismatch"),
    ('(let [q (count [1])] (call "test.tickets" {:query q}))', "type/mismatch"),
    ('(inc (:title (first (call "test.tickets" {:query "x"}))))', "type/mismatch"),
]

RIGHT = [
    ("(defn f [x] (if (string? x) (string-upper x) (inc x))) (f 1)", "2"),
    ('(try (+ 1 "a") (catch e :caught))', ":caught"),
    ('(defn h [] (+ 1 "a")) (try (h) (catch e :caught))', ":caught"),
    ('(let [f (fn [] (+ 1 "a"))] (try (f) (catch e :caught)))', ":caught"),
    ('(if false (+ 1 "a") 2)', "2"),
    ('(let [x (if true 1 "a")] (inc x))', "2"),
    ('(cond (= 1 2) (inc "a") :else 3)', "3"),
    (
        "(defn ev? [n] (if (= n 0) true (od? (dec n)))) (defn od? [n] (if (= n 0) false (ev? (dec n)))) (ev? 4)",
        "true",
    ),
    ("(let [m {:a 1}] (if (:b m) (inc (:b m)) 0))", "0"),
    ("(reduce (fn [acc x] (assoc acc x (inc (get acc x 0)))) {} [1 1 2])", "{1 2 2 1}"),
    ('(def x 1) (def x "a") (string-upper x)', '"A"'),
    ('(count (call "test.tickets" {:query "x"}))', "1"),
    ('(-> (call "test.tickets" {:query "x" :limit 2}) first :title string-upper)', '"SLOW"'),
    ('(let [r (first (call "test.tickets" {:query "x"}))] (or (:owner r) "nobody"))', '"nobody"'),
    ("(apply + 1 2 [3])", "6"),
    ("(loop [x nil n 0] (if (= n 2) x (recur (if (nil? x) 1 (inc x)) (inc n))))", "2"),
]


@pytest.fixture
def runtime() -> rtfs.Runtime:
    made = rtfs.Runtime()
    made.register(
        "test.tickets",
        lambda request: rtfs.read_value('[{:title "slow"}]'),
        input_schema="[:map [:query :string] [:limit :int ?]]",
        output_schema="[:vector [:map [:title :string] [:owner :string ?]]]",
    )
    return made


@pytest.mark.parametrize(("text", "code"), WRONG, ids=[text for text, _ in WRONG])
def test_what_is_provably_wrong_is_refused_before_the_first_effect(text: str, code: str, runtime: rtfs.Runtime):
    done: list[object] = []
    runtime.register("test.effect", lambda: done.append(1))
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(f'(call "test.effect")\n{text}')
    assert caught.value.code == code
    assert caught.value.span is not None
    assert done == []


@pytest.mark.parametrize(("text", "code"), WRONG, ids=[text for text, _ in WRONG])
def test_a_refusal_has_the_code_that_the_run_would_have_raised(text: str, code: str, runtime: rtfs.Runtime):
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run(text, check=False)
    assert caught.value.code == code


@pytest.mark.parametrize(("text", "printed"), RIGHT, ids=[text for text, _ in RIGHT])
def test_what_may_run_is_not_refused(text: str, printed: str, runtime: rtfs.Runtime):
    assert rtfs.to_text(runtime.run(text)) == printed


def test_all_errors_of_a_program_come_with_the_first(runtime: rtfs.Runtime):
    with pytest.raises(rtfs.UserError) as caught:
        runtime.run('(+ 1 "a")\n(count 1 2)\n(:a 5)')
    assert [one.code for one in (caught.value, *caught.value.others)] == ["type/mismatch", "arity", "type/mismatch"]


def test_a_text_is_looked_at_again_only_when_a_declaration_changes(monkeypatch: pytest.MonkeyPatch):
    from rtfs.checker import analysis

    looked: list[int] = []
    check = analysis.check_forms
    monkeypatch.setattr(analysis, "check_forms", lambda *given, **more: (looked.append(1), check(*given, **more)))
    text = '(count (call "test.tickets" {:query "x"}))'
    with rtfs.Runtime() as runtime:
        runtime.run("(when 1 2)")
        looked.clear()
        runtime.register("test.tickets", lambda request: [], input_schema="[:map [:query :string]]", version="1")
        for _ in range(3):
            runtime.run(text)
        assert len(looked) == 1
        runtime.register("test.tickets", lambda request: [], input_schema="[:map [:query :int]]", replace=True)
        with pytest.raises(rtfs.UserError):
            runtime.run(text)
    assert len(looked) == 2


def test_a_text_that_a_function_takes_apart_as_a_sequence_is_refused_with_what_to_write():
    (error,) = rtfs.analyse('(defn start [s] (loop [[c & _] s] c)) (start "abc")').errors
    assert error.message == '`start` takes its `s` apart as a vector or a list, but got the string "abc"'
    assert error.hint == "(seq text) gives its characters"
