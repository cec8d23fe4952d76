"""Completions at a place of a document, each with a short description.

Invariant: only what is meant to appear there is offered.
"""

from __future__ import annotations

from rtfs.syntax.lexemes import KEYWORD, SYMBOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.language_service.document import Document
    from rtfs.syntax.cursor import Place
    from rtfs.types import Type

NAME, ID, KEY, VALUE = "name", "id", "key", "value"


class Completion:
    """text: what replaces the word at the place, from `start` on. kind: one of the four above. about: what it is."""

    __slots__ = ("about", "kind", "start", "text")

    def __init__(self, text: str, kind: str, about: str, start: int) -> None:
        self.text = text
        self.kind = kind
        self.about = about
        self.start = start


def completions(document: Document, offset: int) -> list[Completion]:
    """Argument keys and values within a call, ids of capabilities where one is called, names elsewhere."""
    place = document.place(offset)
    if place.comment:
        return []
    if _is_id(place):
        return _ids(document, place, offset)
    found = _arguments(document, place, offset)
    if found or place.in_string or place.prefix.startswith(":"):
        return found
    return _names(document, offset)


def _is_id(place: Place) -> bool:
    """Whether the word is the id of a `(call …)`."""
    frame = place.frames[-1] if place.frames else None
    return frame is not None and frame.head == "call" and place.index == 1 and (place.in_string or place.prefix != "")


def _ids(document: Document, place: Place, offset: int) -> list[Completion]:
    begun = place.prefix[1:]
    start = offset - len(begun)
    registry = document.runtime._registry
    found = []
    for id in sorted(registry.ids()):
        if id.startswith(begun):
            entry = registry.find(id)
            about = "" if entry is None else entry.fields.description.split("\n")[0]
            found.append(Completion(id, ID, about or "capability", start))
    return found


def _arguments(document: Document, place: Place, offset: int) -> list[Completion]:
    from rtfs.checker.argument_places import argument_place, keys, listed_values

    wanted = argument_place(place)
    type = None if wanted is None else input_type(document, wanted.id)
    if wanted is None or type is None:
        return []
    start = offset - len(place.prefix)
    if wanted.key is None:
        found = [Completion(key, KEY, about, start) for key, about in keys(type, wanted)]
    else:
        found = [Completion(text, VALUE, f":{wanted.key}", start) for text in listed_values(type, wanted)]
        if document.source.text[offset : offset + 1] == '"':  # the quote that an editor has closed by itself
            for one in found:
                one.text = one.text.removesuffix('"')
    return [one for one in found if one.text.startswith(place.prefix)]


def input_type(document: Document, id: str) -> Type | None:
    """The type of a capability's arguments, as far as it is declared."""
    entry = document.runtime._registry.find(id)
    return None if entry is None else entry.fields.input_type


def _names(document: Document, offset: int) -> list[Completion]:
    """Names of the text, of what is imported, and of the language."""
    from rtfs.builtins.declare import REGISTRY
    from rtfs.host.language_service.navigation import imported
    from rtfs.host.language_service.signatures import forms_and_macros

    start, _ = document.word(offset)
    begun = document.source.text[start:offset]
    if begun.startswith(":"):
        written = {one.value.name for one in document.lexemes if one.kind == KEYWORD and one.end != offset}
        return [Completion(f":{name}", VALUE, "", start) for name in sorted(written) if f":{name}".startswith(begun)]
    found = {name: shape for name, _, shape in document.definitions()}
    found.update({name: str(span.source.name) for name, span in imported(document)})
    for one in document.lexemes:
        if one.kind == SYMBOL and one.end != offset and one.end < offset:
            found.setdefault(one.value.name, "")
    standard = {name: one.signature for name, one in REGISTRY.items() if name[0] != "%"}
    standard.update({name: shape for name, (shape, _) in forms_and_macros().items()})
    own = [(name, about) for name, about in found.items() if name not in standard]
    offered = [*sorted(own), *sorted(standard.items())]
    return [Completion(name, NAME, about, start) for name, about in offered if name.startswith(begun)]
