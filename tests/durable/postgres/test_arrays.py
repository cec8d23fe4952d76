"""Arrays as the host writes them are what the server reads."""

from __future__ import annotations

import math
from typing import Any

import psycopg
import pytest

from rtfs.host.postgres.arrays import array


@pytest.mark.parametrize(
    ("type", "items"),
    [
        ("text", []),
        ("text", [""]),
        ("text", ["é", ",", "{}"]),
        ("text", [None, "a"]),
        ("text", ["", "a", 'q"uo\\te', "NULL", "null", "{}", "a,b", " sp ", "\n\t\x01é😀", "\\x00", None]),
        ("bytea", [b"", b"\0\xff\\", b"abc", None]),
        ("bigint", [1, -2, 2**62, None]),
        ("double precision", [1.5, 1e300, 1732.123456789, math.inf, None]),
        ("boolean", [True, False, None]),
    ],
)
def test_an_array_is_read_back(database: str, type: str, items: list[Any]) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute(f"SELECT %s::{type}[]".encode(), (array(items),)).fetchone()
    assert row == (items,)
