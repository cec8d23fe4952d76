"""The words of a text by what they are, and the stretches that an editor can fold away."""

from __future__ import annotations

from rtfs.syntax.lexemes import CLOSE, COMMENT, CONSTANT, KEYWORD, NUMBER, OPEN, STRING, SYMBOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.host.language_service.document import Document

KINDS = ("keyword", "macro", "function", "variable", "property", "string", "number", "comment", "regexp")
"""Kinds of words; the names are those of the Language Server Protocol (3.17, SemanticTokenTypes)."""


def tokens(document: Document) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each word, in the order of the text."""
    from rtfs.builtins.declare import REGISTRY
    from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
    from rtfs.host.language_service.signatures import forms_and_macros

    functions = {name for name, _, shape in document.definitions() if shape != name}
    text = document.source.text
    for one in document.lexemes:
        kind = _PLAIN.get(one.kind)
        if one.kind == SYMBOL:
            name = one.value.name
            if name in SPECIAL_FORMS:
                kind = "keyword"
            elif name in functions or name in REGISTRY:
                kind = "function"
            elif name in forms_and_macros():
                kind = "macro"
            else:
                kind = "variable"
        elif one.kind == STRING and text.startswith("#", one.start):
            kind = "regexp"
        if kind is not None:
            yield one.start, one.end, kind


_PLAIN = {KEYWORD: "property", STRING: "string", NUMBER: "number", CONSTANT: "keyword", COMMENT: "comment"}


def folds(document: Document) -> Iterator[tuple[int, int, bool]]:
    """First and last line (from 0) of each bracket, and of each run of comment lines, that has several; whether it is
    a comment."""
    position = document.source.position
    opened: list[int] = []
    block: list[int] = []
    for one in document.lexemes:
        first = position(one.start)[0] - 1
        if one.kind == COMMENT and document.source.line(first + 1).lstrip().startswith((";", "#|")):
            if not (block and first == block[-1] + 1):
                yield from _comment(block)
                block = []
            block += range(first, position(one.end)[0])
        elif one.kind == OPEN:
            opened.append(first)
        elif one.kind == CLOSE and opened:
            begun = opened.pop()
            if first > begun:
                yield begun, first, False
    yield from _comment(block)


def _comment(lines: list[int]) -> Iterator[tuple[int, int, bool]]:
    if len(lines) > 1:
        yield lines[0], lines[-1], True
