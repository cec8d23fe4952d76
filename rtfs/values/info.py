"""Notes on values: what the reader remembers about a form, and what came along with the result of a call.

Values made by programs have none (`info` is None). Invariants: equality, order, hashing and printing ignore them; an
operation that makes a new value of an old one does not carry them over.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.source import Source


class FormInfo:
    """`start`, `end`: offsets of the form in `source`. `found`: `kids`, or None as long as nothing asks for them.
    `meta`: the `^{…}` map or None."""

    __slots__ = ("end", "found", "meta", "source", "start")

    def __init__(
        self, source: Source, start: int, end: int, kids: tuple[int, ...] | None = (), meta: Any = None
    ) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.found = kids
        self.meta = meta

    @property
    def kids(self) -> tuple[int, ...]:
        """Start and end of each child, flat (a map's children are key, value, key, value …, as written). Where the
        reader has not noted them, the form's text is read once more."""
        if self.found is None:
            assert places.find is not None
            self.found = places.find(self)
        return self.found


class Places:
    """find: what reads the places of a form's children from its text; the reader sets it."""

    __slots__ = ("find",)

    def __init__(self) -> None:
        self.find: Callable[[FormInfo], tuple[int, ...]] | None = None


places = Places()


class ResultInfo:
    """The content and metadata of a provider's answer, besides its value: `{:content [blocks] :meta {…}}`, each only
    where there is one.

    It is given as Python data and becomes a value at the first look, for most results are never looked at like this.
    """

    __slots__ = ("_meta", "_raw")

    def __init__(self, raw: Any) -> None:
        """raw: a dict with `content` (a list of JSON objects) and `meta` (a JSON object), or the Map of it."""
        self._raw: dict[str, Any] | None = raw if raw.__class__ is dict else None
        self._meta: Any = None if raw.__class__ is dict else raw

    @property
    def meta(self) -> Any:
        """The Map of it."""
        if self._meta is None:
            from rtfs.values.convert import from_python

            self._meta, self._raw = from_python(self._raw, keywords=True), None
        return self._meta

    def cleaned(self, clean: Callable[[str], str]) -> ResultInfo:
        """The same, with all its texts gone through `clean`, which keeps JSON JSON."""
        from json import dumps, loads

        from rtfs.values.convert import to_python

        raw = to_python(self._meta) if self._raw is None else self._raw
        text = dumps(raw, ensure_ascii=False)
        found = clean(text)
        return self if found == text else ResultInfo(loads(found))

    kids = ()
    """No places of children: the value was not read from a text."""


def result_info(value: Any) -> ResultInfo | None:
    """The content and metadata attached to a value that is the result of a call, or None."""
    info = getattr(value, "info", None)
    return info if info.__class__ is ResultInfo else None
