"""Work on long texts that Python does in one go, in pieces between which the machine looks at the clock.

Must not know the functions that use it. Invariant: the results are those of the methods of `str`.
"""

from __future__ import annotations

from sys import maxsize

from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 1 << 20
"""Characters that Python goes through in a few milliseconds."""
PIECE = 1 << 16
"""Characters that are taken apart, or looked for among others, at a time."""


def find(text: str, part: str, start: int = 0) -> int:
    """`text.find(part, start)`, `start` from 0 to the length of the text."""
    end = len(text)
    if end - start <= LONG:
        return text.find(part, start)
    while start <= end:
        found = text.find(part, start, start + LONG + len(part))
        if found >= 0:
            return found
        start += LONG
        look()
    return -1


def rfind(text: str, part: str, end: int | None = None) -> int:
    """`text.rfind(part, 0, end)`, `end` from 0."""
    end = len(text) if end is None else min(end, len(text))
    while end > LONG + len(part):
        found = text.rfind(part, end - LONG - len(part), end)
        if found >= 0:
            return found
        end -= LONG
        look()
    return text.rfind(part, 0, end)


def upper(text: str) -> str:
    """`text.upper()`."""
    return _by_pieces(str.upper, text)


def lower(text: str) -> str:
    """`text.lower()`."""
    return text.lower() if "Σ" in text else _by_pieces(str.lower, text)  # which depends on what is beside it


def reversed_text(text: str) -> str:
    """`text[::-1]`."""
    if len(text) <= LONG:
        return text[::-1]
    pieces = []
    for end in range(len(text), 0, -LONG):
        pieces.append(text[max(end - LONG, 0) : end][::-1])
        look()
    return "".join(pieces)


def strip(text: str, characters: str | None = None) -> str:
    """`text.strip(characters)`."""
    return text.strip(characters) if len(text) <= PIECE else lstrip(rstrip(text, characters), characters)


def lstrip(text: str, characters: str | None = None) -> str:
    """`text.lstrip(characters)`."""
    start = 0
    while len(text) - start > PIECE:
        piece = text[start : start + PIECE]
        rest = len(piece.lstrip(characters))
        start += PIECE - rest
        if rest:
            return text[start:]
        look()
    return text[start:].lstrip(characters)


def rstrip(text: str, characters: str | None = None) -> str:
    """`text.rstrip(characters)`."""
    end = len(text)
    while end > PIECE:
        piece = text[end - PIECE : end]
        rest = len(piece.rstrip(characters))
        end -= PIECE - rest
        if rest:
            return text[:end]
        look()
    return text[:end].rstrip(characters)


def split(text: str, separator: str, most: int = maxsize) -> list[str]:
    """`text.split(separator)`; of more than `most` parts only some, but more than `most`.

    What a piece is found to have is what the text has there, since Python looks from the left; only behind the last of
    them a separator may begin that ends in the next piece.
    """
    size = max(PIECE, 2 * len(separator))
    parts: list[str] = []
    begin = place = 0  # of the part that is not complete, and of what was not looked through for its end
    while len(text) - place > size:
        first, *others = text[place : place + size].split(separator)
        if others:
            last = others.pop()
            parts.append(text[begin : place + len(first)])
            parts += others
            begin = place + size - len(last)
            if len(parts) > most:
                return parts
        place = max(begin, place + size - len(separator) + 1)
        look()
    first, *others = text[place:].split(separator)
    parts.append(text[begin : place + len(first)])
    parts += others
    return parts


def _by_pieces(change: Callable[[str], str], text: str) -> str:
    if len(text) <= LONG:
        return change(text)
    pieces = []
    for start in range(0, len(text), LONG):
        pieces.append(change(text[start : start + LONG]))
        look()
    return "".join(pieces)
