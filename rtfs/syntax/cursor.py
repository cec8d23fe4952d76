"""The context of the cursor: the word being typed, and the brackets open around it.

Knows lexemes, nothing of what names mean. Invariant: only the text before the cursor counts for what is open, so that
whatever follows cannot change what is offered.
"""

from __future__ import annotations

from rtfs.syntax.lexemes import CLOSE, COMMENT, KEYWORD, OPEN, PREFIX, STRING, SYMBOL, WRONG, Lexeme, lexemes
from rtfs.syntax.tokens import CLOSED_BY


class Frame:
    """An open bracket. opener: its text, `{` of maps and sets alike. start: its offset. items: the first lexeme of
    each form within it so far."""

    __slots__ = ("items", "opener", "start")

    def __init__(self, opener: str, start: int) -> None:
        self.opener = opener
        self.start = start
        self.items: list[Lexeme] = []

    @property
    def head(self) -> str:
        """The symbol that the list begins with, or ""."""
        if self.opener in ("(", "#(") and self.items and self.items[0].kind == SYMBOL:
            return str(self.items[0].value.name)
        return ""


class Place:
    """frames: open brackets, outermost first. word: the lexeme that the cursor touches or is in, or None.
    prefix: its text before the cursor. index: which item of the innermost bracket it is. deref: `@` comes before it.
    comment: the cursor is in a comment."""

    __slots__ = ("comment", "deref", "frames", "index", "prefix", "text", "word")

    def __init__(self, text: str) -> None:
        self.text = text
        self.frames: list[Frame] = []
        self.word: Lexeme | None = None
        self.prefix = ""
        self.deref = False
        self.comment = False
        self.index = 0

    @property
    def in_string(self) -> bool:
        """Whether a string is open at the cursor."""
        return self.word is not None and self.word.kind == STRING and not self.word.closed


def place_at(text: str, at: int) -> Place:
    """The place of the cursor at offset `at` of `text`."""
    before = text[:at]
    place = Place(before)
    found = lexemes(before)
    top = Frame("", 0)
    open_frames: list[Frame] = []
    prefixed = False
    for lexeme in found:
        if lexeme.kind == COMMENT:
            continue
        inner = open_frames[-1] if open_frames else top
        if lexeme.kind == PREFIX:
            if not prefixed:
                inner.items.append(lexeme)
            prefixed = True
            continue
        if lexeme.kind == CLOSE:
            if open_frames and CLOSED_BY[inner.opener] == before[lexeme.start]:
                open_frames.pop()
            prefixed = False
            continue
        if not prefixed:
            inner.items.append(lexeme)
        prefixed = False
        if lexeme.kind == OPEN:
            opener = before[lexeme.start : lexeme.end]  # also `#{` and `#:name{`
            open_frames.append(Frame("{" if opener[-1] == "{" else opener, lexeme.start))
    place.frames = open_frames
    inner = open_frames[-1] if open_frames else top
    last = found[-1] if found else None
    place.index = len(inner.items)
    if last is None or last.end < at:
        return place
    if last.kind == COMMENT:
        place.comment = not last.closed or before[last.start] != "#"
    elif last.kind in (SYMBOL, KEYWORD, WRONG) or (last.kind == STRING and not last.closed):
        place.word = last
        place.prefix = before[last.start :]
        place.deref = last.start > 0 and before[last.start - 1] == "@"
        place.index -= 1
    elif last.kind not in (OPEN, CLOSE, PREFIX):
        place.word = last
        place.prefix = before[last.start :]
        place.index -= 1
    return place


def word_at(text: str, at: int) -> Lexeme | None:
    """The word that the cursor is on or behind."""
    for lexeme in lexemes(text):
        if lexeme.start <= at <= lexeme.end and lexeme.kind in (SYMBOL, KEYWORD, STRING):
            return lexeme
    return None
