"""Completions at the cursor: commands, symbols, keywords, capability ids, argument keys, settings, files.

Knows places and names; nothing of prompt_toolkit. Invariant: only what is meant to appear at the place is offered, and
the text before the cursor alone decides.
"""

from __future__ import annotations

from rtfs.syntax.cursor import Place, place_at
from rtfs.syntax.lexemes import KEYWORD, SYMBOL, lexemes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.repl.session import Session

_FILE_COMMANDS = ("load", "test", "save")
_NAME_COMMANDS = ("doc", "source", "apropos")
_ID_COMMANDS = ("caps", "policy")
_MOST = 300


class Candidate:
    """text: what replaces the word. shown: how it is listed. about: a word or two on what it is."""

    __slots__ = ("about", "shown", "text")

    def __init__(self, text: str, about: str = "", shown: str | None = None) -> None:
        self.text = text
        self.shown = text if shown is None else shown
        self.about = about


def complete(session: Session, text: str, at: int) -> tuple[int, list[Candidate]]:
    """The start of the word to replace, and its completions, best first."""
    line = text[:at]
    if line.lstrip().startswith(":") and "\n" not in line:
        found = _command(session, line)
        if found is not None:
            return found
    place = place_at(text, at)
    if place.comment:
        return at, []
    start = at - len(place.prefix)
    behind = text[at : at + 1]
    return start, _program(session, place, behind)[:_MOST]


def _command(session: Session, line: str) -> tuple[int, list[Candidate]] | None:
    """Candidates on a line that begins like a command; None where its argument is a program."""
    from rtfs.repl.commands import PROGRAMS, commands

    known = commands()
    word, space, rest = line.lstrip().partition(" ")
    if not space:
        start = len(line) - len(word)
        own = [Candidate(":" + one.name, one.usage) for one in known.values() if one.name.startswith(word[1:])]
        return start, own + _keywords(session, word, line)
    name = word[1:]
    if name not in known or name in PROGRAMS:
        return None
    prefix = rest.rsplit(" ", 1)[-1]
    start = len(line) - len(prefix)
    if name in _FILE_COMMANDS:
        return len(line) - len(rest), _files(rest.lstrip())
    if name in _NAME_COMMANDS:
        return start, _matching(prefix, [*session.names.symbols(), *session.names.capability_ids()])
    if name in _ID_COMMANDS:
        words = ["allow", "revoke"] if name == "policy" and " " not in rest else []
        return start, _matching(prefix.strip('"'), [*words, *session.names.capability_ids()])
    if name == "connect":
        return start, _matching(prefix, list(session.runtime.servers)) if " " not in rest else []
    if name == "set" and " " not in rest:
        from rtfs.repl.settings import KNOWN

        return start, _matching(prefix, KNOWN)
    return start, []


def _program(session: Session, place: Place, behind: str) -> list[Candidate]:
    if place.in_string:
        if _is_id(place):
            quote = "" if behind == '"' else '"'
            found = _matching(place.prefix[1:], session.names.capability_ids())
            return [Candidate(f'"{one.text}{quote}', "", one.text) for one in found]
        return _arguments(session, place, behind)
    if place.deref:
        from rtfs.host.inspection import context_names

        return _matching(place.prefix, context_names(session.runtime))
    if place.word is not None and place.word.kind not in (SYMBOL, KEYWORD):
        return []
    if place.prefix.startswith(":"):
        found = _arguments(session, place)
        if found:
            return found
        if _is_id(place):
            return _matching(place.prefix, [":" + id for id in session.names.capability_ids()])
        return _keywords(session, place.prefix, place.text)
    if not place.prefix:
        return _arguments(session, place)
    return _symbols(session, place)


def _is_id(place: Place) -> bool:
    """Whether the word at the cursor is the id of a `(call …)`."""
    frame = place.frames[-1] if place.frames else None
    return frame is not None and frame.head == "call" and place.index == 1


def _symbols(session: Session, place: Place) -> list[Candidate]:
    names = session.names
    prefix = place.prefix
    known = {name for name in names.symbols() if name.startswith(prefix)}
    typed = {
        lexeme.value.name
        for lexeme in lexemes(place.text)
        if lexeme.kind == SYMBOL and lexeme.end < len(place.text) and lexeme.value.name.startswith(prefix)
    }
    typed.discard(":")
    found = []
    for name in sorted(known | typed, key=lambda name: (name not in typed, len(name), name)):
        if name == prefix and len(known | typed) == 1:
            continue
        about = names.about(name) if name in known else ""
        found.append(Candidate(name, about))
    return found


def _keywords(session: Session, prefix: str, text: str) -> list[Candidate]:
    written = {
        lexeme.value.name for lexeme in lexemes(text) if lexeme.kind == KEYWORD and lexeme.end < len(text.rstrip())
    }
    return _matching(prefix, [":" + name for name in session.keywords | written])


def _arguments(session: Session, place: Place, behind: str = "") -> list[Candidate]:
    """Keys, and values that are listed, of the input schema of the call around the place. behind: what follows it."""
    from rtfs.checker.argument_places import argument_place, keys, listed_values

    wanted = argument_place(place)
    fields = None if wanted is None else session.names.fields(wanted.id)
    if wanted is None or fields is None:
        return []
    if wanted.key is None:
        return [Candidate(key, about) for key, about in keys(fields.input_type, wanted) if key.startswith(place.prefix)]
    found = [text for text in listed_values(fields.input_type, wanted) if text.startswith(place.prefix)]
    return [Candidate(text.removesuffix(behind) if behind == '"' else text, "", text.strip('"')) for text in found]


def _files(prefix: str) -> list[Candidate]:
    import os

    folder, name = os.path.split(os.path.expanduser(prefix))
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    lead = prefix[: len(prefix) - len(name)]
    found = []
    for entry in entries:
        if entry.name.startswith(name) and (name.startswith(".") or not entry.name.startswith(".")):
            if entry.is_dir():
                found.append(Candidate(lead + entry.name + "/", "folder", entry.name + "/"))
            elif entry.name.endswith(".rtfs"):
                found.append(Candidate(lead + entry.name, "", entry.name))
    return found


def _matching(prefix: str, names: Any) -> list[Candidate]:
    return [Candidate(name) for name in sorted(_starting_first(prefix, names), key=lambda name: _rank(prefix, name))]


def _starting_first(prefix: str, names: Any) -> list[str]:
    """The names that begin with the prefix; if there are none, those that contain it."""
    names = set(names)
    starting = [name for name in names if name.startswith(prefix)]
    return starting or [name for name in names if len(prefix.strip(":")) > 1 and prefix.strip(":") in name]


def _rank(prefix: str, name: str) -> tuple[bool, str]:
    return (not name.startswith(prefix), name)
