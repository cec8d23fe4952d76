"""Regular expressions on RE2."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.regex import CACHE_SIZE, _cache
from rtfs.values import EvalError, TypeMismatch


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


def test_the_cache_is_bounded() -> None:
    for i in range(CACHE_SIZE + 10):
        CORE["re-find"](f"a{{{i % 300 + 1}}}b{i}", "a")
    assert len(_cache) <= CACHE_SIZE


def test_text_with_half_a_surrogate_pair_is_an_error_of_the_language() -> None:
    with pytest.raises(EvalError):
        CORE["re-find"]("a", "\ud800")
