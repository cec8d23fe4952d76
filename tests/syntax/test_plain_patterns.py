"""Plain patterns: Python's matcher finds in text of ASCII what RE2 finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.syntax.patterns import PatternError, compile_pattern
from rtfs.syntax.plain_patterns import plain_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *(",", r"\s+", r"\d+|[-+*/()]", "[a-z]+", "[^,;]+", r"\W+", r"\|", "a b", "[_a-zA-Z0-9-]+", r"[\d.]+"),
        *("ab+|c", r"\n"),
    ],
)
def test_what_is_plain(pattern: str):
    assert plain_pattern(pattern, java=True) is not None
    assert plain_pattern(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "a*", "a?", "(a)", ".", "^a", "a$", r"\s+,", "a+b", "a++", "a{2}", r"\b", r"\pL", r"\x41", "[a-]-z]"),
        *("[[:alpha:]]", "é", "|a", "a|", r"\Qa\E", "(?i)a", "[^]", "[a-z-9]", r"[\d-z]", "[]a]", "a" * 100),
    ],
)
def test_what_is_not_plain(pattern: str):
    try:
        assert plain_pattern(pattern) is None
    except PatternError:
        with pytest.raises(PatternError):
            compile_pattern(pattern)


def test_a_pattern_that_re2_refuses_is_none_of_ours():
    with pytest.raises(PatternError):
        plain_pattern("[z-a]", java=True)


ALPHABET = "ab-z09_^]| ,.\\swdn+[&:~\n\t\v\"'#"


@given(st.text(ALPHABET, max_size=8), st.text(ALPHABET, max_size=30), st.booleans())
def test_the_matches_are_those_of_re2(pattern: str, text: str, java: bool):
    try:
        quick = plain_pattern(pattern, java)
    except PatternError:
        return
    if quick is not None:
        slow = compile_pattern(pattern, java)
        assert quick.groups == slow.groups == 0
        found = [match.span() for match in slow.finditer(text.encode())]
        assert [match.span() for match in quick.finditer(text)] == found
        assert bool(quick.fullmatch(text)) == bool(slow.fullmatch(text.encode()))
        assert all(start < end for start, end in found)
