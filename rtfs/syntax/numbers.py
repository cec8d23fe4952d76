"""Decimal text of numbers, both ways.

Knows nothing of tokens or programs. Invariant: CPython's limit on the digits of `int(text)` and `str(int)` is
process-wide, so it is neither changed nor ever met: longer numbers are converted in halves.
"""

from __future__ import annotations

from rtfs.values.step_account import spend

_PIECE = 512
"""Digits that `int` and `str` convert whatever the limit is set to (it cannot go below 640)."""

_LONG = 8192
"""Digits from which on a conversion is charged: a product of such numbers takes a while."""

_SAFE = 10**_PIECE


def parse_digits(digits: str) -> int:
    """The int that a text of ASCII digits (no sign, any length) denotes. Sub-quadratic."""
    if len(digits) <= _PIECE:
        return int(digits)
    powers: dict[int, int] = {}

    def power(exponent: int) -> int:
        if exponent not in powers:
            half = exponent >> 1
            powers[exponent] = 10**exponent if exponent <= _PIECE else power(half) * power(exponent - half)
        return powers[exponent]

    def convert(start: int, stop: int) -> int:
        width = stop - start
        if width <= _PIECE:
            return int(digits[start:stop])
        low = width >> 1
        if width > _LONG:
            spend(int(width**1.6) >> 8)
        return convert(start, stop - low) * power(low) + convert(stop - low, stop)

    return convert(0, len(digits))


def int_text(number: int) -> str:
    """`str(number)` for an int of any size."""
    if -_SAFE < number < _SAFE:
        return str(number)
    return _long_text(number)


def _long_text(number: int) -> str:
    import decimal

    spend(number.bit_length() >> 1)
    powers: dict[int, decimal.Decimal] = {}
    two = decimal.Decimal(2)

    def power(exponent: int) -> decimal.Decimal:
        if exponent not in powers:
            half = exponent >> 1
            powers[exponent] = two**exponent if exponent <= 1024 else power(half) * power(exponent - half)
        return powers[exponent]

    def convert(part: int, bits: int) -> decimal.Decimal:
        if bits <= 1024:
            return decimal.Decimal(part)
        spend(bits >> 5)
        low = bits >> 1
        high = part >> low
        return convert(high, bits - low) * power(low) + convert(part - (high << low), low)

    with decimal.localcontext() as context:
        context.prec = decimal.MAX_PREC
        context.Emax = decimal.MAX_EMAX
        context.Emin = decimal.MIN_EMIN
        context.traps[decimal.Inexact] = True
        text = str(convert(abs(number), number.bit_length()))
    return "-" + text if number < 0 else text


def float_text(number: float) -> str:
    """Shortest text that reads back as `number`: `3.0`, `1e100`, `1.5e-7`, `##Inf`, `##-Inf`, `##NaN`."""
    text = repr(number)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}e{int(exponent)}"
    if text[-1] in "fn":
        return "##NaN" if text == "nan" else "##Inf" if text == "inf" else "##-Inf"
    return text
