"""The JSON reader behind `parse-json`: texts to values (RFC 8259).

Must not know hosts or schemas. Invariants: refuses what RFC 8259 does not have (`NaN`, `Infinity`) and nesting beyond
`MAX_DEPTH`, which would eat C stack in Python's parser; keeps the order of keys.
"""

from __future__ import annotations

from rtfs.values import EvalError, Keyword, Map, Vector
from rtfs.values.convert import from_python, to_python
from rtfs.values.keyword import is_keyword_name
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import spend, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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
    halves = "\\" in text and ("\\ud" in text or "\\uD" in text)
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


_LARGE = 256
"""Entries of an object from which on the machine looks at the clock while its keys are made."""
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
        for part in (pairs,) if len(pairs) <= _LARGE else stretches(pairs):  # each new name takes some microseconds
            for name, item in part:
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
