"""One semantics: golden files, error reports and switches in mid-run, on every way that code can run."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
import rtfs.compiler.compile as compiling
from rtfs.compiler.closures import hot
from rtfs.syntax.diagnostics import render
from rtfs.testing.golden import parse
from rtfs.testing.runner import run_chunk
from tests.errors.renderings import Case, cases, files
from tests.fuzz.programs import any_program

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.test.rtfs"))

# how texts run; calls and rounds until code counts as hot
PATHS = {
    "compiled": ("compiled", 20, 100),
    "closures only": ("closures", 10**9, 10**9),
    "compiled at once": ("closures", 0, 0),
    "switched in mid-run": ("closures", 2, 3),
    "labelled": ("labelled", 20, 100),
}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    execution, calls, rounds = PATHS[request.param]
    monkeypatch.setattr(compiling, "EXECUTION", execution)
    monkeypatch.setattr(hot, "CALLS", calls)
    monkeypatch.setattr(hot, "ROUNDS", rounds)
    return str(request.param)


def value(text: str, limits: rtfs.Limits | None = None) -> str:
    outcome = rtfs.start(rtfs.compile(text), limits)
    assert isinstance(outcome, rtfs.Complete)
    return rtfs.to_text(outcome.value)


@pytest.mark.parametrize("file", GOLDEN, ids=[one.name for one in GOLDEN])
def test_golden_files(path: str, file: Path):
    golden = parse(file.read_text(encoding="utf-8"), str(file))
    for chunk in golden.chunks:
        if path == "closures only" and "deep recursion" in chunk.name:
            continue  # a level of recursion takes several Python frames there
        problems = run_chunk(golden, chunk).problems
        assert not problems, (chunk.name, problems)


def test_reports_of_errors(path: str):
    for file in files():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiling, "EXECUTION", "compiled")
            shown = [ending(case) for case in cases(file)]
        for case, expected in zip(cases(file), shown, strict=True):
            if path in ("closures only", "labelled") and case.title == "recursion without an end":
                continue  # it ends at another place, or for want of memory: a level takes several Python frames there
            shown_here = ending(case)
            if path == "labelled":  # the same error, told with less of what surrounds it
                expected, shown_here = expected.partition(":")[0], shown_here.partition(":")[0]
            assert shown_here == expected, (file.stem, case.title)


def ending(case: Case) -> str:
    """What is shown of a wrong program; the value of one that is not wrong."""
    with rtfs.Runtime() as runtime:
        try:
            if "load" in case.parts:
                runtime.load("\n".join(case.parts["load"]), "library.rtfs")
            return rtfs.to_text(runtime.run("\n".join(case.parts["plan"]), name="plan.rtfs", timeout=60, check=False))
        except rtfs.UserError as error:
            return render(error)


SWITCHING = [
    ("(defn f [n] (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (f 15)", "610"),
    ("(loop [i 0 s 0] (if (< i 1000) (recur (inc i) (+ s i)) s))", "499500"),
    ("(loop [i 0 v []] (if (< i 300) (recur (inc i) (conj v i)) [(count v) (v 0) (v 299)]))", "[300 0 299]"),
    ("(loop [i 0 m {}] (if (< i 300) (recur (inc i) (assoc m i i)) [(count m) (get m 7)]))", "[300 7]"),
    ("(loop [i 0 fs []] (if (< i 300) (recur (inc i) (conj fs (fn [] i))) [((fs 0)) ((fs 299))]))", "[0 299]"),
    ("(let [k 3] (loop [i 0 s 0] (if (< i 300) (recur (inc i) (+ s k)) s)))", "900"),
    ("(defn g [k] (fn [x] (+ x k))) (def a (g 1)) (def b (g 2)) (+ (reduce + 0 (map a (range 50))) (b 1))", "1278"),
    ("(reduce (fn [a x] (assoc a x (inc x))) {:n 0} (range 3))", "{:n 0 0 1 1 2 2 3}"),
    ("(count (reduce (fn [a x] (assoc a x x)) {} (range 500)))", "500"),
    ("(let [d 10] (reduce (fn [a x] (+ a (* d x))) 0 (range 200)))", "199000"),
    ("(map (fn [x] (let [y (* x x)] (- y x))) (filter (fn [x] (even? x)) (range 5)))", "[0 2 12]"),
    ("(let [a (fn [n] (if (= n 0) :even (b (dec n)))) b (fn [n] (if (= n 0) :odd (a (dec n))))] (a 101))", ":odd"),
    ("(defn f ([] (f 1)) ([x] (f x 2)) ([x & r] [x r])) (last (map (fn [_] (f)) (range 60)))", "[1 (2)]"),
    ('(defn t [n] (try (if (= n 0) (throw "x") (t (dec n))) (catch e (str n (:message e))))) (t 60)', '"0x"'),
    ("(defn c [n] (cond (= n 0) 0 (odd? n) (inc (c (dec n))) :else (c (dec n)))) (c 99)", "50"),
    ("(take 3 (map (fn [x] (let [f (fn [y] (* x y))] (f x))) (range)))", "(0 1 4)"),
    ("(last (take 500 (filter (fn [x] (even? x)) (map (fn [x] (+ 1 x)) (range)))))", "1000"),
    ("(reduce (fn [a x] (if (> a 2000) (reduced a) (+ a x))) 0 (range))", "2016"),
    ("(count (reduce (fn [a x] (conj a x)) [] (take 400 (range))))", "400"),
    (
        "(loop [i 0 v []] (if (< i 3) (recur (inc i) (conj v (map (fn [x] (+ x i)) (take 2 (range))))) (map vec v)))",
        "[[0 1] [1 2] [2 3]]",
    ),
    ("(loop [i 0] (let [x (loop [j 0] (if (< j 5) (recur (inc j)) j))] (if (< i 200) (recur (+ i x)) i)))", "200"),
    ("(defn r [x & more] (if (empty? more) x (apply r more))) (r 1 2 3 4 5)", "5"),
]


@pytest.mark.parametrize(("text", "wanted"), SWITCHING)
def test_a_switch_in_mid_run_is_not_seen(path: str, text: str, wanted: str):
    assert value(text) == wanted


def test_references_to_a_function_survive_its_compilation(path: str):
    text = "(defn f [x] (* 2 x)) (def kept f) (def all (map f (range 60))) [(= kept f) (kept 4) (last all)]"
    assert value(text) == "[true 8 118]"


def test_steps_are_limited(path: str):
    for text in ("(loop [] (recur))", "(defn f [] (f)) (f)", "(defn f [n] (+ 1 (f n))) (defn g [] (f 1)) (g)"):
        with pytest.raises(rtfs.LimitError):
            value(text, rtfs.Limits(steps=5_000))


def test_deep_recursion(path: str):
    text = "(defn d [n] (if (= n 0) 0 (let [m (dec n)] (+ 1 (d m))))) (d %d)"
    assert value(text % (2_000 if path == "closures only" else 100_000)) != ""


def test_a_place_deep_in_a_function(path: str):
    text = "(defn f [n]\n  (if (= n 0)\n    (/ 1 n)\n    (+ 1\n       (f (dec n)))))\n(f 5)"
    with pytest.raises(rtfs.UserError) as caught:
        value(text)
    span = caught.value.span
    assert span is not None
    assert (span.text, str(span).partition(":")[2]) == ("(/ 1 n)", "3:5")
    assert [name for name, _ in caught.value.trace] == ["f"] * 6 + ["the program"]


def test_programs_that_nobody_wrote_end_alike(path: str):
    expected: dict[str, str] = {}
    for seed in range(60):
        text = any_program(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiling, "EXECUTION", "compiled")
            expected[text] = outcome(text)
    assert {text: outcome(text) for text in expected} == expected


def outcome(text: str) -> str:
    """What a program ends with: its value, or its error with place and trace."""
    try:
        ended = rtfs.start(rtfs.compile(text), rtfs.Limits(steps=60_000, depth=3_000, seconds=5))
        return rtfs.to_text(ended.value) if isinstance(ended, rtfs.Complete) else f"{ended.call.kind} {ended.call.id}"
    except rtfs.UserError as error:
        return rtfs.format_error(error) if error.code not in ("limit/depth", "limit/steps") else error.code
