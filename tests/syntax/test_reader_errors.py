"""Every reader error: its code, its place, its text, and that reading continues after it."""

from __future__ import annotations

import pytest

from rtfs.syntax.reader import incomplete
from tests.syntax.support import errors, forms, found


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("1_000", "reader/number", "1_000"),
        ("12abc", "reader/number", "12abc"),
        ("1.", "reader/number", "1."),
        (".5", "reader/number", ".5"),
        ("-.5", "reader/number", "-.5"),
        ("1.5.2", "reader/number", "1.5.2"),
        ("1e", "reader/number", "1e"),
        ("0xZZ", "reader/number", "0xZZ"),
        ("0b12", "reader/number", "0b12"),
        ("0o8", "reader/number", "0o8"),
        ("0X1", "reader/number", "0X1"),
        ("5L", "reader/number", "5L"),
        ("2r12", "reader/number", "2r12"),
        ("-017", "reader/number", "-017"),
        ("37r1", "reader/number", "37r1"),
        ("1.5N", "reader/number", "1.5N"),
        ("1e999", "reader/number", "1e999"),
        ("2023-12-25", "reader/number", "2023-12-25"),
        ("2023-12-25T10:30:45+01:00", "reader/number", "2023-12-25T10:30:45+01:00"),
        ("1/2", "reader/unsupported", "1/2"),
        ("resource://", "reader/resource", "resource://"),
        ("#{1 2 1}", "reader/duplicate", "1"),
        ("#{[a] (a)}", "reader/duplicate", "(a)"),
        ("\\newlin", "reader/character", "\\newlin"),
        ("\\ud800", "reader/character", "\\ud800"),
        ("[\\ ]", "reader/unsupported", "\\"),
        ('#"a+', "reader/unterminated-string", '#"'),
        ("#::a{:b 1}", "reader/keyword", "#::a{"),
        ("#foo [1]", "reader/unsupported", "#foo"),
        ("#'x", "reader/unsupported", "#'"),
        ('#inst "soon"', "reader/unsupported", '"soon"'),
        ('#uuid "12"', "reader/unsupported", '"12"'),
        ("#inst 2020", "reader/unsupported", "#inst"),
        ("#?(:clj 1)", "reader/unsupported", "#?"),
        ("#<function f>", "reader/unsupported", "#<function f>"),
        ("#^:a x", "reader/unsupported", "#^"),
        ("##Foo", "reader/unsupported", "##Foo"),
        ("::a", "reader/keyword", "::a"),
        ('"a\\qb"', "reader/string-escape", "\\q"),
        ('"\\0"', "reader/string-escape", "\\0"),
        ('"\\u00"', "reader/string-escape", "\\u"),
        ('"\\uZZZZ"', "reader/string-escape", "\\u"),
        ('"\\ud83d"', "reader/string-escape", "\\ud83d"),
        ('"\\ude00"', "reader/string-escape", "\\ude00"),
        ('"\\ud83dx"', "reader/string-escape", "\\ud83d"),
        ('"\\ud83d\\n"', "reader/string-escape", "\\ud83d"),
        ('"abc', "reader/unterminated-string", '"'),
        ("#| a #| b |#", "reader/unterminated-comment", "#|"),
        ("|# x", "reader/unexpected-close", "|#"),
        ("(1 2", "reader/unclosed", "("),
        ("[", "reader/unclosed", "["),
        ("{:a", "reader/unclosed", "{"),
        ("#(f %", "reader/unclosed", "#("),
        (")", "reader/unexpected-close", ")"),
        ("(1 2]", "reader/mismatched", "]"),
        ("[1 (2 3]", "reader/mismatched", "]"),
        ("{:a}", "reader/odd-map", ":a"),
        ("{:a 1 :b}", "reader/odd-map", ":b"),
        ("(do ^{:a} 5)", "reader/odd-map", ":a"),
        ("^5 6", "reader/metadata", "5"),
        ("^[1] x", "reader/metadata", "[1]"),
        ("(')", "reader/missing-form", "'"),
        ("(a ~@)", "reader/missing-form", "~@"),
        ("[^:a]", "reader/missing-form", "^"),
        ("#_", "reader/missing-form", "#_"),
        ("#(f #(g %))", "reader/nested-function", "#("),
        ("#(f %0)", "reader/argument", "%0"),
        ("#(f %21)", "reader/argument", "%21"),
        ("#(f %x)", "reader/argument", "%x"),
        ("a\0b", "reader/character", "\0"),
        ('"\x1b"', "reader/character", "\x1b"),
        ("; \x0c", "reader/character", "\x0c"),
        ("a\ufffe", "reader/character", "\ufffe"),
        ("\U0001ffff", "reader/character", "\U0001ffff"),
        ("\ud800", "reader/character", "\ud800"),
        ("a\u00a0b", "reader/character", "\u00a0"),
        ("a\u202eb", "reader/character", "\u202e"),
        ("1 \ufeff", "reader/character", "\ufeff"),
        ("a|b", "reader/character", "|"),
    ],
)
def test_an_error_has_its_code_and_marks_the_faulty_piece_alone(text, code, marked):
    (error,) = errors(text)
    assert (error.code, error.span.text) == (code, marked)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1/2", "(/ 1 2)"),
        ("1_000", "1000"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("5L", "`5`"),
        ("#{1 1}", "(set [a b])"),
        ("\\abc", '`"abc"`'),
        ("[\\ ]", "\\space"),
        ("#'x", "without `#'`"),
        ("::a", ":a"),
        ('"\\0"', "\\u0000"),
        ('"\\x41"', "\\u"),
        ("1e999", "##Inf"),
    ],
)
def test_an_error_says_what_to_write_instead(text, hint):
    assert hint in (errors(text)[0].hint or "")


def test_brackets_name_their_opener_and_its_place():
    assert "`(` of line 2, column 3" in errors("[\n  (1 2]")[0].message
    assert "`{` of line 1, column 4" in errors("(f {:a")[1].message
    assert "line 5" in (errors("(def f\n  (fn [x]\n    x)\n\n(def g 1)")[0].hint or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "(a 1x\n b 2y)\n(c ]\n\"\\q\" {:a}",
            [
                ("reader/number", 1, 4),
                ("reader/number", 2, 4),
                ("reader/mismatched", 3, 4),
                ("reader/string-escape", 4, 2),
                ("reader/odd-map", 4, 7),
            ],
        ),
        ("(a ')\n1x", [("reader/missing-form", 1, 4), ("reader/number", 2, 1)]),
        (") ] } 1x", [("reader/unexpected-close", 1, n) for n in (1, 3, 5)] + [("reader/number", 1, 7)]),
        ("[1 (2 {3 4] 1x", [("reader/mismatched", 1, 11), ("reader/number", 1, 13)]),
        ("{:a (b] :c 1} 1x", [("reader/mismatched", 1, 7), ("reader/number", 1, 15)]),
        ("1x 1x", [("reader/number", 1, 1), ("reader/number", 1, 4)]),
        ("#{1 2x 1} {:a #{3)}", [("reader/number", 1, 5), ("reader/duplicate", 1, 8), ("reader/mismatched", 1, 18)]),
        ("#_ 1x 2", [("reader/number", 1, 4)]),
        ("^{:a} ^5 ' ", [("reader/odd-map", 1, 3), ("reader/metadata", 1, 8), ("reader/missing-form", 1, 10)]),
        ('(a "b) (c', [("reader/unterminated-string", 1, 4)]),
        ("(a #| b) (c", [("reader/unterminated-comment", 1, 4)]),
        ("(a (b", [("reader/unclosed", 1, 1), ("reader/unclosed", 1, 4)]),
        ("{:a 1x :b}", [("reader/number", 1, 5), ("reader/odd-map", 1, 8)]),
        ("{:a", [("reader/unclosed", 1, 1)]),
        ("[^(a ] 1x", [("reader/missing-form", 1, 2), ("reader/metadata", 1, 3), ("reader/mismatched", 1, 6)]
         + [("reader/number", 1, 8)]),
        ("^(a", [("reader/missing-form", 1, 1), ("reader/unclosed", 1, 2)]),
    ],
)  # fmt: skip
def test_all_errors_of_a_text_are_told_in_the_order_of_their_places(text, expected):
    assert found(text) == expected


def test_after_a_hundred_errors_reading_stops():
    assert len(errors("1x " * 500)) == 100
    assert len(errors("(" * 500)) == 100
    assert len(errors("\0" * 500)) == 100


@pytest.mark.parametrize(
    "text",
    ["(", "(a", "[1 {:a", "{:a", '"abc', '(a "b', "#| x", "(a #| b |#\n", "'", "(a '", "^:k", "#_", "(f ~@", "#(f %"]
    + ['"a\\', '"\\q', "(let [x 1]\n  (+ x", "1 2 (", "(a) '", "(do ' ; comment"]
    + ["(^{:a 1}", "(let [x ^{:a [1]} ", "^{:a 1}"],
)
def test_text_that_more_could_complete_is_incomplete(text):
    assert incomplete(text)


@pytest.mark.parametrize(
    "text", ["", "1", "(a)", ")", "(a]", "(a 1x", "1x", "{:a}", "(')", "(^{:a 1})", "#{1 1", "; (", "(a) ; [", "(] ("]
)
def test_text_that_is_complete_or_wrong_whatever_follows_is_not_incomplete(text):
    assert not incomplete(text)


def test_an_error_leaves_no_trace_in_the_next_reading():
    errors("(a ]")
    assert len(forms("(a) [b]")) == 2
