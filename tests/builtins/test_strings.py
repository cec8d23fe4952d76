"""String functions and `format`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.builtins import CORE
from rtfs.builtins.argument_errors import MAX_TEXT
from rtfs.values import EvalError, Keyword, LimitError, List, Map, Regex, TypeMismatch, UserError, Vector

K = Keyword


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("str", (), ""),
        ("str", ("a", 1, K("k"), None, Vector([2, "x"])), 'a1:k[2 "x"]'),
        ("pr-str", ("a", 1), '"a" 1'),
        ("string-length", ("é😀",), 2),
        ("substring", ("a😀b", 1, 2), "😀"),
        ("substring", ("abc", 3), ""),
        ("substring", ("abc", 0, 3), "abc"),
        ("string-contains?", ("hello", "ell"), True),
        ("starts-with?", ("abc", ""), True),
        ("ends-with?", ("a", "aa"), False),
        ("join", (", ", Vector([1, 2.0, K("k"), "s", None])), "1, 2.0, :k, s, "),
        ("join", ("-", "abc"), "a-b-c"),
        ("join", (",", None), ""),
        ("join", (",", Map({K("a"): 1})), "[:a 1]"),
        ("upper", ("añb",), "AÑB"),
        ("lower", ("ÀB",), "àb"),
        ("trim", ("\t x\n",), "x"),
        ("replace", ("aaa", "a", "b"), "bbb"),
    ],
)
def test_values(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert CORE[name](*args) == expected


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("a,b,,c,", ",", ["a", "b", "", "c", ""]),
        ("", ",", [""]),
        ("", "", []),
        ("a😀", "", ["a", "😀"]),
        ("a--b", "--", ["a", "b"]),
        ("a.b", ".", ["a", "b"]),
    ],
)
def test_split_is_literal_and_keeps_empties(text: str, separator: str, parts: list[str]) -> None:
    assert list(CORE["split"](text, separator)) == parts


@given(st.text(), st.text(min_size=1))
def test_join_undoes_split(text: str, separator: str) -> None:
    assert CORE["join"](separator, CORE["split"](text, separator)) == text


@pytest.mark.parametrize("args", [("abc", 4), ("abc", -1), ("abc", 0, 4), ("abc", 2, 1), ("abc", -1, 2)])
def test_substring_beyond_the_text_is_an_index_error(args: tuple[Any, ...]) -> None:
    with pytest.raises(EvalError) as caught:
        CORE["substring"](*args)
    assert caught.value.code == "index/out-of-bounds"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("string-length", (5,)),
        ("substring", (None, 0, 1)),
        ("substring", ("abc", 1.0)),
        ("split", (5, ",")),
        ("split", ("a", None)),
        ("join", (Vector(["a"]), ",")),
        ("join", (",", 5)),
        ("upper", (1,)),
        ("trim", (None,)),
        ("replace", ("a", "a", 1)),
        ("string-contains", ("abc", 1)),
        ("format", (5,)),
    ],
)
def test_wrong_kinds(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeMismatch):
        CORE[name](*args)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("str", ("x" * (MAX_TEXT // 2), "y" * (MAX_TEXT // 2 + 1))),
        ("replace", ("a" * 10_000, "", "b" * 10_000)),
        ("join", ("x" * 100_000, Vector([1] * 1000))),
        ("format", ("%999999999d", 1)),
        ("format", ("%40000000d%40000000d", 1, 1)),
        ("format", ("%.999999999f", 1.5)),
        ("format", ("%99999999999999999999999s", 1)),
    ],
)
def test_results_that_would_be_too_long_are_refused_before_they_are_built(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(LimitError) as caught:
        CORE[name](*args)
    assert caught.value.code == "limit/size"


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("plain", (), "plain"),
        ("100%%", (), "100%"),
        ("%s and %s", ("a", 1), "a and 1"),
        ("%s %s", (None, List([1, "x"])), 'nil (1 "x")'),
        ("%5d|%-5d|%05d|%+d|% d", (42, 42, -42, 7, 7), "   42|42   |-0042|+7| 7"),
        ("%,d %,d %,d", (1234567, -123, 123456), "1,234,567 -123 123,456"),
        ("%.2f %f", (3.14159, 1), "3.14 1.000000"),
        ("%8.3f|%-8.1f|%08.2f", (2.5, 2.5, -2.5), "   2.500|2.5     |-0002.50"),
        ("%,.2f", (1234567.891,), "1,234,567.89"),
        ("%.1e", (12345.0,), "1.2e+04"),
        ("%x %X %o %#x", (255, 255, 8, 255), "ff FF 10 0xff"),
        ("%b %b", (None, 0), "false true"),
        ("%c", ("é",), "é"),
        ("%10s|%-10s|%.2s", ("abc", "abc", "abc"), "       abc|abc       |ab"),
        ("%2$s %1$s", ("a", "b"), "b a"),
        ("%n", (), "\n"),
        ("%.0f %5f %f", (float("inf"), float("-inf"), float("nan")), "Infinity -Infinity NaN"),
        ("%.1f %.1f %.2f %.0f %.0f", (0.25, -0.25, 1.005, 0.5, 2.5), "0.3 -0.3 1.01 1 3"),
        ("%.3f %.2f %.1f", (1e-10, 1e21, 99.95), "0.000 1000000000000000000000.00 100.0"),
        ("%.20f", (0.1,), "0.10000000000000000000"),
        ("%(d %(.1f %(d", (-5, -2.5, 5), "(5) (2.5) 5"),
        ("%e %E %.0e", (0.00012345, 123456.0, 9.5), "1.234500e-04 1.234560E+05 1e+01"),
        ("%g %g %g %.3g", (123.456, 0.00001, 1e10, 999.9), "123.456 1.00000e-05 1.00000e+10 1.00e+03"),
        ("%x %o", (-1, -1), "ffffffffffffffff 1777777777777777777777"),
        ("%#o %#X %08x", (8, 255, 48879), "010 0XFF 0000beef"),
        ("%S %B %C", ("abc", True, "x"), "ABC TRUE X"),
        ("%s %<s %s", ("a", "b"), "a a b"),
        ("%5%|%-5%|", (), "    %|%    |"),
        ("%d %s", (None, None), "nil nil"),
        ("%s", (Regex("a+"),), "a+"),
        ("%s", (1, 2, 3), "1"),
    ],
)
def test_format(template: str, values: tuple[Any, ...], text: str) -> None:
    assert CORE["format"](template, *values) == text


def test_format_prints_integers_of_any_size() -> None:
    assert CORE["format"]("%d", 10**10_000) == "1" + "0" * 10_000


@pytest.mark.parametrize(
    ("template", "values", "code"),
    [
        ("%d", (1.5,), "type/mismatch"),
        ("%d", ("1",), "type/mismatch"),
        ("%f", ("1",), "type/mismatch"),
        ("%x", (1.0,), "type/mismatch"),
        ("%s %s", ("a",), "argument/format"),
        ("%z", ("a",), "argument/format"),
        ("50%", (), "argument/format"),
        ("%.f", (1.0,), "argument/format"),
        ("%5", (1,), "argument/format"),
        ("%3$s", (1,), "argument/format"),
        ("%-05d", (1,), "argument/format"),
        ("%05s", ("a",), "argument/format"),
        ("%-d", (1,), "argument/format"),
        ("%.2d", (1,), "argument/format"),
        ("%++d", (1,), "argument/format"),
        ("%,x", (1,), "argument/format"),
        ("%<s", ("a",), "argument/format"),
        ("%tY", ("a",), "argument/format"),
        ("%c", ("ab",), "type/mismatch"),
        ("{} is {}", ("a", 1), "argument/format"),
    ],
)
def test_format_errors(template: str, values: tuple[Any, ...], code: str) -> None:
    with pytest.raises(UserError) as caught:
        CORE["format"](template, *values)
    assert caught.value.code == code
