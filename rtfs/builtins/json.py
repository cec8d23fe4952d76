"""JSON both ways: `parse-json serialize-json serialize-json-pretty` (RFC 8259).

Must not know hosts or schemas. Invariants: parsing refuses what RFC 8259 does not have (`NaN`, `Infinity`) and nesting
beyond `MAX_DEPTH`, which would eat C stack in Python's parser; serializing keeps no recursion, so depth is no matter,
and gives up at `MAX_TEXT` characters. Both keep the order of maps.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import MAX_TEXT, need_string, shown, size_error, type_error
from rtfs.builtins.declare import builtin
from rtfs.syntax.numbers import int_text
from rtfs.values import EvalError, Keyword, List, Map, Set, Symbol, Vector
from rtfs.values.convert import from_python, to_python
from rtfs.values.keyword import is_keyword_name
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Collection as AnyCollection
    from json.encoder import JSONEncoder
    from typing import Any, NoReturn

_new = object.__new__

MAX_DEPTH = 512
"""Arrays and objects inside each other that `parse-json` takes."""


def parse(text: str, keywords: bool = False) -> Any:
    """The RTFS value of a JSON text; `keywords`: keys become keywords where they read back as such.

    Raises EvalError `json/parse` (with line and column) or `json/depth`, LimitError for an integer beyond the cap.
    """
    import json
    import sys

    depth = min(text.count("[") + text.count("{"), _SHALLOW)
    if depth == _SHALLOW:
        depth = _depth(text)
    if depth > MAX_DEPTH:
        raise EvalError("json/depth", f"(parse-json …) takes up to {MAX_DEPTH} arrays and objects inside each other")
    spend(len(text) >> 6)
    halves = "\\ud" in text or "\\uD" in text
    plain = depth <= _SHALLOW and not halves
    paced = len(text) > LONG
    hook = None if keywords else _objects(paced, plain)
    pairs_hook = _keyword_objects(paced, plain) if keywords else None
    own_ints = sys.get_int_max_str_digits() == 0
    try:
        while True:
            try:
                value = json.loads(
                    text,
                    parse_constant=_refuse,
                    parse_int=_parse_int if own_ints else None,
                    object_hook=hook,
                    object_pairs_hook=pairs_hook,
                )
                break
            except json.JSONDecodeError:
                raise
            except ValueError:
                if own_ints:
                    raise
                own_ints = True
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise EvalError("json/parse", f"(parse-json …): {_reason(error.msg)} at {where}") from None
    if not plain:
        value = from_python(value)
        if halves:
            _check_surrogates(to_python(value))
        return value
    return _vector(value) if value.__class__ is list else value


LONG = 1 << 18
"""Characters of a text from which on the machine looks at the clock while it is read."""


_PACE = 64
"""Objects of a long text between two looks at the account."""


def _objects(paced: bool, plain: bool) -> Callable[[dict[str, Any]], Any]:
    """A hook for the JSON reader that makes each object a map, and arrays in it vectors. Without `plain`, objects and
    arrays stay Python's."""
    array = list if plain else None
    count = 0

    def made(read: dict[str, Any]) -> Any:
        nonlocal count
        if paced:
            count += 1
            if count == _PACE:
                count = 0
                spend(_PACE * 32)
        if array is None:
            return read
        for key, item in read.items():
            if type(item) is array:
                read[key] = _vector(item)
        one = _new(Map)  # Map.of_plain, written out: this is what an object costs
        one._d = read
        one._odd = False
        one.info = None
        return one

    return made


def _keyword_objects(paced: bool, plain: bool) -> Callable[[list[tuple[str, Any]]], Any]:
    """As `_objects`, with keywords as keys where the names read back as such."""
    names = _Names()
    array = list if plain else None
    count = 0

    def made(pairs: list[tuple[str, Any]]) -> Any:
        nonlocal count
        if paced:
            count += 1
            if count == _PACE:
                count = 0
                spend(_PACE * 32)
        read: dict[Any, Any] = {}
        for name, item in pairs:
            read[names[name]] = _vector(item) if type(item) is array else item
        if array is None:
            return read
        one = _new(Map)
        one._d = read
        one._odd = False
        one.info = None
        return one

    return made


class _Names(dict):  # type: ignore[type-arg]
    """The key for each name that was met: a keyword, or the name itself where it does not read back as one."""

    def __missing__(self, name: str) -> Any:
        key = self[name] = Keyword(name) if is_keyword_name(name) else name
        return key


def _vector(items: list[Any]) -> Any:
    """The vector of an array that was read, whose objects are maps already; not deeper than `_SHALLOW`."""
    if list in map(type, items):
        items = [_vector(item) if type(item) is list else item for item in items]
    return ShortVector(items) if len(items) <= SHORT else Vector.adopt(items)


def _reason(message: str) -> str:
    if message.startswith("Expecting value"):
        return "a value is expected"
    return message[:1].lower() + message[1:]


def _refuse(constant: str) -> NoReturn:
    raise EvalError("json/parse", f"(parse-json …): JSON has no {constant}")


def _parse_int(text: str) -> int:
    from rtfs.builtins.number_text import digits_to_int

    return -digits_to_int(text[1:]) if text[0] == "-" else digits_to_int(text)


_OTHERS = bytes(code for code in range(256) if chr(code) not in "[]{}")
_NEITHER = bytes(code for code in _OTHERS if chr(code) != '"')
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_SHALLOW = 100
"""How deep a text may nest that is made into values while it is read, with a few Python calls for each level."""
_USUAL_DEPTH = 12


def _depth(text: str) -> int:
    """The nesting depth of brackets of both kinds outside strings."""
    from itertools import accumulate

    brackets = text.encode("utf-8", "surrogatepass").translate(_BRACKETS, _NEITHER).replace(b'""', b"")
    if b'"' in brackets or "\\" in text:  # a string has brackets, else each run of quotes would be even and be gone
        import re

        text = re.sub(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', "", text, flags=re.DOTALL)
        brackets = text.encode("utf-8", "surrogatepass").translate(_BRACKETS, _OTHERS)
    for depth in range(_USUAL_DEPTH):
        if not brackets:
            return depth
        brackets = brackets.replace(b"[]", b"")  # the innermost level goes
    return _USUAL_DEPTH + max(accumulate([1 if one == 91 else -1 for one in brackets]), default=0)


def _check_surrogates(value: Any) -> None:
    """EvalError `json/parse` if a string in the parsed JSON has half a surrogate pair, which is not a text."""
    import json

    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "(parse-json …): a string has half a surrogate pair (\\uD800 to \\uDFFF)"
        raise EvalError("json/parse", message) from None


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
    texts = [_key_text(key) for key in m.keys()]  # noqa: SIM118 - a Map is no dict
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
    opening = _open(value, levels, None if indent else write)
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
            text = lead + (_open(element, levels, None if indent else write) if atom is None else atom)
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
        """What the encoder does not know by itself, in terms of what it does."""
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
    """What `encoder.iterencode` makes for each value anew, which takes longer than a small value."""
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
    value: Any, levels: list[tuple[Iterator[Any], Iterator[str] | None]], write: Callable[[Any], str | None] | None
) -> str:
    """Push a non-empty collection and give its opening bracket. write: as `_small_writer` has it, for compact text."""
    if value.__class__ is Map:
        levels.append((iter(value.values()), iter(_keys(value))))
        return "{"
    levels.append((iter(value) if write is None else _pieces(value.to_list(), write), None))
    return "["


class _Piece:
    """Elements of an array that follow each other, as they are written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_LONGEST_PIECE = 64


def _pieces(items: list[Any], write: Callable[[Any], str | None]) -> Iterator[Any]:
    """The elements, those that are small together as one `_Piece`."""
    size = _LONGEST_PIECE
    start = 0
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


@builtin(
    "parse-json",
    "(parse-json text options?)",
    "The value of a JSON text, with string keys; with {:keywords true} keys become keywords where they read back.",
    '(parse-json "{\\"a\\": [1, null]}")',
    '{"a" [1 nil]}',
    '(parse-json "{\\"a\\": 1}" {:keywords true})',
    "{:a 1}",
    aliases=("tool/parse-json",),
)
def parse_json(text: Any, options: Any = None, /) -> Any:
    need_string("parse-json", "text", text)
    keywords = None
    if options.__class__ is Map:
        keywords = options.get(Keyword("keywords"))
    elif options is not None:
        raise type_error("parse-json", "the options", "a map", options)
    return parse(text, keywords is not None and keywords is not False)


@builtin(
    "serialize-json",
    "(serialize-json value)",
    "The value as compact JSON; keywords lose their colon, integer keys become text.",
    '(serialize-json {:a [1 nil "x"]})',
    '"{\\"a\\":[1,null,\\"x\\"]}"',
    aliases=("tool/serialize-json",),
)
def serialize_json(value: Any, /) -> str:
    return serialize(value)


@builtin(
    "serialize-json-pretty",
    "(serialize-json-pretty value)",
    "The value as JSON on several lines, two spaces a level.",
    "(serialize-json-pretty [1 2])",
    '"[\\n  1,\\n  2\\n]"',
    aliases=("tool/serialize-json-pretty",),
)
def serialize_json_pretty(value: Any, /) -> str:
    return serialize(value, 2, "serialize-json-pretty")
