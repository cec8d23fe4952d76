"""Texts as PostgreSQL can hold them, which knows neither NUL nor lone surrogates.

Must not know tables. Invariant: `unpacked(packed(text))` is the text.
"""

from __future__ import annotations

from json import dumps, loads

_MARK = "\x01"


def packed(text: str) -> str:
    """A text without NUL and lone surrogates; itself where it has none."""
    if text.isascii():
        if "\0" not in text and not text.startswith(_MARK):
            return text
    elif "\0" not in text and not text.startswith(_MARK):
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _MARK + dumps(text)


def unpacked(text: str) -> str:
    """The text that was packed."""
    return str(loads(text[1:])) if text.startswith(_MARK) else text
