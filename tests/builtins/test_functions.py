"""Functions on functions, `call_with`, and errors as values."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.calling import call_with
from rtfs.values import EvalError, Keyword, Map, TypeMismatch, Vector, equal

K = Keyword
inc, add, text = CORE["inc"], CORE["+"], CORE["str"]


def collect(*arguments: Any) -> list[Any]:
    return list(arguments)


@pytest.mark.parametrize("count", range(12))
def test_every_number_of_arguments_arrives(count: int) -> None:
    arguments = list(range(count))
    assert call_with(collect, arguments) == arguments
    assert CORE["apply"](collect, Vector(arguments)) == arguments
    assert CORE["apply"](collect, "x", Vector(arguments)) == ["x", *arguments]
    assert CORE["partial"](collect, "a")(*arguments) == ["a", *arguments]
    assert CORE["partial"](collect, "a", "b")(*arguments) == ["a", "b", *arguments]
    assert CORE["comp"](len, collect)(*arguments) == count
    assert CORE["comp"](inc, len, collect)(*arguments) == count + 1
    assert CORE["juxt"](collect)(*arguments)[0] == arguments
    assert CORE["constantly"](7)(*arguments) == 7
    assert CORE["complement"](collect)(*arguments) is False
    assert CORE["memoize"](collect)(*arguments) == arguments


def test_comp_applies_from_the_last_to_the_first() -> None:
    assert CORE["comp"](text, inc)(1) == "2"
    assert CORE["comp"](K("b"), K("a"))(Map({K("a"): Map({K("b"): 3})})) == 3
    assert CORE["comp"]()(5) == 5
    assert CORE["comp"](inc) is inc


def test_juxt_and_complement() -> None:
    assert equal(CORE["juxt"](inc, CORE["dec"])(5), Vector([6, 4]))
    assert CORE["complement"](CORE["nil?"])(None) is False


@pytest.mark.parametrize("collection", [None, "ab", Map({1: 2})])
def test_apply_takes_every_sequence(collection: Any) -> None:
    assert len(CORE["apply"](collect, collection)) == len(collection or ())


def test_memoize_calls_once_and_keeps_kinds_apart() -> None:
    calls: list[Any] = []

    def record(*arguments: Any) -> Any:
        calls.append(arguments)
        return None

    remembered = CORE["memoize"](record)
    for argument in (1, 1, 1.0, 1.0, True, True, Vector([1]), Vector([1]), Vector([1.0])):
        remembered(argument)
    assert calls == [(1,), (1.0,), (True,), (Vector([1]),), (Vector([1.0]),)]


def test_made_functions_are_plain_functions_with_a_name() -> None:
    for made in (
        CORE["constantly"](1),
        CORE["comp"](inc, inc),
        CORE["comp"](inc, inc, inc),
        CORE["partial"](add, 1),
        CORE["partial"](add, 1, 2),
        CORE["complement"](inc),
        CORE["juxt"](inc),
        CORE["memoize"](inc),
    ):
        assert type(made) is FunctionType
        assert made.__name__ in CORE


@pytest.mark.parametrize("make", ["comp", "partial", "complement", "juxt", "memoize"])
def test_only_what_can_be_called_is_taken(make: str) -> None:
    with pytest.raises(TypeMismatch):
        CORE[make](5)
    with pytest.raises(TypeMismatch):
        CORE["apply"](5, Vector([1]))
    with pytest.raises(TypeMismatch):
        CORE["apply"](add, 5)


def test_recursion_through_made_functions_takes_no_c_stack() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    cell: list[Any] = []

    def down(n: int) -> int:
        return 0 if n == 0 else int(cell[0](n - 1)) + 1

    try:
        for made in (
            CORE["comp"](CORE["identity"], down),
            CORE["comp"](CORE["identity"], CORE["identity"], down),
            CORE["memoize"](down),
            CORE["partial"](lambda _, n: down(n), 1),
            CORE["partial"](lambda _, __, n: down(n), 1, 2),
        ):
            cell[:] = [made]
            assert down(30_000) == 30_000
    finally:
        sys.setrecursionlimit(limit)


def test_errors_are_made_raised_and_read() -> None:
    data = Map({K("n"): 2})
    made = CORE["Exception."]("boom", data)
    assert made.code == "user/error"
    assert CORE["getMessage"](made) == CORE["ex-message"](made) == "boom"
    assert CORE["ex-data"](made) is data
    with pytest.raises(EvalError) as caught:
        CORE["error"]("bad", data)
    assert (caught.value.code, caught.value.message, caught.value.data) == ("user/error", "bad", data)
    assert CORE["ex-data"](None) is CORE["ex-message"]("x") is CORE["ex-cause"](5) is None
    for name, argument in (("getMessage", "x"), ("error", 5), ("Exception.", None)):
        with pytest.raises(TypeMismatch):
            CORE[name](argument)
