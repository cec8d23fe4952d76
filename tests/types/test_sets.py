"""`[:set T]`: checking, JSON Schema both ways, arrays at the boundary."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.types import parse_type
from rtfs.types.arrays import arrays_as_sets, wants_sets
from rtfs.types.from_schema import from_json_schema
from rtfs.types.to_schema import to_json_schema
from rtfs.values import TypeMismatch


def type_of(text: str) -> object:
    return parse_type(rtfs.read_value(text))


@pytest.mark.parametrize(
    ("type", "value", "fits"),
    [
        ("[:set :int]", "#{1 2}", True),
        ("[:set :int]", "#{}", True),
        ("[:set :int]", '#{1 "a"}', False),
        ("[:set :int]", "[1 2]", False),
        ("[:set [:map [:a :int]]]", "#{{:a 1}}", True),
        (":set", "#{1}", True),
        (":set", "{}", False),
        (":regex", '#"a"', True),
        ("[:and [:set :int] [:max-count 1]]", "#{1 2}", False),
        ("[:enum #{1 2} 3]", "#{2 1}", True),
        (":fn", "#{1}", True),
    ],
)
def test_a_type_of_sets_takes_sets_alone(type: str, value: str, fits: bool) -> None:
    assert type_of(type).accepts(rtfs.read_value(value)) is fits  # type: ignore[attr-defined]


def test_the_error_names_the_element() -> None:
    with pytest.raises(TypeMismatch, match="expected an integer as element"):
        type_of("[:set :int]").check(rtfs.read_value('#{1 "a"}'))  # type: ignore[attr-defined]


@pytest.mark.parametrize("type", ["[:set :int]", ":set", "[:map [:tags [:and [:set :string] [:min-count 1]]]]"])
def test_a_set_is_an_array_of_unique_items_in_json_schema_and_back(type: str) -> None:
    form = rtfs.read_value(type)
    schema = to_json_schema(parse_type(form))
    assert '"uniqueItems": True' in repr(schema).replace("'", '"')
    assert rtfs.to_text(from_json_schema(schema)) == type


@pytest.mark.parametrize(
    ("type", "value", "becomes"),
    [
        ("[:set :int]", "[1 2]", "#{1 2}"),
        ("[:set :int]", "[1 1]", "[1 1]"),
        ("[:set :int]", "5", "5"),
        ("[:map [:a [:set :int]] [:b :vector]]", "{:a [1] :b [2]}", "{:a #{1} :b [2]}"),
        ("[:map [:a [:set :int]]]", '{"a" [1]}', '{"a" #{1}}'),
        ("[:vector [:set :int]]", "[[1] [2 3]]", "[#{1} #{2 3}]"),
        ("[:tuple :int [:set :int]]", "[1 [2]]", "[1 #{2}]"),
        ("[:map-of :keyword [:set :int]]", "{:a [1]}", "{:a #{1}}"),
        ("[:set [:set :int]]", "[[1] [2]]", "#{#{1} #{2}}"),
        ("[:union [:set :int] :string]", "[1]", "#{1}"),
        ("[:union [:set :int] :vector]", "[1]", "[1]"),
        ("[:union [:set :int] nil]", "nil", "nil"),
    ],
)
def test_arrays_become_sets_where_the_type_wants_one(type: str, value: str, becomes: str) -> None:
    wanted = type_of(type)
    assert wants_sets(wanted)  # type: ignore[arg-type]
    assert rtfs.to_text(arrays_as_sets(wanted, rtfs.read_value(value))) == becomes  # type: ignore[arg-type]


def test_a_call_takes_an_array_for_a_set_and_gives_a_set_for_an_array() -> None:
    seen: list[object] = []

    def tags(value: object) -> object:
        seen.append(value)
        return {"found": ["x", "y"]}

    runtime = rtfs.Runtime()
    schemas = {"input_schema": "[:map [:tags [:set :string]]]", "output_schema": "[:map [:found [:set :string]]]"}
    runtime.register("t.tags", tags, **schemas)
    value = runtime.run('(call "t.tags" {:tags ["a" "b"]})')
    assert rtfs.to_text(value) == '{:found #{"x" "y"}}'
    assert rtfs.to_text(seen[0]) == '{:tags #{"a" "b"}}'
    with pytest.raises(TypeMismatch):
        runtime.run('(call "t.tags" {:tags ["a" "a"]})')
