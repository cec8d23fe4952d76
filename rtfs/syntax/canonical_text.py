"""The text of a value in the one order of `rtfs.values.canonical`, for hashes: in one pass where it has few parts.

Knows nothing of hashes. Invariant: `canonical_text(value)` is `to_text(canonical(value))`, whatever the value.
"""

from __future__ import annotations

from rtfs.syntax.printer import ATOMS, MOST_TEXT, string_text, to_text, too_long
from rtfs.values import Keyword, List, Map, Vector
from rtfs.values.canonical import canonical, order_of_names
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST = 256
"""Parts of a value that is written in one pass. Data that shares its parts counts them as often as they show."""
_DEEPEST = 12
_LEVELS = 4
"""How deep collections of many parts are looked for in each other, before the long way is gone."""
_STRETCH = 512
_BRACKETS = {Vector: ("[", "]"), List: ("(", ")"), Map: ("{", "}")}


def canonical_text(value: Any) -> str:
    """The text of a value, the keys of maps and elements of sets sorted at any depth. Raises LimitError `limit/size`
    for too much text."""
    atom = ATOMS.get(value.__class__)
    if atom is not None:
        return atom(value)
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
        items = [part for _, key in sorted(zip(names, raw, strict=True)) for part in (key, raw[key])]
    else:
        items = value.to_list()
    size = 0
    texts: list[str] = []
    for start in range(0, len(items), _STRETCH):
        for item in items[start : start + _STRETCH]:
            atom = ATOMS.get(item.__class__)
            text = _text(item, levels) if atom is None else atom(item)
            size += len(text) + 1
            if size > MOST_TEXT:
                raise too_long()
            texts.append(text)
        spend(_STRETCH * 8)
    opener, closer = _BRACKETS[value.__class__]
    return f"{opener}{' '.join(texts)}{closer}"


def _small(value: Any, left: list[int], depth: int) -> str | None:
    """The text of a collection; None where it has too many parts, or some that have no simple order."""
    kind = value.__class__
    if kind is Map:
        return _map(value.raw(), left, depth)
    if kind is not Vector and kind is not List:
        return None
    items = value.to_list()
    left[0] -= len(items)
    if left[0] < 0 or not depth:
        return None
    texts = []
    for item in items:
        atom = ATOMS.get(item.__class__)
        text = _small(item, left, depth - 1) if atom is None else atom(item)
        if text is None:
            return None
        texts.append(text)
    inside = " ".join(texts)
    return f"[{inside}]" if kind is Vector else f"({inside})"


def _map(raw: dict[Any, Any], left: list[int], depth: int) -> str | None:
    left[0] -= len(raw)
    if left[0] < 0 or not depth:
        return None
    entries: list[Any] = []
    kind: Any = None
    for key, item in raw.items():
        if kind is None:
            kind = key.__class__
            if kind is not Keyword and kind is not str:
                return None
        if key.__class__ is not kind:
            return None
        atom = ATOMS.get(item.__class__)
        text = _small(item, left, depth - 1) if atom is None else atom(item)
        if text is None:
            return None
        if kind is str:
            entries.append((key, text))
        elif "/" in key.name:
            return None
        else:
            entries.append(f":{key.name} {text}")
    entries.sort()  # no character of a name comes before the blank: the texts are in the order of the names
    if kind is str:
        entries = [f"{string_text(key)} {text}" for key, text in entries]
    return f"{{{' '.join(entries)}}}"
