"""Only a trailing `optional` comment on the entry's own line marks a key."""

from __future__ import annotations

from typing import Any

from rtfs.capabilities.optional import optional_names
from rtfs.source import Source
from rtfs.syntax.printer import to_text
from rtfs.syntax.reader import read_forms
from rtfs.types.comments import apply_comments, optional_keys


def form(text: str) -> Any:
    return read_forms(Source(text, "s"))[0]


def names(text: str) -> list[str]:
    return [key.name for key in optional_keys(form(text))]


def test_the_last_entry_of_a_line_is_marked() -> None:
    assert names("{:a :int :b :int ;; optional\n :c :int}") == ["b"]
    assert names("{:a :int, ; Optional: the first\n :c :int}") == ["a"]
    assert names("{:a :int\n ;; optional\n :b :int}") == []
    assert names("{:a :int ;; not optional\n :b :int}") == []
    assert names("{:a :int :b :int} ;; optional\n") == []


def test_the_last_entry_before_the_closing_bracket_is_marked() -> None:
    assert names("{:a :int\n :b :int ;; optional\n }") == ["b"]


def test_entries_of_a_map_vector_are_marked() -> None:
    assert names("[:map [:a :int] ;; optional\n [:b :int]]") == ["a"]
    assert to_text(apply_comments(form("[:map [:a :int] ;; optional\n [:b :int]]"))) == "[:map [:a :int ?] [:b :int]]"


def test_short_types_get_a_question_mark_and_long_ones_an_entry() -> None:
    assert to_text(apply_comments(form("{:a :int ;; optional\n :b :int}"))) == "{:a :int? :b :int}"
    text = to_text(apply_comments(form("{:a [:vector :int] ;; optional\n :b :int}")))
    assert text == "[:map [:a [:vector :int] ?] [:b :int]]"


def test_comments_count_at_any_depth() -> None:
    assert to_text(apply_comments(form("{:f {:a :int ;; optional\n :b :int}}"))) == "{:f {:a :int? :b :int}}"


def test_a_schema_without_comments_or_places_stays_itself() -> None:
    from rtfs.values import Keyword, Map

    written = form("{:a :int}")
    assert apply_comments(written) is written
    made = Map([(Keyword("a"), Keyword("int"))])
    assert apply_comments(made) is made


def test_optional_names_of_every_spelling() -> None:
    assert optional_names(form("{:a :int? :b :int}")) == {"a"}
    assert optional_names(form("[:map [:a :int?] [:b :int ?] [:c :int] {:d :int?}]")) == {"a", "b", "d"}
    assert optional_names(None) == frozenset()


def test_what_is_said_of_a_key_makes_it_no_optional_one() -> None:
    schema = '[:map [:a {:description "x"} :int] [:b {:optional true :default 1} :int] [:c {} :int?]]'
    assert optional_names(form(schema)) == {"b", "c"}
