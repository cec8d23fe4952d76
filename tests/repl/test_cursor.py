"""Lexemes and the place of the cursor: the base of colours, completion and help."""

from __future__ import annotations

import pytest

from rtfs.repl.balance import Balance
from rtfs.repl.indent import indentation
from rtfs.syntax.cursor import place_at
from rtfs.syntax.lexemes import lexemes

KINDS = [
    ('(f :a "s" 1.5 nil)', "open symbol keyword string number constant close"),
    ("'x @y ~@z", "prefix symbol prefix symbol prefix symbol"),
    ("; to the end\n1", "comment number"),
    ("1 #| a #| b |# c |# 2", "number comment number"),
    ("1_000 x", "wrong symbol"),
    ('(str "open', "open symbol string"),
    ("#| open", "comment"),
    ("#(inc %) #_x 2023-12-25T10:30:45Z", "open symbol symbol close prefix symbol string"),
    ("{:a [1 2]}", "open keyword open number number close close"),
    (") ]", "close close"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "kinds"), KINDS, ids=[text for text, _ in KINDS])
def test_every_word_has_its_kind(text: str, kinds: str) -> None:
    assert " ".join(lexeme.kind for lexeme in lexemes(text)) == kinds


@pytest.mark.parametrize(
    "text", [*(text for text, _ in KINDS), '#{1} \\a ::b "x\\q" |# \x07 #?(a)', "#!/usr/bin/rtfs\n1"]
)
def test_lexemes_are_in_order_and_leave_out_only_white_space(text: str) -> None:
    at = 0
    for lexeme in lexemes(text):
        assert lexeme.start >= at
        assert not text[at : lexeme.start].strip(" \t\r\n,")
        at = lexeme.end
    assert not text[at:].strip(" \t\r\n,")


def test_the_place_knows_word_brackets_and_index() -> None:
    place = place_at('(let [x 1] (call "issues.list" {:owner "a" :re', 46)
    assert [frame.opener for frame in place.frames] == ["(", "(", "{"]
    assert place.frames[1].head == "call"
    assert (place.prefix, place.index) == (":re", 2)


@pytest.mark.parametrize(
    ("text", "string", "prefix"),
    [('(call "iss', True, '"iss'), ('(call "iss"', False, '"iss"'), ("@us", False, "us"), ("(map ", False, "")],
)
def test_strings_and_words_at_the_cursor(text: str, string: bool, prefix: str) -> None:
    place = place_at(text, len(text))
    assert (place.in_string, place.prefix) == (string, prefix)


def test_a_map_with_a_namespace_opens_and_closes_like_any_other() -> None:
    assert [frame.opener for frame in place_at("(f #:a{:b ", 10).frames] == ["(", "{"]
    place = place_at("(f #:a{:b 1} x", 14)
    assert ([frame.opener for frame in place.frames], place.prefix, place.index) == (["("], "x", 2)


def test_in_a_comment_nothing_is_typed() -> None:
    assert place_at("(a ; ma", 7).comment
    assert not place_at("(a #| b |# ma", 13).comment


@pytest.mark.parametrize(
    ("lines", "open_after"),
    [
        (["(defn f [x]", "  x)"], [True, False]),
        (['"a', 'b"'], [True, False]),
        (['(a ")" ; )', ")"], [True, False]),
        (["#| (", "|# 1"], [True, False]),
        ([r'"\"" (', ")"], [True, False]),
        (["1", "2"], [False, False]),
        (["a#| b"], [False]),
    ],
)
def test_open_brackets_are_counted_line_by_line(lines: list[str], open_after: list[bool]) -> None:
    balance = Balance()
    found = []
    for line in lines:
        balance.feed(line + "\n")
        found.append(balance.open)
    assert found == open_after


@pytest.mark.parametrize(
    ("before", "columns"),
    [("(defn f [x]", 2), ("(let [a 1", 6), ("{:a 1", 1), ("(f\n  (g x", 4), ('(str "a', 0), ("([1] ", 1), ("", 0)],
)
def test_the_next_line_is_indented_as_the_formatter_would(before: str, columns: int) -> None:
    assert indentation(before) == columns
