"""JSON texts that are read in pieces: the same data as in one piece, with looks at the clock in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.builtins import json_pieces
from rtfs.builtins.json_parser import LENGTHY, LONGEST_WHOLE, parse
from rtfs.builtins.json_pieces import InOnePiece, read
from rtfs.values import EvalError, LimitError
from rtfs.values.convert import to_python
from rtfs.values.step_account import account

TEXTS = st.sampled_from(["", "a,b", '"],', "},{", '\\",', "[", "é😀"])
DATA: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(TEXTS | st.text(max_size=3), inner, max_size=8),
    max_leaves=60,
)
decode = json.JSONDecoder().raw_decode


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 20 characters, however many of them are cut in the wrong place."""
    monkeypatch.setattr(json_pieces, "PIECE", 20)
    monkeypatch.setattr(json_pieces, "_CREDIT", 100_000)


@given(st.lists(DATA, max_size=20) | st.dictionaries(TEXTS, DATA), st.sampled_from([None, (",", ":"), (" , ", "\n: ")]))
@settings(max_examples=200)
def test_pieces_make_the_data_of_the_whole(data: Any, separators: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "PIECE", 20)
        patch.setattr(json_pieces, "_CREDIT", 100_000)
        assert repr(read(f" {json.dumps(data, separators=separators)}\n", decode)) == repr(data)


@given(
    st.lists(DATA, max_size=20), st.integers(0, 10_000), st.sampled_from([*',:"[]{}\\ 1', ",,", ""]), st.integers(0, 2)
)
@settings(max_examples=200)
def test_a_broken_text_is_left_to_the_parser(data: Any, place: int, put: str, cut: int) -> None:
    text = json.dumps(data)
    place %= len(text)
    broken = text[:place] + put + text[place + cut :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "PIECE", 20)
        patch.setattr(json_pieces, "_CREDIT", 100_000)
        try:
            found = read(broken, decode)
        except InOnePiece:
            return
    assert repr(found) == repr(json.loads(broken))


@pytest.mark.parametrize(
    "text", ["", " ", "1", '"a"', "[1,]", "[,1]", "[1 2]", "[1", "[1]]", "{1:2}", '{"a":1,}', "[1}"]
)
def test_what_is_not_a_list_or_object_is_left_to_the_parser(tiny: None, text: str) -> None:
    with pytest.raises(InOnePiece):
        read(text, decode)


SLOW = {
    "lists": [[]] * 400_000,
    "lists within": {"rows": {"all": [[]] * 400_000}},
    "members": {f"k{number}": 1 for number in range(60_000)},
    "numbers": [1] * (LONGEST_WHOLE // 2),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_machine_looks_at_the_clock_while_a_long_text_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(SLOW[name], separators=(",", ":"))
    assert len(text) > LENGTHY
    looks: list[int] = []
    monkeypatch.setattr(account, "pay", looks.append)
    decoded = read(text, decode)
    assert decoded == SLOW[name]
    assert len(looks) >= len(text) // json_pieces.PIECE
    del looks[:]
    monkeypatch.setattr(json_pieces, "read", lambda *given: looks.append(-1) or decoded)
    parse(text)
    assert -1 in looks


def test_long_texts_with_errors_and_limits_say_what_short_ones_do() -> None:
    lists = "[]," * 300_000
    with pytest.raises(EvalError) as caught:
        parse(f"[{lists}[],]")
    assert "column 900004" in caught.value.message or "column 900005" in caught.value.message
    with pytest.raises(EvalError) as caught:
        parse(f"[{lists}NaN]")
    assert caught.value.message == "(parse-json …): JSON has no NaN"
    with pytest.raises(LimitError):
        parse(f"[{lists}{'9' * 400_000}]")
    assert to_python(parse(f"[{lists}{'9' * 5_000}]"))[-1] == 10**5_000 - 1
