"""Completion offers what can appear at the cursor, and the bar below says what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs.repl.completion import complete
from rtfs.repl.session import Session
from rtfs.repl.toolbar import about


def offered(session: Session, text: str) -> list[str]:
    """What could appear at the end of `text`."""
    return [one.text for one in complete(session, text, len(text))[1]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(group-", "group-by"),
        ("(when-l", "when-let"),
        ("(def", "defn"),
        ("(step-p", "step-parallel"),
        ("(read-f", "read-file"),
        ("(string-l", "string-lower"),
        ("*", "*1"),
    ],
)
def test_functions_forms_macros_and_the_prelude_are_completed(session: Session, text: str, wanted: str) -> None:
    session.bind()
    assert wanted in offered(session, text)


def test_own_definitions_and_names_in_the_text_are_completed(session: Session) -> None:
    session.feed("(defn quadruple [x] (* 4 x)) (defmacro quietly [x] x) (deftype Quantity :int)")
    assert offered(session, "(quie") == ["quietly"]
    assert offered(session, "(quad") == ["quadruple"]
    assert "Quantity" in offered(session, "(def x : Qu")
    assert offered(session, "(let [quality 1] (+ 1 qual")[0] == "quality"


def test_the_word_that_is_typed_is_replaced(session: Session) -> None:
    start, found = complete(session, "(map inc (rang 3))", 14)
    assert (start, found[0].text) == (10, "range")


def test_capability_ids_are_completed_within_a_call_only(session: Session) -> None:
    assert offered(session, '(call "iss') == ['"issues.close"', '"issues.list"']
    assert offered(session, "(call :iss") == [":issues.close", ":issues.list"]
    assert offered(session, '(str "iss') == []
    assert '"ccos.io.println"' in offered(session, '(call "println')


def test_a_quote_that_is_there_is_not_doubled(session: Session) -> None:
    found = complete(session, '(call "issues.l")', 15)[1]
    assert [one.text for one in found] == ['"issues.list']


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('(call "issues.list" {', [":owner", ":repo", ":state", ":labels", ":page"]),
        ('(call "issues.list" {:owner "a" :', [":repo", ":state", ":labels", ":page"]),
        ('(call "issues.list" {:owner "a" :re', [":repo"]),
        ('(call "issues.list" :o', [":owner"]),
        ('(call "issues.list" :owner "a" :s', [":state"]),
        ('(call "issues.list" {:page {:s', [":size"]),
        ('(call "issues.list" {:labels [{:', [":name", ":color"]),
        ("(call :issues.close {", [":number"]),
        ('(call "ccos.io.write-file" {:c', [":content"]),
        ('(call "issues.list" {:owner ', []),
    ],
)
def test_argument_keys_come_from_the_input_schema(session: Session, text: str, keys: list[str]) -> None:
    assert offered(session, text) == keys


def test_argument_keys_show_their_types(session: Session) -> None:
    found = complete(session, '(call "issues.list" {', 21)[1]
    assert [one.about for one in found][:3] == [":string", ":string", ":string?"]


def test_keywords_that_were_seen_are_completed(session: Session) -> None:
    session.feed('{:colour "red"}')
    session.feed('(call "issues.list" {:owner "a" :repo "b" :labels [] :page {:size 1}})')
    assert offered(session, "(:colo") == [":colour"]
    assert offered(session, "(get *1 :titl") == [":title"]
    assert offered(session, "{:shape 1} (:sha") == [":shape"]


def test_context_names_are_completed_behind_an_at_sign(session: Session) -> None:
    assert offered(session, "(str @u") == ["user"]
    assert offered(session, "@") == []


def test_commands_and_their_arguments_are_completed(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plan.rtfs").write_text("1")
    (tmp_path / "notes.txt").write_text("1")
    assert offered(session, ":so") == [":source"]
    assert offered(session, ":doc group") == ["group-by"]
    assert offered(session, ":load ") == ["plan.rtfs", "plans/"]
    assert offered(session, ":set it") == ["items"]
    assert offered(session, ":policy al") == ["allow"]
    assert offered(session, ":caps issues.c") == ["issues.close"]
    assert offered(session, ":time (group-") == ["group-by"]


def test_nothing_is_offered_in_strings_comments_and_numbers(session: Session) -> None:
    for text in ('"ma', "; ma", "12", "#| ma", ""):
        assert offered(session, text) == []


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("(map inc xs)", 2, "(map f coll? & colls)  The results of `f`"),
        ("(map inc xs)", 6, "(inc "),
        ("(map inc ", 9, "(map f coll? & colls)"),
        ("(if ", 4, "(if test then else?)"),
        ("(when-let [x 1] ", 12, "(when-let binding & body)"),
        ('(call "issues.close" {', 22, '(call "issues.close" {:number :int})'),
        ('(call "issues.list"', 10, "List the issues"),
        (":doc ", 5, ":doc NAME"),
        ("(println ", 9, "(println & xs)  Write the values"),
        ("(twice ", 7, "(twice x)  Doubles."),
        ("(nobody-knows ", 14, ""),
    ],
)
def test_the_bar_describes_the_thing_at_the_cursor(session: Session, text: str, at: int, said: str) -> None:
    session.feed('(defn twice "Doubles." [x] (* 2 x))')
    found = about(session, text, at)
    assert said in (found or "")
    assert bool(found) == bool(said)
