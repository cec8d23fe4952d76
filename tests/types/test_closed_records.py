"""Arguments: keys that a schema does not name are refused, at every depth, unless it says that others are allowed."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from rtfs.types import Alias, parse_type
from rtfs.types.closed_records import closed
from rtfs.types.json_schema import type_from_json_schema
from rtfs.values import from_python


def of_schema(**schema: Any) -> Any:
    return closed(type_from_json_schema({"type": "object", **schema}, arguments=True))


def refused(type: Any, value: Any) -> rtfs.UserError:
    given = rtfs.read_value(value) if isinstance(value, str) else from_python(value, keywords=True)
    with pytest.raises(rtfs.UserError) as caught:
        type.check(given, "the input")
    assert caught.value.code == "type/mismatch"
    return caught.value


A = {"a": {"type": "string"}}
B = {"b": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "value", "place"),
    [
        ({"properties": {"limit": {"type": "integer"}}}, "{:limt 3}", "[:limt]"),
        ({"properties": {"limit": {"type": "integer"}}}, '{"limt" 3}', '["limt"]'),
        ({"properties": {"in": {"type": "object", "properties": A}}}, "{:in {:limt 1}}", "[:in :limt]"),
        ({"properties": {"in": {"type": "array", "items": {"type": "object", "properties": A}}}}, "{:in [{:limt 1}]}",
         "[:in 0 :limt]"),
        ({"properties": {"in": {"anyOf": [{"type": "object", "properties": A}, {"type": "null"}]}}}, "{:in {:limt 1}}",
         "[:in :limt]"),
        ({"properties": {}}, "{:limt 1}", "[:limt]"),
        ({"properties": A, "additionalProperties": False}, "{:limt 1}", "[:limt]"),
        ({"allOf": [{"type": "object", "properties": A}, {"type": "object", "properties": B}]}, "{:limt 1}", "[:limt]"),
        ({"properties": A, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{:a "x" :limt 1}', "[:limt]"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_at_every_depth(schema: dict[str, Any], value: str, place: str) -> None:
    error = refused(of_schema(**schema), value)
    if "False" not in str(schema):
        assert "there is no key" in error.message
        assert "limt" in error.message
        assert place in error.message


def test_the_key_that_was_meant_is_named() -> None:
    type = of_schema(properties={"limit": {"type": "integer"}, "query": {"type": "string"}}, required=["query"])
    assert refused(type, '{:qurey "x"}').hint == "did you mean :query?"
    assert refused(type, '{:query "x" :colour 1}').hint == "it takes :limit, :query"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "{:anything 1}"),
        ({"properties": A, "additionalProperties": True}, "{:other 1}"),
        ({"properties": A, "additionalProperties": {"type": "integer"}}, "{:other 1}"),
        ({"properties": A, "patternProperties": {"^x-": {}}}, "{:x-other 1}"),
        ({"properties": {"meta": {"type": "object"}}}, "{:meta {:anything {:at 1}}}"),
        ({"allOf": [{"type": "object", "properties": A}, {"type": "object", "properties": B}]}, '{:a "x" :b "y"}'),
        ({"properties": A, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{:a "x"}'),
        ({"allOf": [{"type": "object", "properties": A}, {"type": "object", "properties": B,
          "additionalProperties": True}]}, '{:a "x" :c 1}'),
        ({"properties": {"in": {"anyOf": [{"type": "object", "properties": A}, {"type": "object", "properties": B}]}}},
         '{:in {:b "x"}}'),
    ],
)  # fmt: skip
def test_what_the_schema_allows_is_not_refused(schema: dict[str, Any], value: str) -> None:
    of_schema(**schema).check(rtfs.read_value(value), "the input")


def test_declared_types_refuse_unknown_keys_too_unless_they_name_the_rest() -> None:
    assert (
        "there is no key :b at [:b]" in refused(closed(parse_type(rtfs.read_value("{:a :int}"))), "{:a 1 :b 2}").message
    )
    closed(parse_type(rtfs.read_value("[:map [:a :int] [:* :any]]"))).check(rtfs.read_value("{:a 1 :b 2}"), "it")


def test_types_that_refer_to_themselves_are_closed_too() -> None:
    tree = Alias("Tree")
    names = {"Tree": tree}
    tree.bind(parse_type(rtfs.read_value("[:map [:value :int] [:children [:vector Tree] ?]]"), names.get))
    type = closed(tree)
    type.check(rtfs.read_value("{:value 1 :children [{:value 2 :children [{:value 3}]}]}"), "it")
    error = refused(type, "{:value 1 :children [{:value 2 :children [{:value 3 :valeu 4}]}]}")
    assert "there is no key :valeu at [:children 0 :children 0 :valeu]" in error.message
    assert error.hint == "did you mean :value?"


def test_a_required_parameter_with_a_default_may_be_left_out() -> None:
    schema = {"properties": {"level": {"type": "string", "default": "info"}}, "required": ["level"]}
    of_schema(**schema).check(rtfs.read_value("{}"), "the input")
    with pytest.raises(rtfs.UserError):
        type_from_json_schema({"type": "object", **schema}).check(rtfs.read_value("{}"), "the output")


@pytest.mark.parametrize("strict", [True, False])
def test_a_call_with_a_misspelt_key_is_refused_unless_the_runtime_is_told_otherwise(strict: bool) -> None:
    call = '(try (call "tickets.search" {:query "x" :limt 3}) (catch :type/mismatch e (:message e)))'
    with rtfs.Runtime(strict_arguments=strict) as rt:
        rt.register("tickets.search", lambda request: "found", input_schema="{:query :string :limit :int?}")
        found = rt.run(call)
    assert found == ('the input of "tickets.search": there is no key :limt at [:limt]' if strict else "found")


def test_what_a_schema_says_of_a_parameter_survives_both_ways() -> None:
    said = {"type": "string", "title": "Where to", "description": "A city.\x1b[2J", "default": "Rome"}
    schema = {"type": "object", "properties": {"city": said, "plain": {"type": "string", "title": "Plain"}}}
    type = type_from_json_schema(schema)
    text = rtfs.to_text(type.form)
    assert '[:city {:title "Where to" :description "A city. [2J" :default "Rome" :optional true} :string]' in text
    assert "[:plain :string ?]" in text
    again = parse_type(rtfs.read_value(text))
    assert again == type
    assert rtfs.to_text(again.form) == text
    from rtfs.types.json_schema import to_json_schema

    assert to_json_schema(again)["properties"]["city"]["default"] == "Rome"
