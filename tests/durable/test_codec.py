"""The codec loses nothing and writes the same value the same way."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.host.durable.codec import decode, encode
from rtfs.source import Source, Span
from rtfs.values import EvalError, HostError, Keyword, LimitError, List, Map, ReaderError, Symbol, TypeMismatch, Vector

ROOT = Path(__file__).resolve().parent.parent.parent
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**4000, max_value=10**4300),
    st.floats(allow_nan=False),
    st.text(st.characters(), max_size=8),
    st.text("abc/-", min_size=1, max_size=5).map(Keyword),
    st.text("abc/-", min_size=1, max_size=5).map(Symbol),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(Vector),
        st.lists(inner, max_size=4).map(List),
        st.lists(st.tuples(inner, inner), max_size=4).map(Map),
    ),
    max_leaves=20,
)


def same(one: object, other: object) -> bool:
    """The same value of the same kind, all through, maps in the same order."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, (Vector, List)) and isinstance(other, (Vector, List)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Map) and isinstance(other, Map):
        return same(Vector(one.keys()), Vector(other.keys())) and same(Vector(one.values()), Vector(other.values()))
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return one == other


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_what_is_decoded_is_what_was_encoded(value: object) -> None:
    assert same(decode(encode(value)), value)


def test_numbers_that_are_none_and_lone_surrogates_survive() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode(Vector([math.inf, -math.inf]))) == Vector([math.inf, -math.inf])
    assert decode(encode("\ud800\0")) == "\ud800\0"
    assert decode(encode(-(10**6000))) == -(10**6000)


def test_errors_keep_their_kind_fields_and_place() -> None:
    source = Source("(call 1)", "plan.rtfs")
    for kind in (EvalError, LimitError, TypeMismatch):
        error = kind("a/b", "what", hint="try", data=Map([(1, Vector([2]))]), capability="c", span=Span(source, 1, 5))
        found = decode(encode(error), {"plan.rtfs": source})
        assert found.__class__ is kind
        assert [found.code, found.message, found.hint, found.data, found.capability, found.span] == [
            "a/b", "what", "try", Map([(1, Vector([2]))]), "c", Span(source, 1, 5),
        ]  # fmt: skip
    assert decode(encode(HostError("x", code="session/expired"))).span is None
    assert decode(encode(ReaderError("reader/number", "x"))).others == ()


def test_depth_is_no_danger() -> None:
    value = Vector()
    for _ in range(100_000):
        value = Vector([value])
    text = encode(value)
    assert encode(decode(text)) == text


def test_functions_are_refused_or_nameless() -> None:
    with pytest.raises(TypeError):
        encode(Vector([len]))
    text = encode(Vector([len, 1]), functions=True)
    assert text == encode(Vector([abs, 1]), functions=True)
    with pytest.raises(ValueError):
        decode(text)


@pytest.mark.parametrize(
    "text",
    ["", "[", "{}", "5", "[1,2]", "[]", '[["m",5]]', '[["v",-1]]', '[["z"]]', '[["k",5]]', '[["i","zz"]]', '[["e"]]'],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_the_text_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from rtfs.host.durable.codec import encode; from rtfs.values import *;"
        "print(encode(Map([(Keyword(str(i)), Vector([i, str(i)])) for i in range(50)])))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
