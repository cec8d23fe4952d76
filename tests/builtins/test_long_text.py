"""Work on long texts is done in pieces, with the results of Python's own methods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.builtins import CORE, long_text, strings
from rtfs.builtins.clojure import string as clojure_string
from rtfs.values.step_account import account

TEXTS = st.text("abßİΣσ😀", max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _short_is_long():
    """Texts of ten characters are long."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (long_text, strings, clojure_string):
            patch.setattr(module, "LONG", 10)
        for module in (long_text, strings):
            patch.setattr(module, "PIECE", 10)
        yield


@given(TEXTS, st.text("ab", max_size=12), st.integers(0, 70))
def test_a_part_is_found_where_python_finds_it(text: str, part: str, place: int) -> None:
    start = min(place, len(text))
    assert long_text.find(text, part, start) == text.find(part, start)
    assert long_text.rfind(text, part) == text.rfind(part)
    assert long_text.rfind(text, part, place) == text.rfind(part, 0, place)


@given(TEXTS)
def test_letters_become_what_python_makes_of_them(text: str) -> None:
    assert long_text.upper(text) == text.upper()
    assert long_text.lower(text) == text.lower()
    assert long_text.reversed_text(text) == text[::-1]


@given(st.text("aab,", max_size=60), st.text("ab", min_size=1, max_size=12), st.integers(0, 8))
def test_a_text_is_split_where_python_splits_it(text: str, separator: str, most: int) -> None:
    parts = text.split(separator)
    assert long_text.split(text, separator) == parts
    some = long_text.split(text, separator, most)
    assert some == parts or len(some) > most


@given(st.text(" \n\u2003a", max_size=60), st.sampled_from(["strip", "lstrip", "rstrip"]))
def test_ends_are_stripped_as_python_strips_them(text: str, way: str) -> None:
    ours, pythons = getattr(long_text, way), getattr(str, way)
    assert ours(text) == pythons(text)
    assert ours(text, " ") == pythons(text, " ")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clojure.string/index-of", ["zz"]),
        ("clojure.string/last-index-of", ["zz"]),
        ("clojure.string/upper-case", []),
        ("clojure.string/lower-case", []),
        ("clojure.string/capitalize", []),
        ("clojure.string/reverse", []),
        ("index-of", ["zz"]),
        ("upper", []),
        ("lower", []),
        ("split", ["zz"]),
        ("split", ["b"]),
    ],
)
def test_others_have_their_turn(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(account, "pay", looks.append)
    CORE[name]("abc" * 100, *arguments)
    assert len(looks) >= 10


@pytest.mark.parametrize(
    "name",
    ["trim", "clojure.string/trim", "clojure.string/triml", "clojure.string/trimr", "clojure.string/blank?"],
)
def test_others_have_their_turn_while_white_space_is_stripped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(account, "pay", looks.append)
    assert CORE[name](" " * 300) in ("", True)
    assert len(looks) >= 10


def test_a_long_text_with_a_part_replaced() -> None:
    text = "ab,c" * 2_000_000
    for part, new in ((",", ";;"), ("c", ""), ("zz", "y"), ("b,", "x")):
        assert CORE["replace"](text, part, new) == text.replace(part, new)
    assert CORE["string-contains?"](text, "ca") is True
    assert CORE["string-contains?"](text, "cc") is False
