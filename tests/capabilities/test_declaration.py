"""Declarations as written, also those found in the wild, become complete and checked fields."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.capabilities.declaration import Fields, from_options
from rtfs.source import Source
from rtfs.syntax.reader import read_forms
from rtfs.syntax.spans import span_of
from rtfs.values import HostError, Map


def declare(text: str, warnings: list[str] | None = None) -> Fields:
    (form,) = read_forms(Source(text, "caps.rtfs"))
    items = form.to_list()
    options = Map(list(zip(items[2::2], items[3::2], strict=True)))
    return from_options(
        items[1], options, span_of(form), lambda text, span: warnings.append(text) if warnings is not None else None
    )


WILD = """(capability "mcp.github.list_issues"
  :name "list_issues" :version "1.0.0" :description "List issues in a GitHub repository" :provider "MCP"
  :permissions [:network.http] :effects [:network_request :mcp_call]
  :metadata {:mcp {:server_url "https://api.example.com/mcp/" :requires_session "auto" :auth_env_var "MCP_AUTH_TOKEN"}
             :discovery {:method "mcp_introspection"}}
  :input-schema {:owner :string :repo :string :labels [:vector :string] ;; optional
                 :state :string?}
  :output-schema :any)"""


def test_the_declaration_of_the_design() -> None:
    fields = declare(WILD)
    assert fields.id == "mcp.github.list_issues"
    assert (fields.name, fields.version, fields.provider) == ("list_issues", "1.0.0", "MCP")
    assert fields.permissions == ("network.http",)
    assert fields.effects == ("network_request", "mcp_call")
    assert fields.flat_metadata["mcp_auth_env_var"] == "MCP_AUTH_TOKEN"
    assert fields.flat_metadata["discovery_method"] == "mcp_introspection"
    assert fields.output_type is None


def test_an_optional_comment_makes_the_key_optional() -> None:
    from rtfs.values import from_python

    check = declare(WILD).input_type
    assert check is not None
    assert check.accepts(from_python({"owner": "o", "repo": "r"}))
    assert check.accepts(from_python({"owner": "o", "repo": "r", "labels": ["a"], "state": "open"}))
    assert not check.accepts(from_python({"owner": "o"}))
    assert not check.accepts(from_python({"owner": "o", "repo": "r", "labels": "a"}))


@pytest.mark.parametrize("id", ["a/b-c d", "ccos.concurrent/parallel", "com.acme:v1.0/x", "tool with spaces"])
def test_ids_are_kept_as_written(id: str) -> None:
    assert declare(f'(capability "{id}")').id == id


@pytest.mark.parametrize(
    ("text", "provider"), [(':provider "MCP"', "MCP"), (":provider :MCP", "MCP"), (":provider {:type :mcp}", "mcp")]
)
def test_providers_found_in_the_wild(text: str, provider: str) -> None:
    assert declare(f'(capability "a" {text})').provider == provider


def test_tags_are_keywords_strings_or_one_of_them() -> None:
    fields = declare('(capability "a" :permissions [:ccos.io/println ":b" "c"] :effects :network :domains nil)')
    assert fields.permissions == ("ccos.io/println", "b", "c")
    assert fields.effects == ("network",)
    assert fields.domains == ()


@pytest.mark.parametrize(
    "schema",
    ["{:k :int}", "[:map [:k :int]]", "[:record [:k :int]]", "{:k {:n :string?}}", ":any", "{:k :int?}", "nil"],
)
def test_schemas_found_in_the_wild(schema: str) -> None:
    assert declare(f'(capability "a" :input-schema {schema})').id == "a"


def test_underscored_keys_are_the_same_keys() -> None:
    assert declare('(capability "a" :input_schema {:k :int})').input_type is not None


def test_an_unknown_key_is_a_warning_with_a_hint() -> None:
    warnings: list[str] = []
    assert declare('(capability "a" :descripton "x" :zzz 1)', warnings).description == ""
    assert warnings == [
        "a: unknown key :descripton is ignored (did you mean :description?)",
        "a: unknown key :zzz is ignored",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (":name 5", ":name is a string, not 5"),
        (":metadata [1]", ":metadata is a map"),
        (":permissions [1]", ":permissions holds keywords or strings"),
        (":idempotent 1", ":idempotent is true or false"),
        (":deprecated 1", ":deprecated is true, false or a text"),
        (":implementation 5", ":implementation is a function"),
        (":input-schema :no-such-type", ":input-schema:"),
    ],
)
def test_a_wrong_value_is_an_error_with_a_place(text: str, said: str) -> None:
    with pytest.raises(HostError) as caught:
        declare(f'(capability "a" {text})')
    assert caught.value.code == "capability/invalid"
    assert said in caught.value.message
    assert caught.value.span is not None


def test_the_place_is_that_of_the_wrong_value_where_it_has_one() -> None:
    with pytest.raises(HostError) as caught:
        declare('(capability "a"\n  :metadata [1])')
    assert caught.value.span is not None
    assert (caught.value.span.line, caught.value.span.text) == (2, "[1]")


@pytest.mark.parametrize("id", [None, "", "  ", 5])
def test_an_id_is_a_text(id: Any) -> None:
    with pytest.raises(HostError, match="non-empty"):
        from_options(id, Map(), None, lambda text, span: None)
