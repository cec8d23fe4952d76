"""String literals: from their escaped text to the text they denote.

Knows nothing of tokens. Invariant: the result holds no lone surrogate, and only the escapes of the language are read.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}

_HINTS = {
    "0": "write `\\u0000`",
    "a": "write `\\u0007`",
    "b": "write `\\u0008`; in a regular expression, `\\\\b`",
    "f": "write `\\u000c`",
    "v": "write `\\u000b`",
    "e": "write `\\u001b`",
    "x": "write `\\u` and four digits",
    "U": "write `\\u` and four digits, twice (a surrogate pair) beyond `\\uffff`",
    "u": "`\\u` is followed by exactly four hexadecimal digits",
    "/": "`/` needs no backslash",
    "'": "`'` needs no backslash",
}
_ANY = 'the escapes are \\n \\t \\r \\\\ \\" and \\uXXXX; a backslash itself is written \\\\'


class Fault:
    """One faulty escape: message, offsets within the literal, hint."""

    __slots__ = ("end", "hint", "message", "start")

    def __init__(self, message: str, start: int, end: int, hint: str) -> None:
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


def unescape(literal: str) -> tuple[str, list[Fault]]:
    """The text that `literal` (what is between the quotes, with at least one backslash) denotes, and its faults."""
    pieces: list[str] = []
    faults: list[Fault] = []
    done = 0
    high: re.Match[str] | None = None  # the escape of a high surrogate whose low one must follow at once
    for match in _ESCAPE.finditer(literal):
        start, end = match.span()
        if high is not None and start != high.end():
            faults.append(_lone(high))
            high = None
        pieces.append(literal[done:start])
        done = end
        digits, letter = match.groups()
        if digits is None:
            if high is not None:
                faults.append(_lone(high))
                high = None
            if letter in _PLAIN:
                pieces.append(_PLAIN[letter])
            else:
                hint = _HINTS.get(letter, _ANY)
                faults.append(Fault(f"there is no escape `\\{_shown(letter)}`", start, end, hint))
            continue
        code = int(digits, 16)
        if high is not None:
            if 0xDC00 <= code < 0xE000:
                pieces.append(chr(0x10000 + ((int(high[1], 16) - 0xD800) << 10) + (code - 0xDC00)))
                high = None
                continue
            faults.append(_lone(high))
            high = None
        if 0xD800 <= code < 0xDC00:
            high = match
        elif 0xDC00 <= code < 0xE000:
            faults.append(_lone(match))
        else:
            pieces.append(chr(code))
    if high is not None:
        faults.append(_lone(high))
    pieces.append(literal[done:])
    return "".join(pieces), faults


def _lone(match: re.Match[str]) -> Fault:
    return Fault(
        f"`{match[0]}` is half of a surrogate pair",
        match.start(),
        match.end(),
        "a character beyond `\\uffff` is written as itself, or as both halves: `\\ud83d\\ude00`",
    )


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else f"u{ord(letter):04x}"
