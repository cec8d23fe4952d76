"""`= not= < > <= >= compare not`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.builtins import CORE
from rtfs.builtins import comparison as c
from rtfs.values import Keyword, TypeMismatch, Vector

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False))


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("<", (1, 2, 3), True),
        ("<", (1, 3, 2), False),
        ("<", (5,), True),
        ("<", ("a", "b", "c"), True),
        ("<=", (1, 1, 2), True),
        (">=", (3, 3, 1), True),
        (">", (3, 1, 2), False),
        ("<", (2**53, 2.0**53 + 2), True),
        ("<", (2**53 + 1, 2.0**53), False),
        ("<", (float("nan"), 1), False),
        ("=", (1, 1.0), False),
        ("=", (3, 3, 4), False),
        ("=", (float("nan"),), True),
        ("not=", (1, True), True),
        ("!=", ("a", "a"), False),
        ("compare", (2, 1), 1),
        ("compare", (None, "a"), -1),
        ("not", (None,), True),
        ("not", (0,), False),
    ],
)
def test_values(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert CORE[name](*args) is expected or CORE[name](*args) == expected


@pytest.mark.parametrize("name", ["<", ">", "<=", ">="])
@pytest.mark.parametrize(
    "args",
    [
        (1, "a"),
        ("a", 1),
        (None,),
        (True, False),
        (Keyword("a"), Keyword("b")),
        (Vector([1]), Vector([2])),
        (3, 2, "a"),
        (2, 3, "a"),
    ],
)
def test_order_takes_numbers_or_strings_whatever_the_other_arguments_are(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeMismatch):
        CORE[name](*args)


@given(NUMBERS, NUMBERS)
def test_the_four_orders_agree(a: Any, b: Any) -> None:
    assert c.lt2(a, b) is c.gt2(b, a) is not c.ge2(a, b)
    assert c.le2(a, b) is not c.gt2(a, b)


@pytest.mark.parametrize(("name", "args"), [("=", ()), ("<", ()), ("not=", ()), ("!=", (1, 2, 3)), ("not", ())])
def test_wrong_counts_are_pythons_type_error(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        CORE[name](*args)
