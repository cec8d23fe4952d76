"""Numbers out of text, in the notation of the language's reader, without the reader.

Must not know who asks. Invariants: only ASCII digits count; ints beyond the size cap are refused before they are
computed.
"""

from __future__ import annotations

from rtfs.builtins.numbers import MAX_BITS, checked, too_large
from rtfs.syntax.numbers import parse_digits

MAX_DIGITS = MAX_BITS * 30103 // 100000 + 2
"""Decimal digits beyond which an integer is surely above the size cap."""

SPECIAL = {"##Inf": float("inf"), "##-Inf": float("-inf"), "##NaN": float("nan")}
BASES = {"0x": 16, "0o": 8, "0b": 2}


def digits_to_int(digits: str) -> int:
    """The int that a run of ASCII digits (no sign) denotes. LimitError `limit/integer` if it is too large."""
    if len(digits) < 19:
        return int(digits)
    digits = digits.lstrip("0") or "0"
    if len(digits) > MAX_DIGITS:
        raise too_large()
    return checked(parse_digits(digits))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def read_int(text: str) -> int | None:
    """The int that trimmed decimal text denotes (`42`, `-7`, `+7`), or None if it denotes none."""
    text = text.strip()
    sign = text[:1]
    digits = text[1:] if sign in ("+", "-") else text
    if not _is_digits(digits):
        return None
    return -digits_to_int(digits) if sign == "-" else digits_to_int(digits)


def read_float(text: str) -> float | None:
    """The float that trimmed text denotes: an int or a float as the reader takes it, `##Inf` too; or None.

    `1.` and `.5` denote none. An int too large for a float is an infinity, as `1e999` is.
    """
    text = text.strip()
    if text in SPECIAL:
        return SPECIAL[text]
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    mantissa, mark, exponent = unsigned.replace("E", "e", 1).partition("e")
    whole, point, fraction = mantissa.partition(".")
    if not _is_digits(whole) or (point and not _is_digits(fraction)):
        return None
    if mark and not _is_digits(exponent[1:] if exponent[:1] in ("+", "-") else exponent):
        return None
    return float(text)


def read_number(text: str) -> int | float | None:
    """The number that trimmed text denotes in the language (`42`, `0xFF`, `1.5e3`, `##Inf`), or None."""
    text = text.strip()
    number = read_int(text)
    if number is not None:
        return number
    sign = text[:1] if text[:1] in ("+", "-") else ""
    unsigned = text[len(sign) :]
    base = BASES.get(unsigned[:2])
    if base is None:
        return read_float(text)
    digits = unsigned[2:]
    if not digits.isascii() or not digits.isalnum():
        return None
    try:
        if len(digits) > MAX_BITS:
            raise too_large()
        value = checked(int(digits, base))
    except ValueError:
        return None
    return -value if sign == "-" else value
