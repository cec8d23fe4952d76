"""Deep and wide sources: a value, or a clean limit, never CPython's own limits."""

from __future__ import annotations

import json

import pytest

from tests.compiler.support import printed
from tests.machine.support import in_a_process

# name -> (opening, innermost, closing), nested in itself
NESTS = {
    "list call": ("(inc ", "0", ")"),
    "sum": ("(+ 1 ", "0", ")"),
    "sum, left": ("(+ ", "0", " 1)"),
    "if test": ("(if ", "true", " true false)"),
    "if then": ("(if true ", "1", " 2)"),
    "if else": ("(if false 2 ", "1", ")"),
    "do": ("(do 1 ", "2", ")"),
    "let body": ("(let [x 1] ", "x", ")"),
    "let value": ("(let [x ", "1", "] x)"),
    "fn": ("((fn [x] ", "1", ") 1)"),
    "fn given": ("((fn [f] (f)) (fn [] ", "1", "))"),
    "and": ("(and true ", "1", ")"),
    "or": ("(or false ", "1", ")"),
    "and, left": ("(and ", "1", " 2)"),
    "vector": ("[", "1", "]"),
    "map value": ("{:k ", "1", "}"),
    "map key": ("{", "1", " 2}"),
    "try": ("(try ", "1", " (catch e 2))"),
    "catch": ("(try (/ 1 0) (catch e ", "1", "))"),
    "finally": ("(try 1 (finally ", "2", "))"),
    "loop": ("(loop [i 0] (if (< i 1) (recur (inc i)) ", "1", "))"),
    "loop value": ("(loop [i ", "1", "] i)"),
    "match body": ("(match 1 2 3 x ", "1", ")"),
    "match value": ("(match ", "1", " x x)"),
    "match pattern": ("(match 1 ", "x", " 1 _ 2)"),
    "quote": ("'(", "a", ")"),
    "quasiquote": ("`(a ", "b", ")"),
    "unquote": ("`(a ~(first ", "[1]", "))"),
    "quasiquotes": ("`(a ", "b", ")"),
    "cond": ("(cond false 1 :else ", "2", ")"),
    "when": ("(when true ", "1", ")"),
    "->": ("(-> ", "1", " inc)"),
    "case": ("(case 1 2 3 ", "4", ")"),
    "for": ("(for [x [1]] ", "x", ")"),
    "doseq": ("(doseq [x [1]] ", "x", ")"),
    "map": ("(map (fn [x] ", "x", ") [1])"),
    "reduce": ("(reduce (fn [a x] ", "x", ") 0 [1])"),
    "if-let": ("(if-let [x 1] ", "x", " 2)"),
    "throw": ("(try (throw ", '"x"', ") (catch e e))"),
    "keyword call": ("(:k ", "{}", ")"),
    "module value": ("(do (def x ", "1", ") x)"),
    "annotation": ("((fn [x : int] ", "x", ") 1)"),
    "type": ("(do (deftype T [:vector ", "int", "]) 1)"),
    "destructuring": ("(let [[", "x", "] nil] 1)"),
    "step": ('(step "s" ', "1", ")"),
    "call": ('(call "x" ', "1", ")"),
}
RUN = """
import json, sys, time
from rtfs.compiler import compile_source
from rtfs.machine import Limits, RequiresHost, new_environment, start
from rtfs.source import Source
from rtfs.syntax.printer import to_text
from rtfs.values import UserError
for name, (opening, inner, closing) in json.loads(sys.argv[1]).items():
    for depth in json.loads(sys.argv[2]):
        text = opening * depth + inner + closing * depth
        try:
            outcome = start(compile_source(Source(text), new_environment()), Limits(seconds=60))
            while isinstance(outcome, RequiresHost):
                outcome = outcome.resume(outcome.call.args[0] if outcome.call.kind == "call" else None)
            result = "value"
            to_text(outcome.value)
        except UserError as error:
            result = error.code
        print(f"{name} = {depth} = {result}", flush=True)
"""
# what a form that is nested so deeply may say instead of a value
CLEAN = ("value", "limit/nesting", "limit/expansion", "limit/depth", "limit/steps", "limit/size", "reader/nesting")


def outcomes(nests: dict[str, tuple[str, str, str]], *depths: int) -> dict[tuple[str, int], str]:
    lines = in_a_process(RUN, json.dumps(nests), json.dumps(depths)).splitlines()
    found = {}
    for line in lines:
        name, depth, result = line.split(" = ")
        found[name, int(depth)] = result
    return found


def test_every_form_nests_100_deep():
    exceptions = {
        "finally": "value",
        "match pattern": "form/shape",  # a list that is not a pattern
        "throw": "value",
    }
    found = outcomes(NESTS, 1, 100)
    assert len(found) == 2 * len(NESTS)
    for (name, depth), result in found.items():
        allowed = {"value", exceptions.get(name, "value")}
        if name in ("if test", "type", "destructuring"):
            allowed |= {"type/malformed", "form/shape"}
        assert result in allowed, (name, depth, result)


@pytest.mark.parametrize("part", range(4))
def test_every_form_nests_2_000_deep_or_meets_a_clean_limit(part: int):
    nests = dict(list(NESTS.items())[part::4])
    found = outcomes(nests, 2_000)
    for (name, depth), result in found.items():
        assert result in CLEAN or name in ("match pattern", "type", "destructuring"), (name, depth, result)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "(defn f [x] (cond " + " ".join(f"(= x {n}) {n * n}" for n in range(3000)) + ")) [(f 0) (f 2999)]",
            "[0 8994001]",
        ),
        (
            "(defn f [x] (case x " + " ".join(f"{n} {n * n}" for n in range(3000)) + " :none)) [(f 2999) (f -1)]",
            "[8994001 :none]",
        ),
        (
            "(defn f [x] (match x " + " ".join(f"{n} {n}" for n in range(2000)) + " _ :none)) [(f 1999) (f -1)]",
            "[1999 :none]",
        ),
        ("(count [" + "1 " * 20000 + "])", "20000"),
        ("(count {" + " ".join(f"{n} {n}" for n in range(10000)) + "})", "10000"),
        ("(count (vector " + "(inc 1) " * 5000 + "))", "5000"),
        ("(+ " + "1 " * 5000 + ")", "5000"),
        ("(let [" + " ".join(f"x{n} {n}" for n in range(3000)) + "] (+ x0 x2999))", "2999"),
        ("(let [" + " ".join(f"x{n} (if true {n} 0)" for n in range(500)) + "] (+ x0 x499))", "499"),
        ("(do " + "(inc 1) " * 10000 + ")", "2"),
        ("\n".join(f"(def x{n} {n})" for n in range(3000)) + " x2999", "2999"),
        ("(and " + "true " * 3000 + "5)", "5"),
        ("(or " + "nil " * 3000 + "5)", "5"),
        ("(str " + '"a" ' * 3000 + ")", '"' + "a" * 3000 + '"'),
        (
            "((fn [" + " ".join(f"p{n}" for n in range(300)) + "] (+ p0 p299)) " + " ".join(map(str, range(300))) + ")",
            "299",
        ),
        ("(-> 0 " + "inc " * 2000 + ")", "2000"),
        ("(count '(" + "a " * 50000 + "))", "50000"),
        ('(count "' + "x" * 1_000_000 + '")', "1000000"),
        (
            "(defn f " + " ".join(f"([{' '.join(f'p{m}' for m in range(n))}] {n})" for n in range(60)) + ") (f 1 2 3)",
            "3",
        ),
        ("(try " * 30 + "(/ 1 0)" + " (catch TypeError e 1))" * 29 + " (catch e :outermost))", ":outermost"),
        ("(loop [a 0] (if (< a 2) (recur " * 1 + "(inc a)" + ") a))", "2"),
        ("(do " + "(loop [i 0] (if (< i 2) (recur (inc i)) " * 40 + ":deep" + "))" * 40 + ")", ":deep"),
        (f"(if true {'9' * 4000} 0)", "9" * 4000),
    ],
    ids=lambda text: text[:40],
)
def test_wide_sources(text: str, value: str):
    assert printed(text) == value
