"""Changing in place, or iterating with one header, returns the same as new versions, and no other value shows it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtfs
from rtfs.machine import new_environment

# names that the compiler knows; under a name of the program's own the same functions are called as they are
KNOWN = ("assoc-in", "assoc", "conj", "update-in", "update", "dissoc", "disj", "pop", "rest", "next", "first", "empty?")
OWN = "".join(f"(def my-{name} {name})\n" for name in KNOWN)


def plain(program: str) -> str:
    names = "|".join(re.escape(name) for name in KNOWN)
    return OWN + re.sub(rf"\(({names})(?=[ )])", r"(my-\1", program)


def shown(program: str, name: str) -> str:
    """The printed value of a program, compiled at once (a file) or run as closures first (a text)."""
    outcome = rtfs.start(rtfs.compile(program, name=name))
    assert isinstance(outcome, rtfs.Complete)
    return rtfs.to_text(outcome.value)


def check(program: str) -> None:
    expected = shown(plain(program), "plain.rtfs")
    assert shown(program, "file.rtfs") == expected
    assert shown(program, "<text>") == expected


# what a step does to an accumulator of any kind: (reduce step start changes) and the same as a loop
STEP = """(cond
  (= op :assoc) (assoc acc a b)
  (= op :two) (assoc acc a b :z a)
  (= op :chain) (-> acc (assoc a b) (assoc a a))
  (= op :conj) (conj acc a)
  (= op :update) (update acc a (fn [n] [n b]))
  (= op :fnil) (update acc a (fnil conj []) b)
  (= op :in) (update-in acc [a b] (fn [n] b))
  (= op :put) (assoc-in acc [a :y] b)
  (= op :dissoc) (dissoc acc a)
  (= op :disj) (disj acc a)
  (= op :pop) (pop acc)
  (= op :twice) (assoc (update acc a (fn [n] n)) a (count b))
  (= op :asked) (if (contains? acc a) (assoc acc a (count acc)) acc)
  :else acc)"""
REDUCE = f"(reduce (fn [acc [op a b]] {STEP}) start changes)"
LOOP = f"""(loop [left changes acc start]
  (if (empty? left) acc
    (let [[op a b] (first left)] (recur (rest left) {STEP}))))"""
INNER = f"(loop [n 0 acc acc] (if (< n 2) (recur (inc n) {STEP}) acc))"
NESTED_REDUCE = f"(reduce (fn [acc [op a b]] {INNER}) start changes)"
NESTED_LOOP = f"""(loop [left changes acc start]
  (if (empty? left) acc
    (recur (rest left) (let [[op a b] (first left)] (if (= op :none) acc {INNER})))))"""
PASSED = f"(let [step (fn [acc op a b] {STEP})] (reduce (fn [acc [op a b]] (step acc op a b)) start changes))"
# the same with functions of the program, which change what they are given and ask it
DEFINED = f"""(defn size [acc] (if (number? acc) 0 (count acc)))
(defn step [acc [op a b]] {STEP})
(defn step-if [acc change] (if (= (size acc) 3) acc (step acc change)))
(defn again [acc [op a b] n] (if (pos? n) (again (step acc [op a n]) [op a b] (dec n)) acc))
(defn walk [{{:keys [a] :as acc}} change]
  (let [grown (step acc change) n (size acc)]
    (if (or a (odd? n)) (-> grown (step change) (step-if [:conj n a])) (again grown change 2))))
"""
CALLED = "(reduce step start changes)"
CALLED_LOOP = "(loop [left changes acc start] (if (empty? left) acc (recur (rest left) (walk acc (first left)))))"
CALLED_CHAIN = (
    "(reduce (fn [acc change] (-> acc (step change) (step-if change) (again change (size acc)))) start changes)"
)
BODIES = [REDUCE, LOOP, NESTED_REDUCE, NESTED_LOOP, PASSED, CALLED, CALLED_LOOP, CALLED_CHAIN]
STARTS = [
    *("{}", "[]", "#{}", "nil", "{:a {:y 1}}", "[1 2 3]", "#{:a 1}", "'(1 2)", '"ab"', "{1.0 2 true 3}"),
    *(f"(zipmap (range {n}) (range {n}))" for n in (64, 65, 600)),
    *(f"(vec (range {n}))" for n in (16, 17, 64, 65, 600)),
    *(f"(set (range {n}))" for n in (64, 65, 600)),
]
KEYS = [":a", "0", "1", "2", "70", "1.0", "true", "nil", '"s"', "[1 2]"]
OPERATIONS = re.findall(r"\(= op (:\w+)\)", STEP)
changes = st.lists(
    st.tuples(st.sampled_from([*OPERATIONS, ":none"]), st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(STARTS), st.lists(changes, min_size=1, max_size=3), st.sampled_from(BODIES))
def test_changes_in_place_give_what_new_versions_give(
    start: str, rounds: list[list[tuple[str, str, str]]], body: str
) -> None:
    tried = []
    for one in rounds:
        listed = " ".join(f"[{' '.join(change)}]" for change in one)
        tried.append(f"(let [changes [{listed}]] (try {body} (catch e [:error (:code e) (:message e)])))")
    # the result is used further, and the start is unchanged
    check(f"{DEFINED} (let [start {start} before (pr-str start)] [{' '.join(tried)} (= before (pr-str start))])")


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([one for one in STARTS if one[0] in "{([#"]),
    st.lists(st.tuples(st.sampled_from([":assoc", ":fnil", ":two"]), st.sampled_from(KEYS), st.sampled_from(KEYS))),
)
def test_many_changes_of_one_accumulator(start: str, some: list[tuple[str, str, str]]) -> None:
    listed = " ".join(f"[{' '.join(change)}]" for change in some)
    body = f"(try {REDUCE} (catch e [:error (:message e)]))"
    check(f"(let [start {start} changes (vec (mapcat identity (repeat 9 [{listed}])))] [{body} {body}])")


PROGRAMS = [
    # the old version is used after the change
    "(loop [i 0 m {:a 1} seen []] (if (= i 3) [m seen] (let [next (assoc m i i)] (recur (inc i) next (conj seen m)))))",
    "(loop [i 0 m {:a 1}] (if (= i 3) m (let [other (update m :a inc)] (recur (inc i) (if (odd? i) other m)))))",
    "(reduce (fn [m i] (let [n (assoc m i i)] (if (= i 2) (assoc m :last i) n))) {:a 1} (range 4))",
    "(reduce (fn [m i] (let [n (assoc m i i) k (count m)] (assoc n :k k))) {:a 1} (range 4))",
    # an accumulator goes through two loops
    "(loop [i 0 v (vec (range 20))] (if (= i 3) v (recur (inc i) (loop [j 0 w v] (if (= j 3) w (recur"
    " (inc j) (assoc w j i)))))))",
    "(let [v (vec (range 100))] [(reduce (fn [w i] (assoc w i 0)) v (range 50)) (reduce (fn [w i] (assoc"
    " w i 1)) v [3]) v])",
    "(let [v (vec (range 9)) w (loop [i 0 a v] (if (= i 3) a (recur (inc i) (conj a i))))] [(conj w :x)"
    " (conj w :y) w v])",
    "(reduce (fn [m [k vs]] (reduce (fn [m v] (update m k (fnil conj []) v)) m vs)) {} [[:a [1 2]] [:b [3]] [:a [4]]])",
    "(reduce (fn [m i] (assoc (update-in m [:n :i] (fnil + 0) i) :last i)) {} (range 5))",
    # what is passed on is kept elsewhere
    "(loop [i 0 m {} all []] (if (= i 3) all (let [m (assoc m i i)] (recur (inc i) m (conj all m)))))",
    "(loop [i 0 s #{0} f nil] (if (= i 3) [(f 0) (f 2) s] (recur (inc i) (conj s i) (fn [x] (contains? s x)))))",
    "(map (fn [f] (f)) (reduce (fn [fs i] (conj fs (fn [] (count fs)))) [] (range 3)))",
    # values in several places of one recur
    "(loop [i 0 a {:n 0} b [0]] (if (= i 3) [a b] (recur (inc i) (assoc a i (count b)) (conj b (count a)))))",
    "(loop [i 0 v [1 2 3]] (if (= i 2) v (recur (inc i) (assoc v 0 (nth v 2) 2 (nth v 0)))))",
    # going through
    "(loop [xs [1 2 3] seen []] (if (empty? xs) seen (recur (rest xs) (conj seen xs))))",
    "(loop [xs [1 2 3] n 0] (if (= n 2) [xs (count xs) (rest xs)] (recur (rest xs) (inc n))))",
    "(loop [xs [1 2 3 4] sum 0] (if (seq xs) (recur (next xs) (+ sum (first xs) (count xs))) [sum xs]))",
    "(loop [xs (map inc (range)) n 0] (if (= n 4) (first xs) (recur (rest xs) (inc n))))",
    '(loop [xs "abc" out []] (if (empty? xs) out (recur (rest xs) (conj out (first xs)))))',
    "(loop [xs {:a 1 :b 2} out []] (if (empty? xs) out (recur (rest xs) (conj out (first xs)))))",
    "(loop [xs nil out []] (if (empty? xs) [xs out] (recur (rest xs) (conj out (first xs)))))",
    "(let [all (vec (range 40))] [(loop [xs all n 0] (if (> (first xs) 30) n (recur (rest (rest xs)) (inc n)))) all])",
    "(loop [xs [1 2 3 4 5] out []] (if (empty? xs) out (recur (if (odd? (first xs)) (rest xs) (next xs))"
    " (conj out (first xs)))))",
    "(loop [a [1 3 5] b (list 2 4) out []] (cond (empty? a) (into out b) (empty? b) (into out a)"
    " (< (first a) (first b)) (recur (rest a) b (conj out (first a))) :else (recur a (rest b) (conj out (first b)))))",
    "(try (loop [xs 5] (if (= xs 1) 0 (recur (rest xs)))) (catch e (:message e)))",
    "(try (loop [xs [1] n 0] (if (= n 3) xs (recur (rest xs) (+ n (first xs))))) (catch e (:message e)))",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_nobody_sees_that_a_loop_changes_what_it_passes_on(program: str) -> None:
    check(program)


# what a function of the program does with its first argument
FUNCTIONS = [
    # it is kept besides
    "(defn f [m x] (assoc m x [m])) (reduce f {} [1 2 3])",
    "(defn keep-in [m all] (conj all m)) (defn f [m x] (assoc m x (keep-in m []))) (reduce f {} [1 2 3])",
    "(defn f [m x] (let [old m new (assoc m x 1)] (if (= x 2) old new))) (reduce f {} [1 2 3])",
    "(defn f [m x] (assoc m x (fn [] (count m)))) (map (fn [g] (g)) (vals (reduce f {} [1 2 3])))",
    "(defn f [m x] (assoc m x (map (fn [y] (get m y)) [1 2]))) (reduce f {} [1 2 3])",
    "(defn f [m x] (assoc m x (lazy-seq [(count m)]))) (reduce f {} [1 2 3])",
    "(defn g [m] m) (defn f [m x] (assoc m x (g m))) (reduce f {} [1 2 3])",
    "(defn g [m] [m]) (defn f [m x] (let [k (g m)] (assoc m x k))) (reduce f {} [1 2 3])",
    "(defn g [{:keys [a] :as m}] (if a m nil)) (defn f [m x] (assoc m x (g m))) (reduce f {:a 1} [1 2 3])",
    "(defn f [m x] (assoc m x 1)) (loop [i 0 m {} all []] (if (= i 3) all (recur (inc i) (f m i) (conj all m))))",
    "(defn f [m x] (assoc m x 1)) (let [m (f {} 1) a (f m 2) b (f m 3)] [m a b])",
    "(defn f [m x] (assoc m x 1)) (reduce (fn [[a b] x] [(f a x) a]) [{} {}] [1 2 3])",
    "(defn f [m x] (assoc m x (try (/ 1 x) (catch e (count m))))) (reduce f {} [1 0 3])",
    "(defn f [m x] (assoc (assoc m x 1) :n (/ 1 x))) (def m {:a 1}) [(try (reduce f m [1 0]) (catch e m)) m]",
    # what a pattern takes from it is what was there before
    "(defn f [{:keys [n] :as m} x] (-> m (assoc :n x) (assoc :before n))) (reduce f {:n 0} [1 2 3])",
    "(defn f [{:keys [n k] :or {k (inc 1)} :as m} x] (assoc m :n (+ x k) :k n)) (reduce f {:n 0} [1 2 3])",
    "(defn f [[a b :as v] x] (-> v (assoc 0 b) (assoc 1 (+ a b x)))) (reduce f [0 1] (range 5))",
    "(defn f [m x] (let [{:keys [n]} m m (assoc m :n x)] (assoc m x n))) (reduce f {:n 0} [1 2 3])",
    # the name means another function by then
    """(defn f [m x] (assoc m x 1)) (defn g [m x] (-> m (f x) (f [x])))
       (defn f [m x] (if (= x 2) m {:was m})) [(reduce g {} [1 2 3]) (reduce f {} [1 2])]""",
    "(defn asks [m] (count m)) (defn f [m x] (assoc m x (asks m))) (defn asks [m] m) (reduce f {} [1 2 3])",
    """(defn f [m x] (assoc m x 1)) (defn g [m x] (f m x))
       (defn f [m x] (if (= x 2) (reduced [m]) (assoc m x 2))) [(reduce g {} [1 2 3]) (reduce f {} [1 2 3])]""",
    "(defn f [m x] (assoc m x 1)) (when false (defn f [m x] m)) (reduce f {} [1 2 3])",
    "(defn f [m x] (assoc m x 1)) (reduce (fn [m x] (f (f m x) :last)) nil [1 2 3])",
    # a literal is made once and never changed
    "(defn f [] (loop [v [1 2] i 0] (if (= i 2) v (recur (assoc v i :x) (inc i))))) [(f) (f)]",
    "(defn f [] (reduce (fn [v i] (assoc v i :x)) [1 2 3] [0 1])) [(f) (f)]",
    "(defn f [] (reduce conj [[1] 2] [3])) [(f) (f)]",
    """(defn f [] [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17])
       [(conj (f) :a) (conj (f) :b) (reduce conj (f) [1 2]) (f)]""",
    # entries put by one change and found by the next
    "(let [m {:a {:b 1}}] [(-> m (update-in [:a :b] inc) (update-in [:a :c] (fnil inc 0)) (assoc-in [:a :d] 4)) m])",
    "(let [k ##NaN] (-> {} (assoc-in [k :b] 1) (update-in [k :c] (fnil inc 0)) vals))",
    "(let [k 1.0] (-> {1 :int} (assoc-in [k :b] 1) (update-in [k :c] (fnil inc 0))))",
    "(let [k 0 v [{:n 1} {:n 2}]] [(-> v (update-in [k :n] inc) (assoc-in [k :m] 5) (update-in [1 :n] dec)) v])",
    "(let [in {:n 1}] [(-> {} (assoc-in [:b :c] in) (update-in [:b :c :n] inc) (assoc-in [:b :d] 1)) in])",
    "(-> {:a {:b {:c 1}}} (update-in [:a :b :c] inc) (update-in [:a :b] assoc :d 1) (update :a (fn [m] [m m])))",
    "(-> {:a {:b 1}} (update-in [:a :b] inc) (update :a (fn [m] (assoc m :old m))) (assoc-in [:a :c] 3))",
    "(try (-> {:a 1} (assoc :b 2) (update-in [:a :b] inc)) (catch e (:message e)))",
]


@pytest.mark.parametrize("program", FUNCTIONS)
def test_nobody_sees_that_a_function_changes_what_it_is_given(program: str) -> None:
    check(program)


def test_a_later_text_may_define_a_function_anew_that_compiled_code_called_in_place() -> None:
    environment = new_environment()

    def run(text: str, name: str) -> str:
        outcome = rtfs.start(rtfs.compile(text, name=name, environment=environment))
        assert isinstance(outcome, rtfs.Complete)
        return rtfs.to_text(outcome.value)

    run(
        "(defn asks [m] (count m)) (defn put [m x] (assoc m x (asks m))) (defn all [xs] (reduce put {} xs))", "one.rtfs"
    )
    assert run("(all [:a :b])", "two.rtfs") == "{:a 0 :b 1}"
    run("(defn asks [m] m)", "three.rtfs")
    assert run("(all [:a :b])", "four.rtfs") == "{:a {} :b {:a {}}}"
    run("(defn put [m x] {x m})", "five.rtfs")
    assert run("(all [:a :b])", "six.rtfs") == "{:b {:a {}}}"


def test_the_trace_of_an_error_in_a_version_in_place_names_the_function_that_was_called() -> None:
    text = "(defn put [m x] (assoc m :n (/ 1 x)))\n(defn all [xs] (reduce put {} xs))\n(all [1 0])"
    seen = []
    for name in ("file.rtfs", "<text>"):
        with pytest.raises(rtfs.EvalError) as caught:
            rtfs.start(rtfs.compile(text, name=name))
        seen.append([(called, span and span.start) for called, span in caught.value.trace])
    assert seen[0] == seen[1]
    assert "put" in [called for called, _ in seen[0]]


SEQUENCES = [
    *(
        "[]",
        "nil",
        "[1 2 3]",
        "(list 1 2 3)",
        "(list)",
        '"abc"',
        '(seq "abc")',
        "{:a 1 :b 2}",
        "#{1}",
        "(vec (range 16))",
    ),
    *("(vec (range 40))", "(rest [1 2 3])", "(rest (vec (range 40)))", "(conj (vec (range 40)) :last)", "(range 3)"),
    *("(assoc (vec (range 100)) 3 :x)", "(cons :front (vec (range 100)))", "(pop (vec (range 100)))"),
    *("(map inc [1 2])", "(take 5 (iterate inc 1))", "(filter odd? (iterate inc 1))"),
]


def deep(innermost: str) -> str:
    """A form within so many others that it is compiled as a function of its own."""
    for number in range(40):
        innermost = f"(if (= (count out) {1000 + number}) {number} {innermost})"
    return innermost


WALKS = [
    "(loop [xs $s out []] (if (or (empty? xs) (= (count out) 50)) out (recur (rest xs) (conj out (first xs)))))",
    "(loop [xs $s out []] (if (and (seq xs) (< (count out) 50)) (recur (next xs) (conj out (first xs))) out))",
    """(loop [xs $s n 0 out []]
         (if (= n 9) out (recur (if (odd? n) (rest xs) xs) (inc n) (conj out (first xs) (empty? xs)))))""",
    """(loop [xs $s n 0 out []]
         (if (= n 9) out (recur (if (odd? n) (next xs) xs) (inc n) (conj out (first xs) (nil? (seq xs))))))""",
    """(loop [a $s b [:x :y :z] out []]
         (if (or (empty? a) (empty? b)) out
           (let [out (conj out [(first a) (first b)])]
             (if (odd? (count out)) (recur (rest a) b out) (recur a (rest b) out)))))""",
    """(loop [xs $s out []]
         (if (or (empty? xs) (= (count out) 20)) out
           (recur (rest xs)
                  (loop [n 0 out out] (if (= n 2) out (recur (inc n) (conj out [n (first xs)])))))))""",
    """(loop [xs $s out []]
         (if (or (empty? xs) (= (count out) 50)) out
           (let [x (first xs) more (rest xs)] (if (= x 2) (recur more (conj out :two)) (recur more (conj out x))))))""",
    """(loop [xs $s out []]
         (let [more (next xs) n (count out)]
           (cond (> n 20) out
                 (nil? (seq xs)) (conj out :end)
                 (odd? n) (recur more (conj out (first xs) [n]))
                 :else (recur more (conj out n)))))""",
    """(loop [xs $s out []]
         (let [more (rest xs)]
           (if (= (count out) 9) [out (first xs) (vec (take 3 xs))]
             (recur (if (even? (count out)) more xs) (conj out (first xs))))))""",
    """(loop [xs $s out []]
         (let [more (rest xs)] (if (or (empty? xs) (> (count out) 8)) [out (first more)]
           (recur more (conj out (first xs))))))""",
    """(loop [xs $s fs []]
         (if (or (empty? xs) (= (count fs) 9)) (mapv (fn [f] (f)) fs)
           (let [more (rest xs)] (recur more (conj fs (fn [] (first more)))))))""",
    f"""(loop [xs $s out []]
          (let [more (rest xs)]
            (if (or (empty? xs) (= (count out) 9)) out {deep("(recur more (conj out (first xs)))")})))""",
    f"""(loop [xs $s out [] n 0]
          (let [more (rest xs)]
            (if (= n 30) [out (first xs)] (recur more (conj out {deep("(first xs)")}) (inc n)))))""",
    f"""(loop [xs $s out []]
          (if (or (empty? xs) (= (count out) 50)) out {deep("(recur (rest xs) (conj out (first xs)))")}))""",
    f"""(loop [xs $s out [] n 0]
          (if (= n 30) [out (first xs)] (recur (rest xs) (conj out {deep("(first xs)")}) (inc n))))""",
]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("walk", WALKS)
def test_going_through_a_sequence_gives_what_its_rests_give(walk: str, sequence: str) -> None:
    check(walk.replace("$s", sequence))


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("(defn grow [v] (conj v 1))", False),
        ("(defn grow [v] (conj v 1)) (defn both [v] (grow v))", True),
        ("(defn grow [v n] (if (= n 0) v (grow (conj v 1) (- n 1))))", True),
        ('(defmacro make [n] `(defn ~(symbol (str n "w")) [v] (conj v 1))) (make "gro")', True),
    ],
)
def test_a_function_has_a_second_name_if_its_text_may_call_it(text: str, has: bool):
    unit = rtfs.compile(text, name="second-name.rtfs").unit
    names = {name for step in unit.steps if step.code is not None for name in step.code.co_names}
    assert any(name.startswith(" =") for name in names) is has
