"""From values to text that reads back.

Knows nothing of reading: imports neither Lark nor `re`. Invariants: iterative, so data nested a hundred thousand deep
prints; what has a literal prints as one; everything else prints as `#<…>`, which the reader refuses.
"""

from __future__ import annotations

from itertools import islice

from rtfs.syntax.numbers import float_text, int_text
from rtfs.values import (
    Keyword,
    LazySeq,
    LimitError,
    List,
    Map,
    Reduced,
    Regex,
    Set,
    Symbol,
    UserError,
    Vector,
    realised,
)
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_TEXT = 64 * 1024 * 1024
"""Characters of the longest printed value. Data that shares its parts can be far larger printed than in memory."""

MOST_COLLECTIONS = 2_000_000
"""Collections in the longest printed value, counted as often as they show."""

_PORTION = 16_384  # pieces of text that are put together at a time
_LONG = 1024  # characters of an atom from which on it counts by itself
_FEWEST_ROWS, _ROWS = 32, 512  # elements from which on columns are looked for, and that are written together
_MOST_FAILURES = 8


def to_text(value: Any, width: int | None = None) -> str:
    """The text of a value, as `pr-str` gives it: strings quoted, maps in insertion order.

    With `width` (columns) longer values are broken into indented lines.
    """
    if width is not None:
        from rtfs.syntax.pretty_printer import pretty

        return pretty(value, width)
    atom = ATOMS.get(value.__class__)
    if atom is not None:
        return atom(value)
    if value.__class__ in _BRACKETS:
        return _collection_text(realised(value))
    return _other_text(value)


def display(value: Any) -> str:
    """The text of a value, as `str` and `println` show it: a string itself is raw, strings within data are quoted."""
    if value.__class__ is str:
        text: str = value
        return text
    return to_text(value)


def _collection_text(value: Any) -> str:
    out: list[str] = []
    chunks: list[str] = []
    size = count = 0
    put = out.append
    stack: list[tuple[Any, str]] = []
    opener, closer = _BRACKETS[value.__class__]
    put(opener)
    pieces = _Pieces()
    items: Any = iter(elements(value) if len(value) < _FEWEST_ROWS else pieces.of(value))
    atoms = ATOMS.get
    while True:
        for item in islice(items, _PORTION):
            kind = item.__class__
            atom = atoms(kind)
            if atom is not None or kind is _Piece:
                text = item.text if atom is None else atom(item)
                put(text)
                put(" ")
                if len(text) > _LONG:
                    size = _put_together(out, chunks, size)
            elif kind in _BRACKETS:
                if len(out) > _PORTION:
                    size = _put_together(out, chunks, size)
                count += 1
                if not count & 0x3FF:
                    spend(0x4000)
                if count > MOST_COLLECTIONS:
                    raise LimitError(
                        "limit/size", f"a value of more than {MOST_COLLECTIONS:,} collections cannot be printed"
                    )
                stack.append((items, closer))
                opener, closer = _BRACKETS[kind]
                put(opener)
                items = iter(elements(item) if len(item) < _FEWEST_ROWS else pieces.of(item))
                break
            else:
                put(_other_text(item))
                put(" ")
        else:
            if items.__length_hint__():
                size = _put_together(out, chunks, size)
                spend(_PORTION * 4)
                continue
            if out[-1] == " ":
                out[-1] = closer
            else:
                put(closer)
            if not stack:
                _put_together(out, chunks, size)
                return "".join([*chunks, *out])
            put(" ")
            items, closer = stack.pop()


class _Piece:
    """Elements that follow each other, as they are printed."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Pieces:
    """The elements of collections, with rows that could be written by their columns as pieces. failures: how often
    columns were looked for in vain: values that share their parts could have it tried at each level."""

    __slots__ = ("failures", "size")

    def __init__(self) -> None:
        self.failures = 0
        self.size = 0

    def of(self, value: Any) -> list[Any]:
        """What to print between the brackets of a collection. Raises LimitError `limit/size` for too much text."""
        if value.__class__ is Map or value.__class__ is Set or self.failures >= _MOST_FAILURES:
            return elements(value)
        from rtfs.syntax.column_texts import NoColumns, Notation

        notation = Notation(ATOMS, " ", _labels)
        items = elements(value)
        found: list[Any] = []
        for start in range(0, len(items), _ROWS):
            part = items[start : start + _ROWS]
            spend(len(part) * 4)
            try:
                text = " ".join(notation.texts(part))
            except NoColumns:
                self.failures += 1
                return found + items[start:]
            self.size += len(text)
            if self.size > MOST_TEXT:
                raise too_long()
            found.append(_Piece(text))
        return found


def _labels(rows: list[dict[Any, Any]]) -> list[tuple[Any, str]] | None:
    """The keys of rows that have the same ones in the same order; None where one of them is no name."""
    keys = [*rows[0]]
    if not {key.__class__ for key in keys} <= {str, Keyword} or len({*map(tuple, rows)}) != 1:
        return None
    return [(key, ATOMS[key.__class__](key) + " ") for key in keys]


def _put_together(out: list[str], chunks: list[str], size: int) -> int:
    """Move all but the last piece into a chunk; the size of all chunks, `size` before. Raises LimitError `limit/size`
    for too much text."""
    last = out.pop()
    chunk = "".join(out)
    chunks.append(chunk)
    out.clear()
    out.append(last)
    size += len(chunk)
    if size > MOST_TEXT:
        raise too_long()
    return size


def too_long() -> LimitError:
    """`limit/size`: the text of a value would have more than `MOST_TEXT` characters."""
    return LimitError("limit/size", f"a value of more than {MOST_TEXT:,} characters cannot be printed")


def elements(value: Any) -> list[Any]:
    """The elements to print between the brackets of a list, vector, set or map; for a map, its keys and values in
    turn."""
    if value.__class__ is Map:
        flat: list[Any] = []
        for pair in value.items():
            flat += pair
        return flat
    items: list[Any] = value.to_list()
    return items


def string_text(text: str) -> str:
    """A string literal for `text`: the five escapes, and `\\uXXXX` for characters that may not appear raw in a
    source."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    if not text.isprintable():
        text = "".join([char if char.isprintable() or _allowed(ord(char)) else escape(char) for char in text])
    return f'"{text}"'


def escape(char: str) -> str:
    """`\\uXXXX` for a character, two of them beyond U+FFFF."""
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _allowed(code: int) -> bool:
    """Whether a character that Python regards as unprintable may appear raw in a source: white space, unassigned
    ones."""
    if code < 0xA0 or 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE:
        return False
    # Invisible characters that reorder or hide text are allowed raw, but better seen.
    return not (0x200B <= code <= 0x200F or 0x2028 <= code <= 0x202E or 0x2060 <= code <= 0x206F or code == 0xFEFF)


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def _nil_text(value: None) -> str:
    return "nil"


def _keyword_text(value: Keyword) -> str:
    return ":" + value.name


def _symbol_text(value: Symbol) -> str:
    return value.name


def _regex_text(value: Regex) -> str:
    return f'#"{value.pattern}"'


def _other_text(value: Any) -> str:
    if value.__class__ is Reduced:
        return f"#<reduced {to_text(value.value)}>"
    if isinstance(value, UserError):
        return f"#<error {value.code}: {value.message}>"
    if callable(value):
        name = str(getattr(value, "__name__", "")).partition(" ")[0]
        anonymous = name in ("", "fn") or (name[0] == "<" and name[1:2].isalpha())
        return "#<function>" if anonymous else f"#<function {name}>"
    return f"#<{value.__class__.__name__}>"


ATOMS: dict[type, Callable[[Any], str]] = {
    str: string_text,
    int: int_text,
    float: float_text,
    bool: _bool_text,
    type(None): _nil_text,
    Keyword: _keyword_text,
    Symbol: _symbol_text,
    Regex: _regex_text,
}

_BRACKETS: dict[type, tuple[str, str]] = {List: ("(", ")"), Vector: ("[", "]"), Map: ("{", "}"), Set: ("#{", "}")}
_BRACKETS[LazySeq] = _BRACKETS[List]
