"""Formats source text: changes indentation, spaces and blank lines; leaves words, comments and line breaks to the
author.

Knows nothing of meaning, only which names are customarily followed by a body. Invariants: the result reads to the same
forms and has the same comments, and formatting it again changes nothing.

The layout: a bracket is next to what it encloses; `[` and `{` indent by one column, a call by two, or to its first
argument if that is on the line of the name and the name takes no body; at most one blank line in a row.
"""

from __future__ import annotations

import re

from rtfs.source import Source
from rtfs.syntax.comments import block_end
from rtfs.syntax.reader import read_forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_FORMS = frozenset(
    ("as->", "call", "capability", "case", "catch", "cond", "do", "doseq", "dotimes", "finally", "fn", "for", "if",
     "if-let", "if-not", "lambda", "let", "loop", "match", "module", "plan", "some->", "step", "step-if", "step-loop",
     "step-parallel", "try", "when", "when-let", "when-not", "λ")
)  # fmt: skip
"""Names that are followed by a body, as are all that begin with `def`: further lines are indented by two columns."""
_DEEPEST = 120
"""Columns of indentation at most, so that the result is no more than so much longer than the source."""

_HEAD = r"""[^ \t\r\n,;"()\[\]{}`~@^:'\#]"""
_TAIL = r"""[^ \t\r\n,;"()\[\]{}`~@^:]*+"""
_TOKEN = re.compile(
    rf"""(?P<newline>\n)|(?P<space>[ \t\r,]+)|(?P<comment>;[^\n]*)|(?P<block>\#\|)
    |(?P<string>\#?"[^"\\]*+(?:\\.[^"\\]*+)*+")|(?P<open>\#?[({{]|\#:{_HEAD}{_TAIL}\{{|\[)|(?P<close>[)\]}}])
    |(?P<prefix>'|`|~@|[~@^]|\#_)|(?P<character>\\[^\s][^\s"(),:;@\[-\^`{{-}}]*+)
    |(?P<tag>\#(?:inst|uuid)[ \t\r\n,]*"[^"]*")
    |(?P<word>:?{_HEAD}{_TAIL}(?::{_HEAD}{_TAIL})*+|\#\#{_TAIL}|:)""",
    re.VERBOSE | re.DOTALL,
)


def format_source(text: str, name: str = "<source>") -> str:
    """`text` formatted, ending in one line end; empty if it is. name: for the places of errors.

    Raises ReaderError if it cannot be read.
    """
    read_forms(Source(text, name))
    text = text.removeprefix("\ufeff")
    layout = _Layout()
    if text.startswith("#!"):
        first, _, text = text.partition("\n")
        layout.add("comment", first.rstrip(), 0, False)
        text = "\n" + text
    newlines = 0
    spaced = False
    for kind, token in _tokens(text):
        if kind == "newline":
            newlines += 1
        elif kind == "space":
            spaced = True
        else:
            layout.add(kind, token.rstrip() if kind == "comment" else token, newlines, spaced)
            newlines = 0
            spaced = False
    return layout.text()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise AssertionError(f"readable text that is not a token at {at}")
        end = match.end()
        if match.lastgroup == "block":
            end, depth = block_end(text, at, len(text))
            if depth:
                raise AssertionError("a readable text closes its comments")
        yield match.lastgroup, text[at:end]
        at = end


class _Frame:
    """An open bracket: where what it encloses begins, and how further lines of it are indented."""

    __slots__ = ("argument", "call", "column", "count", "head", "line")

    def __init__(self, bracket: str, column: int) -> None:
        self.call = bracket[-1] == "("
        self.column = column + len(bracket)
        self.count = 0
        self.head = ""
        self.line = 0
        self.argument = -1

    def begin(self, kind: str, token: str, column: int, line: int) -> None:
        """Note that an element begins with `token`."""
        self.count += 1
        if self.count == 1:
            self.head = token if kind == "word" else ""
            self.line = line
        elif self.count == 2 and line == self.line:
            self.argument = column

    def indent(self) -> int:
        if not self.call or not self.head:
            return min(self.column, _DEEPEST)
        body = self.head in BODY_FORMS or self.head.startswith("def")
        if body or self.argument < 0:
            return min(self.column + 1, _DEEPEST)
        return min(self.argument, _DEEPEST)


class _Layout:
    """Puts tokens one behind the other."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.frames: list[_Frame] = []
        self.column = 0
        self.line = 0
        self.kind = ""
        self.token = ""

    def add(self, kind: str, token: str, newlines: int, spaced: bool) -> None:
        """Put `token`, before which the author had `newlines` line ends or else, if `spaced`, white space."""
        attached = self.kind == "prefix"
        if self.kind and self._breaks(kind, newlines):
            indent = self.frames[-1].indent() if self.frames else 0
            self._put("\n" * min(newlines, 2) + " " * indent)
        elif self.kind:
            self._put(self._separator(kind, token, spaced))
        if self.frames and kind not in ("close", "comment", "block") and not attached:
            self.frames[-1].begin(kind, token, self.column, self.line)
        if kind == "open":
            self.frames.append(_Frame(token, self.column))
        elif kind == "close":
            self.frames.pop()
        self._put(token)
        self.kind, self.token = kind, token

    def text(self) -> str:
        return "".join(self.out) + "\n" if self.out else ""

    def _breaks(self, kind: str, newlines: int) -> bool:
        if not newlines:
            return False
        return "comment" in (kind, self.kind) or (kind != "close" and self.kind not in ("open", "prefix"))

    def _separator(self, kind: str, token: str, spaced: bool) -> str:
        if kind == "comment" or (self.token == "~" and token[0] == "@"):
            return " "
        if kind == "close" or self.kind in ("open", "prefix"):
            return ""
        if not spaced and ":" in (token, self.token):
            return ""
        return " "

    def _put(self, text: str) -> None:
        if not text:
            return
        self.out.append(text)
        lines = text.count("\n")
        if lines:
            self.line += lines
            self.column = len(text) - text.rfind("\n") - 1
        else:
            self.column += len(text)
