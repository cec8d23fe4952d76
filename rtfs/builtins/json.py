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
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

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
    hook = _objects(keywords, len(text) > LONG, Map.of_plain if plain else _as_read)
    own_ints = sys.get_int_max_str_digits() == 0
    try:
        while True:
            try:
                value = json.loads(
                    text, parse_constant=_refuse, parse_int=_parse_int if own_ints else None, object_hook=hook
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


def _as_read(read: dict[Any, Any]) -> dict[Any, Any]:
    return read


def _objects(keywords: bool, paced: bool, make: Callable[[dict[Any, Any]], Any]) -> Callable[[dict[Any, Any]], Any]:
    """A hook for the JSON reader that converts each object with `make`; until then the arrays in a map are lists."""
    names: dict[str, Any] = {}

    def made(read: dict[Any, Any]) -> Any:
        if paced:
            spend(32)
        if make is not _as_read and list in {*map(type, read.values())}:
            for key, item in read.items():
                if item.__class__ is list:
                    read[key] = _vector(item)
        if keywords:
            for name in read:
                if name not in names:
                    names[name] = Keyword(name) if is_keyword_name(name) else name
            read = {names[name]: item for name, item in read.items()}
        return make(read)

    return made


def _vector(items: list[Any]) -> Vector:
    """The vector of an array that was read, whose objects are maps already; not deeper than `_SHALLOW`."""
    if list in {*map(type, items)}:
        items = [_vector(item) if item.__class__ is list else item for item in items]
    return Vector.of(items)


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
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_SHALLOW = 100
"""How deep a text may nest that is made into values while it is read, with a few Python calls for each level."""
_USUAL_DEPTH = 12


def _depth(text: str) -> int:
    """The nesting depth of brackets of both kinds outside strings."""
    from itertools import accumulate

    if "\\" in text:
        import re

        text = re.sub(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', "", text, flags=re.DOTALL)
    else:
        text = "".join(text.split('"')[::2])
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
    parts: list[str] = []
    size = count = 0
    colon = ": " if indent else ":"
    names: dict[Any, str] = {}
    levels: list[tuple[Iterator[Any], Iterator[str] | None]] = []
    opening = _open(value, levels)
    parts.append(opening)
    first = True
    while levels:
        elements, keys = levels[-1]
        newline = "\n" + " " * (indent * len(levels)) if indent else ""
        for element in elements:
            lead = newline if first else "," + newline
            if keys is not None:
                lead += quote(next(keys)) + colon
            atom = _atom(element, quote)
            if atom is None and not indent:
                left = [_FEW]
                atom = _small(element, quote, left, _SHALLOW, names)
                spend((_FEW - left[0]) * 4)
            first = atom is None
            text = lead + (_open(element, levels) if atom is None else atom)
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


_FEW = 128
"""Parts of a collection that is written at one go."""
_ONE_KIND = ({str}, {Keyword})
"""Kinds of keys that are written differently if they differ."""


def _small(value: Any, quote: Callable[[str], str], left: list[int], depth: int, names: dict[Any, str]) -> str | None:
    """The compact JSON of a collection; None where it has more than a few parts. names: key → how it is written."""
    is_map = value.__class__ is Map
    elements = list(value.raw().values() if is_map else value)
    left[0] -= len(elements)
    if left[0] < 0 or not depth:
        return None
    texts = []
    for element in elements:
        kind = element.__class__
        text = quote(element) if kind is str else int_text(element) if kind is int else _atom(element, quote)
        if text is None:
            text = _small(element, quote, left, depth - 1, names)
            if text is None:
                return None
        texts.append(text)
    if not is_map:
        return f"[{','.join(texts)}]"
    keys = value.raw()
    if {*map(type, keys)} not in _ONE_KIND:
        return f"{{{','.join([f'{quote(key)}:{text}' for key, text in zip(_keys(value), texts, strict=True)])}}}"
    for key in keys:
        if key not in names:
            names[key] = quote(_key_text(key)) + ":"
    return f"{{{','.join([names[key] + text for key, text in zip(keys, texts, strict=True)])}}}"


def _open(value: Any, levels: list[tuple[Iterator[Any], Iterator[str] | None]]) -> str:
    """Push a non-empty collection and give its opening bracket."""
    if value.__class__ is Map:
        levels.append((iter(value.values()), iter(_keys(value))))
        return "{"
    levels.append((iter(value), None))
    return "["


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
