"""The JSON writer behind `serialize-json` and `serialize-json-pretty`: values to texts (RFC 8259).

Must not know hosts or schemas. Invariants: depth does not matter, since values nested deeper than `_FEW` are written
without recursion; gives up at `MAX_TEXT` characters; keeps the order of maps. CPython's encoder gets only parts that
were counted before, so that values that share their parts cannot make it write for long.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_TEXT, shown, size_error
from rtfs.syntax.numbers import int_text
from rtfs.values import EvalError, Keyword, List, Map, Set, Symbol, Vector
from rtfs.values.short_vector import ShortVector
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Collection as AnyCollection
    from json.encoder import JSONEncoder
    from typing import Any


def unserializable(what: str) -> EvalError:
    """`json/unserializable`: the value, or a part of it, has no JSON."""
    return EvalError("json/unserializable", f"JSON has no form for {what}")


def _key_text(key: Any) -> str:
    kind = key.__class__
    if kind is str:
        return key  # type: ignore[no-any-return]
    if kind is Keyword:
        return key.name  # type: ignore[no-any-return]
    if kind is int:
        return int_text(key)
    raise unserializable(f"{shown(key)} as a key; strings, keywords and integers are keys")


def _keys(m: Map) -> list[str]:
    texts = [_key_text(key) for key in m.keys()]  # noqa: SIM118 - a Map is not a dict
    if len(set(texts)) != len(texts):
        seen: set[str] = set()
        for text in texts:
            if text in seen:
                raise unserializable(f"a map with two keys that are both {shown(text)}")
            seen.add(text)
    return texts


def _atom(value: Any, quote: Callable[[str], str]) -> str | None:
    """The JSON of what has no parts, or None for a collection."""
    kind = value.__class__
    if kind is str:
        return quote(value)
    if kind is int:
        return int_text(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if kind is float:
        if value - value != 0:
            raise unserializable(shown(value))
        return repr(value)
    if kind is Keyword or kind is Symbol:
        return quote(value.name)
    if kind is Vector or kind is List or kind is Set:
        return None if len(value) else "[]"
    if kind is Map:
        return None if len(value) else "{}"
    raise unserializable(shown(value))


MAX_COLLECTIONS = 2_000_000
"""Collections in the longest JSON text, counted as often as they show."""


def serialize(value: Any, indent: int = 0, function: str = "serialize-json") -> str:
    """The JSON text of a value: compact, or with `indent` spaces a level.

    Raises EvalError `json/unserializable`, LimitError `limit/size`.
    """
    from json.encoder import encode_basestring as quote

    atom = _atom(value, quote)
    if atom is not None:
        return atom
    write = _small_writer()
    if not indent:
        atom = write(value)
        if atom is not None:
            return atom
    parts: list[str] = []
    size = count = 0
    colon = ": " if indent else ":"
    levels: list[tuple[Iterator[Any], Iterator[str] | None]] = []
    pieces = None if indent else _piecewise(write)
    opening = _open(value, levels, pieces)
    parts.append(opening)
    first = True
    while levels:
        elements, keys = levels[-1]
        newline = "\n" + " " * (indent * len(levels)) if indent else ""
        for element in elements:
            lead = newline if first else "," + newline
            if keys is not None:
                lead += quote(next(keys)) + colon
            atom = element.text if type(element) is _Piece else _atom(element, quote)
            if atom is None and not indent:
                atom = write(element)
            first = atom is None
            text = lead + (_open(element, levels, pieces) if atom is None else atom)
            size += len(text)
            if size > MAX_TEXT:
                raise size_error(function)
            parts.append(text)
            if not len(parts) & 0x7FF:
                spend(0x2000)
            if first:
                count += 1
                if count & 0xFFF == 0:
                    spend(0x1000)
                    if count > MAX_COLLECTIONS:
                        raise size_error(function, "a text", MAX_COLLECTIONS, "collections")
                break
        else:
            levels.pop()
            closing = "]" if keys is None else "}"
            text = "\n" + " " * (indent * len(levels)) + closing if indent else closing
            size += len(text)
            if size > MAX_TEXT:
                raise size_error(function)
            parts.append(text)
    return "".join(parts)


_FEW = 1024
"""Parts that are written at one go, at most; so they nest no deeper either."""
_FEWEST = 16
_LONG_PART = 4096
"""Characters of a string from which on it is written by itself."""
_USUAL = 10**512
"""Integers up to it are written by CPython, whose limit on digits never is below."""


class _NotSmall(Exception):
    """A part of a value that is written one by one, or has no JSON, which is found out there."""


class _KeyTexts(dict):  # type: ignore[type-arg]
    """The text of each key that was met. own: those that are their own text."""

    def __init__(self) -> None:
        self.own: set[Any] = set()

    def __missing__(self, key: Any) -> str:
        kind = type(key)
        if kind is not str and kind is not Keyword:
            raise _NotSmall
        text: str = key if kind is str else key.name
        if len(text) > _LONG_PART:
            raise _NotSmall
        if kind is str:
            self.own.add(key)
        self[key] = text
        return text


def _small_writer() -> Callable[[Any], str | None]:
    """A function from a collection to its compact JSON, by CPython's encoder; None where it has more than a few parts
    or none that is plain."""
    from json.encoder import JSONEncoder

    texts = _KeyTexts()
    most = left = _FEW

    def default(value: Any) -> Any:
        """Convert a value that the encoder does not know into one that it knows."""
        kind = type(value)
        if kind is Map:
            raw = value.raw()
            check(raw.values())
            if texts.own.issuperset(raw):
                return raw
            made = {texts[key]: item for key, item in raw.items()}
            if len(made) != len(raw):
                raise _NotSmall
            return made
        if kind is Keyword or kind is Symbol:
            return value.name
        if kind is Vector or kind is List or kind is Set:
            items = value.to_list()
            check(items)
            return items
        raise _NotSmall

    def check(items: AnyCollection[Any]) -> None:
        """Count the parts and look for those that the encoder would take without asking `default`."""
        nonlocal left
        left -= len(items)
        if left < 0:
            raise _NotSmall
        for item in items:
            kind = type(item)
            if kind is str:
                if len(item) > _LONG_PART:
                    raise _NotSmall
            elif kind is int:
                if item > _USUAL or item < -_USUAL:
                    raise _NotSmall
            elif kind is ShortVector:
                check(item)

    encoder = JSONEncoder(
        ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=default
    )
    encode = _made_once(encoder)

    def write(value: Any) -> str | None:
        nonlocal left, most
        left = few = most
        try:
            if type(value) is ShortVector or type(value) is list:
                check(value)
            text = "".join(encode(value, 0))
            most = min(few * 2, _FEW)
        except (_NotSmall, ValueError, RecursionError):
            text = None
            most = max(few >> 1, _FEWEST)  # what fails within what failed shall not cost as much again
        spend((few - left) * 4)
        return text

    return write


def _made_once(encoder: JSONEncoder) -> Callable[[Any, int], Iterable[str]]:
    """The function that `encoder.iterencode` makes for each value, made once: that takes longer than a small value."""
    from json import encoder as json_encoder

    try:
        made: Callable[[Any, int], Iterable[str]] = json_encoder.c_make_encoder(  # type: ignore[attr-defined]
            None,
            encoder.default,
            json_encoder.encode_basestring,
            None,
            encoder.key_separator,
            encoder.item_separator,
            False,
            False,
            encoder.allow_nan,
        )
    except (AttributeError, TypeError):  # another Python has another one, or none
        return lambda value, _: encoder.iterencode(value)
    return made


def _open(
    value: Any,
    levels: list[tuple[Iterator[Any], Iterator[str] | None]],
    pieces: Callable[[list[Any]], Iterator[Any]] | None,
) -> str:
    """Push a non-empty collection and return its opening bracket. pieces: as `_piecewise` makes it, for compact
    text."""
    if value.__class__ is Map:
        levels.append((iter(value.values()), iter(_keys(value))))
        return "{"
    levels.append((iter(value) if pieces is None else pieces(value.to_list()), None))
    return "["


class _Piece:
    """Elements of an array that follow each other, as they are written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_LONGEST_PIECE = 64
_LONGEST_TABLE = 512
_FEWEST_ROWS = 32
_MOST_FAILURES = 8
"""How often in one value columns are looked for in vain."""


def _piecewise(write: Callable[[Any], str | None]) -> Callable[[list[Any]], Iterator[Any]]:
    """A function that takes the elements of an array and gives them back with those that could be written together as
    one `_Piece`: rows by their columns, others if they are small. write: as `_small_writer` makes it."""
    from rtfs.syntax.column_texts import NoColumns, Notation

    notation = Notation(_atoms(), ",", _labels)
    failures = 0

    def table(items: list[Any], start: int) -> _Piece | None:
        nonlocal failures
        part = items[start : start + _LONGEST_TABLE]
        spend(len(part) * 8)
        try:
            return _Piece(",".join(notation.texts(part)))
        except NoColumns:
            failures += 1
            return None

    def pieces(items: list[Any]) -> Iterator[Any]:
        size = _LONGEST_PIECE
        start = 0
        while start + _FEWEST_ROWS <= len(items) and failures < _MOST_FAILURES:
            rows = table(items, start)
            if rows is None:
                break
            start += _LONGEST_TABLE
            yield rows
        while start < len(items):
            part = items[start : start + size]
            start += size
            text = write(part) if size > 1 else None
            if text is None:
                size = max(size >> 2, 1)
                yield from part
            else:
                size = min(size + 1, _LONGEST_PIECE)
                yield _Piece(text[1:-1])

    return pieces


def _atoms() -> dict[type, Callable[[Any], str]]:
    from json.encoder import encode_basestring as quote

    return {
        str: quote,
        int: int_text,
        float: _float_text,
        bool: lambda value: "true" if value else "false",
        type(None): lambda value: "null",
        Keyword: lambda value: quote(value.name),
        Symbol: lambda value: quote(value.name),
    }


def _float_text(number: float) -> str:
    if number - number != 0:
        raise unserializable(shown(number))
    return repr(number)


def _labels(rows: list[dict[Any, Any]]) -> list[tuple[Any, str]] | None:
    """The keys of rows that have the same ones in the same order; None where one of them is no text."""
    from json.encoder import encode_basestring as quote

    if len({*map(tuple, rows)}) != 1:
        return None
    if not {key.__class__ for key in rows[0]} <= {str, Keyword}:
        return None
    names = {key: key if key.__class__ is str else key.name for key in rows[0]}
    if len({*names.values()}) < len(names):
        return None
    return [(key, quote(name) + ":") for key, name in names.items()]
