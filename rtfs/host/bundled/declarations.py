"""The declarations of the bundled capabilities, read from stdlib/capabilities/*.rtfs as data.

Must not evaluate anything: the options in these files are literals. Invariant: read at most once a process.
"""

from __future__ import annotations

from rtfs.capabilities.declaration import Fields, from_options, invalid
from rtfs.source import Source, Span
from rtfs.values import List, Map, Symbol

TOPICS = ("concurrent", "data", "io", "network", "run", "state", "system", "user")
_found: dict[str, Fields] = {}


def bundled() -> dict[str, Fields]:
    """id → declaration of every bundled capability."""
    if not _found:
        from rtfs.syntax.resources import resource_text

        for topic in TOPICS:
            name = f"stdlib/capabilities/{topic}.rtfs"
            for fields in read_declarations(Source(resource_text(name), name)):
                _found[fields.id] = fields
    return _found


def read_declarations(source: Source) -> list[Fields]:
    """The `(capability "id" :key literal …)` forms of a source, unevaluated."""
    from rtfs.syntax.reader import read_forms
    from rtfs.syntax.spans import span_of

    declarations = []
    for form in read_forms(source):
        span = span_of(form)
        items = form.to_list() if form.__class__ is List else []
        if len(items) < 2 or items[0] != Symbol("capability") or len(items) % 2:
            raise invalid('only declarations are allowed here: (capability "id" :key value …)', span)
        options = Map(list(zip(items[2::2], items[3::2], strict=True)))
        declarations.append(from_options(items[1], options, span, _refuse))
    return declarations


def _refuse(message: str, span: Span | None) -> None:
    raise invalid(message, span)
