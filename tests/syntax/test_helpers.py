"""Spans of forms, suggestions, resources."""

from __future__ import annotations

import pytest

from rtfs.syntax.numbers import float_text, int_text, parse_digits
from rtfs.syntax.resources import resource_path, resource_text
from rtfs.syntax.spans import child_span, meta_of, span_of
from rtfs.syntax.suggest import did_you_mean
from rtfs.values import List, Symbol
from tests.syntax.support import one


def test_a_form_knows_its_place_and_its_childrens():
    form = one("(let [x 1]\n  'y)")
    assert str(span_of(form)) == "test.rtfs:1:1"
    assert span_of(form).text == "(let [x 1]\n  'y)"
    assert [child_span(form, i).text for i in range(3)] == ["let", "[x 1]", "'y"]
    assert child_span(form[1], 1).text == "1"
    assert child_span(form[2], 0).text == "'"
    assert child_span(form[2], 1).text == "y"
    assert child_span(form, 9) == span_of(form)
    assert [child_span(one("{:a 1 :b 2}"), i).text for i in range(4)] == [":a", "1", ":b", "2"]


def test_the_parts_of_a_short_function_lie_within_it():
    form = one("#(+ % 1)")
    assert span_of(form).text == "#(+ % 1)"
    assert span_of(form[2]).text == "(+ % 1)"
    assert [child_span(form[2], i).text for i in range(3)] == ["+", "%", "1"]
    assert child_span(form, 0).text == "#"


def test_what_a_program_makes_has_no_place():
    assert span_of(5) is None
    assert span_of(List([1])) is None
    assert child_span(List([1]), 0) is None
    assert meta_of(Symbol("x")) is None
    assert meta_of("x") is None
    assert meta_of(one("^:a x")) is not None


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("prinln", ["print", "println", "pr-str"], "println"),
        ("cuont", ["count", "conj"], "count"),
        ("strng", ["string", "str"], "string"),
        ("Count", ["count"], "count"),
        ("lenght", ["length", "list"], "length"),
        ("reduec", ["reduce", "reduce-kv"], "reduce"),
        ("foo", ["bar", "baz"], None),
        ("x", ["y", "z"], None),
        ("", ["a"], None),
        ("map", ["map"], None),
        ("frist", ["first", "frisk"], "first"),
        ("a" * 100, ["a" * 99], None),
        ("abc", [], None),
    ],
)
def test_the_nearest_known_name_is_suggested(name, candidates, expected):
    if name == "frist":  # both are one edit away: the first in the alphabet
        assert did_you_mean(name, candidates) == did_you_mean(name, candidates[::-1]) == expected
    assert did_you_mean(name, candidates) == expected


def test_resources_are_found_by_name_and_nothing_else_is():
    assert "program:" in resource_text("grammar/rtfs.lark")
    for name in ("grammar/nope.lark", "grammar/../pyproject.toml", "rtfs/source.py", "grammar", "", "/etc/passwd"):
        assert resource_path(name) is None
    with pytest.raises(FileNotFoundError):
        resource_text("stdlib/nope.rtfs")


@pytest.mark.parametrize("digits", [1, 511, 512, 513, 1024, 4300, 4301, 30_000])
def test_digits_convert_both_ways(digits):
    text = ("1234567890" * (digits // 10 + 1))[:digits]
    assert int_text(parse_digits(text)) == text
    assert int_text(-parse_digits(text)) == "-" + text
    assert parse_digits("0" * digits) == 0


@pytest.mark.parametrize("number", [0.1, 1e22, 1.5e300, 5e-324, -2.5, 123456789.125, 1e15, 1e16, 1 / 3])
def test_a_float_prints_shortest_and_with_a_mark_of_its_kind(number):
    text = float_text(number)
    assert float(text) == number
    assert "." in text or "e" in text
    assert len(text) <= len(repr(number))
