"""Signature help: the parameters of the call at a place, and the parameter that the place belongs to."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.language_service.document import Document
    from rtfs.syntax.cursor import Frame, Place


class Signature:
    """label: the call as it is written. about: what it does. parameters: parts of the label, in its order.
    active: which of them the place is at, or None."""

    __slots__ = ("about", "active", "label", "parameters")

    def __init__(self, label: str, about: str, parameters: list[str]) -> None:
        self.label = label
        self.about = about
        self.parameters = parameters
        self.active: int | None = None


def signature(document: Document, offset: int) -> Signature | None:
    """The innermost call around a place of which something is known."""
    place = document.place(offset)
    if place.comment:
        return None
    for frame in reversed(place.frames):
        found = _of_call(document, frame, place) if frame.head == "call" else _of_head(document, frame, place)
        if found is not None:
            return found
    return None


def _of_head(document: Document, frame: Frame, place: Place) -> Signature | None:
    """The signature for a list that begins with a name."""
    known = described(document, frame.head) if frame.head else None
    if known is None:
        return None
    at = (place.index if frame is place.frames[-1] else len(frame.items) - 1) - 1
    if 0 <= at < len(known.parameters):
        known.active = at
    elif at >= 0 and "&" in known.label and known.parameters:
        known.active = len(known.parameters) - 1
    return known


def _of_call(document: Document, frame: Frame, place: Place) -> Signature | None:
    """The signature of the capability that a `(call "id" …)` names."""
    from rtfs.checker.argument_places import argument_place, called_id
    from rtfs.host.describe import describe_capabilities

    id = called_id(frame)
    if id is None or document.runtime._registry.find(id) is None:
        return None
    one = describe_capabilities(document.runtime, [id])[0]
    names = [f":{parameter['name']}" for parameter in one.parameters]
    found = Signature(one.signature, one.about, names)
    wanted = argument_place(place)
    if wanted is not None and wanted.id == id:
        key = wanted.path[0] if wanted.path else wanted.key or place.prefix.removeprefix(":")
        found.active = names.index(f":{key}") if f":{key}" in names else None
    return found


def described(document: Document, name: str) -> Signature | None:
    """The signature of a name of the text, of the language or of the standard library."""
    from rtfs.builtins.declare import REGISTRY

    for one, _, shape in document.definitions():
        if one == name:
            return Signature(shape, "", _parameters(shape))
    known = REGISTRY.get(name) or REGISTRY.get(_full_name(name))
    if known is not None:
        return Signature(known.signature, known.doc, _parameters(known.signature))
    shape, about = forms_and_macros().get(name, ("", ""))
    return Signature(shape, about, _parameters(shape)) if shape else None


def _full_name(name: str) -> str:
    """`str/join` → `clojure.string/join`."""
    from rtfs.builtins.clojure import USUAL_ALIASES

    alias, _, rest = name.rpartition("/")
    targets = USUAL_ALIASES.get(alias, ())
    return f"{targets[0]}/{rest}" if targets and alias else name


def _parameters(shape: str) -> list[str]:
    """The parts of the first `(name part part)` of a text."""
    from rtfs.syntax.cursor import place_at

    first = shape.partition("  ")[0]
    if not first.startswith("(") or not first.endswith(")"):
        return []
    inner = first[:-1]
    frame = place_at(f"{inner} ", len(inner) + 1).frames[0]
    ends = [item.start for item in frame.items[1:]] + [len(inner)]
    parts = []
    for start, end in pairwise(ends):
        text = inner[start:end].strip()
        if text and text != "&":
            parts.append(text)
    return parts


@cache
def forms_and_macros() -> dict[str, tuple[str, str]]:
    """Special forms, and the macros and functions that are written in RTFS: name → its shape and its doc."""
    from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
    from rtfs.compiler.definitions import documented

    found = {name: (form.shape, form.doc) for name, form in SPECIAL_FORMS.items()}
    for one in documented():
        found.setdefault(one.name, ("  ".join(one.shapes) or one.name, one.doc))
    return found
