"""Spellings of types, and what is not a type."""

from __future__ import annotations

import pytest

from rtfs.types import ANY, Alias, Record, names_type, parse_type
from rtfs.values import CompileError, Keyword, Map, Vector
from tests.types.reading import form, typed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("int", ":int"),
        ("Int", ":integer"),
        ("Integer", "int"),
        (":Bool", "boolean"),
        ("Any", ":any"),
        ("Fn", ":fn"),
        (":nil", "nil"),
        ("int?", "[:union int nil]"),
        ("(or nil int)", ":int?"),
        ("(or int (or string nil) int)", "[:union int string nil]"),
        ("[:union int]", "int"),
        ("{:a int}", "[:record [:a int]]"),
        ("[:map {:a int :b string?}]", "[:map [:a int] [:b string?]]"),
        ("[:map [:a {:optional true} int]]", "[:map [:a int ?]]"),
        ("[:map [:a {:optional false} int]]", "[:map [:a int]]"),
        ("[:map [:a string? ?]]", "[:map [:a string?]]"),
        ("{:a int :* string}", "[:map [:a int] [:* string]]"),
        ("[:dict string int]", "[:map-of string int]"),
        ("[:val 1]", "[:enum 1]"),
        ("[:array int]", "[:array int [?]]"),
        ("[:fn]", "fn"),
        ("[vector int]", "[:vector int]"),
    ],
)
def test_two_spellings_are_one_type(one: str, other: str) -> None:
    assert typed(one) == typed(other)
    assert hash(typed(one)) == hash(typed(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[:enum 1]", "[:enum 1.0]"),
        ("[:enum true]", "[:enum 1]"),
        ("[:and int [:> 0]]", "[:and int [:> 0.0]]"),
        ("[:map [:a int?]]", "[:map [:a [:union int nil]]]"),
        ('[:map ["a" int]]', "[:map [:a int]]"),
        ("[:vector int]", "[:list int]"),
        ("vector", "[:vector any]"),
        ("int", "number"),
    ],
)
def test_what_differs_is_not_equal(one: str, other: str) -> None:
    assert typed(one) != typed(other)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "type/malformed"),
        ("[1]", "type/malformed"),
        ("5", "type/malformed"),
        ('"string"', "type/malformed"),
        ("true", "type/malformed"),
        ("()", "type/malformed"),
        ("(and int)", "type/malformed"),
        ("[:vector]", "type/malformed"),
        ("[:vector int int]", "type/malformed"),
        ("[:map-of int]", "type/malformed"),
        ("[:map :a int]", "type/malformed"),
        ("[:map [:a]]", "type/malformed"),
        ("[:map [:a int 5]]", "type/malformed"),
        ("[:map [1 int]]", "type/malformed"),
        ("[:map [:a int] [:a int]]", "type/malformed"),
        ("{1 int}", "type/malformed"),
        ("[:union]", "type/malformed"),
        ("[:enum]", "type/malformed"),
        ("[:val]", "type/malformed"),
        ("[:and]", "type/malformed"),
        ("[:and [:> 0]]", "type/malformed"),
        ("[:and int [:> :a]]", "type/malformed"),
        ("[:and int [:>]]", "type/malformed"),
        ("[:and int [:in-range 1]]", "type/malformed"),
        ("[:and string [:min-length -1]]", "type/malformed"),
        ('[:and string [:matches-regex "("]]', "type/malformed"),
        ("[:and string [:min-lenght 1]]", "type/unknown"),
        ("[:> 0]", "type/malformed"),
        ("[:int]", "type/malformed"),
        ("[:vectr int]", "type/unknown"),
        ("[:array int [-1]]", "type/malformed"),
        ("[:array int []]", "type/malformed"),
        ("[:array int 3]", "type/malformed"),
        ("[:fn int int]", "type/malformed"),
        ("[:fn [int & int int] int]", "type/malformed"),
        ("[:resource 5]", "type/malformed"),
        ("?", "type/unknown"),
    ],
)
def test_what_is_no_type_is_a_compile_error(text: str, code: str) -> None:
    with pytest.raises(CompileError) as caught:
        typed(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "meant"),
    [("strng", "string"), ("Strng", "String"), ("[:vectr int]", "vector"), ("[:and int [:in-rang 1 2]]", "in-range")],
)
def test_an_unknown_name_suggests_the_one_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(CompileError) as caught:
        typed(text)
    assert meant in (caught.value.hint or "")


def test_names_of_a_program_are_suggested_too() -> None:
    with pytest.raises(CompileError) as caught:
        parse_type(form("Pont"), None, ["Point"])
    assert "Point" in (caught.value.hint or "")


def test_the_error_points_at_the_faulty_part() -> None:
    with pytest.raises(CompileError) as caught:
        typed("[:map [:a int] [:b [:vector :strng]]]")
    span = caught.value.span
    assert span is not None
    assert span.source.text[span.start : span.end] == ":strng"


def test_a_type_nested_beyond_all_use_is_an_error_and_no_crash() -> None:
    deep = form("int")
    for _ in range(20_000):
        deep = Vector([Keyword("vector"), deep])
    with pytest.raises(CompileError) as caught:
        parse_type(deep)
    assert caught.value.code == "type/malformed"


def test_names_resolve_before_capitalised_base_types_and_after_plain_ones() -> None:
    own = Alias("Map").bind(typed("int"))
    resolve = {"Map": own, "int": own, "valid?": own}.get
    assert typed("Map", resolve) is own
    assert typed("int", resolve) != own
    assert typed("String", resolve) == typed("string")
    assert typed("valid?", resolve) is own
    assert typed("Map?", resolve) == typed("[:union Map nil]", resolve)
    assert typed("{:a valid?}", resolve).accepts(Map({Keyword("a"): 1}))
    assert not typed("{:a valid?}", resolve).accepts(Map())
    assert typed("{:a Map?}", resolve).accepts(Map())


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        (":int", True),
        (":int?", True),
        ("Int", True),
        ("x", False),
        (":ok", False),
        (":done?", False),
        ("[:vector :int]", True),
        ("[:vector :nope]", False),
        ("[:a :b]", False),
        ("[1 2]", False),
        ("{:a :int}", True),
        ("{:a 1}", False),
        ("(or int string)", True),
        ("(f x)", False),
        ("5", False),
        ('"int"', False),
        ("nil", False),
    ],
)
def test_names_type_tells_types_from_other_forms(text: str, reads: bool) -> None:
    assert names_type(form(text)) is reads


def test_names_type_knows_the_names_of_a_program() -> None:
    own = Alias("Point").bind(typed("[:tuple int int]"))
    assert names_type(Keyword("Point"), {"Point": own}.get)
    assert not names_type(Keyword("Point"))


def test_any_is_one_object_to_compare_with() -> None:
    assert typed(":any") is ANY


def test_types_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        typed("[:vector int]").item = ANY  # type: ignore[attr-defined]


def test_classes_are_given_where_they_decide() -> None:
    assert typed("int").classes == (int,)
    assert set(typed("float").classes or ()) == {int, float}
    assert set(typed("string?").classes or ()) == {str, type(None)}
    assert typed("never").classes == ()
    assert typed("any").classes is None
    assert typed("[:vector int]").classes is None
    assert Alias("Id").bind(typed("string")).classes == (str,)


def test_keys_can_be_made_optional_afterwards() -> None:
    record = typed("{:owner :string :labels [:vector :string] :page {:size :int} :rows [:vector {:n :int}]}")
    assert isinstance(record, Record)
    loose = record.with_optional([Keyword("labels"), "nowhere", ("page", Keyword("size")), ("rows", "n")])
    assert loose.form == form(
        "[:map [:owner :string] [:labels [:vector :string] ?] [:page [:map [:size :int ?]]] "
        "[:rows [:vector [:map [:n :int ?]]]]]"
    )
    assert record.with_optional(["labels"], nullable=True).form == form(
        "[:map [:owner :string] [:labels [:union [:vector :string] :nil] ?] [:page [:map [:size :int]]] "
        "[:rows [:vector [:map [:n :int]]]]]"
    )
    assert typed(":any").with_optional(["a"]) is ANY
