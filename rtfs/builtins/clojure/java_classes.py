"""The pure static methods and fields of Java's classes for numbers, texts and characters.

Must not know objects: a Java object is a value of the language here, a character a text of length 1. Invariant: a text
that does not parse is `argument/number-format`, which `(catch NumberFormatException e …)` takes.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, need_int, need_string, shown, type_error
from rtfs.builtins.clojure.java_math import as_float
from rtfs.builtins.clojure.string import WHITESPACE
from rtfs.builtins.comparison import compare
from rtfs.builtins.declare import builtin, constant
from rtfs.builtins.formatting import format_
from rtfs.builtins.number_text import digits_to_int
from rtfs.builtins.strings import join, str1
from rtfs.values import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

constant("Integer/MAX_VALUE", 2**31 - 1, "The largest int of Java.")
constant("Integer/MIN_VALUE", -(2**31), "The smallest int of Java.")
constant("Long/MAX_VALUE", 2**63 - 1, "The largest long of Java.")
constant("Long/MIN_VALUE", -(2**63), "The smallest long of Java.")
constant("Double/MAX_VALUE", 1.7976931348623157e308, "The largest finite float.")
constant("Double/MIN_VALUE", 5e-324, "The smallest float above zero.")
constant("Double/POSITIVE_INFINITY", float("inf"), "Infinity.")
constant("Double/NEGATIVE_INFINITY", float("-inf"), "Minus infinity.")
constant("Double/NaN", float("nan"), "Not a number.")
constant("Boolean/TRUE", True, "true.")
constant("Boolean/FALSE", False, "false.")


def _not_a_number(name: str, text: Any) -> EvalError:
    return argument_error(name, f"cannot read {shown(text)} as a number", "argument/number-format")


def _parse(name: str, text: Any, radix: Any, bits: int) -> int:
    """Java's parseInt and parseLong: no blanks, an optional sign, digits of the radix, no more than `bits`."""
    if text is None:
        raise _not_a_number(name, text)
    need_string(name, "the text", text)
    if not 2 <= need_int(name, "the radix", radix) <= 36:
        raise argument_error(name, f"takes a radix from 2 to 36, not {radix}", "argument/number-format")
    digits = text[1:] if text[:1] in ("+", "-") else text
    allowed = DIGITS[:radix]
    if not digits or any(one not in allowed for one in digits.lower()):
        raise _not_a_number(name, text)
    value = digits_to_int(digits) if radix == 10 else int(digits, radix)
    value = -value if text[0] == "-" else value
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise _not_a_number(name, text)
    return value


def _parser(name: str, bits: int) -> None:
    @builtin(
        name,
        f"({name} text radix?)",
        "The int that a text denotes, digits and a sign alone.",
        f'({name} "-7")',
        "-7",
        f'({name} "ff" 16)',
        "255",
    )
    def function(text: Any, radix: Any = 10, /) -> int:
        return _parse(name, text, radix, bits)


_parser("Integer/parseInt", 32)
_parser("Long/parseLong", 64)


def _value_of(name: str, bits: int) -> None:
    @builtin(name, f"({name} value)", "The int that a text denotes; an int is given back.", f'({name} "42")', "42")
    def function(value: Any, /) -> int:
        return value if value.__class__ is int else _parse(name, value, 10, bits)


_value_of("Integer/valueOf", 32)
_value_of("Long/valueOf", 64)


def _in_base(name: str, base: str, expression: str, printed: str) -> None:
    @builtin(name, f"({name} n)", f"The {base} digits of an int.", expression, printed)
    def function(n: Any, /) -> str:
        value = need_int(name, "n", n)
        if value < 0:
            value += 1 << (32 if name.startswith("Integer") else 64)
        return format(value, {"binary": "b", "octal": "o", "hexadecimal": "x"}[base])


for _class in ("Integer", "Long"):
    _in_base(f"{_class}/toBinaryString", "binary", f"({_class}/toBinaryString 5)", '"101"')
    _in_base(f"{_class}/toOctalString", "octal", f"({_class}/toOctalString 8)", '"10"')
    _in_base(f"{_class}/toHexString", "hexadecimal", f"({_class}/toHexString 255)", '"ff"')


def in_radix(value: int, radix: int) -> str:
    """An int in digits of a radix, from 2 to 36."""
    if value == 0:
        return "0"
    digits: list[str] = []
    rest = abs(value)
    while rest:
        rest, digit = divmod(rest, radix)
        digits.append(DIGITS[digit])
    return ("-" if value < 0 else "") + "".join(reversed(digits))


def _to_string(name: str) -> None:
    @builtin(name, f"({name} n radix?)", "The int as text, in a radix.", f"({name} 255 16)", '"ff"')
    def function(n: Any, radix: Any = 10, /) -> str:
        value = need_int(name, "n", n)
        base = need_int(name, "the radix", radix)
        return str1(value) if not 2 <= base <= 36 or base == 10 else in_radix(value, base)


_to_string("Integer/toString")
_to_string("Long/toString")


@builtin("Integer/bitCount", "(Integer/bitCount n)", "How many bits of an int are set.", "(Integer/bitCount 7)", "3")
def bit_count(n: Any, /) -> int:
    value = need_int("Integer/bitCount", "n", n)
    return (value if value >= 0 else value + (1 << 32)).bit_count()


def _compare(name: str) -> None:
    @builtin(name, f"({name} a b)", "-1, 0 or 1: the order of two numbers.", f"({name} 1 2)", "-1")
    def function(a: Any, b: Any, /) -> int:
        return compare(a, b)


for _class in ("Integer", "Long", "Double"):
    _compare(f"{_class}/compare")


@builtin(
    "Double/parseDouble",
    "(Double/parseDouble text)",
    "The float that a text denotes.",
    '(Double/parseDouble "2.5")',
    "2.5",
    aliases=("Float/parseFloat", "Double/valueOf"),
)
def parse_double(text: Any, /) -> float:
    if text.__class__ in (int, float):
        return as_float("Double/parseDouble", text)
    trimmed = need_string("Double/parseDouble", "the text", text).strip()
    plain = trimmed[:-1] if trimmed[-1:] in ("d", "D", "f", "F") else trimmed
    words = {"NaN": "nan", "Infinity": "inf", "+Infinity": "inf", "-Infinity": "-inf"}
    if plain in words:
        return float(words[plain])
    if not plain or not set(plain) <= set("0123456789+-.eE"):
        raise _not_a_number("Double/parseDouble", text)
    try:
        return float(plain)
    except ValueError:
        raise _not_a_number("Double/parseDouble", text) from None


@builtin("Double/isNaN", "(Double/isNaN x)", "Is it not a number?", "(Double/isNaN ##NaN)", "true")
def is_nan(x: Any, /) -> bool:
    number = as_float("Double/isNaN", x)
    return number != number


@builtin("Double/isInfinite", "(Double/isInfinite x)", "Is it an infinity?", "(Double/isInfinite ##Inf)", "true")
def is_infinite(x: Any, /) -> bool:
    return as_float("Double/isInfinite", x) in (float("inf"), float("-inf"))


@builtin(
    "Boolean/parseBoolean",
    "(Boolean/parseBoolean text)",
    'Is it the text "true", in capitals or small letters?',
    '(Boolean/parseBoolean "TRUE")',
    "true",
    aliases=("Boolean/valueOf",),
)
def parse_boolean(text: Any, /) -> bool:
    if text is True or text is False:
        return bool(text)
    return text is not None and need_string("Boolean/parseBoolean", "the text", text).lower() == "true"


# ---------------------------------------------------------------------- String
@builtin("String/valueOf", "(String/valueOf value)", "The value as text; nil is null.", "(String/valueOf 5)", '"5"')
def string_value_of(value: Any, /) -> str:
    return "null" if value is None else str1(value)


@builtin(
    "String/join",
    "(String/join separator coll)",
    "The texts of a collection with the separator between them.",
    '(String/join "-" ["a" "b"])',
    '"a-b"',
)
def string_join(separator: Any, coll: Any, /) -> str:
    return join(need_string("String/join", "the separator", separator), coll)


@builtin(
    "String/format",
    "(String/format text values)",
    "`format`, with the values in a collection.",
    '(String/format "%d-%s" [1 "a"])',
    '"1-a"',
)
def string_format(text: Any, values: Any, /) -> str:
    from rtfs.builtins.collection_support import items

    return format_(text, *items("String/format", values))


# ---------------------------------------------------------------------- Character
def _character(name: str, value: Any) -> str:
    if value.__class__ is int and 0 <= value < 0x110000:
        return chr(value)
    if value.__class__ is not str or len(value) != 1:
        raise type_error(name, "the character", "a string of one character", value)
    return value


def _test(short: str, doc: str, example: str, test: Callable[[str], bool]) -> None:
    name = f"Character/{short}"

    @builtin(name, f"({name} character)", doc, f'({name} "{example}")', "true")
    def function(character: Any, /) -> bool:
        return test(_character(name, character))


_test("isDigit", "Is it a decimal digit?", "5", str.isdecimal)
_test("isLetter", "Is it a letter?", "a", str.isalpha)
_test("isAlphabetic", "Is it a letter?", "a", str.isalpha)
_test("isLetterOrDigit", "Is it a letter or a decimal digit?", "a", lambda c: c.isalpha() or c.isdecimal())
_test("isUpperCase", "Is it a capital letter?", "A", str.isupper)
_test("isLowerCase", "Is it a small letter?", "a", str.islower)
_test("isWhitespace", "Is it white space?", " ", lambda c: c in WHITESPACE)
_test(
    "isSpaceChar", "Is it a space?", " ", lambda c: c in " \u00a0\u1680\u202f\u205f\u3000" or "\u2000" <= c <= "\u200a"
)


@builtin(
    "Character/toUpperCase",
    "(Character/toUpperCase character)",
    "The capital letter.",
    '(Character/toUpperCase "a")',
    '"A"',
)
def to_upper_case(character: Any, /) -> str:
    one = _character("Character/toUpperCase", character)
    upper = one.upper()
    return upper if len(upper) == 1 else one


@builtin(
    "Character/toLowerCase",
    "(Character/toLowerCase character)",
    "The small letter.",
    '(Character/toLowerCase "A")',
    '"a"',
)
def to_lower_case(character: Any, /) -> str:
    one = _character("Character/toLowerCase", character)
    lower = one.lower()
    return lower if len(lower) == 1 else one


@builtin(
    "Character/digit",
    "(Character/digit character radix)",
    "The value of a digit in a radix, or -1.",
    '(Character/digit "f" 16)',
    "15",
)
def digit(character: Any, radix: Any, /) -> int:
    one = _character("Character/digit", character).lower()
    return DIGITS[: need_int("Character/digit", "the radix", radix)].find(one) if one in DIGITS and one else -1


@builtin(
    "Character/getNumericValue",
    "(Character/getNumericValue character)",
    "The value of a digit, letters from 10 on, or -1.",
    '(Character/getNumericValue "7")',
    "7",
)
def numeric_value(character: Any, /) -> int:
    return DIGITS.find(_character("Character/getNumericValue", character).lower())


@builtin(
    "Character/toString",
    "(Character/toString character)",
    "The character as text; of an int the character with that code.",
    '(Character/toString "a")',
    '"a"',
    aliases=("Character/valueOf",),
)
def character_text(character: Any, /) -> str:
    return _character("Character/toString", character)
