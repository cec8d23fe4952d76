"""RTFS values to JSON arguments, answers to RTFS values, and JSON that means harm. No network."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from rtfs.capabilities.sessions.mcp.results import reply_error, result_value
from rtfs.capabilities.sessions.mcp.tools import can_be_repeated, header_value, marked_parameters, tool_hash
from rtfs.capabilities.sessions.wire import json as wire_json
from rtfs.capabilities.sessions.wire.arguments import arguments_json
from rtfs.values import Keyword, List, Map, Symbol, Vector, to_python
from rtfs.values.error import EvalError, HostError

K = Keyword


def sent(value: Any, **options: Any) -> Any:
    return json.loads(arguments_json(value, **options))


def test_keyword_keys_lose_their_colon_and_everything_else_is_kept() -> None:
    value = Map(
        [
            (K("owner"), "o"),
            ("plain key", 1),
            (K("ns/name"), K("open")),
            (K("list"), List([1, 2.5, None, True])),
            (K("big"), 2**70),
            (K("text"), "é\U0001f600\u2028"),
            (K("map"), Map([(K("a"), Map())])),
        ]
    )
    assert sent(value) == {
        "owner": "o",
        "plain key": 1,
        "ns/name": "open",
        "list": [1, 2.5, None, True],
        "big": 2**70,
        "text": "é\U0001f600\u2028",
        "map": {"a": {}},
    }


def test_nil_is_dropped_only_where_the_key_is_optional() -> None:
    value = Map([(K("a"), None), (K("b"), None), (K("c"), Map([(K("a"), None)]))])
    assert sent(value, optional_keys=frozenset({"a", "x"})) == {"b": None, "c": {"a": None}}


@pytest.mark.parametrize("nothing", [None, Map()])
def test_no_arguments_are_an_empty_object(nothing: Any) -> None:
    assert arguments_json(nothing) == b"{}"


def deep(levels: int) -> Any:
    value: Any = Vector()
    for _ in range(levels):
        value = Vector([value])
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (lambda: 1, "function"),
        (Symbol("x"), "symbol"),
        ("\ud800", "surrogate"),
        (10**5000, "digits"),
        (deep(2000), "deeper"),
        (Map([(1, 2)]), "key"),
        (Map([(K("a"), 1), ("a", 2)]), "two keys"),
        (Map([("\udc00", 1)]), "surrogate"),
    ],
    ids=["nan", "inf", "function", "symbol", "surrogate", "digits", "deep", "key", "twice", "surrogate-key"],
)
def test_what_json_cannot_say_is_a_clear_error(value: Any, said: str) -> None:
    with pytest.raises(HostError) as caught:
        arguments_json(Map([(K("here"), value)]))
    assert caught.value.code == "argument/json"
    assert said in caught.value.message


@pytest.mark.parametrize("value", [Vector([1, 2]), 5, "x", Vector([1]), Vector(), List(), Vector([Map([(K("a"), 1)])])])
def test_positional_arguments_are_refused(value: Any) -> None:
    with pytest.raises(EvalError) as caught:
        arguments_json(value)
    assert caught.value.code == "arity"


def text(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": one} for one in texts]


def test_structured_content_comes_first() -> None:
    found = result_value({"content": text('{"a": 1}'), "structuredContent": {"b": [1, {"c d": 2}]}})
    assert found == Map([(K("b"), Vector([1, Map([("c d", 2)])]))])


@pytest.mark.parametrize("said", ['{"a": [1, 2.0, null]}', ' [{"a": 1}]\n'])
def test_a_single_text_block_that_is_json_becomes_that_value(said: str) -> None:
    assert to_python(result_value({"content": text(said)})) == json.loads(said)


@pytest.mark.parametrize("said", ["plain", "42", '"x"', "{broken", "[1,", "{'a': 1}", '{"a": NaN}', "[" * 5000, ""])
def test_other_text_stays_a_content_block(said: str) -> None:
    found = result_value({"content": text(said)})
    assert found == Vector([Map([(K("type"), "text"), (K("text"), said)])])


def test_several_blocks_stay_blocks() -> None:
    assert len(result_value({"content": text('{"a": 1}', '{"b": 2}')})) == 2
    assert result_value({"content": []}) == Vector()


def test_every_kind_of_content_is_a_map_that_says_its_type() -> None:
    blocks = [
        {"type": "text", "text": "hi", "annotations": {"audience": ["user"]}},
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
        {"type": "resource_link", "uri": "file:///a", "name": "a"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "b", "mimeType": "text/plain"}},
        {"type": "something new", "x": 1},
    ]
    found = result_value({"content": blocks})
    assert [block.get(K("type")) for block in found] == [block["type"] for block in blocks]
    assert found[1].get(K("data")) == "AAAA"
    assert found[4].get(K("resource")).get(K("text")) == "b"
    assert to_python(found) == blocks


def test_an_error_result_is_capability_failed_with_all_its_text() -> None:
    with pytest.raises(HostError) as caught:
        result_value({"isError": True, "content": text("it broke", "badly"), "structuredContent": {"a": 1}})
    assert caught.value.code == "capability/failed"
    assert caught.value.message == "it broke\nbadly"
    assert len(caught.value.data.get(K("content"))) == 2
    with pytest.raises(HostError) as caught:
        result_value({"isError": True, "content": []})
    assert "did not say why" in caught.value.message


@pytest.mark.parametrize("answer", [None, [], 5, {}, {"content": "text"}])
def test_what_is_no_result_is_a_protocol_error(answer: Any) -> None:
    with pytest.raises(HostError) as caught:
        result_value(answer)
    assert caught.value.code == "session/protocol"


def test_error_replies_keep_the_servers_words_and_data() -> None:
    error = reply_error({"code": -32602, "message": "no such tool", "data": {"tool": "x"}}, "the tool 'x'")
    assert (error.code, error.message) == ("capability/failed", "no such tool")
    assert error.data.get(K("data")).get(K("tool")) == "x"
    assert reply_error({"code": -32601, "message": "m"}, "tools/call").code == "session/protocol"
    assert reply_error({"code": -32042, "message": "m"}, "x").code == "session/input-required"
    assert reply_error({"code": -1, "message": None}, "x").message == "no reason given"


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_json_deeper_than_allowed_is_refused_without_recursing(brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    with pytest.raises(ValueError, match="deep"):
        wire_json.parse(opening * 100_000 + b"1" + closing * 100_000)
    assert wire_json.parse(opening * 200 + b"1" + closing * 200) is not None


def test_wide_json_and_brackets_in_strings_are_no_depth() -> None:
    assert len(wire_json.parse(b"[" + b",".join([b"[]"] * 5000) + b"]")) == 5000
    said = json.dumps(["[" * 2000, '\\"[{' * 500])
    assert wire_json.parse(said.encode()) == json.loads(said)


@pytest.mark.parametrize("bad", [b"", b" ", b"{", b"NaN", b"[1] x", b"\xff", b'"\n"', b"1" * 5000, b"01", b"{a:1}"])
def test_what_is_no_json_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError):
        wire_json.parse(bad)


def test_the_hash_of_a_tool_depends_on_what_it_says_only() -> None:
    one = {"name": "a", "description": "d", "inputSchema": {"type": "object", "properties": {"x": {}, "y": {}}}}
    same = {
        "inputSchema": {"properties": {"y": {}, "x": {}}, "type": "object"},
        "description": "d",
        "name": "a",
        "_meta": 1,
    }
    assert tool_hash(one) == tool_hash(same)
    assert tool_hash(one) != tool_hash({**one, "description": "D"})
    assert tool_hash(one) != tool_hash({**one, "inputSchema": {}})


def test_hints_and_header_marks_are_read_strictly() -> None:
    assert can_be_repeated({"annotations": {"readOnlyHint": True}})
    assert can_be_repeated({"annotations": {"idempotentHint": True}})
    assert not can_be_repeated({"annotations": {"readOnlyHint": "yes"}})
    assert not can_be_repeated({})
    good = {"inputSchema": {"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}}
    assert marked_parameters(good) == [(("a",), "A")]
    for wrong in (
        {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": "A\r\n"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
        {"items": {"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}}},
        {"type": "string", "x-mcp-header": "A"},
    ):
        assert marked_parameters({"inputSchema": wrong}) is None


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("us-west1", b"us-west1"),
        ("Hello, 世界", b"=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", b"=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", b"=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", b"=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ],
)
def test_header_values_are_encoded_as_the_specification_shows(value: str, header: bytes) -> None:
    assert header_value(value) == header
