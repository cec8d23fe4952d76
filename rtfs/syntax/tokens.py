"""The tokens that the lexer passes to the parser, and the state that one reading of a source accumulates.

Knows nothing of Lark beyond its demand that a token has a `type`. Invariant: every token carries the offsets of its
text in the source, and every error of a reading goes through `Reading.error`.
"""

from __future__ import annotations

from rtfs.source import Span
from rtfs.values.error import ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.source import Source

MAX_ERRORS = 100
"""Reading stops after so many errors: the text is probably not RTFS."""

OPENERS = {"LPAR": ("(", "RPAR"), "LSQB": ("[", "RSQB"), "LBRACE": ("{", "RBRACE"), "SET": ("#{", "RBRACE"),
           "FN": ("#(", "RPAR")}  # fmt: skip
"""Type of an opening bracket -> (its text, type of the bracket that closes it)."""

CLOSERS = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}
CLOSED_BY = {text: CLOSERS[closer] for text, closer in OPENERS.values()}
"""Text of an opening bracket -> text of the one that closes it."""
PREFIXES = {
    "QUOTE": "'",
    "QUASIQUOTE": "`",
    "UNQUOTE": "~",
    "SPLICE": "~@",
    "DEREF": "@",
    "META": "^",
    "DISCARD": "#_",
}


class Atom:
    """A complete atom: its value and its place."""

    __slots__ = ("end", "start", "value")
    type = "ATOM"
    after = ()

    def __init__(self, value: Any, start: int, end: int) -> None:
        self.value = value
        self.start = start
        self.end = end


class Mark:
    """A bracket or a prefix.

    after: the atoms that follow a bracket directly and belong to the form that is open there, flat as
    `[value, start, end, …]`; the lexer adds to it until another token comes, which spares the parser most tokens.
    value: of a closing bracket, once the parser has seen it, the form that it closed; `start` is then the form's.
    reading: what the builder needs to know of the source, and where it reports to.
    invented: a closing bracket that is not in the text but was supplied after an error. namespace: of `#:ns{`, else "".
    arguments, rest: of a `#(` the highest `%n`, and whether `%&` occurs.
    """

    __slots__ = ("after", "arguments", "end", "invented", "namespace", "reading", "rest", "start", "type", "value")
    arguments: int
    rest: bool
    value: Any

    def __init__(self, type: str, start: int, end: int, reading: Reading, after: Any = ()) -> None:
        self.type = type
        self.start = start
        self.end = end
        self.reading = reading
        self.after = after
        self.invented = False
        self.namespace = ""


class TooManyErrors(Exception):
    """Ends a reading that found `MAX_ERRORS` errors."""


class Reading:
    """One reading of one source: its errors so far, and the keys that map displays wrote twice."""

    __slots__ = ("duplicates", "errors", "key_text", "source", "swallowed")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[ReaderError] = []
        self.duplicates: list[Span] = []
        self.key_text = 0
        """Length of the texts of all map keys that are collections; each level of nesting counts again."""
        self.swallowed = False
        """An unclosed string or comment took the rest of the text, closing brackets included."""

    def restart(self) -> None:
        """Forget what was found, to read the source once more."""
        self.errors.clear()
        self.duplicates.clear()
        self.key_text, self.swallowed = 0, False

    def error(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        """Note an error at [start, end). Raises TooManyErrors when there have been enough."""
        self.errors.append(ReaderError(code, message, span=Span(self.source, start, end), hint=hint))
        if len(self.errors) >= MAX_ERRORS:
            raise TooManyErrors

    def place(self, offset: int) -> str:
        """`line 3, column 5`, for messages that name a second place."""
        line, column = self.source.position(offset)
        return f"line {line}, column {column}"
