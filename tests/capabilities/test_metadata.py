"""Metadata is flattened the same way for every provider, and a session is asked for by suffix."""

from __future__ import annotations

import pytest

from rtfs.capabilities.metadata import candidates, flatten, prefixes, wants_session
from rtfs.values import Keyword, Map, Vector


def m(**pairs: object) -> Map:
    return Map([(Keyword(key.replace("__", "-")), value) for key, value in pairs.items()])


def test_nested_keys_join_with_underscores() -> None:
    flat = flatten(m(mcp=m(requires_session="auto", auth=m(env_var="T")), discovery=m(method="x")))
    assert flat == {"mcp_requires_session": "auto", "mcp_auth_env_var": "T", "discovery_method": "x"}


def test_any_provider_and_string_keys_and_dashes_stay() -> None:
    flat = flatten(Map([("zz", Map([(Keyword("requires_session"), "true"), ("some-key", 5)]))]))
    assert flat == {"zz_requires_session": "true", "zz_some-key": 5}


def test_leaves_keep_their_value_and_keywords_become_names() -> None:
    flat = flatten(m(a=Keyword("x"), b=Vector([1]), c=None, d=1.5))
    assert flat == {"a": "x", "b": Vector([1]), "c": None, "d": 1.5}


def test_nothing_is_nothing() -> None:
    assert flatten(None) == {} == flatten(Map())


def test_too_deep_is_refused() -> None:
    value: object = "x"
    for _ in range(100):
        value = m(a=value)
    with pytest.raises(ValueError, match="deeper"):
        flatten(value)


@pytest.mark.parametrize("value", ["auto", "true", True])
def test_auto_and_true_ask_for_a_session(value: object) -> None:
    assert wants_session({"any_requires_session": value})


@pytest.mark.parametrize("flat", [{}, {"a_requires_session": "false"}, {"a_requires_session": None}, {"x": "auto"}])
def test_everything_else_does_not(flat: dict[str, object]) -> None:
    assert not wants_session(flat)


def test_the_provider_is_the_name_that_prefixes_the_session_key() -> None:
    flat = {"zz_requires_session": "auto", "discovery_method": "m"}
    assert candidates(flat, ["aa", "discovery", "zz"]) == ["zz"]
    assert candidates(flat, ["aa"]) == []
    assert candidates({"zz_top_requires_session": "auto"}, ["zz", "zz_top"]) == ["zz", "zz_top"]
    assert prefixes(flat) == ["zz"]
