"""Clojure's conversions between numbers, characters and texts: `long double char parse-long parse-double …`.

A character is a text of length 1 here. Must not know the reader. Invariants: a value too large for a Java type is
not an error if it can stay as it is (ints have any size); a text is converted only by functions that are named for it.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, need_int, need_string, shown, type_error
from rtfs.builtins.declare import builtin
from rtfs.builtins.deferred import number_text
from rtfs.builtins.mathematics import finite, to_int
from rtfs.builtins.numbers import need_number, overflow
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin(
    "long",
    "(long value)",
    "The number without its fraction, as an integer; of a character its code.",
    "(long 3.9)",
    "3",
    '(long "a")',
    "97",
)
def long_(value: Any, /) -> int:
    if value.__class__ is str:
        return _code_of("long", value)
    return int(finite("long", value))


def _code_of(function: str, text: str) -> int:
    """The code of a character that is not a digit; whether the code or the value of a digit is meant would be a guess.

    Raises EvalError `argument/invalid` for other texts.
    """
    if len(text) == 1 and not text.isdigit():
        return ord(text)
    error = argument_error(function, f"takes numbers and characters that are not digits, got {shown(text)}")
    error.hint = "(parse-long text) reads a number, (char-code text) returns the code of a character"
    raise error


@builtin(
    "char-code", "(char-code text)", "The code of a character, a text of length 1.", '(char-code "5")', "53"
)  # fmt: skip
def char_code(text: Any, /) -> int:
    if len(need_string("char-code", "the character", text)) != 1:
        raise argument_error("char-code", f"takes a text of one character, got {shown(text)}")
    return ord(text)


@builtin("char", "(char value)", "The character with that code, a text of length 1.", "(char 97)", '"a"')
def char(value: Any, /) -> str:
    if value.__class__ is str and len(value) == 1:
        return value
    code = need_int("char", "the code", value)
    if not 0 <= code < 0x110000 or 0xD800 <= code < 0xE000:
        raise argument_error("char", f"knows no character with the code {shown(value)}")
    return chr(code)


@builtin(
    "double",
    "(double number)",
    "The number as a float.",
    "(double 3)",
    "3.0",
)
def double(value: Any, /) -> float:
    if value.__class__ is str:
        error = type_error("double", "its argument", "a number", value)
        error.hint = "(parse-double text) reads a number"
        raise error
    try:
        return float(need_number("double", value))
    except OverflowError:
        raise overflow("double") from None


@builtin("num", "(num number)", "The number itself; anything else is an error.", "(num 3)", "3")
def num(value: Any, /) -> Any:
    return need_number("num", value)


def _bounded(name: str, bits: int) -> None:
    @builtin(
        name, f"({name} number)", f"The number without its fraction, if {bits} bits hold it.", f"({name} 12.7)", "12"
    )
    def function(value: Any, /) -> int:
        number = int(finite(name, value))
        if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
            raise argument_error(name, f"holds {bits} bits, too few for {shown(value)}")
        return number


_bounded("short", 16)
_bounded("byte", 8)


@builtin(
    "bigint",
    "(bigint value)",
    "The number without its fraction, or the one that a text denotes, as an integer.",
    '(bigint "12345678901234567890")',
    "12345678901234567890",
    aliases=("biginteger",),
)
def bigint(value: Any, /) -> int:
    return to_int(value) if value.__class__ is str else int(finite("bigint", value))


@builtin(
    "bigdec",
    "(bigdec value)",
    "The number as a float, as there are no decimals of any length.",
    '(bigdec "1.5")',
    "1.5",
)
def bigdec(value: Any, /) -> float:
    if value.__class__ is str:
        number = parse_double(value)
        if number is None:
            raise argument_error("bigdec", f"needs text that reads as a number, got {shown(value)}")
        return number
    return double(value)


@builtin(
    "rationalize",
    "(rationalize number)",
    "The integer that a float without fraction is; there are no ratios for the others.",
    "(rationalize 2.0)",
    "2",
)
def rationalize(value: Any, /) -> int:
    number = finite("rationalize", value)
    if number != int(number):
        raise EvalError(
            "argument/invalid", f"(rationalize …) would make a ratio of {shown(value)}, and there are none",
            hint="compute with floats, or with integers of a smaller unit",
        )  # fmt: skip
    return int(number)


# ---------------------------------------------------------------------- texts
@builtin(
    "parse-long",
    "(parse-long text)",
    "The integer that a text of digits with an optional sign denotes, or nil.",
    '(parse-long "-42")',
    "-42",
    '(parse-long "4.2")',
    "nil",
)
def parse_long(text: Any, /) -> int | None:
    if text.__class__ is str and len(text) < 19:
        if text.isascii() and text.isdigit():
            return int(text)
        if not text[-1:].isdigit():
            return None
    need_string("parse-long", "the text", text)
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = number_text.digits_to_int(digits)
    return -number if text[0] == "-" else number


_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf")}
_BLANKS = "".join(map(chr, range(0x21)))


@builtin(
    "parse-double",
    "(parse-double text)",
    "The float that a text denotes in Java's notation, or nil.",
    '(parse-double "1.5e3")',
    "1500.0",
    '(parse-double "x")',
    "nil",
)
def parse_double(text: Any, /) -> float | None:
    trimmed = need_string("parse-double", "the text", text).strip(_BLANKS)
    sign = -1.0 if trimmed[:1] == "-" else 1.0
    unsigned = trimmed[1:] if trimmed[:1] in ("+", "-") else trimmed
    if unsigned in _SPECIAL:
        return sign * _SPECIAL[unsigned]
    if unsigned[-1:] in ("d", "D", "f", "F"):
        unsigned = unsigned[:-1]
    mantissa, mark, exponent = unsigned.replace("E", "e", 1).partition("e")
    digits = mantissa.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()):
        return None
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if mark and not (power.isascii() and power.isdigit()):
        return None
    return sign * float(unsigned)


@builtin(
    "parse-boolean",
    "(parse-boolean text)",
    'true for "true", false for "false", else nil.',
    '(parse-boolean "true")',
    "true",
    '(parse-boolean "yes")',
    "nil",
)
def parse_boolean(text: Any, /) -> bool | None:
    need_string("parse-boolean", "the text", text)
    return True if text == "true" else False if text == "false" else None


@builtin(
    "parse-uuid",
    "(parse-uuid text)",
    "The text of a UUID in lower case, or nil if it is not a UUID.",
    '(parse-uuid "550E8400-E29B-41D4-A716-446655440000")',
    '"550e8400-e29b-41d4-a716-446655440000"',
    '(parse-uuid "12")',
    "nil",
)
def parse_uuid(text: Any, /) -> str | None:
    lowered = need_string("parse-uuid", "the text", text).lower()
    return lowered if is_uuid_text(lowered) else None


def is_uuid_text(text: str) -> bool:
    """Whether a text has the form of a UUID."""
    parts = text.lower().split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        return False
    return all(digit in "0123456789abcdef" for part in parts for digit in part)
