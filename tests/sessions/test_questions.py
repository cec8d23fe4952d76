"""Forms: which values fit which field, which defaults count, what is shown of a server's words."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.capabilities.sessions.questions import Question


def question(name: str = "f", required: bool = False, /, **described: Any) -> Question:
    schema = {"type": "object", "properties": {name: described}, "required": [name] if required else []}
    return Question("server", "message", schema)


def fits(value: Any, **described: Any) -> bool:
    try:
        return question(**described).content({"f": value}) == {"f": value}
    except ValueError:
        return False


TITLED = [{"const": "#f00", "title": "Red"}, {"const": "#0f0", "title": "Green"}]


@pytest.mark.parametrize(
    ("described", "good", "bad"),
    [
        ({"type": "string"}, ["", "a", "ü"], [1, None, True, ["a"], "\ud800"]),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd"]),
        ({"type": "string", "pattern": "^[a-c]+$"}, ["abc"], ["abd"]),
        ({"type": "string", "pattern": "(a+)+$"}, ["a"], ["a" * 50_000 + "!"]),
        ({"type": "string", "pattern": "(?<=a)b"}, ["anything: the server will say"], []),
        ({"type": "string", "format": "email"}, ["a@b"], ["a", "@b", "a b@c"]),
        ({"type": "string", "format": "uri"}, ["https://a/", "urn:a"], ["a", "://a", "a b:c"]),
        ({"type": "string", "format": "date"}, ["2026-07-28"], ["28.7.2026", "2026-13-01"]),
        ({"type": "string", "format": "date-time"}, ["2026-07-28T10:00:00Z"], ["2026-07-28", "10:00"]),
        ({"type": "integer"}, [1, -1, 0, 10**30, 3.0], [1.5, True, "1", None, float("inf"), float("nan")]),
        ({"type": "number", "minimum": 0, "maximum": 1}, [0, 0.5, 1], [-0.1, 2, "0"]),
        ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
        ({"type": "string", "enum": ["a", "b"]}, ["a"], ["c", 1, ["a"]]),
        ({"type": "string", "oneOf": TITLED}, ["#f00"], ["Red"]),
        ({"enum": ["a", "b"]}, ["b"], ["c"]),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, [[], ["a"], ["a", "b"]], ["a", ["c"], [1], None]),
        (
            {"type": "array", "items": {"anyOf": TITLED}, "minItems": 1, "maxItems": 1},
            [["#f00"]],
            [[], ["#f00", "#0f0"]],
        ),
    ],
)
def test_a_value_fits_or_it_does_not(described: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(value, **described)] == []
    assert [value for value in bad if fits(value, **described)] == []


@pytest.mark.parametrize(
    "described",
    [
        {"type": "object"},
        {"type": "array"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "null"},
        {"type": "choice"},
        {"type": ["string", "null"]},
        {},
        {"enum": [1, 2]},
        {"enum": [str(n) for n in range(501)]},
        "text",
        None,
    ],
)
def test_what_a_flat_form_cannot_hold_is_no_question(described: Any) -> None:
    with pytest.raises(ValueError, match="the field 'f'"):
        Question("server", "message", {"properties": {"f": described}})


def test_defaults_stand_for_what_is_not_given_if_they_fit() -> None:
    assert question(type="integer", default=30).content({}) == {"f": 30}
    assert question(type="integer", default=30).content({"f": 1}) == {"f": 1}
    assert question("f", True, type="integer", default=30).content({}) == {"f": 30}
    assert question(type="integer", default="thirty").content({}) == {}
    assert question(type="array", items={"enum": ["a"]}, default=["a"]).content({}) == {"f": ["a"]}
    with pytest.raises(ValueError, match="'f' is missing"):
        question("f", True, type="integer", default="thirty").content({})


def test_what_is_wrong_is_told_all_at_once() -> None:
    form = Question("s", "m", {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["b"]})
    with pytest.raises(ValueError, match="'c' is not asked for; 'a': it has to be a whole number; 'b' is missing"):
        form.content({"a": "x", "c": 1})


def test_a_form_may_be_empty() -> None:
    assert Question("s", "Really?", {"type": "object", "required": 7}).content({}) == {}
    assert Question("s", "Really?", {}).content({}) == {}


def test_a_servers_words_are_cut_and_cleaned() -> None:
    long = Question("s", "\n".join(["word " * 500] * 100), {})
    assert len(long.message) <= 2000
    field = question(type="string", title="\x1b[31mred\u202e", description="a\nb").fields[0]
    assert (field.title, field.about) == ("[31mred", "a b")
    assert question(type="string").fields[0].title == "f"


@pytest.mark.parametrize(
    ("name", "described", "secret"),
    [
        ("password", {}, True),
        ("a", {"title": "Your API key"}, True),
        ("a", {"description": "the access token of your account"}, True),
        ("name", {"title": "Your name"}, False),
    ],
)
def test_what_sounds_like_a_secret_is_noticed(name: str, described: dict[str, Any], secret: bool) -> None:
    assert question(name, type="string", **described).fields[0].sensitive is secret


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "a whole number, 1 to 9"),
        ({"type": "number", "minimum": 0.5}, "a number, at least 0.5"),
        ({"type": "string", "maxLength": 9}, "text, at most 9 characters"),
        ({"type": "string", "format": "email"}, "email"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "string", "oneOf": TITLED}, "one of Red, Green"),
        ({"type": "array", "items": {"anyOf": TITLED}}, "any of Red, Green"),
        ({"type": "string", "enum": ["a"], "enumNames": ["A!"]}, "one of A!"),
    ],
)
def test_a_field_says_what_it_wants(described: dict[str, Any], words: str) -> None:
    assert question(**described).fields[0].wanted == words


def test_two_questions_are_the_same_if_their_words_are() -> None:
    assert question(type="string").same(question(type="string", default="a"))
    assert not question(type="string").same(question(type="integer"))
    assert not question(type="string").same(Question("server", "other", {}))
