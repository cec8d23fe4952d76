"""How errors look to people."""

from __future__ import annotations

import re

import pytest

from rtfs.source import Source, Span
from rtfs.syntax.diagnostics import clean, render
from rtfs.values import UserError
from tests.syntax.support import errors


def marked(line: str, start: int, end: int) -> tuple[str, str]:
    """The source line and the carets that are shown for a stretch of `line`."""
    shown = render(UserError("x/y", "m", span=Span(Source(line, "f"), start, end))).split("\n")
    return shown[3].partition("| ")[2], shown[4].partition("| ")[2]


def test_a_report_has_code_message_place_line_carets_hint_capability_and_trace():
    source = Source("(defn f [x]\n  (/ x 0))\n(f 1)", "m.rtfs")
    error = UserError(
        "arithmetic/div-by-zero",
        "division by zero",
        span=Span(source, 14, 21),
        hint="check the divisor",
        capability="a.b",
        trace=(("f", Span(source, 23, 28)), ("main", None)),
    )
    assert render(error).split("\n") == [
        "error arithmetic/div-by-zero: division by zero",
        "  --> m.rtfs:2:3",
        "    |",
        "  2 |   (/ x 0))",
        "    |   ^^^^^^^",
        "  hint: check the divisor",
        "  capability: a.b",
        "  in f at m.rtfs:3:1",
        "  in main",
    ]


def test_an_error_without_a_place_is_shown_without_a_line():
    assert render(UserError("x", "m")) == "error x: m"


def test_colour_adds_escape_sequences_and_nothing_else():
    error = errors("(a 1x]")[0]
    coloured = render(error, color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(error)


@pytest.mark.parametrize(
    ("line", "start", "end", "shown", "carets"),
    [
        ("(foo 1x)", 5, 7, "(foo 1x)", "     ^^"),
        ("\t(foo\t1x)", 6, 8, "    (foo    1x)", "            ^^"),
        ("日本 1x", 3, 5, "日本 1x", "     ^^"),
        ("(日本)", 1, 3, "(日本)", " ^^^^"),
        ("e\u0301 1x", 3, 5, "e\u0301 1x", "  ^^"),
        ("a\x1bb 1x", 4, 6, "a\\u001bb 1x", "         ^^"),
        ("a\x1bb", 1, 2, "a\\u001bb", " ^^^^^^"),
        ("abc", 3, 3, "abc", "   ^"),
        ("", 0, 0, "", "^"),
        ("(a\nb)", 0, 5, "(a", "^^ … to line 2"),
        ("(a\nb\n)\n", 0, 6, "(a", "^^ … to line 3"),
        ("a\r\n", 0, 3, "a", "^"),
        ("a\n", 2, 2, "", "^"),
        ("a\u202eb", 2, 3, "a\\u202eb", "       ^"),
    ],
)
def test_carets_stand_under_the_columns_that_are_meant(line, start, end, shown, carets):
    assert marked(line, start, end) == (shown, carets)


@pytest.mark.parametrize("before", [0, 10, 90, 100, 130, 5_000])
@pytest.mark.parametrize("after", [0, 50, 5_000])
def test_of_a_long_line_the_part_around_the_error_is_shown(before, after):
    shown, carets = marked("a" * before + "XYZ" + "b" * after, before, before + 3)
    assert len(shown) <= 102
    start = carets.index("^")
    assert shown[start : start + len(carets.strip())] == "XYZ"


def test_an_error_longer_than_the_window_is_marked_to_its_edge():
    shown, carets = marked("a" * 1000, 0, 1000)
    assert len(carets) <= len(shown) <= 101


def test_nothing_raw_of_program_data_or_file_names_reaches_the_terminal():
    source = Source("\x1b]0;x\x07 \u202e", "evil\x1b\nname")
    error = UserError("c\x1b", "m\x07\u200b", span=Span(source, 0, 1), hint="h\x9b", capability="p\0")
    error.trace = (("f\x1b", Span(source, 0, 1)),)
    assert render(error).replace("\n", "").isprintable()
    assert "name" not in [line.strip() for line in render(error).split("\n")]
    assert clean("a\tb\r\n\x7f") == "a\\tb\\r\n\\u007f"


def test_further_reader_errors_follow_up_to_a_number():
    shown = render(errors("1x (a ]")[0])
    assert shown.count("error reader/") == 2
    many = render(errors("1x " * 60)[0])
    assert many.count("error reader/") == 21
    assert many.endswith("and 39 further errors")


def test_a_long_trace_is_shortened_in_its_middle():
    error = UserError("x", "m", trace=tuple((f"f{n}", None) for n in range(1000)))
    lines = render(error).split("\n")
    assert lines[1] == "  in f0"
    assert "  … 984 calls …" in lines
    assert lines[-1] == "  in f999"
    assert len(lines) == 18


def test_repeated_calls_of_a_trace_are_counted():
    error = UserError("x", "m", trace=(("f", None), ("f", None), ("f", None), ("g", None), ("g", None), ("h", None)))
    assert render(error).split("\n")[1:] == ["  in f", "  … 2 times more", "  in g", "  in g", "  in h"]
