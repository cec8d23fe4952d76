"""The formatter: what it changes, and what it never does."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings

from rtfs.source import Source
from rtfs.syntax.formatter import format_source
from rtfs.syntax.reader import read_forms
from rtfs.values import ReaderError
from tests.syntax import oracle
from tests.syntax.test_reader_against_oracle import TEXTS


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("", ""),
        ("  \n\n", ""),
        ("( a   b )", "(a b)\n"),
        ("{:a 1, :b 2}", "{:a 1 :b 2}\n"),
        ("(a)(b)[c]", "(a) (b) [c]\n"),
        ("(defn f [x]\n(+ x\n1))", "(defn f [x]\n  (+ x\n     1))\n"),
        ("(let [x 1\ny 2]\nx)", "(let [x 1\n      y 2]\n  x)\n"),
        ("(foo\nbar)", "(foo\n  bar)\n"),
        ("(foo bar\nbaz)", "(foo bar\n     baz)\n"),
        ("{:a 1\n:b\n2}", "{:a 1\n :b\n 2}\n"),
        ("((f x)\ny)", "((f x)\n y)\n"),
        ("(f a\n)", "(f a)\n"),
        ("(\nf a)", "(f a)\n"),
        ("(f a ; why\n)", "(f a ; why\n   )\n"),
        (";a  \n\n\n\n;b\n(f)", ";a\n\n;b\n(f)\n"),
        ("(f ;c\nx)", "(f ;c\n  x)\n"),
        ("'  x ~@  y ~ @z", "'x ~@y ~ @z\n"),
        ("^:k\nx", "^:k\nx\n"),
        ("#_\n x y", "#_x y\n"),
        ("x : Int [x:int] :[:map]", "x : Int [x:int] :[:map]\n"),
        ('"a  \n  b" x', '"a  \n  b" x\n'),
        ("#| a\n   b |#   x", "#| a\n   b |# x\n"),
        ("#!/usr/bin/env rtfs\n\n\n(f)", "#!/usr/bin/env rtfs\n\n(f)\n"),
        ("\ufeffx\r\ny\r\n", "x\ny\n"),
        ("#(+ %\n1)", "#(+ %\n    1)\n"),
    ],
)
def test_layout(text, formatted):
    assert format_source(text) == formatted


def test_what_cannot_be_read_is_not_formatted():
    with pytest.raises(ReaderError):
        format_source("(a ]")


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("x: [y]")
@example("a:#(x) :#(y)")
@example("a:'b ~ @x ~@x")
@example("(a ;b\n)")
@example("'\n;c\nx")
@example("#_\n;c\nx y")
def test_forms_and_comments_stay_and_formatting_again_changes_nothing(text):
    try:
        before = [oracle.show(form) for form in read_forms(Source(text))]
    except ReaderError:
        return
    formatted = format_source(text)
    assert [oracle.show(form) for form in read_forms(Source(formatted))] == before
    assert format_source(formatted) == formatted
    assert not re.search(r"\n{3}", re.sub(r'"[^"]*"|#\|.*?\|#', "", formatted, flags=re.DOTALL))


def test_deep_nesting_is_formatted_with_bounded_indentation():
    depth = 20_000
    formatted = format_source("[\nx\n" * depth + "]" * depth)
    assert max(len(line) for line in formatted.split("\n")[:-2]) < 200
