"""What a capability answers becomes values that print and read back, or an error that says what it was."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs


def answered(value: Any) -> Any:
    runtime = rtfs.Runtime()
    runtime.register("t.f", lambda _: value)
    return runtime.run('(call "t.f")')


@pytest.mark.parametrize("value", ["a\ud800b", {"k": ["x", "\udc00"]}, {"\udc00": 1}])
def test_half_a_surrogate_pair_is_no_text(value: Any) -> None:
    with pytest.raises(rtfs.HostError, match="half of a surrogate pair") as caught:
        answered(value)
    assert caught.value.code == "capability/result"


def test_surrogates_in_pairs_become_the_character_that_they_spell() -> None:
    assert rtfs.to_text(answered({"k": ["\ud83d\ude00"]})) == '{:k ["😀"]}'


def test_a_backslash_and_u_as_text_stay_what_they_are() -> None:
    assert answered(r"\ud800") == r"\ud800"


def test_data_that_contains_itself_is_named() -> None:
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)
    with pytest.raises(rtfs.HostError, match="a list that contains itself"):
        answered(cyclic)


@pytest.mark.parametrize(
    ("code", "becomes"),
    [("weird code!", ":weird-code!"), ("", ":error"), ("a/b", ":a/b"), ("x" * 300, ":" + "x" * 200)],
)
def test_the_code_of_an_error_reads_as_a_keyword(code: str, becomes: str) -> None:
    def fail(_: Any) -> None:
        raise rtfs.HostError("boom", code=code)

    runtime = rtfs.Runtime()
    runtime.register("t.f", fail)
    value = runtime.run('(try (call "t.f") (catch e (:code e)))')
    assert rtfs.to_text(value) == becomes
    assert rtfs.equal(rtfs.read_value(becomes), value)
