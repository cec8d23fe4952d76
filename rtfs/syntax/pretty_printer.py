"""Values printed over several lines, for people: what fits stays on a line, the rest is broken and indented.

Knows nothing of terminals. Invariants: the text reads back to the same value as the one-line text; its length is
linear in the size that the value has when it is written out, however deep it is, and bounded as the printer's is.
"""

from __future__ import annotations

from rtfs.syntax.printer import MOST_COLLECTIONS, MOST_TEXT, elements, to_text, too_long
from rtfs.values import LimitError, List, Map, Set, Symbol, Vector, realised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEEPEST = 40
"""Levels that are broken; what lies deeper stays on one line."""

_COLLECTIONS = (List, Vector, Map, Set)
_BRACKETS: dict[type, tuple[str, str]] = {List: ("(", ")"), Vector: ("[", "]"), Set: ("#{", "}")}


def pretty(value: Any, width: int = 80) -> str:
    """The text of `value` in lines of at most `width` columns where that is possible.

    Raises LimitError `limit/size` where the printer would: data that shares its parts can be huge written out.
    """
    out = _Pieces()
    _emit(realised(value), 0, 0, width, 0, out)
    return "".join(out)


class _Pieces(list[str]):
    """The pieces of a text. broken: collections so far that did not fit on a line. length: characters, without
    indentation."""

    broken = 0
    length = 0

    def grow(self, text: str) -> None:
        """Add the text of what is on one line. Raises LimitError."""
        self.append(text)
        self.length += len(text)
        if self.length > MOST_TEXT:
            raise too_long()

    def breaks(self) -> None:
        """Count a collection over several lines. Raises LimitError."""
        self.broken += 1
        if self.broken > MOST_COLLECTIONS:
            raise LimitError("limit/size", f"a value of more than {MOST_COLLECTIONS:,} collections cannot be printed")


def _emit(value: Any, column: int, closing: int, width: int, depth: int, out: _Pieces) -> None:
    """Add the text of `value`, which begins at `column` and has `closing` brackets behind it."""
    kind = value.__class__
    flat = _flat(value, width - column - closing)
    if flat is not None or kind not in _COLLECTIONS or depth >= _DEEPEST or not len(value):
        out.grow(to_text(value) if flat is None else flat)
    elif kind is Map:
        out.breaks()
        out.append("{")
        _emit_entries(value, column + 1, closing + 1, width, depth + 1, out)
        out.append("}")
    else:
        out.breaks()
        opener, closer = _BRACKETS[kind]
        out.append(opener)
        _emit_items(value.to_list(), column + len(opener), closing + 1, width, depth + 1, out)
        out.append(closer)


def _emit_entries(value: Any, column: int, closing: int, width: int, depth: int, out: _Pieces) -> None:
    left = len(value)
    for key, item in value.items():
        left -= 1
        behind = 0 if left else closing
        start = len(out)
        _emit(key, column, 0, width, depth, out)
        key_width = sum(map(len, out[start:]))
        at = column + key_width + 1
        if at - column > width // 3 and _flat(item, width - at - behind) is None:
            at = column + 2
            out.append("\n" + " " * at)
        else:
            out.append(" ")
        _emit(item, at, behind, width, depth, out)
        if left:
            out.append("\n" + " " * column)


def _emit_items(items: list[Any], column: int, closing: int, width: int, depth: int, out: _Pieces) -> None:
    indent = column
    first = 0
    if items[0].__class__ is Symbol and len(items) > 1:
        out.append(items[0].name)
        indent = column + 1
        first = 1
    # Atoms share lines, collections get their own.
    used = column + len(items[0].name) if first else column
    for index in range(first, len(items)):
        item = items[index]
        behind = closing if index == len(items) - 1 else 0
        atom = item.__class__ not in _COLLECTIONS
        text = to_text(item) if atom else ""
        if index == 0:
            pass
        elif atom and items[index - 1].__class__ not in _COLLECTIONS and used + 1 + len(text) + behind <= width:
            out.append(" ")
            used += 1
        else:
            out.append("\n" + " " * indent)
            used = indent
        if atom:
            out.grow(text)
            used += len(text)
        else:
            _emit(item, used, behind, width, depth, out)


def _flat(value: Any, room: int) -> str | None:
    """The one-line text of `value` if it has at most `room` characters. Looks at no more of it than that."""
    if value.__class__ not in _COLLECTIONS:
        text = to_text(value)
        return text if len(text) <= room else None
    pending = [value]
    least = 0
    while pending:
        item = pending.pop()
        if item.__class__ in _COLLECTIONS:
            count = len(item) * (2 if item.__class__ is Map else 1)
            least += 2 + max(0, count - 1)
            if least > room:
                return None
            pending += elements(item)
        else:
            least += 1
        if least > room:
            return None
    text = to_text(value)
    return text if len(text) <= room else None
