"""Colours of RTFS text: which lexeme has which, for the line that is typed and for results.

Knows lexemes and names; nothing of prompt_toolkit, whose style names these are too. Invariant: painting adds escape
sequences and nothing else.
"""

from __future__ import annotations

from rtfs.syntax import lexemes as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.repl.names import Names

STYLES = {
    "form": "ansimagenta",
    "function": "ansiblue",
    words.KEYWORD: "ansicyan",
    words.STRING: "ansigreen",
    words.NUMBER: "ansiyellow",
    words.CONSTANT: "ansiyellow",
    words.COMMENT: "ansibrightblack",
    words.PREFIX: "ansimagenta",
    words.WRONG: "ansired underline",
}
"""Style by kind, as prompt_toolkit words it."""

_CODES = {
    "ansimagenta": "35", "ansiblue": "34", "ansicyan": "36", "ansigreen": "32", "ansiyellow": "33",
    "ansibrightblack": "90",
}  # fmt: skip


def styled(text: str, names: Names) -> list[tuple[int, int, str]]:
    """(start, end, kind) of everything in `text` that has a style, in order."""
    found: list[tuple[int, int, str]] = []
    before = ""
    for lexeme in words.lexemes(text):
        kind = lexeme.kind
        if kind == words.SYMBOL:
            kind = ""
            if before == words.OPEN and text[lexeme.start - 1] == "(":
                name = lexeme.value.name
                kind = "form" if names.is_form(name) else "function" if names.is_known(name) else ""
        if kind in STYLES:
            found.append((lexeme.start, lexeme.end, kind))
        before = lexeme.kind
    return found


def paint(text: str, names: Names) -> str:
    """The text with ANSI colours."""
    parts: list[str] = []
    at = 0
    for start, end, kind in styled(text, names):
        code = _CODES.get(STYLES[kind])
        if code is not None:
            parts += [text[at:start], "\x1b[", code, "m", text[start:end], "\x1b[0m"]
            at = end
    return "".join([*parts, text[at:]])
