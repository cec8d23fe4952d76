"""Warnings where a value is another one than in Clojure, each with a call that gives the same in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtfs
from rtfs.checker.differences import CODE

DIVERGENCES = Path(__file__).parent.parent.parent / "docs" / "divergences.md"

DIFFERS = [
    ("(/ 7 2)", "(/ 8 2)"),
    ("(/ 2)", "(/ 7.0 2)"),
    ("(/ 5)", "(/ 1)"),
    ("(reduce conj () [1 2])", "(reduce conj [] [1 2])"),
    ("(reduce (fn [a x] (if (odd? x) (conj a x) a)) '() [1 2])", "(reduce (fn [a x] (cons x a)) () [1 2])"),
    ("(/ 12 2 4)", "(/ 12 2 3)"),
    ("(let [n 7] (/ n 2))", "(let [n 8] (/ n 2))"),
    ("(-> 7 (/ 2))", "(-> 8 (/ 2))"),
    ("(conj '(1) 2)", "(conj [1] 2)"),
    ("(let [xs (list 1 2)] (conj xs 3))", "(let [xs (vector 1 2)] (conj xs 3))"),
    ("(into '(1) [2])", "(into [1] [2])"),
    ("(contains? [1 2] 1)", "(contains? {1 2} 1)"),
    (r"(int \5)", '(int "5")'),
    (r'(= \a "a")', '(= "a" "a")'),
    ('(= #"a" #"a")', '(= (str #"a") (str #"a"))'),
    (r"(string? \a)", '(string? "a")'),
    ("(compare [1 2 3] [2])", "(compare [1 2] [1 3])"),
    ('(format "%s" nil)', '(format "%s" 1)'),
    ("(bit-shift-left 1 70)", "(bit-shift-left 1 7)"),
    ('(json/write-str "a/b")', '(json/write-str "a/b" :escape-slash true)'),
    ('(json/write-str "é")', '(json/write-str "e")'),
    ("(str 1e10)", "(str 1.5)"),
    ("(str {:a 1 :b 2})", "(str {:a 1})"),
    ("(pr-str {:a 1 :b 2})", "(pr-str {:a 1})"),
    ('(parse-long "9223372036854775808")', '(parse-long "7")'),
    ('(re-find #"a$" "a\\n")', '(re-find #"a$" "a")'),
    ('(ex-info "" {})', '(ex-info "no" {})'),
]
"""Programs that differ, and ones beside them that do not."""

COVERED = {
    "conj": "(conj '(1) 2)",
    "(/ 7 2)": "(/ 7 2)",
    "(/ 5)": "(/ 5)",
    "characters are": r'(= \a "a")',
    r"(int \5)": r"(int \5)",
    "longs overflow": "(bit-shift-left 1 70)",
    "regular expressions": '(re-find #"a$" "a\\n")',
    '(= #"a" #"a")': '(= #"a" #"a")',
    "compare": "(compare [1 2 3] [2])",
    '(format "%s" nil)': '(format "%s" nil)',
    "floats print": "(str 1e10)",
    "entries of a map": "(str {:a 1 :b 2})",
    "contains?": "(contains? [1 2] 1)",
    "(json/write-str": '(json/write-str "a/b")',
    "(ex-message (ex-info": '(ex-info "" {})',
}
"""What a row of the page begins with, where its difference changes a value: a program that is warned about."""

NO_VALUE = (
    "sets have no order", "ratios", "`5N` and `1.5M`", "`017` is 15", "`#{a b}`", "`#inst`", "`clojure.set`", "`some`",
    "sequence functions are lazy", "reading an endless sequence", "`conj` on a lazy", "`transient`", "atoms",
    "a static method", "`catch`", "`::key`", "a namespace's Java", "annotations",
)  # fmt: skip
"""Rows that change an error, an order that Clojure leaves open, a class, or when something is computed."""


def warnings(text: str) -> list[str]:
    with rtfs.Runtime() as runtime:
        found = rtfs.analyse(text, runtime=runtime).diagnostics
    return [one.code for one in found if one.code == CODE]


@pytest.mark.parametrize(("differs", "same"), DIFFERS, ids=[one[0] for one in DIFFERS])
def test_what_differs_is_warned_about_and_nothing_else(differs: str, same: str):
    assert warnings(differs) == [CODE]
    assert warnings(same) == []


def test_every_row_of_the_page_is_warned_about_or_changes_no_value():
    text = DIVERGENCES.read_text("utf-8").partition("## From Clojure")[2].partition("\n## ")[0]
    rows = [row for row in text.splitlines() if row.startswith("| ") and not row.startswith("| Clojure")]
    left = []
    for row in rows:
        cell = row[2:]
        if not any(cell.replace("`", "").startswith(start.replace("`", "")) for start in (*COVERED, *NO_VALUE)):
            left.append(row)
    assert left == []
    assert len(rows) >= 25
    for program in COVERED.values():
        assert warnings(program), program


def test_a_comment_silences_the_warnings_of_its_line_and_no_error():
    assert warnings("(/ 7 2) ; rtfs: ignore") == []
    assert warnings(f"(/ 7 2) ;; rtfs: ignore {CODE}") == []
    assert warnings("(/ 7 2) ; rtfs: ignore lint/other") == [CODE]
    assert warnings('(str "rtfs: ignore" (/ 7 2))') == [CODE]
    assert warnings("; rtfs: ignore\n(/ 7 2)") == [CODE]
    assert [one.code for one in rtfs.analyse('(+ 1 "a") ; rtfs: ignore').errors] == ["type/mismatch"]


def test_a_run_neither_warns_nor_refuses():
    with rtfs.Runtime() as runtime:
        assert runtime.run("(/ 7 2)") == 3.5
    assert re.match(r"lint/\w+$", CODE)
