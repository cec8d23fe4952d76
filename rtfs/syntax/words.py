"""Decides what a word is: number, keyword, `nil true false`, timestamp, UUID, resource address, else a symbol.

A word is classified as a whole, so `truefoo` and `12abc` are never two tokens. Knows nothing of positions: the lexer
adds them to a `WordError`. Invariant: a word that starts like a number is a literal or an error, never a symbol.
"""

from __future__ import annotations

import re

from rtfs.syntax.numbers import parse_digits
from rtfs.values import Keyword, Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DIGITS = 100_000
"""Longest number, in characters: a literal beyond it is a mistake or an attack."""

SYMBOL = Symbol
"""The result of `classify` for a symbol; symbols are made each time, since each has its place."""

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_RADIX = re.compile(r"([+-]?)0(?:x([0-9a-fA-F]+)|o([0-7]+)|b([01]+))")
_STARTS_NUMBER = re.compile(r"[+-]?\.?[0-9]")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[._][0-9]+)?Z")
_LIKE_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T|$)")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_ANY_RADIX = re.compile(r"([+-]?)([0-9]{1,2})[rR]([0-9a-zA-Z]+)")
_RATIO = re.compile(r"[+-]?[0-9]+/[0-9]+")
_PIECE = 500
_CODE = re.compile(r"u([0-9a-fA-F]{4})|o([0-3]?[0-7]{1,2})")
_NAMED = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "backspace": "\b", "formfeed": "\f"}
_CONSTANTS = {"nil": None, "true": True, "false": False}
_RESOURCE = "resource://"


class WordError(Exception):
    """A word that is not a form."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def classify(word: str) -> Any:
    """The value that `word` denotes, or `SYMBOL` if it is one. Raises WordError."""
    first = word[0]
    if first == ":":
        return Keyword(word[1:])
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if len(word) == 36 and _UUID.fullmatch(word):
        return word
    if first in "0123456789+-." and _STARTS_NUMBER.match(word):
        return _number(word)
    if first == "r" and word.startswith(_RESOURCE):
        if len(word) == len(_RESOURCE):
            raise WordError("reader/resource", "`resource://` needs a name after it", "write `resource://my-resource`")
        return word
    return SYMBOL


def character(name: str) -> str:
    """The text of length 1 that `\\name` denotes. Raises WordError."""
    if len(name) == 1:
        return name
    if name in _NAMED:
        return _NAMED[name]
    code = _CODE.fullmatch(name)
    if code is None:
        hint = "a character is `\\a`, `\\newline`, `\\space`, `\\tab`, `\\return`, `\\u0041` or `\\o101`"
        if name.isalnum():
            hint += f'; a text is written `"{shorten(name)}"`'
        raise WordError("reader/character", f"`\\{shorten(name)}` is not a character", hint)
    number = int(code[1], 16) if code[1] else int(code[2], 8)
    if 0xD800 <= number < 0xE000:
        hint = 'a character beyond `\\uffff` is written as itself, or as a string of both halves: `"\\ud83d\\ude00"`'
        raise WordError("reader/character", f"`\\{name}` is half of a surrogate pair", hint)
    return chr(number)


def _number(word: str) -> Any:
    if len(word) > MAX_DIGITS:
        raise WordError("reader/number", f"a number of {len(word):,} characters; {MAX_DIGITS:,} is the most")
    if _INTEGER.fullmatch(word):
        if len(word) < 500:
            if word[0] == "0" or word[:2] in ("-0", "+0"):
                _check_octal(word)
            return int(word)
        magnitude = parse_digits(word.lstrip("+-"))
        return -magnitude if word[0] == "-" else magnitude
    if _FLOAT.fullmatch(word):
        number = float(word)
        if number in (float("inf"), float("-inf")):
            raise WordError(
                "reader/number",
                f"`{shorten(word)}` is beyond the range of floats",
                "write `##Inf` or `##-Inf` for infinity",
            )
        return number
    radix = _RADIX.fullmatch(word)
    if radix:
        sign, hexadecimal, octal, binary = radix.groups()
        magnitude = int(hexadecimal or octal or binary, 16 if hexadecimal else 8 if octal else 2)
        return -magnitude if sign == "-" else magnitude
    if _TIMESTAMP.fullmatch(word):
        return word
    if word[-1] == "M" and _FLOAT.fullmatch(word[:-1]):
        return _number(word[:-1] + ".0" if _INTEGER.fullmatch(word[:-1]) else word[:-1])
    if word[-1] == "N" and (_INTEGER.fullmatch(word[:-1]) or _RADIX.fullmatch(word[:-1])):
        return _number(word[:-1])
    radix = _ANY_RADIX.fullmatch(word)
    if radix:
        return _radix_number(word, *radix.groups())
    raise _no_number(word)


def _check_octal(word: str) -> None:
    """Raise WordError for leading zeros that would make the number another one in Clojure."""
    digits = word.lstrip("+-")
    if len(digits) > 1 and set(digits) <= set("01234567") and int(digits, 8) != int(digits):
        hint = f"write `{int(word)}`, or `0o{digits.lstrip('0')}` for the octal number"
        message = f"`{shorten(word)}` is {int(digits, 8)} in Clojure, and {int(digits)} elsewhere"
        raise WordError("reader/number", message, hint)


def _radix_number(word: str, sign: str, base: str, digits: str) -> int:
    if not 2 <= int(base) <= 36:
        raise WordError("reader/number", f"`{shorten(word)}` has the base {int(base)}", "bases go from 2 to 36")
    magnitude = 0
    try:
        for at in range(0, len(digits), _PIECE):  # CPython refuses to convert many digits at once
            piece = digits[at : at + _PIECE]
            magnitude = magnitude * int(base) ** len(piece) + int(piece, int(base))
    except ValueError:
        largest = "0123456789abcdefghijklmnopqrstuvwxyz"[int(base) - 1]
        hint = f"in base {int(base)} the digits go from 0 to {largest}"
        raise WordError("reader/number", f"`{shorten(word)}` is not a number", hint) from None
    return -magnitude if sign == "-" else magnitude


def _no_number(word: str) -> WordError:
    shown = f"`{shorten(word)}`"
    if _RATIO.fullmatch(word):
        above, _, below = word.partition("/")
        divided = f"(/ {above} {below})"
        return WordError("reader/unsupported", f"there are no ratios: {shown}", f"write `{shorten(divided)}`")
    if _LIKE_TIMESTAMP.match(word):
        hint: str | None = "a timestamp is written `2023-12-25T10:30:45Z`, in UTC; put other dates into a string"
        return WordError("reader/number", f"{shown} is not a timestamp", hint)
    body = word.lstrip("+-")
    plain = word.replace("_", "")
    if body[0] == ".":
        hint = f"a float has a digit before its point: `{shorten(word.replace('.', '0.', 1))}`"
    elif "_" in body and (_FLOAT.fullmatch(plain) or _RADIX.fullmatch(plain)):
        hint = f"numbers have no separators: `{shorten(plain)}`"
    elif body[-1] == "." and _INTEGER.fullmatch(word[:-1]):
        hint = f"a float has a digit after its point: `{shorten(word)}0`"
    elif body[-1] in "NMLlfFdD" and _FLOAT.fullmatch(word[:-1]):
        hint = f"write the number without that suffix: `{shorten(word[:-1])}`"
    elif body[:2] in ("0X", "0O", "0B"):
        hint = "the prefixes are `0x`, `0o` and `0b`"
    elif body[:2] == "0x":
        hint = "after `0x` come the digits 0-9 and a-f"
    elif body[:2] == "0o":
        hint = "after `0o` come the digits 0-7"
    elif body[:2] == "0b":
        hint = "after `0b` come the digits 0 and 1"
    else:
        hint = "a symbol cannot start like a number"
    return WordError("reader/number", f"{shown} starts like a number but is not one", hint)


def shorten(word: str, most: int = 40) -> str:
    """`word`, or its beginning and `…` if it is long."""
    return word if len(word) <= most else word[: most - 1] + "…"
