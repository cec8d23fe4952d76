"""Long JSON texts with few objects, read by Python's parser in pieces between which the machine looks at the clock.

Must not know values. Invariant: what it returns is what `json.loads` returns. A piece begins where an element or a
member may begin and ends before a comma; it is taken only if it parses, and the parser goes from left to right, so that
it would have been in the same state at that comma. Whatever is not so is left to `json.loads`, errors included.
"""

from __future__ import annotations

from json import JSONDecodeError

from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PIECE = 1 << 16
"""Characters that are read at once: some milliseconds."""
_CREDIT, _FAILURE = 16, 4
"""Pieces that are cut in the wrong place cost this much of the credit; the others add one each."""
_SPACE = " \t\n\r"
_CLOSING = {"[": "]", "{": "}"}
_CUTS = ("},", "],", ",")


class InOnePiece(Exception):
    """The text has to be read in one piece."""


def read(text: str, decode: Callable[[str, int], tuple[Any, int]]) -> Any:
    """The Python data of a text. decode: the `raw_decode` of the parser. Raises InOnePiece, and what `decode` raises
    except JSONDecodeError."""
    reading = _Reading(text, decode)
    start = reading.past_space(0)
    if text[start] not in _CLOSING:
        raise InOnePiece
    data, end = reading.container(start)
    if text[end:].strip(_SPACE):
        raise InOnePiece
    return data


class _Reading:
    """The reading of one text. credit: what is left of it."""

    __slots__ = ("credit", "decode", "text")

    def __init__(self, text: str, decode: Callable[[str, int], tuple[Any, int]]) -> None:
        self.text = text
        self.decode = decode
        self.credit = _CREDIT

    def past_space(self, at: int) -> int:
        """Where the next character is that is not white space."""
        while True:
            window = self.text[at : at + PIECE]
            rest = window.lstrip(_SPACE)
            at += len(window) - len(rest)
            if rest:
                return at
            if not window:
                raise InOnePiece
            look()

    def container(self, start: int) -> tuple[Any, int]:
        """The array or object that begins at `start`, and where it ends."""
        text = self.text
        opening = text[start]
        closing = _CLOSING[opening]
        made: Any = [] if opening == "[" else {}
        add = made.extend if opening == "[" else made.update
        cuts: tuple[str, ...] = _CUTS
        at = self.past_space(start + 1)
        if text[at] == closing:
            return made, at + 1
        while True:
            look()
            if text[at] in ",]}":
                raise InOnePiece
            for cut in cuts:
                found = self.piece(opening, closing, at, cut)
                if found is not None:
                    cuts = (cut, *(other for other in cuts if other != cut))
                    part, at, closed = found
                    add(part)
                    break
            else:
                at = self.element(made, at)
                closed = False
            if closed:
                return made, at
            at = self.past_space(at)
            if text[at] == closing:
                return made, at + 1
            if text[at] != ",":
                raise InOnePiece
            at = self.past_space(at + 1)

    def piece(self, opening: str, closing: str, at: int, cut: str) -> tuple[Any, int, bool] | None:
        """Elements from `at` to the last `cut` that is near, where they end, and whether the container ends there as
        well; None if it cannot be cut so."""
        text = self.text
        stop = at + PIECE
        if stop >= len(text):
            part, closed_by = text[at:], ""
        else:
            stop = text.rfind(cut, at, stop) + len(cut) - 1
            if stop < at:
                return None
            part, closed_by = text[at:stop], closing
        try:
            data, end = self.decode(opening + part + closed_by, 0)
        except JSONDecodeError:
            self.credit -= _FAILURE
            if self.credit < 0:
                raise InOnePiece from None
            return None
        self.credit += 1
        if end > len(part) + 1:
            return data, at + len(part), False
        return data, at + end - 1, True

    def element(self, made: Any, at: int) -> int:
        """Add the element or member that begins at `at`; where it ends."""
        text = self.text
        if isinstance(made, list):
            data, at = self.value(at)
            made.append(data)
            return at
        if text[at] != '"':
            raise InOnePiece
        name, at = self.value(at)
        at = self.past_space(at)
        if text[at] != ":":
            raise InOnePiece
        made[name], at = self.value(self.past_space(at + 1))
        return at

    def value(self, at: int) -> tuple[Any, int]:
        if self.text[at] in _CLOSING:
            return self.container(at)
        try:
            return self.decode(self.text, at)
        except JSONDecodeError:
            raise InOnePiece from None
