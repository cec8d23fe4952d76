"""Inlined higher-order calls and accumulators built in place give what plain calls and fresh versions give."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtfs

# Each program has a hole `$f` for a function form. Written on the spot it is inlined; bound by a `let` it is called.
PROGRAMS = [
    ("(map $f [1 2 3])", "(fn [x] (* x 2))"),
    ("(map $f (list 1 2 3))", "(fn [x] (let [y (inc x)] (* y y)))"),
    ("(map $f nil)", "(fn [x] x)"),
    ("(map $f {:a 1 :b 2})", "(fn [[k v]] [v k])"),
    ('(map $f "abc")', "(fn [c] (str c c))"),
    ("(map $f (range 5))", "(fn [i] (if (even? i) :even i))"),
    ("(map $f (range 1.5))", "(fn [i] (+ i 1))"),
    ("(map $f (map inc [1 2]))", "(fn [x] (fn [] x))"),
    ("(filter $f [1 nil 2 false 3])", "(fn [x] x)"),
    ("(filter $f (list 1 2 3))", "(fn [x] (> x 1))"),
    ("(remove $f (range 6))", "(fn [x] (or (= x 2) (= x 4)))"),
    ("(reduce $f 10 [1 2 3])", "(fn [a x] (- a x))"),
    ("(reduce $f 0 nil)", "(fn [a x] (+ a x))"),
    ("(reduce $f [] [1 2 3])", "(fn [v x] (conj v (* x x)))"),
    ("(reduce $f [0] [1 2 3])", "(fn [v x] (conj v (count v)))"),
    ("(reduce $f [] [1 2 3])", "(fn [v x] (if (odd? x) (conj (conj v x) x) v))"),
    ("(reduce $f [] [[1 2] [3]])", "(fn [v xs] (reduce (fn [v x] (conj v (+ x 1))) v xs))"),
    ('(reduce $f {} ["a" "b" "a"])', "(fn [m w] (assoc m w (inc (get m w 0))))"),
    ("(reduce $f {} [1 1.0 true 1 nil :k])", "(fn [m k] (assoc m k (count m)))"),
    ("(reduce $f {:a {}} [1 2])", "(fn [m x] (assoc m x m))"),
    ("(reduce $f [[]] [1 2])", "(fn [v x] (conj v v))"),
    ("(reduce $f {} [1 2 3])", "(fn [m x] (if (contains? m 2) (assoc m :seen x) (assoc m x x)))"),
    ("(reduce $f [0 1] (range 6))", "(fn [[a b] _] [b (+ a b)])"),
    ("(reduce $f {} [1 2])", "(fn [m x] (let [old m] (assoc m x old)))"),
    ("(map $f [1 0 2])", "(fn [x] (try (/ 2 x) (catch e :no)))"),
    ("(map $f [1 2])", "(fn [x] (reduce (fn [a y] (+ a (* x y))) 0 [1 2 3]))"),
    ("(map (fn [g] (g)) (map $f [1 2 3]))", "(fn [x] (let [y (* x 10)] (fn [] (+ x y))))"),
    ("(map $f [1 2])", "(fn [x : int] : int (inc x))"),
    ("(take 3 (map $f (iterate inc 1)))", "(fn [x] (* x 2))"),
    ("(let [xs (range)] (take 3 (map $f (filter odd? xs))))", "(fn [x] (let [y (+ x 5)] [x y]))"),
    ("(take 2 (filter $f (range)))", "(fn [x] (> x 3))"),
    ("(take 2 (remove $f (map inc (range))))", "(fn [x] (let [y x] (< y 4)))"),
    ("(map (fn [g] (g)) (take 3 (map $f (range))))", "(fn [x] (let [y (* x 10)] (fn [] (+ x y))))"),
    ("(reduce $f 0 (range))", "(fn [a x] (if (> x 9) (reduced a) (+ a x)))"),
    ("(reduce $f [] (iterate inc 0))", "(fn [v x] (if (> x 3) (reduced (conj v :end)) (conj v x)))"),
    ("(reduce $f [] (take 3 (range)))", "(fn [v x] (conj v (* x x)))"),
    ("(reduce $f {} (take 3 (range)))", "(fn [m x] (assoc m x (map (fn [y] (get m y)) (take 2 (range)))))"),
    ("(reduce $f 0 [1 2 3])", "(fn [a x] (if (= x 2) (reduced [a x]) (+ a x)))"),
    ("(reduce $f 0 [[1 2] [3 4]])", "(fn [a xs] (reduce (fn [b x] (if (= x 3) (reduced (reduced b)) (+ b x))) a xs))"),
    ("(every? $f [1 2 3])", "(fn [x] (> x 0))"),
    ("(every? $f [1 nil])", "(fn [x] x)"),
    ("(every? $f nil)", "(fn [x] x)"),
    ("(every? $f {:a 1})", "(fn [[k v]] (let [g (fn [] v)] (g)))"),
    ("(every? $f (iterate inc 1))", "(fn [x] (< x 2000))"),
    ("(not-every? $f (list 1 2))", "(fn [x] (let [y x] (even? y)))"),
    ("(some $f [1 2 3])", "(fn [x] (if (> x 1) (* x 10) false))"),
    ("(some $f #{1})", "(fn [x] nil)"),
    ("(some $f (map inc (iterate inc 1)))", "(fn [x] (let [y (* x x)] (if (> y 50) [x y])))"),
    ("(some $f (filter odd? [2 3]))", "(fn [x] (fn [] x))"),
    ('(not-any? $f "abc")', '(fn [c] (= c "b"))'),
    ("(any? $f (range 100))", "(fn [x] (= x 99))"),
    ("(mapv $f (list 1 2 3))", "(fn [x] (* x x))"),
    ("(mapv $f (take 3 (iterate inc 1)))", "(fn [x] (let [y x] [y]))"),
    ("(mapv (fn [g] (g)) (mapv $f [1 2]))", "(fn [x] (fn [] x))"),
    ("(filterv $f (filter odd? (take 9 (range))))", "(fn [x] (> x 3))"),
    ("(keep $f [1 2 nil 3])", "(fn [x] (if (nil? x) x (if (odd? x) (- x) false)))"),
    ("(keep $f (list 1 2))", "(fn [x] (let [y (dec x)] (if (zero? y) nil y)))"),
    ("(take 2 (keep $f (range)))", "(fn [x] (if (even? x) (let [y x] [y])))"),
    ("(map-indexed $f [7 8])", "(fn [i x] [i x])"),
    ("(map-indexed $f (list [:a] [:b]))", "(fn [i [x]] (let [y [i x]] y))"),
    ('(map-indexed $f "ab")', "(fn [i c] (str i c))"),
    ("(take 2 (map-indexed $f (iterate inc 5)))", "(fn [i x] (let [y (+ i x)] y))"),
    ("(map (fn [g] (g)) (map-indexed $f [1 2]))", "(fn [i x] (fn [] [i x]))"),
    ("(reduce + (map-indexed $f (map inc (range 600))))", "(fn [i x] (* i x))"),
    (
        "(let [n 3] (loop [k 0 found []] (if (< k n) (recur (inc k) (mapv $f (conj found k))) found)))",
        "(fn [x] (inc x))",
    ),
    ("(loop [i 0 s (range)] (if (< i 3) (recur (inc i) (map $f s)) (take 2 s)))", "(fn [x] (* x 3))"),
]


@pytest.mark.parametrize(("program", "function"), PROGRAMS)
def test_a_function_on_the_spot_gives_what_a_named_one_gives(program: str, function: str) -> None:
    with rtfs.Runtime() as runtime:
        show = '(fn [v] (if (fn? v) "function" (pr-str v)))'
        inlined = runtime.run(f"(let [show {show}] (map show (flatten [{program.replace('$f', function)}])))")
        called = runtime.run(f"(let [show {show} f {function}] (map show (flatten [{program.replace('$f', 'f')}])))")
    assert rtfs.to_text(inlined) == rtfs.to_text(called)


NAMED = [
    ("(reduce $f [] [1 2])", "conj"),
    ("(let [v [0]] [(reduce $f v [1 2]) v])", "conj"),
    ("(reduce $f nil [1 2])", "conj"),
    ("(reduce $f (list 1) [2 3])", "conj"),
    ("(reduce $f {} [[:a 1] {:b 2}])", "conj"),
    ("(reduce $f 2 [3 4.0])", "*"),
    ("(reduce $f 10 [1 2])", "-"),
    ("(reduce $f 1 [1 true])", "="),
    ("(reduce $f {:a {:b 1}} [:a :b])", "get"),
    ("(map $f [1 -3 1.5])", "inc"),
    ("(map $f [1 nil :a])", "str"),
    ("(filter $f [1 2 3])", "odd?"),
    ("(remove $f [1 nil])", "nil?"),
]


@pytest.mark.parametrize(("program", "function"), NAMED)
def test_a_standard_function_by_name_gives_what_it_gives_when_it_is_a_value(program: str, function: str) -> None:
    with rtfs.Runtime() as runtime:
        inlined = runtime.run(program.replace("$f", function))
        called = runtime.run(f"(let [f {function}] {program.replace('$f', 'f')})")
    assert rtfs.to_text(inlined) == rtfs.to_text(called)


LOOPS = [
    ("(loop [i 0 m {}] (if (< i 4) (recur (inc i) (assoc m i (count m))) m))", "{0 0 1 1 2 2 3 3}"),
    ("(loop [i 0 m {} n 0] (if (< i 3) (recur (inc i) (assoc m i i) (count m)) [m n]))", "[{0 0 1 1 2 2} 2]"),
    ("(loop [i 0 v [] w []] (if (< i 3) (recur (inc i) (conj v i) (conj w v)) w))", "[[] [0] [0 1]]"),
    (
        "(loop [i 0 v [] fs []] (if (< i 2) (recur (inc i) (conj v i) (conj fs (fn [] v))) (map (fn [f] (f)) fs)))",
        "[[] [0]]",
    ),
    ("(loop [i 0 a [] b a] (if (< i 2) (recur (inc i) (conj a i) b) [a b]))", "[[0 1] []]"),
    ("(let [start [9]] (loop [i 0 a start] (if (< i 2) (recur (inc i) (conj a i)) [a start])))", "[[9 0 1] [9]]"),
    ("(loop [i 0 a [] all []] (if (< i 2) (recur (inc i) (conj a i) (conj all a)) [a all]))", "[[0 1] [[] [0]]]"),
    ("(loop [i 0 m {}] (if (< i 3) (let [k (str i)] (recur (inc i) (assoc m k m))) (count m)))", "3"),
    ("(map (fn [n] (loop [i 0 v []] (if (< i n) (recur (inc i) (conj v i)) v))) [0 2 1])", "[[] [0 1] [0]]"),
    ("(loop [i 0 v []] (cond (= i 3) v (odd? i) (recur (inc i) v) :else (recur (inc i) (conj v i))))", "[0 2]"),
]


@pytest.mark.parametrize(("program", "expected"), LOOPS)
def test_a_loop_never_shows_that_it_builds_in_place(program: str, expected: str) -> None:
    with rtfs.Runtime() as runtime:
        assert rtfs.to_text(runtime.run(program)) == expected


def test_a_constant_that_starts_an_accumulator_stays_empty() -> None:
    with rtfs.Runtime() as runtime:
        runtime.run("(defn build [n] (reduce (fn [v i] (conj v i)) [] (range n)))")
        runtime.run("(defn table [n] (loop [i 0 m {}] (if (< i n) (recur (inc i) (assoc m i i)) m)))")
        for _ in range(2):
            assert rtfs.to_text(runtime.run("[(build 3) (build 0) (table 2) (table 0)]")) == "[[0 1 2] [] {0 0 1 1} {}]"


keys = st.one_of(st.integers(-3, 3), st.sampled_from([1.0, True, False, None, "a"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(keys, st.integers(0, 9)), max_size=60))
def test_a_map_built_in_place_is_the_map_built_by_versions(pairs: list[tuple[object, int]]) -> None:
    given_pairs = rtfs.from_python([list(pair) for pair in pairs])
    with rtfs.Runtime() as runtime:
        runtime.register("test.pairs", lambda *_: given_pairs)
        runtime.run('(def pairs (call "test.pairs" {}))')
        in_place = runtime.run("(reduce (fn [m [k v]] (assoc m k v)) {} pairs)")
        versions = runtime.run("(let [f (fn [m [k v]] (assoc m k v))] (reduce f {} pairs))")
    assert rtfs.to_text(in_place) == rtfs.to_text(versions)


@pytest.mark.parametrize(
    ("text", "value"), [("((do map) (fn [x] (inc x)) [1])", [2]), ("((try reduce) + 0 [1 2])", 3)], ids=str
)
def test_a_head_that_is_no_symbol_but_means_a_standard_function(text: str, value: object) -> None:
    with rtfs.Runtime() as runtime:
        assert rtfs.to_python(runtime.run(text)) == value


TABLES = """(def t {:a 1 1.0 :f true :t nil :n [1 2] :v})
(def s #{:a 1 1.0 true nil [1 2]})
(def row [5 6])
(def f (comp inc inc))"""


@pytest.mark.parametrize("name", ["tables.rtfs", "<text>"])
def test_a_definition_that_is_called_is_what_it_is_whatever_its_value(name: str) -> None:
    keys = ":a :b 1 1.0 2.0 true false nil [1 2] '(1 2)"
    calls = " ".join(f"[{head} (map (fn [k] ({head} (identity k))) [{keys}])]" for head in ("t", "s"))
    asked = " ".join(f"[{head} (map (fn [k] (get {head} k)) [{keys}])]" for head in ("t", "s"))
    wrong = "(try (row 2) (catch e (:message e))) (try (row :a) (catch e (:code e))) (try (t) (catch e (:message e)))"
    program = rtfs.compile(f"{TABLES} [(= [{calls}] [{asked}]) (row 1) (f 1) {wrong}]", name=name)
    outcome = rtfs.start(program)
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_text(outcome.value) == (
        '[true 6 3 "index 2 is outside a vector of 2 elements" :type/mismatch'
        ' "a map as a function takes 1 or 2 arguments, got 0"]'
    )


@pytest.mark.parametrize("name", ["tables.rtfs", "<text>"])
def test_a_table_is_looked_up_before_its_key_is_evaluated(name: str) -> None:
    text = '(when false (def t {})) (try (t (throw "the key")) (catch e (:code e)))'
    program = rtfs.compile(text, name=name)
    outcome = rtfs.start(program)
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_text(outcome.value).startswith(":undefined")


ASKED = [
    *(
        "nil",
        "[]",
        "[1]",
        "[nil 2 3]",
        "(vec (range 16))",
        "(vec (range 17))",
        "(vec (range 40))",
        "(rest (vec (range 40)))",
    ),
    *(
        "(list)",
        "(list 1 2)",
        '""',
        '"ab"',
        "{}",
        "{:a 1}",
        "#{}",
        "#{1}",
        "(map inc [1 2])",
        "(iterate inc 1)",
        "5",
        ":k",
    ),
]
ASKING = [
    "first",
    "second",
    "peek",
    "last",
    "empty?",
    "nth 0",
    "nth 1",
    "nth 16",
    "nth -1",
    "get 0",
    "get 20",
    "get :a",
]


@pytest.mark.parametrize("name", ["asked.rtfs", "<text>"])
@pytest.mark.parametrize("asking", [*ASKING, "count", "conj 7", "conj nil", "conj [1 2]"])
def test_what_is_asked_of_a_sequence_at_once_is_what_the_function_answers(asking: str, name: str) -> None:
    function, _, rest = asking.partition(" ")
    values = [one for one in ASKED if "iterate" not in one or function not in ("last", "count")]
    caught = "(catch e [(:code e) (:message e)])"
    at_once = " ".join(f"(try ({function} {one} {rest}) {caught})" for one in values)
    called = " ".join(f"(try (own {one} {rest}) {caught})" for one in values)
    outcome = rtfs.start(rtfs.compile(f"(def own {function}) (map = [{at_once}] [{called}])", name=name))
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_python(outcome.value) == [True] * len(values)


PATTERNS = ["[a]", "[a b]", "[a & more]", "[a b & more]", "[& more]", "[a b :as whole]", "[[a] & more]"]


@pytest.mark.parametrize("name", ["patterns.rtfs", "<text>"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_takes_any_sequence_apart_alike(pattern: str, name: str) -> None:
    sequences = ["[]", "[[1]]", "[[1] 2]", "[[1] 2 3]", "(into [[1]] (range 20))"]
    bound = [one for one in ("a", "b", "more", "whole") if one in pattern.replace("&", " ")]
    taken = f"(fn [x] (let [{pattern} x] [{' '.join(bound)}]))"
    every = " ".join(f"[({taken} {one}) ({taken} (apply list {one}))]" for one in sequences)
    outcome = rtfs.start(rtfs.compile(f"(map (fn [[a b]] (= a b)) [{every}])", name=name))
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_python(outcome.value) == [True] * len(sequences)


def test_update_with_a_function_of_the_program_looks_it_up_before_its_arguments() -> None:
    text = """(defn twice [n by] (* n by))
      [(update {:a 2} :a twice 3) (update-in {:a {:b 2}} [:a :b] twice 4) (update [1 2] 1 twice 5)
       (try (update 5 :a twice (throw "the argument")) (catch e (:message e)))
       (try (update 5 :a twice 1) (catch e (:code e)))
       (let [twice (fn [n by] :local)] (update {:a 2} :a twice 3))]"""
    for name in ("update.rtfs", "<text>"):
        outcome = rtfs.start(rtfs.compile(text, name=name))
        assert isinstance(outcome, rtfs.Complete)
        shown = rtfs.to_text(outcome.value)
        assert shown == '[{:a 6} {:a {:b 8}} [1 10] "the argument" :type/mismatch {:a :local}]'


@pytest.mark.parametrize("name", ["paths.rtfs", "<text>"])
@pytest.mark.parametrize(
    "path", ["[:a]", "[:a :b]", "[:a k]", '["s" :a k]', "[:a :b k]", "[k]", "[k :a]", "[1.0]", "[:a 1.0]"]
)
def test_a_path_is_followed_as_the_function_follows_it(path: str, name: str) -> None:
    values = [
        "nil",
        "5",
        "{}",
        "{:a nil}",
        "{:a 5}",
        "{:a {:b {1 :x}}}",
        "{:a [7 8 9]}",
        '{"s" {:a "text"}}',
        "[{:a 1}]",
    ]
    values += ["{1.0 :f 1 :i}", "{:a {1.0 :f 1 :i true :t}}", "(assoc (zipmap (range 100) (range 100)) :a {1 2})"]
    caught = "(catch e [(:code e) (:message e)])"
    keys = ["1", "1.0", "true", ":b", "nil", "[1]"]
    followed = f"(fn [m k] (try (get-in m {path}) {caught}))"
    called = f"(fn [m k] (try (own m {path}) {caught}))"
    every = " ".join(f"(= ({followed} {m} {k}) ({called} {m} {k}))" for m in values for k in keys)
    outcome = rtfs.start(rtfs.compile(f"(def own get-in) [{every}]", name=name))
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_python(outcome.value) == [True] * len(values) * len(keys)


@pytest.mark.parametrize("count", [0, 1, 3, 8, 9, 40])
def test_a_sum_of_few_elements_is_that_of_many(count: int) -> None:
    halves = "(reduce + 1 (map (fn [x] (/ x 2)) xs))"
    caught = '(try (reduce + 1 (conj xs "a")) (catch e (:code e)))'
    text = f"(def xs (vec (map inc (range {count})))) [(reduce + 1 xs) (reduce + 1.5 xs) {halves} {caught}]"
    outcome = rtfs.start(rtfs.compile(text, name="sum.rtfs"))
    assert isinstance(outcome, rtfs.Complete)
    total = count * (count + 1) // 2
    assert rtfs.to_python(outcome.value) == [1 + total, 1.5 + total, 1 + total / 2, "type/mismatch"]


@pytest.mark.parametrize("operation", ["*", "/", "="])
def test_an_operator_gives_what_the_function_gives_whatever_is_known_of_its_operands(operation: str) -> None:
    huge = "(reduce * 1 (repeat 300 10000000000))"
    values = ["0", "3", "-2", "2.5", "0.0", "-0.0", "1e300", "##Inf", "##NaN", huge, '"a"', "nil", ":k"]
    caught = "(catch e [:error (:code e)])"
    unknown = f"(fn [a b] (try ({operation} a b) {caught}))"
    known = f"(fn [a b] (try (let [x (+ a 0) y (+ b 0)] ({operation} x y)) {caught}))"
    float = f"(fn [a b] (try (let [x (* a 1.5) y (+ b 0)] ({operation} x y)) {caught}))"
    same = f"(fn [a b] (try (own a b) {caught}))"
    pairs = f"(for [a [{' '.join(values)}] b [{' '.join(values)}]] [a b])"
    text = f"""(def own {operation})
      (def show (fn [f] (map (fn [[a b]] (pr-str (f a b))) {pairs})))
      [(= (show {unknown}) (show {same}))
       (= (show {known}) (show (fn [a b] (try (own (+ a 0) (+ b 0)) {caught}))))
       (= (show {float}) (show (fn [a b] (try (own (* a 1.5) (+ b 0)) {caught}))))]"""
    for name in ("operators.rtfs", "<text>"):
        outcome = rtfs.start(rtfs.compile(text, name=name))
        assert isinstance(outcome, rtfs.Complete), outcome
        assert rtfs.to_python(outcome.value) == [True, True, True]


@pytest.mark.parametrize("name", ["texts.rtfs", "<text>"])
def test_texts_put_together_are_those_of_the_function(name: str) -> None:
    parts = [
        '"a"',
        "7",
        "-7",
        "(* 1000000000000 1000000000000)",
        "1.5",
        "nil",
        ":k",
        "true",
        "[1]",
        '(join "" (repeat 4096 "x"))',
    ]
    known = " ".join(f"(str {a} {b})" for a in parts for b in parts)
    unknown = " ".join(f"(f {a} {b})" for a in parts for b in parts)
    called = " ".join(f"(own {a} {b})" for a in parts for b in parts)
    functions = "(def own str) (defn f [a b] (str a b)) (defn g [a b c d] (str a b c d))"
    text = f"{functions} [(= [{known}] [{unknown}] [{called}]) (g 1 nil :a 2.5)]"
    outcome = rtfs.start(rtfs.compile(text, name=name))
    assert isinstance(outcome, rtfs.Complete)
    assert rtfs.to_text(outcome.value) == '[true "1:a2.5"]'


@pytest.mark.parametrize("operation", ["quot", "rem"])
def test_a_truncating_division_is_that_of_the_function(operation: str) -> None:
    huge = "(reduce * 1 (repeat 300 10000000000))"
    values = [
        "0",
        "7",
        "-7",
        "3",
        "-3",
        "2.5",
        "-0.0",
        "1073741824",
        "-1073741825",
        huge,
        f"(- 0 {huge})",
        '"a"',
        "nil",
    ]
    caught = "(catch e [(:code e) (:message e)])"
    for right in values:
        at_once = " ".join(f"(try ({operation} {left} {right}) {caught})" for left in values)
        unknown = " ".join(f"(f {left} {right})" for left in values)
        called = " ".join(f"(g {left} {right})" for left in values)
        functions = f"(def own {operation}) (defn f [a b] (try ({operation} a b) {caught}))"
        functions += f" (defn g [a b] (try (own a b) {caught}))"
        text = f"{functions} (map (fn [one] (pr-str one)) [[{at_once}] [{unknown}] [{called}]])"
        outcome = rtfs.start(rtfs.compile(text, name="division.rtfs"))
        assert isinstance(outcome, rtfs.Complete)
        first, second, third = rtfs.to_python(outcome.value)
        assert first == second == third


def shown(program: str, name: str) -> str:
    outcome = rtfs.start(rtfs.compile(program, name=name))
    assert isinstance(outcome, rtfs.Complete)
    return rtfs.to_text(outcome.value)


HELD = [
    *(
        "{:a 1 0 :zero}",
        "{1.0 :float true :yes}",
        "{}",
        "(zipmap (range 99) (range 99))",
        "#{:a 0 1}",
        "#{}",
        "#{1.0 nil}",
    ),
    *(
        "[]",
        "[:x :y]",
        "[nil]",
        "(vec (range 40))",
        "(subvec (vec (range 40)) 3)",
        "(assoc (vec (range 200)) 3 :changed)",
    ),
    *("'(1 2)", ":a", "'a", "inc", "(fn [x] [x])", "nil", '"text"', "(map inc [1 2])", "(comp vec list)"),
]
ASKED = ["0", "1", "-1", "39", "40", "1.0", "true", "nil", ":a", '"a"', "[1]", "(inc 0)"]


@pytest.mark.parametrize("held", HELD)
def test_a_local_that_is_called_answers_as_closures_do(held: str) -> None:
    """What is called may be a collection: then compiled code looks into it at once."""
    wrong = "(catch e [(:code e) (:message e)])"
    tried = " ".join(f"(try (f {key}) {wrong}) (let [k {key}] (try (f k) {wrong}))" for key in ASKED)
    counted = f"(try (loop [i 0 all []] (if (= i 3) all (recur (inc i) (conj all (f i))))) {wrong})"
    program = f"(let [f {held}] [{tried} {counted}])"
    assert shown(program, "file.rtfs") == shown(program, "<text>")


@pytest.mark.parametrize(
    "coll", ["[]", "[:x]", "(vec (range 40))", "(subvec (vec (range 40)) 3)", "'(1 2)", '"abc"', "nil", "5"]
)
def test_nth_with_any_index_answers_as_closures_do(coll: str) -> None:
    tried = " ".join(f"(let [v {coll} i {key}] (try (nth v i) (catch e [(:code e) (:message e)])))" for key in ASKED)
    program = f"[{tried} (let [v {coll}] (try (mapv (fn [i] (nth v i)) (range 41)) (catch e (:message e))))]"
    assert shown(program, "file.rtfs") == shown(program, "<text>")
