"""The words of a text with their kinds and places, for colours and completion.

Knows the reader's tokens, nothing of what names mean. Invariant: the lexemes are in order, do not overlap, and between
them is nothing but white space, whatever the text is.
"""

from __future__ import annotations

from rtfs.source import Source
from rtfs.syntax.comments import block_end
from rtfs.syntax.tokens import CLOSERS, OPENERS, Reading
from rtfs.values import Keyword, Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPEN, CLOSE, PREFIX, STRING, NUMBER, KEYWORD, SYMBOL, CONSTANT, COMMENT, WRONG = (
    "open", "close", "prefix", "string", "number", "keyword", "symbol", "constant", "comment", "wrong",
)  # fmt: skip

_LARGEST = 100_000
"""Characters: of a longer text nothing is told."""

_SPACE = frozenset(" \t\r\n,")


class Lexeme:
    """kind: one of the names above. start, end: offsets. value: of an atom. closed: False for a string or comment that
    the text breaks off."""

    __slots__ = ("closed", "end", "kind", "start", "value")

    def __init__(self, kind: str, start: int, end: int, value: Any = None, closed: bool = True) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.value = value
        self.closed = closed

    def __repr__(self) -> str:
        return f"Lexeme({self.kind} {self.start}-{self.end})"


def lexemes(text: str) -> list[Lexeme]:
    """The lexemes of `text`, comments included; none of a text beyond any that is typed."""
    if not text or len(text) > _LARGEST:
        return []
    from rtfs.syntax.parser import tokens

    reading = Reading(Source(text, "<input>"))
    found: list[Lexeme] = []
    for token in tokens(reading):
        if token.type in OPENERS:
            found.append(Lexeme(OPEN, token.start, token.end))
        elif token.type in CLOSERS:
            found.append(Lexeme(CLOSE, token.start, token.end))
        elif token.type == "ATOM":
            found.append(_atom(text, token.value, token.start, token.end))
        else:
            found.append(Lexeme(PREFIX, token.start, token.end))
        after = token.after
        found += [_atom(text, after[i], after[i + 1], after[i + 2]) for i in range(0, len(after), 3)]
    wrong = {error.span.start: error.code for error in reading.errors if error.span is not None}
    return _with_gaps(text, found, wrong)


def _atom(text: str, value: Any, start: int, end: int) -> Lexeme:
    kind = value.__class__
    if text[start] in '"\\' or text.startswith('#"', start):
        return Lexeme(STRING, start, end, value)
    if kind is Keyword:
        return Lexeme(KEYWORD, start, end, value)
    if kind is Symbol:
        return Lexeme(SYMBOL, start, end, value)
    if kind is int or kind is float:
        return Lexeme(NUMBER, start, end, value)
    return Lexeme(STRING if kind is str else CONSTANT, start, end, value)


def _with_gaps(text: str, found: list[Lexeme], wrong: dict[int, str]) -> list[Lexeme]:
    """Lexemes with the faulty ones marked, and what is between them: comments, and what is not a word at all."""
    whole: list[Lexeme] = []
    at = 0
    for lexeme in found:
        _gap(text, at, lexeme.start, whole)
        code = wrong.get(lexeme.start)
        if code == "reader/unterminated-string":
            lexeme.kind, lexeme.closed, lexeme.end = STRING, False, len(text)
            lexeme.value = text[lexeme.start + 1 :]
        elif code is not None:
            lexeme.kind = WRONG
        whole.append(lexeme)
        at = max(at, lexeme.end)
    _gap(text, at, len(text), whole)
    return whole


def _gap(text: str, at: int, end: int, whole: list[Lexeme]) -> None:
    while at < end:
        if text[at] in _SPACE:
            at += 1
            continue
        start = at
        if text[at] == ";" or text.startswith("#!", at):
            stop = text.find("\n", at, end)
            at = end if stop < 0 else stop
            whole.append(Lexeme(COMMENT, start, at))
        elif text.startswith("#|", at):
            at, depth = block_end(text, at, end)
            whole.append(Lexeme(COMMENT, start, at, closed=not depth))
        else:
            while at < end and text[at] not in _SPACE and text[at] != ";":
                at += 1
            whole.append(Lexeme(WRONG, start, at))
