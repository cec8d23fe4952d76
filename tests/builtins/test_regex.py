"""Regular expressions on RE2."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.builtins import CORE
from rtfs.syntax.patterns import CACHE_SIZE, MAX_GROUPS, MAX_LENGTH, _cache
from rtfs.values import EvalError, Regex, TypeMismatch


def plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else list(value)


@pytest.mark.parametrize(
    ("name", "pattern", "text", "expected"),
    [
        ("re-matches", "[a-z]+", "abc", "abc"),
        ("re-matches", "[a-z]+", "abc1", None),
        ("re-matches", "a|ab", "ab", "ab"),
        ("re-matches", "", "", ""),
        ("re-find", r"\d+", "ab12cd34", "12"),
        ("re-find", "z", "abc", None),
        ("re-find", "😀b", "ä😀b", "😀b"),
        ("re-seq", r"\d", "a1b2", ["1", "2"]),
        ("re-seq", "é+", "aéé😀é", ["éé", "é"]),
        ("re-seq", "x", "abc", []),
        ("re-groups", "([a-z])([0-9])?", "é1a", ["a", "a", None]),
        ("re-groups", "b", "abc", ["b"]),
        ("re-groups", "z", "abc", None),
        ("re-split", "[,;] *", "a, b;c", ["a", "b", "c"]),
        ("re-split", "(,)", "ä,😀,", ["ä", "😀", ""]),
        ("re-split", "", "aé😀", ["a", "é", "😀"]),
        ("re-split", "x*", "axb", ["a", "b"]),
        ("re-split", ",", "", [""]),
    ],
)
def test_values(name: str, pattern: str, text: str, expected: Any) -> None:
    assert plain(CORE[name](pattern, text)) == expected


NAMES = ["re-matches", "re-find", "re-seq", "re-groups", "re-split"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pattern", ["[", "(", "*", r"(a)\1", "(?=a)", "a{100000}"])
def test_what_re2_does_not_take_is_invalid(name: str, pattern: str) -> None:
    with pytest.raises(EvalError) as caught:
        CORE[name](pattern, "a")
    assert caught.value.code == "regex/invalid"
    assert "b'" not in caught.value.message


@pytest.mark.parametrize("name", NAMES)
def test_both_arguments_are_strings(name: str) -> None:
    for args in ((5, "a"), ("a", None), (None, "a")):
        with pytest.raises(TypeMismatch):
            CORE[name](*args)


def test_patterns_that_kill_backtracking_engines_are_harmless() -> None:
    assert CORE["re-matches"]("(a*)*b", "a" * 100_000) is None


@pytest.mark.parametrize("pattern", ["a?" * MAX_LENGTH, "(a?)" * (MAX_GROUPS + 1), r"\pL{0,500}" * 100])
def test_patterns_that_would_cost_too_much_are_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    for one in (pattern, Regex(pattern)):
        with pytest.raises(EvalError) as caught:
            CORE["re-find"](one, "x")
        assert caught.value.code == "regex/invalid"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\u0041+", "xAA", "AA"),
        (r"\p{Alpha}+", "12ab", "ab"),
        (r"[\p{Digit}\p{Punct}]+", "ab1!2", "1!2"),
        (r"\P{Space}+", " ab ", "ab"),
        (r"\p{IsAlphabetic}+", "1é", "é"),
        (r"\p{IsGreek}", "aλ", "λ"),
        (r"\p{javaUpperCase}", "aÉ", "É"),
        (r"a\hb", "a\tb", "a\tb"),
        (r"a\R", "a\r\nb", "a\r\n"),
        ("(?x) a \\s b # a comment\n c", "a bc", "a bc"),
        (r"\Q[a]\E+", "[a]]", "[a]]"),
        (r"[\[\]]+", "a[]", "[]"),
        (r"[]a]+", "x]a", "]a"),
        (r"[[:alpha:]]+", "1a", "a"),
    ],
)
def test_a_regular_expression_takes_javas_spellings(pattern: str, text: str, found: str) -> None:
    assert CORE["re-find"](Regex(pattern), text) == found


@pytest.mark.parametrize("pattern", ["[a-z&&[^b]]", "[a[b]]", r"\Z", "a++", "(?<=a)b"])
def test_what_re2_would_misread_or_does_not_have_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(EvalError) as caught:
        CORE["re-find"](Regex(pattern), "a")
    assert caught.value.code == "regex/invalid"
    assert caught.value.hint


def test_the_cache_is_bounded() -> None:
    for i in range(CACHE_SIZE + 10):
        CORE["re-find"](f"a{{{i % 300 + 1}}}b{i}", "a")
    assert len(_cache) <= CACHE_SIZE


def test_text_with_half_a_surrogate_pair_is_an_error_of_the_language() -> None:
    with pytest.raises(EvalError):
        CORE["re-find"]("a", "\ud800")
