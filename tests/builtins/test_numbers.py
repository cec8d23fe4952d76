"""Arithmetic: exactness, kinds, zero divisors, caps."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.builtins import CORE
from rtfs.builtins import numbers as n
from rtfs.builtins.number_text import read_float, read_int, read_number
from rtfs.values import EvalError, LimitError, TypeMismatch, UserError
from rtfs.values.step_account import account

INTS = st.integers(-(10**30), 10**30)
NONZERO = INTS.filter(bool)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def same(value: Any, expected: Any) -> bool:
    return type(value) is type(expected) and (value == expected or (value != value and expected != expected))


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("+", (), 0),
        ("+", (5,), 5),
        ("+", (1, 2.0), 3.0),
        ("+", (1, 2, 3, 4), 10),
        ("-", (5,), -5),
        ("-", (10, 3, 2), 5),
        ("*", (), 1),
        ("*", (2, 1.5), 3.0),
        ("/", (7, 2), 3.5),
        ("/", (6, 2), 3),
        ("/", (-6, 2), -3),
        ("/", (6, 2.0), 3.0),
        ("/", (12, 2, 3), 2),
        ("/", (5,), 5),
        ("mod", (-7, 3), 2),
        ("mod", (7, -3), -2),
        ("mod", (5.5, -2), -0.5),
        ("rem", (-7, 2), -1),
        ("rem", (7, -2), 1),
        ("rem", (7.5, 2), 1.5),
        ("rem", (math.inf, 2), math.nan),
        ("quot", (-7, 2), -3),
        ("quot", (7, -2), -3),
        ("quot", (7.5, 2), 3.0),
        ("quot", (math.inf, 2), math.inf),
        ("inc", (1.5,), 2.5),
        ("dec", (0,), -1),
        ("max", (1, 5, 3), 5),
        ("max", (1, 2.5), 2.5),
        ("min", (4, 2, 8), 2),
        ("max", (1, math.nan, 2), math.nan),
        ("min", (math.nan, 1), math.nan),
        ("abs", (-1.5,), 1.5),
        ("sqrt", (9,), 3.0),
        ("pow", (2, 10), 1024),
        ("pow", (2, -1), 0.5),
        ("pow", (0, 0), 1),
        ("pow", (2.0, 3), 8.0),
        ("pow", (10.0, 400), math.inf),
        ("pow", (-10.0, 401), -math.inf),
        ("pow", (-1, 10**9), 1),
        ("factorial", (20,), math.factorial(20)),
        ("floor", (-1.2,), -2),
        ("ceil", (-1.7,), -1),
        ("round", (2.5,), 3),
        ("round", (-2.5,), -3),
        ("round", (0.49999999999999994,), 0),
        ("round", (1e300,), int(1e300)),
        ("int", (-2.9,), -2),
        ("int", ("0xFF",), 255),
        ("int", (" 3.7 ",), 3),
        ("float", ("2",), 2.0),
        ("float", ("##-Inf",), -math.inf),
        ("even?", (-2,), True),
        ("odd?", (-3,), True),
        ("parse-int", ("-0",), 0),
        ("parse-int", ("4x",), None),
        ("parse-float", ("-1.5e2",), -150.0),
    ],
)
def test_values(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert same(CORE[name](*args), expected)


@pytest.mark.parametrize("name", ["/", "mod", "rem", "quot"])
@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
@pytest.mark.parametrize("dividend", [1, 1.0, 0])
def test_every_zero_divisor_is_an_error(name: str, zero: Any, dividend: Any) -> None:
    with pytest.raises(EvalError) as caught:
        CORE[name](dividend, zero)
    assert caught.value.code == "arithmetic/div-by-zero"


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("pow", (0, -1), "arithmetic/div-by-zero"),
        ("pow", (-8, 0.5), "argument/invalid"),
        ("sqrt", (-1,), "argument/invalid"),
        ("factorial", (-1,), "argument/invalid"),
        ("factorial", (1.5,), "type/mismatch"),
        ("floor", (math.inf,), "arithmetic/not-finite"),
        ("round", (math.nan,), "arithmetic/not-finite"),
        ("int", (math.inf,), "arithmetic/not-finite"),
        ("int", ("4x",), "argument/invalid"),
        ("int", (None,), "type/mismatch"),
        ("int", (True,), "type/mismatch"),
        ("float", ("",), "argument/invalid"),
        ("float", (10**400,), "arithmetic/overflow"),
        ("sqrt", (10**700,), "arithmetic/overflow"),
        ("+", (10**400, 1.0), "arithmetic/overflow"),
        ("*", (1.0, 10**400), "arithmetic/overflow"),
        ("/", (10**400, 3), "arithmetic/overflow"),
        ("mod", (10**400, 3.0), "arithmetic/overflow"),
        ("rem", (10**400, 3.0), "arithmetic/overflow"),
        ("quot", (10**400, 3.0), "arithmetic/overflow"),
        ("pow", (10**400, 0.5), "arithmetic/overflow"),
        ("parse-int", (4,), "type/mismatch"),
    ],
)
def test_error_codes(name: str, args: tuple[Any, ...], code: str) -> None:
    with pytest.raises(UserError) as caught:
        CORE[name](*args)
    assert caught.value.code == code


NUMERIC = "+ - * / mod rem quot inc dec max min abs sqrt pow floor ceil round even? odd? zero? pos? neg?"


@pytest.mark.parametrize("name", NUMERIC.split())
@pytest.mark.parametrize("wrong", [True, None, "1", CORE["inc"]])
def test_wrong_kinds_are_type_errors_that_name_the_function(name: str, wrong: Any) -> None:
    args = (1, wrong) if name in ("/", "mod", "rem", "quot", "pow") else (wrong,)
    with pytest.raises(TypeMismatch) as caught:
        CORE[name](*args)
    assert f"({name} …)" in caught.value.message


HUGE = n.CAP - 1


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("+", (HUGE, HUGE)),
        ("-", (-HUGE, HUGE)),
        ("*", (HUGE, HUGE)),
        ("inc", (HUGE,)),
        ("dec", (-HUGE,)),
        ("pow", (10, 10**12)),
        ("pow", (3, n.MAX_BITS)),
        ("factorial", (10**15,)),
        ("factorial", (n.MAX_BITS,)),
        ("parse-int", ("9" * 1_000_000,)),
        ("int", ("0x" + "f" * 1_000_000,)),
    ],
)
def test_integers_stop_at_the_cap(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(LimitError) as caught:
        CORE[name](*args)
    assert caught.value.code == "limit/integer"


@given(INTS, NONZERO)
def test_integer_division_is_exact_or_a_float(a: int, b: int) -> None:
    value = n.div2(a, b)
    assert same(value, a // b) if Fraction(a, b).denominator == 1 else same(value, a / b)


@given(INTS, NONZERO)
def test_quot_and_rem_truncate_and_belong_together(a: int, b: int) -> None:
    quotient, remainder = n.quot2(a, b), n.rem2(a, b)
    assert quotient * b + remainder == a
    assert quotient == math.trunc(Fraction(a, b))


@given(FLOATS)
def test_rounding_goes_to_the_nearest_and_away_from_zero(x: float) -> None:
    value = CORE["round"](x)
    distance = abs(Fraction(x) - value)
    assert distance < Fraction(1, 2) or (distance == Fraction(1, 2) and abs(value) > abs(Fraction(x)))


@given(INTS)
def test_parse_int_reads_what_str_prints(a: int) -> None:
    assert read_int(str(a)) == a
    assert same(read_number(f"  {a} "), a)


@given(st.floats())
def test_parse_float_reads_what_is_printed(x: float) -> None:
    assert same(read_float(CORE["pr-str"](x)), x)


def test_long_integers_ignore_the_digit_limit_of_python() -> None:
    digits = "7" * 20_000
    assert CORE["str"](CORE["parse-int"](digits)) == digits


@pytest.mark.parametrize(
    "text", ["", " ", "+", "-", "1.", ".5", "1e", "1_000", "12abc", "٣", "0x", "0xg", "1.5.2", "e5", "--1"]
)
def test_what_does_not_read_is_no_number(text: str) -> None:
    assert read_number(text) is None
    assert read_int(text) is None
    assert read_float(text) is None


BITS = (0, 1, 70_000, 131_073, 300_000, 500_001)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("other_bits", BITS)
def test_products_of_long_integers_are_those_of_python(bits: int, other_bits: int):
    random = Random(bits * 7 + other_bits)
    for sign in (1, -1):
        a, b = sign * random.getrandbits(bits), -random.getrandbits(other_bits)
        assert n.long_product(a, b) - a * b == 0  # a difference that is not zero is short to show
        assert n.long_product(a, a) - a * a == 0
        assert n.long_product(-(1 << bits), b) + (b << bits) == 0


@pytest.mark.parametrize("base", [3, -3, 10, 7**50])
@pytest.mark.parametrize("exponent", [2_001, 6_000])
def test_large_powers_are_those_of_python(base: int, exponent: int):
    assert CORE["pow"](base, exponent) - base**exponent == 0


def test_large_powers_and_products_give_others_their_turn(monkeypatch: pytest.MonkeyPatch):
    looks: list[int] = []
    monkeypatch.setattr(account, "pay", looks.append)
    CORE["pow"](3, 660_000)
    assert len(looks) >= 4
    large = CORE["pow"](3, 330_000)
    looks.clear()
    assert n.mul2(large, large) - large * large == 0
    assert len(looks) >= 3
