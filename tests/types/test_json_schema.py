"""JSON Schema both ways, on examples, on generated types and on schemas that should not be written."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs.types import Alias, parse_type
from rtfs.types.json_keys import with_named_keys
from rtfs.types.json_schema import from_json_schema, to_json_schema, type_from_json_schema
from rtfs.values import Keyword, Map, from_python
from tests.types.reading import form, typed


@pytest.mark.parametrize(
    ("type_text", "schema"),
    [
        ("any", {}),
        ("never", {"not": {}}),
        ("nil", {"type": "null"}),
        ("bool", {"type": "boolean"}),
        ("int", {"type": "integer"}),
        ("number", {"type": "number"}),
        ("string?", {"type": ["string", "null"]}),
        ("(or int string)", {"type": ["integer", "string"]}),
        ("map", {"type": "object"}),
        ("vector", {"type": "array"}),
        ("[:vector string]", {"type": "array", "items": {"type": "string"}}),
        (
            "[:map [:a int] [:b string ?] [:c bool?]]",
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": ["boolean", "null"]}},
                "required": ["a"],
            },
        ),
        (
            "[:map [:a string?  ?] [:b [:union int nil]] [:* never]]",
            {
                "type": "object",
                "properties": {"a": {"type": ["string", "null"]}, "b": {"type": ["integer", "null"]}},
                "required": ["b"],
                "additionalProperties": False,
            },
        ),
        (
            "[:map [:a int] [:* string]]",
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "additionalProperties": {"type": "string"},
            },
        ),
        ("[:map-of [:union string keyword] int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        (
            "[:tuple int string]",
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        ('[:enum "a" 1 nil true]', {"enum": ["a", 1, None, True]}),
        ('[:val "a"]', {"const": "a"}),
        ("[:and int [:> 0] [:<= 9]]", {"type": "integer", "exclusiveMinimum": 0, "maximum": 9}),
        ("[:and string [:length 3]]", {"type": "string", "minLength": 3, "maxLength": 3}),
        (
            '[:and string [:min-length 1] [:max-length 5] [:matches-regex "^a"]]',
            {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
        ),
        ("[:and string [:is-url]]", {"type": "string", "format": "uri"}),
        ("[:and string [:is-email]]", {"type": "string", "format": "email"}),
        ("[:and [:vector int] [:min-count 1]]", {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        ("[:and int [:!= 5]]", {"type": "integer", "not": {"const": 5}}),
        (
            "(or int [:vector int])",
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
        ),
    ],
)
def test_types_and_schemas_that_say_the_same(type_text: str, schema: dict[str, Any]) -> None:
    assert to_json_schema(typed(type_text)) == schema
    assert parse_type(from_json_schema(schema)) == typed(type_text)


@pytest.mark.parametrize(
    ("type_text", "schema"),
    [
        (":keyword", {"type": "string"}),
        ("[:enum :open :closed]", {"enum": ["open", "closed"]}),
        ("[:list int]", {"type": "array", "items": {"type": "integer"}}),
        ("fn", {}),
        ("[:fn [int] int]", {}),
        ("[:and int [:in-range 1 3]]", {"type": "integer", "minimum": 1, "maximum": 3}),
        ("[:and string [:non-empty]]", {"type": "string", "minLength": 1}),
        ("[:and map [:non-empty]]", {"type": "object", "minProperties": 1}),
        ("[:and map [:required-keys [:a :b]] [:has-key :c]]", {"type": "object", "required": ["a", "b", "c"]}),
        ("[:and any [:> 0]]", {"type": "number", "exclusiveMinimum": 0}),
        ("[:and int [:min-length 1]]", {"not": {}}),
        (
            "[:array int [2 ?]]",
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}, "minItems": 2, "maxItems": 2},
        ),
        ("[:resource File]", {"type": "string", "pattern": "^resource://"}),
        ("[:enum ##NaN 1]", {}),
    ],
)
def test_types_that_json_schema_says_its_own_way(type_text: str, schema: dict[str, Any]) -> None:
    assert to_json_schema(typed(type_text)) == schema


@pytest.mark.parametrize(
    ("schema", "type_text"),
    [
        (True, "any"),
        (False, "never"),
        ({}, "any"),
        ({"description": "x", "title": "y", "default": 1, "examples": []}, "any"),
        ({"type": "string", "description": "x"}, "string"),
        ({"type": "string", "nullable": True}, "string?"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, "int?"),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "(or int string)"),
        ({"anyOf": [{"type": "integer"}, {}]}, "any"),
        ({"type": ["integer", "number"]}, "number"),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, "[:and int [:> 0]]"),
        ({"type": ["string", "null"], "minLength": 2}, "[:union [:and string [:min-length 2]] nil]"),
        ({"type": "string", "enum": ["a", 1, None]}, '[:val "a"]'),
        ({"type": ["string", "null"], "enum": ["a", None]}, '[:enum "a" nil]'),
        ({"properties": {"a": {"type": "integer"}}}, "[:map [:a int ?]]"),
        ({"type": "object", "required": ["z"]}, "[:map [:z any]]"),
        (
            {"type": "object", "properties": {"my key": {}, "*": {}}, "required": ["my key"]},
            '[:map ["my key" any] ["*" any ?]]',
        ),
        ({"type": "array", "items": [{"type": "integer"}], "additionalItems": False, "minItems": 1}, "[:tuple int]"),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
            "[:vector (or int string)]",
        ),
        ({"type": "array", "prefixItems": [{"type": "integer"}]}, "vector"),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": False},
            "[:and [:vector int] [:max-count 1]]",
        ),
        ({"type": "array", "items": False}, "[:tuple]"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, "[:and vector [:count 2]]"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "[:and int [:>= 3]]"),
        (
            {"type": ["string", "null"], "allOf": [{"minLength": 1}]},
            "[:and string? [:union [:and string [:min-length 1]] nil]]",
        ),
        (
            {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "[:and [:map [:a any ?] [:b any ?]] [:union [:map [:a any]] [:map [:b any]]]]",
        ),
        ({"const": {"a": [1]}}, "[:map [:a [:tuple [:val 1]]] [:* never]]"),
        ({"type": "integer", "not": {"enum": [1, 2]}}, "[:and int [:!= 1] [:!= 2]]"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "integer"}}}, "int"),
        ({"$ref": "#/definitions/a~1b%25", "definitions": {"a/b%": {"type": "integer"}}}, "int"),
        ({"$id": "https://x/y", "$ref": "https://x/y#/$defs/A", "$defs": {"A": {"type": "integer"}}}, "int"),
        ({"$ref": "#/$defs/A", "minimum": 3, "$defs": {"A": {"type": "integer"}}}, "[:and int number [:>= 3]]"),
        (
            {"type": "object", "propertyNames": {"pattern": "^a"}},
            '[:and map [:map-of [:union [:and string [:matches-regex "^a"]] keyword] any]]',
        ),
        ({"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False}, "map"),
        ({"type": "string", "pattern": "(?=x)"}, "string"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer", "multipleOf": 2}, "int"),
    ],
)
def test_schemas_in_the_wild(schema: Any, type_text: str) -> None:
    assert parse_type(from_json_schema(schema)) == typed(type_text)


def test_a_recursive_type_is_a_reference_there_and_any_on_the_way_back() -> None:
    tree = Alias("Tree")
    tree.bind(typed("{:value int :kids [:vector Tree]}", {"Tree": tree}.get))
    schema = to_json_schema(tree)
    body = {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        "required": ["value", "kids"],
    }
    assert schema == {**body, "$defs": {"Tree": body}}
    notes: list[str] = []
    assert parse_type(from_json_schema(schema, notes)) == typed(
        "{:value int :kids [:vector {:value int :kids vector}]}"
    )
    assert any("recursive" in note for note in notes)


def test_names_of_different_types_get_different_definitions() -> None:
    one, two = Alias("A").bind(typed("int")), Alias("A").bind(typed("string"))
    schema = to_json_schema(typed("[:tuple A B]", {"A": one, "B": two}.get))
    assert schema["$defs"] == {"A": {"type": "integer"}, "A_2": {"type": "string"}}


def test_what_is_left_out_is_noted_with_its_place() -> None:
    notes: list[str] = []
    from_json_schema({"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}, "if": {}}, notes)
    assert notes[0] == "#: if is not checked"
    assert notes[1].startswith("#/properties/a: the pattern is not checked")


def _cyclic() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = dict.fromkeys("abcdefghij", schema)
    schema["allOf"] = [schema, schema]
    return schema


def _deep(depth: int) -> Any:
    schema: Any = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def _doubling() -> dict[str, Any]:
    steps = {f"d{i}": {"type": "array", "prefixItems": [{"$ref": f"#/$defs/d{i + 1}"}] * 3} for i in range(100)}
    return {"$ref": "#/$defs/d0", "$defs": steps}


_HOSTILE: list[Any] = [
    None,
    5,
    "string",
    [],
    {"type": 5},
    {"type": {"a": 1}},
    {"type": ["string", 5]},
    {"type": [["string"]]},
    {"type": "strange"},
    {"properties": []},
    {"properties": {"a": 5, "": None}},
    {"required": "abc"},
    {"required": [1, ["a"], None]},
    {"enum": {}},
    {"enum": []},
    {"enum": [object(), {1: 2}]},
    {"enum": list(range(200_000))},
    {"const": object()},
    {"minimum": "a", "maximum": True, "exclusiveMinimum": float("nan"), "exclusiveMaximum": float("inf")},
    {"minLength": -1, "maxLength": 1.5, "minItems": "3", "maxProperties": None},
    {"type": "string", "pattern": 5},
    {"type": "string", "pattern": "(" * 10_000},
    {"type": "string", "pattern": "\ud800"},
    {"type": "string", "format": {}},
    {"allOf": {}, "anyOf": 5, "oneOf": [5], "not": []},
    {"allOf": [None, 5, []]},
    {"items": 5, "prefixItems": {}},
    {"additionalProperties": 5},
    {"$ref": 5},
    {"$ref": "#"},
    {"$ref": "#/nowhere"},
    {"$ref": "#/$ref"},
    {"$ref": "https://example.com/s.json"},
    {"$ref": "#/%zz/~9"},
    {"$ref": "#/a/99999999999999999999", "a": [1]},
    {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    {"propertyNames": {"propertyNames": {"type": "object"}}},
    {"not": {"not": {"not": {}}}},
    {5: 6, None: {}},
    {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(50_000)}},
    _cyclic(),
    _deep(50),
    _deep(50_000),
    _doubling(),
]


@pytest.mark.parametrize("schema", _HOSTILE, ids=range(len(_HOSTILE)))
def test_no_schema_breaks_the_reading(schema: Any) -> None:
    made = type_from_json_schema(schema)
    assert parse_type(from_json_schema(schema)) == made
    made.accepts(from_python({"a": [1, {"b": None}]}))
    to_json_schema(made)


_NAMES = st.sampled_from(["a", "b", "my-key", "x y", "ünï"])
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.sampled_from([0.5, 2.5])
    | st.sampled_from(["", "a", "ab", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_SCALAR_TYPES = st.sampled_from(
    [":int", ":number", ":string", ":bool", ":nil", ":any", ":never", ":string?", ":map", ":vector"]
    + [
        "[:and :int [:>= 0] [:< 9]]",
        "[:and :number [:in-range 0 2.5]]",
        "[:and :string [:min-length 1] [:max-length 2]]",
    ]
    + ['[:and :string [:matches-regex "^ab?$"]]', '[:enum "a" 1 nil true]', '[:val "ab"]', "[:and :int [:!= 3]]"]
    + ["[:and :vector [:count 2]]", "[:and :map [:non-empty]]", "[:tuple]"]
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    field = st.tuples(_NAMES, inner, st.booleans()).map(lambda f: f'["{f[0]}" {f[1]}{" ?" if f[2] else ""}]')
    keyed = st.tuples(st.sampled_from(["a", "b", "my-key"]), inner).map(lambda f: f"[:{f[0]} {f[1]}]")
    fields = st.lists(field | keyed, max_size=3, unique_by=lambda text: text.split()[0].strip('[:"'))
    rest = st.just("") | inner.map(lambda text: f"[:* {text}]")
    return st.one_of(
        inner.map(lambda text: f"[:vector {text}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda texts: f"[:tuple {' '.join(texts)}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda texts: f"[:union {' '.join(texts)}]"),
        st.lists(inner, min_size=2, max_size=2).map(lambda texts: f"[:and {' '.join(texts)}]"),
        inner.map(lambda text: f"[:map-of [:union :string :keyword] {text}]"),
        inner.map(lambda text: f"[:and [:vector {text}] [:min-count 1]]"),
        st.tuples(fields, rest).map(lambda parts: f"[:map {' '.join(parts[0])} {parts[1]}]"),
    )


_TYPES = st.recursive(_SCALAR_TYPES, _compound, max_leaves=6)
_quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(_TYPES, st.lists(_JSON, min_size=1, max_size=6))
@_quick
def test_a_type_its_schema_and_the_type_of_its_schema_accept_the_same(text: str, samples: list[Any]) -> None:
    one = typed(text)
    schema = to_json_schema(one)
    json.dumps(schema, allow_nan=False)
    jsonschema.Draft202012Validator.check_schema(schema)
    other = type_from_json_schema(schema)
    assert parse_type(one.form) == one
    assert parse_type(other.form) == other
    validator = jsonschema.Draft202012Validator(schema)
    for sample in samples:
        for keywords in (False, True):
            # as the host spells the keys of what comes in: a field that is named by a text is not met by a keyword
            fits = one.accepts(with_named_keys(one, from_python(sample, keywords)))
            assert other.accepts(with_named_keys(other, from_python(sample, keywords))) is fits
            assert validator.is_valid(sample) is fits


def test_a_field_that_a_text_names_is_met_by_a_keyword_only_where_keys_are_spelled_as_the_type_does():
    one, value = typed('[:map ["a" :int ?]]'), Map([(Keyword("a"), None)])
    assert one.accepts(value)
    assert not one.accepts(with_named_keys(one, value))
    assert not type_from_json_schema(to_json_schema(one)).accepts(value)


@given(_TYPES, _JSON)
@_quick
def test_checking_and_searching_agree(text: str, sample: Any) -> None:
    from rtfs.types.type import find

    one, given_value = typed(text), from_python(sample, True)
    fits = one.accepts(given_value)
    assert (find(one, given_value) is None) is fits
    assert (find(one, given_value, shortcuts=False) is None) is fits


@given(
    st.recursive(
        _JSON,
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "prefixItems", "anyOf", "allOf", "oneOf", "not", "enum"]
                + [
                    "const",
                    "$ref",
                    "$defs",
                    "minimum",
                    "maxLength",
                    "minItems",
                    "additionalProperties",
                    "propertyNames",
                ]
            ),
            inner
            | st.lists(inner, max_size=3)
            | st.sampled_from(["string", "object", "#", "#/$defs", ["array", "null"]]),
            max_size=5,
        ),
        max_leaves=20,
    )
)
@_quick
def test_any_json_at_all_is_read_as_some_schema(schema: Any) -> None:
    made = type_from_json_schema(schema)
    assert parse_type(made.form) == made


def test_forms_from_schemas_are_written_as_people_would() -> None:
    schema = {
        "type": "object",
        "properties": {
            "owner": {"type": "string"},
            "labels": {"type": "array", "items": {"type": "string"}},
            "since": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["owner"],
    }
    assert from_json_schema(schema) == form("[:map [:owner :string] [:labels [:vector :string] ?] [:since :string?]]")
