"""What could be typed at the cursor: commands, symbols, keywords, capability ids, argument keys, settings, files.

Knows places and names; nothing of prompt_toolkit. Invariant: only what is meant to stand at the place is offered, and
the text before the cursor alone decides.
"""

from __future__ import annotations

from rtfs.repl.lexemes import KEYWORD, STRING, SYMBOL, lexemes
from rtfs.repl.place import Frame, Place, place_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.repl.session import Session

_FILE_COMMANDS = ("load",)
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
    """Where the word begins that would be replaced, and what could stand there, best first."""
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
        return []
    if place.deref:
        from rtfs.host.inspection import context_names

        return _matching(place.prefix, context_names(session.runtime))
    if place.word is not None and place.word.kind not in (SYMBOL, KEYWORD):
        return []
    if place.prefix.startswith(":"):
        keys = _argument_keys(session, place)
        if keys:
            return keys
        if _is_id(place):
            return _matching(place.prefix, [":" + id for id in session.names.capability_ids()])
        return _keywords(session, place.prefix, place.text)
    if not place.prefix:
        return _argument_keys(session, place)
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


def _argument_keys(session: Session, place: Place) -> list[Candidate]:
    """The keys that the input schema of the surrounding call has at this place."""
    path: list[str] = []
    frames = list(place.frames)
    here: Frame | None = None
    index = place.index
    while frames:
        frame = frames.pop()
        if frame.head == "call" and frame.opener == "(":
            id = _id_of(frame)
            if id is None or index < 2 or (not path and here is None and not place.prefix.startswith(":")):
                return []
            return _keys_at(session, id, list(reversed(path)), _used(here or frame, place), place.prefix)
        if frame.opener == "{":
            if here is None:
                if index % 2:
                    return []
                here = frame
            else:
                key = frame.items[index - 1] if index and index - 1 < len(frame.items) else None
                if key is None or key.kind != KEYWORD:
                    return []
                path.append(key.value.name)
        elif frame.opener == "[" and here is not None:
            path.append("")
        else:
            return []
        index = len(frames[-1].items) - 1 if frames else 0
    return []


def _id_of(frame: Frame) -> str | None:
    """The literal id of a call."""
    if len(frame.items) < 2:
        return None
    id = frame.items[1]
    if id.kind == STRING:
        return str(id.value)
    return str(id.value.name) if id.kind == KEYWORD else None


def _used(frame: Frame, place: Place) -> set[str]:
    """The keys that the map or call has already."""
    word = place.word
    return {item.value.name for item in frame.items if item.kind == KEYWORD and item is not word}


def _keys_at(session: Session, id: str, path: list[str], used: set[str], prefix: str) -> list[Candidate]:
    fields = session.names.fields(id)
    record = None if fields is None else _record(fields.input_type, path)
    if record is None:
        return []
    from rtfs.syntax.printer import to_text

    found = []
    for field in record.fields:
        if field.name in used or not f":{field.name}".startswith(prefix):
            continue
        about = to_text(field.type.form)
        optional = " optional" if field.optional and not about.endswith("?") else ""
        found.append(Candidate(f":{field.name}", about + optional))
    return found


def _record(type: Any, path: list[str]) -> Any:
    """The record type at a path of keys ("" for an element) within a type, or None."""
    from rtfs.types import Alias, Record
    from rtfs.types.choice import And, Union
    from rtfs.types.shapes import ListOf, MapOf, Tuple, VectorOf

    if isinstance(type, Alias):
        return _record(type.target, path) if type.bound else None
    if isinstance(type, (Union, And)):
        parts = type.members if isinstance(type, Union) else type.types
        return next((found for part in parts if (found := _record(part, path)) is not None), None)
    if not path:
        return type if isinstance(type, Record) else None
    if isinstance(type, Record):
        field = next((field for field in type.fields if field.name == path[0]), None)
        return None if field is None else _record(field.type, path[1:])
    if isinstance(type, (VectorOf, ListOf)):
        return _record(type.item, path[1:]) if path[0] == "" else None
    if isinstance(type, MapOf):
        return _record(type.value, path[1:])
    if isinstance(type, Tuple) and path[0] == "" and type.items:
        return _record(type.items[0], path[1:])
    return None


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
