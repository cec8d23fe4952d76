"""One line about the word at the cursor, or else the form around it. Knows places and names."""

from __future__ import annotations

from rtfs.syntax.cursor import Frame, place_at, word_at
from rtfs.syntax.lexemes import KEYWORD, STRING, SYMBOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.repl.session import Session


def about(session: Session, text: str, at: int) -> str | None:
    """A one-line description of the word or form at offset `at` of `text`; None if nothing is known."""
    from rtfs.syntax.diagnostics import clean

    found = _command(text) or _word(session, text, at) or _around(session, text, at)
    return None if found is None else clean(found).replace("\n", " ")


def _command(text: str) -> str | None:
    from rtfs.repl.commands import parse

    found = parse(text)
    if found is None or (found[0].takes_program and found[1]):
        return None
    return f":{found[0].name} {found[0].usage}".rstrip() + "  " + found[0].doc


def _word(session: Session, text: str, at: int) -> str | None:
    word = word_at(text, at)
    if word is None:
        return None
    if word.kind == SYMBOL:
        found = session.names.describe(word.value.name)
    elif word.kind == STRING or word.kind == KEYWORD:
        name = word.value if word.kind == STRING else word.value.name
        found = session.names.capability(name)
    return None if found is None else found.line


def _around(session: Session, text: str, at: int) -> str | None:
    frames = place_at(text, at).frames
    for frame in reversed(frames):
        found = _frame(session, frame)
        if found is not None:
            return found
    return None


def _frame(session: Session, frame: Frame) -> str | None:
    if frame.head == "call" and len(frame.items) > 1:
        id = frame.items[1]
        name = id.value if id.kind == STRING else id.value.name if id.kind == KEYWORD else ""
        found = session.names.capability(name) if name else None
        if found is not None:
            return found.line
    described = session.names.describe(frame.head) if frame.head else None
    return None if described is None else described.line
