"""Work on long texts that Python does in one go, in pieces between which the machine looks at the clock.

Must not know the functions that use it. Invariant: the results are those of the methods of `str`.
"""

from __future__ import annotations

from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 1 << 22
"""Characters that Python goes through in a few milliseconds."""


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


def _by_pieces(change: Callable[[str], str], text: str) -> str:
    if len(text) <= LONG:
        return change(text)
    pieces = []
    for start in range(0, len(text), LONG):
        pieces.append(change(text[start : start + LONG]))
        look()
    return "".join(pieces)
