"""Typical mistakes of people and models: each is mended by its fix, or by writing what its message says to write."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.syntax.cursor import place_at
from tests.checker.programs import new_runtime

FIXED = [
    ("(prinln 1)", "(println 1)"),
    ("(len [1 2])", "(count [1 2])"),
    ("(if None 1 2)", "(if nil 1 2)"),
    ("(if True 1 2)", "(if true 1 2)"),
    ("(if null 1 2)", "(if nil 1 2)"),
    ("(let [total 1] totl)", "(let [total 1] total)"),
    ("(map inc [1 2))", "(map inc [1 2])"),
    ("(inc 1))", "(inc 1)"),
    ("(filterr odd? [1])", "(filter odd? [1])"),
    ("(reduec + [1])", "(reduce + [1])"),
    ('(str/joinn "," ["a"])', '(str/join "," ["a"])'),
    ("(defn f [x :strng] x)", "(defn f [x :string] x)"),
    ('(call "test.tikets" {:query "x"})', '(call "test.tickets" {:query "x"})'),
    ('(call "test.tickets" {:qurey "x"})', '(call "test.tickets" {:query "x"})'),
    ('(call "test.tickets" {:query "x" :limti 3})', '(call "test.tickets" {:query "x" :limit 3})'),
    ('(call "test.tickets" {:query "x" :state "opne"})', '(call "test.tickets" {:query "x" :state "open"})'),
    ('(call "test.save" {:item {:nmae "x"}})', '(call "test.save" {:item {:name "x"}})'),
    ("(let [m {:title 1}] (inc (:titel m)))", "(let [m {:title 1}] (inc (:title m)))"),
]
"""Program, and what `rtfs fix` makes of it."""

SAID = [
    ("1 + 2", "(+ 1 2)", "(+ 1 2)"),
    ("(max [1 2])", "(apply max [1 2])", "(apply max coll)"),
    ('(+ "a" "b")', '(str "a" "b")', "str puts strings together"),
    ("(+ 1 2", "(+ 1 2)", "close it with `)`"),
    ("(lambda (x) x)", "(fn [x] x)", "(fn [x] …)"),
    ("(defn f (x) x)", "(defn f [x] x)", "(defn f [x] …)"),
    ("(let (x 1) x)", "(let [x 1] x)", "(let [pattern value …] body…)"),
    ("(defun f [x] x)", "(defn f [x] x)", "(defn name [parameter …] body …)"),
    ("(elif 1)", "(cond true 1 :else 2)", "(cond test value … :else value)"),
    ("(return 1)", "1", "its last form"),
    ("(append [1] 2)", "(conj [1] 2)", "(conj coll item)"),
    ("(foreach [x [1]] x)", "(doseq [x [1]] x)", "(doseq [item coll] …)"),
    ("(for [x in [1 2]] x)", "(for [x [1 2]] x)", "(for [x [1 2]"),
    ("(cond [(= 1 1) 2])", "(cond (= 1 1) 2 :else nil)", "(cond false 1 :else 2)"),
    ("(update {:a 1} :a)", "(update {:a 1} :a inc)", "(update coll key f & args)"),
    ("(assoc {:a 1} {:b 2})", "(assoc {:a 1} :b 2)", "(assoc coll key value & more)"),
    ("(nth 0 [1])", "(nth [1] 0)", "(nth coll index default?)"),
    ("(get :a {:a 1})", "(get {:a 1} :a)", "(get coll key default?)"),
    ("(map [1 2] inc)", "(map inc [1 2])", "(map f coll? & colls)"),
    ("(reduce [1 2] +)", "(reduce + [1 2])", "(reduce f init? coll)"),
    ("(defn f [x] x) (f 1 2)", "(defn f [x] x) (f 1)", "(f x)"),
    ("(1 2)", "[1 2]", "[1 2]"),
]
"""Program, a right one, and what the message or its hint says to write."""


@pytest.mark.parametrize(("wrong", "right"), FIXED, ids=[one[0] for one in FIXED])
def test_the_fix_mends_it(wrong: str, right: str):
    with new_runtime([]) as runtime:
        assert rtfs.fix(wrong, runtime=runtime).text == right
        assert rtfs.analyse(right, runtime=runtime).errors == []


@pytest.mark.parametrize(("wrong", "right", "said"), SAID, ids=[one[0] for one in SAID])
def test_the_message_says_how_to_mend_it(wrong: str, right: str, said: str):
    with new_runtime([]) as runtime:
        told = [f"{one.message}\n{one.hint}" for one in rtfs.analyse(wrong, runtime=runtime).errors]
        assert any(said in text for text in told), told
        assert rtfs.analyse(right, runtime=runtime).errors == []


def shape(text: str) -> tuple[str, int | None] | None:
    """Head and number of arguments of the first form of a text; no number where it says that there may be more."""
    if not text.startswith("("):
        return None
    inner = text[1:-1] if text.endswith(")") else text[1:]
    words = place_at(f"({inner} ", len(inner) + 2).frames[0].items
    parts = [inner[word.start - 1 : word.end - 1] for word in words]
    open_ended = text != f"({inner})" or any(part in ("&", "…") or part.endswith(("?", "…")) for part in parts)
    return parts[0], None if open_ended else len(parts) - 1


@pytest.mark.parametrize(("wrong", "right", "said"), SAID, ids=[one[0] for one in SAID])
def test_the_right_program_is_what_the_message_shows(wrong: str, right: str, said: str):
    last = right.rpartition(") (")  # a call after its definition
    shown, written = shape(said), shape(f"({last[2]}" if last[1] else right)
    if shown is None:
        return
    assert written is not None
    assert written[0] == shown[0]
    assert shown[1] is None or written[1] == shown[1]


def test_the_programs_differ_from_the_mistakes_and_run():
    with new_runtime([]) as runtime:
        for wrong, right in [*FIXED, *[(wrong, right) for wrong, right, _ in SAID]]:
            assert wrong != right
            with pytest.raises(rtfs.UserError):
                runtime.run(wrong)
            runtime.run(right)


def test_there_are_forty_mistakes():
    assert len(FIXED) + len(SAID) == 40
