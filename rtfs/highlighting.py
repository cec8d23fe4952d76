"""The Pygments lexer of RTFS: highlighted listings in Sphinx, MkDocs, `pygmentize` and the like.

Must not be imported by RTFS itself: Pygments finds it by its entry point and brings its own library. Invariant: words
are classified by the reader's own rules (`rtfs.syntax.words`), so a number here is a number there; the tokens joined
are the text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pygments.lexer import RegexLexer
from pygments.token import Comment, Error, Keyword, Literal, Name, Number, Operator, Punctuation, String, Whitespace

from rtfs.syntax.words import SYMBOL, WordError, character, classify

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = r"""[^\s"#'(),:;@\[\\\]^`{|}~]"""
_TAIL = r"""[^\s"(),:;@\[\\\]^`{|}~]*"""
_WORD = rf":?{_HEAD}{_TAIL}(?::{_HEAD}{_TAIL})*"
_DEFINING = frozenset({"def", "defn", "defmacro", "deftype", "defstruct", "defonce"})


@cache
def _known() -> dict[str, Any]:
    """Token types of the names that the language declares."""
    from rtfs.testing.language_declarations import all_declarations

    types = {"form": Keyword, "macro": Keyword, "function": Name.Builtin}
    return {name: types[d.kind] for d in reversed(all_declarations()) for name in (d.name, *d.aliases)}


def _word(lexer: Any, match: re.Match[str]) -> Iterator[tuple[int, Any, str]]:
    yield match.start(), _type_of(match), match[0]


def _type_of(match: re.Match[str]) -> Any:
    word = match[0]
    try:
        value = classify(word)
    except WordError:
        return Error
    if value is SYMBOL:
        before = match.string[max(0, match.start() - 200) : match.start()]
        if before.endswith("("):
            kind = _known().get(word)
            return Keyword.Declaration if word in _DEFINING else Name.Function if kind is None else kind
        definition = re.search(r"\(([a-z]+)\s+$", before)
        if definition is not None and definition[1] in _DEFINING:
            return Name.Function
        return Name.Builtin if _known().get(word) is Name.Builtin else Name.Variable
    if word[0] == ":":
        return String.Symbol
    if value is None or isinstance(value, bool):
        return Keyword.Constant
    if isinstance(value, int):
        return Number.Integer
    if isinstance(value, float):
        return Number.Float
    return Literal.Date if re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}T", word) else Literal


def _character(lexer: Any, match: re.Match[str]) -> Iterator[tuple[int, Any, str]]:
    try:
        character(match[0][1:])
        yield match.start(), String.Char, match[0]
    except WordError:
        yield match.start(), Error, match[0]


class RtfsLexer(RegexLexer):  # type: ignore[misc]
    """Registered as `rtfs` for `*.rtfs` (entry point `pygments.lexers`)."""

    name = "RTFS"
    aliases: ClassVar = ["rtfs"]
    filenames: ClassVar = ["*.rtfs"]
    mimetypes: ClassVar = ["text/x-rtfs"]
    flags = re.DOTALL
    tokens: ClassVar = {
        "root": [
            (r"\A#![^\n]*", Comment.Hashbang),
            (r"[ \t\r\n,]+", Whitespace),
            (r";[^\n]*", Comment.Single),
            (r"#\|", Comment.Multiline, "block"),
            (r'#"[^"\\]*(?:\\.[^"\\]*)*"', String.Regex),
            (r'"', String, "string"),
            (r"##(?:-?Inf|NaN)(?=$|[\s\"(),:;@\[\\\]^`{|}~])", Number.Float),
            (r"""\\[^\s][^\s"(),:;@\[\\\]^`{|}~]*""", _character),
            (r"#_", Operator),
            (r"#inst|#uuid", Literal),
            (rf"#:{_HEAD}{_TAIL}(?=\{{)", String.Symbol),
            (r"#[({]", Punctuation),
            (r"[()\[\]{}]", Punctuation),
            (r"~@|['`~@^]", Operator),
            (_WORD, _word),
            (r":", Operator),
        ],
        "block": [
            (r"#\|", Comment.Multiline, "#push"),
            (r"\|#", Comment.Multiline, "#pop"),
            (r"[^#|]+|[#|]", Comment.Multiline),
        ],
        "string": [
            (r'\\(?:u[0-9a-fA-F]{4}|[ntr\\"])', String.Escape),
            (r"\\.", Error),
            (r'"', String, "#pop"),
            (r'[^"\\]+', String),
        ],
    }
