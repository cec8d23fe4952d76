"""Checks: what the error says, and that no value or type can hurt."""

from __future__ import annotations

import sys

import pytest

from rtfs.types import Alias, Type
from rtfs.values import CompileError, Keyword, List, Map, TypeMismatch, Vector
from tests.types.reading import form, typed, value


def failure(type: Type, given: object, what: str = "parameter x") -> TypeMismatch:
    with pytest.raises(TypeMismatch) as caught:
        type.check(given, what)
    return caught.value


@pytest.mark.parametrize(
    ("type_text", "value_text", "message"),
    [
        (":int", '"a"', 'parameter x: expected an integer, got string "a"'),
        (":int", "nil", "parameter x: expected an integer, got nil"),
        ("[:vector :int]", "(1)", "parameter x: expected a vector of integers, got list (1)"),
        ("[:vector {:name string}]", "[{:name 5}]", "parameter x: expected a string at [0 :name], got integer 5"),
        ("{:a int}", "{}", "parameter x: expected an integer at [:a], but the key is missing"),
        ("{:a int}", '{"a" true}', 'parameter x: expected an integer at ["a"], got boolean true'),
        ("[:and int [:> 0] [:< 9]]", "12", "parameter x: expected an integer < 9, got integer 12"),
        ("[:enum :a :b]", ":c", "parameter x: expected one of :a, :b, got keyword :c"),
        ("(or int [:vector int])", "[1 nil]", "parameter x: expected an integer at [1], got nil"),
        ("(or int string)", ":a", "parameter x: expected an integer or a string, got keyword :a"),
        ("[:map-of keyword int]", '{"a" 1}', 'parameter x: expected a keyword as key, got string "a"'),
        ("[:map-of keyword int]", "{:a :b}", "parameter x: expected an integer at [:a], got keyword :b"),
        (
            "[:tuple int int]",
            "[1]",
            "parameter x: expected a vector of 2 (an integer, an integer), got vector [1] (1 element)",
        ),
        ("[:array int [2 ?]]", "[[1] [:a]]", "parameter x: expected an integer at [1 0], got keyword :a"),
        ("[:fn [int] int]", "5", "parameter x: expected a function, got integer 5"),
    ],
)
def test_the_message_names_what_where_expected_and_got(type_text: str, value_text: str, message: str) -> None:
    assert failure(typed(type_text), value(value_text)).message == message


def test_the_data_of_the_error_can_be_read_by_a_program() -> None:
    error = failure(typed("[:vector {:name string?}]"), value("[{} {:name 5}]"), "result of f")
    assert error.data == form('{:expected :string? :got "integer" :path [1 :name] :what "result of f"}')


def test_great_values_are_shown_shortened() -> None:
    for given in (Vector(range(100_000)), "x" * 100_000, 10**100_000, Map({i: Vector([i] * 50) for i in range(5000)})):
        assert len(failure(typed("keyword"), given).message) < 400


def test_great_types_are_described_shortly() -> None:
    text = "{" + " ".join(f":k{i} {{:a int :b [:vector string]}}" for i in range(500)) + "}"
    assert len(failure(typed(text), 1).message) < 500


def test_keywords_maps_and_vectors_can_be_called_so_they_are_functions() -> None:
    for text in ("fn", "[:fn [any] any]"):
        for given in (Keyword("a"), Map(), Vector(), len, lambda: None):
            assert typed(text).check(given) is given
        assert not typed(text).accepts("f")
        assert not typed(text).accepts(List())


def test_both_spellings_of_a_key_are_checked() -> None:
    record = typed("{:a int}")
    assert record.accepts(value('{:a 1 "a" 2}'))
    assert not record.accepts(value('{:a 1 "a" "x"}'))
    assert failure(record, value('{:a 1 "a" "x"}')).data.get(Keyword("path")) == Vector(["a"])


def test_closed_records_are_said_with_never() -> None:
    closed = typed("[:map [:a int ?] [:* never]]")
    assert closed.accepts(value("{}"))
    assert closed.accepts(value('{"a" 1}'))
    assert not closed.accepts(value("{:b 1}"))
    assert not closed.accepts(value("{1 1}"))


def test_string_fields_want_the_string() -> None:
    record = typed('{"my key" int}')
    assert record.accepts(Map({"my key": 1}))
    assert not record.accepts(Map({"my key": "1"}))
    assert not record.accepts(Map())


def test_resources_are_their_names() -> None:
    assert typed("[:resource File]").accepts("resource://file/1")
    assert not typed("[:resource File]").accepts("file/1")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://example.com", True),
        ("ftp://h/p?q#f", True),
        ("mailto:a@b.c", True),
        ("urn:isbn:1", True),
        ("file:///etc/hosts", True),
        ("https://", False),
        ("http:///path", False),
        ("localhost:8080", False),
        ("https://a b", False),
        ("://x", False),
        ("1http://x", False),
        ("https://x\n", False),
        ("", False),
    ],
)
def test_urls(text: str, good: bool) -> None:
    assert typed("[:and string [:is-url]]").accepts(text) is good
    assert typed("[:and string :is-url]").accepts(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ada@example.com", True),
        ("a.b+c@localhost", True),
        ("ä@bücher.example", True),
        ("@example.com", False),
        ("a@", False),
        ("a@b@c", False),
        ("a b@c.d", False),
        ("a@-b.c", False),
        ("a@b..c", False),
        ("a@b.c\n", False),
    ],
)
def test_email_addresses(text: str, good: bool) -> None:
    assert typed("[:and string [:is-email]]").accepts(text) is good


def test_patterns_match_anywhere_and_never_raise() -> None:
    pattern = typed('[:and string [:matches-regex "b+$"]]')
    assert pattern.accepts("abb")
    assert not pattern.accepts("abb\n")
    assert not pattern.accepts("\ud800")


def tree() -> Alias:
    alias = Alias("Tree")
    return alias.bind(typed("{:value int :kids [:vector Tree]}", {"Tree": alias}.get))


def nested(depth: int, leaf: object) -> Map:
    made = Map({Keyword("value"): leaf, Keyword("kids"): Vector()})
    for _ in range(depth):
        made = Map({Keyword("value"): 1, Keyword("kids"): Vector([made])})
    return made


def test_recursive_types_check_values_of_any_depth() -> None:
    good, bad = nested(50_000, 1), nested(50_000, "x")
    assert tree().check(good) is good
    error = failure(tree(), bad)
    assert len(error.data.get(Keyword("path"))) == 100_001
    assert len(error.message) < 300
    assert failure(typed("[:vector Tree]", {"Tree": tree()}.get), Vector([good, bad])).code == "type/mismatch"


def test_long_chains_of_names_check_without_python_recursion() -> None:
    names: dict[str, Type] = {"T0": typed("int")}
    given: object = "x"
    for i in range(1, 2000):
        names[f"T{i}"] = Alias(f"T{i}").bind(typed(f"[:vector T{i - 1}]", names.get))
        given = Vector([given])
    before = sys.getrecursionlimit()
    assert len(failure(names["T1999"], given).data.get(Keyword("path"))) == 1999
    assert sys.getrecursionlimit() == before


def test_overlapping_alternatives_take_no_exponential_time() -> None:
    alias = Alias("T")
    alias.bind(typed("(or int {:a T} {:a T :b int} {:a T :c int})", {"T": alias}.get))
    names: dict[str, Type] = {"U0": typed("int")}
    given: object = "x"
    for i in range(1, 40):
        given = Map({Keyword("a"): given})
        text = f"(or {{:a U{i - 1}}} {{:a U{i - 1} :b int}} {{:a U{i - 1} :c int}})"
        names[f"U{i}"] = Alias(f"U{i}").bind(typed(text, names.get))
    assert not alias.accepts(given)
    assert not names["U39"].accepts(given)
    assert failure(alias, given).code == "type/mismatch"


def test_values_that_share_their_parts_take_no_exponential_time() -> None:
    alias = Alias("T")
    alias.bind(typed("(or int [:vector T])", {"T": alias}.get))
    given: object = 1
    for _ in range(60):
        given = Vector([given, given])
    assert alias.accepts(given)


def test_mutually_recursive_names() -> None:
    even, odd = Alias("Even"), Alias("Odd")
    names = {"Even": even, "Odd": odd}.get
    even.bind(typed("[:union nil {:next Odd}]", names))
    odd.bind(typed("{:next Even}", names))
    assert even.accepts(value("{:next {:next nil}}"))
    assert not even.accepts(value("{:next {:next {:next nil}}}"))
    assert typed("[:vector Even]", names) == typed("[:vector Even]", names)


@pytest.mark.parametrize("text", ["T", "(or int T)", "T?", "[:and T [:> 0]]", "U"])
def test_a_name_that_is_only_itself_is_refused(text: str) -> None:
    alias, other = Alias("T"), Alias("U")
    names = {"T": alias, "U": other}.get
    other.bind(typed("(or T string)", names))
    with pytest.raises(CompileError) as caught:
        alias.bind(typed(text, names))
    assert caught.value.code == "type/recursive"


def test_a_name_without_definition_is_unknown_when_used() -> None:
    with pytest.raises(CompileError) as caught:
        typed("[:vector T]", {"T": Alias("T")}.get).accepts(Vector([1]))
    assert caught.value.code == "type/unknown"


def test_aliases_are_named_in_errors() -> None:
    alias = Alias("Age").bind(typed("[:vector int]"))
    assert failure(alias, 1).message == "parameter x: expected Age, got integer 1"
