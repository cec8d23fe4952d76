"""The text of a value in the one order of `rtfs.values.canonical`, for hashes: in one pass where it has few parts.

Knows nothing of hashes. Invariant: `canonical_text(value)` is `to_text(canonical(value))`, whatever the value.
"""

from __future__ import annotations

from rtfs.syntax.numbers import int_text
from rtfs.syntax.printer import ATOMS, MOST_TEXT, to_text, too_long
from rtfs.values import List, Map, Vector
from rtfs.values.canonical import canonical, order_of_names
from rtfs.values.long_sort import sorted_list
from rtfs.values.step_account import look, paced, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST = 256
"""Parts of a value that is written in one pass. Data that shares its parts counts them as often as they show."""
_DEEPEST = 12
_LEVELS = 4
"""How deep collections of many parts are searched for within each other, before the slow path is taken."""
_STRETCH = 512
_USUAL = 10**512
"""Integers up to it are written by CPython, whose limit on digits is never lower."""
_UNKNOWN: Any = object()
_shapes: dict[tuple[Any, ...], _Shape | None] = {}
"""The keys of maps that were written lately, as they follow each other; None where they have no simple order."""
_SHAPES = 256
_KEYS = 24
_NAME = 40
"""Shapes that are kept at most, and how many keys of how many characters they may have: names, hardly data."""
_atom = ATOMS.get
_BRACKETS = {Vector: ("[", "]"), List: ("(", ")"), Map: ("{", "}")}


def canonical_text(value: Any) -> str:
    """The text of a value, the keys of maps and elements of sets sorted at any depth. Raises LimitError `limit/size`
    for too much text."""
    atom = _atom(value.__class__)
    if atom is not None:
        return atom(value)
    if value.__class__ is Map:
        text = _map(value.raw(), [_MOST], _DEEPEST)  # `_text` would do so first: this is what most calls pass
        if text is not None:
            return text
    return _text(value, _LEVELS)


def _text(value: Any, levels: int) -> str:
    text = _small(value, [_MOST], _DEEPEST)
    if text is None and levels and value.__class__ in _BRACKETS:
        text = _large(value, levels - 1)
    return to_text(canonical(value)) if text is None else text


def _large(value: Any, levels: int) -> str | None:
    """The text of a collection of many parts, most of which are small; None where it has no simple order."""
    if value.__class__ is Map:
        raw = value.raw()
        names = order_of_names([*raw])
        if names is None:
            return None
        look()
        entries = sorted_list([*zip(names, raw, strict=True)])
        items = [part for _, key in paced(entries) for part in (key, raw[key])]
    else:
        items = value.to_list()
    from rtfs.syntax.column_texts import NoColumns, Notation

    notation = Notation(ATOMS, " ", _labels)
    size = 0
    texts: list[str] = []
    for start in range(0, len(items), _STRETCH):
        stretch = items[start : start + _STRETCH]
        try:
            written = notation.texts(stretch)
            size += sum(map(len, written)) + len(written)
            if size > MOST_TEXT:
                raise too_long()
            texts += written
        except NoColumns:
            for item in stretch:
                atom = _atom(item.__class__)
                text = _text(item, levels) if atom is None else atom(item)
                size += len(text) + 1
                if size > MOST_TEXT:
                    raise too_long() from None
                texts.append(text)
        spend(_STRETCH * 8)
    opener, closer = _BRACKETS[value.__class__]
    return f"{opener}{' '.join(texts)}{closer}"


def _labels(rows: list[dict[Any, Any]]) -> list[tuple[Any, str]] | None:
    shape = _shape((*rows[0],))
    return None if shape is None else shape.labels


def _small(value: Any, left: list[int], depth: int) -> str | None:
    """The text of a collection; None where it has too many parts, or some that have no simple order."""
    kind = value.__class__
    if kind is not Vector and kind is not List:
        return _map(value.raw(), left, depth) if kind is Map else None
    left[0] -= len(value)
    if left[0] < 0 or not depth:
        return None
    texts = []
    for item in value:
        atom = _atom(item.__class__)
        if atom is not None:
            texts.append(atom(item))
            continue
        text = _small(item, left, depth - 1)
        if text is None:
            return None
        texts.append(text)
    return f"[{' '.join(texts)}]" if kind is Vector else f"({' '.join(texts)})"


def _map(raw: dict[Any, Any], left: list[int], depth: int) -> str | None:
    left[0] -= len(raw)
    if left[0] < 0 or not depth:
        return None
    keys = (*raw,)
    shape = _shapes.get(keys, _UNKNOWN)
    if shape is _UNKNOWN:
        shape = _shape(keys)
    if shape is None:
        return None
    texts = []
    for key in shape.keys:
        item = raw[key]
        kind = item.__class__
        if kind is int:
            texts.append(item if -_USUAL < item < _USUAL else int_text(item))
        elif kind is str and item.isprintable() and '"' not in item and "\\" not in item:
            texts.append(f'"{item}"')
        else:
            atom = _atom(kind)
            if atom is not None:
                texts.append(atom(item))
                continue
            text = _map(item.raw(), left, depth - 1) if kind is Map else _small(item, left, depth - 1)
            if text is None:
                return None
            texts.append(text)
    written: str = shape.form % (*texts,)
    return written


class _Shape:
    """The keys of maps. labels: in their order, each with the text in front of its value. form: the text of a map, with
    `%s` for the text of each value."""

    __slots__ = ("form", "keys", "labels")

    def __init__(self, keys: list[Any]) -> None:
        self.keys = keys
        self.labels = [(key, ATOMS[key.__class__](key) + " ") for key in keys]
        inside = " ".join([label.replace("%", "%%") + "%s" for _, label in self.labels])
        self.form = f"{{{inside}}}"


def _shape(keys: tuple[Any, ...]) -> _Shape | None:
    """The shape of maps with these keys; None where they have no simple order. Equal keys of other kinds than those
    that have one may print differently."""
    names = order_of_names([*keys]) if keys else []
    shape = None
    if names is not None:
        shape = _Shape([key for _, key in sorted(zip(names, keys, strict=True))])
    if len(keys) <= _KEYS and (names is None or all(len(name) <= _NAME for name in names)):
        if len(_shapes) >= _SHAPES:
            _shapes.clear()
        _shapes[keys] = shape
    return shape
