"""The places of a form and its children in the source, as `Span`s.

Knows nothing of reading: it only unpacks the reader's notes. Values made by programs have no place.
"""

from __future__ import annotations

from rtfs.source import Span
from rtfs.values.info import FormInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def info_of(form: Any) -> FormInfo | None:
    """The reader's note of a form; None for atoms without one and for values made by programs."""
    info = getattr(form, "info", None)
    return info if info.__class__ is FormInfo else None


def span_of(form: Any) -> Span | None:
    """The place of `form`: a list, vector, map or symbol that was read."""
    info = info_of(form)
    return None if info is None else Span(info.source, info.start, info.end)


def child_span(form: Any, index: int) -> Span | None:
    """The place of child `index` of `form`, atoms included; the children of a map are key, value, key, value …

    Falls back to the form's own place if it does not know its children's (a rebuilt form), None if it has none.
    """
    info = info_of(form)
    if info is None:
        return None
    kids = info.kids
    if 0 <= 2 * index < len(kids):
        return Span(info.source, kids[2 * index], kids[2 * index + 1])
    return Span(info.source, info.start, info.end)


def meta_of(form: Any) -> Any:
    """The `^{…}` map of a form, or None."""
    info = info_of(form)
    return None if info is None else info.meta
