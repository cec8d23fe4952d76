"""JSON that a hostile server cannot hurt us with.

Must not know who sends it. Invariant: whatever bytes come in, `parse` answers a Python value or raises ValueError; it
never recurses deeper than `MAX_DEPTH`, for the interpreter's own limit may be lifted by running programs.

Source: RFC 8259.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

MAX_DEPTH = 400
"""Levels of nesting in JSON, either way."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)


def _too_deep(data: bytes) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH` (or do not pair up), without recursing."""
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def parse(data: bytes) -> Any:
    """The value of UTF-8 JSON. Raises ValueError (also for bad UTF-8, NaN, numbers of thousands of digits, and
    nesting deeper than `MAX_DEPTH`)."""
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _too_deep(data):
        raise ValueError(f"JSON is malformed or nested deeper than {MAX_DEPTH} levels")
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    text = data.decode("utf-8").strip(" \t\r\n")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError("there is text after the JSON value")
    return value


def encode(value: Any) -> bytes:
    """A Python value as compact UTF-8 JSON. Raises ValueError for NaN, infinities, lone surrogates and integers of
    thousands of digits, TypeError for what JSON has no word for. The nesting must be bounded by the caller."""
    return _encoder.encode(value).encode("utf-8")
