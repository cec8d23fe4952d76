"""The TextMate grammar of the VS Code extension, over every RTFS text of the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rtfs.testing.editor_files import TEXTMATE, form_words, macro_words
from tests.editors.sources import FILES, HARD, kinds
from tests.editors.textmate import Grammar

GRAMMAR = Grammar(json.loads(TEXTMATE.read_text(encoding="utf-8")))
DELIMITERS = frozenset("()[]{}")
ESCAPES = ("constant.character.escape", "invalid.illegal.escape")


def kind(scope: str) -> str:
    """What a scope says, in the words of `kinds`."""
    if scope.startswith(("string.", *ESCAPES)):
        return "string"
    if scope.startswith("comment."):
        return "comment"
    if scope.startswith("constant.numeric."):
        return "number"
    if scope.startswith("constant.other.keyword."):
        return "keyword"
    if scope.startswith("constant.language."):
        return "constant"
    return "code" if scope else "space"


def differences(text: str) -> list[str]:
    """Where grammar and lexer differ: the line and both kinds."""
    scopes = GRAMMAR.scopes(text)
    found = []
    for at, (expected, scope) in enumerate(zip(kinds(text), scopes, strict=True)):
        got = kind(scope)
        if expected in ("tagged", "faulty") or (text[at].isspace() and {expected, got} == {"space", "comment"}):
            continue
        if text[at] in " \t,\r\n" and got == "code" and expected == "space":
            continue  # between `defn` and the name, within one match
        if expected == "code" and got == "keyword" and re.search(r"#(?::\S*)?$", text[max(0, at - 40) : at + 1]):
            continue  # `#:ns{` is a bracket to the lexer and a keyword to the eye
        if got != expected:
            line = text.count("\n", 0, at) + 1
            found.append(f"{line}: {text[at : at + 20]!r} is {expected}, highlighted as {got} ({scope})")
    return found


def test_there_are_files_to_look_at():
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_is_highlighted_as_it_is_read(path: Path):
    assert differences(path.read_text(encoding="utf-8")) == []


def test_a_hard_text_is_highlighted_as_it_is_read():
    assert differences(HARD) == []


@pytest.mark.parametrize("word", form_words())
def test_a_special_form_is_a_keyword_at_the_head_of_a_list_only(word: str):
    scopes = GRAMMAR.scopes(f"({word} x) ({word}x y) [{word}]")
    assert scopes[1].startswith(("keyword.control.rtfs", "storage.type.definition"))
    assert scopes[len(word)] == scopes[1]
    assert scopes[len(word) + 6].startswith("entity.name.function.call")
    assert scopes[-2].startswith("variable.other")


@pytest.mark.parametrize("word", macro_words())
def test_a_macro_is_a_keyword_of_its_own_kind(word: str):
    assert GRAMMAR.scopes(f"({word} x)")[1].startswith(("keyword.control.macro", "storage.type.definition"))


def test_a_definition_names_what_it_defines():
    scopes = GRAMMAR.scopes("(defn area [w h] (* w h))")
    assert scopes[1:5] == ["storage.type.definition.rtfs"] * 4
    assert scopes[6:10] == ["entity.name.function.rtfs"] * 4


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ('"a\\qb"', "invalid.illegal.escape.rtfs"),
        ('"a\\nb"', "constant.character.escape.rtfs"),
        ("##", ""),
        ("\\newline", "constant.character.rtfs"),
        ("2023-12-25T10:30:45Z", "constant.other.timestamp.rtfs"),
        ("550e8400-e29b-41d4-a716-446655440000", "constant.other.uuid.rtfs"),
        ("resource://r", "constant.other.resource.rtfs"),
        ("x", "variable.other.rtfs"),
    ],
)
def test_a_word_has_its_scope(text: str, scope: str):
    assert scope in GRAMMAR.scopes(text)
