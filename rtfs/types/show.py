"""Values in error messages: short, on one line, whatever their size and depth."""

from __future__ import annotations

from rtfs.values import LazySeq, List, Map, Regex, Set, Vector
from rtfs.values.keyword import Keyword
from rtfs.values.kinds import type_name
from rtfs.values.symbol import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT = 60
_ITEMS = 5
_DEPTH = 2
_LEAVES = (str, int, float, bool, type(None), Keyword, Symbol, Regex)


def kind_name(value: Any) -> str:
    """The language's name for the kind of a value, Python's for what is not a value of the language."""
    try:
        return str(type_name(value))
    except Exception:
        return str(value.__class__.__name__)


def clip(text: str, width: int = 300) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def shorten(value: Any) -> str:
    """A value as the language writes it, with `…` for what is left out (about 60 characters of text, 5 elements)."""
    return clip(_short(value, _DEPTH), 4 * _TEXT)


def shorten_path(keys: list[Any]) -> str:
    """`[2 :name]`; of a long path its two ends."""
    shown = [_short(key, 0) for key in (keys if len(keys) <= 12 else keys[:6])]
    if len(keys) > 12:
        shown += ["…", *(_short(key, 0) for key in keys[-5:])]
    return f"[{' '.join(shown)}]"


def _short(value: Any, depth: int) -> str:
    if value.__class__ in (Vector, List):
        left, right = "[]" if value.__class__ is Vector else "()"
        return f"{left}{_some(value, len(value), depth)}{right}"
    if value.__class__ is LazySeq:
        return "(…)"
    if value.__class__ is Set:
        return f"#{{{_some(value, len(value), depth)}}}"
    if value.__class__ is Map:
        if depth == 0:
            return "{…}" if len(value) else "{}"
        shown: list[str] = []
        for key, part in value.items():
            if len(shown) == _ITEMS:
                shown.append("…")
                break
            shown.append(f"{_short(key, 0)} {_short(part, depth - 1)}")
        return "{" + " ".join(shown) + "}"
    if value.__class__ is str and len(value) > _TEXT:
        return _text(value[:_TEXT])[:-1] + '…"'
    if value.__class__ is int and value.bit_length() > 4 * _TEXT:
        return f"an integer of about {value.bit_length() * 30103 // 100000 + 1} digits"
    return clip(_text(value) if value.__class__ in _LEAVES else _name(value), 2 * _TEXT)


def _some(values: Any, count: int, depth: int) -> str:
    if depth == 0:
        return "…" if count else ""
    shown: list[str] = []
    for value in values:
        if len(shown) == _ITEMS:
            shown.append("…")
            break
        shown.append(_short(value, depth - 1))
    return " ".join(shown)


def _text(value: Any) -> str:
    from rtfs.syntax.printer import to_text

    return str(to_text(value))


def _name(value: Any) -> str:
    return f"#<{kind_name(value)} {getattr(value, '__name__', '')}>".replace(" >", ">")
