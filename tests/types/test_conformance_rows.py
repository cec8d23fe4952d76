"""The type cases of the conformance suite, checked without a program around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs.types import parse_type
from rtfs.values import TypeMismatch, UserError
from tests.types.reading import typed, value

_ROWS = [
    tuple(line.split(" | "))
    for line in (Path(__file__).parent / "conformance_rows.txt").read_text("utf-8").splitlines()
    if not line.startswith(";")
]


@pytest.mark.parametrize(("type_text", "value_text", "fits"), _ROWS)
def test_a_value_fits_or_is_refused(type_text: str, value_text: str, fits: str) -> None:
    checked, given = typed(type_text), value(value_text)
    assert checked.accepts(given) is (fits == "yes")
    if fits == "yes":
        assert checked.check(given) is given
    else:
        with pytest.raises(TypeMismatch) as caught:
            checked.check(given, "parameter x")
        assert caught.value.code == "type/mismatch"
        assert caught.value.message.startswith("parameter x: expected ")


@pytest.mark.parametrize("type_text", sorted({row[0] for row in _ROWS}))
def test_the_form_of_a_type_reads_back_as_the_same_type(type_text: str) -> None:
    made = typed(type_text)
    again = parse_type(made.form)
    assert again == made
    assert hash(again) == hash(made)
    assert made.describe()
    assert made.describe(True)


@pytest.mark.parametrize("name", ["NoSuchType", "MyType", "MyMissing", ":no-such-type", "[:vector strng]", "strng?"])
def test_an_unknown_name_is_type_unknown(name: str) -> None:
    with pytest.raises(UserError) as caught:
        typed(name)
    assert caught.value.code == "type/unknown"
