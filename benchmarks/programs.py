"""Programs beyond kernels, each in two spellings, beside a hand-written twin in Python, in CPython and in Monty.

A twin is what a Python programmer writes: lists and dicts that change. Every contender gives the same result, checked
before anything is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import rtfs
from benchmarks.measure import Row, geometric_mean, interleaved
from benchmarks.peers import monty_session

GROUP = "programs"

# name -> (with loop and recur, with reduce and its kin, the twin, which sets `result`)
PROGRAMS: dict[str, tuple[str, str, str]] = {
    "sieve": (
        """(loop [p 2 marks (vec (repeat 2001 true))]
             (if (> (* p p) 2000) (count (filter identity (drop 2 marks)))
               (recur (inc p) (if (nth marks p)
                 (loop [m (* p p) marks marks] (if (> m 2000) marks (recur (+ m p) (assoc marks m false))))
                 marks))))""",
        """(count (filter identity (drop 2
             (reduce (fn [marks p] (if (nth marks p)
                       (reduce (fn [ms m] (assoc ms m false)) marks (range (* p p) 2001 p)) marks))
                     (vec (repeat 2001 true)) (range 2 45)))))""",
        """marks = [True] * 2001
p = 2
while p * p <= 2000:
    if marks[p]:
        for m in range(p * p, 2001, p):
            marks[m] = False
    p += 1
result = len([m for m in marks[2:] if m])
""",
    ),
    "word count": (
        """(loop [words (split (join " " (repeat 60 "the quick brown fox jumps over the lazy dog")) " ") seen {}]
             (if (empty? words) seen
               (recur (rest words) (assoc seen (first words) (inc (get seen (first words) 0))))))""",
        """(reduce (fn [seen w] (update seen w (fn [n] (inc (or n 0))))) {}
             (split (join " " (repeat 60 "the quick brown fox jumps over the lazy dog")) " "))""",
        """seen = {}
for w in " ".join(["the quick brown fox jumps over the lazy dog"] * 60).split(" "):
    seen[w] = seen.get(w, 0) + 1
result = seen
""",
    ),
    "queens": (
        """(defn safe? [queens row] (loop [qs queens d 1]
             (if (empty? qs) true
               (let [q (first qs)]
                 (if (or (= q row) (= (abs (- q row)) d)) false (recur (rest qs) (inc d)))))))
           (defn solve [queens n] (if (= (count queens) n) 1
             (loop [row 0 found 0] (if (= row n) found
               (recur (inc row) (if (safe? queens row) (+ found (solve (cons row queens) n)) found))))))
           (solve [] 6)""",
        """(defn safe? [queens row] (every? (fn [[d q]] (and (not= q row) (not= (abs (- q row)) d)))
                                            (map-indexed (fn [i q] [(inc i) q]) queens)))
           (defn solve [queens n] (if (= (count queens) n) 1
             (reduce (fn [found row] (if (safe? queens row) (+ found (solve (cons row queens) n)) found))
                     0 (range n))))
           (solve [] 6)""",
        """def safe(queens, row):
    d = 1
    for q in queens:
        if q == row or abs(q - row) == d:
            return False
        d += 1
    return True

def solve(queens, n):
    if len(queens) == n:
        return 1
    found = 0
    for row in range(n):
        if safe(queens, row):
            found += solve([row] + queens, n)
    return found

result = solve([], 6)
""",
    ),
    "distance": (
        """(defn step [row a b]
             (loop [j 1 made [(inc (first row))]]
               (if (> j (count b)) made
                 (recur (inc j) (conj made (min (inc (nth row j)) (inc (nth made (dec j)))
                                                (+ (nth row (dec j)) (if (= a (nth b (dec j))) 0 1))))))))
           (loop [row (vec (range 31)) left (split "kitten on the roof of a house." "")]
             (if (empty? left) (last row)
               (recur (step row (first left) (split "sitting in the mouth of rivers" "")) (rest left))))""",
        """(defn step [b row a]
             (reduce (fn [made j] (conj made (min (inc (nth row j)) (inc (nth made (dec j)))
                                                  (+ (nth row (dec j)) (if (= a (nth b (dec j))) 0 1)))))
                     [(inc (first row))] (range 1 (inc (count b)))))
           (let [b (split "sitting in the mouth of rivers" "")]
             (last (reduce (fn [row a] (step b row a)) (vec (range 31))
                           (split "kitten on the roof of a house." ""))))""",
        """b = list("sitting in the mouth of rivers")
row = list(range(31))
for a in list("kitten on the roof of a house."):
    made = [row[0] + 1]
    for j in range(1, len(b) + 1):
        made.append(min(row[j] + 1, made[j - 1] + 1, row[j - 1] + (0 if a == b[j - 1] else 1)))
    row = made
result = row[-1]
""",
    ),
    "accounts": (
        """(loop [i 0 bank {:a {:balance 100 :moves 0} :b {:balance 50 :moves 0}}]
             (if (= i 300) [(get-in bank [:a :balance]) (get-in bank [:b :moves])]
               (let [to (if (even? i) :a :b)]
                 (recur (inc i) (assoc-in (update-in bank [to :moves] inc) [to :balance]
                                          (+ 1 (get-in bank [to :balance])))))))""",
        """(let [bank (reduce (fn [bank i] (let [to (if (even? i) :a :b)]
                                  (update-in (update-in bank [to :moves] inc) [to :balance] inc)))
                                {:a {:balance 100 :moves 0} :b {:balance 50 :moves 0}} (range 300))]
             [(get-in bank [:a :balance]) (get-in bank [:b :moves])])""",
        """bank = {"a": {"balance": 100, "moves": 0}, "b": {"balance": 50, "moves": 0}}
for i in range(300):
    to = "a" if i % 2 == 0 else "b"
    bank[to]["moves"] += 1
    bank[to]["balance"] += 1
result = [bank["a"]["balance"], bank["b"]["moves"]]
""",
    ),
    "tree": (
        """(defn grow [n] (if (= n 0) nil [(grow (dec n)) n (grow (dec n))]))
           (defn total [t] (if (nil? t) 0 (let [[l v r] t] (+ v (total l) (total r)))))
           (loop [i 0 sum 0] (if (= i 3) sum (recur (inc i) (+ sum (total (grow 7))))))""",
        """(defn grow [n] (when (pos? n) [(grow (dec n)) n (grow (dec n))]))
           (defn total [[l v r]] (if v (reduce + v (map total [l r])) 0))
           (reduce (fn [sum _] (+ sum (total (grow 7)))) 0 (range 3))""",
        """def grow(n):
    if n == 0:
        return None
    return [grow(n - 1), n, grow(n - 1)]

def total(t):
    if t is None:
        return 0
    l, v, r = t
    return v + total(l) + total(r)

result = 0
for i in range(3):
    result += total(grow(7))
""",
    ),
    "points": (
        """(loop [i 0 p {:x 0.0 :y 0.0 :vx 1.0 :vy 0.5}]
             (if (= i 500) [(:x p) (:y p)]
               (let [{:keys [x y vx vy]} p]
                 (recur (inc i) (assoc p :x (+ x (* vx 0.1)) :y (+ y (* vy 0.1)) :vx (* vx 0.99))))))""",
        """(let [p (reduce (fn [{:keys [x y vx vy] :as p} _]
                             (merge p {:x (+ x (* vx 0.1)) :y (+ y (* vy 0.1)) :vx (* vx 0.99)}))
                           {:x 0.0 :y 0.0 :vx 1.0 :vy 0.5} (range 500))]
             [(:x p) (:y p)])""",
        """p = {"x": 0.0, "y": 0.0, "vx": 1.0, "vy": 0.5}
for i in range(500):
    p["x"] += p["vx"] * 0.1
    p["y"] += p["vy"] * 0.1
    p["vx"] *= 0.99
result = [p["x"], p["y"]]
""",
    ),
    "csv": (
        """(loop [lines (split (join "\\n" (repeat 80 "ann,12,bonn")) "\\n") sums {}]
             (if (empty? lines) sums
               (let [[name amount city] (split (first lines) ",")]
                 (recur (rest lines) (assoc sums city (+ (get sums city 0) (parse-int amount)))))))""",
        """(reduce (fn [sums line] (let [[name amount city] (split line ",")]
                                   (update sums city (fn [n] (+ (or n 0) (parse-int amount))))))
                {} (split (join "\\n" (repeat 80 "ann,12,bonn")) "\\n"))""",
        """sums = {}
for line in "\\n".join(["ann,12,bonn"] * 80).split("\\n"):
    name, amount, city = line.split(",")
    sums[city] = sums.get(city, 0) + int(amount)
result = sums
""",
    ),
}


def execute(code: Any) -> Any:
    """The result of a twin in CPython."""
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace["result"]


def run() -> Iterator[Row]:
    """The rows: each program and spelling beside CPython, then the geometric means beside CPython and Monty."""
    ratios: list[float] = []
    beside_monty: list[float] = []
    with monty_session() as session:
        for name, (looping, reducing, twin) in PROGRAMS.items():
            code = compile(twin, "<twin>", "exec")
            expected = execute(code)
            jobs: list[Any] = []
            for text in (looping, reducing):
                program = rtfs.compile(text, name=f"{name}.rtfs")
                given = rtfs.to_python(_value(program))
                if given != expected:
                    raise AssertionError(f"{name}: {given!r} is not {expected!r}")
                jobs.append(lambda program=program: _value(program))
            jobs.append(lambda code=code: execute(code))
            if session is not None:
                jobs.append(lambda twin=twin: session.feed_run(f"{twin}result\n"))
            best = [1e3 * min(samples) for samples in interleaved(jobs)]
            for spelling, value in zip(("loop", "reduce"), best, strict=False):
                ratios.append(value / best[2])
                if session is not None:
                    beside_monty.append(value / best[3])
                yield Row(GROUP, f"{name}, {spelling}", value, "ms", best[2], value / best[2], goal=10)
    mean = geometric_mean(ratios)
    yield Row(GROUP, "geometric mean, beside CPython", mean, "x", 1.0, mean, goal=4.5)
    if beside_monty:
        mean = geometric_mean(beside_monty)
        yield Row(GROUP, "geometric mean, beside Monty", mean, "x", 1.0, mean, goal=1.0)


def _value(program: rtfs.Program) -> Any:
    outcome = rtfs.start(program)
    assert isinstance(outcome, rtfs.Complete)
    return outcome.value
