"""Bombs: programs that want all time or all memory, each in a process of its own, under a limit of one second.

Each prints with what it ended, after how long, how large the process became, and for how long the event loop that it
ran on had no turn. The goal is that none outlives its limit by more than half a second.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Row

GROUP = "bombs: limit 1 s"
LIMIT = 1.0
MOST = LIMIT + 0.5
ADDRESS_SPACE = 4_000_000 << 10
PATIENCE = 60.0

TEXT = '(let [s (join "" (repeat 1000000 "x"))] '
DEEP = "(loop [v [] i 0] (if (< i 3000000) (recur [v] (inc i)) "
PAIRED = "(reduce (fn [v _] [v v]) [1] (range 60))"
BOMBS = {
    "endless loop": "(loop [] (recur))",
    "endless recursion": "(defn f [n] (+ 1 (f n))) (f 1)",
    "endless recursion that cleans up": "(defn f [n] (try (+ 1 (f n)) (finally 1))) (f 1)",
    "exponential recursion": "(defn f [n] (if (< n 1) 1 (+ (f (dec n)) (f (dec n))))) (f 100)",
    "endless within map": "(map (fn [x] (loop [] (recur))) [1 2])",
    "endless in a comparator": "(sort-by (fn [x] (loop [] (recur))) [1 2])",
    "endless in a catch": "(try (throw 1) (catch e (loop [] (recur))))",
    "kv/put of a large text": TEXT + '(loop [] (kv/put "a" (substring s 0 500000)) (recur)))',
    "kv/put of new keys": "(loop [i 0] (kv/put (str i) (range 1000)) (recur (inc i)))",
    "current-time": "(loop [] (current-time-millis) (recur))",
    "read-file": '(loop [] (read-file "/etc/hostname") (recur))',
    "a function of 1 ms": '(loop [] (call "t.ms") (recur))',
    "a function of 1 ms in map": '(map (fn [x] (call "t.ms")) (range 1000000))',
    "product of large integers": "(def x (pow 3 330000)) (loop [] (* x x) (recur))",
    "product by a small one": "(def x (pow 3 660000)) (loop [] (* x 3) (recur))",
    "product by a small one, later": "(def x (pow 3 660000)) (loop [i 0]"
    " (if (< i 300000) (recur (inc i)) (loop [] (* x 3) (recur))))",
    "remainder of large integers": "(def x (pow 3 660000)) (def y (pow 3 330001)) (loop [] (mod x y) (recur))",
    "quotient of large integers": "(def x (pow 3 660000)) (def y (pow 3 330001)) (loop [] (quot x y) (recur))",
    "factorial": "(loop [] (factorial 20000) (recur))",
    "text of a large integer": "(def x (pow 3 660000)) (loop [] (count (str x)) (recur))",
    "sort of vectors with one prefix": "(let [v (vec (range 10000))] (sort (map (fn [i] (conj v i)) (range 20000))))",
    "sort of millions": "(loop [v (vec (range 3000000))] (recur (reverse (sort v))))",
    "sort with a comparator": "(sort (fn [a b] (> a b)) (range 3000000))",
    "sort of a mixed-up vector": "(loop [] (sort (mapv (fn [i] (mod (* i 7919) 1000003)) (range 1500000))) (recur))",
    "sort-by of a mixed-up vector": "(loop [] (sort-by - (mapv (fn [i] (mod (* i 7919) 1000003)) (range 900000)))"
    " (recur))",
    "re-seq of millions": '(count (re-seq "a" (apply str (repeat 9000000 "a"))))',
    "re-split of millions": '(count (re-split "a" (apply str (repeat 9000000 "a"))))',
    "a pattern of 50 kB": '(re-find (apply str (repeat 10000 "(a?)?")) "x")',
    "many large patterns": '(loop [i 0] (try (re-find (str i (apply str (repeat 9000 "(a?)?"))) "x") (catch e 1))'
    " (recur (inc i)))",
    "partition of millions": "(count (partition 1 (range 9000000)))",
    "map over millions": "(def xs (range 9000000)) (def ys (map (fn [x] [x x x]) xs)) (count ys)",
    "filter over millions": "(loop [] (filter (fn [x] (odd? x)) (range 3000000)) (recur))",
    "reduce over millions": "(loop [] (reduce (fn [a x] (+ a x)) 0 (range 9000000)) (recur))",
    "entries of a large map": "(let [m (zipmap (range 500000) (range 500000))] (loop [] (rest m) (recur)))",
    "keys taken from a large map": "(let [m (zipmap (range 500000) (range 500000))] (loop []"
    " (apply dissoc m (range 400000)) (recur)))",
    "hash of a long vector": "(let [v (vec (range 3000000))] (loop [] (hash-map v 1) (recur)))",
    "comparison of long texts": '(let [a (apply str (repeat 3000000 "ab")) b (str a "b") c (str a "b")] (loop [i 0]'
    " (if (< i 100000) (recur (inc i)) (loop [] (compare a b) (= b c) (< a b) (recur)))))",
    "lines of a long text": '(let [s (join "" (repeat 2000000 "a\\n"))] (loop []'
    " (clojure.string/split-lines s) (recur)))",
    "group-by of millions": "(count (group-by (fn [x] (mod x 1000)) (range 9000000)))",
    "text of many elements": "(loop [] (count (str (vec (range 1000000)))) (recur))",
    "text of deep data": DEEP + "(count (str v))))",
    "equality of deep data": f"(let [f (fn [] {DEEP} v)))] (= (f) (f)))",
    "text of shared data": f"(count (str {PAIRED}))",
    "sort of shared data": f"(sort [{PAIRED} {PAIRED}])",
    "parse-json of many keywords": '(let [s (str "{" (join "," (map (fn [i] (str "\\"k" i "\\":1")) (range 300000)))'
    ' "}")] (loop [] (parse-json s {:keywords true}) (recur)))',
    "serialize-json": "(let [v (vec (range 1000000))] (loop [] (serialize-json v) (recur)))",
    "a long text to read": '(let [s (str "[" (join " " (range 300000)) "]")] (loop [] (read-string s) (recur)))',
    "doubling macro": "(defmacro m [] (reduce (fn [a _] `(do ~a ~a)) 1 (range 25))) (m)",
    "endless macro": "(defmacro m [] (loop [] (recur))) (m)",
    "endless expansion": "(defmacro m [] (list (quote m))) (m)",
    "branches in branches": "(defn f [] (step-parallel (f) (f))) (f)",
    "wide branches in branches": '(defn f [] (call "ccos.concurrent/parallel" (vec (repeat 16 f)))) (f)',
    "branches that compute": '(call "ccos.concurrent/parallel" (vec (repeat 50 (fn [] (loop [] (recur))))))',
    "an implementation that calls itself": '(capability "a" :implementation (fn [x] (call "a" x))) (call "a" {})',
    "texts kept": TEXT + "(loop [acc [] i 0] (recur (conj acc (str s i)) (inc i))))",
    "short texts kept": '(loop [acc [] i 0] (recur (conj acc (str i "xxxxxxxxxx")) (inc i)))',
    "nested vectors kept": "(loop [acc nil] (recur [acc]))",
    "integers kept": "(def x (pow 3 6000)) (loop [acc [] i 0] (recur (conj acc (+ x i)) (inc i)))",
    "maps kept": "(loop [acc [] i 0] (recur (conj acc {:a i :b [i i]}) (inc i)))",
    "integers that collide": "(count (frequencies (map (fn [x] (* x 2305843009213693951)) (range 60000))))",
    "a set of integers that collide": "(count (set (map (fn [x] (* x 2305843009213693951)) (range 60000))))",
    "keys that collide": "(count (zipmap (map (fn [x] (* x 2305843009213693951)) (range 60000)) (range 60000)))",
    "an endless lazy sequence": "(count (map inc (range)))",
    "printing": TEXT + "(loop [] (log s) (recur)))",
}


def run() -> Iterator[Row]:
    """A row for each bomb: seconds until its end; how it ended, its memory and the loop's stalls are its note."""
    for name, program in BOMBS.items():
        for where, isolation in ((name, ""), (f"{name}, isolated", "process")):
            found = explode(program, isolation)
            note = (
                f"{found['end']}, {found['memory']} MB, loop without a turn: {found['stall']:.0f} ms at most,"
                f" {found['usual']:.0f} ms at p99"
            )
            print(f"    {where}: {note}")
            yield Row(GROUP, where, found["seconds"], "s", goal=MOST, note=note)


def explode(program: str, isolation: str = "") -> dict[str, Any]:
    """What became of a program in a process of its own. isolation: "process" for one whose plans have another one; the
    memory is that of the host then."""
    child = [sys.executable, "-m", "benchmarks.bombs", *([isolation] if isolation else [])]
    try:
        done = subprocess.run(child, input=program, capture_output=True, text=True, timeout=PATIENCE, check=False)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return {"end": type(error).__name__, "seconds": PATIENCE, "memory": 0, "stall": 0.0, "usual": 0.0}
    return found


async def _explode(program: str, isolation: str | None) -> dict[str, Any]:
    import rtfs

    runtime = rtfs.Runtime(limits={"seconds": LIMIT}, allow=["fs:read:/etc"], isolation=isolation)
    runtime.register("t.ms", lambda *given: time.sleep(0.001))
    await runtime.arun("(map inc (range 10))")
    gaps: list[float] = []

    async def watch() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            gaps.append(now - last - 0.001)
            last = now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    started = time.monotonic()
    try:
        await runtime.arun(program)
        end = "value"
    except rtfs.UserError as error:
        end = error.code
    seconds = time.monotonic() - started
    watching.cancel()
    gaps.sort()
    return {
        "end": end,
        "seconds": seconds,
        "memory": _most_memory(),
        "stall": gaps[-1] * 1000,
        "usual": gaps[int(len(gaps) * 0.99)] * 1000,
    }


def _most_memory() -> int:
    """Megabytes that this process had at most. The resource usage is only asked where there is no /proc: it counts what
    the process that started this one had, too."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    print("\n" + json.dumps(asyncio.run(_explode(sys.stdin.read(), sys.argv[1] if sys.argv[1:] else None))))
